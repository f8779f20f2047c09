"""Whether what an answer says about its sources is true of them: their titles, dates, owners, and that they disagree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ken.domain.conflict import Disagreement
from ken.domain.document import Evidence
from ken.domain.standing import Standing
from ken.text.labels import place_words
from ken.text.tokens import STOP_WORDS, stem, words

_LONGEST = 250
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2} [A-Z][a-z]+ \d{4}")
_DENIAL = re.compile(r"\b(?:not|no|never|neither|nor|isn't|wasn't|without)\b|n['’]t\b", re.IGNORECASE)
_DISAGREE = re.compile(
    r"(?:note(?: that)?:? |however,? |but )?(?:(?:the|these|your|our|two|both|of) ){0,3}"
    r"(?:documents?|passages?|sources?|pages?|polic(?:y|ies)|guides?|rules?)(?: here)?"
    r" (?:disagree|conflict|differ|contradict (?:each other|one another)|say different things|give different (?:\w+))"
    r"(?: (?:here|with each other))?(?: (?:on|about|as to|over|regarding) (?P<topic>[^.:]{1,120}))?[.:]?",
    re.IGNORECASE,
)


def is_said_of(head: str, item: Evidence, *, standing: Standing) -> bool:
    """Whether a head ("“Expenses” (as of 1 May 2025, Finance)") says nothing but what is known of that source."""
    if len(head) > _LONGEST or _DENIAL.search(head):
        return False
    known = f"{place_words(item.document, standing)} {' '.join(item.passage.heading_path)}"
    said = _content(head)
    return bool(said) and said <= _content(known) and all(date in known for date in _DATE.findall(head))


def is_said_of_conflict(text: str, found: Sequence[Disagreement]) -> bool:
    """Whether a sentence says no more than that the documents disagree, and they do."""
    match = _DISAGREE.fullmatch(text.strip()) if found else None
    if match is None:
        return False
    topic = _content(match["topic"] or "")
    return any(
        topic
        <= _content(
            " ".join(part for side in (each.first, each.second) for part in (side.title, *side.headings, side.text))
        )
        for each in found
    )


@lru_cache(maxsize=2_048)
def _content(text: str) -> frozenset[str]:
    lower = (word.lower() for word in words(text))
    return frozenset(stem(word) for word in lower if word not in STOP_WORDS)
