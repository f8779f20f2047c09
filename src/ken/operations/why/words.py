"""Says hypotheses in sentences: what was seen, and never that it was so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from ken.domain.alert import Happening
from ken.operations.why.change import LEAST_STEPS
from ken.operations.why.hypotheses import Explanation, Hypothesis, Moved
from ken.telemetry.prices import money
from ken.telemetry.vocabulary import METRICS, Unit

NOTHING = "Nothing moved in this time that was not moving before."
_MANY = 10.0
_MOST_FOLLOWS = 6


def title(hypothesis: Hypothesis) -> str:
    """What moved, from what to what, since when."""
    moved = hypothesis.moved
    return f"{_first_large(moved.subject)} {_went(moved)} from {clock(moved.change.at)} on: {values(moved)}."


def evidence(hypothesis: Hypothesis, explanation: Explanation) -> Iterator[str]:
    """What speaks for it, one sentence at a time."""
    moved = hypothesis.moved
    first = min(each.change.at for each in explanation.moved)
    ahead = moved.change.at - first
    if ahead <= 2 * moved.step_s:
        yield "It was among the first to move."
    else:
        yield f"It moved {span(ahead)} after the first that did."
    if hypothesis.marker is not None:
        yield _just_before(hypothesis.marker, moved)
    if hypothesis.within is not None:
        yield f"{percent(min(hypothesis.within, 1.0))} of the whole change is within {moved.dimension} {moved.value}."
    if hypothesis.mix >= 0.2:  # noqa: PLR2004 - less is not worth a sentence
        yield f"{percent(min(hypothesis.mix, 1.0))} of the whole change comes from another mix of questions: nothing got worse there."
    if hypothesis.follows:
        later = ", ".join(f"{each.subject} ({clock(each.change.at)})" for each in hypothesis.follows[:_MOST_FOLLOWS])
        yield f"It can explain {percent(hypothesis.explains)} of what else moved: {later}."


def nothing(explanation: Explanation) -> str:
    """Why there are no hypotheses: nothing moved, nobody asked, or there is nothing to compare with."""
    if not explanation.asked:
        return "Nobody asked anything in this time."
    if explanation.is_compared:
        return NOTHING
    hours = explanation.hours_before
    return (
        f"There is too little to compare this time with: before it there were questions in {hours} hour{'s' * (hours != 1)}. "
        f"{LEAST_STEPS} steps are needed, of five minutes where much is asked, and of up to six hours where little is."
    )


def lines(explanation: Explanation, *, most: int = 5) -> Iterator[str]:
    """The whole of it, for a terminal."""
    window = explanation.window
    yield f"{day_and_clock(window.since)} to {day_and_clock(window.until)} UTC"
    if not explanation.hypotheses:
        yield nothing(explanation)
    for number, hypothesis in enumerate(explanation.hypotheses[:most], 1):
        yield ""
        yield f"{number}. {title(hypothesis)}"
        yield from (f"   {sentence}" for sentence in evidence(hypothesis, explanation))
    if explanation.hypotheses:
        yield ""
        yield "These are hypotheses, in the order of what speaks for them; that one thing moved before another proves nothing."


def values(moved: Moved) -> str:
    """From what to what, and how far that is."""
    change, unit = moved.change, unit_of(moved.metric)
    told = f"{shown(change.before, unit)} → {shown(change.after, unit)}"
    if not math.isfinite(change.share) or abs(change.share) >= _MANY:
        return told
    return f"{told} ({change.share * 100:+.0f} %)"


def unit_of(metric: str) -> Unit:
    """The unit of a figure, by its name without a suffix."""
    if metric.startswith("mix:"):
        return "share"
    return next(known.unit for name, known in METRICS.items() if name.partition(".")[0] == metric.partition(".")[0])


def shown(value: float, unit: Unit) -> str:
    """A figure for people."""
    match unit:
        case "share":
            return f"{value * 100:.1f} %"
        case "ms":
            return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"  # noqa: PLR2004 - a second
        case "micros":
            return money(round(value))
        case "score" | "relevance" | "index":
            return f"{value:.2f}"
        case _:
            return f"{value:,.0f}" if value >= _MANY else f"{value:.1f}"


def percent(share: float) -> str:
    """A share for people."""
    return f"{share * 100:.0f} %"


def span(seconds: float) -> str:
    """A length of time for people."""
    minutes = round(seconds / 60)
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} minute{'s' * (minutes != 1)}"
    return f"{seconds / 3600:.1f} hours"


def clock(at: float) -> str:
    """The time of day, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def day_and_clock(at: float) -> str:
    """The day and the time, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _just_before(marker: Happening, moved: Moved) -> str:
    told = marker.told or f"{marker.kind} {marker.of}"
    minutes = round((moved.change.at - marker.at) / 60)
    if not minutes:
        return f"At the same time: {told}"
    return f"{span(abs(minutes) * 60)} {'before' if minutes > 0 else 'after'}: {told}"


def _went(moved: Moved) -> str:
    return "rose" if moved.change.is_up else "fell"


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]
