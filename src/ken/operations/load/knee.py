"""Where more load stops bringing more answers: two methods, and the bar that an operator sets.

- The universal scalability law (Gunther, "Guerrilla Capacity Planning", Springer 2007, chapter 4):
  X(N) = λN / (1 + σ(N−1) + κN(N−1)), with λ the throughput of one client, σ the share that is done one after the other
  (contention), κ what agreeing costs (coherence). Its peak is at N* = √((1−σ)/κ).
- Kneedle (Satopää et al., "Finding a Kneedle in a Haystack", ICDCS workshops 2011): the measured point that lies farthest
  above the straight line from the first to the last, both axes scaled to 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.operations.load.figures import Step

Numbers = NDArray[np.float64]
FEWEST_POINTS = 3
_FEWEST_TO_FIT = 4
"""The law has three parameters: with no more points than that every fit is perfect."""
_LEAST_BEND = 0.05
"""A curve that rises less than this above its chord has no knee: it is a line, as far as can be seen."""


@dataclass(frozen=True, slots=True)
class Scalability:
    """The law, fitted."""

    one: float
    """λ: questions a second of one client."""
    contention: float
    """σ, from 0 to 1."""
    coherence: float
    """κ."""
    r2: float
    """How much of the measured throughputs' variance it explains."""

    def rate(self, clients: float) -> float:
        """X(N): questions a second."""
        load = 1 + self.contention * (clients - 1) + self.coherence * clients * (clients - 1)
        return self.one * clients / load

    @property
    def peak(self) -> float | None:
        """N*: the clients beyond which throughput falls; None where it never does."""
        return float(np.sqrt((1 - self.contention) / self.coherence)) if self.coherence > 0 else None

    @property
    def ceiling(self) -> float | None:
        """The most questions a second that can be reached; None where the law knows no end."""
        if self.peak is not None:
            return self.rate(max(1.0, self.peak))
        return self.one / self.contention if self.contention > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """What was found."""

    at: float | None
    """The step at the knee (Kneedle); None where throughput rises in a line to the last step."""
    law: Scalability | None
    """None where there are too few steps."""
    carried: float | None
    """The highest step up to which every one kept to the bar; None where not even the first did."""


def find_knee(steps: Sequence[Step], *, p95_ms: float | None, errors: float) -> Knee:
    """Look at all steps; the bar is a share of errors, and an end-to-end p95 where one is given."""
    carried: float | None = None
    for step in steps:
        is_slow = p95_ms is not None and (step.ms is None or step.ms.p95 > p95_ms)
        if is_slow or step.error_share > errors:
            break
        carried = step.at
    points = [(step.in_flight, step.rate) for step in steps if step.rate > 0 and step.in_flight > 0]
    bend = kneedle([step.at for step in steps], [step.rate for step in steps])
    return Knee(at=None if bend is None else steps[bend].at, law=fit(points), carried=carried)


def kneedle(xs: Sequence[float], ys: Sequence[float]) -> int | None:
    """The place of the knee of a rising, concave curve; None where it has none."""
    if len(xs) < FEWEST_POINTS or max(ys) <= min(ys):
        return None
    x, y = np.asarray(xs, float), np.asarray(ys, float)
    above = (y - y.min()) / (y.max() - y.min()) - (x - x.min()) / (x.max() - x.min())
    place = int(above.argmax())
    return place if above[place] > _LEAST_BEND else None


def fit(points: Sequence[tuple[float, float]]) -> Scalability | None:
    """Fit the law to (clients, questions a second) by least squares of the relative error, with no parameter below 0.

    N/X(N) is linear in 1/λ, σ/λ and κ/λ; of the fits with some of these at 0, the best one whose others are not below is
    the constrained one.
    """
    if len({clients for clients, _ in points}) < _FEWEST_TO_FIT:
        return None
    n, x = np.asarray(points, float).T
    terms = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1)
    weights = x / n
    best: tuple[float, Numbers] | None = None
    for with_contention, with_coherence in product((True, False), repeat=2):
        kept = [0, *([1] if with_contention else []), *([2] if with_coherence else [])]
        found = cast("Numbers", np.linalg.lstsq(terms[:, kept] * weights[:, None], np.ones_like(n), rcond=None)[0])
        if (found < 0).any() or found[0] <= 0:
            continue
        whole = np.zeros(3)
        whole[kept] = found
        error = float(((terms @ whole * weights - 1) ** 2).sum())
        if best is None or error < best[0]:
            best = error, whole
    if best is None:
        return None
    inverse, contention, coherence = best[1]
    law = Scalability(float(1 / inverse), min(1.0, float(contention / inverse)), float(coherence / inverse), 0.0)
    spread = float(((x - x.mean()) ** 2).sum())
    missed = float(sum((rate - law.rate(clients)) ** 2 for clients, rate in points))
    return Scalability(law.one, law.contention, law.coherence, round(1 - missed / spread, 4) if spread else 1.0)
