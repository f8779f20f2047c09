"""The digest as one HTML page that loads nothing: plots are inline SVG, and whatever others wrote is text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ken.operations.digest.day import DayTold, Headline
from ken.operations.digest.story import change, events, figure, hypotheses, opening, usual
from ken.operations.why.words import clock, evidence, title
from ken.telemetry.prices import money

_WIDTH, _HEIGHT = 168, 36
_STYLE = """body { font: 15px/1.45 system-ui, sans-serif; color: #1d2733; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem } table { border-collapse: collapse; width: 100% }
td, th { padding: .25rem .6rem; border-bottom: 1px solid #e4e8ec; text-align: left } .n { text-align: right; white-space: nowrap }
.far { font-weight: 600; color: #b3462f } .soft { color: #5c6b7a } ol li { margin: .4rem 0 } ul { margin: .2rem 0 }
.time { font-variant-numeric: tabular-nums; color: #5c6b7a } .fired { color: #b3462f } .did { color: #1f6f8b }
.day { fill: none; stroke: #1f6f8b; stroke-width: 1.6 } .week { fill: none; stroke: #b9c3cc; stroke-width: 1.2 }
@media (prefers-color-scheme: dark) { body { color: #e4e8ec; background: #14191f } td, th { border-color: #2c3640 }
.week { stroke: #4a5763 } }"""


def page(told: DayTold) -> str:
    """The whole page."""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Ken on {told.day.isoformat()}</title><style>{_STYLE}</style></head><body>"
    )
    return "\n".join((head, *_body(told), "</body></html>")) + "\n"


def plot(day: Sequence[float | None], week: Sequence[float | None]) -> str:
    """Hours of a day as a line, with those of a week before behind it; a gap is a gap."""
    seen = [value for value in (*day, *week) if value is not None]
    if not seen:
        return ""
    low, high = min(seen), max(seen)
    spread = (high - low) or 1.0
    lines = [
        f'<path class="{name}" d="{drawn}"/>'
        for name, values in (("week", week), ("day", day))
        if (drawn := _path(values, low=low, spread=spread))
    ]
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(lines)}</svg>'
    )


def _path(values: Sequence[float | None], *, low: float, spread: float) -> str:
    step = _WIDTH / 24
    parts: list[str] = []
    is_on = False
    for hour, value in enumerate(values):
        if value is not None:
            up = _HEIGHT - 3 - (value - low) / spread * (_HEIGHT - 6)
            parts.append(f"{'L' if is_on else 'M'}{hour * step:.1f} {up:.1f}{'' if is_on else 'h1'}")
        is_on = value is not None
    return "".join(parts)


def _body(told: DayTold) -> Iterator[str]:
    yield f"<h1>Ken on {told.day.isoformat()}</h1>"
    yield f"<p>{escape(opening(told))}</p>"
    count = hypotheses(told)
    if count:
        yield '<h2>What moved first</h2><p class="soft">Hypotheses, in the order of what speaks for them.</p><ol>'
        for each in told.explanation.hypotheses[:count]:
            said = "".join(f"<li>{escape(sentence)}</li>" for sentence in evidence(each, told.explanation))
            yield f"<li>{escape(title(each))}<ul>{said}</ul></li>"
        yield "</ol>"
    all_events = events(told)
    if all_events:
        yield "<h2>In the order of time</h2><table>"
        for each in all_events:
            row = f'<td class="time">{clock(each.at)}</td><td class="{each.kind}">{escape(each.text)}</td>'
            yield f"<tr>{row}</tr>"
        yield "</table>"
    for view, headlines in told.views:
        yield f"<h2>{escape(view)}</h2><table>"
        yield '<tr><th></th><th class="n">that day</th><th class="n">usual</th><th></th>'
        yield '<th class="soft">by hour, and a week before</th></tr>'
        yield from map(_headline, headlines)
        yield "</table>"
    yield from _costs(told)
    if told.silent:
        yield f"<h2>Heuristics that have found nothing for months</h2><p>{escape(', '.join(told.silent))}</p>"


def _headline(each: Headline) -> str:
    far = " far" if each.is_far else ""
    return (
        f'<tr><td>{escape(each.label)}</td><td class="n{far}">{escape(figure(each))}</td>'
        f'<td class="n soft">{escape(usual(each))}</td><td class="n{far}">{escape(change(each))}</td>'
        f"<td>{plot(each.hours, each.usual_hours)}</td></tr>"
    )


def _costs(told: DayTold) -> Iterator[str]:
    if not told.costs:
        return
    yield "<h2>What cost most</h2><table><tr><th>task type</th><th>about</th>"
    yield '<th class="n">questions</th><th class="n">spent</th><th class="n">done</th></tr>'
    for each in told.costs:
        unknown = " and more" if each.unknown_cost_questions else ""
        done = "unknown" if each.success_rate is None else f"{each.success_rate * 100:.0f} %"
        yield (
            f"<tr><td>{escape(each.task_type)}</td><td>{escape(each.category)}</td>"
            f'<td class="n">{each.questions:,}</td><td class="n">{escape(money(each.cost_micros))}{unknown}</td>'
            f'<td class="n">{done}</td></tr>'
        )
    yield "</table>"
