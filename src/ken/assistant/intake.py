"""Intake: validation and the rolling window of the conversation."""

from __future__ import annotations

from ken.assistant.turn import Turn
from ken.errors import InvalidInput
from ken.guard.legible import has_surrogates, legible

MOST_MESSAGES = 100
"""Of a conversation, that a question is asked with: those beyond the window are told in short."""
_MAX_MESSAGE_CHARS = 20_000


def admit(turn: Turn, *, max_chars: int, history_turns: int) -> str:
    """Set `text`, `history` and `earlier`. Raises InvalidInput for a question that is empty, too long or not text."""
    turn.text = legible(turn.question.text, max_chars=max_chars)
    if any(has_surrogates(message.content) for message in turn.question.history):
        raise InvalidInput("The history holds half of a character (a lone surrogate). Send it in UTF-8.")
    # A turn is a question and its answer: two messages.
    if history_turns:
        said = tuple(message for message in turn.question.history if len(message.content) <= _MAX_MESSAGE_CHARS)
        turn.history, turn.earlier = said[-2 * history_turns :], said[: -2 * history_turns]
    before = f", {len(turn.earlier)} before them" if turn.earlier else ""
    return f"{len(turn.text)} characters, {len(turn.history)} earlier messages{before}"
