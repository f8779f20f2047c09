"""An embedder behind an OpenAI-compatible endpoint (OpenAI, Azure, vLLM, Ollama, llama.cpp, TEI): wire mapping only.

The wire: OpenAI's "Create embeddings", `POST /embeddings` with `input` a list of texts; `data` comes back, each with its
`index` and its `embedding`, a list of numbers or base64 of little-endian float32, and `usage`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.domain.usage import Usage
from ken.errors import ModelInterrupted, ModelRefused
from ken.models.connections import Connections
from ken.models.embedding import EmbedDelta, EmbedderEndpoint, EmbedRequest
from ken.models.json_endpoint import JsonEndpoint
from ken.models.openai_answer import called, tokens
from ken.models.refusal import member
from ken.models.wire import Address

_MALFORMED = {400, 422}
_TINY = 1e-12


class EndpointEmbeddings:
    """Texts to vectors of unit length, in one attempt: a dependency of the gateway (`gateway/seam.py`)."""

    def __init__(self, endpoint: EmbedderEndpoint, *, connections: Connections | None = None) -> None:
        self.name: str = endpoint.model
        self._endpoint = endpoint
        address = Address(
            what=f"The embedder {endpoint.model!r}",
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            key_header="api-key" if endpoint.is_azure else "Authorization",
            api_version=endpoint.api_version,
        )
        self._json = JsonEndpoint(address, endpoint.timeout_s, connections=connections)
        self._takes_format = True

    async def aclose(self) -> None:
        """Close the connections."""
        await self._json.aclose()

    async def stream(self, request: EmbedRequest) -> AsyncGenerator[EmbedDelta]:
        """Yield the vectors, all at once. Raises ModelUnavailable, ModelRefused, ModelInterrupted."""
        try:
            answer = await self._json.post("/embeddings", self._body(request), deadline=request.deadline)
        except ModelRefused as refused:
            is_about_format = refused.status in _MALFORMED and "encoding_format" in str(refused)
            if not is_about_format or not self._takes_format:
                raise
            self._takes_format = False
            answer = await self._json.post("/embeddings", self._body(request), deadline=request.deadline)
        yield EmbedDelta(self._read(answer, len(request.texts)), read_usage(answer), called(member(answer, "model")))

    def _body(self, request: EmbedRequest) -> dict[str, object]:
        body: dict[str, object] = {"model": self._endpoint.model, "input": request.texts}
        if self._takes_format:
            body["encoding_format"] = "base64"  # a quarter of the bytes
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        return body

    def _read(self, answer: object, count: int) -> NDArray[np.float32]:
        try:
            data = cast("list[dict[str, object]]", cast("dict[str, object]", answer)["data"])
            found = {
                cast("int", each.get("index", place)): _vector(each["embedding"]) for place, each in enumerate(data)
            }
        except (ValueError, LookupError, TypeError, AttributeError, binascii.Error) as error:
            raise ModelInterrupted(
                self._json.says("did not answer with vectors", "Look at what serves there")
            ) from error
        if found.keys() != set(range(count)) or len(data) != count:
            what = f"was sent {count} texts and answered with {len(data)} vectors"
            raise ModelInterrupted(
                self._json.says(what, "Lower `batch_size` in [embedder], or look at what serves there")
            )
        if len({len(vector) for vector in found.values()}) != 1:
            raise ModelInterrupted(self._json.says("gave vectors of several lengths", "Look at what serves there"))
        vectors = np.stack([found[place] for place in range(count)])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or (lengths < _TINY).any():
            raise ModelInterrupted(self._json.says("gave a vector that points nowhere", "Look at what serves there"))
        return np.asarray(vectors / lengths, np.float32)


def read_usage(answer: object) -> Usage | None:
    """What the endpoint says that it has read; None where it doesn't say."""
    told = member(answer, "usage")
    for name in ("prompt_tokens", "total_tokens"):
        read = tokens(told, name)
        if read is not None:
            return Usage(read)
    return None


def _vector(told: object) -> NDArray[np.float32]:
    """One embedding as sent; float64 numbers that float32 can't hold become infinite, and are refused with NaN."""
    if isinstance(told, str):
        return np.frombuffer(base64.b64decode(told, validate=True), dtype="<f4").astype(np.float32)
    with np.errstate(over="ignore"):
        vector = np.array(cast("list[float]", told), dtype=np.float64).astype(np.float32)
    if vector.ndim != 1:
        raise ValueError(vector.ndim)
    return vector
