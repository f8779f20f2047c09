"""Takes off the record what has been kept for as long as it should be: a job's work, and an operator's."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio
import anyio.to_thread

from ken.storage.forgetting import Forgetting, Step
from ken.storage.ledger import Ledger
from ken.storage.record_state import RecordState
from ken.telemetry.capture import HOUR_S, CaptureRules

_PAUSE_S = 0.02
"""Between two steps, so that questions get their turn."""
_JUMP_S = HOUR_S
"""A wall clock that moved so much further than time did was set forward."""
_SETTLES_S = 24 * HOUR_S
"""After that, nothing is deleted for so long: somebody may set it back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """What a run took away."""

    thinned: int = 0
    """Traces whose texts went and whose figures stay."""
    deleted: int = 0
    """Traces that went whole."""
    calls: int = 0
    """Single calls of the ledger."""
    held: bool = False
    """Nothing was done, as the clock had been set forward."""


class Retention:
    """Thins the record, in steps of some hundredths of a second each."""

    def __init__(
        self,
        forgetting: Forgetting,
        ledger: Ledger,
        *,
        state: RecordState,
        rules: CaptureRules | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._forgetting = forgetting
        self._ledger = ledger
        self._state = state
        self._rules = CaptureRules() if rules is None else rules
        self._clock = clock
        self._monotonic = monotonic
        self._seen = clock(), monotonic()
        self._held_until = 0.0

    async def thin(self) -> Thinned:
        """Take away whatever is due. Raises StorageError; the next run goes on where this one ended."""
        now = self._clock()
        if self._is_held():
            return Thinned(held=True)
        step = await steps(lambda: self._forgetting.thin(now))
        calls = await anyio.to_thread.run_sync(self._old_calls)
        await anyio.to_thread.run_sync(self._state.note_thinned, now)
        return replace(step, calls=calls)

    def _old_calls(self) -> int:
        return self._ledger.delete_older_than(self._rules.keep_money_s, keep_sums=True)

    def _is_held(self) -> bool:
        """Whether the wall clock has lately gone forward by more than time did: by such a clock everything would be too old."""
        wall, steady = self._clock(), self._monotonic()
        jumped = (wall - self._seen[0]) - (steady - self._seen[1])
        self._seen = wall, steady
        if jumped > _JUMP_S:
            self._held_until = steady + _SETTLES_S
            _log.warning(
                "The clock went forward by %.1f hours at once: nothing is deleted from the record for a day.",
                jumped / HOUR_S,
            )
        elif jumped < -_JUMP_S:  # it was set back
            self._held_until = 0.0
        return steady < self._held_until


async def steps(step: Callable[[], Step]) -> Thinned:
    """Do one step after the other until nothing is left, with pauses, off the event loop."""
    thinned = deleted = 0
    while True:
        done = await anyio.to_thread.run_sync(step)
        thinned, deleted = thinned + done.thinned, deleted + done.deleted
        if not done.more:
            return Thinned(thinned=thinned, deleted=deleted)
        await anyio.sleep(_PAUSE_S)
