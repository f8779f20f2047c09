"""What is answered when no model can: by policy, and always with a notice that says so."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from ken.assistant.turn import Turn
from ken.domain.answer import Message
from ken.domain.call import CallContext
from ken.domain.deadline import Deadline
from ken.errors import DeadlineExceeded, KenError, ModelError, Overloaded
from ken.models.chat import ChatRequest
from ken.models.protocols import ChatModel
from ken.prompts.template import template

FAILURES = (ModelError, Overloaded, DeadlineExceeded)
"""What a lesser answer may stand in for; a budget that is used up, and a fault of the request, are told as they are."""

CAVEAT = "This is not from your organisation's documents, which can't be searched at the moment; it is the model's own, and unchecked."
"""Stands above an answer that rests on no document."""

BREAKS_OFF = "The answer breaks off here."
NO_MODEL = "No model could answer, so only the passages themselves were looked at."
UNSEARCHED = "The documents could not be searched."
DEGRADED = (BREAKS_OFF, NO_MODEL, UNSEARCHED)
"""How notices of a lesser answer begin."""

_GRACE_S = 5.0
"""What a lesser answer may take where the time of the question is up: it needs no model behind a wire."""


def why(turn: Turn, error: KenError | str) -> str:
    """The reason behind a notice, for operators: it names addresses and says what to mend, which is nobody else's business."""
    return f" {error}" if turn.question.principal.is_operator else " An operator finds the reason in the trace."


def break_off(turn: Turn, error: KenError) -> None:
    """Keep what was shown of an answer that its model did not end; set a notice."""
    turn.is_degraded = turn.is_broken_off = True
    turn.notices.append(f"{BREAKS_OFF}{why(turn, error)}")


def fall_back_to_reader(turn: Turn, error: KenError) -> None:
    """Have the passages quoted instead; set `deadline` and a notice."""
    turn.is_degraded = True
    turn.deadline = _later(turn.deadline)
    turn.notices.append(f"{NO_MODEL}{why(turn, error)}")


async def without_documents(turn: Turn, *, context: CallContext) -> AsyncGenerator[str]:
    """Answer a question whose search failed from the model alone, under a caveat; set `reply` and `outcome`.

    Nothing of it is verified, since there is nothing to verify it by. Raises what the model raises.
    """
    if turn.model is None:
        return
    request = ChatRequest(
        messages=(Message("system", template("ungrounded").render()), *turn.history, Message("user", turn.text)),
        question=turn.standalone,
        evidence=(),
        deadline=turn.deadline,
        task=turn.task,
        max_tokens=turn.question.max_tokens,
        context=context,
    )
    turn.is_degraded = True
    async with aclosing(_under_caveat(turn.model, request)) as pieces:
        async for piece in pieces:
            turn.reply += piece
            yield piece
    turn.outcome = "answered"


async def _under_caveat(model: ChatModel, request: ChatRequest) -> AsyncGenerator[str]:
    """The caveat comes with the first words: a model that fails leaves none behind."""
    is_first = True
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            if delta.text:
                yield f"{CAVEAT}\n\n{delta.text}" if is_first else delta.text
                is_first = False


def _later(deadline: Deadline) -> Deadline:
    grace = Deadline.after(_GRACE_S)
    return replace(deadline, at=max(deadline.at, grace.at))
