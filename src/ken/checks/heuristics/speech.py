"""Whether an answer is in the language of its question."""

from __future__ import annotations

from functools import lru_cache

from ken.checks.heuristics.answered import Answered, Finding
from ken.checks.heuristics.prose import without_markers
from ken.checks.heuristics.standards import Standards
from ken.text.language import UNKNOWN, language_of

_ENOUGH = 1_200
"""Characters by which the language of an answer is told."""


def language(answered: Answered, standards: Standards) -> Finding:
    """Another language than the question's, where both can be told."""
    _ = standards
    if not answered.is_given or not answered.question:
        return None
    asked = _language(answered.question[:_ENOUGH])
    if asked == UNKNOWN:
        return None
    given = _language(without_markers(answered.text[:_ENOUGH]))
    if given == UNKNOWN:
        return None
    return "" if given == asked else f"is in {given!r}, and the question in {asked!r}"


@lru_cache(maxsize=1_024)
def _language(text: str) -> str:
    return language_of(text)
