"""Tokens and money, in integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, or summed over several."""

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    """True where the provider did not say and Ken counted."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.estimated or other.estimated,
        )
