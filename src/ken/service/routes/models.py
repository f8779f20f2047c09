"""What a request may name: the assistant, models and tiers, and the embedder."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ken.service.context import Opened
from ken.service.turn import DEFAULT_ROUTE, embedder_names, model_asked
from ken.wiring import Ken

router = APIRouter(tags=["OpenAI-compatible"])

_ANTHROPIC = "anthropic-version"
"""Anthropic's clients send this header with every request."""
_SINCE = "1970-01-01T00:00:00Z"
"""Anthropic's shape wants a date; Ken knows none."""


@router.get("/v1/models", summary="List the models")
async def models(request: Request, ken: Opened) -> dict[str, object]:
    """`ken`, which leaves the choice to Ken, each model and tier by its name, and the embedder.

    In Anthropic's shape where the header `anthropic-version` is there, else in OpenAI's.
    """
    names = [*await _named(ken)]
    if _ANTHROPIC not in request.headers:
        return {"object": "list", "data": [_model(name) for name in names]}
    listed = [_anthropic_model(name) for name in names]
    return {"data": listed, "has_more": False, "first_id": names[0], "last_id": names[-1]}


@router.get("/v1/models/{name:path}", summary="Read one model")
async def model(name: str, request: Request, ken: Opened) -> dict[str, object]:
    """One model, or OpenAI's `model_not_found`."""
    if name not in await _named(ken):
        model_asked(ken, name)
    return _anthropic_model(name) if _ANTHROPIC in request.headers else _model(name)


async def _named(ken: Ken) -> tuple[str, ...]:
    return tuple(dict.fromkeys((DEFAULT_ROUTE, *ken.model_names, *await embedder_names(ken))))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "ken"}


def _anthropic_model(name: str) -> dict[str, object]:
    return {"type": "model", "id": name, "display_name": name, "created_at": _SINCE}
