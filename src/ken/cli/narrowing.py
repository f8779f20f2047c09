"""Options that narrow a question to some documents; the commands that search have them in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

if TYPE_CHECKING:
    from ken.domain.filters import Filters

_KEY = "ken.filters"
_LISTS = (
    ("owner", "Look only in documents of this owner; may be given more than once."),
    ("type", "Look only in documents of this type, such as pdf; may be given more than once."),
)
_DATES = (
    ("modified-from", "Look only in documents last changed on that day or later: 2026-01-31."),
    ("modified-to", "... or earlier."),
    ("effective-from", "Look only in documents that hold from that day or a later one on."),
    ("effective-to", "... or an earlier one."),
)


class Narrowing(TyperCommand):
    """A command with these options. `filters_of` says what they were given."""

    def __init__(self, *arguments: Any, **parts: Any) -> None:  # noqa: ANN401 - whatever a command is made of
        super().__init__(*arguments, **parts)
        options = [TyperOption(param_decls=[f"--{name}"], multiple=True, help=text, **_KEPT) for name, text in _LISTS]
        options += [TyperOption(param_decls=[f"--{name}"], help=text, **_KEPT) for name, text in _DATES]
        self.params.extend(options)


def filters_of(context: typer.Context) -> Filters:
    """The filters of the command line. Raises InvalidInput for a type or a date that is none."""
    from ken.domain.filters import Filters  # noqa: PLC0415 - `ken --help` must not wait for it
    from ken.knowledge.filtering import checked  # noqa: PLC0415

    given: dict[str, Any] = context.meta.get(_KEY, {})
    dates = {name: given.get(name) for name in ("modified_from", "modified_to", "effective_from", "effective_to")}
    return checked(Filters(owners=frozenset(given.get("owner", ())), types=frozenset(given.get("type", ())), **dates))


def _keep(context: typer.Context, option: TyperOption, value: object) -> object:
    context.meta.setdefault(_KEY, {})[option.name] = value
    return value


_KEPT: dict[str, Any] = {"expose_value": False, "callback": _keep, "type": str}
