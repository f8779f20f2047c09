"""Prompts as files: a name, a version, what it is for, the variables that it declares, and its text.

What is put in for a variable is never looked into again, so that nothing which a person or a document says can become a
part of the template.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import cast

_PLACE = re.compile(r"\{\{([a-z_]+)\}\}")
_FOLDER = resources.files("ken.prompts").joinpath("files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One version of one prompt."""

    name: str
    version: int
    intent: str
    """What it is to bring about, and why it says what it says."""
    variables: frozenset[str]
    text: str

    def __post_init__(self) -> None:
        used = frozenset(_PLACE.findall(self.text))
        if used != self.variables:
            odd = ", ".join(sorted(used ^ self.variables))
            raise ValueError(f"The prompt {self.name!r} declares other variables than it uses: {odd}.")

    @property
    def id(self) -> str:
        """Name, version and the first digits of the text's SHA-256, so that no other text goes by the same id."""
        return f"{self.name}-{self.version} {hashlib.sha256(self.text.encode()).hexdigest()[:8]}"

    @property
    def fixed(self) -> str:
        """The text without its variables: what every prompt made of it costs."""
        return _PLACE.sub("", self.text)

    def render(self, **values: str) -> str:
        """The text with its variables filled in. Raises ValueError for one that is missing, or not declared."""
        odd = sorted(self.variables ^ values.keys())
        if odd:
            raise ValueError(f"The prompt {self.name!r} wants other variables than it was given: {', '.join(odd)}.")
        return _PLACE.sub(lambda place: values[place[1]], self.text)


@lru_cache
def template(name: str) -> Template:
    """The prompt of this name, as shipped."""
    told = tomllib.loads(_FOLDER.joinpath(f"{name}.toml").read_text("utf-8"))
    return Template(
        name=name,
        version=cast("int", told["version"]),
        intent=cast("str", told["intent"]),
        variables=frozenset(cast("list[str]", told["variables"])),
        text=cast("str", told["text"]),
    )


def templates() -> Iterator[Template]:
    """Every prompt that ships, by name."""
    for name in sorted(entry.name for entry in _FOLDER.iterdir() if entry.name.endswith(".toml")):
        yield template(name.removesuffix(".toml"))
