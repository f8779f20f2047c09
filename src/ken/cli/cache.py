"""`ken cache`: what the answer cache did, and the answers that it holds."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, say_table, shown, tell
from ken.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ken.domain.cached import CachedAnswer
    from ken.gateway.cache.figures import CategoryFigures
    from ken.gateway.cache.semantic import Opened
    from ken.wiring import Ken

_MOST_REASONS = 3

app = typer.Typer(no_args_is_help=True, help="Look at the answer cache, and drop answers.", rich_markup_mode=None)
CategoryOption = Annotated[str | None, typer.Option("--category", help="Only this category's.")]


@app.command("stats")
def stats(
    context: typer.Context,
    *,
    days: Annotated[int, typer.Option("--days", min=1, help="Of so many days, today's included.")] = 30,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show hits, refusals and the estimate of wrong answers, by category; the first line is all of them."""

    async def work(ken: Ken) -> dict[str, CategoryFigures]:
        return await anyio.to_thread.run_sync(partial(ken.cache.read, days=days))

    found = in_home(settings_there(context, home), work)
    if as_json:
        say_json({name or "all": each for name, each in found.items()})
        return
    say_table(
        ("category", "held", "lookups", "same words", "other words", "hit rate", "wrong, of those made anew"),
        (
            (
                name or "all",
                str(each.entries),
                str(each.lookups),
                str(each.exact),
                str(each.similar),
                "-" if each.hit_rate is None else f"{each.hit_rate:.0%}",
                _wrong(each),
            )
            for name, each in found.items()
        ),
    )
    for what, counts in (("refused", found[""].refusals), ("not kept", found[""].not_stored)):
        if counts:
            most = ", ".join(f"{count} × {reason}" for reason, count in counts[:_MOST_REASONS])
            tell(shown(f"{what}: {most}", to_terminal=True))


def _wrong(each: CategoryFigures) -> str:
    found = each.false_hits
    if not found.compared:
        return "-"
    return f"{found.different} of {found.compared} ({found.low:.1%} to {found.high:.1%})"


@app.command("list")
def list_answers(
    context: typer.Context,
    *,
    category: CategoryOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")] = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List the answers that may be given again, the last kept first."""

    async def work(ken: Ken) -> list[CachedAnswer]:
        return await anyio.to_thread.run_sync(partial(ken.cache.answers.listed, category=category, limit=limit))

    found = in_home(settings_there(context, home), work)
    if as_json:
        say_json([_plain(each) for each in found])
        return
    say_table(
        ("id", "category", "uses", "until", "question"),
        ((str(each.id), each.category, str(each.uses), _until(each), each.question) for each in found),
    )
    tell(f"{len(found)} answers")


@app.command("show")
def show(
    context: typer.Context,
    answer: Annotated[int, typer.Argument(help="An id of `ken cache list`.")],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show an answer as it would be given again, and the documents that it goes with."""

    async def work(ken: Ken) -> Opened | None:
        return await anyio.to_thread.run_sync(ken.cache.opened, answer)

    found = in_home(settings_there(context, home), work)
    if found is None:
        raise _unknown(answer)
    if as_json:
        told = {**_plain(found.entry), "text": found.answer.text if found.answer is not None else None}
        say_json({**told, "rests_on": found.rests_on})
        return
    entry = found.entry
    say(
        shown(
            f"{entry.question}\n\n{found.answer.text if found.answer else '(the answer is not there)'}",
            to_terminal=True,
        )
    )
    tell(f"\nmade in trace {entry.trace_id} by {entry.model}, given again {entry.uses} times; until {_until(entry)}")
    for one in found.rests_on:
        tell(shown(f"  {'cites' if one.cited else 'read'}  {one.document_id}", to_terminal=True))


@app.command("drop")
def drop(
    context: typer.Context,
    answers: Annotated[list[int] | None, typer.Argument(help="Ids of `ken cache list`.")] = None,
    *,
    category: CategoryOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Drop every answer.")] = False,
    home: HomeOption = None,
) -> None:
    """Drop answers: they are given to nobody any more, in a running Ken too."""
    if bool(answers) + (category is not None) + everything != 1:
        raise InvalidInput("Name the answers to drop by their ids, or say `--category NAME`, or `--all`.")

    async def work(ken: Ken) -> int:
        return await anyio.to_thread.run_sync(
            partial(ken.cache.drop, answers) if answers else partial(ken.cache.drop_all, category)
        )

    dropped = in_home(settings_there(context, home), work)
    if answers and not dropped:
        raise _unknown(answers[0])
    tell(f"{dropped} answers dropped")


def _unknown(answer: int) -> NotFound:
    return NotFound(f"There is no cached answer {answer}. `ken cache list` shows those that there are.")


def _until(each: CachedAnswer) -> str:
    return min(filter(None, (time.strftime("%Y-%m-%d %H:%M", time.localtime(each.expires_at)), each.valid_before)))


def _plain(each: CachedAnswer) -> dict[str, object]:
    """Without its vectors, which are no text."""
    return {name: getattr(each, name) for name in each.__slots__ if name not in {"vector", "words", "space"}}
