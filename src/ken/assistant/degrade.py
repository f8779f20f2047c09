"""What is answered when no model can: by policy, and always with a notice that says so."""

from __future__ import annotations

from dataclasses import replace

from ken.assistant.turn import Turn
from ken.domain.deadline import Deadline
from ken.errors import DeadlineExceeded, KenError, ModelError, Overloaded

FAILURES = (ModelError, Overloaded, DeadlineExceeded)
"""What a lesser answer may stand in for; a budget that is used up, and a fault of the request, are told as they are."""

_GRACE_S = 5.0
"""What a lesser answer may take where the time of the question is up: it needs no model behind a wire."""


def break_off(turn: Turn, error: KenError) -> None:
    """Keep what was shown of an answer that its model did not end; set a notice."""
    turn.is_degraded = True
    turn.notices.append(f"The answer breaks off here. {error}")


def fall_back_to_reader(turn: Turn, error: KenError) -> None:
    """Have the passages quoted instead; set `deadline` and a notice."""
    turn.is_degraded = True
    turn.deadline = _later(turn.deadline)
    turn.notices.append(f"No model could answer, so this quotes the documents. {error}")


def _later(deadline: Deadline) -> Deadline:
    grace = Deadline.after(_GRACE_S)
    return replace(deadline, at=max(deadline.at, grace.at))
