"""`ken trace --where`: the traces that a filter means."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread

from ken.cli.home import in_home
from ken.cli.output import say_json, say_table, tell
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.where import NAMES, Condition, also, names_in, parsed
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.domain.trace import Scalar
    from ken.settings import Settings
    from ken.storage.paging import Page
    from ken.storage.trace_search import Found
    from ken.wiring import Ken

_MICROS = 1_000_000
_WIDE = 110
"""Columns of a terminal that shows whole ids and questions."""
_SHORTEST_QUESTION = 12
_SHOWN_ANYWAY = ("started", "id", "task_type", "outcome", "ms", "cost")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, in words."""

    where: str
    since: str | None
    limit: int
    before: str | None

    def condition(self, now: float) -> Condition:
        """The same, read. Raises InvalidInput."""
        parts = [parsed(self.where, now=now)] if self.where.strip() else []
        if self.since is not None:
            parts.append(_since(self.since, now))
        if not parts:
            raise InvalidInput("The filter is empty. Write one such as: retrieve.ms > 500 and quality < 3")
        return parts[0] if len(parts) == 1 else also(*parts)


def show(settings: Settings, asked: Asked, *, as_json: bool) -> None:
    """Print the traces, newest first."""
    condition = asked.condition(time.time())
    page = in_home(settings, partial(_find, asked=asked, condition=condition))
    if as_json:
        say_json({"traces": [_plain(found) for found in page.entries], "before": page.before})
        return
    names = [name for name in dict.fromkeys(each.name for each in names_in(condition)) if name not in _SHOWN_ANYWAY]
    _say(page.entries, names)
    if not page.entries:
        tell("No trace is like that.")
    elif page.before is not None:
        tell(f"There are more: --before {page.before}")


async def _find(ken: Ken, *, asked: Asked, condition: Condition) -> Page[Found]:
    return await anyio.to_thread.run_sync(
        partial(ken.trace_search.find, condition, LOCAL_OPERATOR, limit=asked.limit, before=asked.before)
    )


def _since(text: str, now: float) -> Condition:
    """A moment, or how long ago it was, with or without a minus."""
    try:
        return parsed(f'started >= "{text}"', now=now)
    except InvalidInput:
        try:
            return parsed(f'started >= "-{text}"', now=now)
        except InvalidInput:
            raise InvalidInput(f"{text!r} is no time. Write 24h, 7d, 2026-11-20 or 2026-11-20T14:30.") from None


def _say(found: Sequence[Found], names: Sequence[str]) -> None:
    """In columns as wide as the terminal lets them be; whole where nobody looks."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    narrow = 0 < width < _WIDE
    head = ["started", *([] if narrow else ["task", "outcome"]), "ms", "cost", *names, "question", "id"]
    rows = [_row(each, names, narrow=narrow) for each in found]
    left_out: list[str] = []
    if width:
        taken = sum(max(len(row[at]) for row in [head, *rows]) + 2 for at in range(len(head)) if head[at] != "question")
        room, at = width - taken - 2, head.index("question")
        left_out += ["task", "outcome"] if narrow else []
        if room < _SHORTEST_QUESTION:
            head, *rows = [[*row[:at], *row[at + 1 :]] for row in [head, *rows]]
            left_out.append("question")
        else:
            rows = [[*row[:at], _cut(row[at], room), *row[at + 1 :]] for row in rows]
    say_table(head, rows)
    if left_out and rows:
        tell(f"Left out, as the terminal is narrow: {', '.join(left_out)}. A wider one shows them, and so does --json.")


def _row(found: Found, names: Sequence[str], *, narrow: bool) -> list[str]:
    trace = found.trace
    pattern = "%d.%m. %H:%M" if narrow else "%Y-%m-%d %H:%M:%S"
    return [
        time.strftime(pattern, time.localtime(trace.started_at)),
        *([] if narrow else [trace.task_type, trace.outcome]),
        f"{trace.ms:,.0f}",
        "?" if trace.cost_micros is None else f"{trace.cost_micros / _MICROS:.4f}",
        *(_shown(name, found.figures) for name in names),
        " ".join(trace.question.split()),
        trace.id,
    ]


def _shown(name: str, figures: Mapping[str, Scalar]) -> str:
    value = figures[name]
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.0f}" if NAMES[name].kind == "duration" else f"{value:.2f}"
        case _:
            return str(value).strip()


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _plain(found: Found) -> dict[str, object]:
    trace = found.trace
    return {
        "id": trace.id,
        "started_at": trace.started_at,
        "kind": trace.kind,
        "principal": trace.principal,
        "question": trace.question,
        "outcome": trace.outcome,
        "task_type": trace.task_type,
        "model": trace.model,
        "ms": trace.ms,
        "cost_micros": trace.cost_micros,
        "figures": dict(found.figures),
    }
