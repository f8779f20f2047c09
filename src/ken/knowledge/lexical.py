"""The lexical index: BM25F over three fields, as memory-mapped arrays.

BM25F: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.6. The weight
of each posting is worked out when the index is built (as in BM25S, Lù 2024), so that a search adds up one array for
each term of the question. Terms are kept as 64-bit hashes: no word of a deleted document stays behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.knowledge.arrays import Best
from ken.knowledge.index import Term

Number = TypeVar("Number", bound=np.generic)

TERM_DTYPE = np.dtype([("term", "<u8"), ("body", "<u2"), ("heading", "<u2"), ("title", "<u2")])
"""One term of one passage: its hash, and how often it stands in each field."""

K1 = 1.2
FIELDS = (("body", 1.0, 0.6), ("heading", 1.6, 0.4), ("title", 1.6, 0.4))
"""Field, weight, length normalisation b."""
_BLOCK = 65_536


@lru_cache(maxsize=200_000)
def term_hash(term: str) -> int:
    """The 64-bit name of a term in the index."""
    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True)
class LexicalIndex:
    """Postings in compressed-row form, one row for each term, sorted by term hash."""

    terms: NDArray[np.uint64]
    """Shape (T,), ascending."""
    bounds: NDArray[np.int64]
    """Shape (T + 1,): postings of term i are [bounds[i], bounds[i + 1])."""
    rows: NDArray[np.int32]
    """Shape (P,): the passage's row."""
    weights: NDArray[np.float32]
    """Shape (P,): what the posting adds to the passage's score."""
    collections: NDArray[np.int32]
    """Shape (n,): the number of each passage's collection. Statistics are a collection's own: how rare a term is in one
    tells nothing about another."""
    sizes: NDArray[np.int64]
    """Passages of each collection."""

    @property
    def size(self) -> int:
        """Passages in the index."""
        return len(self.collections)

    def best(self, terms: Sequence[Term], allowed: NDArray[np.bool_], *, depth: int) -> NDArray[np.int64]:
        """The `depth` allowed passages with the highest BM25F scores above 0, in no order; `allowed`: shape (size,)."""
        scores = np.zeros(self.size, dtype=np.float32)
        for term in terms:
            if not term.others:
                rows, weights = self._postings(term.name)
                # A passage stands at most once under a term, so that plain fancy-indexed addition is right.
                scores[rows] += weights
                continue
            best = np.zeros(self.size, dtype=np.float32)
            for name, worth in ((term.name, 1.0), *term.others):
                rows, weights = self._postings(name)
                best[rows] = np.maximum(best[rows], weights * np.float32(worth))
            scores += best
        np.multiply(scores, allowed, out=scores)
        found = Best(depth, above=0.0)
        for start in range(0, self.size, _BLOCK):
            found.take(scores[start : start + _BLOCK], start)
        return found.rows

    def term_scores(
        self, terms: Sequence[Term], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What each term adds to the score of a few passages, and its worth there; shapes (rows, terms)."""
        scores = np.zeros((len(rows), len(terms)), dtype=np.float32)
        worths = np.zeros_like(scores)
        for column, term in enumerate(terms):
            for name, worth in ((term.name, 1.0), *term.others):
                held, weights = self._postings(name)
                if len(held):
                    # Postings of a term are in the order of their rows.
                    places = np.minimum(np.searchsorted(held, rows), len(held) - 1)
                    given = np.where(held[places] == rows, np.float32(worth), np.float32(0))
                    scores[:, column] = np.maximum(scores[:, column], given * weights[places])
                    worths[:, column] = np.maximum(worths[:, column], given)
        return scores, worths

    def rarity(self, terms: Sequence[Term], collections: NDArray[np.int32]) -> NDArray[np.float32]:
        """Inverse document frequency of each term in these collections, shape (terms,).

        A term that no passage there holds has that of the most frequent term that counts for it, or else the highest.
        """
        counts = np.zeros(len(self.sizes), dtype=np.bool_)
        counts[collections] = True
        size = int(self.sizes[counts].sum())

        def frequency(name: str) -> int:
            rows, _ = self._postings(name)
            return len(rows) if counts.all() else int(np.count_nonzero(counts[self.collections[rows]]))

        found: list[float] = []
        for term in terms:
            held = frequency(term.name) or max((frequency(name) for name, _ in term.others), default=0)
            found.append(math.log1p((size - held + 0.5) / (held + 0.5)))
        return np.array(found, dtype=np.float32)

    def _postings(self, name: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Rows that hold a term, ascending, and what it adds to the score of each."""
        position = self._position(name)
        start, end = (0, 0) if position is None else (self.bounds[position], self.bounds[position + 1])
        return self.rows[start:end], self.weights[start:end]

    def _position(self, term: str) -> int | None:
        wanted = np.uint64(term_hash(term))
        position = int(np.searchsorted(self.terms, wanted))
        return position if position < len(self.terms) and self.terms[position] == wanted else None


class Blank(Protocol):
    """Where postings are written to."""

    def __call__(self, name: str, dtype: type[Number], /, *, length: int) -> NDArray[Number]:
        """An array of shape (length,) to be written in any order."""
        ...


def in_memory(name: str, dtype: type[Number], *, length: int) -> NDArray[Number]:
    """An array that is kept nowhere else."""
    del name
    return np.empty(length, dtype=dtype)


Batch = tuple[NDArray[np.int32], NDArray[np.void]]
"""Some passages in a row: how many terms each has, and these (TERM_DTYPE, each term once a passage)."""


def build(
    batches: Callable[[], Iterable[Batch]], collections: NDArray[np.int32], *, blank: Blank = in_memory
) -> LexicalIndex:
    """Index the passages' terms, which are read twice; row i, in the order of the batches, belongs to collections[i].

    Average lengths and document frequencies are each collection's. Only the postings of one batch are held at a time,
    beside what `blank` gives.
    """
    counted = _Counted(collections)
    for batch in batches():
        counted.take(*batch)
    terms, pairs, frequencies = counted.terms()
    norms = counted.norms()
    bounds = np.concatenate(
        [[0], np.cumsum(np.bincount(pairs // counted.stride, weights=frequencies, minlength=len(terms)))]
    )
    bounds = bounds.astype(np.int64)
    rows = blank("rows", np.int32, length=int(bounds[-1]))
    weights = blank("weights", np.float32, length=int(bounds[-1]))
    filled = bounds[:-1].copy()
    first = 0
    for counts, postings in batches():
        of_passage = np.repeat(np.arange(first, first + len(counts), dtype=np.int32), counts)
        first += len(counts)
        order = np.argsort(postings["term"], kind="stable")
        of_term = np.searchsorted(terms, postings["term"][order])
        passages = of_passage[order]
        tf = _frequency(postings, of_passage, norms)[order]
        of_posting = collections[passages]
        # A posting's idf counts the postings of its term in its own collection.
        held = frequencies[np.searchsorted(pairs, of_term * counted.stride + of_posting)]
        distinct, starts, repeats = np.unique(of_term, return_index=True, return_counts=True)
        places = np.repeat(filled[distinct] - starts, repeats) + np.arange(len(of_term))
        filled[distinct] += repeats
        rows[places] = passages
        weights[places] = _idf(held, counted.sizes[of_posting]) * tf * (K1 + 1.0) / (K1 + tf)
    return LexicalIndex(
        terms=terms, bounds=bounds, rows=rows, weights=weights, collections=collections, sizes=counted.sizes
    )


class _Counted:
    """What has to be known of all passages before one posting can be weighed."""

    def __init__(self, collections: NDArray[np.int32]) -> None:
        self._collections = collections
        self.sizes: NDArray[np.int64] = np.bincount(collections)
        self.stride = max(1, len(self.sizes))
        self._lengths = np.zeros((len(FIELDS), len(collections)), dtype=np.float64)
        self._taken = 0
        self._terms: list[tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64]]] = []

    def take(self, counts: NDArray[np.int32], postings: NDArray[np.void]) -> None:
        """Count the next passages."""
        last = self._taken + len(counts)
        rows = np.repeat(np.arange(len(counts)), counts)
        for lengths, (field, _, _) in zip(self._lengths, FIELDS, strict=True):
            lengths[self._taken : last] = np.bincount(rows, weights=postings[field], minlength=len(counts))
        of_posting = self._collections[self._taken : last][rows]
        self._taken = last
        for collection in np.unique(of_posting):
            names, held = np.unique(postings["term"][of_posting == collection], return_counts=True)
            self._terms.append((names, np.full(len(names), collection, dtype=np.int32), held))

    def terms(self) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        """Every term, ascending; each term in each collection, as term * stride + collection, ascending; passages with it."""
        if not self._terms:
            return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
        names, collections, held = (np.concatenate(parts) for parts in zip(*self._terms, strict=True))
        terms, places = np.unique(names, return_inverse=True)
        pairs, of_pair = np.unique(places * self.stride + collections, return_inverse=True)
        return terms, pairs, np.bincount(of_pair, weights=held, minlength=len(pairs)).astype(np.int64)

    def norms(self) -> list[NDArray[np.float32]]:
        """For each field what a passage's counts are divided by, shape (passages,)."""
        found: list[NDArray[np.float32]] = []
        for lengths, (_, _, b) in zip(self._lengths, FIELDS, strict=True):
            average = np.bincount(self._collections, weights=lengths) / np.maximum(self.sizes, 1)
            norm = 1.0 - b + b * lengths / np.where(average > 0, average, 1.0)[self._collections]
            found.append(norm.astype(np.float32))
        return found


def _frequency(
    postings: NDArray[np.void], rows: NDArray[np.int32], norms: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The weighed frequency of each posting over the fields."""
    frequency = np.zeros(len(postings), dtype=np.float32)
    for norm, (field, weight, _) in zip(norms, FIELDS, strict=True):
        frequency += weight * postings[field] / norm[rows]
    return frequency


def _idf(frequency: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lucene's form, never negative: ln(1 + (N - n + 0.5) / (n + 0.5))."""
    return np.log1p((size - frequency + 0.5) / (frequency + 0.5))
