"""Figures along a size as one SVG: a chart each, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

Line = Sequence[tuple[float, float]]
"""Points of x and y, by x."""

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 300, 190, 56, 46, 150
_STYLE = """text { font: 11px system-ui, sans-serif; fill: #1d2733 } .title { font-weight: 600; font-size: 13px }
.soft { fill: #5c6b7a } .end { text-anchor: end } .mid { text-anchor: middle } .axis { stroke: #d5dce3; fill: none }
.aim { stroke: #b3462f; stroke-dasharray: 4 3; fill: none } .curve { fill: none; stroke-width: 2 } .paper { fill: #ffffff }"""
_COLOURS = ("#1f6f8b", "#2a8f5b", "#b3762f", "#7a4fa3", "#b3462f", "#5c6b7a")


def svg(charts: Mapping[str, Mapping[str, Line]], *, aims: Mapping[str, Line]) -> str:
    """Charts by their titles, each with its lines by their names; `aims` are drawn dashed into the chart of that title."""
    step = _WIDTH + _GAP + _LEFT
    width, height = step * len(charts) + 10, _TOP + _HEIGHT + 44
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<style>{_STYLE}</style><rect class="paper" width="{width}" height="{height}"/>',
    ]
    for number, (title, lines) in enumerate(charts.items()):
        parts.append(f'<g transform="translate({number * step + _LEFT} {_TOP})">')
        parts.extend(_chart(title, lines, aims.get(title, ())))
        parts.append("</g>")
    return "\n".join([*parts, "</svg>\n"])


def _chart(title: str, lines: Mapping[str, Line], aim: Line) -> Iterator[str]:
    points = [point for line in (*lines.values(), aim) for point in line]
    spans = [
        (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))))
        for values in zip(*points, strict=True)
    ]
    (left, right), (low, high) = [(first, max(last, first + 1)) for first, last in spans]

    def place(x: float, y: float) -> str:
        across = (math.log10(x) - left) / (right - left) * _WIDTH
        up = (math.log10(y) - low) / (high - low) * _HEIGHT
        return f"{across:.1f},{_HEIGHT - up:.1f}"

    yield f'<text class="title" y="-22">{escape(title)}</text>'
    for power in range(left, right + 1):
        x = (power - left) / (right - left) * _WIDTH
        yield f'<path class="axis" d="M{x:.1f} 0V{_HEIGHT}"/>'
        yield f'<text class="soft mid" x="{x:.1f}" y="{_HEIGHT + 16}">{10**power:,}</text>'
    for power in range(low, high + 1):
        y = _HEIGHT - (power - low) / (high - low) * _HEIGHT
        yield f'<path class="axis" d="M0 {y:.1f}H{_WIDTH}"/>'
        yield f'<text class="soft end" x="-6" y="{y + 4:.1f}">{10.0**power:,g}</text>'
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [place(x, y) for x, y in line]
        yield f'<polyline class="curve" stroke="{colour}" points="{" ".join(places)}"/>'
        for at in places:
            x, y = at.split(",")
            yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'
        x, y = places[-1].split(",")
        yield f'<text x="{float(x) + 7:.1f}" y="{float(y) + 4:.1f}" style="fill:{colour}">{escape(name)}</text>'
    if aim:
        yield f'<polyline class="aim" points="{" ".join(place(x, y) for x, y in aim)}"/>'
    yield f'<text class="soft mid" x="{_WIDTH / 2}" y="{_HEIGHT + 34}">passages</text>'
