"""The local embedder: all-MiniLM-L6-v2, int8 on ONNX Runtime."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import anyio.to_thread
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ken.models.bert_graph import DIMENSIONS, GRAPH_VERSION, MAX_TOKENS, Precision, build_graph
from ken.models.weights import TOKENIZER_SHA256, WEIGHTS_SHA256, find_model, read_tensors, sha256


class MiniLM:
    """Embedder and token counter. It knows English only, and reads the first 256 word pieces ([CLS] and [SEP] included) of a text.

    The first start builds the graph from the published weights and keeps it in `cache` with the tokenizer; later starts need
    neither the weights nor the package that they came in. A text's vector depends on that text alone, not on what it is embedded
    with. An empty text has the vector of "[CLS] [SEP]": of unit length, close to no text in particular.

    Raises ModelUnavailable if there is neither a built graph nor a model whose files are the published ones.
    """

    dimensions: int = DIMENSIONS

    def __init__(
        self,
        cache: Path,
        *,
        folder: Path | None = None,
        allow_download: bool = False,
        threads: int = 2,
        precision: Precision = "int8",
    ) -> None:
        self.name: str = f"all-MiniLM-L6-v2-{precision}-{GRAPH_VERSION}"
        graph, tokenizer = cache / f"{self.name}.onnx", cache / "all-MiniLM-L6-v2-tokenizer.json"
        if not _is_built(graph, tokenizer):
            _build(graph, tokenizer, folder=folder, allow_download=allow_download, precision=precision)
        self._pieces = Tokenizer.from_file(str(tokenizer))
        self._pieces.no_padding()
        self._pieces.no_truncation()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised vectors, float32 (len(texts), 384), computed in a worker thread."""
        return await anyio.to_thread.run_sync(self.embed_now, texts)

    def embed_now(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `embed`, in the calling thread."""
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for row, encoding in enumerate(self._pieces.encode_batch_fast(list(texts))):
            ids = np.array(encoding.ids, np.int64)
            if len(ids) > MAX_TOKENS:
                ids = np.append(ids[: MAX_TOKENS - 1], ids[-1])
            vectors[row] = cast("list[NDArray[np.float32]]", self._session.run(None, {"ids": ids}))[0]
        return vectors

    def count(self, text: str) -> int:
        """Word pieces in `text`, [CLS] and [SEP] not counted."""
        return len(self._pieces.encode(text, add_special_tokens=False).ids)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The character span of each word piece of `text`, in order: `text[start:end]`, half-open."""
        return cast("list[tuple[int, int]]", self._pieces.encode(text, add_special_tokens=False).offsets)


def _is_built(graph: Path, tokenizer: Path) -> bool:
    try:
        manifest = cast("dict[str, str]", json.loads(graph.with_suffix(".json").read_text("utf-8")))
        return (
            manifest["weights"] == WEIGHTS_SHA256
            and manifest["graph"] == sha256(graph)
            and sha256(tokenizer) == TOKENIZER_SHA256
        )
    except (OSError, ValueError, KeyError):
        return False


def _build(graph: Path, tokenizer: Path, *, folder: Path | None, allow_download: bool, precision: Precision) -> None:
    files = find_model(folder, allow_download=allow_download)
    files.check()
    model = build_graph(read_tensors(files.weights), precision=precision)
    graph.parent.mkdir(parents=True, exist_ok=True)
    _write(tokenizer, files.tokenizer.read_bytes())
    _write(graph, model.SerializeToString())
    _write(graph.with_suffix(".json"), json.dumps({"weights": WEIGHTS_SHA256, "graph": sha256(graph)}).encode())


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
