"""Pseudo-relevance feedback: the first passages are taken for relevant, and what they have in common moves the question.

The vector moves towards the sentences of theirs that are nearest to it (Rocchio, in "The SMART Retrieval System", 1971).
The words that they use most, by a relevance model (Lavrenko and Croft, "Relevance-Based Language Models", SIGIR 2001;
mixed with the question as in RM3, Abdul-Jaleel and others, "UMass at TREC 2004"), count a little for each term of the
question, so that a passage in their words is found where it has none of the question's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from ken.knowledge.catalogue import Allowed
from ken.knowledge.index import Asked, Index, Term
from ken.knowledge.options import SearchOptions
from ken.knowledge.ranking import Ranked
from ken.text.tokens import terms

_TERMS = 8
_TOWARDS = 0.3
"""Of the vector that is searched for next, the passages' share."""
_WORTH = 0.2
"""Of the most telling word of the passages, beside the question's own."""
_TINY = 1e-9


def fed_back(
    index: Index, asked: Asked, *, best: Sequence[Ranked], allowed: Allowed, options: SearchOptions
) -> tuple[Asked, tuple[str, ...]]:
    """The question as its first passages make it, and the words that they add, the most telling first."""
    weights = np.array([max(one.relevance, _TINY) for one in best], dtype=np.float32)
    if not len(weights):
        return asked, ()
    weights /= weights.sum()
    added = _relevance_model(index, best, weights=weights.tolist(), own={term.name for term in asked.terms})
    found = index.candidates(asked, allowed, depth=options.depth)
    vectors: list[np.typing.NDArray[np.float32]] = []
    for one in best:
        at = int(np.searchsorted(found.rows, one.row))
        first = int(found.sentence_bounds[at])
        nearest = first + int(np.argmax(one.similarities)) if len(one.similarities) else None
        vectors.append(
            asked.vector if nearest is None else found.sentences[nearest].astype(np.float32) / np.float32(127)
        )
    vector = (1 - _TOWARDS) * asked.vector + _TOWARDS * (weights @ np.stack(vectors))
    vector = np.asarray(vector / max(float(np.linalg.norm(vector)), _TINY), np.float32)
    worths = tuple((name, _WORTH * weight) for name, weight in added)
    moved = tuple(Term(term.name, term.others + worths) for term in asked.terms)
    return Asked(moved, vector, asked.words), tuple(name for name, _ in added)


def _relevance_model(
    index: Index, best: Sequence[Ranked], *, weights: Sequence[float], own: set[str]
) -> list[tuple[str, float]]:
    """Words of more than one of the passages, by how likely the passages are to use them; the first has 1."""
    model: defaultdict[str, float] = defaultdict(float)
    passages: Counter[str] = Counter()
    for stored, weight in zip(index.passages([one.row for one in best]), weights, strict=True):
        counts = Counter(terms(stored[0].text)) if stored is not None else Counter[str]()
        total = counts.total()
        passages.update(counts.keys())
        for name, count in counts.items():
            model[name] += weight * count / total
    shared = [name for name in model if passages[name] > 1 and name not in own and not name.isdigit()]
    first = sorted(shared, key=lambda name: -model[name])[:_TERMS]
    return [(name, model[name] / model[first[0]]) for name in first]
