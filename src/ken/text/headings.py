"""Which headings a place inside a passage stands under."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ken.text.markup import plain

_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)


def headings_at(text: str, path: Sequence[str], *, at: int) -> tuple[str, ...]:
    """The headings above `text[at]`, outermost first. `path`: those above the start of `text`, which is Markdown or plain.

    A heading inside the text of level n takes the place of the n-th heading of the path and of all below it.
    """
    found = tuple(path)
    for match in _HEADING.finditer(text, 0, max(0, at)):
        words, _, closing = match[2].rstrip().rpartition(" ")
        title = plain(words if closing and not closing.strip("#") else match[2], "markdown")
        if not found or found[-1] != title:  # a passage may begin with the heading that its path ends in
            found = (*found[: len(match[1]) - 1], title)
    return found
