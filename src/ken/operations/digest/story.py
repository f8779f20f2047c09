"""The day in order: what moved first, what people had done, what followed, what fired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ken.domain.alert import Happening
from ken.operations.digest.day import DayTold, Fired, Headline
from ken.operations.why.words import nothing, shown, title, unit_of, values

QUIET = "Nothing moved, and no alert fired: a day like those before."
FIRED_ALONE = "An alert's rule was met, and no figure is seen to have moved for long enough to name a cause."
TRIED_AGAIN = "is tried again"
"""How the words of a breaker begin that opens no more than it was."""
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
    code: str = ""
    """A part of the text that is a name, as programs know it."""


def opening(told: DayTold) -> str:
    """The day in one or two sentences."""
    if not told.explanation.hypotheses and not told.fired and told.explanation.is_compared:
        return QUIET
    sentences: list[str] = []
    if not told.explanation.hypotheses:
        is_still = told.explanation.is_compared and told.fired
        sentences.append(FIRED_ALONE if is_still else nothing(told.explanation))
    if told.explanation.hypotheses:
        first = told.explanation.hypotheses[0]
        sentences.append(f"What stands out: {title(first)}")
        if first.marker is not None:
            sentences.append(f"Just before: {first.marker.told or first.marker.of}")
    sentences.append(f"{_counted(told.fired)} fired.")
    return " ".join(sentences)


def _counted(fired: Sequence[Fired]) -> str:
    """How many alerts, by severity; none of a severity is left out."""
    hard = sum(each.alert.severity == "hard" for each in fired)
    counts = [f"{count} {name}" for count, name in ((hard, "hard"), (len(fired) - hard, "soft")) if count]
    if not counts:
        return "No alert"
    return f"{' and '.join(counts)} alert{'s' * (len(fired) != 1)}"


def events(told: DayTold) -> tuple[Event, ...]:
    """What happened, in the order of time."""
    return tuple(sorted(_events(told), key=lambda each: each.at))


def _events(told: DayTold) -> Iterator[Event]:
    # Of each figure the hypothesis about it says where it moved; the list of all that moved would say it three times.
    for each in told.explanation.hypotheses[:_MOST_MOVED]:
        moved = each.moved
        way = "rose" if moved.change.is_up else "fell"
        yield Event(moved.change.at, "moved", f"{moved.subject} {way}: {values(moved)}")
    yield from list(_happened(told.happenings))[-_MOST_HAPPENED:]
    for fired in told.fired:
        again = f" ({fired.times} times)" if fired.times > 1 else ""
        at, name = fired.alert.fired_at or fired.alert.since, fired.alert.name
        yield Event(at, "fired", f"{fired.alert.severity} alert {name}{again}: {fired.alert.summary}", code=name)


def _happened(happenings: Sequence[Happening]) -> Iterator[Event]:
    """What happened, in words that say to what. A breaker that opens again and again is told once, where it first did."""
    opened = [each for each in happenings if each.kind == "breaker" and not each.told.startswith(TRIED_AGAIN)]
    first = {each.of: each for each in reversed(opened)}
    for each in happenings:
        match each.kind:
            case "breaker":
                if first.get(each.of) is each:
                    times = sum(other.of == each.of for other in opened)
                    again = f" ({times} times that day)" if times > 1 else ""
                    yield Event(each.at, "did", f"breaker of {each.of!r} {each.told}{again}")
            case "budget_short" | "budget_exhausted":
                how = "nearly used up" if each.kind == "budget_short" else "used up"
                yield Event(each.at, "did", f"the budget {each.of!r} is {how}")
            case "regression":
                share = "" if each.value is None else f" passes {each.value * 100:.1f} % of"
                yield Event(each.at, "did", f"release {each.of}{share} the question set {each.told}".strip())
            case _:
                yield Event(each.at, "did", each.told or f"{each.kind} {each.of}".strip())


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
