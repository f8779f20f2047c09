"""Documents that say nearly the same, word for word: candidates by MinHash, each pair verified on the texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document
from ken.knowledge.quality.findings import Entry
from ken.knowledge.quality.reading import Reading, body_of, paragraphs_of
from ken.text.minhash import PERMUTATIONS, candidates, estimated, groups, jaccard, shingles_of

_ALIKE = 0.75
"""Jaccard similarity of the shingles from which two documents are near-duplicates."""
_WORTH_READING = _ALIKE - 0.12
"""Estimated similarity from which the texts are compared: two and a half standard deviations of the estimate below."""
_LEAST_WORDS = 15
"""Shorter documents are near-duplicates only where they are equal."""
_KEPT_SHINGLES = 2_000
"""Documents whose shingles are kept while pairs are compared: pairs of one document come close together."""


def duplicate_groups(readings: Sequence[Reading], text: Callable[[str], str]) -> list[list[tuple[int, float]]]:
    """Groups of near-duplicates: indices into `readings`, each with its greatest similarity to another one.

    A document and the one that it supersedes are no duplicates, however much they share: one is history.
    """
    kept: dict[int, NDArray[np.uint32]] = {}

    def of(index: int) -> NDArray[np.uint32]:
        if index not in kept:
            if len(kept) >= _KEPT_SHINGLES:
                kept.clear()
            document = readings[index].document
            paragraphs = paragraphs_of(body_of(document, text(document.id)))
            kept[index] = shingles_of(list(chain.from_iterable(paragraphs)))
        return kept[index]

    best: dict[int, float] = {}
    pairs: list[tuple[int, int]] = []
    signatures = np.array([reading.signature for reading in readings], dtype=np.uint32).reshape(-1, PERMUTATIONS)
    for one, other in candidates(signatures):
        first, second = readings[one], readings[other]
        if estimated(first.signature, second.signature) < _WORTH_READING or _follow(first.document, second.document):
            continue
        similarity = jaccard(of(one), of(other))
        if similarity >= (_ALIKE if min(first.words, second.words) >= _LEAST_WORDS else 1.0):
            pairs.append((one, other))
            for index in (one, other):
                best[index] = max(best.get(index, 0.0), similarity)
    return [[(index, best[index]) for index in group] for group in groups(pairs)]


def near_duplicates(readings: Sequence[Reading], alike: list[list[tuple[int, float]]]) -> list[Entry]:
    """One entry a group, under the document that is best kept: not superseded, changed last, shortest path."""
    entries: list[Entry] = []
    for group in alike:
        members = sorted((readings[index].document for index, _ in group), key=_worth)
        similarities = [similarity for _, similarity in group]
        keeper, others = members[0], members[1:]
        entries.append(
            Entry(
                document_id=keeper.id,
                title=keeper.title,
                detail=f"{_percent(similarities)} the same as {_named(others)}",
                related=tuple(document.id for document in others),
            )
        )
    return entries


def _worth(document: Document) -> tuple[bool, str, int, str]:
    changed = document.modified or document.effective or ""
    newest_first = "".join(chr(0x10FFFF - ord(letter)) for letter in changed) or "\U0010ffff"
    return document.superseded_by is not None, newest_first, len(document.path), document.path


def _follow(one: Document, other: Document) -> bool:
    return one.superseded_by == other.id or other.superseded_by == one.id


def _percent(similarities: Sequence[float]) -> str:
    low, high = (int(100 * bound) for bound in (min(similarities), max(similarities)))
    return f"{high} %" if low == high else f"{low} to {high} %"


def _named(others: Sequence[Document]) -> str:
    return f"“{others[0].title}”" if len(others) == 1 else f"{len(others)} other documents"
