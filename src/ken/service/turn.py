"""One question and its answer as a turn of a conversation: built from a request, kept when it is answered."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import anyio.to_thread
from fastapi import Request

from ken.domain.answer import Answer, Citation
from ken.domain.conversation import Turn
from ken.domain.events import Answered, CitationShown, Event, Failed, StageFinished, TokenShown
from ken.domain.principal import OPERATORS, Principal
from ken.domain.trace import Origin
from ken.errors import Forbidden, InvalidInput, KenError, NotFound, StorageError
from ken.service.errors import named
from ken.telemetry.tracing import new_trace_id
from ken.wiring import Ken

DEFAULT_ROUTE = "ken"
"""The model name that leaves the choice to Ken."""

PURPOSE = "x-ken-purpose"
_PURPOSES = {"": False, "test": True}

STOPPED = "This answer was stopped before its end."
"""What is told of an answer whose reader left before it was whole."""

_log = logging.getLogger(__name__)


def model_asked(ken: Ken, name: str | None) -> str | None:
    """The model that the assistant is to use, as `NAME` or `ken/NAME`; None where Ken may choose. Raises NotFound."""
    if name is None or name == DEFAULT_ROUTE:
        return None
    name = name.removeprefix(f"{DEFAULT_ROUTE}/")
    if name not in ken.model_names:
        known = ", ".join(repr(each) for each in (DEFAULT_ROUTE, *ken.model_names))
        raise NotFound(f"There is no model {name!r} here. There are: {known}.", param="model")
    return name


def is_plain(name: object, ken: Ken) -> bool:
    """Whether a name at the wires of other clients means a model alone: all but `ken`, `ken/MODEL` and the reader.

    A name that nobody knows is the plain gateway's to refuse.
    """
    if not isinstance(name, str):
        return False
    return name not in {DEFAULT_ROUTE, *ken.readers} and not name.startswith(f"{DEFAULT_ROUTE}/")


def is_test(request: Request) -> bool:
    """Whether the client says that it only tests. Raises InvalidInput for a purpose that there isn't, Forbidden for who may not.

    What people ask must not vanish from the figures because their key says so: operators alone may.
    """
    told = request.headers.get(PURPOSE, "").strip().lower()
    if told not in _PURPOSES:
        raise InvalidInput(f"The header X-Ken-Purpose is 'test' or not there, and not {told!r}.", param=PURPOSE)
    principal = cast("Principal", request.state.principal)
    if _PURPOSES[told] and not principal.is_operator:
        raise Forbidden(
            f"{principal.id!r} may not ask as a test (X-Ken-Purpose): it takes a key with the group {OPERATORS!r}."
        )
    return _PURPOSES[told]


async def embedder_names(ken: Ken) -> tuple[str, ...]:
    """What the embedder may be called in a request: `ken`, its name, and what its endpoint calls it."""
    embedder = (await ken.library.corpus()).embedder
    told = ken.settings.embedder
    return (DEFAULT_ROUTE, embedder.name, *(() if told is None else (told.model,)))


async def origin_of(request: Request, ken: Ken) -> Origin:
    """The trace that a request is a part of: the caller's, unless a question with its id is on record already."""
    trace_id, told = cast("str", request.state.trace_id), cast("Origin", request.state.origin)
    if told.trace_id is not None and await anyio.to_thread.run_sync(ken.traces.exists, trace_id):
        return Origin(trace_id=new_trace_id(), parent_span_id=told.parent_span_id, claimed_id=trace_id)
    return Origin(trace_id=trace_id, parent_span_id=told.parent_span_id, tracestate=told.tracestate)


async def opened_events(stream: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The events, once the question has passed intake. Raises what it failed with there, while the status is still open."""
    seen: list[Event] = []
    async for event in stream:
        seen.append(event)
        if isinstance(event, StageFinished | Failed):
            break
    last = seen[-1] if seen else None
    if isinstance(last, Failed):
        await stream.aclose()
        raise named(last.kind, last.message, retry_after_s=last.retry_after_s)
    return _resumed(seen, stream)


async def _resumed(seen: list[Event], stream: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    async with aclosing(stream):
        for event in seen:
            yield event
        async for event in stream:
            yield event


async def answer_of(events: AsyncGenerator[Event]) -> Answer:
    """The answer alone. Raises the error that the question failed with."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Failed):
                raise named(event.kind, event.message, retry_after_s=event.retry_after_s)
            if isinstance(event, Answered):
                return event.answer
    raise KenError("The question ended without an answer.")


@dataclass(slots=True)
class Shown:
    """What of an answer has gone out; of use where it doesn't come to its end."""

    text: str = ""
    citations: list[Citation] = field(default_factory=list[Citation])
    problem: str = STOPPED

    def take(self, event: Event) -> None:
        """Note an event that is about to go out."""
        match event:
            case TokenShown(text):
                self.text += text
            case CitationShown(citation):
                self.citations.append(citation)
            case Failed():
                self.problem = event.message
            case _:
                pass

    def answer(self, trace_id: str) -> Answer:
        """What came, as an answer that has failed: its notice says why."""
        return Answer(
            trace_id=trace_id,
            text=self.text,
            outcome="failed",
            citations=tuple(self.citations),
            notices=(self.problem,),
            is_broken_off=True,
        )


class Conversing:
    """The conversation that a question belongs to; one that was made for it goes again where the question was refused.

    Where none could be made, as the database can't be written, `conversation_id` is None and nothing is kept: people are helped by
    the answer all the same.
    """

    def __init__(
        self,
        ken: Ken,
        conversation_id: str | None,
        *,
        principal: Principal,
        is_new: bool,
        instead_of: str | None = None,
    ) -> None:
        self._conversations = ken.conversations
        self._id = conversation_id
        self._principal = principal
        self._is_empty = is_new
        self._instead_of = instead_of
        self._is_kept = False

    async def keep(self, question: str, answer: Answer) -> None:
        """Append the question and its answer; what can't be written is missing there, and the log says so."""
        self._is_kept = True
        if self._id is None:
            return
        now = time.time()
        turns = (
            Turn(role="user", content=question, trace_id=answer.trace_id, at=now),
            Turn(role="assistant", content=answer.text, trace_id=answer.trace_id, at=now, answer=answer),
        )
        keep = partial(self._conversations.append, self._id, self._principal, new=turns, instead_of=self._instead_of)
        try:
            await anyio.to_thread.run_sync(keep)
        except StorageError as error:
            _log.warning("A turn of the conversation %s can't be kept. %s", self._id, error)
        self._is_empty = False

    async def end(self, question: str, shown: Shown, *, trace_id: str) -> None:
        """Where no answer was kept, keep what was shown of one; of a new question that is the question alone, if need be.

        Without a word to show for it, nothing takes the place of an earlier answer.
        """
        if not self._is_kept and (shown.text or self._instead_of is None):
            try:
                await self.keep(question, shown.answer(trace_id))
            except NotFound:  # the conversation was deleted meanwhile, which may be why this ends
                return
        await self.drop_if_empty()

    async def drop_if_empty(self) -> None:
        """Remove the conversation that was made for a question which got no answer."""
        if self._is_empty and self._id is not None:
            self._is_empty = False
            await anyio.to_thread.run_sync(self._conversations.delete, self._id, self._principal)
