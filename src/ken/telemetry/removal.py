"""Deletes from the record by person, by document or by age, as an operator orders it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio.to_thread

from ken.errors import InvalidInput
from ken.storage.answers import CachedAnswers
from ken.storage.erasure import Erasure
from ken.storage.forgetting import Forgetting
from ken.storage.ledger import Ledger
from ken.storage.record_overview import RecordOverview
from ken.telemetry.capture import DAY_S
from ken.telemetry.retention import steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is to be deleted: one of these. Raises InvalidInput where it is none or several."""

    principal: str | None = None
    """All of somebody's traces, conversations, words on answers, single calls, and the kept answers to their questions."""
    document: str | None = None
    """The answers that name a document, and the prompts that quote it; the document itself stays."""
    older_than_days: float | None = None
    """All traces that began before, whatever they are kept for."""

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.principal, self.document, self.older_than_days)) != 1:
            raise InvalidInput("Say what to delete: by principal, by document, or what is older than so many days.")
        if self.older_than_days is not None and self.older_than_days < 0:
            raise InvalidInput(f"{self.older_than_days:g} days is no age. Give 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a deletion took away."""

    traces: int
    """Traces that went, or, by document, whose answer went."""
    calls: int = 0
    answers: int = 0
    """Of the answer cache."""
    conversations: int = 0
    reactions: int = 0
    """What somebody said of answers."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was there."""
        return not (self.traces or self.calls or self.answers or self.conversations or self.reactions)


class Removal:
    """Counts and deletes. What is left of it on the disk is overwritten in the course of time, or at once by `Database.scrub`."""

    def __init__(
        self,
        forgetting: Forgetting,
        overview: RecordOverview,
        *,
        ledger: Ledger,
        erasure: Erasure,
        answers: CachedAnswers,
        drop: Callable[[Sequence[int]], int],
    ) -> None:
        self._forgetting = forgetting
        self._overview = overview
        self._ledger = ledger
        self._erasure = erasure
        self._answers = answers
        self._drop = drop

    def count(self, chosen: Chosen) -> int:
        """How many traces a deletion would touch. Raises StorageError."""
        if chosen.principal is not None:
            return self._overview.of_principal(chosen.principal)
        if chosen.document is not None:
            return self._overview.of_document(chosen.document)
        return self._overview.older_than(_horizon(chosen))

    async def delete(self, chosen: Chosen) -> Removed:
        """Delete in steps, so that questions go on. Raises StorageError; what was deleted by then stays deleted."""
        if chosen.principal is not None:
            return await self._of_principal(chosen.principal)
        if chosen.document is not None:
            return Removed(traces=await anyio.to_thread.run_sync(self._of_document, chosen.document))
        horizon = _horizon(chosen)
        done = await steps(lambda: self._forgetting.older_than(horizon))
        return Removed(traces=done.deleted)

    async def _of_principal(self, principal: str) -> Removed:
        conversations, reactions = await anyio.to_thread.run_sync(self._overview.talks_of_principal, principal)
        answers = await anyio.to_thread.run_sync(lambda: self._drop(self._answers.asked_by(principal)))
        done = await steps(partial(self._forgetting.of_principal, principal))
        calls = await anyio.to_thread.run_sync(self._ledger.delete_of_principal, principal)
        return Removed(
            traces=done.deleted, calls=calls, answers=answers, conversations=conversations, reactions=reactions
        )

    def _of_document(self, document: str) -> int:
        touched = self._overview.of_document(document)
        self._erasure.withdraw([document])
        self._erasure.clear_log()
        return touched


def _horizon(chosen: Chosen) -> float:
    return time.time() - (chosen.older_than_days or 0.0) * DAY_S
