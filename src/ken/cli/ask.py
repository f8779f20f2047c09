# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken ask`: a question from the terminal."""

from __future__ import annotations

import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_of
from ken.cli.narrowing import filters_of
from ken.cli.output import complain, say, say_json, shown, tell
from ken.cli.ticker import Ticker
from ken.domain.answer import Answer, Citation, Message, Question
from ken.domain.conversation import Turn
from ken.domain.events import Answered, Event, Failed, Notice, StageFinished, StageStarted, TokenShown
from ken.domain.filters import Filters
from ken.domain.principal import LOCAL_OPERATOR
from ken.text.sources import facts_of, place_of, sources_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ken.wiring import Ken

NEW = "new"
"""As a conversation's id: begin one."""

BEYOND = 3
ASKED_BACK = 4
FAILED = 1
BAD_INPUT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The command line, read."""

    question: str
    collections: frozenset[str] | None
    filters: Filters
    model: str | None
    conversation: str | None
    as_json: bool


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question; - reads it from stdin.")],
    *,
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Go on with this conversation; `new` begins one.")
    ] = None,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", help="Look only there; may be given more than once.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="The model that answers.")] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Ask a question and print the cited answer.

    The answer goes to stdout as it is verified, its sources below it. Exit codes: 0 answered, 2 the question can't be
    used, 3 the answer is beyond what the documents hold, 4 the documents answer it in more than one way and Ken asks which
    one is meant, 1 anything else.
    """
    given = sys.stdin.buffer.read() if question == "-" else question.encode("utf-8", "surrogateescape")
    asked = _Asked(
        question=given.decode("utf-8", "replace"),
        collections=frozenset(collection) if collection else None,
        filters=filters_of(context),
        model=model,
        conversation=conversation,
        as_json=as_json,
    )
    code = in_home(settings_of(context, home, secrets=("models", "search", "telemetry")), partial(_ask, asked=asked))
    raise typer.Exit(code)


async def _ask(ken: Ken, *, asked: _Asked) -> int:
    conversation_id, history = await _history(ken, asked)
    question = Question(
        text=asked.question,
        principal=LOCAL_OPERATOR,
        history=history,
        conversation_id=conversation_id,
        collections=asked.collections,
        filters=asked.filters,
        model=asked.model,
    )
    notes: list[str] = []
    last = await _show(ken.assistant.answer(question), notes, is_quiet=asked.as_json)
    if isinstance(last, Failed):
        complain(last.message)
        if conversation_id is not None and asked.conversation == NEW:
            await anyio.to_thread.run_sync(ken.conversations.delete, conversation_id, LOCAL_OPERATOR)
        return _code_of(last)
    answer = last.answer
    if conversation_id is not None:
        await _keep(ken, conversation_id, question=asked.question, answer=answer)
    if asked.as_json:
        say_json(answer)
    else:
        _finish(answer, notes)
    if answer.abstained and not await ken.library.collections(LOCAL_OPERATOR):
        tell("There are no documents yet. Put some in: ken sync FOLDER --collection NAME")
    if answer.outcome == "asked_back":
        return ASKED_BACK
    return BEYOND if answer.abstained else 0


async def _show(events: AsyncGenerator[Event], notes: list[str], *, is_quiet: bool) -> Answered | Failed:
    """Print the answer as it comes, and gather the notes on it; the last event."""
    to_terminal = sys.stdout.isatty()
    with Ticker(is_quiet=is_quiet) as ticker:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, StageStarted):
                    ticker.started(event.stage)
                elif isinstance(event, StageFinished):
                    ticker.finished(event.stage, event.ms)
                elif isinstance(event, TokenShown) and not is_quiet:
                    ticker.stop()
                    say(shown(event.text, to_terminal=to_terminal), end="")
                elif isinstance(event, Notice):
                    notes.append(event.text)
                elif isinstance(event, Answered | Failed):
                    return event
    raise AssertionError("an answer ends in Answered or Failed")


def _finish(answer: Answer, notes: list[str]) -> None:
    """The sources below the answer, on stdout; what else is worth knowing, on stderr."""
    say()
    sources = sources_of(answer.citations)
    if sources:
        say()
    for citation in sources:
        say(_source(citation))
    tell()
    for note in notes:
        tell(shown(f"Note: {note}", to_terminal=True))
    tell(f"{answer.model or 'no model'}, trace {answer.trace_id}: `ken trace latest` shows where the time went.")


def _source(citation: Citation) -> str:
    lines = [f"[{citation.number}] {place_of(citation)}", citation.passage_id]
    if facts := facts_of(citation):
        lines.append("; ".join(facts))
    return shown("\n    ".join([*lines, f"“{citation.quote}”"]), to_terminal=sys.stdout.isatty())


async def _history(ken: Ken, asked: _Asked) -> tuple[str | None, tuple[Message, ...]]:
    """The conversation's id and its last messages."""
    if asked.conversation is None:
        return None, ()
    if asked.conversation == NEW:
        made = await anyio.to_thread.run_sync(ken.conversations.create, LOCAL_OPERATOR, asked.question)
        tell(f"Conversation {made.id}")
        return made.id, ()
    from ken.assistant.intake import MOST_MESSAGES

    recent = partial(ken.conversations.recent, asked.conversation, LOCAL_OPERATOR, messages=MOST_MESSAGES)
    return asked.conversation, await anyio.to_thread.run_sync(recent)


async def _keep(ken: Ken, conversation_id: str, *, question: str, answer: Answer) -> None:
    now = time.time()
    turns = (
        Turn(role="user", content=question, trace_id=answer.trace_id, at=now),
        Turn(role="assistant", content=answer.text, trace_id=answer.trace_id, at=now, answer=answer),
    )
    await anyio.to_thread.run_sync(partial(ken.conversations.append, conversation_id, LOCAL_OPERATOR, new=turns))


def _code_of(failed: Failed) -> int:
    from ken import errors

    kind = getattr(errors, failed.kind, None)
    return BAD_INPUT if isinstance(kind, type) and issubclass(kind, errors.InvalidInput) else FAILED
