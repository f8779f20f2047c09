"""Fallback: where a model fails, the next one of its tier goes on, before and after the first words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from ken.gateway.vitals import Vitals
from ken.models.chat import ChatDelta, ChatRequest
from ken.models.protocols import ChatModel


class Fallback:
    """A ChatModel that is an ordered chain of them: a tier."""

    def __init__(self, name: str, chain: Sequence[ChatModel], *, vitals: Vitals, least_s: float = 1.0) -> None:
        self._name = name
        self._chain = tuple(chain)
        self._vitals = vitals
        self._least_s = least_s

    @property
    def name(self) -> str:
        """The tier's."""
        return self._name
