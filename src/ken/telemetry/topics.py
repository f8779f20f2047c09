"""Which cluster of questions a question belongs to: k-means over the vectors of the first questions, kept as a few small centroids.

Clusters stay as they are, so that their shares can be compared between weeks (`topic_shift`). They carry the space of the vectors
in their names: another embedder begins anew. Lloyd, Least squares quantization in PCM, 1982; seeded as k-means++ (Arthur,
Vassilvitskii 2007).
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

CLUSTERS = 16
FIRST = 512
"""Questions whose vectors are collected before there are clusters."""
_ROUNDS = 25
_PER_UNIT = 127


class Facts(Protocol):
    """Where centroids are kept: `storage.facts`."""

    def get(self, key: str) -> str | None:
        """What is kept under a key."""
        ...

    def put(self, key: str, value: str) -> None:
        """Keep something under a key, where nothing is kept yet."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Centroids, [clusters, dimensions], each of length 1."""

    name: str
    """Short, and another one for other vectors."""
    centroids: Vectors

    def of(self, vector: Vectors) -> str:
        """The cluster of a question's vector: `NAME-NUMBER`."""
        return f"{self.name}-{int(np.argmax(self.centroids @ vector))}"

    def told(self) -> str:
        """As JSON: a byte for each number."""
        small = np.round(self.centroids * _PER_UNIT).astype(np.int8)
        return json.dumps(
            {"name": self.name, "shape": small.shape, "centroids": base64.b64encode(small.tobytes()).decode("ascii")}
        )

    @classmethod
    def read(cls, text: str) -> Clusters:
        """What `told` wrote."""
        told = json.loads(text)
        small = np.frombuffer(base64.b64decode(told["centroids"]), np.int8).reshape(told["shape"])
        return cls(told["name"], _unit(small.astype(np.float32)))


class Topics:
    """Tells the cluster of each question as it is retrieved; collects vectors until there are clusters.

    Nothing of a question stays but its cluster. What was collected and not yet clustered goes with the process.
    """

    def __init__(self, facts: Facts, *, dice: Callable[[], np.random.Generator] = np.random.default_rng) -> None:
        self._facts = facts
        self._dice = dice
        self._lock = threading.Lock()
        self._clusters: dict[str, Clusters] = {}
        self._collected: dict[str, list[Vectors]] = {}

    def of(self, vector: Vectors, *, space: str) -> str:
        """The cluster of a vector of length 1, of an embedder's space; empty while there are none. Takes microseconds."""
        known = self._clusters.get(space)
        if known is not None:
            return known.of(vector)
        with self._lock:
            collected = self._collected.setdefault(space, [])
            if len(collected) < FIRST:
                collected.append(np.asarray(vector, np.float32))
        return ""

    def settle(self) -> bool:
        """Look for the clusters of every space that was asked for, and make them where enough was collected; whether any were made.

        For a job, not for the question.
        """
        made = False
        with self._lock:
            waiting = {space: list(collected) for space, collected in self._collected.items()}
        for space, collected in waiting.items():
            kept = self._facts.get(_key(space))
            if kept is None and len(collected) >= FIRST:
                fitted = clustered(np.stack(collected), name=_name(space), dice=self._dice())
                self._facts.put(_key(space), fitted.told())
                kept = self._facts.get(_key(space))  # of two replicas, the first one's hold
                made = True
            if kept is not None:
                with self._lock:
                    self._clusters[space] = Clusters.read(kept)
                    self._collected.pop(space, None)
        return made


def clustered(vectors: Vectors, *, name: str, dice: np.random.Generator, clusters: int = CLUSTERS) -> Clusters:
    """Spherical k-means of vectors of length 1, [questions, dimensions]."""
    centroids = _seeded(vectors, clusters, dice)
    for _ in range(_ROUNDS):
        nearest = np.argmax(vectors @ centroids.T, axis=1)
        moved = np.stack(
            [
                vectors[nearest == at].sum(axis=0) if (nearest == at).any() else centroids[at]
                for at in range(len(centroids))
            ]
        )
        moved = _unit(moved)
        if np.allclose(moved, centroids, atol=1e-4):
            break
        centroids = moved
    return Clusters(name, centroids)


def _seeded(vectors: Vectors, clusters: int, dice: np.random.Generator) -> Vectors:
    """Centroids to begin with, far from each other."""
    chosen = [int(dice.integers(len(vectors)))]
    while len(chosen) < min(clusters, len(vectors)):
        apart = np.maximum(1 - (vectors @ vectors[chosen].T).max(axis=1), 0).astype(np.float64) ** 2
        if not apart.sum():
            break
        chosen.append(int(dice.choice(len(vectors), p=apart / apart.sum())))
    return vectors[chosen].copy()


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _name(space: str) -> str:
    return hashlib.sha256(space.encode()).hexdigest()[:4]


def _key(space: str) -> str:
    return f"topics:{_name(space)}"
