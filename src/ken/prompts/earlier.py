"""The turns before those that a prompt holds whole, told in short: sentences that were said, no new ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ken.domain.answer import Message
from ken.models.protocols import TokenCounter
from ken.text.sentences import sentence_spans
from ken.text.tokens import terms

_MARKERS = re.compile(r"\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\]")
_MOST_WORDS = 25


def in_short(earlier: Sequence[Message], question: str, *, room: int, tokens: TokenCounter) -> str:
    """One line a turn within `room` tokens: what was asked, and the first sentence of what was answered.

    Where not all turns fit, those that share most words with `question` are kept, of equals the newer ones; they stay in
    the order in which they were said. Empty where there are none.
    """
    lines = [_line(asked, answered) for asked, answered in _turns(earlier)]
    wanted = set(terms(question))
    by_worth = sorted(range(len(lines)), key=lambda at: (len(wanted & set(terms(lines[at]))), at), reverse=True)
    kept: list[int] = []
    for at in by_worth:
        cost = tokens.count(lines[at])
        if cost <= room:
            room -= cost
            kept.append(at)
    return "\n".join(lines[at] for at in sorted(kept))


def _turns(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Questions with their answers; a question that got none has an empty one."""
    turns: list[tuple[str, str]] = []
    for message in messages:
        if message.role == "user":
            turns.append((message.content, ""))
        elif message.role == "assistant" and turns and not turns[-1][1]:
            turns[-1] = (turns[-1][0], message.content)
    return turns


def _line(asked: str, answered: str) -> str:
    line = f"- Asked: {_first(asked)}"
    return f"{line} Answered: {_first(answered)}" if answered.strip() else line


def _first(text: str) -> str:
    """The first sentence on one line, shortened at a word where it is very long."""
    plain = _MARKERS.sub("", text).strip()
    spans = sentence_spans(plain, (0, len(plain)), markup="markdown")
    sentence = " ".join((plain[spans[0][0] : spans[0][1]] if spans else plain).split())
    words = sentence.split(" ")
    return sentence if len(words) <= _MOST_WORDS else f"{' '.join(words[:_MOST_WORDS])} …"
