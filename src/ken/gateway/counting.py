"""How many tokens a model makes of a text, for where its provider doesn't say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Count = Callable[[str], int]
"""Text -> tokens, without special ones."""

MESSAGE_TOKENS = 4
"""What a chat template puts around a message: who speaks, and where it begins and ends."""
REPLY_TOKENS = 3
"""What it puts behind the last one, for the model to go on from."""
MESSAGE_TOKENS_OF_EMBEDDERS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How one model's tokens are counted."""

    count: Count
    message_tokens: int = MESSAGE_TOKENS
    reply_tokens: int = REPLY_TOKENS

    @classmethod
    def plain(cls, count: Count) -> Counting:
        """For models whose texts have no template around them: embedders and rerankers."""
        return cls(count=count, message_tokens=0, reply_tokens=0)

    def asked(self, texts: Sequence[str]) -> int:
        """Tokens of a prompt."""
        return sum(map(self.count, texts)) + self.message_tokens * len(texts) + self.reply_tokens

    def written(self, text: str) -> int:
        """Tokens of an answer."""
        return self.count(text) if text else 0


def estimate(text: str) -> int:
    """Tokens that the usual byte-pair vocabularies make of a text, by its length."""
    return -(-len(text) // 4)
