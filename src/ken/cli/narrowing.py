"""Options that narrow a question to some documents; the commands that search have them in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from ken.domain.filters import Filters

_KEY = "ken.filters"


def _keep(context: typer.Context, option: typer.CallbackParam, value: Any) -> Any:  # noqa: ANN401 - whatever was given
    context.meta.setdefault(_KEY, {})[option.name] = value
    return value


def _kept(name: str, text: str) -> Any:  # noqa: ANN401 - what typer makes of it
    return typer.Option(name, help=text, expose_value=False, callback=_keep, show_default=False)


def _options(
    owner: Annotated[list[str] | None, _kept("--owner", "Only documents of this owner; may be repeated.")] = None,
    kind: Annotated[
        list[str] | None, _kept("--type", "Only documents of this type, such as pdf; may be repeated.")
    ] = None,
    *,
    modified_from: Annotated[
        str | None, _kept("--modified-from", "Only what was last changed that day or later.")
    ] = None,
    modified_to: Annotated[
        str | None, _kept("--modified-to", "Only what was last changed that day or earlier.")
    ] = None,
    effective_from: Annotated[
        str | None, _kept("--effective-from", "Only what holds from that day on, or later.")
    ] = None,
    effective_to: Annotated[
        str | None, _kept("--effective-to", "Only what holds from that day on, or earlier.")
    ] = None,
) -> None:
    """Read by typer alone."""


class Narrowing(TyperCommand):
    """A command with these options; `filters_of` says what they were given."""

    def __init__(self, *arguments: Any, **parts: Any) -> None:  # noqa: ANN401 - whatever a command is made of
        super().__init__(*arguments, **parts)
        app = typer.Typer(add_completion=False)
        app.command()(_options)
        command = typer.main.get_command(app)
        self.params.extend(option for option in command.params if not option.expose_value)


def filters_of(context: typer.Context) -> Filters:
    """The filters of the command line. Raises InvalidInput for a type or a date that is none."""
    from ken.domain.filters import Filters  # noqa: PLC0415 - `ken --help` must not wait for it
    from ken.knowledge.filtering import checked  # noqa: PLC0415

    given: dict[str, Any] = context.meta.get(_KEY, {})
    dates = {name: given.get(name) for name in ("modified_from", "modified_to", "effective_from", "effective_to")}
    owners, kinds = (frozenset[str](given.get(name) or ()) for name in ("owner", "kind"))
    return checked(Filters(owners=owners, types=kinds, **dates))
