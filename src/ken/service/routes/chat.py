"""The door that OpenAI's clients know: chat completions, streamed or whole."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from ken.assistant.intake import MOST_MESSAGES
from ken.domain.answer import Answer, Question
from ken.domain.deadline import Deadline
from ken.domain.events import Answered, Event, Failed, TokenShown
from ken.domain.principal import Principal
from ken.errors import KenError
from ken.gateway.plain import Passed
from ken.service.chat_request import ChatBody, conversation, unused
from ken.service.context import Asking, Opened
from ken.service.errors import named, openai_body
from ken.service.event_stream import EventStream, frame, json_frame, until_hang_up
from ken.service.json_body import json_object, validated
from ken.service.narrowing import of_metadata
from ken.service.plain_completion import PlainCompletion
from ken.service.plain_request import PlainBody
from ken.service.shapes import ChoiceShape, CitationShape, ConflictShape, DocumentShape, object_of
from ken.service.turn import (
    DEFAULT_ROUTE,
    answer_of,
    free_trace_id,
    is_plain,
    model_asked,
    opened_events,
    plain_headers,
)
from ken.text.sources import source_lines
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
async def complete(request: Request, ken: Opened, principal: Asking) -> Response:
    """With the model `ken`: answer the last user message from the documents; the text ends with its sources.

    With a model's or a tier's name: the plain gateway passes the call on. Each completion carries a `ken` field; offsets
    in it count in the text before the sources.
    """
    body = await json_object(request)
    if is_plain(body.get("model"), ken):
        return await _passed_on(validated(PlainBody, body), request, ken, principal=principal)
    return await _answered(validated(ChatBody, body), request, ken, principal=principal)


async def _passed_on(body: PlainBody, request: Request, ken: Ken, *, principal: Principal) -> Response:
    """The answer of a model alone."""
    passed = Passed(await free_trace_id(request, ken) or secrets.token_hex(16))
    asked = body.request(Deadline.after(ken.settings.deadline_s))
    deltas = ken.plain.chat(body.model, asked, principal=principal, passed=passed)
    completion = PlainCompletion(body.model, passed, wants_usage=body.wants_usage)
    if body.stream:
        return EventStream(completion.frames(deltas), failed=_failed, headers=plain_headers(passed))
    whole = await until_hang_up(request.receive, completion.whole(deltas))
    return Response() if whole is None else JSONResponse(whole, headers=plain_headers(passed))


async def _answered(body: ChatBody, request: Request, ken: Ken, *, principal: Principal) -> Response:
    """The assistant's answer."""
    model = model_asked(ken, body.model)
    asked, history = conversation(body)
    collections, filters = of_metadata(body.metadata or {})
    question = Question(
        text=asked,
        principal=principal,
        history=history[-MOST_MESSAGES:],
        collections=collections,
        filters=filters,
        model=model,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        trace_id=await free_trace_id(request, ken),
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
        self._id = f"chatcmpl-{question.trace_id}"
        self._created = int(time.time())

    def whole(self, answer: Answer) -> dict[str, object]:
        """A `chat.completion`."""
        ken = self._ken(answer)
        message = {"role": "assistant", "content": f"{answer.text}{_sources(answer)}", "refusal": None, "ken": ken}
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
                    yield _failed(named(event.kind, event.message))
                elif isinstance(event, Answered):
                    if sources := _sources(event.answer):
                        yield self._chunk({"content": sources})
                    for last in self._end(event.answer):
                        yield last

    def _end(self, answer: Answer) -> list[bytes]:
        ken = self._ken(answer)
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
        return "length" if limit is not None and answer.usage.output_tokens >= limit else "stop"

    def _ken(self, answer: Answer) -> dict[str, object]:
        return {
            "trace_id": answer.trace_id,
            "outcome": answer.outcome,
            "citations": [object_of(CitationShape.model_validate(each)) for each in answer.citations],
            "nearest": [object_of(DocumentShape.model_validate(each)) for each in answer.nearest],
            "conflicts": [object_of(ConflictShape.model_validate(each)) for each in answer.conflicts],
            "choices": [object_of(ChoiceShape.model_validate(each)) for each in answer.choices],
            "notices": [*answer.notices, *unused(self._body)],
            "model": answer.model,
            "cost_micros": answer.cost_micros,
            "cached": answer.cached,
            "confidence": answer.confidence,
        }


def _sources(answer: Answer) -> str:
    """What the numbers in the text stand for: a client that knows no `ken` field has nothing else to tell it."""
    lines = source_lines(answer.citations)
    return "\n\nSources:\n" + "\n".join(lines) if lines else ""


def _usage(answer: Answer) -> dict[str, object]:
    usage = answer.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _failed(error: KenError) -> bytes:
    return json_frame(openai_body(error))
