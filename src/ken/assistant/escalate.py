"""Escalate: whether what a lighter tier wrote, and nobody has seen, is to be asked of the strongest one instead.

What was shown is never taken back, so that only an answer of which nothing could be shown goes on; and it goes once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ken.assistant.generate import Written
from ken.assistant.turn import Turn
from ken.assistant.verify import Verifier
from ken.gateway.route import Routes, Tier, stronger

# How models say that they don't know, in other words than they were told to.
_KNOWS_NOT = re.compile(
    r"\b(?:(?:do|does|did|is|are|was|were|can|could) ?n[o'’]t|cannot|no|unable|not|nothing|nowhere|neither)\b.{0,60}"
    r"\b(?:mention\w*|contain\w*|specif\w+|provid\w+|state[sd]?|includ\w+|cover\w*|address\w*|information|find|found|answer\w*"
    r"|know|documents?|passages?|context|sources?|details?)\b|\bnot in the documents\b|\bi(?:['’]m| am) (?:sorry|afraid)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Escalation:
    """Where an answer that couldn't be shown goes."""

    why: str
    """What was wrong with it, in words."""
    to: Tier | None
    """None: it stays as it is, as `refused` says."""
    refused: str = ""

    @property
    def told(self) -> str:
        """For the reader."""
        after = (
            f"and a stronger model was not asked instead: {self.refused}"
            if self.refused
            else "so a stronger model was asked instead"
        )
        return f"The first answer could not be shown ({self.why}), {after}."


def escalate(
    turn: Turn, verifier: Verifier, *, written: Written, routes: Routes, is_down: Callable[[str], bool]
) -> Escalation | None:
    """None where the answer stands, or where the tier was asked for by name."""
    why = None if _is_settled(turn, routes) else doubt(turn, verifier, written=written, above=routes.escalate_above)
    to = _stronger(turn, routes, is_down=is_down)
    if why is None or to is None:
        return None
    if turn.standing.is_short and not written.failure:
        return Escalation(why, None, "the budget is short")
    return Escalation(why, to)


def may_go_up(turn: Turn, routes: Routes, *, is_down: Callable[[str], bool]) -> bool:
    """Whether a stronger tier can stand in for one whose models have failed before anything was shown."""
    return not _is_settled(turn, routes) and _stronger(turn, routes, is_down=is_down) is not None


def _is_settled(turn: Turn, routes: Routes) -> bool:
    return turn.decision is None or bool(turn.escalated or turn.reply) or turn.is_degraded or not routes.escalates


def _stronger(turn: Turn, routes: Routes, *, is_down: Callable[[str], bool]) -> Tier | None:
    return None if turn.decision is None else stronger(routes, turn.decision.tier, is_down=is_down)


def doubt(turn: Turn, verifier: Verifier, *, written: Written, above: float) -> str | None:
    """Why an answer of which nothing was shown is not believed; None where it is: an abstention that the search shares."""
    if written.failure:
        return f"it failed: {written.failure.rstrip('.')}"
    spoken = [sentence for sentence in verifier.dropped if not _KNOWS_NOT.search(sentence)]
    if spoken:
        sentences = "its sentence is" if len(spoken) == 1 else f"none of its {len(spoken)} sentences is"
        return f"{sentences} {'not ' if len(spoken) == 1 else ''}supported by a passage"
    if written.finish_reason == "content_filter":
        return "its provider withheld the answer"
    if written.finish_reason == "length":
        return "its answer was cut before the end of the first sentence"
    abstained = bool(verifier.abstained or verifier.dropped or written.finish_reason == "abstain")
    if turn.answerable < above:
        return None
    said = "it found no answer" if abstained else "it wrote nothing that can be shown"
    return f"{said}, and the search is confident ({turn.answerable:.2f}) that the passages hold one"
