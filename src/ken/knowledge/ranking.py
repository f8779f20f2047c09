"""Ranking: lists are fused, candidates scored, scores calibrated. Pure array work over what an index found.

1. The index gives the best passages by BM25F and the best by their closest window: the candidates.
2. For these, the best sentence by cosine is a third list.
3. Reciprocal Rank Fusion of the three (Cormack, Clarke and Büttcher, SIGIR 2009), or the sum of their scores, keeps the
   best; as it ships, all.
4. The question's words are compared with those of what was kept (late.py).
5. A linear model over the raw scores orders it and says how likely each passage holds the answer (calibration.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.knowledge.calibration import WITH_WORDS, WITHOUT_WORDS, Model, PassageScores
from ken.knowledge.catalogue import Allowed, Catalogue
from ken.knowledge.index import Asked, Candidates, Index, Term
from ken.knowledge.late import interaction, title_similarities
from ken.knowledge.lexical import term_hash
from ken.knowledge.options import SearchOptions

LISTS = ("lexical", "dense", "sentence")
"""What fusion puts together, in the order of its weights."""
_SUPERSEDED = 0.6
"""A superseded document's relevance is multiplied by this: it is found, below what replaced it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One passage with its scores."""

    row: int
    document: int
    """Index into the catalogue's documents."""
    relevance: float
    standing: float
    """What `relevance` has been multiplied by: below 1 for a passage whose document was superseded."""
    lexical: float
    dense: float
    sentence: float
    fused: float
    coverage: float
    matched_terms: tuple[str, ...]
    term_scores: tuple[tuple[str, float], ...]
    """The terms of the question that add something to `lexical`, each with what, the most first."""
    ranks: tuple[tuple[str, int], ...]
    """Its place in each list that has it, by the list's name, 1 the best."""
    similarities: NDArray[np.float32]
    """Of each of its sentences with the question."""
    coverages: NDArray[np.float32]
    """Of each of its sentences."""
    interaction: float = 0.0
    """How near the question's words come to words of it (late.py); 0 where its words have no vectors."""
    rerank: float | None = None
    """What the reranker said of it; None where none read it."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best passages, best first."""

    passages: tuple[Ranked, ...]
    candidates: int
    """Passages that were looked at before fusion cut the list."""
    terms: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Fused:
    """The passages that fusion kept, best first by fusion, and what they are ordered by; n of them."""

    found: Candidates
    kept: NDArray[np.int64]
    """Shape (n,): places in `found`."""
    scores: PassageScores
    model: Model
    fused: NDArray[np.float64]
    ranks: NDArray[np.int64]
    """Shape (n, lists): the place in each of `LISTS`, 1 the best; 0 in one that hasn't it."""
    sentences: _Sentences


def rank(index: Index, asked: Asked, *, allowed: Allowed, options: SearchOptions, limit: int) -> Ranking:
    """The passages most likely to hold the answer, best first."""
    if not allowed.documents.any():
        return Ranking((), 0, ())
    one = fuse(index.candidates(asked, allowed, depth=options.depth), asked, catalogue=index.catalogue, options=options)
    found = one.found
    superseded = [index.catalogue.is_superseded(int(found.documents[at]), allowed) for at in one.kept]
    standing = np.where(np.array(superseded, dtype=np.bool_), _SUPERSEDED, 1.0)
    score = one.model.score(one.scores)
    # What was superseded says the same as its successor, and takes nothing from it.
    relevance = one.model.relevance(score, standing == 1.0) * standing
    # Beyond the last knot of the calibration all are equally relevant.
    order = np.lexsort((-score, -relevance))[:limit]
    lexical = found.lexical
    passages: list[Ranked] = []
    for i in order:
        at = int(one.kept[i])
        held = found.term_worths[at] > 0
        passages.append(
            Ranked(
                row=int(found.rows[at]),
                document=int(found.documents[at]),
                relevance=float(relevance[i]),
                standing=float(standing[i]),
                lexical=float(lexical[at]),
                dense=float(found.dense[at]),
                sentence=float(one.scores.sentence[i]),
                fused=float(one.fused[i]),
                coverage=float(one.scores.coverage[i]),
                matched_terms=tuple(term.name for term, is_held in zip(asked.terms, held, strict=True) if is_held),
                term_scores=_adding(asked.terms, found.term_scores[at]),
                ranks=tuple((name, place) for name, place in zip(LISTS, one.ranks[i].tolist(), strict=True) if place),
                similarities=one.sentences.similarities(at),
                coverages=one.sentences.coverages(at),
                interaction=float(one.scores.interaction[i]),
            )
        )
    rarity = zip((term.name for term in asked.terms), found.rarity.tolist(), strict=True)
    return Ranking(tuple(passages), len(found.rows), tuple(rarity))


def _adding(terms: Sequence[Term], scores: NDArray[np.float32]) -> tuple[tuple[str, float], ...]:
    pairs = zip((term.name for term in terms), scores.tolist(), strict=True)
    return tuple(sorted((pair for pair in pairs if pair[1] > 0), key=lambda pair: -pair[1]))


# Products of a few numbers may raise the flag for lanes of a vector register that hold none of them.
@np.errstate(invalid="ignore")
def fuse(found: Candidates, asked: Asked, *, catalogue: Catalogue, options: SearchOptions) -> Fused:
    """Add the list of the best sentences, fuse the three lists, and keep the best passages with their scores."""
    sentences = _Sentences.of(found, asked)
    lexical = found.lexical
    weighed = (
        (lexical, options.lexical_weight),
        (found.dense, options.dense_weight),
        (sentences.best_similarity, options.sentence_weight),
    )
    fused, ranks = _fused(weighed, options)
    kept = np.argsort(-fused, kind="stable")[: options.rescored]
    total = float(found.rarity.sum()) or 1.0
    rarity = dict(zip((term.name for term in asked.terms), found.rarity.tolist(), strict=True))
    places: list[int] = found.documents[kept].tolist()
    sizes = np.array([catalogue.documents[place].passages for place in places], dtype=np.float32)
    return Fused(
        found=found,
        kept=kept,
        scores=PassageScores(
            dense=found.dense[kept],
            sentence=sentences.best_similarity[kept],
            mean_sentence=sentences.mean_similarity[kept],
            coverage=(found.term_worths[kept] @ found.rarity) / np.float32(total),
            sentence_coverage=sentences.best_coverage[kept],
            interaction=interaction(asked.words, found.words, rarity=rarity)[kept],
            title=title_similarities(asked.words, found.words)[kept],
            words=np.log1p(found.words.counts[kept]).astype(np.float32),
            passages=np.log(np.maximum(sizes, np.float32(1))),
        ),
        model=WITH_WORDS if asked.words.terms and found.words.are_known else WITHOUT_WORDS,
        fused=fused[kept],
        ranks=ranks[kept],
        sentences=sentences,
    )


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The sentences of the candidate passages against the question; candidate i owns [bounds[i], bounds[i + 1])."""

    bounds: NDArray[np.int64]
    similarity: NDArray[np.float32]
    coverage: NDArray[np.float32]
    best_similarity: NDArray[np.float32]
    """Shape (candidates,); -1 for a passage without sentences."""
    mean_similarity: NDArray[np.float32]
    """The same."""
    best_coverage: NDArray[np.float32]

    @classmethod
    def of(cls, found: Candidates, asked: Asked) -> _Sentences:
        bounds = found.sentence_bounds
        similarity = np.asarray(found.sentences.astype(np.float32) @ (asked.vector / np.float32(127)), np.float32)
        coverage = _coverage(found, asked.terms)
        return cls(
            bounds=bounds,
            similarity=similarity,
            coverage=coverage,
            best_similarity=_best(similarity, bounds, otherwise=-1.0),
            mean_similarity=_mean(similarity, bounds, otherwise=-1.0),
            best_coverage=_best(coverage, bounds, otherwise=0.0),
        )

    def similarities(self, candidate: int) -> NDArray[np.float32]:
        return self.similarity[self.bounds[candidate] : self.bounds[candidate + 1]]

    def coverages(self, candidate: int) -> NDArray[np.float32]:
        return self.coverage[self.bounds[candidate] : self.bounds[candidate + 1]]


def _coverage(found: Candidates, asked: Sequence[Term]) -> NDArray[np.float32]:
    """Share of the question's terms in each sentence, weighted by rarity; shape (sentences,)."""
    total = float(found.rarity.sum())
    size = len(found.sentence_term_bounds) - 1
    if not total or not size:
        return np.zeros(size, dtype=np.float32)
    known = [
        (term_hash(name), column, worth)
        for column, term in enumerate(asked)
        for name, worth in ((term.name, 1.0), *term.others)
    ]
    known.sort()
    hashes = np.array([each[0] for each in known], dtype=np.uint64)
    columns = np.array([each[1] for each in known], dtype=np.int64)
    worths = np.array([each[2] for each in known], dtype=np.float32)
    owners = np.repeat(np.arange(size), np.diff(found.sentence_term_bounds))
    held = np.zeros((size, len(asked)), dtype=np.float32)
    # A term may stand under several names, and a name under several terms.
    first = np.searchsorted(hashes, found.sentence_terms, side="left")
    counts = np.searchsorted(hashes, found.sentence_terms, side="right") - first
    for more in range(int(counts.max(initial=0))):
        at = np.flatnonzero(counts > more)
        places = first[at] + more
        np.maximum.at(held, (owners[at], columns[places]), worths[places])
    return np.asarray(held @ found.rarity / np.float32(total), np.float32)


def _mean(values: NDArray[np.float32], bounds: NDArray[np.int64], *, otherwise: float) -> NDArray[np.float32]:
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    counts = np.diff(bounds)
    means = (sums[bounds[1:]] - sums[bounds[:-1]]) / np.maximum(counts, 1)
    return np.where(counts > 0, means, otherwise).astype(np.float32)


def _best(values: NDArray[np.float32], bounds: NDArray[np.int64], *, otherwise: float) -> NDArray[np.float32]:
    best = np.full(len(bounds) - 1, otherwise, dtype=np.float32)
    filled = np.flatnonzero(np.diff(bounds))
    if len(filled):
        best[filled] = np.maximum.reduceat(values, bounds[:-1][filled])
    return best


def _fused(
    lists: Sequence[tuple[NDArray[np.float32], float]], options: SearchOptions
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The fused score of n passages, and their places, shape (n, lists), 0 in a list that hasn't them."""
    size = len(lists[0][0])
    fused = np.zeros(size, dtype=np.float64)
    places = np.zeros((size, len(lists)), dtype=np.int64)
    for column, (scores, weight) in enumerate(lists):
        order = np.argsort(-scores, kind="stable")
        ranks = np.empty(size, dtype=np.int64)
        ranks[order] = np.arange(1, size + 1)
        places[:, column] = np.where(scores > 0, ranks, 0)
        shares = _between_0_and_1(scores) if options.fusion == "sum" else 1 / (options.fusion_k + ranks)
        fused += np.where(scores > 0, weight * shares, 0.0)
    return fused, places


def _between_0_and_1(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """The scores of a list: 1 for its best, 0 for its last (Fox and Shaw, TREC-2, 1994: CombSUM over min-max scores)."""
    listed = scores[scores > 0]
    low, high = (float(listed.min()), float(listed.max())) if len(listed) else (0.0, 1.0)
    return (scores.astype(np.float64) - low) / max(high - low, 1e-9)
