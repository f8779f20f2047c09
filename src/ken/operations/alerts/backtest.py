"""What a rule would have said of the record: the engine itself looks, at the times at which it would have looked.

Nothing here judges. The engine that watches a running Ken is given the rule alone and the record, and is asked again and again; what it
found and what became of its alerts is written down. Messages are counted by what makes them. What a look back can't know is how much of
a minute was on record when the live engine looked, and how budgets stood then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ken.domain.alert import Change, Happenings, Labels, fingerprint
from ken.domain.figures import Figures
from ken.operations.alerts.engine import Engine, labels_of
from ken.operations.alerts.notices import Pace, Recipient, notices_of
from ken.operations.alerts.rule import Finding, Rule

LONGEST_S = 28 * 86_400.0
MOST_POINTS = 720
"""Points of one line: of more looks than that, those are told that say most."""
MOST_LINES = 12
_STEP_S = 60.0
_EVERYBODY = Recipient(name="everybody", severities=frozenset({"hard", "soft"}))
_NOTHING = Finding(label="", value=None, expected=None, holds=None)

Standing = Literal["quiet", "pending", "firing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look saw for one set of labels."""

    at: float
    value: float | None
    expected: float | None
    """The limit, the baseline, or the figure before."""
    count: int
    holds: bool | None
    """None: nothing could be said."""
    state: Standing


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: [since, until)."""

    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How long an alert waited or fired."""

    state: Literal["pending", "firing"]
    span: Span
    is_over: bool
    """False: it was still so at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All of one set of labels."""

    labels: Labels
    looks: tuple[Look, ...]
    stays: tuple[Stay, ...]
    thin: tuple[Span, ...]
    """Where there was too little to look at for anything to be said."""

    @property
    def firing(self) -> tuple[Stay, ...]:
        """When it would have fired."""
        return tuple(stay for stay in self.stays if stay.state == "firing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What comes of it."""

    rule: Rule
    span: Span
    """As far as it came."""
    is_whole: bool
    """False: it was stopped before the end."""
    step_s: float
    point_s: float
    """Each line has one look at most for so long a time."""
    lines: tuple[Line, ...]
    """Those that fired first."""
    changes: tuple[Change, ...]
    messages: int
    """So many would have gone to somebody who is told of everything."""
    problem: str
    """Why the rule could not be looked at, at some time."""

    @property
    def firings(self) -> int:
        """How often alerts would have fired."""
        return sum(len(line.firing) for line in self.lines)

    @property
    def firing_s(self) -> float:
        """For how long at least one of them would have."""
        whole, end = 0.0, 0.0
        for span in sorted((stay.span for line in self.lines for stay in line.firing), key=lambda span: span.since):
            whole += max(0.0, span.until - max(span.since, end))
            end = max(end, span.until)
        return whole


def never() -> bool:
    """It is not stopped before its end."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is looked at."""

    figures: Figures
    happenings: Happenings


def backtest(
    rule: Rule, record: Record, *, span: Span, pace: Pace | None = None, is_over: Callable[[], bool] = never
) -> Backtest:
    """Look at a rule at each of its times in a span, until `is_over` says to stop. Raises what the figures raise."""
    engine = Engine([rule], record.figures, happenings=record.happenings)
    step_s = max(_STEP_S, float(rule.every_s))
    point_s = max(step_s, (span.until - span.since) / MOST_POINTS)
    tracks = _Tracks(rule, span, bucket_s=point_s)
    changes: list[Change] = []
    messages, problem, ended = 0, "", span.since
    # An engine that runs all the time has seen what holds when the span begins for as long as the rule asks.
    at = span.since - -(-rule.for_s // step_s) * step_s
    while at <= span.until and not is_over():
        found = engine.evaluate(at)
        notices, engine.alerts = notices_of(engine.alerts, [_EVERYBODY], pace=pace or Pace(), now=at)
        problem = engine.problems.get(rule.name, problem)
        if at >= span.since:
            changes += found
            messages += len(notices)
            tracks.note(engine, at)
            ended = at
        at += step_s
    return Backtest(
        rule=rule,
        span=Span(span.since, ended),
        is_whole=at > span.until,
        step_s=step_s,
        point_s=point_s,
        lines=tracks.lines(ended),
        changes=tuple(changes),
        messages=messages,
        problem=problem,
    )


@dataclass(slots=True)
class _Track:
    """One set of labels, while it is looked at."""

    labels: Labels
    looks: list[Look] = field(default_factory=list[Look])
    bucket: int = -1
    state: Standing = "quiet"
    state_since: float = 0.0
    stays: list[Stay] = field(default_factory=list[Stay])
    thin_since: float | None = None
    thin: list[Span] = field(default_factory=list[Span])

    def note(self, look: Look, bucket: int) -> None:
        """Take in the next look."""
        if bucket == self.bucket:
            self.looks[-1] = max(self.looks[-1], look, key=_says)
        else:
            self.looks.append(look)
            self.bucket = bucket
        if look.state != self.state:
            self.stay(look.at, is_over=True)
            self.state, self.state_since = look.state, look.at
        if look.holds is None and self.thin_since is None:
            self.thin_since = look.at
        elif look.holds is not None:
            self.thicken(look.at)

    def stay(self, until: float, *, is_over: bool) -> None:
        """It has been in its state until a time."""
        if self.state != "quiet":
            self.stays.append(Stay(state=self.state, span=Span(self.state_since, until), is_over=is_over))

    def thicken(self, until: float) -> None:
        """There has been too little to look at until a time, if there was."""
        if self.thin_since is not None and until > self.thin_since:
            self.thin.append(Span(self.thin_since, until))
        self.thin_since = None


@dataclass(slots=True)
class _Tracks:
    rule: Rule
    span: Span
    bucket_s: float
    _all: dict[str, _Track] = field(default_factory=dict[str, _Track])

    def note(self, engine: Engine, at: float) -> None:
        """Take in what the engine has just found, and how its alerts stand."""
        seen: dict[str, Finding] = {}
        for finding in engine.found.get(self.rule.name, ()):
            labels = labels_of(self.rule, finding)
            key = fingerprint(self.rule.name, labels)
            seen[key] = finding
            if key not in self._all:
                since = None if at <= self.span.since else self.span.since
                self._all[key] = _Track(labels, thin_since=since)
        bucket = int((at - self.span.since) // self.bucket_s)
        for key, track in self._all.items():
            finding, alert = seen.get(key, _NOTHING), engine.alerts.get(key)
            state: Standing = "quiet"
            if alert is not None and alert.state != "resolved":
                state = "pending" if alert.state == "pending" else "firing"
            track.note(
                Look(
                    at=at,
                    value=finding.value,
                    expected=finding.expected,
                    count=finding.count,
                    holds=finding.holds,
                    state=state,
                ),
                bucket,
            )

    def lines(self, ended: float) -> tuple[Line, ...]:
        """All of them, those that fired longest first, then those with most to look at."""
        for track in self._all.values():
            track.stay(ended, is_over=False)
            track.thicken(ended)
        found = [
            Line(labels=track.labels, looks=tuple(track.looks), stays=tuple(track.stays), thin=tuple(track.thin))
            for track in self._all.values()
        ]
        return tuple(sorted(found, key=_weight))


def _says(look: Look) -> tuple[bool, bool, bool]:
    """Of several looks in one step of a line, the one that holds says most, then one of a time at which it fired, then one with a value."""
    return bool(look.holds), look.state != "quiet", look.value is not None


def _weight(line: Line) -> tuple[float, int]:
    fired = sum(stay.span.until - stay.span.since for stay in line.firing)
    return -fired, -sum(look.count for look in line.looks)
