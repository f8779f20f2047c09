"""MinHash against exact Jaccard similarity on random sets and texts."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from ken.text.minhash import (
    PERMUTATIONS,
    SHINGLE,
    candidates,
    estimated,
    groups,
    jaccard,
    shingles,
    signature,
)


def pair_of_sets(resemblance: float, *, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of `size` random keys that share as many as `resemblance` asks for."""
    random_keys = np.random.default_rng(seed).choice(2**32, 2 * size, replace=False).astype(np.uint32)
    shared = round(2 * size * resemblance / (1 + resemblance))
    return np.sort(random_keys[:size]), np.sort(random_keys[size - shared : 2 * size - shared])


def random_words(count: int, *, seed: int) -> list[str]:
    """Words from a vocabulary of 5,000."""
    return [f"w{number}" for number in random.Random(seed).choices(range(5_000), k=count)]


@pytest.mark.parametrize("resemblance", [0.0, 0.1, 0.3, 0.5, 0.8, 0.95, 1.0])
def test_the_estimate_is_unbiased_and_as_sharp_as_theory_says(resemblance: float) -> None:
    """Over 100 random pairs: mean within three standard errors, spread at most a third above sqrt(s (1 - s) / k)."""
    errors: list[float] = []
    for seed in range(100):
        one, other = pair_of_sets(resemblance, size=400, seed=seed)
        errors.append(estimated(signature(one), signature(other)) - jaccard(one, other))
    spread = (resemblance * (1 - resemblance) / PERMUTATIONS) ** 0.5
    assert abs(np.mean(errors)) <= 3 * spread / 100**0.5 + 1e-3
    assert np.std(errors) <= 1.33 * spread + 1e-3


def test_jaccard_is_that_of_pythons_sets() -> None:
    """Shared over all, by a second implementation, on random sets of several sizes."""
    for seed in range(20):
        one, other = pair_of_sets(seed / 20, size=10 + 37 * seed, seed=seed)
        first, second = set(one.tolist()), set(other.tolist())
        assert jaccard(one, other) == len(first & second) / len(first | second)


def test_shingles_are_the_runs_of_words() -> None:
    """As many as there are distinct runs of four words; case, punctuation and white space change nothing."""
    words = random_words(300, seed=1)
    expected = {tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)}
    found = shingles(" ".join(words))
    assert len(found) == len(expected)
    assert np.array_equal(found, shingles("\n".join(words).upper() + "!"))
    assert list(found) == sorted(set(found.tolist()))


def test_short_texts_have_shingles_too() -> None:
    """Two words are one shingle, and no words are none; two empty sets are not alike."""
    assert len(shingles("Annual leave")) == 1
    assert np.array_equal(shingles("Annual leave"), shingles("annual  LEAVE."))
    assert len(shingles("-- !")) == 0
    assert jaccard(shingles(""), shingles("")) == 0.0


def test_the_order_of_words_counts() -> None:
    """Sentences of the same words in another order are no duplicates."""
    words = random_words(200, seed=2)
    assert jaccard(shingles(" ".join(words)), shingles(" ".join(sorted(words)))) < 0.05


@pytest.mark.parametrize(
    ("resemblance", "least", "most"), [(0.9, 1.0, 1.0), (0.8, 0.97, 1.0), (0.3, 0.0, 0.06), (0.0, 0.0, 0.0)]
)
def test_banding_finds_the_alike_and_leaves_out_the_rest(resemblance: float, least: float, most: float) -> None:
    """Of 200 pairs hidden among each other, the share that become candidates is what the S-curve says."""
    pairs = [pair_of_sets(resemblance, size=300, seed=seed) for seed in range(200)]
    found = set(candidates(np.array([signature(one) for pair in pairs for one in pair])))
    share = sum((2 * at, 2 * at + 1) in found for at in range(200)) / 200
    assert least <= share <= most
    assert all(one // 2 == other // 2 for one, other in found)


def test_thousands_of_equal_texts_stay_one_group_in_linear_time() -> None:
    """Pages made from one template do not make all pairs, and none of them is lost."""
    same = signature(shingles(" ".join(random_words(100, seed=3))))
    began = time.process_time()
    pairs = list(candidates(np.tile(same, (5_000, 1))))
    assert time.process_time() - began < 5
    assert len(pairs) < 10_000
    assert groups(pairs) == [list(range(5_000))]


def test_nothing_and_one_text_have_no_candidates() -> None:
    """An empty collection has none, and a single text is like no other."""
    assert list(candidates(np.empty((0, PERMUTATIONS), dtype=np.uint32))) == []
    assert list(candidates(signature(shingles("alone"))[None, :])) == []


def test_groups_are_what_hangs_together() -> None:
    """Chains join, separate pairs stay apart, members and groups are in order."""
    assert groups([(4, 7), (1, 2), (7, 9), (2, 0), (5, 5)]) == [[0, 1, 2], [4, 7, 9], [5]]


def test_signatures_are_the_same_on_every_machine() -> None:
    """Seeded hash functions and no use of Python's own hash: the first positions are these numbers."""
    found = signature(shingles("Leave is asked for in the portal and granted by the team lead."))
    assert found[:3].tolist() == FIRST_POSITIONS
    assert found.dtype == np.uint32


FIRST_POSITIONS = [189469516, 130276525, 987170695]
