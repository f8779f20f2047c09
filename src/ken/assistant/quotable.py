"""What of a passage may be quoted and may support an answer: all but the sentences that are addressed to the assistant."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ken.domain.document import Evidence
from ken.guard.passage import instructions_in


def quotable(item: Evidence) -> Evidence:
    """The passage without the sentences that are addressed to the assistant; itself where there are none."""
    orders = _orders(item.passage.text)
    if not orders:
        return item
    offset = item.passage.start
    kept = tuple(
        sentence
        for sentence in item.sentences
        if not any(sentence.start - offset < end and start < sentence.end - offset for start, end in orders)
    )
    return replace(item, sentences=kept)


@lru_cache(maxsize=4_096)
def _orders(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((each.start, each.end) for each in instructions_in(text))


def weighed(item: Evidence) -> Evidence:
    """A passage as it counts for whether the question can be answered: by what of it may be quoted."""
    kept = quotable(item)
    if kept is item:
        return item
    left = max((sentence.coverage for sentence in kept.sentences), default=0.0)
    before = max((sentence.coverage for sentence in item.sentences), default=0.0)
    return replace(
        kept,
        relevance=item.relevance * (left / before if before > 0 else 1.0),
        dense=min(item.dense, max((sentence.similarity for sentence in kept.sentences), default=0.0)),
        coverage=min(item.coverage, left),
        matched_terms=(),
    )
