"""Answers that somebody found helpful, as ways to the passages that they cite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A question whose answer was confirmed. Its words are compared with, and never shown."""

    question: str
    scope: str
    """What its asker may read today (`Principal.scope`)."""
    quotes: tuple[tuple[str, str], ...]
    """The ids of the cited documents, each with a quote, in the order of the answer."""
