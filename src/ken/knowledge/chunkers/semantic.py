"""The semantic chunker: a cut where the topic shifts.

After TextTiling (Hearst, Computational Linguistics 23(1), 1997), with an embedder's vectors in place of word counts: the
few units before each gap are compared with the few after it, and where their similarity dips deeply below the peaks on
both sides, another topic begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.packing import Row
from ken.knowledge.chunkers.units import MOST_UNITS, Units, coalesced
from ken.models.protocols import TokenCounter
from ken.text.markup import plain

VERSION = 1

_COMPARED = 3
"""Units on each side of a gap."""
_DEEP = 0.5
"""A dip is a shift of topic where it is no more than so many standard deviations shallower than the document's mean one."""
_NEVER = -1.0
_DIGITS = 4
"""Of a similarity: what is smaller is noise, and no dip."""
_TINY = 1e-9

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts become L2-normalised vectors, shape (texts, dimensions)."""


@dataclass(frozen=True, slots=True)
class Semantic:
    """Ends a passage at the first shift of topic after `plan.min_tokens`, at the deepest dip where none comes in time.

    Sentences, points, rows and blocks of code stay whole, and a heading goes with what follows it.
    """

    plan: Chunking
    tokens: TokenCounter
    vectors: Vectors

    def cut(self, parsed: ParsedDocument) -> tuple[Piece, ...]:
        """The passages, in order."""
        units = Units(parsed, self.tokens, self.plan).all()
        if len(units) > MOST_UNITS:
            units = coalesced(units, self.plan.target_tokens // 16)
        if not units:
            return ()
        row = Row.of(parsed, units)
        texts = [plain(parsed.text[unit.start : unit.end], parsed.markup) for unit in units]
        distinct = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        vectors = self.vectors(list(distinct))[[distinct[text] for text in texts]]
        depth = _depths(vectors)
        depth[[number for number, unit in enumerate(units[:-1]) if unit.kind == "heading"]] = _NEVER
        return tuple(row.pieces(_cuts(row, depth, self.plan), self.plan))


def _depths(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far the similarity of both sides dips below the peaks around each gap: shape (units - 1,); 0 but at the bottom."""
    count = len(vectors)
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0, dtype=np.float64)])
    gaps = np.arange(1, count)
    before = sums[gaps] - sums[np.maximum(gaps - _COMPARED, 0)]
    after = sums[np.minimum(gaps + _COMPARED, count)] - sums[gaps]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    products = np.sum(before * after, axis=1)
    similarity = np.asarray(np.round(products / np.maximum(lengths, _TINY), _DIGITS), np.float64)
    beside = np.pad(similarity, 1, constant_values=np.inf)
    is_bottom = (similarity <= beside[:-2]) & (similarity <= beside[2:])
    return np.where(is_bottom, _peaks(similarity) + _peaks(similarity[::-1])[::-1] - 2 * similarity, 0.0)


def _peaks(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each gap the height that one comes to by climbing to the left for as long as it goes up."""
    peaks = similarity.copy()
    for gap in range(1, len(similarity)):
        if similarity[gap - 1] >= similarity[gap]:
            peaks[gap] = peaks[gap - 1]
    return peaks


def _cuts(row: Row, depth: NDArray[np.float64], plan: Chunking) -> list[int]:
    """The units that pieces begin with; `depth[i]` is that of the gap before unit i + 1."""
    count = len(row.units)
    dips = depth[depth > 0]
    deep = float(dips.mean() - _DEEP * dips.std()) if len(dips) else 0.0
    cuts = [0]
    first = 0
    while first < count:
        last = first + 1
        while last < count and row.size(first, last + 1) <= plan.max_tokens:
            last += 1
        gaps = [gap for gap in range(first + 1, min(last, count - 1) + 1) if row.size(first, gap) >= plan.min_tokens]
        shift = next((gap for gap in gaps if depth[gap - 1] > max(deep, 0.0)), None)
        if shift is None and last < count:
            deepest = max(gaps, key=lambda gap: (float(depth[gap - 1]), gap), default=last)
            shift = deepest if depth[deepest - 1] >= 0 else row.end(first, last, plan=plan)
        if shift is None or shift == count:
            break
        cuts.append(shift)
        first = shift
    is_short = len(cuts) > 1 and row.size(cuts[-1], count) < plan.min_tokens
    if is_short and row.size(cuts[-2], count) <= plan.max_tokens:
        cuts.pop()
    return cuts
