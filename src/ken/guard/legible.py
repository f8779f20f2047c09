"""Whether a question is one: text, in words, and not too long. The same at every door."""

from __future__ import annotations

import unicodedata

from ken.errors import InvalidInput


def legible(text: str, *, max_chars: int) -> str:
    """The question on one line. Raises InvalidInput for one that is empty, too long or not text."""
    if len(text) > max_chars:
        raise InvalidInput(
            f"The question has {len(text):,} characters; at most {max_chars:,} are taken. Ask it shorter."
        )
    if "\x00" in text or _is_binary(text):
        raise InvalidInput("The question is not text: it holds control characters. Send it as plain text in UTF-8.")
    if has_surrogates(text):
        raise InvalidInput("The question holds half of a character (a lone surrogate). Send it in UTF-8.")
    line = " ".join(text.split())
    if not any(character.isalnum() for character in line):
        raise InvalidInput("The question is empty. Ask something in words.")
    return line


def has_surrogates(text: str) -> bool:
    """Whether `text` holds what no encoding can write; a broken program or terminal makes such text."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _is_binary(text: str) -> bool:
    odd = sum(unicodedata.category(character) in {"Cc", "Cs", "Co"} and not character.isspace() for character in text)
    return odd > max(2, len(text) // 50)
