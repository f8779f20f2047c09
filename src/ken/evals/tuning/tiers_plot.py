"""A tuning of the tiers as a picture: cost against quality, with the lines to beat; and where the strong tier is worth its price."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

import numpy as np

from ken.evals.tuning.plot import STYLE, label
from ken.evals.tuning.sweep import Gain
from ken.evals.tuning.tiers import Tuned
from ken.evals.tuning.tiers_report import told
from ken.telemetry.prices import money

_WIDTH = 940
_HEIGHT = 420
_MARGIN = 24
_LEFT = 70.0
_CHART = 480.0
_BARS = 260.0
_TOP = 84.0
_BOTTOM = 350.0
_BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_TICKS = 5
_PER = 1000


def svg(tuned: Tuned) -> str:
    """The picture, of the half of the questions that no choice has seen."""
    light, strong = tuned.names[:2]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tuning" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}"',
        f'height="{_HEIGHT}" role="img" aria-label="Cost against quality of the tiers">',
        f"<style>{STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="var(--paper)"/>',
        label(_MARGIN, 30, text=_headline(tuned), kind="title"),
        label(
            _MARGIN,
            50,
            text=f"{int(tuned.reporting.sum())} questions that no choice has seen; the line is a lottery between {light} and {strong}",
            kind="soft",
        ),
        *_curve(tuned),
        *_worth(tuned),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def page(tuned: Tuned) -> str:
    """The picture as a page of its own."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Tuning routes</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        "<style>:root { color-scheme: light dark } body { margin: 0 } svg { max-width: 100%; height: auto }</style>\n"
        f"{svg(tuned)}</html>\n"
    )


def _headline(tuned: Tuned) -> str:
    if not tuned.is_worth_it:
        return f"Keep threshold {tuned.now:g}"
    return f"Threshold {tuned.chosen.at:g} instead of {tuned.now:g}"


def _curve(tuned: Tuned) -> Iterator[str]:
    """Each threshold a point: to the right it costs more, upwards it is better."""
    of = tuned.reporting > 0
    thresholds = list(told(tuned))
    points = [(float(each.micros[of].mean()), Gain.of(each.quality[of])) for each in thresholds]
    ends = [(float(one.micros[of].mean()), Gain.of(one.quality[of])) for one in tuned.tiers.values()]
    dear = max(cost for cost, _ in (*points, *ends)) or 1.0
    low = min(gain.low for _, gain in (*points, *ends))
    high = max(gain.high for _, gain in (*points, *ends))
    low, high = (low, high) if high > low else (low - 0.05, high + 0.05)

    def x(cost: float) -> float:
        return _LEFT + cost / dear * _CHART

    def y(quality: float) -> float:
        return _BOTTOM - (quality - low) / (high - low) * (_BOTTOM - _TOP)

    yield f'<path class="axis" d="M{_LEFT} {_TOP}V{_BOTTOM}H{_LEFT + _CHART}"/>'
    for share in np.linspace(0, 1, _TICKS):
        quality = low + float(share) * (high - low)
        yield label(_LEFT - 8, y(quality) + 4, text=f"{quality:.2f}", kind="soft num end")
        yield label(
            x(float(share) * dear), _BOTTOM + 18, text=money(round(_PER * float(share) * dear)), kind="soft num mid"
        )
    yield label(_LEFT, _TOP - 12, text="quality", kind="soft")
    yield label(_LEFT + _CHART, _BOTTOM + 36, text=f"cost of {_PER:,} questions", kind="soft end")
    (light_cost, light), (strong_cost, strong) = ends[:2]
    yield (
        f'<path class="zero" fill="none" d="M{x(light_cost):.1f} {y(light.value):.1f}L{x(strong_cost):.1f} {y(strong.value):.1f}"/>'
    )
    path = "L".join(f"{x(cost):.1f} {y(gain.value):.1f}" for cost, gain in points)
    yield f'<path class="curve" d="M{path}"/>'
    for each, (cost, gain) in zip(thresholds, points, strict=True):
        is_chosen = each.at == tuned.chosen.at
        title = f"threshold {each.at:g}: {gain.value:.3f} ({gain.low:.3f} – {gain.high:.3f})"
        yield f'<g class="{"sure" if is_chosen else ""}"><title>{escape(title)}</title>'
        if is_chosen:
            yield f'<path class="bar" d="M{x(cost):.1f} {y(gain.low):.1f}V{y(gain.high):.1f}"/>'
        yield f'<circle class="dot" cx="{x(cost):.1f}" cy="{y(gain.value):.1f}" r="{5 if is_chosen else 3}"/></g>'
        if is_chosen or each.at == tuned.now:
            told_at = f"{each.at:g}{'' if is_chosen else ' (now)'}"
            yield label(x(cost) + 8, y(gain.value) - 8, text=told_at, kind="taken" if is_chosen else "soft")
    for name, (cost, gain) in zip(tuned.tiers, ends, strict=True):
        yield f'<g class="bad"><title>{escape(f"all {name}: {gain.value:.3f}")}</title>'
        yield f'<circle class="dot" cx="{x(cost):.1f}" cy="{y(gain.value):.1f}" r="4"/></g>'
        is_far = x(cost) > _LEFT + _CHART / 2
        yield label(
            x(cost) + (-8 if is_far else 8), y(gain.value) + 16, text=f"all {name}", kind="end" if is_far else ""
        )


def _worth(tuned: Tuned) -> Iterator[str]:
    """By difficulty, how much better the strong tier answers: where the bars begin to rise is where it is worth its price."""
    left = _WIDTH - _MARGIN - _BARS
    gains = tuned.strong.quality - tuned.light.quality
    bins: list[tuple[str, Gain]] = []
    for low, high in pairwise(_BINS):
        inside = (tuned.difficulty >= low) & ((tuned.difficulty < high) | (high == _BINS[-1]))
        if bool(inside.any()):
            bins.append((f"{low:.1f}", Gain.of(gains[inside])))
    reach = max([0.05, *(max(abs(gain.low), abs(gain.high)) for _, gain in bins)])
    middle = (_TOP + _BOTTOM) / 2

    def y(gain: float) -> float:
        return middle - gain / reach * (_BOTTOM - _TOP) / 2

    yield label(left, _TOP - 12, text=f"gain of {tuned.names[1]}, by difficulty, all questions", kind="soft")
    yield f'<path class="zero" d="M{left} {middle:.1f}H{left + _BARS}"/>'
    for share in (-1, 0, 1):
        yield label(left - 6, y(share * reach) + 4, text=f"{share * reach:+.2f}", kind="soft num end")
    for number, (name, gain) in enumerate(bins):
        x = left + (number + 0.5) * _BARS / max(1, len(bins))
        kind = "sure" if gain.low > 0 else "bad" if gain.high < 0 else ""
        yield f'<g class="{kind}"><title>{escape(f"from {name}: {gain.value:+.3f}, {gain.n} questions")}</title>'
        yield f'<path class="bar" d="M{x:.1f} {y(gain.low):.1f}V{y(gain.high):.1f}"/>'
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y(gain.value):.1f}" r="3.5"/></g>'
        yield label(x, _BOTTOM + 18, text=f"{name}+", kind="soft num mid")
        yield label(x, _BOTTOM + 34, text=f"n={gain.n}", kind="soft num mid")
