"""Whether an answer is in the language of its question."""

from __future__ import annotations

from functools import lru_cache

from ken.checks.heuristics.answered import Answered, Finding
from ken.checks.heuristics.prose import without_markers, words_of
from ken.checks.heuristics.standards import Standards
from ken.text.function_words import FUNCTION_WORDS
from ken.text.language import UNKNOWN, language_of

_ENOUGH = 500
"""Characters by which a language is told."""
_TELLING = 3
"""Letters of a word that says something of a question's language: `a`, `i` and `go` are words of many."""
_CLEARLY = 2
"""Times as many words of the question's language, in the question, as of the answer's."""


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
    if given == asked or _reads_as(answered.question[:_ENOUGH], given, asked):
        return ""
    return f"is in {given!r}, and the question in {asked!r}"


def _reads_as(question: str, given: str, asked: str) -> bool:
    """Whether a question might as well be in the answer's language: `can i go` has short words of several."""
    words = words_of(question)
    own = words & _function_words(asked)
    if not own:  # told by its script
        return False
    return max(map(len, own)) < _TELLING or len(words & _function_words(given)) * _CLEARLY > len(own)


@lru_cache(maxsize=64)
def _function_words(language: str) -> frozenset[str]:
    return frozenset(FUNCTION_WORDS.get(language, "").split())


@lru_cache(maxsize=1_024)
def _language(text: str) -> str:
    return language_of(text)
