"""Ranking: lists are fused, candidates scored, scores calibrated. Pure array work over one generation.

1. Lexical (BM25F) and dense (best window) scores for every passage that may be read.
2. The best of each list are candidates; for these, the best sentence by cosine is a third list.
3. Reciprocal Rank Fusion of the three (Cormack, Clarke and Büttcher, SIGIR 2009) keeps the best few.
4. A logistic model over the raw scores orders those and says how likely each holds the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.knowledge.calibration import PassageScores, passage_relevance
from ken.knowledge.generation import Generation
from ken.knowledge.lexical import term_hash
from ken.text.tokens import terms

_DEPTH = 80
"""Candidates from each list; with more, the same questions find the same passages, later."""
_FUSION_K = 20
"""The constant of Reciprocal Rank Fusion. Three short lists want it smaller than the paper's 60 for long ones."""
_RESCORED = 50
_SUPERSEDED = 0.6
"""A superseded document's relevance is multiplied by this: it is found, below what replaced it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One passage with its scores."""

    row: int
    relevance: float
    lexical: float
    dense: float
    fused: float
    coverage: float
    matched_terms: tuple[str, ...]
    similarities: NDArray[np.float32]
    """Of each of its sentences with the question."""
    coverages: NDArray[np.float32]
    """Of each of its sentences."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best passages, best first."""

    passages: tuple[Ranked, ...]
    candidates: int
    terms: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The passages that fusion kept, best first by fusion, with everything that is known of each; n of them."""

    rows: NDArray[np.int64]
    scores: PassageScores
    lexical: NDArray[np.float32]
    fused: NDArray[np.float64]
    similarities: tuple[NDArray[np.float32], ...]
    coverages: tuple[NDArray[np.float32], ...]
    scored: int
    """Passages that were looked at before fusion cut the list."""
    terms: tuple[tuple[str, float], ...]


def candidates(
    generation: Generation, query: str, *, vector: NDArray[np.float32], readable: NDArray[np.bool_]
) -> Candidates:
    """Score one generation; only rows where `readable` holds take part, from the first list on."""
    rarity = generation.lexical.rarity(terms(query), readable)
    lexical, matched = generation.lexical.search(rarity)
    lexical[~readable] = 0.0
    dense = np.maximum.reduceat(generation.windows @ vector, generation.window_bounds[:-1])
    dense[~readable] = -1.0

    found = np.union1d(_top(lexical, _DEPTH, above=0.0), _top(dense, _DEPTH, above=-1.0))
    sentences = _Sentences.of(generation, found, vector=vector, rarity=rarity)
    fused = _fuse([lexical[found], dense[found], sentences.best_similarity])
    best = np.argsort(-fused, kind="stable")[:_RESCORED]
    rows = found[best]
    return Candidates(
        rows=rows,
        scores=PassageScores(
            lexical=lexical[rows] / max(float(lexical.max()), 1e-6),
            dense=dense[rows],
            sentence=sentences.best_similarity[best],
            coverage=matched[rows] / np.float32(sum(rarity.values()) or 1.0),
            sentence_coverage=sentences.best_coverage[best],
        ),
        lexical=lexical[rows],
        fused=fused[best],
        similarities=tuple(sentences.similarities(int(i)) for i in best),
        coverages=tuple(sentences.coverages(int(i)) for i in best),
        scored=len(found),
        terms=tuple(rarity.items()),
    )


def rank(
    generation: Generation, query: str, *, vector: NDArray[np.float32], readable: NDArray[np.bool_], limit: int
) -> Ranking:
    """The passages most likely to hold the answer, best first."""
    if not readable.any():
        return Ranking((), 0, ())
    found = candidates(generation, query, vector=vector, readable=readable)
    standing = _standing(generation, found.rows, readable=readable)
    relevance = passage_relevance(found.scores) * standing
    order = np.argsort(-relevance, kind="stable")[:limit]
    held = generation.lexical.held([term for term, _ in found.terms], found.rows[order])
    passages = tuple(
        Ranked(
            row=int(found.rows[i]),
            relevance=float(relevance[i]),
            lexical=float(found.lexical[i]),
            dense=float(found.scores.dense[i]),
            fused=float(found.fused[i]),
            coverage=float(found.scores.coverage[i]),
            matched_terms=matched,
            similarities=found.similarities[i],
            coverages=found.coverages[i],
        )
        for i, matched in zip(order, held, strict=True)
    )
    return Ranking(passages, found.scored, found.terms)


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The sentences of the candidate passages against the question; candidate i owns [bounds[i], bounds[i + 1])."""

    bounds: NDArray[np.int64]
    similarity: NDArray[np.float32]
    coverage: NDArray[np.float32]
    best_similarity: NDArray[np.float32]
    """Shape (candidates,); -1 for a passage without sentences."""
    best_coverage: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        generation: Generation,
        rows: NDArray[np.int64],
        *,
        vector: NDArray[np.float32],
        rarity: Mapping[str, float],
    ) -> _Sentences:
        picked, bounds = _ranges(generation.sentence_bounds, rows)
        similarity = np.asarray(
            generation.sentences[picked].astype(np.float32) @ (vector / np.float32(127)), np.float32
        )
        coverage = _coverage(generation, picked, rarity)
        return cls(
            bounds=bounds,
            similarity=similarity,
            coverage=coverage,
            best_similarity=_best(similarity, bounds, otherwise=-1.0),
            best_coverage=_best(coverage, bounds, otherwise=0.0),
        )

    def similarities(self, candidate: int) -> NDArray[np.float32]:
        return self.similarity[self.bounds[candidate] : self.bounds[candidate + 1]]

    def coverages(self, candidate: int) -> NDArray[np.float32]:
        return self.coverage[self.bounds[candidate] : self.bounds[candidate + 1]]


def _coverage(generation: Generation, sentences: NDArray[np.int64], rarity: Mapping[str, float]) -> NDArray[np.float32]:
    """Share of the question's terms in each sentence, weighted by rarity."""
    total = sum(rarity.values())
    if not total or not len(sentences):
        return np.zeros(len(sentences), dtype=np.float32)
    hashes = np.array([term_hash(term) for term in rarity], dtype=np.uint64)
    weights = np.array(list(rarity.values()), dtype=np.float32)
    order = np.argsort(hashes)
    hashes, weights = hashes[order], weights[order]
    picked, bounds = _ranges(generation.sentence_term_bounds, sentences)
    held = generation.sentence_terms[picked]
    place = np.minimum(np.searchsorted(hashes, held), len(hashes) - 1)
    worth = np.where(hashes[place] == held, weights[place], np.float32(0))
    return np.asarray(np.add.reduceat(worth, bounds[:-1]) / np.float32(total), np.float32)


def _ranges(bounds: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every index of [bounds[r], bounds[r + 1]) for each row r, one after the other; and where each row's begin."""
    counts = bounds[rows + 1] - bounds[rows]
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(bounds[rows] - ends[:-1], counts) + np.arange(ends[-1]), ends


def _best(values: NDArray[np.float32], bounds: NDArray[np.int64], *, otherwise: float) -> NDArray[np.float32]:
    best = np.full(len(bounds) - 1, otherwise, dtype=np.float32)
    filled = np.flatnonzero(np.diff(bounds))
    if len(filled):
        best[filled] = np.maximum.reduceat(values, bounds[:-1][filled])
    return best


def _top(scores: NDArray[np.float32], count: int, *, above: float) -> NDArray[np.int64]:
    """Rows of the highest scores that lie above a floor."""
    kept = np.flatnonzero(scores > above)
    return kept if len(kept) <= count else kept[np.argpartition(-scores[kept], count)[:count]]


def _fuse(lists: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    fused = np.zeros(len(lists[0]), dtype=np.float64)
    for scores in lists:
        order = np.argsort(-scores, kind="stable")
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(1, len(order) + 1)
        fused += np.where(scores > 0, 1.0 / (_FUSION_K + ranks), 0.0)
    return fused


def _standing(generation: Generation, rows: NDArray[np.int64], *, readable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What a passage's relevance is multiplied by for its document's standing.

    A successor that may not be read counts for nothing: a score would tell that it is there.
    """
    superseded = [generation.is_superseded(int(row), readable) for row in rows]
    return np.where(np.array(superseded, dtype=np.bool_), _SUPERSEDED, 1.0)
