"""The door that Anthropic's clients know: messages, streamed or whole."""

from __future__ import annotations

from functools import partial
from typing import cast

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from ken.assistant.intake import MOST_MESSAGES
from ken.domain.answer import Question
from ken.service.assistant_message import AssistantMessage, conversation
from ken.service.event_stream import EventStream, until_hang_up
from ken.service.json_body import json_object, validated
from ken.service.messages_answer import PlainMessage, failed
from ken.service.messages_request import CountBody, MessagesBody
from ken.service.passing import deadline_of, passed_on
from ken.service.turn import answer_of, is_plain, is_test, model_asked, opened_events, origin_of
from ken.wiring import Ken

router = APIRouter(tags=["Anthropic-compatible"])


@router.post(
    "/v1/messages",
    summary="Ask as an Anthropic client does",
    response_model=None,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": MessagesBody.model_json_schema()}},
        }
    },
)
async def create(request: Request) -> Response:
    """With the model `ken`: answer the last message from the documents; the text ends with its sources.

    With a model's or a tier's name: the plain gateway passes the call on, whatever its provider's own wire is. Each message
    carries a `ken` field.
    """
    ken = cast("Ken", request.app.state.ken)
    body = validated(MessagesBody, await json_object(request))
    if is_plain(body.model, ken):
        asked = body.request(deadline_of(request))
        wire_of = partial(PlainMessage, body.model)
        return await passed_on(request, ken, asked=asked, model=body.model, wire_of=wire_of, failed=failed)
    return await _answered(body, request, ken)


@router.post(
    "/v1/messages/count_tokens",
    summary="Estimate the tokens of a message",
    response_model=None,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": CountBody.model_json_schema()}}}
    },
)
async def count(request: Request) -> Response:
    """How many tokens a model would read: an estimate, as only its provider knows for certain. Nothing is called or billed."""
    ken = cast("Ken", request.app.state.ken)
    body = validated(CountBody, await json_object(request))
    if body.model not in ken.plain.names:
        model_asked(ken, body.model)
    return JSONResponse({"input_tokens": ken.plain.count(body.request(deadline_of(request)))})


async def _answered(body: MessagesBody, request: Request, ken: Ken) -> Response:
    """The assistant's answer."""
    model = model_asked(ken, body.model)
    asked, history = conversation(body)
    question = Question(
        text=asked,
        principal=request.state.principal,
        history=history[-MOST_MESSAGES:],
        model=model,
        max_tokens=body.max_tokens,
        origin=await origin_of(request, ken),
        is_test=is_test(request),
    )
    shape = AssistantMessage(body, question.origin.trace_id or "")
    events = await opened_events(ken.assistant.answer(question))
    if body.stream:
        return EventStream(shape.frames(events), failed=failed)
    answer = await until_hang_up(request.receive, answer_of(events))
    return Response() if answer is None else JSONResponse(shape.whole(answer))
