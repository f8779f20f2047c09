"""The door that OpenAI's clients know, for embeddings: vectors of Ken's own embedder."""

from __future__ import annotations

import base64
from functools import partial
from typing import Annotated, Literal, cast

import anyio.to_thread
import numpy as np
from fastapi import APIRouter, Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ken.domain.principal import Principal
from ken.errors import InvalidInput, NotFound
from ken.gateway.plain import Passed
from ken.models.protocols import Embedder
from ken.service.event_stream import json_bytes, until_hang_up
from ken.service.json_body import json_object, validated
from ken.service.passing import deadline_of, is_offline, plain_headers
from ken.service.turn import embedder_names, is_test, origin_of
from ken.wiring import Ken

router = APIRouter(tags=["OpenAI-compatible"])

MOST_TEXTS = 2_048
Input = Annotated[str, StringConstraints(min_length=1)]


class EmbeddingsBody(BaseModel):
    """What is to be embedded, and how the vectors are written."""

    model_config = ConfigDict(strict=True, extra="allow")

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    input: Input | Annotated[list[Input], Field(min_length=1, max_length=MOST_TEXTS)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    """Refused unless it is the embedder's own: its vectors can't be cut."""
    user: str | None = None


@router.post(
    "/v1/embeddings",
    summary="Embed as an OpenAI client does",
    response_model=None,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": EmbeddingsBody.model_json_schema()}},
        }
    },
)
async def embed(request: Request) -> Response:
    """L2-normalised vectors, in the order of the texts; a text that is longer than the embedder's window is cut."""
    ken = cast("Ken", request.app.state.ken)
    body = validated(EmbeddingsBody, await json_object(request))
    embedder = (await ken.library.corpus()).embedder
    await _check(body, ken, embedder)
    passed = Passed(await origin_of(request, ken), is_test=is_test(request))
    principal = cast("Principal", request.state.principal)
    texts = [body.input] if isinstance(body.input, str) else body.input
    work = ken.plain.embed(
        embedder,
        texts,
        principal=principal,
        passed=passed,
        deadline=deadline_of(request),
        is_offline=is_offline(request),
    )
    vectors = await until_hang_up(request.receive, work)
    if vectors is None:
        return Response()
    used = passed.usage.input_tokens
    data = await anyio.to_thread.run_sync(partial(_written, body, texts, vectors=vectors, ken=ken, used=used))
    return Response(data, media_type="application/json", headers=plain_headers(passed.trace_id))


def _written(body: EmbeddingsBody, texts: list[str], *, vectors: NDArray[np.float32], ken: Ken, used: int) -> bytes:
    """The answer's body; of many vectors it takes a while. What nobody counted is counted here."""
    written = _as_base64 if body.encoding_format == "base64" else _as_numbers
    told = used or sum(map(ken.library.ingest.tokens.count, texts))
    return json_bytes(
        {
            "object": "list",
            "model": body.model,
            "data": [
                {"object": "embedding", "index": place, "embedding": written(vector)}
                for place, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": told, "total_tokens": told},
        }
    )


async def _check(body: EmbeddingsBody, ken: Ken, embedder: Embedder) -> None:
    names = await embedder_names(ken)
    if body.model not in names:
        known = ", ".join(repr(name) for name in names)
        raise NotFound(f"There is no embedder {body.model!r} here. There are: {known}.", param="model")
    if body.dimensions not in {None, embedder.dimensions}:
        raise InvalidInput(
            f"The embedder's vectors have {embedder.dimensions} numbers and can't have {body.dimensions}. "
            "Leave `dimensions` out.",
            param="dimensions",
        )


def _as_base64(vector: NDArray[np.float32]) -> str:
    """Little-endian float32, as OpenAI writes it."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _as_numbers(vector: NDArray[np.float32]) -> list[float]:
    return [float(number) for number in vector]
