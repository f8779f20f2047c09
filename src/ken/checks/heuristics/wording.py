"""Phrases that don't belong into an answer: hedges, refusals, and what is forbidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from ken.checks.heuristics.answered import Answered, Finding
from ken.checks.heuristics.prose import WORD, Span, folded, is_spoken, sentence_at, words_of
from ken.checks.heuristics.standards import SHIPPED_PHRASES, Standards

HEDGES = (
    "i think",
    "i believe",
    "i guess",
    "i suppose",
    "i assume",
    "i'd guess",
    "i would guess",
    "i'm not sure",
    "i am not sure",
    "i'm unsure",
    "i'm not certain",
    "i am not certain",
    "i'm not entirely sure",
    "i'm fairly sure",
    "i'm pretty sure",
    "as far as i know",
    "as far as i can tell",
    "to my knowledge",
    "to the best of my knowledge",
    "in my opinion",
    "it seems to me",
    "if i recall",
    "if i remember correctly",
    "ich glaube",
    "ich denke",
    "ich bin mir nicht sicher",
    "meines wissens",
    "je pense",
    "je crois",
    "je ne suis pas sûr",
    "à ma connaissance",
    "creo que",
    "no estoy seguro",
    "que yo sepa",
)
"""A model's own doubt: what the documents leave open they say themselves ("may", "usually"), and that is no hedge."""

REFUSALS = (
    "i can't answer",
    "i cannot answer",
    "i can't help",
    "i cannot help",
    "i can't assist",
    "i cannot assist",
    "i can't provide",
    "i cannot provide",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i won't be able to",
    "i'm sorry, but",
    "i am sorry, but",
    "i apologize, but",
    "i apologise, but",
    "unfortunately, i",
    "i must decline",
    "i have to decline",
    "i don't have enough information",
    "i do not have enough information",
    "i don't have information",
    "i don't have access",
    "i do not have access",
    "i couldn't find",
    "i could not find",
    "i found nothing",
    "beyond my ken",
    "the documents do not contain",
    "the documents don't contain",
    "the passages do not contain",
    "the passages don't contain",
    "the context does not contain",
    "the context doesn't contain",
    "no information about",
    "there is no information",
    "ich kann ihnen nicht",
    "ich kann dir nicht",
    "ich kann diese frage nicht",
    "je ne peux pas",
    "no puedo ayudar",
    "no puedo responder",
)
_MOST_LOOKED_AT = 20
"""Places where a phrase stands: an answer that quotes one more often than that is left alone."""
_BEGINS = 240
"""Characters at the head of an answer: who refuses does so at once, and who says at the end what is not known has answered."""


def hedging(answered: Answered, standards: Standards) -> Finding:
    """The first hedge that is the answer's own."""
    _ = standards
    return _first(answered, HEDGES) if answered.is_given else None


def refusal(answered: Answered, standards: Standards) -> Finding:
    """A refusal at the head of what went out as an answer."""
    _ = standards
    return _first(answered, REFUSALS, before=_BEGINS) if answered.is_given else None


def forbidden(answered: Answered, standards: Standards) -> Finding:
    """A phrase that models use and nobody wants, or one that the operator forbids: that one in quotations, too."""
    if not answered.is_given:
        return None
    for phrase, span in _found(answered, standards.forbidden):
        return f"says {phrase!r}: {_shown(answered, span)}"
    return _first(answered, SHIPPED_PHRASES)


def _first(answered: Answered, phrases: tuple[str, ...], *, before: int | None = None) -> str:
    for phrase, span in islice(_found(answered, phrases), _MOST_LOOKED_AT):
        if (before is None or span[0] < before) and is_spoken(answered, span):
            return f"says {phrase!r}: {_shown(answered, span)}"
    return ""


def _found(answered: Answered, phrases: tuple[str, ...]) -> Iterator[tuple[str, Span]]:
    """Where whole words of the answer are one of the phrases."""
    words = words_of(answered.head)
    # Nearly always none: a phrase one of whose words isn't there at all is not looked for.
    for phrase in (each for each in phrases if _words_in(each) <= words):
        for match in _pattern(phrase).finditer(folded(answered.head)):
            yield phrase, match.span()


@lru_cache(maxsize=4_096)
def _words_in(phrase: str) -> frozenset[str]:
    return frozenset(WORD.findall(phrase))


@lru_cache(maxsize=1_024)
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)")


def folded_phrases(phrases: Iterable[str]) -> tuple[str, ...]:
    """Phrases as they are looked for: in lower case, with one form of apostrophe and of white space."""
    return tuple(dict.fromkeys(" ".join(phrase.lower().replace("’", "'").split()) for phrase in phrases))


def _shown(answered: Answered, span: Span) -> str:
    sentence = " ".join(sentence_at(answered.head, span).split())
    return sentence if len(sentence) <= 120 else f"{sentence[:119]}…"  # noqa: PLR2004 - a line of a report
