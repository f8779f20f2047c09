"""Which category a question belongs to: the operator's tables first, then what asks for the present moment, then the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from ken.domain.cached import Category

GENERAL = "general"
"""Where everything belongs that belongs nowhere else."""
FRESH = "fresh"
"""Questions whose answer may be another one a minute later: never cached."""

_FRESH = re.compile(
    r"\b(?:right now|just now|now|at (?:the|this) (?:moment|minute)|at present|presently|currently|as we speak|so far today"
    r"|today|tonight|tomorrow|yesterday|this (?:morning|afternoon|evening|week|weekend|hour|minute)"
    r"|(?:last|past) (?:hour|night|few minutes)"
    r"|up[- ]to[- ]the[- ]minute|real[- ]?time|latest|newest|most recent(?:ly)?|current(?: \w+)? (?:status|state|situation|incident|outage"
    r"|version|price|rate|balance|headcount|on[- ]call)s?|status of|what(?:'s| is) the status|on[- ]call"
    r"|(?:is|are) (?:\w+ ){1,4}(?:down|up|offline|online|back|broken|running|available|working)(?: again| yet| now)?(?=[?!. ]*$)"
    r"|(?:has|have) (?:\w+ ){1,4}(?:yet|already)(?=[?!. ]*$))\b",
    re.IGNORECASE,
)
# "On-call pay", "the on-call policy": a rule of the documents, and who is on call tonight is none.
_OF_A_RULE = re.compile(
    r"\bon[- ]call (?:\w+ )?(?:pay|allowance|compensation|polic(?:y|ies)|rules?|bonus|rate|hours?|shifts?|rotas?|duty|duties|payments?"
    r"|engineers?|work|handbook|process|procedure)\b(?!.*\b(?:now|today|tonight|this week)\b)"
    r"|\b(?:from|until|till|by|for) now on\b|\bstatus (?:page|codes?|report)\b",
    re.IGNORECASE,
)


def built_in(*, threshold: float, ttl_s: float) -> tuple[Category, ...]:
    """The two categories that there always are, the more particular first."""
    return (
        Category(name=FRESH, cache=False, threshold=threshold, ttl_s=ttl_s),
        Category(name=GENERAL, threshold=threshold, ttl_s=ttl_s),
    )


BUILT_IN = built_in(threshold=Category(name=GENERAL).threshold, ttl_s=Category(name=GENERAL).ttl_s)


def category_of(text: str, collections: Collection[str] | None, *, categories: Sequence[Category]) -> str:
    """The name of the first category, in their order, that a question belongs to."""
    for category in categories:
        if category.words and _pattern(category.words).search(text):
            return category.name
        if category.collections and collections and category.collections.issuperset(collections):
            return category.name
        if category.name == FRESH and _FRESH.search(_OF_A_RULE.sub(" ", text)):
            return FRESH
    return GENERAL


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these words or phrases, whole, whatever blanks stand between."""
    spelled = (r"\s+".join(re.escape(part) for part in phrase.split()) for phrase in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spelled)})(?!\w)", re.IGNORECASE)
