"""Tokens and money, in integers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, or summed over several, counted as OpenTelemetry's GenAI conventions do."""

    input_tokens: int = 0
    """All of the prompt, what the provider had in its own cache included."""
    output_tokens: int = 0
    """All that was written, thoughts included."""
    estimated: bool = False
    """True where the provider did not say and Ken counted."""
    cache_read_tokens: int = 0
    """Of the input: read from the provider's prompt cache, at a lower price."""
    cache_write_tokens: int = 0
    """Of the input: put into the provider's prompt cache, at a higher price."""
    reasoning_tokens: int = 0
    """Of the output: thoughts."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.estimated or other.estimated,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )
