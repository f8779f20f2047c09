"""Verify: sentence by sentence, as they arrive. A sentence leaves only when a passage supports it.

A citation that doesn't support its sentence is moved to a passage that does; a sentence that no passage supports is
left out, and the answer says so. Citations are numbered anew, in the order in which passages are first cited. What stands
before a quotation ("“Expenses” (as of 1 May 2025, Finance): ...", "Superseded since 1 March 2026: ...") is checked against
what is known of the document; that documents disagree may be said where they were found to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ken.assistant.attribution import is_said_of, is_said_of_conflict
from ken.checks.support import SUPPORTED, best_support, support
from ken.domain.answer import Citation
from ken.domain.conflict import Disagreement
from ken.domain.document import Evidence, Sentence
from ken.domain.standing import CURRENT, Standing, is_review_due
from ken.prompts.grounded import ABSTENTION
from ken.text.headings import headings_at
from ken.text.labels import standing_label, tells_standing
from ken.text.markup import plain
from ken.text.sentence_stream import SentenceStream

# A marker stands apart, or close behind a word where a sentence pauses; `values[0]` is no marker.
_MARKER = re.compile(
    r"(?:\s+|(?<![\w\s])|(?<=\w)(?=\[\d[\d, ]*\](?:[\s.,;:!?)\[]|$))(?!\[0))\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]"
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_ENDED = re.compile(r"[.!?][\"')”’*_`]*\s*$")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_FENCE = "```"
_WHOLE_PASSAGE = 0.85
"""A passage that supports a sentence only as a whole counts less than one that does in one place: its words may be scattered."""
_LONGEST_LEAD_IN = 200
_LEADING = (
    "follow following step steps here how way ways point points option options list need these example note answer"
)
"""Words of a lead-in that claim nothing."""
_COLON = re.compile(r":[*_]*\s+")
_MOST_COLONS = 4
"""Places looked at where what is said of a source may end; a title may hold a colon, too."""
_Place = tuple[int, Sentence | None, float]
"""A passage, the sentence of it that supports a claim (None: the passage as a whole), and how well."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A verified piece of the answer, with its citations; `text` begins with the white space that separates it."""

    text: str
    citations: tuple[Citation, ...] = ()


@dataclass(slots=True)
class Verifier:
    """Takes an answer in pieces, gives it back in verified sentences."""

    evidence: Sequence[Evidence]
    today: str
    standings: Mapping[str, Standing] = field(default_factory=dict[str, Standing])
    """Of the documents that are not simply in force, by id."""
    disagreements: Sequence[Disagreement] = ()
    """Between statements of the evidence."""
    told_conflict: bool = False
    """The answer says that the documents disagree."""
    _sentences: SentenceStream = field(default_factory=SentenceStream)
    _length: int = 0
    _lead_in: str = ""
    _lead_in_tells: bool = False
    _told: set[str] = field(default_factory=set[str])
    """Documents whose standing the answer has told."""
    _numbers: dict[int, int] = field(default_factory=dict[int, int])
    dropped: list[str] = field(default_factory=list[str])
    """Sentences that no passage supports."""
    moved: int = 0
    """Citations that were moved to a passage that does support their sentence."""
    abstained: bool = False
    """The model said that the passages don't hold the answer."""

    def feed(self, piece: str, *, is_whole: bool = False) -> Iterator[Shown]:
        """Take the next piece of the answer; yield the sentences that it completes and that are supported.

        `is_whole` says that the piece ends where a sentence does: the last one isn't held back for what might follow.
        """
        sentences = self._sentences.feed(piece)
        if is_whole:
            sentences.append(self._sentences.rest())
        for sentence in sentences:
            yield from self._check(sentence)

    def finish(self, *, is_cut: bool = False) -> Iterator[Shown]:
        """The answer is complete: yield what was held back. Of one that was cut short, an unfinished sentence is not shown."""
        sentence = self._sentences.rest()
        if not is_cut or _ENDED.search(_without_markers(sentence)):
            yield from self._check(sentence)

    def _check(self, sentence: str) -> Iterator[Shown]:
        if not sentence.strip() or (self.abstained and not self._length):
            return
        space = sentence[: len(sentence) - len(sentence.lstrip())]
        body = _without_markers(sentence.strip()).strip()
        if _is_abstention(body):
            self.abstained = True
            return
        claim = _LIST_MARK.sub("", body)
        reading = plain(claim, "markdown")
        if not any(character.isalnum() for character in reading):
            return
        if is_said_of_conflict(reading, self.disagreements):
            self._lead_in += f"{space}{body}"
            self._lead_in_tells = True
            return
        if body.endswith(":") and len(body) < _LONGEST_LEAD_IN:
            # A lead-in is shown with the sentence that it leads to, or not at all.
            if self._may_lead(reading):
                self._lead_in += f"{space}{body}"
            else:
                self.dropped.append(body)
            return
        quoted, supports = self._attributed(claim, _markers(sentence.strip()))
        if not supports:
            self.dropped.append(body)
            return
        shown = f"{self._lead_in}{space}{self._told_standing(body, supports)}{body}"
        yield self._show(shown, len(shown) - len(quoted), supports)
        self.told_conflict = self.told_conflict or self._lead_in_tells
        self._lead_in, self._lead_in_tells = "", False

    def _told_standing(self, body: str, supports: list[_Place]) -> str:
        """What stands before a sentence that only rests on what isn't the rule today, where nothing before it says so."""
        items = [self.evidence[index] for index, _, _ in supports]
        standings = [self.standings.get(item.document.id, CURRENT) for item in items]
        if any(one.state == "current" for one in standings):
            return ""
        name = items[0].document.id
        is_told = name in self._told or tells_standing(f"{self._lead_in}{body}", standings[0])
        self._told.add(name)
        if is_told:
            return ""
        return f"{standing_label(standings[0], items[0].document)}:" + ("\n" if _LIST_MARK.match(body) else " ")

    def _attributed(self, claim: str, numbers: list[int]) -> tuple[str, list[_Place]]:
        """The part of a claim that a passage must support, and those that do.

        That is the claim without what stands before it about its source, where that is true of a source that supports it.
        """
        for colon in reversed(list(_COLON.finditer(claim))[:_MOST_COLONS]):
            rest = claim[colon.end() :]
            said = [plain(part, "markdown") for part in _COLON.split(claim[: colon.start()])]
            heads = [part for part in said if not is_said_of_conflict(part, self.disagreements)]
            tells = len(heads) < len(said)
            named = [at for at, item in enumerate(self.evidence) if all(self._is_said_of(head, item) for head in heads)]
            if named and rest:
                found = [place for place in self._supports(plain(rest, "markdown"), numbers) if place[0] in named]
                if found:
                    self._lead_in_tells = self._lead_in_tells or tells
                    return rest, found
        return claim, self._supports(plain(claim, "markdown"), numbers)

    def _is_said_of(self, head: str, item: Evidence) -> bool:
        return is_said_of(head, item, standing=self.standings.get(item.document.id, CURRENT))

    def _may_lead(self, reading: str) -> bool:
        """Whether the words of a lead-in stand in a passage, its headings or its title."""
        return any(
            support(reading, _LEADING, _heading(item), *(sentence.text for sentence in item.sentences)) >= SUPPORTED
            or self._is_said_of(reading.rstrip(": "), item)
            for item in self.evidence
        )

    def _supports(self, claim: str, numbers: list[int]) -> list[_Place]:
        """The passages cited by `numbers` that support the claim; where none does, the best other one."""
        cited = [number - 1 for number in numbers if 0 < number <= len(self.evidence)]
        found = [place for index in cited if (place := self._place(claim, index))[2] >= SUPPORTED]
        if found:
            return found
        others = [self._place(claim, index) for index in range(len(self.evidence)) if index not in cited]
        best = max(others, key=lambda place: place[2], default=None)
        if best is None or best[2] < SUPPORTED:
            return []
        self.moved += bool(numbers)
        return [best]

    def _place(self, claim: str, index: int) -> _Place:
        """Where in a passage the claim is supported: the sentence, or None for the passage as a whole; and how well."""
        item = self.evidence[index]
        texts = [sentence.text for sentence in item.sentences]
        best = best_support(claim, texts)
        if best.score < _WHOLE_PASSAGE:
            whole = support(claim, *texts) * _WHOLE_PASSAGE
            if whole > best.score or best.index < 0:
                return index, None, whole
        return index, item.sentences[best.index], best.score

    def _show(self, text: str, offset: int, supports: list[_Place]) -> Shown:
        if self._length == 0:
            trimmed = text.lstrip()
            offset -= len(text) - len(trimmed)
            text = trimmed
        numbers = [self._numbers.setdefault(index, len(self._numbers) + 1) for index, _, _ in supports]
        # What follows a closing fence on its line would keep the block of code open.
        apart = "\n" if text.endswith(_FENCE) else " "
        shown = text + apart + " ".join(f"[{number}]" for number in numbers)
        start, end = self._length + offset, self._length + len(text)
        self._length += len(shown)
        places = zip(numbers, supports, strict=True)
        return Shown(shown, tuple(self._citation(number, (start, end), place) for number, place in places))

    def _citation(self, number: int, span: tuple[int, int], found: _Place) -> Citation:
        index, sentence, score = found
        item = self.evidence[index]
        passage, document = item.passage, item.document
        standing = self.standings.get(document.id, CURRENT)
        at = sentence.start - passage.start if sentence else 0
        return Citation(
            number=number,
            answer_start=span[0],
            answer_end=span[1],
            document_id=passage.document_id,
            document_title=document.title,
            passage_id=passage.id,
            version=passage.version,
            start=sentence.start if sentence else passage.start,
            end=sentence.end if sentence else passage.end,
            quote=sentence.text if sentence else " ".join(passage.shown.split()),
            support=round(score, 3),
            page=sentence.page if sentence else passage.page,
            heading_path=headings_at(passage.text, passage.heading_path, at=at),
            owner=document.owner,
            effective=document.effective,
            review_by=document.review_by,
            review_due=is_review_due(document, self.today),
            standing=standing.state,
            superseded_since=standing.since if standing.state == "superseded" else None,
            superseded_by=standing.successor.title if standing.successor else None,
        )


def _heading(item: Evidence) -> str:
    return " ".join((item.document.title, *item.passage.heading_path))


def _is_abstention(body: str) -> bool:
    return ABSTENTION in body or body.strip(" .!*_\"'“”").upper() == ABSTENTION


def _outside_code(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of `text` in order, each with whether it is prose; code keeps its brackets."""
    position = 0
    for code in _CODE.finditer(text):
        yield text[position : code.start()], True
        yield code.group(), False
        position = code.end()
    yield text[position:], True


def _without_markers(text: str) -> str:
    return "".join(_MARKER.sub("", piece) if is_prose else piece for piece, is_prose in _outside_code(text))


def _markers(text: str) -> list[int]:
    """The numbers that a sentence cites, each once."""
    found = [match[1] for piece, is_prose in _outside_code(text) if is_prose for match in _MARKER.finditer(piece)]
    return list(dict.fromkeys(int(number) for numbers in found for number in numbers.split(",")))
