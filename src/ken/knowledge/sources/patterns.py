"""Which paths of a source are wanted: patterns in the manner of .gitignore files."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

from ken.errors import InvalidInput

_LONGEST = 500

_Pattern = tuple[re.Pattern[str] | None, ...]
"""One expression for each part of the path; None for any number of parts."""


class PathPatterns:
    """`include` and `exclude` patterns over paths with `/` between their parts.

    `*` and `?` stay within a part, `**` stands for any number of parts, `[...]` for one of some characters; a pattern that
    matches a folder matches all below it. Nothing in `include` means everything. Raises InvalidInput for an empty pattern,
    one over 500 characters, and one that begins with `/` or leads up.
    """

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        self._include = tuple(_compiled(pattern) for pattern in include)
        self._exclude = tuple(_compiled(pattern) for pattern in exclude)

    def admit(self, path: str) -> bool:
        """Whether the path is wanted."""
        parts = path.split("/")
        if self._include and not any(_matches(pattern, parts) for pattern in self._include):
            return False
        return not any(_matches(pattern, parts) for pattern in self._exclude)


def _compiled(pattern: str) -> _Pattern:
    if not pattern.strip("/ ") or len(pattern) > _LONGEST or pattern.startswith("/") or ".." in pattern.split("/"):
        raise InvalidInput(
            f"{pattern[:_LONGEST]!r} is no pattern of paths: write it from the source's own top, as in 'guides/**/*.md'."
        )
    parts = pattern.rstrip("/").split("/")
    if parts[-1] == "**":
        parts[-1] = "*"  # what lies below is matched with it
    return tuple(None if part == "**" else re.compile(fnmatch.translate(part)) for part in parts)


def _matches(pattern: _Pattern, parts: list[str]) -> bool:
    """Whether the pattern matches the path or a folder above it: all ways at once, so that no path takes long."""
    reached = _passed_over(pattern, {0})
    for part in parts:
        after: set[int] = set()
        for place in reached:
            expression = pattern[place]
            if expression is None:
                after.add(place)
            elif expression.match(part):
                after.add(place + 1)
        reached = _passed_over(pattern, after)
        if len(pattern) in reached:
            return True
    return False


def _passed_over(pattern: _Pattern, places: set[int]) -> set[int]:
    """`places`, and those behind each `**` among them, which may stand for nothing."""
    for place in sorted(places):
        following = place
        while following < len(pattern) and pattern[following] is None:
            following += 1
            places.add(following)
    return places
