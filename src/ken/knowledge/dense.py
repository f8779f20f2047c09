"""The dense index: a vector of int8 for each window of a passage.

Below some size every one of them is scored; above it, a graph gives those near the question.
Int8 finds the passages, float16 orders them: a window's vector is scaled so that its largest component is 127, which
leaves cosines wrong by a thousandth, and a few more passages than are wanted are scored again exactly. The filter is
exact everywhere: a graph can't be searched under one, so that a question that may see little has that little scored
one by one, and the graph is asked for more than is wanted where most may be seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numkong
import numpy as np
from numpy.typing import NDArray

from ken.knowledge.arrays import Best, Rows, ranges
from ken.knowledge.graph import Graph

GRAPH_FROM = 100_000
"""Windows from which on there is a graph: to score all of them takes three times as long as finding those near in it."""

_WANTED = 512
"""Windows that a graph of that size is asked for where everything may be seen."""
_SEEN = 0.2
"""The least share of passages that may be seen for which the graph is asked: below, scoring them takes less time."""
_GATHERED = 0.15
"""The largest share of which the vectors are gathered to be scored; above, those of all windows are read in order."""
_BLOCK = 32_768
_MARGIN = 16


@dataclass(frozen=True, slots=True, eq=False)
class DenseIndex:
    """n passages, w windows."""

    vectors: NDArray[np.int8] | Rows[np.int8]
    """Shape (w, scored): the first `scored` numbers of each window's vector, which are all of them but for embedders that
    were trained to have the most in the first ones (Matryoshka: Kusupati et al., NeurIPS 2022). Beside a graph they are read
    here and there."""
    scales: NDArray[np.float32]
    """Shape (w,): what a vector is multiplied by to have length 1, whatever the length of the whole."""
    windows: Rows[np.float16]
    """Shape (w, dimensions), L2-normalised."""
    bounds: NDArray[np.int64]
    """Shape (n + 1,): windows of passage i are [bounds[i], bounds[i + 1]); at least one."""
    graph: Graph | None

    def best(
        self, vector: NDArray[np.float32], allowed: NDArray[np.bool_], *, depth: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The `depth` allowed passages with the window closest to a vector of length 1, the closest first, and the cosines.

        `allowed`: shape (n,). All of them where fewer are allowed.
        """
        readable = int(np.count_nonzero(allowed))
        wanted = min(depth, readable)
        if not wanted:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        most = depth + depth // 4 + _MARGIN
        question = quantised(vector[None, : self.vectors.shape[1]])[0]
        found = np.empty(0, dtype=np.int64)
        if self.graph is not None and readable >= _SEEN * len(allowed):
            # A larger graph misses more of as many.
            larger = 1.0 + 0.5 * max(0.0, math.log10(len(self.graph.windows) / GRAPH_FROM))
            count = int(max(_WANTED, 6 * depth) * larger * len(allowed) / readable)
            found = self._near(self.graph, question[0], allowed, count=count)
        if len(found) < wanted:
            found = self._scored(question, allowed, readable=readable, count=most)
        rows = found[:most]
        cosines = self.cosines(vector, rows)
        order = np.argsort(-cosines, kind="stable")[:wanted]
        return rows[order], cosines[order]

    def cosines(self, vector: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Shape (rows,): the cosine of each passage's closest window."""
        if not len(rows):
            return np.empty(0, dtype=np.float32)
        first, last = self.bounds[rows], self.bounds[rows + 1]
        exact = self.windows.gather(first, last).astype(np.float32)
        return np.maximum.reduceat(exact @ vector, np.cumsum(last - first) - (last - first))

    def _near(
        self, graph: Graph, question: NDArray[np.int8], allowed: NDArray[np.bool_], *, count: int
    ) -> NDArray[np.int64]:
        """Allowed passages of about `count` windows near the question, the nearest first."""
        rows = np.searchsorted(self.bounds, graph.nearest(question, count), side="right") - 1
        rows = rows[allowed[rows]]
        _, first = np.unique(rows, return_index=True)
        return rows[np.sort(first)]

    def _scored(
        self, question: NDArray[np.int8], allowed: NDArray[np.bool_], *, readable: int, count: int
    ) -> NDArray[np.int64]:
        """The best `count` of the allowed passages, in no order; each one is scored."""
        best = Best(count, above=-np.inf)
        if readable <= _GATHERED * len(allowed):
            rows = np.flatnonzero(allowed)
            for start in range(0, len(rows), _BLOCK):
                block = rows[start : start + _BLOCK]
                picked, bounds = ranges(self.bounds, block)
                if isinstance(self.vectors, Rows):
                    vectors = self.vectors.gather(self.bounds[block], self.bounds[block + 1])
                else:
                    vectors = self.vectors[picked]
                best.take(_closest(question, vectors, self.scales[picked], bounds[:-1]), block)
            return best.rows
        for start in range(0, len(allowed), _BLOCK):
            bounds = self.bounds[start : start + _BLOCK + 1]
            first, last = int(bounds[0]), int(bounds[-1])
            scores = _closest(question, self.vectors[first:last], self.scales[first:last], bounds[:-1] - first)
            scores[~allowed[start : start + _BLOCK]] = -np.inf
            best.take(scores, start)
        return best.rows


def _closest(
    question: NDArray[np.int8], vectors: NDArray[np.int8], scales: NDArray[np.float32], starts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The best score of each passage's windows, which begin at `starts`; proportional to the cosine."""
    products = np.asarray(numkong.cdist(question, vectors, "dot"))[0]
    return np.maximum.reduceat(products * scales, starts)


def quantised(vectors: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Vectors of shape (w, dimensions) as int8, and the scales that give them back."""
    scales = np.maximum(np.abs(vectors).max(axis=1, initial=0.0), 1e-6).astype(np.float32) / np.float32(127)
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales
