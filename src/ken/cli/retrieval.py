"""`ken trace --retrieval`: how good what was found was, today and in the week before."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread

from ken.cli.home import in_home
from ken.cli.output import say_json, say_table, tell
from ken.domain.principal import LOCAL_OPERATOR

if TYPE_CHECKING:
    from ken.domain.trace import TaskRetrieval
    from ken.settings import Settings
    from ken.wiring import Ken

_DAY_S = 24 * 3600.0
_HEAD = ("task", "questions", "relevance", "before", "least", "before", "utilisation", "before")


def show(settings: Settings, *, as_json: bool) -> None:
    """Print the figures by task type."""
    today, before = in_home(settings, _figures)
    if as_json:
        say_json({"tasks": today, "before": before})
        return
    earlier = {each.task_type: each for each in before}
    say_table(_HEAD, [_row(each, earlier.get(each.task_type)) for each in today])
    if not today:
        tell("No question was given a passage in the last 24 hours.")
    else:
        tell("The last 24 hours; “before” is the 7 days before. A fall is heard of in the answers later on.")


async def _figures(ken: Ken) -> tuple[tuple[TaskRetrieval, ...], tuple[TaskRetrieval, ...]]:
    now = time.time()
    begin = now - _DAY_S
    spans = ((begin, now + 1), (begin - 7 * _DAY_S, begin))
    today, before = [
        await anyio.to_thread.run_sync(partial(ken.retrieval.by_task, LOCAL_OPERATOR, since=first, until=last))
        for first, last in spans
    ]
    return today, before


def _row(today: TaskRetrieval, before: TaskRetrieval | None) -> list[str]:
    pairs = (
        (today.mean_relevance, before and before.mean_relevance),
        (today.least_relevance, before and before.least_relevance),
        (today.utilisation, before and before.utilisation),
    )
    return [today.task_type, str(today.questions), *(_shown(value) for pair in pairs for value in pair)]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
