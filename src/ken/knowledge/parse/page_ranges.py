"""Page numbers as people write them: 1–4, 7, 9–12."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 20
_FEWEST = 3


def page_ranges(pages: Sequence[int]) -> str:
    """Ascending page numbers, with a dash for three and more in a row; `and more` after twenty pages or ranges."""
    ranges: list[list[int]] = []
    for page in pages:
        if ranges and page == ranges[-1][-1] + 1:
            ranges[-1].append(page)
        else:
            ranges.append([page])
    named: list[str] = []
    for each in ranges:
        named.extend([f"{each[0]}–{each[-1]}"] if len(each) >= _FEWEST else map(str, each))
    return ", ".join(named[:_MOST_NAMED]) + (" and more" if len(named) > _MOST_NAMED else "")
