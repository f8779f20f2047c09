"""The digest as Markdown. Whatever others wrote is escaped: it can't become a link, an image or a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ken.operations.digest.day import DayTold
from ken.operations.digest.story import Event, change, events, figure, hypotheses, opening, usual
from ken.operations.why.words import clock, evidence, title
from ken.telemetry.prices import money

_SIGNS = re.compile(r"([\\`*\[\]<|~]|(?<![^\W_])_|_(?![^\W_])|^[#>])")
"""What can begin something in the middle of a line; an underscore within a word can't."""
_SPACES = re.compile(r"\s+")
_KINDS = {"moved": "moved: ", "did": "", "fired": "**fired**: "}


def markdown(told: DayTold) -> str:
    """The whole page."""
    return "\n".join(_lines(told)).rstrip() + "\n"


def _lines(told: DayTold) -> Iterator[str]:
    yield f"# Ken on {told.day.isoformat()}"
    yield ""
    yield _safe(opening(told))
    yield ""
    count = hypotheses(told)
    if count:
        yield "## What moved first"
        yield ""
        yield "Hypotheses, in the order of what speaks for them."
        yield ""
        for number, each in enumerate(told.explanation.hypotheses[:count], 1):
            yield f"{number}. {_safe(title(each))}"
            yield from (f"   - {_safe(sentence)}" for sentence in evidence(each, told.explanation))
        yield ""
    yield from _story(told)
    yield from _views(told)
    yield from _costs(told)
    if told.silent:
        yield "## Heuristics that have found nothing for months"
        yield ""
        yield _safe(", ".join(told.silent))
        yield ""


def _story(told: DayTold) -> Iterator[str]:
    all_events = events(told)
    if not all_events:
        return
    yield "## In the order of time"
    yield ""
    for each in all_events:
        yield f"- {clock(each.at)} {_KINDS[each.kind]}{_with_code(each)}"
    yield ""


def _views(told: DayTold) -> Iterator[str]:
    for view, headlines in told.views:
        yield f"## {view}"
        yield ""
        yield "| | that day | usual | |"
        yield "|---|---:|---:|---:|"
        for each in headlines:
            mark = "**" if each.is_far else ""
            yield f"| {each.label} | {mark}{figure(each)}{mark} | {usual(each)} | {change(each)} |"
        yield ""


def _costs(told: DayTold) -> Iterator[str]:
    if not told.costs:
        return
    yield "## What cost most"
    yield ""
    yield "| task type | about | questions | spent | a question | done |"
    yield "|---|---|---:|---:|---:|---:|"
    for each in told.costs:
        unknown = " and more" if each.unknown_cost_questions else ""
        done = "unknown" if each.success_rate is None else f"{each.success_rate * 100:.0f} %"
        one = money(None if each.cost_per_question is None else round(each.cost_per_question))
        yield (
            f"| {_safe(each.task_type)} | {_safe(each.category)} | {each.questions:,} | {money(each.cost_micros)}{unknown} "
            f"| {one} | {done} |"
        )
    yield ""


def _with_code(event: Event) -> str:
    """The event's words, with the name in them as code."""
    before, name, after = event.text.partition(event.code) if event.code else (event.text, "", "")
    code = f"`{_SPACES.sub(' ', name).replace('`', chr(39))}`" if name else ""
    return f"{_safe(before)}{code}{_safe(after)}"


def _safe(text: str) -> str:
    return _SIGNS.sub(r"\\\1", _SPACES.sub(" ", text))
