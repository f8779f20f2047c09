"""The token plan: how a model's window is split over the parts of a prompt, before anything is put in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ken.domain.answer import Message
from ken.errors import TooLarge
from ken.models.protocols import TokenCounter

MARGIN = 1.15
"""Other tokenizers cut text differently from ours; the plan leaves this much room."""
_HISTORY_SHARE = 0.2
"""Of what instructions and question leave: kept for the conversation where it needs so much, so that passages don't take all."""
_EARLIER_SHARE = 0.15
"""The same for the summary of what was said before it."""
_MOST_EARLIER = 300
"""Tokens; a longer summary tells a model no more about what "it" refers to."""


@dataclass(frozen=True, slots=True)
class Window:
    """What a model reads and writes at once, in tokens of its own."""

    context: int
    """Prompt and answer together."""
    answer: int
    """The longest answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlan:
    """Tokens that each part may take; all parts together fit the window."""

    window: int
    answer: int
    margin: int
    """Left free, as the model's tokenizer is another one."""
    system: int
    query: int
    passages: int
    history: int
    earlier: int

    def told(self) -> dict[str, int]:
        """By part, for traces and people."""
        return asdict(self)


def plan(window: Window, *, system: int, query: int, history: int, has_earlier: bool) -> TokenPlan:
    """Split a window: the longest answer, instructions and question are fixed; passages get what the conversation leaves.

    `system`, `query` and `history` are what these parts need, in tokens. Raises TooLarge where nothing is left.
    """
    free = window.context - window.answer
    usable = int(free / MARGIN)
    rest = usable - system - query
    if rest <= 0:
        raise TooLarge(
            f"The model's window leaves no room for a passage beside a question of {query:,} tokens. "
            "Ask it shorter, or raise `context_tokens` in its [[models]] table."
        )
    earlier = min(_MOST_EARLIER, int(rest * _EARLIER_SHARE)) if has_earlier else 0
    kept = min(history, int(rest * _HISTORY_SHARE))
    return TokenPlan(
        window=window.context,
        answer=window.answer,
        margin=free - usable,
        system=system,
        query=query,
        passages=rest - kept - earlier,
        history=kept,
        earlier=earlier,
    )


def newest(history: Sequence[Message], *, room: int, tokens: TokenCounter) -> tuple[Message, ...]:
    """The last messages that fit into `room` tokens, oldest first; none is cut."""
    window: list[Message] = []
    for message in reversed(history):
        room -= tokens.count(message.content)
        if room < 0:
            break
        window.insert(0, message)
    return tuple(window)
