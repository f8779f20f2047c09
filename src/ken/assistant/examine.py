"""Examine: the heuristics look at an answer that has been shown. What they find is counted and told; nothing is taken back."""

from __future__ import annotations

from ken.assistant.turn import Turn
from ken.checks.heuristics.answered import Answered, Given
from ken.checks.heuristics.examine import Examiner
from ken.domain.document import Evidence
from ken.domain.events import Notice

FAILED = "failed a check"
"""How a flaw begins that a heuristic found."""


def examine(turn: Turn, examiner: Examiner) -> list[Notice]:
    """Read the whole turn; set `checked`, `failed_checks`, `flaws` and `notices`. Returns the notices that are new.

    An answer with a fault is not given again. Whoever asked is told where there is something to do about it.
    """
    found = examiner.examine(
        Answered(
            text=turn.reply,
            outcome=turn.outcome or "answered",
            task_type=turn.task,
            question=turn.text,
            standalone=turn.standalone,
            citations=tuple(turn.citations),
            # What was searched for a question that ends in an answer from the cache is not what that answer rests on.
            passages=() if turn.cached else tuple(_given(item) for item in turn.evidence),
        )
    )
    turn.checked, turn.failed_checks = found.told.checked, found.told.failed
    turn.flaws += [f"{FAILED}: {fault.rule}" for fault in found.faults]
    new = [f"Check this answer: it {fault.detail}." for fault in found.faults if fault.is_told]
    turn.notices += new
    return [Notice("check", text) for text in new]


def _given(item: Evidence) -> Given:
    passage, document = item.passage, item.document
    about = (document.title, *passage.heading_path, document.owner, document.effective, document.review_by)
    return Given(
        id=passage.id,
        start=passage.start,
        end=passage.end,
        text=passage.shown,
        about=" ".join(part for part in about if part),
    )
