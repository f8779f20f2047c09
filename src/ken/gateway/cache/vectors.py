"""The vectors of the questions whose answers are kept, in memory: those near a question, within one key space.

In a small space every vector is compared. For a large one there is a graph (HNSW: Malkov and Yashunin, 2018), built in a thread of
its own while all are still compared; it has the nearest in half a millisecond, and misses one in some hundreds of them.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

import numkong
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from usearch.index import Index

GRAPH_FROM = 20_000
"""Questions of one space from which on there is a graph."""
_AT_ONCE = 50
"""Vectors put into a graph between two looks at what else is to be done."""
_CONNECTIVITY, _EXPANSION = 16, 64
_ROOM = 64
_ROUNDING = 0.01
"""What int8 may take from a cosine, with a margin: who is found by it is compared exactly."""


@dataclass(slots=True)
class _Space:
    """Rows [0, size) are in use."""

    vectors: NDArray[np.int8]
    scales: NDArray[np.float32]
    """Of each row: its vector times this has length 1."""
    ids: NDArray[np.int64]
    size: int = 0
    graph: Index | None = None
    is_building: bool = False
    late: set[int] = field(default_factory=set[int])
    """Answers removed while the graph is built."""


class QuestionVectors:
    """Not safe for threads: its owner has a lock, which is also taken, for moments, while a graph is built."""

    def __init__(self, lock: threading.Lock, *, graph_from: int = GRAPH_FROM) -> None:
        self._lock = lock
        self._graph_from = graph_from
        self._spaces: dict[str, _Space] = {}
        self._places: dict[int, tuple[str, int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, answer: int, space: str, *, vector: NDArray[np.floating]) -> None:
        """Take the vector of an answer's question, of any length but 0; one that is known already stays."""
        if answer in self._places:
            return
        held = self._spaces.get(space)
        if held is None:
            held = self._spaces[space] = _Space(
                np.zeros((_ROOM, len(vector)), np.int8), np.zeros(_ROOM, np.float32), np.zeros(_ROOM, np.int64)
            )
        if held.size == len(held.ids):
            held.vectors = np.concatenate([held.vectors, np.zeros_like(held.vectors)])
            held.scales = np.concatenate([held.scales, np.zeros_like(held.scales)])
            held.ids = np.concatenate([held.ids, np.zeros_like(held.ids)])
        exact = vector.astype(np.float32)
        step = float(np.abs(exact).max()) / 127
        held.vectors[held.size] = np.rint(exact / step)
        held.scales[held.size] = step
        held.ids[held.size] = answer
        self._places[answer] = (space, held.size)
        held.size += 1
        if held.graph is not None:
            held.graph.add(answer, held.vectors[held.size - 1], threads=1)
        elif held.size >= self._graph_from and not held.is_building:
            held.is_building = True
            threading.Thread(target=self._build, args=(held,), name="ken-cache-graph", daemon=True).start()

    @property
    def is_building(self) -> bool:
        """Whether a graph is on its way: until then a large space takes longer."""
        return any(held.is_building for held in self._spaces.values())

    def has_any(self, space: str) -> bool:
        """Whether there are questions in a space."""
        return space in self._spaces

    def remove(self, answers: Collection[int]) -> None:
        """Forget answers; those that aren't known are passed over."""
        for answer in answers:
            space, at = self._places.pop(answer, ("", -1))
            held = self._spaces.get(space)
            if held is None:
                continue
            last = held.size - 1
            if at != last:
                held.vectors[at], held.scales[at], held.ids[at] = held.vectors[last], held.scales[last], held.ids[last]
                self._places[int(held.ids[at])] = (space, at)
            held.size = last
            if held.graph is not None:
                held.graph.remove(answer)
            elif held.is_building:
                held.late.add(answer)
            if not last:
                del self._spaces[space]

    def keep(self, answers: Collection[int]) -> None:
        """Forget all others."""
        self.remove([answer for answer in self._places if answer not in answers])

    def near(self, space: str, vector: NDArray[np.float32], *, least: float, limit: int) -> list[int]:
        """The answers of a space whose questions may have a cosine of `least` or more with this one of length 1.

        At most `limit` of them, the nearest first as far as int8 tells.
        """
        held = self._spaces.get(space)
        if held is None:
            return []
        step = np.float32(np.abs(vector).max() / 127)
        question = np.rint(vector[None] / step).astype(np.int8)
        if held.graph is not None:
            matches = held.graph.search(question[0], limit, threads=1)
            is_near = 1.0 - np.asarray(matches.distances) >= least - _ROUNDING
            nearest: list[int] = np.asarray(matches.keys)[is_near].astype(np.int64).tolist()
            return nearest
        products = np.asarray(numkong.cdist(question, held.vectors[: held.size], "dot"))[0]
        cosines = products * held.scales[: held.size] * step
        found = np.flatnonzero(cosines >= least - _ROUNDING)
        best = found[np.argsort(-cosines[found], kind="stable")[:limit]]
        ids: list[int] = held.ids[best].tolist()
        return ids

    def _build(self, held: _Space) -> None:
        """Put all vectors of a space into a graph, some at a time, and use it from then on."""
        # ONNX Runtime crashes when it is loaded after usearch, whose symbols all libraries see.
        import_module("onnxruntime")
        graph: Index = import_module("usearch.index").Index(
            ndim=held.vectors.shape[1],
            metric="cos",
            dtype="i8",
            connectivity=_CONNECTIVITY,
            expansion_add=_EXPANSION,
            expansion_search=_EXPANSION,
        )
        known = np.zeros(0, np.int64)
        while True:
            with self._lock:
                ids = held.ids[: held.size].copy()
                gone, held.late = held.late, set()
                missing = np.flatnonzero(~np.isin(ids, known))
                vectors = held.vectors[missing]
                graph.remove(np.array([answer for answer in gone if answer in graph], np.int64))
                if len(missing) <= _AT_ONCE:
                    self._fill(graph, ids[missing], vectors)
                    held.graph, held.is_building = graph, False
                    return
            for start in range(0, len(missing), _AT_ONCE):
                self._fill(graph, ids[missing[start : start + _AT_ONCE]], vectors[start : start + _AT_ONCE])
            known = ids

    @staticmethod
    def _fill(graph: Index, keys: NDArray[np.int64], vectors: NDArray[np.int8]) -> None:
        if len(keys):
            graph.add(keys, vectors, threads=1)
