"""Verify: sentence by sentence, as they arrive. A sentence leaves only when a passage supports it.

A citation that doesn't support its sentence is moved to a passage that does; a sentence that no passage supports is
left out, and the answer says so. Citations are numbered anew, in the order in which passages are first cited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ken.checks.support import SUPPORTED, best_support, support
from ken.domain.answer import Citation
from ken.domain.document import Evidence, Sentence
from ken.prompts.grounded import ABSTENTION

_MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_BOUNDARY = re.compile(r"(?<=[.!?])[\"')”’*]*(?:\s*\[\d[\d, ]*\])*(?=\s+[^\s\[])|\n+(?=\S)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|dr|mr|ms|mrs|st|inc|ltd|fig|cf|al|u\.s|a\.m|p\.m|[A-Za-z])"
    r"|(?:^|\n)\s*\d{1,3})\.$",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_FENCE = "```"
_WHOLE_PASSAGE = 0.95
"""A passage that supports a sentence only as a whole counts a little less than one that does in one place."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A verified piece of the answer, with its citations; `text` begins with the white space that separates it."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(slots=True)
class Verifier:
    """Takes an answer in pieces, gives it back in verified sentences."""

    evidence: Sequence[Evidence]
    _buffer: str = ""
    _length: int = 0
    _lead_in: str = ""
    _numbers: dict[int, int] = field(default_factory=dict[int, int])
    dropped: list[str] = field(default_factory=list[str])
    """Sentences that no passage supports."""
    moved: int = 0
    """Citations that were moved to a passage that does support their sentence."""
    abstained: bool = False
    """The model said that the passages don't hold the answer."""

    def feed(self, piece: str) -> Iterator[Shown]:
        """Take the next piece of the answer; yield the sentences that it completes and that are supported."""
        self._buffer += piece
        while (end := self._boundary()) is not None:
            sentence, self._buffer = self._buffer[:end], self._buffer[end:]
            yield from self._check(sentence)

    def finish(self) -> Iterator[Shown]:
        """The answer is complete: yield what was held back."""
        sentence, self._buffer = self._buffer, ""
        yield from self._check(sentence)

    def _boundary(self) -> int | None:
        if self._buffer.count(_FENCE) % 2:
            return None
        for match in _BOUNDARY.finditer(self._buffer):
            before = self._buffer[: match.start()]
            if not before.strip():
                continue
            if before.count(_FENCE) % 2 == 0 and not _ABBREVIATION.search(before[-12:]):
                return match.end() if "\n" not in match.group() else match.start()
        return None

    def _check(self, sentence: str) -> Iterator[Shown]:
        if not sentence.strip():
            return
        if ABSTENTION.lower() in sentence.lower():
            self.abstained = True
            return
        space = sentence[: len(sentence) - len(sentence.lstrip())]
        body = _MARKER.sub("", sentence.strip()).strip()
        claim = _LIST_MARK.sub("", body)
        if not any(character.isalnum() for character in claim):
            return
        if body.endswith(":") and len(body) < 200:  # noqa: PLR2004 - a lead-in is a line, not a paragraph
            # A lead-in claims nothing by itself: it is shown with the sentence that it leads to, or not at all.
            self._lead_in += f"{space}{body}"
            return
        supports = self._supports(claim, self._cited(sentence))
        if not supports:
            self.dropped.append(body)
            return
        before = len(self._lead_in) + len(space) + len(body) - len(claim)
        yield self._show(f"{self._lead_in}{space}{body}", before, supports)
        self._lead_in = ""

    def _cited(self, sentence: str) -> list[int]:
        """Evidence indices of the sentence's markers; markers that name no passage are left out."""
        numbers = [int(part) for match in _MARKER.finditer(sentence) for part in match.group(1).split(",")]
        return [number - 1 for number in dict.fromkeys(numbers) if 0 < number <= len(self.evidence)]

    def _supports(self, claim: str, cited: list[int]) -> list[tuple[int, Sentence | None, float]]:
        """The cited passages that support the claim; where none does, the best other one."""
        found = [place for index in cited if (place := self._place(claim, index))[2] >= SUPPORTED]
        if found:
            return found
        others = [self._place(claim, index) for index in range(len(self.evidence)) if index not in cited]
        best = max(others, key=lambda place: place[2], default=None)
        if best is None or best[2] < SUPPORTED:
            return []
        self.moved += bool(cited)
        return [best]

    def _place(self, claim: str, index: int) -> tuple[int, Sentence | None, float]:
        """Where in a passage the claim is supported: the sentence, or None for the passage as a whole; and how well."""
        item = self.evidence[index]
        best = best_support(claim, [sentence.text for sentence in item.sentences])
        if best.score < _WHOLE_PASSAGE:
            whole = support(claim, item.passage.text) * _WHOLE_PASSAGE
            if whole > best.score or best.index < 0:
                return index, None, whole
        return index, item.sentences[best.index], best.score

    def _show(self, text: str, offset: int, supports: list[tuple[int, Sentence | None, float]]) -> Shown:
        if self._length == 0:
            trimmed = text.lstrip()
            offset -= len(text) - len(trimmed)
            text = trimmed
        numbers = [self._numbers.setdefault(index, len(self._numbers) + 1) for index, _, _ in supports]
        shown = text + "".join(f" [{number}]" for number in numbers)
        start, end = self._length + offset, self._length + len(text)
        self._length += len(shown)
        places = zip(numbers, supports, strict=True)
        return Shown(shown, tuple(self._citation(number, (start, end), place) for number, place in places))

    def _citation(self, number: int, span: tuple[int, int], found: tuple[int, Sentence | None, float]) -> Citation:
        index, sentence, score = found
        item = self.evidence[index]
        passage = item.passage
        return Citation(
            number=number,
            answer_start=span[0],
            answer_end=span[1],
            document_id=passage.document_id,
            document_title=item.document.title,
            passage_id=passage.id,
            version=passage.version,
            start=sentence.start if sentence else passage.start,
            end=sentence.end if sentence else passage.end,
            quote=sentence.text if sentence else " ".join(passage.text.split()),
            support=round(score, 3),
            page=passage.page,
            heading_path=passage.heading_path,
        )
