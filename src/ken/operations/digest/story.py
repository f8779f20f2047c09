"""The day in order: what moved first, what people had done, what followed, what fired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ken.operations.digest.day import DayTold, Headline
from ken.operations.why.words import shown, title, unit_of, values

QUIET = "Nothing moved, and no alert fired: a day like those before."
_MOST_HYPOTHESES = 3
_MOST_MOVED = 12
_MOST_HAPPENED = 12

EventKind = Literal["moved", "did", "fired"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the story."""

    at: float
    kind: EventKind
    text: str


def opening(told: DayTold) -> str:
    """The day in one or two sentences."""
    if not told.explanation.hypotheses and not told.fired:
        return QUIET
    sentences: list[str] = []
    if told.explanation.hypotheses:
        first = told.explanation.hypotheses[0]
        sentences.append(f"What stands out: {title(first)}")
        if first.marker is not None:
            sentences.append(f"Just before: {first.marker.told or first.marker.of}")
    hard = sum(each.alert.severity == "hard" for each in told.fired)
    soft = len(told.fired) - hard
    if told.fired:
        sentences.append(f"{hard} hard and {soft} soft alert{'s' * (len(told.fired) != 1)} fired.")
    return " ".join(sentences)


def events(told: DayTold) -> tuple[Event, ...]:
    """What happened, in the order of time."""
    return tuple(sorted(_events(told), key=lambda each: each.at))


def _events(told: DayTold) -> Iterator[Event]:
    # Of each figure the hypothesis about it says where it moved; the list of all that moved would say it three times.
    for each in told.explanation.hypotheses[:_MOST_MOVED]:
        moved = each.moved
        way = "rose" if moved.change.is_up else "fell"
        yield Event(moved.change.at, "moved", f"{moved.subject} {way}: {values(moved)}")
    for happening in told.happenings[-_MOST_HAPPENED:]:
        yield Event(happening.at, "did", happening.told or f"{happening.kind} {happening.of}".strip())
    for fired in told.fired:
        again = f" ({fired.times} times)" if fired.times > 1 else ""
        at = fired.alert.fired_at or fired.alert.since
        yield Event(at, "fired", f"{fired.alert.severity} alert {fired.alert.name}{again}: {fired.alert.summary}")


def figure(headline: Headline) -> str:
    """The figure of the day, for people."""
    return "–" if headline.value is None else shown(headline.value, unit_of(headline.metric))


def usual(headline: Headline) -> str:
    """What it usually is."""
    return "–" if headline.usual is None else shown(headline.usual, unit_of(headline.metric))


def change(headline: Headline) -> str:
    """How far it is from usual."""
    return "" if headline.change is None else f"{headline.change * 100:+.0f} %"


def hypotheses(told: DayTold) -> int:
    """How many hypotheses are told."""
    return min(len(told.explanation.hypotheses), _MOST_HYPOTHESES)
