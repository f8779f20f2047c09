"""Whether what an answer cites is there: spans, quotations, numbers, and a citation for each sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ken.checks.heuristics.answered import Answered, Finding
from ken.checks.heuristics.prose import WORD
from ken.checks.heuristics.standards import Standards

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARKER = re.compile(r"\[(\d{1,3})\]")
_CLAIM_WORDS = 4
"""Fewer words beside a citation are a list mark, a heading or a lead-in."""
_CLAIM_LENGTH = 10
_ABOUT = re.compile(r"[:：](?:[*_]*)\s*\Z|^\s*#{1,6}\s|^\s*as of\b[^.]*\.?\s*\Z", re.IGNORECASE)
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
    cited = {(one.passage_id, one.quote): one.number for one in answered.citations if one.passage_id in given}
    if not answered.is_given or not cited:
        return None
    for (passage_id, quote), number in cited.items():
        text = given[passage_id]
        if quote not in text:
            strange = next((word for word in WORD.findall(quote) if not _has(text, word)), None)
            if strange is not None:
                return f"[{number}] quotes {strange!r}, which its passage doesn't have"
    return ""


def numbers(answered: Answered, standards: Standards) -> Finding:
    """Markers without a citation, citations without a marker, or numbers that don't count up from 1."""
    _ = standards
    if not answered.is_given or not answered.citations:
        return None
    shown = list(_markers(_without_code(answered.text)))
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
        for line in piece.split("\n") if len(piece) >= _CLAIM_LENGTH else ():
            if len(WORD.findall(line)) >= _CLAIM_WORDS and not _ABOUT.search(line):
                return f"says without a source: {' '.join(line.split())[:120]}"
    return ""


def _markers(text: str) -> Iterator[int]:
    """The numbers in brackets that stand apart: `values[0]` is no marker."""
    for match in _MARKER.finditer(text):
        if not match.start() or text[match.start() - 1] in " \n]\t":
            yield int(match[1])


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


def _has(text: str, word: str) -> bool:
    """Whether a passage has a word; one that marks divide there (`**Dura**tion`) counts, too."""
    return word in _words_of(text) or word in _solid(text)


@lru_cache(maxsize=2_048)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text))


@lru_cache(maxsize=64)
def _solid(text: str) -> str:
    return "".join(WORD.findall(text))
