"""The door that OpenAI's clients know: chat completions, streamed or whole."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import cast

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from ken.assistant.intake import MOST_MESSAGES
from ken.domain.answer import Answer, Question
from ken.domain.events import Answered, Event, Failed, TokenShown
from ken.errors import KenError
from ken.service.chat_request import ChatBody, conversation, unused
from ken.service.errors import named, openai_body
from ken.service.event_stream import EventStream, frame, json_frame, until_hang_up
from ken.service.json_body import json_object, validated
from ken.service.ken_field import ken_field, sources_below
from ken.service.narrowing import of_metadata
from ken.service.passing import deadline_of, passed_on
from ken.service.plain_completion import PlainCompletion
from ken.service.plain_request import PlainBody
from ken.service.turn import DEFAULT_ROUTE, answer_of, is_plain, is_test, model_asked, opened_events, origin_of
from ken.wiring import Ken

router = APIRouter(tags=["OpenAI-compatible"])


@router.post(
    "/v1/chat/completions",
    summary="Ask as an OpenAI client does",
    response_model=None,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": PlainBody.model_json_schema()}}}
    },
)
async def complete(request: Request) -> Response:
    """With the model `ken`: answer the last user message from the documents; the text ends with its sources.

    With a model's or a tier's name: the plain gateway passes the call on. Each completion carries a `ken` field; offsets
    in it count in the text before the sources.
    """
    ken = cast("Ken", request.app.state.ken)
    body = await json_object(request)
    if not is_plain(body.get("model"), ken):
        return await _answered(validated(ChatBody, body), request, ken)
    plain = validated(PlainBody, body)
    wire_of = partial(PlainCompletion, plain.model, wants_usage=plain.wants_usage)
    asked = plain.request(deadline_of(request))
    return await passed_on(request, ken, asked=asked, model=plain.model, wire_of=wire_of, failed=_failed)


async def _answered(body: ChatBody, request: Request, ken: Ken) -> Response:
    """The assistant's answer."""
    model = model_asked(ken, body.model)
    asked, history = conversation(body)
    collections, filters = of_metadata(body.metadata or {})
    question = Question(
        text=asked,
        principal=request.state.principal,
        history=history[-MOST_MESSAGES:],
        collections=collections,
        filters=filters,
        model=model,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        origin=await origin_of(request, ken),
        is_test=is_test(request),
    )
    shape = _Completion(body, question)
    events = await opened_events(ken.assistant.answer(question))
    if body.stream:
        return EventStream(shape.frames(events), failed=_failed)
    answer = await until_hang_up(request.receive, answer_of(events))
    return Response() if answer is None else JSONResponse(shape.whole(answer))


class _Completion:
    """The JSON of one completion."""

    def __init__(self, body: ChatBody, question: Question) -> None:
        self._body = body
        self._question = question
        self._id = f"chatcmpl-{question.origin.trace_id}"
        self._created = int(time.time())

    def whole(self, answer: Answer) -> dict[str, object]:
        """A `chat.completion`."""
        ken = ken_field(answer, unused(self._body))
        message = {"role": "assistant", "content": f"{answer.text}{sources_below(answer)}", "refusal": None, "ken": ken}
        choice = {"index": 0, "message": message, "finish_reason": self._finish(answer), "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(answer), "ken": ken}

    async def frames(self, events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
        """`chat.completion.chunk`s: the role, the text as it is verified, the finish reason, the usage when asked for."""
        yield self._chunk({"role": "assistant", "content": ""})
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TokenShown):
                    yield self._chunk({"content": event.text})
                elif isinstance(event, Failed):
                    yield _failed(named(event.kind, event.message, retry_after_s=event.retry_after_s))
                elif isinstance(event, Answered):
                    if sources := sources_below(event.answer):
                        yield self._chunk({"content": sources})
                    for last in self._end(event.answer):
                        yield last

    def _end(self, answer: Answer) -> list[bytes]:
        ken = ken_field(answer, unused(self._body))
        head = self._head("chat.completion.chunk")
        choice: dict[str, object] = {
            "index": 0,
            "delta": dict[str, str](),
            "finish_reason": self._finish(answer),
            "logprobs": None,
        }
        with_usage = self._body.stream_options is not None and self._body.stream_options.include_usage
        last: dict[str, object] = {**head, "choices": [choice], "ken": ken}
        if not with_usage:
            return [json_frame(last), frame("[DONE]")]
        usage: dict[str, object] = {**head, "choices": list[object](), "usage": _usage(answer)}
        return [json_frame({**last, "usage": None}), json_frame(usage), frame("[DONE]")]

    def _chunk(self, delta: dict[str, str]) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}
        return json_frame({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, object]:
        model = self._body.model or DEFAULT_ROUTE
        return {"id": self._id, "object": kind, "created": self._created, "model": model, "system_fingerprint": None}

    def _finish(self, answer: Answer) -> str:
        limit = self._question.max_tokens
        if answer.is_broken_off:
            return "length"
        return "length" if limit is not None and answer.usage.output_tokens >= limit else "stop"


def _usage(answer: Answer) -> dict[str, object]:
    usage = answer.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _failed(error: KenError) -> bytes:
    return json_frame(openai_body(error))
