"""Gathers a day: its figures beside those of the week before, what moved, what fired, what cost most."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from ken.domain.alert import Alert, Happening, Happenings
from ken.domain.figures import Figures, Point
from ken.errors import InvalidInput
from ken.operations.why.hypotheses import Explanation, Window, explain
from ken.storage.alerts import AlertBook
from ken.telemetry.figures import Pattern

DAY_S = 86_400.0
WEEK_DAYS = 7
_HOUR_S = 3600
_MOST_CHANGES = 2_000
_LEAST_CHANGE = 0.1
_FAR = 3.0
"""Standard errors from which a share is far from usual."""
_BACK_DAYS = 14
_SATURDAY = 5

HEADLINES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Health",
        (
            ("questions", "questions"),
            ("error_rate", "failed"),
            ("retry_rate", "retries"),
            ("fallback_rate", "fallbacks"),
            ("degraded_rate", "answered with less"),
            ("cache_hit_rate", "cache hit rate"),
        ),
    ),
    (
        "Quality",
        (
            ("success_rate", "tasks done"),
            ("quality.mean", "quality as judged"),
            ("groundedness.mean", "groundedness as judged"),
            ("relevance.mean", "relevance of the best passage"),
            ("refusal_rate", "refused"),
            ("abstention_rate", "beyond the documents"),
            ("check_failure_rate", "failed a check"),
        ),
    ),
    (
        "Latency",
        (
            ("ms.p50", "to an answer, p50"),
            ("ms.p95", "to an answer, p95"),
            ("ttft_ms.p95", "to the first token, p95"),
            ("queue_ms.p95", "wait for a turn, p95"),
        ),
    ),
    (
        "Cost",
        (
            ("cost", "spent"),
            ("cost_per_question", "a question"),
            ("cost_per_success", "a task done"),
            ("context_tokens.mean", "tokens of a prompt"),
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One figure of the day."""

    metric: str
    label: str
    value: float | None
    count: int
    """The observations behind it."""
    usual: float | None
    """The median of the days before that are like it, working days or days off; None where there were none."""
    hours: tuple[float | None, ...]
    usual_hours: tuple[float | None, ...]
    """The same hours a week before."""

    @property
    def change(self) -> float | None:
        """As a share of what is usual."""
        if self.value is None or not self.usual:
            return None
        return self.value / self.usual - 1

    @property
    def is_far(self) -> bool:
        """Whether the change is worth a look."""
        if self.change is None or abs(self.change) < _LEAST_CHANGE or self.value is None or not self.usual:
            return False
        if not self.metric.endswith("_rate"):
            return True
        error = math.sqrt(min(self.usual, 0.5) * (1 - min(self.usual, 0.5)) / max(self.count, 1))
        return abs(self.value - self.usual) > _FAR * error


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """An alert that fired on the day."""

    alert: Alert
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTold:
    """All that the digest tells."""

    day: date
    since: float
    until: float
    """Earlier than the day's end, where the day is not over."""
    views: tuple[tuple[str, tuple[Headline, ...]], ...]
    explanation: Explanation
    fired: tuple[Fired, ...]
    happenings: tuple[Happening, ...]
    costs: tuple[Pattern, ...]
    silent: tuple[str, ...]
    """Heuristics that have found nothing for months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the digest reads."""

    figures: Figures
    alerts: AlertBook
    happenings: Happenings
    patterns: Callable[[float, float], Sequence[Pattern]]
    """The task types and categories that cost most between two times, the dearest first."""
    silent: Callable[[], Sequence[str]] = field(default=tuple)


def day_of(text: str | None, *, now: float) -> date:
    """The day that is meant: `2026-11-20`, `today`, `yesterday`; None: yesterday. UTC. Raises InvalidInput."""
    today = datetime.fromtimestamp(now, UTC).date()
    if text in {None, "yesterday"}:
        return today - timedelta(days=1)
    if text == "today":
        return today
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        raise InvalidInput(f"{text!r} is no day. Write 2026-11-20, today or yesterday.") from None
    if day > today:
        raise InvalidInput(f"{text!r} is still to come. Name today, or a day before it.")
    return day


def told(sources: Sources, day: date, *, now: float) -> DayTold:
    """Gather a day. Raises what its sources raise."""
    since = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    until = min(since + DAY_S, now)
    happened = [each for each in sources.happenings.since(since - DAY_S) if each.at < until]
    return DayTold(
        day=day,
        since=since,
        until=until,
        views=tuple(
            (
                view,
                tuple(_headline(sources.figures, metric, label, since=since, until=until) for metric, label in named),
            )
            for view, named in HEADLINES
        ),
        explanation=explain(sources.figures, Window(since=since, until=until), happenings=happened),
        fired=_fired(sources.alerts, since, until),
        happenings=tuple(each for each in happened if each.at >= since and each.begins),
        costs=tuple(sources.patterns(since, until)),
        silent=tuple(sources.silent()),
    )


def _headline(figures: Figures, metric: str, label: str, *, since: float, until: float) -> Headline:
    whole = figures.whole(metric, since=since, until=until).get("")
    days = [
        each.value
        for number in _alike(since)
        if (each := figures.whole(metric, since=since - number * DAY_S, until=until - number * DAY_S).get(""))
        is not None
        and each.value is not None
        and each.count
    ]
    week = WEEK_DAYS * DAY_S
    return Headline(
        metric=metric,
        label=label,
        value=None if whole is None else whole.value,
        count=0 if whole is None else whole.count,
        usual=statistics.median(days) if days else None,
        hours=_values(figures.series(metric, since=since, until=until, step_s=_HOUR_S).get("", ())),
        usual_hours=_values(figures.series(metric, since=since - week, until=until - week, step_s=_HOUR_S).get("", ())),
    )


def _alike(since: float) -> list[int]:
    """How many days ago the last days were that are working days, or days off, as this one is."""
    is_off = _is_off(since)
    alike = [number for number in range(1, _BACK_DAYS + 1) if _is_off(since - number * DAY_S) == is_off]
    return alike[:WEEK_DAYS]


def _is_off(at: float) -> bool:
    return datetime.fromtimestamp(at, UTC).weekday() >= _SATURDAY


def _values(series: Sequence[Point]) -> tuple[float | None, ...]:
    return tuple(point.value for point in series)


def _fired(alerts: AlertBook, since: float, until: float) -> tuple[Fired, ...]:
    """Each alert once, in the order in which they fired first."""
    changes = [each for each in alerts.changes(since=since, until=until, limit=_MOST_CHANGES) if each.new == "firing"]
    newest: dict[str, Alert] = {}
    times: dict[str, int] = {}
    for each in reversed(changes):
        key = each.alert.fingerprint
        newest.setdefault(key, each.alert)
        times[key] = times.get(key, 0) + 1
    return tuple(Fired(alert=alert, times=times[key]) for key, alert in newest.items())
