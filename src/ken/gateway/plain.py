"""The plain gateway: calls of an organisation's other applications, with keys, budgets, limits and the record.

No documents, no citations, no verification: what the model writes is passed on as it comes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ken.domain.answer import Answer, Message, Question
from ken.domain.call import Account, CallContext, Purpose
from ken.domain.checked import Checked
from ken.domain.deadline import Deadline
from ken.domain.principal import Principal
from ken.domain.trace import About, Origin
from ken.domain.usage import Usage
from ken.domain.wire import Json
from ken.errors import KenError, NotFound
from ken.gateway.counting import Counting, estimate
from ken.gateway.embedding import within
from ken.models.chat import ChatDelta, ChatRequest, Switched, readable
from ken.models.protocols import ChatModel, Embedder
from ken.telemetry.recorder import Recorder
from ken.telemetry.tracing import TraceBuilder
from ken.telemetry.traffic import Traffic

STAGE = "door"
"""The stage that charges of these calls are booked under."""
_COUNTING = Counting(count=estimate)
_MOST_MESSAGES = 20
"""Of a conversation that the record keeps."""
_MOST_KEPT = 100_000
"""Characters of a question or an answer that the record keeps."""


class Examining(Protocol):
    """Looks at what an application's call got."""

    def __call__(self, text: str, schema: Mapping[str, Json] | None, *, calls_tools: bool) -> Checked:
        """What rules say of a text, by the JSON schema that was asked for; None where text was."""
        ...


@dataclass(slots=True)
class Passed:
    """What became of a call; complete when its deltas have ended."""

    origin: Origin
    account: Account = field(default_factory=Account)
    switches: list[Switched] = field(default_factory=list[Switched])
    """Models that failed on the way, and what took over."""
    is_test: bool = False
    """Its trace is of the kind `eval`."""
    text: list[str] = field(default_factory=list[str])
    model: str = ""
    """Which one answered, by its name here."""
    tier: str = ""
    """The tier that was asked for, where it was one."""
    prompt: str = ""
    """What was asked, as JSON: an array of messages."""
    calls_tools: bool = False
    checked: Checked = field(default_factory=Checked)
    """What heuristics say of it, once it is complete."""

    @property
    def trace_id(self) -> str:
        """Of the call's trace."""
        assert self.origin.trace_id is not None  # noqa: S101 - whoever takes a call gives it one
        return self.origin.trace_id

    @property
    def usage(self) -> Usage:
        """What all attempts together used."""
        return self.account.usage_of(STAGE)

    @property
    def notices(self) -> list[str]:
        """What the caller should know of it, in words."""
        return [f"{each.model!r} has taken over from {each.failed!r}." for each in self.switches]


class PlainGateway:
    """Passes chat calls on to models and tiers, by name."""

    def __init__(
        self,
        models: Mapping[str, ChatModel],
        *,
        tiers: frozenset[str],
        recorder: Recorder,
        release: str,
        examine: Examining | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._models = models
        self._tiers = tiers
        self._traffic = traffic or Traffic()
        self._recorder = recorder
        self._release = release
        self._examine = examine

    @property
    def names(self) -> tuple[str, ...]:
        """What may be asked for."""
        return tuple(self._models)

    async def chat(
        self, name: str, request: ChatRequest, *, principal: Principal, passed: Passed, is_offline: bool = False
    ) -> AsyncGenerator[ChatDelta]:
        """Yield what the model writes, each piece as it comes; keep `passed` true; put the call on record at its end.

        People's calls go before those that are `is_offline`. `request` brings no context of its own. Raises NotFound for an
        unknown name, and what the models raise.
        """
        model = self._models.get(name)
        if model is None:
            known = ", ".join(repr(each) for each in ("ken", *self._models))
            raise NotFound(f"There is no model {name!r} here. There are: {known}.", param="model")
        trace = TraceBuilder(passed.origin)
        tier = name if name in self._tiers else ""
        context = self._context(trace, passed, principal=principal, tier=tier, is_offline=is_offline)
        asked = replace(request, holds_sentences=False, context=context)
        passed.model, passed.tier = name, tier
        passed.prompt = _as_json(request.messages)
        has_ended = False
        self._traffic.began(is_test=passed.is_test)
        try:
            async with aclosing(model.stream(asked)) as deltas:
                async for delta in deltas:
                    if delta.carries:
                        trace.shown()
                        passed.text.append(delta.text)
                        passed.calls_tools = passed.calls_tools or bool(delta.tool_calls)
                    if delta.switched is not None:
                        passed.switches.append(delta.switched)
                        passed.model = delta.switched.model
                    yield delta
            has_ended = True
            if self._examine is not None:
                written = "".join(passed.text)
                passed.checked = self._examine(written, request.options.json_schema, calls_tools=passed.calls_tools)
        except KenError as error:
            trace.fail(error)
            raise
        except (GeneratorExit, asyncio.CancelledError):
            trace.fail(asyncio.CancelledError("The client hung up."))
            raise
        finally:
            self._traffic.ended(is_test=passed.is_test)
            asked_last = _last_asked(asked.messages)
            self._record(trace, passed, asked_last, principal=principal, has_ended=has_ended)

    async def embed(
        self,
        embedder: Embedder,
        texts: Sequence[str],
        *,
        principal: Principal,
        passed: Passed,
        deadline: Deadline,
        is_offline: bool = False,
    ) -> NDArray[np.float32]:
        """L2-normalised vectors of texts, float32 (len(texts), dimensions), metered and on record as a chat is.

        Raises what the embedder raises.
        """
        trace = TraceBuilder(passed.origin)
        passed.model = embedder.name
        context = self._context(trace, passed, principal=principal, is_offline=is_offline)
        has_ended = False
        try:
            with within(context, deadline), trace.span("embed", model=embedder.name, texts=len(texts)):
                vectors = await embedder.embed(texts)
            has_ended = True
        except KenError as error:
            trace.fail(error)
            raise
        except asyncio.CancelledError:
            trace.fail(asyncio.CancelledError("The client hung up."))
            raise
        finally:
            self._record(trace, passed, texts[0], principal=principal, has_ended=has_ended)
        return vectors

    def count(self, request: ChatRequest) -> int:
        """Tokens of a prompt, estimated."""
        return _COUNTING.asked(request.texts)

    def _context(
        self, trace: TraceBuilder, passed: Passed, *, principal: Principal, tier: str = "", is_offline: bool = False
    ) -> CallContext:
        purpose = Purpose(
            principal=principal.id,
            groups=principal.groups,
            stage=STAGE,
            task_type=STAGE,
            tier=tier,
            release=self._release,
            trace_id=passed.trace_id,
            is_offline=is_offline,
        )
        return CallContext(purpose=purpose, account=passed.account, tracer=trace)

    def _record(
        self, trace: TraceBuilder, passed: Passed, asked: str, *, principal: Principal, has_ended: bool
    ) -> None:
        question = Question(text=_storable(asked), principal=principal)
        charges = passed.account.charges
        answer = Answer(
            trace_id=passed.trace_id,
            text=_storable("".join(passed.text)),
            outcome="answered" if has_ended else "failed",
            model=charges[-1].model if charges else passed.model,
            usage=passed.usage,
            cost_micros=passed.account.cost_micros,
        )
        about = About(
            kind="eval" if passed.is_test else "call",
            task_type=STAGE,
            tier=passed.tier,
            prompt=passed.prompt,
            release=self._release,
            checked=passed.checked.checked,
            failed_checks=passed.checked.failed,
        )
        self._recorder.record(trace.finish(question, answer, about=about))


def _storable(text: str) -> str:
    """A text as every database takes it: no call goes unrecorded for what is in it."""
    return readable(text[:_MOST_KEPT]).replace("\0", "\ufffd")


def _as_json(messages: Sequence[Message]) -> str:
    """The messages for the record, the last ones where they are many."""
    told = [{"role": each.role, "content": _storable(each.content)} for each in messages[-_MOST_MESSAGES:]]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _last_asked(messages: tuple[Message, ...]) -> str:
    return next((message.content for message in reversed(messages) if message.role == "user"), "")
