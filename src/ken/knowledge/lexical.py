"""The lexical index: BM25F over three fields, as memory-mapped arrays.

BM25F: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.6. The weight
of each posting is worked out when the index is built (as in BM25S, Lù 2024), so that a search adds up one array for
each term of the question. Terms are kept as 64-bit hashes: no word of a deleted document stays behind.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ken.knowledge.index import Term

TERM_DTYPE = np.dtype([("term", "<u8"), ("body", "<u2"), ("heading", "<u2"), ("title", "<u2")])
"""One term of one passage: its hash, and how often it stands in each field."""

K1 = 1.2
FIELDS = (("body", 1.0, 0.6), ("heading", 1.6, 0.4), ("title", 1.6, 0.4))
"""Field, weight, length normalisation b."""


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

    @property
    def size(self) -> int:
        """Passages in the index."""
        return len(self.collections)

    def scores(self, terms: Sequence[Term]) -> NDArray[np.float32]:
        """BM25F score of every passage for these terms, shape (size,)."""
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
        return scores

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
        sizes = np.bincount(self.collections)
        counts = np.zeros(len(sizes), dtype=np.bool_)
        counts[collections] = True
        size = int(sizes[counts].sum())

        def frequency(name: str) -> int:
            return int(np.count_nonzero(counts[self.collections[self._postings(name)[0]]]))

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


def build(passages: Sequence[NDArray[np.void]], collections: NDArray[np.int32]) -> LexicalIndex:
    """Index the passages' terms (arrays of TERM_DTYPE, each term once a passage).

    Row i is passages[i] and belongs to collections[i]; average lengths and document frequencies are each collection's.
    """
    size = len(passages)
    sizes = np.bincount(collections)
    counts = np.array([len(passage) for passage in passages], dtype=np.int64)
    postings = np.concatenate(passages) if size else np.empty(0, dtype=TERM_DTYPE)
    rows = np.repeat(np.arange(size, dtype=np.int32), counts)

    frequency = np.zeros(len(postings), dtype=np.float32)
    for field, weight, b in FIELDS:
        lengths = np.bincount(rows, weights=postings[field], minlength=size)
        average = np.bincount(collections, weights=lengths) / np.maximum(sizes, 1)
        norm = 1.0 - b + b * lengths / np.where(average > 0, average, 1.0)[collections]
        frequency += weight * postings[field] / norm[rows].astype(np.float32)

    order = np.argsort(postings["term"], kind="stable")
    sorted_terms = postings["term"][order]
    terms, starts = np.unique(sorted_terms, return_index=True)
    bounds = np.append(starts, len(sorted_terms)).astype(np.int64)
    of_term = np.repeat(np.arange(len(terms), dtype=np.int64), np.diff(bounds))
    of_posting = collections[rows[order]]
    # A posting's idf counts the postings of its term in its own collection.
    place, pairs = np.unique(of_term * max(1, len(sizes)) + of_posting, return_inverse=True)
    frequencies = np.bincount(pairs, minlength=len(place))[pairs]
    tf = frequency[order]
    weights = (_idf(frequencies, sizes[of_posting]) * tf * (K1 + 1.0) / (K1 + tf)).astype(np.float32)
    return LexicalIndex(terms=terms, bounds=bounds, rows=rows[order], weights=weights, collections=collections)


def _idf(frequency: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lucene's form, never negative: ln(1 + (N - n + 0.5) / (n + 0.5))."""
    return np.log1p((size - frequency + 0.5) / (frequency + 0.5))
