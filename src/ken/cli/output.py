"""What a command prints: data on stdout, everything else on stderr."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ken.errors import InvalidInput
from ken.text.normalise import printable

_SPACES = re.compile(r"([ \t\n]+)")


def speak_any_text() -> None:
    """Replace what the terminal's encoding lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str = "", *, end: str = "\n") -> None:
    """Print data."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def tell(text: str = "") -> None:
    """Print what goes with the data, to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(message: str) -> None:
    """Print an error: one plain line."""
    tell(f"ken: {shown(' '.join(message.split()), to_terminal=True)}")


def say_json(value: object) -> None:
    """Print a domain value as JSON."""
    say(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def write_file(file: Path, text: str) -> None:
    """Write what a command was told to write. Raises InvalidInput where that can't be done."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} can't be written: {error.strerror}. Name another file.") from error


def shown(text: str, *, to_terminal: bool) -> str:
    """The text as it is, or without what could steer a terminal: line breaks and blanks stay."""
    if not to_terminal:
        return text
    return "".join(piece if _SPACES.fullmatch(piece) else printable(piece) for piece in _SPACES.split(text) if piece)


def say_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows: in columns for a person, tab-separated for a program."""
    lines = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in lines:
            say("\t".join(line))
        return
    widths = [max(len(line[column]) for line in [list(head), *lines]) for column in range(len(head))]
    for line in [list(head), *lines]:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(value: object) -> object:
    """A domain value as JSON knows it: fields by name, sets in order."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, set | frozenset):
        return sorted(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
