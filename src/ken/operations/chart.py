"""Lines and stacked bars as SVG that stands in a page of its own: no script, no other file, dark where its page is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5c6b7a; --line: #d5dce3; --paper: #ffffff; --card: #f6f8fa;
  --c0: #1f6f8b; --c1: #c77d0a; --c2: #b3462f; --c3: #2a8f5b; --c4: #7a57b8; --c5: #8a8f98; --c6: #c2478f; --c7: #4d7fd1;
  --c8: #6f8f1f; --c9: #a0622d; --good: #1e7d4c; --bad: #b3341c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #93a1b0; --line: #303b46; --paper: #12181f; --card: #1a222b;
  --c0: #5fb8d4; --c1: #e9a83b; --c2: #ef8a70; --c3: #5ccb8f; --c4: #b396ea; --c5: #9aa3ad; --c6: #ec86be; --c7: #8fb4f2;
  --c8: #b3cf5e; --c9: #d59a66; --good: #5ccb8f; --bad: #ef8a70; } }
body { margin: 0 auto; padding: 28px 24px 60px; max-width: 1000px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 34px 0 8px; } p { margin: 6px 0; max-width: 75ch; }
.soft { color: var(--soft); } .good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0; }
.fact { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 16px; }
.fact b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } .fact span { color: var(--soft); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 24px; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; width: 100%; }
th, td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums;
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; } th.l, td.l { text-align: left; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .mid { text-anchor: middle; } svg .end { text-anchor: end; }
svg .title { font-weight: 600; font-size: 13px; }
svg .axis { stroke: var(--line); fill: none; } svg .curve { fill: none; stroke-width: 2; } svg .law { stroke-dasharray: 5 4; }
svg .mark { stroke: var(--soft); stroke-dasharray: 2 3; }
"""
_WIDTH, _HEIGHT = 460.0, 270.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 52.0, 34.0
_TICKS = 4
_COLOURS = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A curve; a place without a value is left out."""

    name: str
    values: Sequence[float | None]
    colour: int = 0
    is_law: bool = False
    """Dashed, without dots: computed, not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What curves and bars have around them. The steps stand at equal distances, whatever their values."""

    title: str
    unit: str
    steps: Sequence[str]
    marked: int | None = None
    """The step with a line through it."""


def lines(chart: Chart, curves: Sequence[Line]) -> str:
    """Curves over the steps, from 0 up."""
    top = _nice(max((value for curve in curves for value in curve.values if value is not None), default=1.0))
    parts = [*_frame(chart, top)]
    for curve in curves:
        points = [
            (_x(place, len(chart.steps)), _y(value, top), value)
            for place, value in enumerate(curve.values)
            if value is not None
        ]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
        kind = "curve law" if curve.is_law else "curve"
        if points:
            parts.append(f'<path class="{kind}" stroke="var(--c{curve.colour})" d="M{path}"/>')
        for x, y, value in () if curve.is_law else points:
            told = escape(f"{curve.name}: {value:,.4g} {chart.unit}")
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="var(--c{curve.colour})"><title>{told}</title></circle>'
            )
    parts += _legend([(curve.name, curve.colour) for curve in curves])
    return _svg(chart.title, parts)


def bars(chart: Chart, parts_of: Mapping[str, Sequence[float]]) -> str:
    """A stack of parts for each step, the first part at the bottom."""
    count = len(chart.steps)
    top = _nice(max((sum(values[place] for values in parts_of.values()) for place in range(count)), default=1.0))
    parts = [*_frame(chart, top)]
    width = min(44.0, (_WIDTH - _LEFT - _RIGHT) / max(1, count) * 0.6)
    for place in range(count):
        below = 0.0
        for number, (name, values) in enumerate(parts_of.items()):
            upper, lower = _y(below + values[place], top), _y(below, top)
            below += values[place]
            if lower - upper < 0.2:  # noqa: PLR2004 - less than what can be seen
                continue
            told = escape(f"{name}: {values[place]:,.4g} {chart.unit}")
            x = _x(place, count) - width / 2
            parts.append(
                f'<rect x="{x:.1f}" y="{upper:.1f}" width="{width:.1f}" height="{lower - upper:.1f}" '
                f'fill="var(--c{number % _COLOURS})"><title>{told}</title></rect>'
            )
    parts += _legend([(name, number % _COLOURS) for number, name in enumerate(parts_of)])
    return _svg(chart.title, parts)


def page(title: str, body: str) -> str:
    """A page with the style of the charts."""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n{body}\n</html>\n'
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A table; the first `left` columns hold words. Cells are HTML."""
    kinds = ["l" if column < left else "" for column in range(len(head))]
    titles = "".join(f'<th class="{kind}">{name}</th>' for kind, name in zip(kinds, head, strict=True))
    lines_of = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{titles}</tr>{lines_of}</table></div>'


def facts(named: Mapping[str, str]) -> str:
    """Large figures in a row."""
    each = "".join(
        f'<div class="fact"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for name, value in named.items()
    )
    return f'<div class="facts">{each}</div>'


def _svg(title: str, parts: Sequence[str]) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" role="img" '
        f'aria-label="{escape(title)}">\n{inner}\n</svg>'
    )


def _frame(chart: Chart, top: float) -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    yield f'<text x="0" y="14" class="title">{escape(chart.title)}</text>'
    yield f'<text x="{_WIDTH:.0f}" y="14" class="soft end">{escape(chart.unit)}</text>'
    for tick in range(_TICKS + 1):
        value = top * tick / _TICKS
        y = _y(value, top)
        yield f'<path class="axis" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" class="soft end">{value:,.4g}</text>'
    shown = max(1, math.ceil(len(chart.steps) / 12))
    for place, name in enumerate(chart.steps):
        if place % shown == 0:
            yield f'<text x="{_x(place, len(chart.steps)):.1f}" y="{bottom + 18:.1f}" class="soft mid">{escape(name)}</text>'
    if chart.marked is not None:
        x = _x(chart.marked, len(chart.steps))
        yield f'<path class="mark" d="M{x:.1f} {_TOP}V{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{_TOP - 3}" class="soft mid">knee</text>'


def _legend(named: Sequence[tuple[str, int]]) -> Iterator[str]:
    x = _LEFT - 40
    for name, colour in named:
        yield f'<rect x="{x:.1f}" y="24" width="9" height="9" rx="2" fill="var(--c{colour})"/>'
        yield f'<text x="{x + 13:.1f}" y="32" class="soft">{escape(name)}</text>'
        x += 24 + 6.8 * len(name)


def _x(place: int, count: int) -> float:
    inner = _WIDTH - _LEFT - _RIGHT
    return _LEFT + inner * (place + 0.5) / max(1, count)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP)


def _nice(most: float) -> float:
    """The end of an axis: the next of 1, 2, 2.5, 4, 5, 8 or 10 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 2.5, 4, 5, 8, 10) if step * power >= most * 0.999)
