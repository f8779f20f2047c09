"""What is said of an answer after it was given: people's words, and judges' scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ken.domain.trace import Feedback, Reaction
from ken.storage.feedback import FeedbackBook
from ken.storage.record import Record
from ken.telemetry.capture import POOR
from ken.telemetry.events import EventLog
from ken.telemetry.recorder import Recorder
from ken.telemetry.redacting import Redactor


class Reactions:
    """Notes it at the trace, has all of a trace kept with which something turned out to be wrong, and corrects what was counted.

    For any thread. The trace has to be on record: flush the recorder first.
    """

    def __init__(
        self, record: Record, feedback: FeedbackBook, *, recorder: Recorder, redactor: Redactor, events: EventLog
    ) -> None:
        self._record = record
        self._feedback = feedback
        self._recorder = recorder
        self._redactor = redactor
        self._events = events

    def said(self, given: Feedback) -> None:
        """Keep what a person said, in the place of what they said before. Raises NotFound, StorageError."""
        self._feedback.put(replace(given, reason=self._redactor.text(given.reason)))
        # Read under the lock of the change: of two people at once, neither's word is lost.
        self._change(given.trace_id, lambda said: replace(said, helpful=self._feedback.helpful(given.trace_id)))
        self._events.emit("feedback", trace_id=given.trace_id, helpful=given.helpful)

    def scored(self, trace_id: str, *, quality: float | None = None, groundedness: float | None = None) -> None:
        """Note a judge's scores, 1 to 5; None leaves one as it is. Raises StorageError."""
        self._change(
            trace_id,
            lambda said: replace(
                said,
                quality=said.quality if quality is None else quality,
                groundedness=said.groundedness if groundedness is None else groundedness,
            ),
        )
        self._events.emit("judged", trace_id=trace_id, quality=quality, groundedness=groundedness)

    def _change(self, trace_id: str, change: Callable[[Reaction], Reaction]) -> None:
        reacted = self._record.react(trace_id, change)
        if reacted is None:
            return
        for reason in _wrong(reacted.after.reaction):
            self._record.promote(trace_id, reason)
        self._recorder.recount(reacted.before, reacted.after, success=(reacted.was, reacted.now))


def _wrong(said: Reaction) -> list[str]:
    scores = [score for score in (said.quality, said.groundedness) if score is not None]
    return [
        *(["thumbs_down"] if said.helpful is False else []),
        *(["poor"] if any(each <= POOR for each in scores) else []),
    ]
