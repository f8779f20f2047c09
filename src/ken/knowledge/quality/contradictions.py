"""Documents that say something else than another one of the same thing (checks/conflict.py), sentence against sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ken.checks.claims import claims
from ken.checks.conflict import Disagreement, Statement, disagreement
from ken.domain.document import Document
from ken.knowledge.generation import Generation
from ken.knowledge.quality.findings import Entry

_SIMILAR = 0.6
"""Cosine of two sentences from which they may be about the same thing."""
_NEIGHBOURS = 12
"""Documents whose sentences each document is compared with: those nearest by their mean sentence."""
_NUMBER = re.compile(
    r"\d+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|sixty|ninety|hundred|half"
    r"|once|twice|daily|weekly|monthly|yearly)\b"
)
_DUTY = re.compile(
    r"\b(?:manager|director|lead|leader|officer|controller|committee|board|council|desk|team|supervisor|owner|department"
    r"|office|commander|liaison|ceo|cfo|cto|coo|hr|head)\b"
)
_DENIAL = re.compile(
    r"\b(?:cannot|not|no|never|without|none|neither|nobody|nothing|optional|voluntary|forbidden|prohibited|banned)\b|n['’]t\b"
)
_MOST = 500
"""Entries of a report; the surest are kept."""
_MOST_OF_A_PAIR = 3
"""Entries of two documents: who has seen three will read both."""
_LONGEST = 160
_LEAST_SHARED = 3
"""Terms that two sentences about the same thing have in common."""
_SCALE = 127.0 * 127.0
_MOST_SEEN = 100_000
"""Sentences whose signs are kept."""
_BLOCK = 512
"""Documents whose similarities to all others are held at once."""


def contradictions(generation: Generation, documents: Sequence[Document]) -> list[Entry]:
    """Pairs of sentences that can't both hold, of documents that don't supersede one another, the surest first.

    `documents` are those of one collection that may be read, without the names of successors that may not. Sentences are
    compared where their documents are near neighbours and their vectors similar, so that the time is linear in the number
    of documents but for one product of their mean vectors: 10,000 documents have 50 million pairs, and almost all of them
    are about different things.
    """
    # What is superseded, as far as the asking principal may know, is history and may say what it likes.
    in_force = {document.id for document in documents if document.superseded_by is None}
    corpus = _Sentences(
        generation, [at for at, each in enumerate(generation.catalogue.documents) if each.id in in_force]
    )
    found: dict[tuple[str, str], dict[tuple[str, str], Disagreement]] = {}
    for one, others in corpus.neighbours():
        for first, second in corpus.similar(one, others):
            each = disagreement(corpus.statement(first), corpus.statement(second))
            if each is not None:
                said = min(each.first.text, each.second.text), max(each.first.text, each.second.text)
                found.setdefault((each.first.document_id, each.second.document_id), {}).setdefault(said, each)
    surest = [each for pair in found.values() for each in sorted(pair.values(), key=_doubt)[:_MOST_OF_A_PAIR]]
    titles = {document.id: document.title for document in documents}
    return [_entry(each, titles) for each in sorted(surest, key=_doubt)[:_MOST]]


_Signs = tuple[frozenset[str], frozenset[str], bool]
"""Of a sentence: its numbers, whose duty it may be, whether it denies something."""


def _signs(text: str) -> _Signs:
    lower = text.lower()
    return frozenset(_NUMBER.findall(lower)), frozenset(_DUTY.findall(lower)), _DENIAL.search(lower) is not None


def _may_dispute(one: _Signs, other: _Signs) -> bool:
    """Whether two sentences are worth reading closely, which takes a hundred times as long.

    They have to give different numbers, name different people, or only one of them has to deny something.
    """
    numbers_differ = one[0] and other[0] and one[0] != other[0]
    duties_differ = one[1] and other[1] and one[1] != other[1]
    return bool(numbers_differ or duties_differ or one[2] != other[2])


class _Sentences:
    """The sentences of some documents of a generation with their vectors, code left out."""

    def __init__(self, generation: Generation, chosen: Sequence[int]) -> None:
        self._generation = generation
        rows = np.searchsorted(generation.document, [chosen, [each + 1 for each in chosen]])
        self._bounds = generation.sentence_bounds[rows]
        self._chosen = chosen
        self._seen: dict[int, _Signs] = {}
        self._headings: dict[int, tuple[str, ...]] = {}

    def neighbours(self) -> Iterator[tuple[int, list[int]]]:
        """Each document with later ones of which one is among the nearest of the other by mean sentence; no pair twice."""
        means = np.zeros((len(self._chosen), self._generation.sentences.shape[1]), dtype=np.float32)
        for index in range(len(self._chosen)):
            _, vectors = self._vectors(index)
            if len(vectors):
                mean = vectors.mean(axis=0)
                means[index] = mean / max(float(np.linalg.norm(mean)), 1e-9)
        near: dict[int, set[int]] = {}
        wanted = min(_NEIGHBOURS + 1, len(means))
        for start in range(0, len(means), _BLOCK):
            similarities = means[start : start + _BLOCK] @ means.T
            nearest = np.argpartition(-similarities, wanted - 1, axis=1)[:, :wanted]
            for one, others in enumerate(nearest.tolist(), start):
                for other in others:
                    near.setdefault(min(one, other), set()).add(max(one, other))
        yield from ((one, sorted(near[one] - {one})) for one in sorted(near))

    def similar(self, one: int, others: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Pairs of a sentence of a document and one of others that may be about the same thing and differ."""
        if not others:
            return
        numbers, vectors = self._vectors(one)
        parts = [self._vectors(other) for other in others]
        partners = np.concatenate([part for part, _ in parts])
        near = np.argwhere(vectors @ np.concatenate([part for _, part in parts]).T >= _SIMILAR * _SCALE)
        for row, column in near.tolist():
            number, partner = int(numbers[row]), int(partners[column])
            if (
                len(self._terms(number) & self._terms(partner)) >= _LEAST_SHARED
                and _may_dispute(self._signs(number), self._signs(partner))
                and self._claims(number)
                and self._claims(partner)
            ):
                yield number, partner

    def _terms(self, sentence: int) -> set[int]:
        first, last = self._generation.sentence_term_bounds[sentence : sentence + 2].tolist()
        return set(self._generation.sentence_terms[first:last].tolist())

    def _signs(self, sentence: int) -> _Signs:
        if sentence not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen[sentence] = _signs(self._generation.quote(sentence))
        return self._seen[sentence]

    def _claims(self, sentence: int) -> bool:
        """Whether a sentence claims anything that could be disputed."""
        read = claims(self._generation.quote(sentence))
        return bool(read.values or read.stance or read.denies)

    def _vectors(self, index: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Numbers of a document's sentences, shape (s,), and their vectors times 127, shape (s, dimensions)."""
        first, last = self._bounds[:, index].tolist()
        is_prose = self._generation.sentence_spans[first:last][:, 2] == 0
        return np.flatnonzero(is_prose) + first, self._generation.sentences[first:last][is_prose].astype(np.float32)

    def statement(self, sentence: int) -> Statement:
        """A sentence with what it stands under."""
        row = int(np.searchsorted(self._generation.sentence_bounds, sentence, side="right")) - 1
        document = self._generation.catalogue.documents[int(self._generation.document[row])]
        if row not in self._headings:
            self._headings[row] = self._generation.passage(row).heading_path
        start, end, _ = self._generation.sentence_spans[sentence : sentence + 1][0].tolist()
        return Statement(
            document_id=document.id,
            text=self._generation.quote(sentence),
            title=document.title,
            headings=self._headings[row],
            start=start,
            end=end,
        )


def _doubt(each: Disagreement) -> tuple[int, str, str, int]:
    return -each.shared, each.first.document_id, each.second.document_id, each.first.start


def _entry(each: Disagreement, titles: dict[str, str]) -> Entry:
    one, other = (" ".join(statement.text.split()) for statement in (each.first, each.second))
    return Entry(
        document_id=each.first.document_id,
        title=titles[each.first.document_id],
        detail=f"{each.values[0]} or {each.values[1]}: “{_short(one)}” here, “{_short(other)}” in “{titles[each.second.document_id]}”",
        related=(each.second.document_id,),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
