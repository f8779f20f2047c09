"""Markdown pages as the rules see them: links, headings, blocks of code, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.architecture.tree import files

_COMMAND = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ +)*(?:\.venv/bin/)?(?P<command>(?:make|ken)(?: .*)?)$")
_END = re.compile(r"""^(?P<kept>(?:"[^"]*"|'[^']*'|[^"'])*?)\s(?:[|>&;#]|\d>).*$""")
"""What the shell takes for itself, outside of quotation marks."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code: the language that it names, its text, the heading it stands under."""

    language: str
    text: str
    heading: str
    line: int


def our_pages(root: Path) -> list[Path]:
    """The pages that speak about Ken; the example documents speak about somebody else."""
    return [path for path in files(root, ".md") if "handbook" not in path.parts and "office_sources" not in path.parts]


def tokens(path: Path) -> list[Token]:
    """The Markdown tokens of a page."""
    return MarkdownIt().enable("table").parse(path.read_text("utf-8"))


def blocks(path: Path) -> Iterator[Block]:
    """Every fenced block of a page, from top to bottom."""
    heading = ""
    stream = tokens(path)
    for number, token in enumerate(stream):
        if token.type == "heading_open":
            heading = stream[number + 1].content
        elif token.type == "fence":
            line = token.map[0] + 1 if token.map else 1
            yield Block(token.info.strip(), token.content, heading, line)


def links(path: Path) -> Iterator[str]:
    """The targets of every link and image of a page."""
    for token in tokens(path):
        for part in token.children or []:
            target = part.attrGet("href") or part.attrGet("src")
            if target is not None:
                yield str(target)


def anchors(path: Path) -> set[str]:
    """The fragments that a page's headings can be linked by, as code forges make them."""
    stream = tokens(path)
    titles = [stream[number + 1].content for number, token in enumerate(stream) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def commands(path: Path) -> Iterator[list[str]]:
    """The `make` and `ken` commands of a page, split into words: whole lines of its blocks, and its code in running text."""
    lines = [
        line
        for block in blocks(path)
        if block.language != "text"
        for line in block.text.replace("\\\n", "").splitlines()
    ]
    for token in tokens(path):
        lines += [part.content for part in token.children or [] if part.type == "code_inline"]
    for line in lines:
        if found := _COMMAND.match(line.strip()):
            yield shlex.split(_END.sub(r"\g<kept>", found["command"]))
