"""Whether what an answer cites is there: spans, quotations, numbers, and a citation for each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ken.checks.heuristics.answered import Answered, Finding
from ken.checks.heuristics.prose import plainly
from ken.checks.heuristics.standards import Standards

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARKER = re.compile(r"(?:^|(?<=\s)|(?<=\]))\[(\d{1,3})\]")
_WORD = re.compile(r"[^\W_]+")
_CLAIM_WORDS = 4
"""Fewer words beside a citation are a list mark, a heading or a lead-in."""
_ABOUT = re.compile(r"[:：](?:[*_]*)\s*\Z|^\s*(?:#{1,6}\s|as of\b)", re.IGNORECASE)
"""What says where a statement is from, or that one follows: it rests on the document's own facts."""


def spans(answered: Answered, standards: Standards) -> Finding:
    """A citation that points outside of the answer, its passage, or what was given to the model."""
    _ = standards
    if not answered.is_given or not answered.citations:
        return None
    given = {one.id: one for one in answered.passages}
    for citation in answered.citations:
        if not 0 <= citation.answer_start < citation.answer_end <= len(answered.text):
            return f"[{citation.number}] stands for characters {citation.answer_start} to {citation.answer_end} of {len(answered.text)}"
        if not given:
            continue
        passage = given.get(citation.passage_id)
        if passage is None:
            return f"[{citation.number}] cites {citation.passage_id!r}, which was not given to the model"
        if not passage.start <= citation.start < citation.end <= passage.end:
            return f"[{citation.number}] points outside of its passage"
    return ""


def quotes(answered: Answered, standards: Standards) -> Finding:
    """A quotation with a word that its passage doesn't have."""
    _ = standards
    given = {one.id: one.text for one in answered.passages}
    looked = False
    for citation in answered.citations:
        text = given.get(citation.passage_id)
        if text is None or not answered.is_given:
            continue
        looked = True
        if citation.quote in text:
            continue
        strange = next((word for word in _WORD.findall(plainly(citation.quote)) if word not in _words_of(text)), None)
        if strange is not None:
            return f"[{citation.number}] quotes {strange!r}, which its passage doesn't have"
    return "" if looked else None


def numbers(answered: Answered, standards: Standards) -> Finding:
    """Markers without a citation, citations without a marker, or numbers that don't count up from 1."""
    _ = standards
    if not answered.is_given or not answered.citations:
        return None
    shown = [int(number) for number in _MARKER.findall(_without_code(answered.text))]
    cited = {citation.number for citation in answered.citations}
    first = list(dict.fromkeys(shown))
    if first != list(range(1, len(first) + 1)):
        return f"numbers its citations {', '.join(map(str, first[:12]))}"
    if unknown := set(first) - cited:
        return f"has the marker [{min(unknown)}] and no citation for it"
    if unseen := cited - set(first):
        return f"has the citation [{min(unseen)}] and no marker for it"
    return ""


def uncited(answered: Answered, standards: Standards) -> Finding:
    """A statement that no citation covers."""
    _ = standards
    if not answered.is_given or not answered.passages:
        return None
    for piece in _uncovered(answered):
        for line in piece.split("\n"):
            if len(_WORD.findall(line)) >= _CLAIM_WORDS and not _ABOUT.search(line):
                return f"says without a source: {' '.join(line.split())[:120]}"
    return ""


def _uncovered(answered: Answered) -> Iterator[str]:
    """The pieces of the text between what citations cover."""
    at = 0
    for start, end in sorted((one.answer_start, one.answer_end) for one in answered.citations):
        if start > at:
            yield answered.text[at:start]
        at = max(at, end)
    if at < len(answered.text):
        yield answered.text[at:]


def _without_code(text: str) -> str:
    return _CODE.sub(" ", text) if "`" in text else text


@lru_cache(maxsize=2_048)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(plainly(text)))
