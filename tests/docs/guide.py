"""A guide as its reader follows it: block after block, with the addresses of a server on loopback."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading."""

    toml: str
    commands: tuple[tuple[str, ...], ...]
    """The `ken` commands, without the word `ken`."""
    markdown: str
    shell: str


def section(page: str, heading: str) -> Section:
    """The blocks of a page under a heading."""
    path: Path = PROJECT / page
    found = [block for block in blocks(path) if block.heading == heading]
    text = {
        language: "".join(block.text for block in found if block.language == language)
        for language in ("toml", "sh", "markdown")
    }
    commands = [shlex.split(line)[1:] for line in text["sh"].splitlines() if line.startswith("ken ")]
    return Section(text["toml"], tuple(tuple(each) for each in commands), text["markdown"], text["sh"])
