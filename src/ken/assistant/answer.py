"""The assistant: a question goes in, events come out, and all of it is on record. What a stage does is in its own file."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from ken.assistant.parts import Parts
from ken.assistant.run import Run
from ken.assistant.turn import Turn
from ken.domain.answer import Answer, Question
from ken.domain.deadline import Deadline
from ken.domain.events import (
    Answered,
    Event,
    Failed,
    TokenShown,
)
from ken.domain.trace import About
from ken.errors import KenError
from ken.prompts.grounded import Prompt
from ken.telemetry.tracing import TraceBuilder

_log = logging.getLogger(__name__)


class Assistant:
    """Answers questions; stateless between them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def parts(self) -> Parts:
        """What it works with: for explaining, and to put together another one that differs in something."""
        return self._parts

    async def answer(self, question: Question) -> AsyncGenerator[Event]:
        """Yield what happens, ending in Answered or Failed. A KenError becomes Failed; closing the iterator cancels.

        The texts of the TokenShown events, put together, are the answer's text.
        """
        trace = TraceBuilder(question.origin)
        today = question.today or self._parts.clock()
        turn = Turn(question=question, deadline=Deadline.after(self._parts.limits.deadline_s), today=today)
        corpus_version = 0
        answer: Answer | None = None
        self._parts.traffic.began(is_test=question.is_test)
        try:
            searcher = await self._parts.corpora.corpus()
            corpus_version = searcher.corpus_version
            async with aclosing(Run(self._parts, trace, turn, searcher).events()) as events:
                async for event in events:
                    if isinstance(event, TokenShown):
                        trace.shown()
                    if isinstance(event, Answered):
                        answer = event.answer
                        break
                    yield event
            if answer is not None:
                self._record(trace, turn, answer, corpus_version)
                if self._parts.shadows is not None and not turn.is_degraded:
                    self._parts.shadows.consider(question, answer, category=turn.category, today=today)
                yield Answered(answer)
        except KenError as error:
            trace.fail(error)
            yield Failed(trace.trace_id, type(error).__name__, str(error), error.retry_after_s)
        except (GeneratorExit, asyncio.CancelledError):
            trace.fail(asyncio.CancelledError("The client hung up."))
            raise
        except Exception as error:  # noqa: BLE001 - the last door: a fault of ours becomes an event and a log entry
            trace.fail(error)
            _log.exception("question %s failed", trace.trace_id)
            yield Failed(
                trace.trace_id, "InternalError", f"Something went wrong inside Ken; its log has trace {trace.trace_id}."
            )
        finally:
            self._parts.traffic.ended(is_test=question.is_test)
            if answer is None:
                self._record(trace, turn, _unfinished(trace, turn), corpus_version)

    def _record(self, trace: TraceBuilder, turn: Turn, answer: Answer, corpus_version: int) -> None:
        # What intake refuses is recorded, too: no longer than it would have been taken, and in characters that exist.
        asked = turn.question.text[: self._parts.limits.max_chars].encode("utf-8", "replace").decode()
        self._parts.recorder.record(
            trace.finish(
                replace(turn.question, text=asked),
                answer,
                about=About(
                    kind="eval" if turn.question.is_test else self._parts.kind,
                    task_type=turn.task,
                    category=turn.category,
                    tier=turn.tier,
                    release=self._parts.release.id,
                    corpus_version=corpus_version,
                    prompt=_as_json(turn.prompt),
                    checked=turn.checked,
                    failed_checks=turn.failed_checks,
                    escalated=bool(turn.escalated),
                    degraded=turn.is_degraded,
                ),
                evidence=turn.evidence,
            )
        )


def _as_json(prompt: Prompt | None) -> str:
    """What the model was given, for the record; empty where no prompt was assembled."""
    if prompt is None:
        return ""
    told = [{"role": each.role, "content": each.content} for each in prompt.messages]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _unfinished(trace: TraceBuilder, turn: Turn) -> Answer:
    return Answer(
        trace_id=trace.trace_id,
        text=turn.reply,
        outcome="failed",
        citations=tuple(turn.citations),
        conversation_id=turn.question.conversation_id,
        model=turn.model.name if turn.model is not None else "",
        usage=turn.account.usage_of("generate"),
        cost_micros=turn.account.cost_micros,
    )
