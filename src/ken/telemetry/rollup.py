"""Folds traces into cells of rollups, on the recorder's thread."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Mapping

from ken.domain.measures import Measures, Recorded, Spent, is_callers_fault, success_of
from ken.domain.rollup import AT, HOUR, MINUTE, OTHER, Cell, Dimensions, Tally
from ken.domain.trace import Success, Trace

MOST_VALUES: Mapping[str, int] = {
    "kind": 10,
    "task_type": 200,
    "category": 200,
    "tier": 20,
    "model": 100,
    "release": 100,
    "outcome": 10,
}
"""Values of a dimension that are told apart within an hour; what comes after counts under `other`."""
_MOST_NAMES = 200
"""Reasons, checks, topics and stages that are told apart within an hour."""
_MOST_CELLS = 20_000
"""Cells that may wait while the database fails."""
_TOTALED = frozenset({"kind", "task_type", "category", "outcome"})
_MOST_TOTALS = 300
_LONGEST = 80
"""Characters of a value; what is longer is cut, as nobody looks for it."""

_log = logging.getLogger(__name__)


class Aggregator:
    """Adds traces up until somebody takes what they came to; for several threads."""

    def __init__(self, *, most_values: Mapping[str, int] = MOST_VALUES) -> None:
        self._most = most_values
        self._lock = threading.Lock()
        self._cells: dict[tuple[int, Dimensions], Tally] = {}
        self._known: dict[str, set[str]] = {}
        self._said: set[str] = set()
        self._hour = 0
        self._other = 0
        self._totals: dict[Dimensions, Tally] = {}

    @property
    def other(self) -> int:
        """Values that came when there were too many, and counted under `other`, since the start."""
        return self._other

    def fold(self, recorded: Recorded) -> None:
        """Add a trace."""
        with self._lock:
            self._add(recorded)

    def fold_reaction(self, before: Trace, after: Trace, *, success: tuple[Success, Success] | None = None) -> None:
        """Add what was said of a trace that was folded before: its minute loses what held before and gets what holds now.

        Spans and passages may be missing. `success`: before and after, where the trace's texts tell it no longer.
        """
        was, is_now = success or (success_of(before), success_of(after))
        change = Tally()
        for trace, done, times in ((before, was, -1), (after, is_now, 1)):
            said = Tally()
            said.count(f"success_{done}")
            _of_reaction(said, trace)
            change.merge(said, times)
        with self._lock:
            self._cell(after).merge(change)

    def sample(self, at: float, values: Mapping[str, float]) -> None:
        """Note what gauges show at a moment: `in_flight`, `queue_depth`, `breakers_open`."""
        with self._lock:
            tally = self._cells.setdefault((_minute(at), Dimensions()), Tally())
            for name, value in values.items():
                tally.peak(name, value)
            tally.count("samples")

    def take(self) -> list[Cell]:
        """What was added since the last time, without what came to nothing."""
        with self._lock:
            cells, self._cells = self._cells, {}
            taken = [
                Cell(start, dimensions, kept)
                for (start, dimensions), tally in cells.items()
                if (kept := tally.without_nothing())
            ]
            for cell in taken:
                self._total(cell)
        return taken

    def totals(self) -> list[tuple[Dimensions, Tally]]:
        """What was counted since the start, told apart by kind, task type, category and outcome; for `/metrics`."""
        with self._lock:
            for (start, dimensions), tally in self._cells.items():
                self._total(Cell(start, dimensions, tally))
            found = [(dimensions, _copied(tally)) for dimensions, tally in self._totals.items()]
            for (start, dimensions), tally in self._cells.items():
                self._total(Cell(start, dimensions, tally), -1)
        return found

    def _total(self, cell: Cell, times: int = 1) -> None:
        if not cell.dimensions.kind:
            return  # gauges, which are read as they stand
        key = cell.dimensions.only(_TOTALED)
        if key not in self._totals and len(self._totals) >= _MOST_TOTALS:
            key = Dimensions(kind=key.kind, task_type=OTHER, category=OTHER, outcome=key.outcome)
        self._totals.setdefault(key, Tally()).merge(cell.tally, times)

    def _add(self, recorded: Recorded) -> None:
        own = self._cell(recorded.trace)
        _of_trace(own, recorded.trace, recorded.measures)
        _of_answer(own, recorded.trace, recorded.measures)
        _of_reaction(own, recorded.trace)
        self._of_parts(own, recorded)
        for spent in recorded.measures.spent:
            self._of_spent(own, spent)

    def _cell(self, trace: Trace) -> Tally:
        """The cell that a trace belongs to. Where too many wait to be written, its values count under `other`."""
        at = trace.started_at if math.isfinite(trace.started_at) else 0.0
        self._begin_hour(at)
        dimensions = Dimensions(
            kind=self._bounded("kind", trace.kind),
            task_type=self._bounded("task_type", trace.task_type),
            category=self._bounded("category", trace.category),
            tier=self._bounded("tier", trace.tier),
            model=self._bounded("model", trace.model),
            release=self._bounded("release", trace.release),
            outcome=self._bounded("outcome", trace.outcome),
        )
        key = (_minute(at), dimensions)
        if key not in self._cells and len(self._cells) >= _MOST_CELLS:
            self._other += 1
            key = (_minute(at), Dimensions(trace.kind, OTHER, OTHER, OTHER, OTHER, OTHER, trace.outcome))
        return self._cells.setdefault(key, Tally())

    def _begin_hour(self, at: float) -> None:
        """Tell values apart anew once an hour; a clock that is set back begins none."""
        hour = int(at // HOUR)
        if hour > self._hour:
            self._hour = hour
            self._known.clear()
            self._said.clear()

    def _of_parts(self, own: Tally, recorded: Recorded) -> None:
        """What is counted by stage, reason, check and topic."""
        measures, trace = recorded.measures, recorded.trace
        for stage, ms in measures.stage_ms:
            _see(own, f"stage_ms{AT}{self._bounded('stage', stage)}", ms)
        for name, reasons in (("retries", measures.retries), ("fallbacks", measures.fallbacks)):
            for reason, times in reasons:
                own.count(f"{name}{AT}{self._bounded('reason', reason)}", times)
        for check in trace.failed_checks:
            own.count(f"failed_checks{AT}{self._bounded('check', check)}")
        if topic := _topic(trace):
            own.count(f"topics{AT}{self._bounded('topic', topic)}")

    def _of_spent(self, own: Tally, spent: Spent) -> None:
        of = f"{AT}{self._bounded('stage', spent.stage)}|{self._bounded('model', spent.model)}"
        own.count(f"calls{of}")
        own.count(f"tokens_in{of}", spent.input_tokens)
        own.count(f"tokens_out{of}", spent.output_tokens)
        if spent.cost_micros is None:
            own.count(f"unpriced{of}")
        else:
            own.count(f"spent{of}", spent.cost_micros)
        if (speed := spent.tokens_per_s) is not None:
            _see(own, f"tokens_per_s{of}", speed)

    def _bounded(self, dimension: str, value: str) -> str:
        if len(value) > _LONGEST or AT in value or "|" in value:
            value = value[:_LONGEST].replace(AT, "-").replace("|", "-")
        known = self._known.get(dimension)
        if known is None:
            known = self._known[dimension] = set()
        if value in known or not value:
            return value
        if len(known) < self._most.get(dimension, _MOST_NAMES):
            known.add(value)
            return value
        self._other += 1
        if dimension not in self._said:
            self._said.add(dimension)
            _log.warning(
                "More than %d values of %s within an hour: those that come now count under %r.",
                len(known),
                dimension,
                OTHER,
            )
        return OTHER


def _copied(tally: Tally) -> Tally:
    whole = Tally()
    whole.merge(tally)
    return whole


def _of_trace(own: Tally, trace: Trace, measures: Measures) -> None:
    """What is counted of whatever was asked."""
    own.count("traces")
    own.count(f"success_{measures.success}")
    has_failed, is_callers = trace.outcome == "failed", is_callers_fault(trace.error)
    for name, is_so in (
        ("failed", has_failed and not is_callers),
        ("caller_errors", has_failed and is_callers),
        ("refused", trace.outcome == "refused"),
        ("abstained", trace.outcome == "abstained"),
        ("escalated", trace.escalated),
        ("degraded", trace.degraded),
        ("retried", bool(measures.retries)),
        ("fell_back", bool(measures.fallbacks)),
        ("timed_out", measures.timeouts > 0),
    ):
        if is_so:
            own.count(name)
    for name, times in (("attempts", measures.attempts), ("timeouts", measures.timeouts), ("hedges", measures.hedges)):
        if times:
            own.count(name, times)
    _see(own, "ms", trace.ms)
    for name, value in (
        ("ttft_ms", trace.ttft_ms),
        ("queue_ms", measures.queue_ms or None),
        ("cost_micros", trace.cost_micros),
        ("input_tokens", trace.input_tokens),
        ("output_tokens", trace.output_tokens),
        ("context_tokens", measures.context_tokens or None),
        ("difficulty", measures.difficulty),
    ):
        if value is not None:
            _see(own, name, value)
    if trace.cost_micros is None:
        own.count("unknown_cost")


def _of_answer(own: Tally, trace: Trace, measures: Measures) -> None:
    """What is counted of answers: whether they were made anew, and what they rest on."""
    if measures.cache not in {"", "off"}:  # off: its category is not for the cache
        own.count("cache_asked")
        if trace.cached:
            own.count("cache_hits")
    if trace.checked:
        own.count("checked")
        if trace.failed_checks:
            own.count("check_failed")
    for name, value in (
        ("relevance", measures.relevance),
        ("mean_relevance", measures.mean_relevance),
        ("least_relevance", measures.least_relevance),
        ("utilisation", measures.utilisation),
        ("difficulty", measures.difficulty),
    ):
        if value is not None:
            _see(own, name, value)


def _of_reaction(own: Tally, trace: Trace) -> None:
    """What is counted of what people and judges said."""
    said = trace.reaction
    if said.helpful is not None:
        own.count("helpful" if said.helpful else "unhelpful")
    if said.quality is not None:
        own.count("judged")
        _see(own, "quality", said.quality)
    if said.groundedness is not None:
        _see(own, "groundedness", said.groundedness)


def _see(own: Tally, name: str, value: float) -> None:
    """Add a value; what is no number, as a span from elsewhere may say, is none."""
    if math.isfinite(value):
        own.see(name, value)


def _topic(trace: Trace) -> str:
    """Which cluster of questions it belongs to, as `retrieve` found; empty where it wasn't looked at."""
    for span in trace.spans:
        if span.name == "retrieve":
            return str(next((value for name, value in span.attributes if name == "topic"), None) or "")
    return ""


def _minute(at: float) -> int:
    return int(at // MINUTE) * MINUTE
