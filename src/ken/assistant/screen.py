"""Screen: the input guard."""

from __future__ import annotations

from ken.assistant.turn import Turn
from ken.guard.question import screen as screen_question


def screen(turn: Turn) -> str:
    """Read `text`; set `outcome` and `reply` where the question is not taken."""
    refusal = screen_question(turn.text)
    if refusal is None:
        return "passed"
    turn.outcome = "refused"
    turn.reply = refusal.message
    return f"refused: {refusal.rule}"
