# ruff: noqa: PLC0415 - what opens a home takes half a second to import; `ken --help` must not wait for it
"""The home that a command works on, and its opening and closing around the command's work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ken.errors import KenError

if TYPE_CHECKING:
    from ken.settings import Settings
    from ken.wiring import Ken

T = TypeVar("T")

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The folder of everything that Ken keeps [default: $KEN_HOME or ~/.ken]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Shared:
    """What stood before the command."""

    home: Path | None


def settings_of(context: typer.Context, home: Path | None, **flags: object) -> Settings:
    """The settings of the home that was named after the command, before it, or nowhere. Raises InvalidSetting."""
    from ken.settings import load

    return load(home or context.obj.home, **flags)


def in_home(settings: Settings, work: Callable[[Ken], Awaitable[T]]) -> T:
    """Open the home, do the work, close the home."""
    from ken.cli.log import log_to
    from ken.wiring import open_home

    log_to(settings.home, policy=settings.capture.redact)

    async def run() -> T:
        ken = await open_home(_told_apart(settings))
        try:
            return await work(ken)
        finally:
            await ken.aclose()

    return asyncio.run(run())


def _told_apart(settings: Settings) -> Settings:
    """What a command prints is its data: events that go to standard output are a server's."""
    if settings.capture.events != "stdout":
        return settings
    return settings.model_copy(update={"capture": settings.capture.model_copy(update={"events": "off"})})


def log_file(arguments: Sequence[str]) -> Path:
    """Where the log of the home lies, as far as the bare arguments tell: it is needed when all else has failed."""
    from ken.cli.log import log_of
    from ken.settings import Settings, load

    named = [value for flag, value in pairwise(arguments) if flag == "--home"]
    named += [argument.removeprefix("--home=") for argument in arguments if argument.startswith("--home=")]
    try:
        place = load(Path(named[-1]) if named else None).home
    except KenError:
        place = Path(named[-1] if named else Settings.model_fields["home"].default).expanduser()
    return log_of(place)
