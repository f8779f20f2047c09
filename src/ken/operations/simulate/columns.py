"""Figures read off the simulated questions themselves: exact, and fast enough to look at months of them minute by minute.

What the rollups keep of the same questions says the same, within the sketches' error. Nothing that lies after `now` is seen: no
question of later on, and no judge's score that was not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.domain.figures import NO_NARROWING, Point
from ken.errors import InvalidInput
from ken.operations.simulate.gauges import Gauges
from ken.operations.simulate.incidents import Incident, Labels
from ken.operations.simulate.traffic import UNKNOWN, YES, Column, Traffic
from ken.telemetry.vocabulary import metric as known_metric

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_OVER = "over_"
_Codes = NDArray[np.int64]
_Told = tuple[list[float | None], list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    """A sum over a sum; without a lower one, a sum."""

    over: Column
    under: Column | None = None


@dataclass(frozen=True, slots=True)
class _Steps:
    since: float
    until: float
    step_s: float

    @property
    def count(self) -> int:
        return max(1, int(np.ceil((self.until - self.since) / self.step_s - 1e-9)))

    def of(self, at: Column) -> _Codes:
        return np.minimum(((at - self.since) // self.step_s).astype(np.int64), self.count - 1)


class Columns:
    """`Figures` over traffic in memory."""

    def __init__(self, traffic: Traffic, *, incidents: Sequence[Incident] = (), now: Callable[[], float]) -> None:
        self._traffic = traffic
        self._now = now
        self._gauges = Gauges.of(traffic, incidents)
        self._shares = _shares(traffic)
        self._values = _values(traffic)

    def series(
        self,
        metric: str,
        *,
        since: float,
        until: float,
        step_s: int,
        by: str = "",
        where: Mapping[str, str] = NO_NARROWING,
    ) -> Mapping[str, Sequence[Point]]:
        """As `Figures.series`."""
        steps = _Steps(since, until, step_s)
        times = [since + step * step_s for step in range(steps.count)]
        return {
            name: tuple(map(Point, times, values, counts))
            for name, (values, counts) in self._told(metric, steps, by=by, where=where).items()
        }

    def whole(
        self, metric: str, *, since: float, until: float, by: str = "", where: Mapping[str, str] = NO_NARROWING
    ) -> Mapping[str, Point]:
        """As `Figures.whole`."""
        steps = _Steps(since, until, max(until - since, 1.0))
        found = self._told(metric, steps, by=by, where=where)
        return {name: Point(since, values[0], counts[0]) for name, (values, counts) in found.items()}

    def _told(self, metric: str, steps: _Steps, *, by: str, where: Mapping[str, str]) -> dict[str, _Told]:
        allowed = known_metric(metric).by
        for dimension in (by, *where):
            if dimension and dimension not in allowed:
                raise InvalidInput(f"{metric!r} isn't told apart by {dimension!r}.")
        name, _, stat = metric.partition(".")
        if name not in self._gauges.names | self._shares.keys() | self._values.keys() | {"stage_ms"}:
            return {}
        if name in self._gauges.names:
            return (
                {}
                if by or where
                else {
                    "": self._gauges.told(
                        name, steps.since, until=min(steps.until, self._now()), step_s=steps.step_s, count=steps.count
                    )
                }
            )
        if by == "stage":
            parts = {
                stage: self._told(metric, steps, by="", where={**where, "stage": stage})
                for stage in self._traffic.stage_ms
            }
            return {stage: told[""] for stage, told in parts.items() if told}
        rows = slice(*np.searchsorted(self._traffic.at, [steps.since, min(steps.until, self._now())]))
        labels = self._labels(by)
        place = steps.of(self._traffic.at[rows])
        if labels is not None:
            place = place + labels.codes[rows].astype(np.int64) * steps.count
        kept = self._kept(rows, where)
        names = ("question",) if by == "kind" else ("",) if labels is None else labels.names
        size = steps.count * len(names)
        if name in self._shares:
            values, counts = _ratio(self._shares[name], rows, place=place, kept=kept, size=size)
        else:
            values, counts = _spread(
                self._column(name, where)[rows],
                stat or "mean",
                place=place,
                kept=self._seen(name, rows) & kept,
                size=size,
            )
        return {
            label: (values[at : at + steps.count], counts[at : at + steps.count])
            for at, label in zip(range(0, size, steps.count), names, strict=True)
            if any(counts[at : at + steps.count])
        }

    def _labels(self, by: str) -> Labels | None:
        if by in {"", "kind"}:
            return None
        return cast("Labels", getattr(self._traffic, by))

    def _kept(self, rows: slice, where: Mapping[str, str]) -> NDArray[np.bool_]:
        kept = np.ones(rows.stop - rows.start, dtype=np.bool_)
        for dimension, value in where.items():
            if dimension == "stage":
                kept &= np.full(kept.shape, value in self._traffic.stage_ms)
            elif dimension == "kind":
                kept &= np.full(kept.shape, value == "question")
            else:
                labels = self._labels(dimension)
                kept &= True if labels is None else labels.has(value)[rows]
        return kept

    def _column(self, name: str, where: Mapping[str, str]) -> Column:
        if name == "stage_ms":
            return self._traffic.stage_ms.get(where.get("stage", ""), np.full(len(self._traffic), np.nan))
        return self._values[name]

    def _seen(self, name: str, rows: slice) -> NDArray[np.bool_]:
        """Scores that the judge had given by now; everything else is there at once."""
        if name in {"quality", "groundedness"}:
            return self._traffic.judged_at[rows] <= self._now()
        if name == "unhelpful_rate":
            return self._traffic.reacted_at[rows] <= self._now()
        return np.ones(rows.stop - rows.start, dtype=np.bool_)


def _shares(traffic: Traffic) -> dict[str, _Share]:
    one = np.ones(len(traffic))
    decided = traffic.cache.codes
    asked = ((decided > 0) & ~traffic.cache.has("off")).astype(np.float64)
    given = (traffic.cache.has("exact") | traffic.cache.has("similar")).astype(np.float64)
    done, known = (traffic.success == YES).astype(np.float64), (traffic.success != UNKNOWN).astype(np.float64)
    checked = (traffic.outcome.has("answered") & ~traffic.task_type.has("smalltalk")).astype(np.float64)
    outcome = {name: traffic.outcome.has(name).astype(np.float64) for name in traffic.outcome.names}
    return {
        "questions": _Share(one),
        "error_rate": _Share(outcome["failed"], one),
        "refusal_rate": _Share(outcome["refused"], one),
        "abstention_rate": _Share(outcome["abstained"], one),
        "retry_rate": _Share(traffic.retries, traffic.attempts),
        "fallback_rate": _Share(traffic.fallbacks, one),
        "timeout_rate": _Share(traffic.timeouts, traffic.attempts),
        "cache_hit_rate": _Share(given, asked),
        "escalation_rate": _Share(traffic.escalated.astype(np.float64), one),
        "check_failure_rate": _Share((~np.isnan(traffic.failed_check)).astype(np.float64), checked),
        "success_rate": _Share(done, known),
        "degraded_rate": _Share(np.zeros(len(traffic)), one),
        "errors": _Share(outcome["failed"]),
        "caller_errors": _Share(np.zeros(len(traffic))),
        "degraded": _Share(np.zeros(len(traffic))),
        "successes": _Share(done),
        "retries": _Share(traffic.retries),
        "fallbacks": _Share(traffic.fallbacks),
        "timeouts": _Share(traffic.timeouts),
        "judged_share": _Share((~np.isnan(traffic.quality)).astype(np.float64), one),
        "cost": _Share(traffic.cost_micros),
        "tokens": _Share(traffic.input_tokens + traffic.output_tokens),
        "unknown_cost_calls": _Share(np.zeros(len(traffic))),
        "cost_per_success": _Share(traffic.cost_micros, done),
        "cost_per_question": _Share(traffic.cost_micros, one),
    }


def _values(traffic: Traffic) -> dict[str, Column]:
    with np.errstate(invalid="ignore", divide="ignore"):
        speed = (traffic.output_tokens - 1) * 1000 / (traffic.generate_ms - traffic.first_token_ms)
    return {
        "ms": traffic.ms,
        "ttft_ms": traffic.ttft_ms,
        "tokens_per_s": np.where(traffic.output_tokens > 1, speed, np.nan),
        "queue_ms": np.where(traffic.queue_ms > 0, traffic.queue_ms, np.nan),
        "context_tokens": np.where(traffic.context_tokens > 0, traffic.context_tokens, np.nan),
        "input_tokens": traffic.input_tokens,
        "output_tokens": traffic.output_tokens,
        "unhelpful_rate": 1 - traffic.helpful,
        "cost_micros": traffic.cost_micros,
        "difficulty": traffic.difficulty,
        "relevance": traffic.relevance,
        "mean_relevance": traffic.mean_relevance,
        "least_relevance": traffic.least_relevance,
        "utilisation": traffic.utilisation,
        "quality": traffic.quality,
        "groundedness": traffic.groundedness,
    }


def _ratio(share: _Share, rows: slice, *, place: _Codes, kept: NDArray[np.bool_], size: int) -> _Told:
    over = np.bincount(place[kept], share.over[rows][kept], minlength=size)
    if share.under is None:
        counts = np.bincount(place[kept], minlength=size)
        return [float(value) if count else None for value, count in zip(over, counts, strict=True)], counts.tolist()
    under = np.bincount(place[kept], share.under[rows][kept], minlength=size)
    told = [float(value / below) if below else None for value, below in zip(over, under, strict=True)]
    return told, under.astype(np.int64).tolist()


def _spread(values: Column, stat: str, *, place: _Codes, kept: NDArray[np.bool_], size: int) -> _Told:
    """A figure of the distribution in each place. Quantiles by the nearest rank, as of a sketch."""
    kept = kept & ~np.isnan(values)
    place, values = place[kept], values[kept]
    counts = np.bincount(place, minlength=size)
    if stat.startswith(_OVER):
        is_over = values > float(stat.removeprefix(_OVER))
        told = np.bincount(place, is_over, minlength=size) / np.maximum(counts, 1)
    elif stat == "mean":
        told = np.bincount(place, values, minlength=size) / np.maximum(counts, 1)
    else:
        order = np.lexsort((values, place))
        begins = np.concatenate(([0], np.cumsum(counts)[:-1]))
        rank = counts - 1 if stat == "max" else (_QUANTILES[stat] * (counts - 1)).astype(np.int64)
        chosen = np.where(counts > 0, begins + np.maximum(rank, 0), 0)
        told = values[order][chosen] if values.size else np.zeros(size)
    return [float(value) if count else None for value, count in zip(told, counts, strict=True)], counts.tolist()
