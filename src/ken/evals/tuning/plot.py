"""A sweep as a picture: the gain of each value with its interval, and the curves along sizes. One SVG, no other file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ken.evals.tuning.report import KEEP, gains
from ken.evals.tuning.space import CURVES, line
from ken.evals.tuning.sweep import MOST_PASSAGES, Gain, Measured, Numbers, Swept

STYLE = """
:root { color-scheme: light dark; }
.tuning { --ink: #1d2733; --soft: #5c6b7a; --line: #d5dce3; --paper: #ffffff; --mark: #1f6f8b; --sure: #2a8f5b; --bad: #b3462f; }
@media (prefers-color-scheme: dark) {
  .tuning { --ink: #e6edf3; --soft: #93a1b0; --line: #303b46; --paper: #12181f; --mark: #5fb8d4; --sure: #5ccb8f; --bad: #ef8a70; }
}
.tuning { background: var(--paper); font: 12px system-ui, sans-serif; }
.tuning text { fill: var(--ink); } .tuning .soft { fill: var(--soft); } .tuning .title { font-weight: 600; font-size: 14px; }
.tuning .num { font-variant-numeric: tabular-nums; } .tuning .end { text-anchor: end; } .tuning .mid { text-anchor: middle; }
.tuning .axis { stroke: var(--line); fill: none; } .tuning .zero { stroke: var(--soft); stroke-dasharray: 2 3; }
.tuning .bar { stroke: var(--mark); stroke-width: 2; } .tuning .dot { fill: var(--mark); }
.tuning .sure .bar { stroke: var(--sure); } .tuning .sure .dot { fill: var(--sure); }
.tuning .bad .bar { stroke: var(--bad); } .tuning .bad .dot { fill: var(--bad); }
.tuning .band { fill: var(--mark); opacity: .16; } .tuning .curve { stroke: var(--mark); stroke-width: 2; fill: none; }
.tuning .taken { fill: var(--sure); font-weight: 600; }
"""
"""Of the pictures of all tunings; each stands in a `.tuning`, and is dark where its page is."""
_ROW = 18
_LABELS = 190
_FOREST = 300
_GAP = 56
_CHART = 260
_CHART_HEIGHT = 150
_MARGIN = 24
_TOP = 74
_FIGURES = 62
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a curve."""

    x: float
    gain: Gain


@dataclass(frozen=True, slots=True)
class Curve:
    """A figure along a setting."""

    title: str
    now: float
    """Where the setting stands."""
    points: tuple[Point, ...]


def svg(swept: Swept, *, passages: int) -> str:
    """The picture; `passages` is how many go to the reader."""
    curves = tuple(_curves(swept, passages))
    rows = len(swept.trials)
    height = _TOP + max(_ROW * (rows + 1) + 40, len(curves) * (_CHART_HEIGHT + 64)) + _MARGIN
    width = 2 * _MARGIN + _LABELS + _FOREST + _FIGURES + _GAP + _CHART
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tuning" viewBox="0 0 {width} {height}" width="{width}"',
        f'height="{height}" role="img" aria-label="What each setting of the search gains">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="var(--paper)"/>',
        label(_MARGIN, 30, text=_headline(swept), kind="title"),
        label(
            _MARGIN,
            50,
            text=f"gain on {int(swept.reporting.sum())} questions that no choice has seen, 95 % interval",
            kind="soft",
        ),
        *_forest(swept),
    ]
    left = width - _MARGIN - _CHART
    for number, curve in enumerate(curves):
        parts += _chart(curve, left, _TOP + number * (_CHART_HEIGHT + 64))
    return "\n".join([*parts, "</svg>"]) + "\n"


def page(swept: Swept, *, passages: int) -> str:
    """The picture as a page of its own."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Tuning search</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        "<style>:root { color-scheme: light dark } body { margin: 0 } svg { max-width: 100%; height: auto }</style>\n"
        f"{svg(swept, passages=passages)}</html>\n"
    )


def _headline(swept: Swept) -> str:
    if not swept.is_worth_it:
        return KEEP
    changes = ", ".join(line(key, value) for key, value in swept.end.differences(swept.start))
    return f"{changes}: {swept.gain.value:+.3f}"


def _forest(swept: Swept) -> Iterator[str]:
    reported = [gains(swept, trial)[1] for trial in swept.trials]
    reach = max([0.02, *(max(abs(gain.low), abs(gain.high)) for gain in reported)]) * 1.05
    left, middle = _MARGIN + _LABELS, _MARGIN + _LABELS + _FOREST / 2
    bottom = _TOP + _ROW * len(reported) + 6

    def at(value: float) -> float:
        return middle + value / reach * _FOREST / 2

    yield f'<path class="zero" d="M{middle:.1f} {_TOP - 12}V{bottom}"/>'
    yield f'<path class="axis" d="M{left} {bottom}H{left + _FOREST}"/>'
    for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
        yield label(at(share * reach / 1.05), bottom + 16, text=f"{share * reach / 1.05:+.2f}", kind="soft num mid")
    key = ""
    for number, (trial, gain) in enumerate(zip(swept.trials, reported, strict=True)):
        y = _TOP + _ROW * number + 4
        kind = "sure" if gain.low > 0 else "bad" if gain.high < 0 else ""
        whole = line(trial.key, trial.value)
        name = whole if trial.key != key else whole.partition(" = ")[2]
        key = trial.key
        yield label(left - 10, y + 4, text=name, kind="end taken" if trial.is_taken else "end")
        yield f'<g class="{kind}"><title>{escape(_told(whole, gain))}</title>'
        yield f'<path class="bar" d="M{at(gain.low):.1f} {y}H{at(gain.high):.1f}"/>'
        yield f'<circle class="dot" cx="{at(gain.value):.1f}" cy="{y}" r="3.5"/></g>'
        yield label(left + _FOREST + _FIGURES - 8, y + 4, text=f"{gain.value:+.3f}", kind="soft num end")


def _curves(swept: Swept, passages: int) -> Iterator[Curve]:
    for key in CURVES:
        trials = [trial for trial in swept.trials if trial.key == key]
        if trials:
            points = [(float(trial.value), trial.measured) for trial in trials]
            now = float(swept.start.get(key))
            points.append((now, trials[0].before))
            yield Curve(f"objective by {key}", now, _along(points, swept.reporting))
    measured = swept.after if swept.is_worth_it else swept.before
    shares = tuple(
        Point(float(count), Gain.of(measured.evidence[:, count - 1])) for count in range(1, MOST_PASSAGES + 1)
    )
    yield Curve("evidence among so many passages", float(passages), shares)


def _along(points: Sequence[tuple[float, Measured]], of: Numbers) -> tuple[Point, ...]:
    ordered = sorted(points, key=lambda point: point[0])
    return tuple(Point(x, Gain.of(measured.objective[of > 0])) for x, measured in ordered)


def _chart(curve: Curve, left: float, top: float) -> Iterator[str]:
    xs = [point.x for point in curve.points]
    low = min(point.gain.low for point in curve.points)
    high = max(point.gain.high for point in curve.points)
    low, high = (low, high) if high > low else (low - 0.05, high + 0.05)
    span = (max(xs) - min(xs)) or 1.0
    inner, bottom = left + 34, top + _CHART_HEIGHT

    def place(x: float, y: float) -> str:
        across = inner + (x - min(xs)) / span * (_CHART - 40)
        return f"{across:.1f} {bottom - (y - low) / (high - low) * (_CHART_HEIGHT - 24):.1f}"

    yield label(left, top, text=curve.title, kind="title")
    yield f'<path class="axis" d="M{inner} {top + 16}V{bottom}H{left + _CHART}"/>'
    for value in np.linspace(low, high, _TICKS):
        y = float(place(min(xs), float(value)).split()[1])
        yield label(inner - 6, y + 4, text=f"{value:.2f}", kind="soft num end")
    upper = [place(point.x, point.gain.high) for point in curve.points]
    lower = [place(point.x, point.gain.low) for point in reversed(curve.points)]
    yield f'<path class="band" d="M{"L".join([*upper, *lower])}Z"/>'
    yield f'<path class="curve" d="M{"L".join(place(point.x, point.gain.value) for point in curve.points)}"/>'
    for point in curve.points:
        x, y = place(point.x, point.gain.value).split()
        kind = "sure" if point.x == curve.now else ""
        yield f'<g class="{kind}"><title>{escape(_told(f"{point.x:g}", point.gain))}</title>'
        yield f'<circle class="dot" cx="{x}" cy="{y}" r="3.5"/></g>'
    for x in _spread(xs):
        yield label(float(place(x, low).split()[0]), bottom + 16, text=f"{x:g}", kind="soft num mid")


def _spread(xs: Sequence[float]) -> list[float]:
    """Those of the values in order whose labels don't run into each other."""
    span = (max(xs) - min(xs)) or 1.0
    shown: list[float] = []
    for x in xs:
        if not shown or (x - shown[-1]) / span > 0.1:  # noqa: PLR2004 - a label is about a tenth of the chart wide
            shown.append(x)
    return shown


def _told(name: str, gain: Gain) -> str:
    return f"{name}: {gain.value:.3f} ({gain.low:.3f} – {gain.high:.3f}), {gain.n} questions"


def label(x: float, y: float, *, text: str, kind: str) -> str:
    """A text of one of the style's kinds."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'
