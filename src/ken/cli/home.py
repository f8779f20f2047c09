# ruff: noqa: PLC0415 - what opens a home takes half a second to import; `ken --help` must not wait for it
"""The home that a command works on, and its opening and closing around the command's work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ken.errors import InvalidInput, KenError

if TYPE_CHECKING:
    from ken.settings import Secret, Settings
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


def settings_of(
    context: typer.Context, home: Path | None, *, secrets: Collection[Secret] = (), **flags: object
) -> Settings:
    """The settings of the home that was named after the command, before it, or nowhere.

    `secrets` are those that the command can't do without. Raises InvalidSetting.
    """
    from ken.settings import load

    return load(home or context.obj.home, secrets=secrets, **flags)


def settings_there(context: typer.Context, home: Path | None, *, secrets: Collection[Secret] = ()) -> Settings:
    """The settings of a home that is there already: a slip in its name must not make another. Raises InvalidInput."""
    from ken.storage.sqlite import FILE_NAME

    settings = settings_of(context, home, secrets=secrets)
    if settings.database_url is None and not (settings.home / FILE_NAME).is_file():
        raise InvalidInput(
            f"There is no home at {str(settings.home)!r}: it holds no {FILE_NAME!r}. Name another one with `--home`, or make "
            "one: ken sync FOLDER --collection NAME"
        )
    return settings


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
        place = load(Path(named[-1]) if named else None, secrets=()).home
    except KenError:
        place = Path(named[-1] if named else Settings.model_fields["home"].default).expanduser()
    return log_of(place)
