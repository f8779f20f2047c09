"""The plan of a search: the question with what its words stand for, and the questions that it is made of.

1. Words that nobody wrote are corrected (spelling.py).
2. Acronyms, other names and the operator's synonyms join the words that they stand for (names.py).
3. A compound question is taken apart (compound.py).
What stands for several things is told, whatever is switched off: somebody may want to ask back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ken.domain.explained import Expansion, Explained
from ken.knowledge.index import Term
from ken.knowledge.options import SearchOptions
from ken.knowledge.query.compound import parts
from ken.knowledge.query.names import defined, synonymous
from ken.knowledge.query.reading import Reading
from ken.knowledge.query.spelling import corrected, corrections
from ken.text.tokens import terms

_WORTH = 0.8
"""Of a word of another name, beside the word that was asked for."""


@dataclass(frozen=True, slots=True)
class Search:
    """One text that is searched for."""

    text: str
    """As it is embedded."""
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is searched for, and why that."""

    whole: Search
    parts: tuple[Search, ...]
    """Of a compound question; empty for a single one."""
    explained: Explained


def plan(query: str, reading: Reading, *, options: SearchOptions) -> Plan:
    """What a question becomes. Any text will do; its time is linear in its length."""
    fixes = corrections(query, reading) if options.spelling else []
    text = corrected(query, fixes)
    found, ambiguous = defined(text, reading)
    wanted = {"acronym"} if options.acronyms else set[str]()
    wanted |= {"name"} if options.names else set()
    expansions = [each for each in found if each.why in wanted] + synonymous(text, options.synonyms)
    pieces = parts(text) if options.compound else ()
    whole = _search(text, expansions)
    explained = Explained(
        asked=query,
        searched=whole.text,
        corrections=tuple(correction for _, correction in fixes),
        expansions=tuple(expansions),
        ambiguous=tuple(ambiguous),
        parts=pieces,
    )
    return Plan(whole, tuple(_search(piece, expansions) for piece in pieces), explained)


def _search(text: str, expansions: Sequence[Expansion]) -> Search:
    """A text with the other names of what it names, as other terms for the lexical list.

    The embedder is given the text as it is: put there, too, long forms move the vector away from what was asked.
    """
    own = dict.fromkeys(terms(text))
    others: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for expansion in expansions:
        counting = {term for name in expansion.others for term in terms(name)} - own.keys()
        for term in terms(expansion.word):
            others[term] |= dict.fromkeys(sorted(counting), _WORTH)
    return Search(text, tuple(Term(name, tuple(others[name].items()) if name in others else ()) for name in own))
