"""Route: which model answers, and why. One tier so far: the model asked for, else the default."""

from __future__ import annotations

from collections.abc import Mapping

from ken.assistant.turn import Turn
from ken.errors import NotFound
from ken.models.protocols import ChatModel

DEFAULT = "ken"
"""The model name that leaves the choice to the route."""


def choose(name: str | None, models: Mapping[str, ChatModel], *, default: str) -> str:
    """The model that a request for `name` goes to. Raises NotFound, naming the ones there are."""
    wanted = default if name in {None, DEFAULT} else name
    if wanted not in models:
        raise NotFound(
            f"There is no model {wanted!r}. There are: {', '.join(repr(known) for known in (DEFAULT, *models))}."
        )
    return wanted or default


def route(turn: Turn, models: Mapping[str, ChatModel], *, default: str) -> str:
    """Read the question's `model`; set `model`."""
    name = choose(turn.question.model, models, default=default)
    turn.model = models[name]
    reason = "the default" if turn.question.model in {None, DEFAULT} else "asked for"
    return f"{name}: {reason}"
