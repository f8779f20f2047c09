"""The local embedder: all-MiniLM-L6-v2, int8 on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import cast

import anyio.to_thread
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from ken.models.graph_cache import Precision, built_graph
from ken.models.weights import DIMENSIONS, MAX_TOKENS

Span = tuple[int, int]

_WORD_BASIS = Path(__file__).with_name("minilm_words.npy")
"""The first 64 principal axes of the word pieces' vectors over the handbooks of the benchmarks (bench/word_basis.py)."""


class MiniLM:
    """Embedder and token counter. It knows English only, and reads the first 256 word pieces ([CLS], [SEP] included).

    The first start builds the graph from the published weights and keeps it in `cache`; later starts need neither the
    weights nor the package that they came in. `folder` and `allow_download` say where else the weights may come from.

    A text's vector is the same, bit for bit, whatever it is embedded with: every text is a run of its own, `threads` of
    them at a time, longest first. So nothing is padded, and no batch is filled.

    An empty text has the vector of "[CLS] [SEP]": of unit length like any other, and near no text in particular.

    Raises ModelUnavailable if there is neither a built graph nor the published model.
    """

    def __init__(
        self,
        cache: Path,
        *,
        folder: Path | None = None,
        allow_download: bool = False,
        threads: int = 2,
        precision: Precision = "int8",
    ) -> None:
        graph = built_graph(cache, precision=precision, folder=folder, allow_download=allow_download)
        self.name: str = graph.name
        self.dimensions: int = DIMENSIONS
        self._tokenizer = Tokenizer.from_file(str(graph.tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # More would fuse Add and LayerNormalization into an operator that is six times slower.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._session = onnxruntime.InferenceSession(str(graph.encoder), options, providers=["CPUExecutionProvider"])
        self._workers = ThreadPoolExecutor(threads, thread_name_prefix="minilm")

    @cached_property
    def word_basis(self) -> NDArray[np.float32]:
        """Shape (384, 64)."""
        return np.load(_WORD_BASIS).astype(np.float32)

    async def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compute `embed_parts_now` in a worker thread."""
        return await anyio.to_thread.run_sync(self.embed_parts_now, texts, parts)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Compute `embed_now` in a worker thread: float32 (len(texts), 384)."""
        return await anyio.to_thread.run_sync(self.embed_now, texts)

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, which is that of any other text: float32 (384,)."""
        return (await self.embed([text]))[0]

    def embed_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the texts' L2-normalised vectors, in order: float32 (len(texts), 384)."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        if len(texts) == 1:
            # A question doesn't queue behind the passages of a sync.
            vectors[0] = self._vector(texts[0])
            return vectors
        longest_first = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        computed = self._workers.map(self._vector, (texts[index] for index in longest_first))
        for index, vector in zip(longest_first, computed, strict=True):
            vectors[index] = vector
        return vectors

    def embed_parts_now(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return `embed_now(texts)`, and for each part of each text the sum of its word pieces' vectors.

        Late chunking: Günther et al. 2024 (arXiv:2409.04701). A word piece belongs to the part that it begins in.
        """
        if len(texts) == 1:
            # A question, as in `embed_now`.
            vector, of_parts = self._with_parts((texts[0], parts[0]))
            return vector[np.newaxis], of_parts
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        sums: list[NDArray[np.float32]] = [np.empty((0, DIMENSIONS), np.float32)] * (len(texts) + 1)
        longest_first = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        computed = self._workers.map(self._with_parts, ((texts[index], parts[index]) for index in longest_first))
        for index, (vector, of_parts) in zip(longest_first, computed, strict=True):
            vectors[index], sums[index] = vector, of_parts
        return vectors, np.concatenate(sums)

    def count(self, text: str) -> int:
        """Count the word pieces of `text`, without [CLS] and [SEP]."""
        return len(self._encode(text, special=False).ids)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the span of each word piece, in order: `text[start:end]`, in characters."""
        return self._encode(text, special=False).offsets

    def _vector(self, text: str) -> NDArray[np.float32]:
        return self._run(["vector"], self._encode(text, special=True))[0]

    def _with_parts(self, asked: tuple[str, Sequence[Span]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        text, parts = asked
        encoding = self._encode(text, special=True)
        vector, states = self._run(["vector", "states"], encoding)
        # [CLS] and [SEP], which stand in no text, belong to no part.
        begins = np.array(encoding.offsets[1 : len(states) - 1], np.int64).reshape(-1, 2)[:, 0]
        bounds = 1 + np.searchsorted(begins, np.array(parts, np.int64).reshape(-1, 2))
        before = np.concatenate([np.zeros((1, DIMENSIONS), np.float32), np.cumsum(states, axis=0)])
        return vector, before[bounds[:, 1]] - before[bounds[:, 0]]

    def _run(self, outputs: list[str], encoding: Encoding) -> list[NDArray[np.float32]]:
        ids = np.array(encoding.ids, np.int64)
        if len(ids) > MAX_TOKENS:
            ids = np.append(ids[: MAX_TOKENS - 1], ids[-1])
        return cast("list[NDArray[np.float32]]", self._session.run(outputs, {"ids": ids}))

    def _encode(self, text: str, *, special: bool) -> Encoding:
        # A lone surrogate has no UTF-8, which the tokenizer needs; "?" takes its place, and no offset moves.
        return self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=special)
