"""Documents with little of their own: empty ones, stubs, and pages made of paragraphs that many others hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ken.knowledge.quality.findings import Entry
from ken.knowledge.quality.reading import Reading

_EMPTY_WORDS = 6
"""A document with fewer, besides its headings, says nothing that can be asked for."""
_STUB_WORDS = 60
"""A document with fewer that says that it is to be written is a stub; in a longer one the mark is a note."""
_MANY = 4
"""Documents that must hold a paragraph for it to count as boilerplate; near-duplicates of each other count as one."""
_MOST = 0.6
"""Share of a document's words in such paragraphs."""
_OWN_WORDS = 60
"""A document with more words of its own is none, however much it repeats."""

# Each stands for a paragraph, list point or line that is to be written; "ask to be added" is a sentence like any other.
_STUB = re.compile(
    r"^[\W_]*(?:(?:todo|tbd|tba|fixme)\b|(?:coming soon|under construction|work in progress|lorem ipsum)\b"
    r"|to be (?:written|added|completed|filled in|determined|defined|decided|announced|done)\W*$"
    r"|this (?:page|section|document) is (?:a )?(?:stub|empty|placeholder|incomplete)\b"
    r"|(?:placeholder|insert|add|write) (?:text|content|description)s? here\W*$)",
    re.MULTILINE,
)
_FILLER = re.compile(r"\blorem ipsum dolor\b")


def empty(readings: Sequence[Reading]) -> list[Entry]:
    """Documents without text besides headings."""
    return [
        Entry(
            document_id=reading.document.id,
            title=reading.document.title,
            detail=f"{reading.words} {'word' if reading.words == 1 else 'words'} besides headings",
        )
        for reading in readings
        if reading.words < _EMPTY_WORDS and not _STUB.search(reading.opening)
    ]


def boilerplate(readings: Sequence[Reading], alike: Sequence[Sequence[tuple[int, float]]]) -> list[Entry]:
    """Stubs, and documents that consist mostly of paragraphs that many others hold, near-duplicates aside."""
    entries = [
        Entry(document_id=reading.document.id, title=reading.document.title, detail=f"a stub: “{mark}”")
        for reading in readings
        if (mark := _stub_mark(reading))
    ]
    duplicates = {index for group in alike for index, _ in group}
    leader = {index: group[0][0] for group in alike for index, _ in group}
    common = _common_paragraphs(readings, leader)
    for index, reading in enumerate(readings):
        if index in duplicates or reading.words < _EMPTY_WORDS or not len(reading.paragraphs):
            continue
        shared = int(reading.paragraph_words[np.isin(reading.paragraphs, common)].sum())
        if shared >= _MOST * reading.words and reading.words - shared <= _OWN_WORDS:
            detail = (
                f"{100 * shared // reading.words} % of its {reading.words} words stand in {_MANY - 1} or more others"
            )
            entries.append(Entry(document_id=reading.document.id, title=reading.document.title, detail=detail))
    return entries


def _stub_mark(reading: Reading) -> str:
    mark = _STUB.search(reading.opening) if reading.words < _STUB_WORDS else None
    mark = mark or _FILLER.search(reading.opening)
    return mark[0].strip() if mark else ""


def _common_paragraphs(
    readings: Sequence[Reading], leader: dict[int, int]
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Hashes of the paragraphs that `_MANY` documents hold, a group of near-duplicates counted once."""
    once: dict[int, set[int]] = {}
    for index, reading in enumerate(readings):
        once.setdefault(leader.get(index, index), set()).update(reading.paragraphs.tolist())
    every = np.fromiter((paragraph for held in once.values() for paragraph in held), dtype=np.uint64)
    hashes, counts = np.unique(every, return_counts=True)
    return hashes[counts >= _MANY]
