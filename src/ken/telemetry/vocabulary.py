"""The figures that may be asked for: what each means, its unit, what it is worked out from, and by what it can be told apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from ken.domain.rollup import Dimensions
from ken.domain.sketch import Spread
from ken.errors import InvalidInput
from ken.storage.rollup_codec import Figures as Stored

Unit = Literal["count", "share", "ms", "tokens", "tokens/s", "micros", "score", "relevance", "index"]
"""micros: millionths of the price list's currency; score: 1 to 5; relevance: 0 to 1; index: of a population's stability."""

QUANTILES: Mapping[str, float] = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SUFFIXES = (*QUANTILES, "mean", "max")
_OVER = re.compile(r"(?P<name>\w+)\.over_(?P<limit>[0-9]{1,9})")
"""The share of a distribution's values that are greater than a limit: `ms.over_8000`."""

OF_TRACE = frozenset(Dimensions._fields)
"""What traces are told apart by; `model` is the one that answered."""
SPENT = ("calls", "tokens_in", "tokens_out", "spent", "unpriced", "tokens_per_s")
PARTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(SPENT, ("stage", "model")),
    "stage_ms": ("stage",),
    "retries": ("reason",),
    "fallbacks": ("reason",),
    "failed_checks": ("check",),
    "topics": ("topic",),
}
"""What figures are told apart by within a trace; there, `model` is the one that was paid."""
DIMENSIONS = (*Dimensions._fields, "stage", "reason", "check", "topic")


@dataclass(slots=True)
class Pool:
    """Everything that was counted for one figure, of however many rows."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    stored: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    peaks: dict[str, float] = field(default_factory=dict[str, float])
    _spreads: dict[str, Spread] = field(default_factory=dict[str, Spread])

    @classmethod
    def of_many(cls, pools: Iterable[Pool]) -> Pool:
        """All together."""
        whole = cls()
        for pool in pools:
            whole._join(pool.counts, pool.peaks)
            for name, stored in pool.stored.items():
                whole.stored.setdefault(name, []).extend(stored)
        return whole

    def add(self, figures: Stored) -> None:
        """Add what a row says."""
        self._join(figures.counts, figures.peaks)
        for name, data in figures.sketches.items():
            self.stored.setdefault(name, []).append(data)

    def _join(self, counts: Mapping[str, int], peaks: Mapping[str, float]) -> None:
        for name, times in counts.items():
            self.counts[name] = self.counts.get(name, 0) + times
        for name, value in peaks.items():
            self.peaks[name] = max(value, self.peaks.get(name, value))

    def of(self, name: str) -> int:
        """How often something was counted; what was taken back twice is 0 and no less."""
        return max(0, self.counts.get(name, 0))

    def spread(self, name: str) -> Spread:
        """A distribution over all rows."""
        found = self._spreads.get(name)
        if found is None:
            found = self._spreads[name] = Spread(self.stored.get(name, ()))
        return found


Worked = tuple[float | None, int]
"""A figure's value, None where there is none, and the observations behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure."""

    name: str
    unit: Unit
    meaning: str
    needs: tuple[str, ...]
    """What rows have to say for it."""
    work: Callable[[Pool], Worked]
    by: frozenset[str] = OF_TRACE
    kinds: tuple[str, ...] = ("question",)
    """Of which kinds of traces, where none is asked for; empty: of all."""
    shift_of: str = ""
    """Of a shift: the dimension whose shares are compared with a reference week's."""


def metric(name: str) -> Metric:
    """The metric of a name: one of METRICS, or the share of values over a limit, as in `ms.over_8000`. Raises InvalidInput."""
    found = METRICS.get(name) or _over(name)
    if found is None:
        near = [one for one in METRICS if one.partition(".")[0] == name.partition(".")[0]]
        bases = dict.fromkeys(f"{one.partition('.')[0]}{'.*' if '.' in one else ''}" for one in METRICS)
        remedy = f"There are: {', '.join(near or bases)}."
        raise InvalidInput(f"There is no figure {name!r}. {remedy}", param="metric")
    return found


@lru_cache(maxsize=256)
def _over(name: str) -> Metric | None:
    parts = _OVER.fullmatch(name)
    spread = METRICS.get(f"{parts['name']}.mean") if parts else None
    if parts is None or spread is None:
        return None
    limit = float(parts["limit"])

    def work(pool: Pool) -> Worked:
        seen = pool.spread(spread.needs[0])
        return (seen.above(limit) / seen.count if seen.count > 0 else None), max(0, seen.count)

    meaning = f"{spread.meaning.removesuffix(': mean')}: the share over {limit:g}"
    return replace(spread, name=name, unit="share", meaning=meaning, work=work)


def _count(name: str) -> Callable[[Pool], Worked]:
    return lambda pool: (float(pool.of(name)), pool.of(name))


def _share(part: str, *whole: str) -> Callable[[Pool], Worked]:
    def work(pool: Pool) -> Worked:
        among = sum(pool.of(name) for name in whole)
        return (pool.of(part) / among if among else None), among

    return work


def _error_rate(pool: Pool) -> Worked:
    among = max(0, pool.of("traces") - pool.of("caller_errors"))
    return (pool.of("failed") / among if among else None), among


def _spread(name: str, suffix: str) -> Callable[[Pool], Worked]:
    def work(pool: Pool) -> Worked:
        seen = pool.spread(name)
        value = seen.mean if suffix == "mean" else seen.quantile(QUANTILES.get(suffix, 1.0))
        return value, max(0, seen.count)

    return work


def _peak(name: str) -> Callable[[Pool], Worked]:
    return lambda pool: (pool.peaks.get(name), pool.of("samples"))


def _sum(*names: str) -> Callable[[Pool], Worked]:
    return lambda pool: (float(sum(pool.of(name) for name in names)), pool.of("calls"))


def _cost_per(among: str) -> Callable[[Pool], Worked]:
    def work(pool: Pool) -> Worked:
        """Unknown where one cost is: a part of the cost over all of them would look like thrift."""
        number = pool.of(among)
        known = number and not pool.of("unknown_cost")
        return (pool.spread("cost_micros").total / number if known else None), number

    return work


def _nothing(_: Pool) -> Worked:
    return None, 0


def _rates() -> list[Metric]:
    asked: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
        ("cache_hit_rate", "of those that asked the cache, those that it answered", "cache_hits", ("cache_asked",)),
        ("refusal_rate", "of the questions, those that were refused", "refused", ("traces",)),
        ("abstention_rate", "of the questions, those beyond the documents", "abstained", ("traces",)),
        ("escalation_rate", "of the questions, those that a stronger tier was asked", "escalated", ("traces",)),
        (
            "degraded_rate",
            "of the questions, those answered with less, as no model could: by the reader, an old answer, or half of one",
            "degraded",
            ("traces",),
        ),
        (
            "check_failure_rate",
            "of the answers looked at, those a check found a fault in",
            "check_failed",
            ("checked",),
        ),
        (
            "success_rate",
            "of the tasks whose end is known, those that were done; unknown is neither",
            "success_yes",
            ("success_yes", "success_no"),
        ),
        ("judged_share", "of the questions, those with a judge's score", "judged", ("traces",)),
        (
            "unhelpful_rate",
            "of the answers that people judged, those found unhelpful",
            "unhelpful",
            ("unhelpful", "helpful"),
        ),
    )
    errors = Metric(
        name="error_rate",
        unit="share",
        meaning="of the questions that could be met, those that failed; a mistake of whoever asked is none of them",
        needs=("failed", "traces", "caller_errors"),
        work=_error_rate,
    )
    whole = [
        Metric(name=name, unit="share", meaning=meaning, needs=(part, *among), work=_share(part, *among))
        for name, meaning, part, among in asked
    ]
    known = Metric(
        name="known_share",
        unit="share",
        meaning="of the questions, those whose success is known",
        needs=("success_yes", "success_no", "traces"),
        work=lambda pool: (
            (pool.of("success_yes") + pool.of("success_no")) / pool.of("traces") if pool.of("traces") else None,
            pool.of("traces"),
        ),
    )
    attempts = [
        Metric(
            name=name,
            unit="share",
            meaning=meaning,
            needs=(part, among),
            work=_share(part, among),
            kinds=(),
        )
        for name, meaning, part, among in (
            ("retry_rate", "of the attempts at a dependency, those that were a retry", "retries", "attempts"),
            ("timeout_rate", "of the attempts at a dependency, those that ran out of time", "timeouts", "attempts"),
            ("fallback_rate", "of the traces, those in which a model took over from another", "fell_back", "traces"),
        )
    ]
    return [errors, *whole, known, *attempts]


def _spreads() -> list[Metric]:
    asked: tuple[tuple[str, Unit, str], ...] = (
        ("ms", "ms", "from the question to the end of its answer"),
        ("ttft_ms", "ms", "until the first piece of the answer was shown"),
        ("stage_ms", "ms", "a stage's own work; ask for one stage, or by stage"),
        ("tokens_per_s", "tokens/s", "how fast models wrote after their first token"),
        ("queue_ms", "ms", "waited for a turn at a limit, of the questions that waited"),
        ("context_tokens", "tokens", "of the assembled prompt"),
        ("difficulty", "share", "of a question, as the router judges it, 0 to 1"),
        ("input_tokens", "tokens", "read for a question, by every model together"),
        ("output_tokens", "tokens", "written for a question, by every model together"),
        ("cost_micros", "micros", "of a question with a known cost"),
        ("relevance", "relevance", "of the best passage"),
        ("mean_relevance", "relevance", "of a question's passages in the mean"),
        ("least_relevance", "relevance", "of the worst passage given to the model"),
        ("utilisation", "share", "of the passages, those that the answer cites"),
        ("quality", "score", "all in all, as judges have it"),
        ("groundedness", "score", "as judges have it"),
        ("difficulty", "share", "of a question, as the route saw it"),
    )
    return [
        Metric(
            name=f"{name}.{suffix}",
            unit=unit,
            meaning=f"{meaning}: {suffix}",
            needs=(name,),
            work=_spread(name, suffix),
            by=OF_TRACE | frozenset(PARTS.get(name, ())),
            kinds=() if name == "tokens_per_s" else ("question",),
        )
        for name, unit, meaning in asked
        for suffix in SUFFIXES
    ]


def _counts() -> list[Metric]:
    asked: tuple[tuple[str, str, str], ...] = (
        ("questions", "asked", "traces"),
        ("errors", "that failed, through no mistake of whoever asked", "failed"),
        ("caller_errors", "that asked for what can't be had, such as a model that there is not", "caller_errors"),
        ("degraded", "answered with less than a model would have given", "degraded"),
        ("successes", "tasks that were done", "success_yes"),
        ("retries", "attempts that were retries, by reason", "retries"),
        ("fallbacks", "models that another one took over from, by reason", "fallbacks"),
        ("timeouts", "attempts that ran out of time", "timeouts"),
        ("failed_checks", "faults found in answers, by check", "failed_checks"),
        ("unknown_cost_questions", "questions of which a part of the cost is unknown", "unknown_cost"),
    )
    return [
        Metric(
            name=name,
            unit="count",
            meaning=meaning,
            needs=(counted,),
            work=_count(counted),
            by=OF_TRACE | frozenset(PARTS.get(counted, ())),
            kinds=() if name in {"retries", "fallbacks", "timeouts"} else ("question",),
        )
        for name, meaning, counted in asked
    ]


def _sums() -> list[Metric]:
    asked: tuple[tuple[str, Unit, str, tuple[str, ...]], ...] = (
        ("cost", "micros", "spent on calls with a known price, of whatever kind of trace", ("spent",)),
        ("tokens", "tokens", "read and written by models", ("tokens_in", "tokens_out")),
        ("tokens_in", "tokens", "read by models", ("tokens_in",)),
        ("tokens_out", "tokens", "written by models", ("tokens_out",)),
        ("unknown_cost_calls", "count", "calls without a known price: their cost comes on top", ("unpriced",)),
        ("calls", "count", "calls of models, embedders and rerankers", ("calls",)),
    )
    return [
        Metric(
            name=name,
            unit=unit,
            meaning=meaning,
            needs=(*counted, "calls"),
            work=_sum(*counted),
            by=OF_TRACE | {"stage"},
            kinds=(),
        )
        for name, unit, meaning, counted in asked
    ]


def _others() -> list[Metric]:
    needs = ("cost_micros", "unknown_cost", "success_yes", "traces")
    gauges = (
        ("in_flight", "questions and calls under way at once, at most, of the busiest process; without load tests"),
        ("queue_depth", "calls that wait for a turn at once, at most, of the busiest process"),
        ("breakers_open", "dependencies left alone at once, at most, as one process saw it"),
    )
    shifts = (
        ("category_shift", "category", "traces"),
        ("topic_shift", "topic", "topics"),
    )
    return [
        Metric(
            name="cost_per_success",
            unit="micros",
            meaning="of all questions, over those that were done; unknown where a cost is unknown",
            needs=needs,
            work=_cost_per("success_yes"),
        ),
        Metric(
            name="cost_per_question",
            unit="micros",
            meaning="in the mean; unknown where a cost is unknown",
            needs=needs,
            work=_cost_per("traces"),
        ),
        *(
            Metric(
                name=f"{name}.max",
                unit="count",
                meaning=meaning,
                needs=(name, "samples"),
                work=_peak(name),
                by=frozenset(),
                kinds=(),
            )
            for name, meaning in gauges
        ),
        *(
            Metric(
                name=name,
                unit="index",
                meaning=f"how far questions by {of} are from a reference week: population stability index",
                needs=(counted,),
                work=_nothing,
                by=OF_TRACE - {of},
                shift_of=of,
            )
            for name, of, counted in shifts
        ),
    ]


METRICS: Mapping[str, Metric] = {one.name: one for one in (*_counts(), *_rates(), *_spreads(), *_sums(), *_others())}
"""By name."""
