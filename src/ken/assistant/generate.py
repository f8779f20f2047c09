"""Generate: the model's answer in pieces, through the gateway."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from ken.assistant.turn import Turn
from ken.domain.call import CallContext
from ken.models.chat import ChatDelta, ChatRequest, FinishReason, Switched
from ken.models.protocols import ChatModel
from ken.text.thoughts import Thoughts


@dataclass(slots=True)
class Written:
    """What came with the pieces of an answer; complete when they have ended."""

    finish_reason: FinishReason | None = None
    is_broken_off: bool = False
    """No model went on with what had been shown."""
    failure: str = ""
    """Why the model gave no answer, where a stronger one is asked instead."""
    is_whole: bool = False
    """The last piece ends where a sentence does."""
    switches: list[Switched] = field(default_factory=list[Switched])
    """Models that failed on the way, and what took over."""

    @property
    def is_cut(self) -> bool:
        """Whether the last sentence may be half of one."""
        return self.is_broken_off or self.finish_reason in {"length", "content_filter"}

    def note(self, delta: ChatDelta, turn: Turn) -> None:
        """Take over what a delta tells beside its text."""
        self.is_whole = delta.is_whole
        if delta.finish_reason is not None:
            self.finish_reason = delta.finish_reason
        if delta.confidence is not None:
            turn.confidence = delta.confidence
        if delta.switched is not None:
            self.switches.append(delta.switched)


async def generate(turn: Turn, model: ChatModel, *, written: Written, context: CallContext) -> AsyncGenerator[str]:
    """Read `standalone`, `prompt`, `deadline` and what is known of the passages; yield pieces; set `confidence`.

    Raises ModelError, DeadlineExceeded, BudgetExceeded and Overloaded.
    """
    turn.deadline.check("generate")
    turn.confidence = turn.answerable
    request = ChatRequest(
        messages=turn.prompt.messages if turn.prompt is not None else (),
        question=turn.standalone,
        evidence=turn.evidence,
        deadline=turn.deadline,
        task=turn.task,
        answerable=turn.answerable,
        standings=turn.standings,
        period=turn.period,
        disagreements=turn.disagreements,
        max_tokens=turn.max_tokens,
        context=context,
    )
    # Closed here, not some time later: when the stage ends its charges are known and the connection gone.
    async with aclosing(model.stream(request)) as deltas:
        thoughts = Thoughts()
        async for delta in deltas:
            written.note(delta, turn)
            if spoken := thoughts.without(delta.text):
                yield spoken
        if rest := thoughts.rest():
            yield rest
