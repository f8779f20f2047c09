"""Ask a question: Ken's own door, which shows the stages, the citations and the trace."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from ken.assistant.intake import MOST_MESSAGES
from ken.domain.answer import Answer, Message, Question
from ken.domain.events import Answered, CitationShown, Event, Failed, Notice, StageFinished, StageStarted, TokenShown
from ken.domain.principal import Principal
from ken.errors import InvalidInput, KenError, StorageError
from ken.service.context import Asking, Opened
from ken.service.errors import api_body, named
from ken.service.event_stream import EventStream, json_frame, until_hang_up
from ken.service.narrowing import FiltersBody
from ken.service.shapes import AnswerShape, CitationShape, Text, object_of
from ken.service.turn import Conversing, Shown, answer_of, is_test, model_asked, opened_events, origin_of
from ken.wiring import Ken

router = APIRouter(tags=["questions"])

_log = logging.getLogger(__name__)


class AskBody(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Text
    conversation_id: Text | None = None
    """Goes on with that conversation; without one a new conversation is made."""
    instead_of: Text | None = None
    """The trace of a question of that conversation: this one takes its place, and that of all that followed it."""
    fresh: bool = False
    """An answer that was given before won't do."""
    collections: list[Text] | None = Field(default=None, max_length=100)
    """Look only there."""
    filters: FiltersBody = Field(default_factory=FiltersBody)
    """Look only in documents that have all of this."""
    model: str | None = None
    """One of `/v1/models`; `ken`, or none, leaves the choice to Ken."""


@router.post(
    "/api/ask",
    summary="Ask a question",
    response_model=AnswerShape,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events, or the answer as one JSON object"}},
)
async def ask(
    body: AskBody,
    request: Request,
    ken: Opened,
    principal: Asking,
    *,
    stream: Annotated[bool | None, Query(description="false: one JSON object instead of events")] = None,
) -> Response:
    """Stream `stage`, `token`, `citation` and `notice` events, then one `answer` or `error`.

    The headers `X-Ken-Trace-Id` and `X-Ken-Conversation-Id` name both before the first event.
    """
    model, filters, tests = model_asked(ken, body.model), body.filters.filters(), is_test(request)
    origin = await origin_of(request, ken)
    conversation_id, history = await _history(body, ken, principal=principal)
    conversing = Conversing(
        ken,
        conversation_id,
        principal=principal,
        is_new=body.conversation_id is None,
        instead_of=body.instead_of,
    )
    question = Question(
        text=body.question,
        principal=principal,
        history=history,
        conversation_id=conversation_id,
        collections=None if body.collections is None else frozenset(body.collections),
        filters=filters,
        model=model,
        origin=origin,
        is_fresh=body.fresh,
        is_test=tests,
    )
    try:
        events = await opened_events(ken.assistant.answer(question))
    except BaseException:
        await conversing.drop_if_empty()
        raise
    if _wants_events(request) if stream is None else stream:
        trace_id = origin.trace_id or ""
        return EventStream(
            _frames(events, conversing, question=body.question, trace_id=trace_id),
            failed=lambda error: _failed(error, trace_id),
            headers={"x-ken-trace-id": trace_id}
            | ({} if conversation_id is None else {"x-ken-conversation-id": conversation_id}),
        )
    answer = await until_hang_up(request.receive, _whole(events, conversing, question=body.question))
    return Response() if answer is None else JSONResponse(object_of(AnswerShape.model_validate(answer)))


async def _history(body: AskBody, ken: Ken, *, principal: Principal) -> tuple[str | None, tuple[Message, ...]]:
    """The conversation's id and its last messages; None where none can be made, as the database can't be written."""
    if body.conversation_id is None:
        if body.instead_of is not None:
            raise InvalidInput(
                "`instead_of` needs the `conversation_id` that the question belongs to.", param="instead_of"
            )
        try:
            made = await anyio.to_thread.run_sync(ken.conversations.create, principal, body.question)
        except StorageError as error:
            _log.warning("A question is answered without a conversation. %s", error)
            return None, ()
        return made.id, ()
    recent = partial(
        ken.conversations.recent,
        body.conversation_id,
        principal,
        messages=MOST_MESSAGES,
        instead_of=body.instead_of,
    )
    return body.conversation_id, await anyio.to_thread.run_sync(recent)


async def _frames(
    events: AsyncGenerator[Event], conversing: Conversing, *, question: str, trace_id: str
) -> AsyncGenerator[bytes]:
    """The events on the wire. The turn is kept before its answer is sent: a follow-up may come at once."""
    shown = Shown()
    try:
        async with aclosing(events):
            async for event in events:
                shown.take(event)
                if isinstance(event, Answered):
                    await conversing.keep(question, event.answer)
                yield _framed(event)
    finally:
        await conversing.end(question, shown, trace_id=trace_id)


async def _whole(events: AsyncGenerator[Event], conversing: Conversing, *, question: str) -> Answer:
    try:
        answer = await answer_of(events)
        await conversing.keep(question, answer)
        return answer
    finally:
        await conversing.drop_if_empty()


def _framed(event: Event) -> bytes:
    match event:
        case StageStarted(stage):
            return json_frame({"stage": stage, "state": "started"}, "stage")
        case StageFinished(stage, ms, detail):
            return json_frame({"stage": stage, "state": "finished", "ms": round(ms, 3), "detail": detail}, "stage")
        case TokenShown(text):
            return json_frame({"text": text}, "token")
        case CitationShown(citation):
            return json_frame(object_of(CitationShape.model_validate(citation)), "citation")
        case Notice(kind, text):
            return json_frame({"kind": kind, "text": text}, "notice")
        case Answered(answer):
            return json_frame(object_of(AnswerShape.model_validate(answer)), "answer")
        case Failed(trace_id, kind, message):
            return _failed(named(kind, message, retry_after_s=event.retry_after_s), trace_id)


def _failed(error: KenError, trace_id: str | None) -> bytes:
    return json_frame(api_body(error, trace_id), "error")


def _wants_events(request: Request) -> bool:
    return "application/json" not in request.headers.get("accept", "")
