"""The settings in force, as the file, the environment and the command line made them. Operators only; nothing is changed here."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from fastapi import APIRouter
from pydantic import Field

from ken.effective import Origin, in_force
from ken.service.context import Opened, Operating
from ken.service.shapes import Shape

router = APIRouter(tags=["service"])


class SettingShape(Shape):
    """One setting; docs/settings.md says what each is."""

    name: str = Field(description="dotted, tables by their names: `gateway.retries`, `models.gpt.base_url`")
    value: Any = Field(
        description="of a secret: `set` or `not set`; of a variable that holds one: its name, and which of these"
    )
    default: Any
    origin: Origin
    variable: str | None = Field(description="the environment variable that gave it, or would")
    line: int | None = Field(description="of ken.toml, as this Ken read it")
    is_secret: bool
    is_live: bool = Field(
        description="a running Ken follows a change of it; what else changes, it reads when it starts"
    )


class SettingsShape(Shape):
    """All of them, in the order of docs/settings.md."""

    file: str = Field(description="where ken.toml lies, or would")
    is_there: bool
    has_changed: bool = Field(description="since this Ken read it")
    settings: tuple[SettingShape, ...]


@router.get("/api/settings", summary="Which settings are in force, and where is each from?")
async def effective(ken: Opened, principal: Operating) -> SettingsShape:
    """Secrets are told as set or not set. Operators only."""
    _ = principal
    return SettingsShape.model_validate(await anyio.to_thread.run_sync(in_force, ken.settings))
