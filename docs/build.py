"""Writes what is generated: `python -m docs.build`, or `make docs`.

docs/cli.md comes from the `ken` command itself, docs/openapi.json (which the console's client is made from) from the service; for
docs/guides/opentelemetry.md see `spans.py`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import typer

from docs import spans
from ken.service.app import description

Command = typer.core.TyperCommand | typer.core.TyperGroup
PAGE = Path(__file__).with_name("cli.md")
API = Path(__file__).with_name("openapi.json")
OPENING = "# The `ken` command\n\nWritten by `make docs` from what each command says of itself under `--help`; edit it there.\n"


def ken() -> typer.core.TyperGroup:
    """The `ken` command. Loaded when asked for: a terminal that can't be imported fails its own tests and no others."""
    command = typer.main.get_command(importlib.import_module("ken.cli.main").app)
    if not isinstance(command, typer.core.TyperGroup):
        raise TypeError("`ken` has no commands: ken.cli.main.app is not a group")
    return command


def all_commands(command: Command, name: str = "ken") -> Iterator[tuple[str, Command]]:
    """Every command under its whole name, groups before what is in them."""
    yield name, command
    if isinstance(command, typer.core.TyperGroup):
        for word, inner in sorted(command.commands.items()):
            if isinstance(inner, Command):
                yield from all_commands(inner, f"{name} {word}")


def page(command: Command) -> str:
    """The whole page."""
    return OPENING + "".join(_section(name, inner) for name, inner in all_commands(command))


def api() -> str:
    """The description of the API as it is kept."""
    return json.dumps(description(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _section(name: str, command: Command) -> str:
    rows = [
        f"| `{'`, `'.join((*parameter.opts, *parameter.secondary_opts))}` | {_sentence(getattr(parameter, 'help', None))} |\n"
        for parameter in command.params
    ]
    table = f"\n| argument or option | |\n|---|---|\n{''.join(rows)}" if rows else ""
    return f"\n## `{name}`\n\n{_sentence(command.help)}\n{table}"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(ken()), "utf-8")
    API.write_text(api(), "utf-8")
    spans.write()
    print(f"wrote {PAGE.parent.name}/{PAGE.name}, {API.name} and guides/{spans.PAGE.name}")
