"""Who asks, and what this Ken is: what the console needs before it shows anything."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter
from pydantic import BaseModel, Field

import ken as product
from ken.operations.simulate.filling import is_simulated
from ken.service.context import Asking, Opened

router = APIRouter(tags=["service"])


class MeShape(BaseModel):
    """The principal of the request, and the home that answers."""

    principal: str
    name: str = Field(description="that the principal's key was given; of the person at this machine, the principal")
    groups: list[str]
    is_operator: bool
    version: str = Field(description="of Ken")
    release: str = Field(description="the id of what answers are made with at present")
    currency: str = Field(description="of the price list; `_micros` are millionths of it")
    model: str = Field(description="that answers where none is asked for")
    models: list[str] = Field(description="that may be asked for")
    simulated: bool = Field(description="the record holds questions that `ken simulate` made up")


@router.get("/api/me", summary="Who am I, and what is this?")
async def me(ken: Opened, principal: Asking) -> MeShape:
    """The principal that the key stands for, or the person at this machine."""
    keys = await anyio.to_thread.run_sync(ken.keys.list)
    return MeShape(
        principal=principal.id,
        name=next((key.name for key in keys if key.id == principal.id), principal.id),
        groups=sorted(principal.groups),
        is_operator=principal.is_operator,
        version=product.__version__,
        release=ken.assistant.parts.release.id,
        currency=ken.providers.stacks.prices.currency,
        model=ken.settings.default_model,
        models=list(ken.model_names),
        simulated=await anyio.to_thread.run_sync(is_simulated, ken.trace_search),
    )
