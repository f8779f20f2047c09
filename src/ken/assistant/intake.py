"""Intake: validation and the rolling window of the conversation."""

from __future__ import annotations

import unicodedata

from ken.assistant.turn import Turn
from ken.errors import InvalidInput

_MAX_MESSAGE_CHARS = 20_000


def admit(turn: Turn, *, max_chars: int, history_turns: int) -> str:
    """Set `text` and `history`. Raises InvalidInput for a question that is empty, too long or not text."""
    text = turn.question.text
    if len(text) > max_chars:
        raise InvalidInput(
            f"The question has {len(text):,} characters; at most {max_chars:,} are taken. Ask it shorter."
        )
    if "\x00" in text or _is_binary(text):
        raise InvalidInput("The question is not text: it holds control characters. Send it as plain text in UTF-8.")
    if any(_has_surrogates(each) for each in (text, *(message.content for message in turn.question.history))):
        raise InvalidInput(
            "The question or its history holds half of a character (a lone surrogate). Send it in UTF-8."
        )
    turn.text = " ".join(text.split())
    if not any(character.isalnum() for character in turn.text):
        raise InvalidInput("The question is empty. Ask something in words.")
    # A turn is a question and its answer: two messages.
    window = turn.question.history[-2 * history_turns :] if history_turns else ()
    turn.history = tuple(message for message in window if len(message.content) <= _MAX_MESSAGE_CHARS)
    return f"{len(turn.text)} characters, {len(turn.history)} earlier messages"


def _has_surrogates(text: str) -> bool:
    """Whether `text` holds what no encoding can write; a broken program or terminal makes such text."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _is_binary(text: str) -> bool:
    odd = sum(unicodedata.category(character) in {"Cc", "Cs", "Co"} and not character.isspace() for character in text)
    return odd > max(2, len(text) // 50)
