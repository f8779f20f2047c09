"""An embedder behind an OpenAI-compatible endpoint (OpenAI, vLLM, Ollama, llama.cpp, TEI): wire mapping only.

The wire: OpenAI's "Create embeddings", `POST /embeddings` with `input` a list of texts; `data` comes back, each with its
`index` and its `embedding`, a list of numbers or base64 of little-endian float32.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import anyio
import numpy as np
from numpy.typing import NDArray

from ken.errors import EmbedderChanged, ModelInterrupted, ModelRefused
from ken.models.json_endpoint import Address, JsonEndpoint
from ken.models.protocols import TokenCounter

_AT_ONCE = 4
"""Requests of one call that are under way together."""
_WHOLE = 0.9
"""Of the endpoint's window: its tokenizer is another one than the one that texts are measured with here."""
_MALFORMED = {400, 422}
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderEndpoint:
    """Where the embedder is, what it is told, and how long to wait for it. Times in seconds."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    dimensions: int | None = None
    """Asked for where set; a model that was trained for it then gives shorter vectors."""
    revision: str = ""
    """Tells two models of one name apart."""
    query_prefix: str = ""
    passage_prefix: str = ""
    batch_size: int = 64
    max_tokens: int = 512
    """The endpoint's window; a longer text is cut."""
    question_s: float = 10.0
    """For a question, every try together."""
    timeout_s: float = 60.0
    """For one batch of passages, one try."""
    patience_s: float = 600.0
    """For one batch of passages, every try together."""

    @property
    def name(self) -> str:
        """Of the vector space. The address is no part of it: a model may move to another machine."""
        parts = ["endpoint", self.model]
        parts += [f"dimensions={self.dimensions}"] if self.dimensions else []
        parts += [f"revision={self.revision}"] if self.revision else []
        if self.passage_prefix:
            parts.append(f"prefix={hashlib.sha256(self.passage_prefix.encode()).hexdigest()[:8]}")
        return " ".join(parts)


class EndpointEmbedder:
    """An Embedder behind an endpoint, which gives no vectors of single tokens and therefore none of parts of a text.

    `dimensions` is the length of its vectors, as `measured` found it. `tokens` measures texts for the endpoint's window: an
    estimate, since the endpoint has a tokenizer of its own.
    """

    def __init__(self, endpoint: EmbedderEndpoint, dimensions: int, *, tokens: TokenCounter) -> None:
        self.name: str = endpoint.name
        self.dimensions: int = dimensions
        self._endpoint = endpoint
        self._tokens = tokens
        self._wire = _Wire(endpoint)

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return self._endpoint.base_url

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """L2-normalised vectors of passages: float32 (len(texts), dimensions).

        Raises ModelUnavailable, ModelRefused, ModelInterrupted, EmbedderChanged (vectors of another length).
        """
        endpoint = self._endpoint
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        limit = anyio.CapacityLimiter(_AT_ONCE)

        async def take(first: int) -> None:
            batch = [self._fitted(text, endpoint.passage_prefix) for text in texts[first : first + endpoint.batch_size]]
            async with limit:
                found = await self._wire.vectors(batch, patience_s=endpoint.patience_s, attempt_s=endpoint.timeout_s)
            vectors[first : first + len(batch)] = self._checked(found)

        try:
            async with anyio.create_task_group() as tasks:
                for first in range(0, len(texts), endpoint.batch_size):
                    tasks.start_soon(take, first)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None  # the others follow from it, or are like it
        return vectors

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """The L2-normalised vector of a question: float32 (dimensions,). Raises as `embed` does."""
        endpoint = self._endpoint
        asked = [self._fitted(text, endpoint.query_prefix)]
        found = await self._wire.vectors(asked, patience_s=endpoint.question_s, attempt_s=endpoint.question_s)
        return self._checked(found)[0]

    def _fitted(self, text: str, prefix: str) -> str:
        """A text with its prefix, cut to the endpoint's window; an empty one, which some refuse, becomes a blank."""
        whole = f"{prefix}{text}".encode("utf-8", "replace").decode("utf-8") or " "
        room = max(1, int(self._endpoint.max_tokens * _WHOLE))
        if len(whole) <= room:
            return whole
        offsets = self._tokens.offsets(whole)
        return whole if len(offsets) <= room else whole[: offsets[room - 1][1]]

    def _checked(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if vectors.shape[1] != self.dimensions:
            what = f"gives vectors of {vectors.shape[1]} numbers, where those of the documents have {self.dimensions}"
            raise EmbedderChanged(
                self._wire.says(
                    what, "Put the former model back, or name the new one: another `model` or `revision` in [embedder]"
                )
            )
        return vectors


async def measured(endpoint: EmbedderEndpoint, text: str) -> NDArray[np.float32]:
    """The vector of a passage, which shows how long vectors are: float32 (dimensions,). Raises as `embed` does."""
    wire = _Wire(endpoint)
    try:
        asked = [f"{endpoint.passage_prefix}{text}"]
        return (await wire.vectors(asked, patience_s=endpoint.question_s, attempt_s=endpoint.question_s))[0]
    finally:
        await wire.aclose()


class _Wire:
    """Texts to vectors, one request at a time."""

    def __init__(self, endpoint: EmbedderEndpoint) -> None:
        self._endpoint = endpoint
        address = Address(what=f"The embedder {endpoint.model!r}", base_url=endpoint.base_url, api_key=endpoint.api_key)
        self._json = JsonEndpoint(address)
        self.says = self._json.says
        self.aclose = self._json.aclose
        self._takes_format = True

    async def vectors(self, texts: list[str], *, patience_s: float, attempt_s: float) -> NDArray[np.float32]:
        """Shape (len(texts), whatever the endpoint gives), of unit length, in the order of the texts."""
        try:
            answer = await self._json.post("/embeddings", self._body(texts), patience_s=patience_s, attempt_s=attempt_s)
        except ModelRefused as refused:
            is_about_format = refused.status in _MALFORMED and "encoding_format" in str(refused)
            if not is_about_format or not self._takes_format:
                raise
            self._takes_format = False
            answer = await self._json.post("/embeddings", self._body(texts), patience_s=patience_s, attempt_s=attempt_s)
        return self._read(answer, len(texts))

    def _body(self, texts: list[str]) -> dict[str, object]:
        body: dict[str, object] = {"model": self._endpoint.model, "input": texts}
        if self._takes_format:
            body["encoding_format"] = "base64"  # a quarter of the bytes
        if self._endpoint.dimensions is not None:
            body["dimensions"] = self._endpoint.dimensions
        return body

    def _read(self, answer: object, count: int) -> NDArray[np.float32]:
        try:
            data = cast("list[dict[str, object]]", cast("dict[str, object]", answer)["data"])
            found = {
                cast("int", each.get("index", place)): _vector(each["embedding"]) for place, each in enumerate(data)
            }
        except (ValueError, LookupError, TypeError, AttributeError, binascii.Error) as error:
            raise ModelInterrupted(self.says("did not answer with vectors", "Look at what serves there")) from error
        if found.keys() != set(range(count)) or len(data) != count:
            what = f"was sent {count} texts and answered with {len(data)} vectors"
            raise ModelInterrupted(self.says(what, "Lower `batch_size` in [embedder], or look at what serves there"))
        if len({len(vector) for vector in found.values()}) != 1:
            raise ModelInterrupted(self.says("gave vectors of several lengths", "Look at what serves there"))
        vectors = np.stack([found[place] for place in range(count)])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or (lengths < _TINY).any():
            raise ModelInterrupted(self.says("gave a vector that points nowhere", "Look at what serves there"))
        return np.asarray(vectors / lengths, np.float32)


def _vector(told: object) -> NDArray[np.float32]:
    """One embedding as sent; float64 numbers that float32 can't hold become infinite, and are refused with NaN."""
    if isinstance(told, str):
        return np.frombuffer(base64.b64decode(told, validate=True), dtype="<f4").astype(np.float32)
    with np.errstate(over="ignore"):
        vector = np.array(cast("list[float]", told), dtype=np.float64).astype(np.float32)
    if vector.ndim != 1:
        raise ValueError(vector.ndim)
    return vector
