"""The `ken` command as the rules see it: its commands, and the options of each."""

from __future__ import annotations

from dataclasses import dataclass

import typer
from docs.build import Command
from docs.build import ken as built

Options = dict[str, bool]
"""Each option by the way it is written, and whether a value follows it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A command that has commands."""

    options: Options
    commands: dict[str, Group | Options]


def ken() -> Group:
    """What the installed `ken` offers."""
    return _group(built())


def fault(group: Group, words: list[str]) -> str | None:
    """What `ken` would refuse in these words, or None. Arguments are taken as they come."""
    place: Group | Options = group
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        options = place.options if isinstance(place, Group) else place
        if word == "--":
            return None
        if word.startswith("-") and word != "-":
            option, _, value = word.partition("=")
            if option not in {**options, "--help": False}:
                return f"no option {option!r}"
            if options.get(option) and not value and waiting:
                waiting.pop(0)
        elif isinstance(place, Group):
            if word not in place.commands:
                return f"no command {word!r}"
            place = place.commands[word]
    return None


def _group(group: typer.core.TyperGroup) -> Group:
    commands = {
        name: _group(command) if isinstance(command, typer.core.TyperGroup) else _options(command)
        for name, command in group.commands.items()
        if isinstance(command, Command)
    }
    return Group(_options(group), commands)


def _options(command: Command) -> Options:
    return {
        written: not getattr(parameter, "is_flag", False)
        for parameter in command.params
        for written in (*parameter.opts, *parameter.secondary_opts)
        if written.startswith("-")
    }
