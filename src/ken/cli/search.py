# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken search`: what the documents hold on a question, without an answer."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.narrowing import filters_of
from ken.cli.output import say, say_json, shown, tell
from ken.domain.principal import LOCAL_OPERATOR

if TYPE_CHECKING:
    from ken.domain.document import SearchResult
    from ken.domain.filters import Filters
    from ken.wiring import Ken

NOTHING = 3


def search(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="A question, or a few words; - reads it from stdin.")],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each passage stands where it does, and what was searched for.")
    ] = False,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", help="Look only there; may be given more than once.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=50, help="Show so many passages.")] = 5,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Search the documents, without an answer: the passages nearest to a question, and why.

    Exit code 3: nothing was found.
    """
    from ken.domain.emptiness import why_empty

    given = sys.stdin.buffer.read() if question == "-" else question.encode("utf-8", "surrogateescape")
    collections = frozenset(collection) if collection else None
    text = given.decode("utf-8", "replace")
    asked = partial(_search, text=text, collections=collections, filters=filters_of(context), limit=limit)
    found = in_home(settings_there(context, home, secrets=("search", "telemetry")), asked)
    empty = why_empty(found, collections=collections)
    if as_json:
        say_json(found)
    else:
        _draw(found, explain=explain)
    changed = found.explained.notices if found.explained is not None and not explain else ()
    for notice in (*changed, *found.notices):
        tell(shown(f"Note: {notice}", to_terminal=True))
    if empty:
        tell(shown(empty, to_terminal=True))
    if not found.readable:
        tell("Put some in: ken sync FOLDER --collection NAME")
    if not found.evidence:
        raise typer.Exit(NOTHING)


async def _search(
    ken: Ken, *, text: str, collections: frozenset[str] | None, filters: Filters, limit: int
) -> SearchResult:
    from ken.guard.legible import legible

    question = legible(text, max_chars=ken.settings.max_question_chars)
    return await ken.library.search(question, LOCAL_OPERATOR, collections=collections, filters=filters, limit=limit)


def _draw(found: SearchResult, *, explain: bool) -> None:
    from rich.console import Console

    from ken.cli.passages import drawn, explained

    console = Console(file=sys.stdout, highlight=False)
    lines = explained(found) if explain else []
    for line in (*lines, *drawn(found, width=console.width, explain=explain)):
        if console.is_terminal and not console.no_color:
            console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
        else:
            line.truncate(console.width, overflow="ellipsis")
            say(line.plain.rstrip())
