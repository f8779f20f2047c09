"""The models that a question may name."""

from __future__ import annotations

from fastapi import APIRouter

from ken.service.context import Opened
from ken.service.turn import DEFAULT_ROUTE, model_asked

router = APIRouter(tags=["OpenAI-compatible"])


@router.get("/v1/models", summary="List the models")
async def models(ken: Opened) -> dict[str, object]:
    """`ken`, which leaves the choice to Ken, and each model by its name."""
    return {"object": "list", "data": [_model(name) for name in (DEFAULT_ROUTE, *ken.model_names)]}


@router.get("/v1/models/{name:path}", summary="Read one model")
async def model(name: str, ken: Opened) -> dict[str, object]:
    """One model, or OpenAI's `model_not_found`."""
    model_asked(ken, name)
    return _model(name)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "ken"}
