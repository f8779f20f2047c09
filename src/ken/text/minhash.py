"""MinHash: how alike two texts are, estimated from signatures of fixed length, and who may be alike at all, by banding.

A text is the set of its shingles, runs of `SHINGLE` words (Broder, "On the resemblance and containment of documents",
1997). The resemblance of two texts is the Jaccard similarity of their sets. The smallest value of a random hash over a
set is equal for two sets with just that probability, so the share of equal positions of two signatures estimates it
with a standard deviation of at most 0.5 / sqrt(PERMUTATIONS) = 0.045. Signatures cut into bands of a few positions
(locality-sensitive hashing; Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4) bring together
pairs of resemblance s with probability 1 - (1 - s^ROWS)^BANDS: 0.998 at 0.8, 0.93 at 0.7, 0.28 at 0.5, 0.02 at 0.3.

Everything is seeded: the same texts give the same signatures on every machine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SHINGLE = 4
"""Words in a shingle."""
BANDS = 21
ROWS = 6
PERMUTATIONS = BANDS * ROWS
"""Positions of a signature."""

_SEED = 20_260_101
_BLOCK = 8_192
"""Shingles hashed at once: bounds the memory of a long text to 8 MB."""
_CROWDED = 64
"""Texts in a bucket above which not all its pairs are candidates."""
_WORD = re.compile(r"\w+")
_HALF = np.uint64(32)

_random = np.random.default_rng(_SEED)
_FACTORS = _random.integers(0, 2**64, PERMUTATIONS, dtype=np.uint64)
_SUMMANDS = _random.integers(0, 2**64, PERMUTATIONS, dtype=np.uint64)


def shingles(text: str) -> NDArray[np.uint32]:
    """The distinct shingles of a text as 32-bit hashes, ascending; case and punctuation are ignored.

    A text of fewer than `SHINGLE` words is one shingle; one without words has none.
    """
    return shingles_of(_WORD.findall(text.lower()))


def shingles_of(words: Sequence[str]) -> NDArray[np.uint32]:
    """The same of a text's words, in order and in lower case."""
    if not words:
        return np.empty(0, dtype=np.uint32)
    hashes = np.fromiter(map(_word_hash, words), dtype=np.uint64, count=len(words))
    width = min(SHINGLE, len(words))
    runs = hashes[: len(words) - width + 1].copy()
    for offset in range(1, width):
        runs = runs * np.uint64(0x9E37_79B9_7F4A_7C15) + hashes[offset : len(words) - width + 1 + offset]
    return np.unique((runs >> _HALF).astype(np.uint32))


@lru_cache(maxsize=100_000)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest(), "little")


def signature(of: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The signature of a set of shingles, shape (PERMUTATIONS,): the smallest value of each hash function over the set.

    The functions are (a * x + b mod 2^64) >> 32 with random a and b, strongly universal on 32-bit keys (Dietzfelbinger,
    "Universal hashing and k-wise independent random variables via integer arithmetic without primes", 1996). All bits
    are set where the set is empty.
    """
    smallest = np.full(PERMUTATIONS, 0xFFFF_FFFF, dtype=np.uint32)
    for start in range(0, len(of), _BLOCK):
        keys = of[start : start + _BLOCK].astype(np.uint64)
        values = (_FACTORS[:, None] * keys[None, :] + _SUMMANDS[:, None]) >> _HALF
        np.minimum(smallest, values.min(axis=1).astype(np.uint32), out=smallest)
    return smallest


def estimated(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    """The resemblance of two texts by their signatures, 0 to 1."""
    return int(np.count_nonzero(one == other)) / PERMUTATIONS


def jaccard(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    """The resemblance of two sets of shingles, exactly: |A and B| / |A or B|; 0 where both are empty."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    union = len(one) + len(other) - shared
    return shared / union if union else 0.0


def candidates(signatures: NDArray[np.uint32]) -> Iterator[tuple[int, int]]:
    """Pairs of rows (lower first, each once) that agree in all positions of one band at least.

    `signatures` has shape (n, PERMUTATIONS). Where more than 64 rows share a band, as pages made from one template do,
    each is paired with the first of them and with its neighbour only: time and memory stay linear, and a group of
    texts that are all alike stays connected.
    """
    seen: set[int] = set()
    count = len(signatures)
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * ROWS : (band + 1) * ROWS])
        for bucket in _buckets(part):
            for one, other in _pairs(bucket):
                if (key := one * count + other) not in seen:
                    seen.add(key)
                    yield one, other


def _buckets(part: NDArray[np.uint32]) -> Iterator[list[int]]:
    """Rows with equal contents, two or more together, in order."""
    if not len(part):
        return
    keys = part.view(np.dtype((np.void, part.dtype.itemsize * part.shape[1]))).reshape(-1)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(inverse.reshape(-1), kind="stable")
    ends = np.cumsum(counts)
    for index in np.flatnonzero(counts > 1):
        yield order[ends[index] - counts[index] : ends[index]].tolist()


def _pairs(bucket: Sequence[int]) -> Iterator[tuple[int, int]]:
    if len(bucket) <= _CROWDED:
        yield from ((one, other) for at, one in enumerate(bucket) for other in bucket[at + 1 :])
        return
    first = bucket[0]
    yield from ((first, other) for other in bucket[1:])
    yield from pairwise(bucket[1:])


def groups(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """What hangs together through `pairs`: each group ascending, groups by their first member."""
    leader: dict[int, int] = {}

    def find(member: int) -> int:
        root = member
        while leader.setdefault(root, root) != root:
            root = leader[root]
        while leader[member] != root:
            leader[member], member = root, leader[member]
        return root

    for one, other in pairs:
        first, second = sorted((find(one), find(other)))
        leader[second] = first
    found: dict[int, list[int]] = {}
    for member in sorted(leader):
        found.setdefault(find(member), []).append(member)
    return list(found.values())
