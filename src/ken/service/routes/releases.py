"""Releases that were served, and a trace's question asked again with another one. What each release was is for operators."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Literal, cast

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ken.assistant.intake import MOST_MESSAGES
from ken.assistant.noted import narrowing
from ken.domain.answer import Message, Question, Role
from ken.domain.principal import Principal
from ken.domain.trace import Scalar, Trace
from ken.errors import Conflict, NotFound
from ken.releases.known import changes
from ken.service.context import Asking, Opened, Operating
from ken.service.shapes import AnswerShape, Text
from ken.service.turn import answer_of, model_asked, origin_of
from ken.wiring import Ken

router = APIRouter(tags=["traces"])

FoundIn = Literal["none", "conversation", "prompt", "unknown"]

_SINCE_EVER = 400 * 86_400.0
"""Seconds for which figures are kept."""


class ReleaseShape(BaseModel):
    """What a release id stands for."""

    id: str
    is_present: bool = Field(description="it is served now")
    first_seen: float | None = Field(description="seconds since the epoch; null where the release was not kept")
    last_seen: float | None
    questions: int = Field(description="that people asked of it")
    fields: dict[str, JsonValue] | None = Field(description="null of one that was served before releases were kept")
    changes: list[str] = Field(description="what differs from the one that was new before it, in words")
    lacking: list[str] = Field(description="why questions can't be asked of it again; empty where they can")


class ReleasesShape(BaseModel):
    """All of them, the one that was served last first."""

    releases: list[ReleaseShape]


class RerunBody(BaseModel):
    """What a question is asked again with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    release: Text | None = Field(default=None, max_length=100)
    """None is the present one."""
    model: Text | None = Field(default=None, max_length=200)
    """A model or tier that answers in the place of the one that the route chooses."""


class RerunShape(BaseModel):
    """The new trace and its answer."""

    trace_id: str
    original_trace_id: str
    release: str
    history: FoundIn = Field(
        description="where the conversation before it came from; `unknown`: it can't be had, and the question was asked without"
    )
    answer: AnswerShape


@router.get("/api/releases", summary="List releases")
async def releases(ken: Opened, principal: Operating) -> ReleasesShape:
    """Each with what differs from the one before it, and whether a question can be asked of it again. Operators only."""
    _ = principal
    await anyio.to_thread.run_sync(ken.recorder.flush)
    return await anyio.to_thread.run_sync(_releases, ken)


@router.post("/api/traces/{trace_id}/rerun", summary="Ask a trace's question again")
async def rerun(trace_id: str, body: RerunBody, request: Request, ken: Opened, principal: Asking) -> RerunShape:
    """With another release or model, of the documents of today, as who asks now, and without the answer cache.

    Its trace is of the kind `eval`, which people's figures leave out, and names the first one as `rerun_of`.
    """
    model = model_asked(ken, body.model)
    await anyio.to_thread.run_sync(ken.recorder.flush)
    original = await anyio.to_thread.run_sync(ken.traces.get, trace_id, principal)
    _check(original)
    assistant = await anyio.to_thread.run_sync(partial(ken.reruns.assistant, body.release, model=model))
    history, found_in = await anyio.to_thread.run_sync(_history, ken, original, principal)
    collections, filters = narrowing(_intake(original))
    question = Question(
        text=original.question,
        principal=principal,
        history=history,
        collections=collections,
        filters=filters,
        model=model,
        origin=replace(await origin_of(request, ken), rerun_of=original.id),
        is_test=True,
    )
    answer = await answer_of(assistant.answer(question))
    return RerunShape(
        trace_id=answer.trace_id,
        original_trace_id=original.id,
        release=assistant.parts.release.id,
        history=found_in,
        answer=AnswerShape.model_validate(answer),
    )


def _releases(ken: Ken) -> ReleasesShape:
    now = time.time()
    asked = ken.recording.figures.whole("questions", since=now - _SINCE_EVER, until=now + 60, by="release")
    questions = {release: int(point.value or 0) for release, point in asked.items() if release}
    known = ken.reruns.book.all()
    before = {later.id: earlier for earlier, later in pairwise(known)}
    present = ken.assistant.parts.release.id
    kept = [
        ReleaseShape(
            id=each.id,
            is_present=each.id == present,
            first_seen=each.first_seen,
            last_seen=now if each.id == present else each.last_seen,
            questions=questions.get(each.id, 0),
            fields=cast("dict[str, JsonValue]", dict(each.fields)),
            changes=list(changes(before[each.id].fields, each.fields)) if each.id in before else [],
            lacking=list(ken.reruns.lacking(each)),
        )
        for each in sorted(known, key=lambda each: (each.id == present, each.last_seen), reverse=True)
    ]
    names = {each.id for each in known}
    untold = [_untold(name, count) for name, count in sorted(questions.items()) if name not in names]
    return ReleasesShape(releases=[*kept, *untold])


def _untold(name: str, questions: int) -> ReleaseShape:
    return ReleaseShape(
        id=name,
        is_present=False,
        first_seen=None,
        last_seen=None,
        questions=questions,
        fields=None,
        changes=[],
        lacking=["it was served before releases were kept, so that nothing is known of it"],
    )


def _check(original: Trace) -> None:
    """Whether there is a question to ask again. Raises Conflict."""
    if original.kind not in {"question", "eval", "shadow"}:
        raise Conflict(
            f"The trace {original.id!r} is of the kind {original.kind!r}: nobody asked a question that could be asked again."
        )
    if original.capture == "metrics":
        raise Conflict(
            f"The texts of the trace {original.id!r} are no longer kept, so its question can't be asked again. "
            "docs/guides/tracing.md says what is kept for how long."
        )


def _intake(original: Trace) -> dict[str, Scalar]:
    return next((dict(span.attributes) for span in original.spans if span.name == "intake"), dict[str, Scalar]())


def _history(ken: Ken, original: Trace, principal: Principal) -> tuple[tuple[Message, ...], FoundIn]:
    """What was said before the question, as far as `principal` may read it, and where it was found."""
    if original.conversation_id is None and not original.prompt:
        return (), "none"
    if original.conversation_id is not None:
        try:
            turns = ken.conversations.get(original.conversation_id, principal).turns
        except NotFound:  # it is somebody else's, or deleted
            turns = ()
        at = next((number for number, turn in enumerate(turns) if turn.trace_id == original.id), None)
        if at is not None:
            said = tuple(Message(turn.role, turn.content) for turn in turns[:at][-MOST_MESSAGES:])
            return said, "conversation" if said else "none"
    if original.prompt:
        told = cast("list[dict[str, str]]", json.loads(original.prompt))
        said = tuple(Message(cast("Role", each["role"]), each["content"]) for each in told[1:-1])
        return said, "prompt" if said else "none"
    return (), "unknown"
