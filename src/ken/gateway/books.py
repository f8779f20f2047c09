"""The books: what a call may cost is reserved durably before it goes out, and made final after.

One thread writes. Reservations that wait while it commits go into the next transaction together, so that many calls share
one wait for the disk; settlements go with them, or on their own a moment later. A process that dies leaves reservations
behind: whoever starts next lets the reserved amount stand for their cost. No call goes out while the books can't be
written.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio.to_thread

from ken.domain.booking import Reservation, Settlement
from ken.domain.budget import Budget, Refusal
from ken.errors import InvalidInput, StorageError
from ken.gateway import liveness
from ken.gateway.budget import refused
from ken.storage.ledger import Entry, Ledger

BATCH = 256
"""Entries written in one transaction, at most."""
DELAY_S = 0.05
"""How long a settlement waits for a reservation to go with, at most."""
BEAT_S = 5.0
"""How often a process with calls under way says that it is alive."""
LEASE_S = 60.0
"""After so long without a word, a process of another machine counts as dead."""
_RETRY_S = 0.5
_CLOSED = "Ken is being stopped, so no new call of a model begins. Ask again when it is up."

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Asked:
    """A reservation that somebody waits for."""

    entry: Entry
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Refusal | None]


class Books:
    """The ledger as calls use it, from any number of event loops. `aclose` writes what still waits.

    `budgets` are those that a reservation has to fit into. Reservations of processes that died are ended at the start,
    and once a minute while calls are made.
    """

    def __init__(self, ledger: Ledger, *, budgets: Sequence[Budget] = ()) -> None:
        self.ledger = ledger
        self.budgets: tuple[Budget, ...] = tuple(budgets)
        self.instance: str = secrets.token_hex(8)
        self._changed = threading.Condition()
        self._asked: deque[_Asked] = deque()
        self._ended: deque[Entry] = deque()
        self._open: set[str] = set()
        """The calls of this process that are reserved on the disk and not settled; the thread's alone."""
        self._taken = self._done = 0
        self._hurried = self._closed = self._failing = False
        self._beaten = self._swept = 0.0
        self._thread = threading.Thread(target=self._run, name="ken-books", daemon=True)
        self._thread.start()

    async def reserve(self, reservation: Reservation) -> None:
        """Return when the reservation is on the disk. Whoever gets it has to settle it.

        Raises BudgetExceeded where a hard budget has no room for it, Unpriced where a hard budget of money can't hold as
        the price is unknown, and StorageError where it can't be written. One that is called off is settled at no cost.
        """
        loop = asyncio.get_running_loop()
        asked = _Asked(Entry(reservation), loop, loop.create_future())
        with self._changed:
            if self._closed:
                raise StorageError(_CLOSED)
            self._asked.append(asked)
            self._taken += 1
            self._changed.notify_all()
        try:
            refusal = await asked.answer
        except asyncio.CancelledError:
            self.settle(reservation, Settlement(outcome="abandoned", ended_at=time.time()))
            raise
        if refusal is not None:
            raise refused(refusal, reservation.model, currency=reservation.currency)

    def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        """Make a reservation final; returns at once. A second time changes nothing."""
        self._take(Entry(reservation, settlement))

    def note(self, reservation: Reservation, settlement: Settlement) -> None:
        """Write a call that needed no reservation, as it costs nothing; returns at once. No budget counts it."""
        self._take(Entry(reservation, settlement, is_reserved=False))

    async def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until what was given so far is written; False when time ran out or the database fails."""
        return await anyio.to_thread.run_sync(self._flushed, timeout_s)

    async def aclose(self) -> None:
        """Write what waits and end the thread. What a failing database doesn't take now is reconciled at the next start."""
        await anyio.to_thread.run_sync(self.close)

    def close(self) -> None:
        """As `aclose`, from a thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _take(self, entry: Entry) -> None:
        with self._changed:
            if self._closed and not self._thread.is_alive():
                _log.error("The call %s ended after the books were closed.", entry.reservation.call_id)
                return
            self._ended.append(entry)
            self._taken += 1
            if len(self._ended) == 1:
                self._changed.notify_all()

    def _flushed(self, timeout_s: float) -> bool:
        with self._changed:
            goal = self._taken
            self._hurried = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= goal or self._failing, timeout_s) and self._done >= goal

    # What follows runs in the thread.

    def _run(self) -> None:
        self._swept = time.monotonic()
        self._sweep()
        while (batch := self._next()) is not None:
            asked, ended = batch
            if asked or self._open:
                self._keep_alive()
            if asked or ended:
                self._write(asked, ended)
            if time.monotonic() - self._swept > LEASE_S:
                self._swept = time.monotonic()
                self._sweep()
        if self._beaten:
            self._try_to_leave()

    def _next(self) -> tuple[list[_Asked], list[Entry]] | None:
        """What is to be written now; nothing where only a beat is due, None once the books are closed and all is written."""
        with self._changed:
            beat = BEAT_S if self._open else None
            self._changed.wait_for(lambda: self._asked or self._ended or self._closed, beat)
            if self._ended and not self._asked:
                self._changed.wait_for(lambda: self._asked or self._hurried or self._closed, DELAY_S)
            waiting = [self._asked.popleft() for _ in range(min(BATCH, len(self._asked)))]
            # Called off before its turn came: nothing is held, and nothing has to be settled.
            asked = [each for each in waiting if not each.answer.cancelled()]
            self._done += len(waiting) - len(asked)
            ended = [self._ended.popleft() for _ in range(min(BATCH, len(self._ended)))]
            self._hurried = self._hurried and bool(self._asked or self._ended)
            return None if self._closed and not waiting and not ended else (asked, ended)

    def _keep_alive(self) -> None:
        """Say that this process is alive, before it has a reservation on the disk and then every few seconds."""
        if time.monotonic() - self._beaten < BEAT_S and self._beaten:
            return
        try:
            self.ledger.beat(self.instance, machine=liveness.machine(), process=liveness.process())
        except StorageError:
            return  # what is written next fails as well, and says so
        self._beaten = time.monotonic()

    def _try_to_leave(self) -> None:
        try:
            self.ledger.leave(self.instance)
        except StorageError as error:
            _log.warning("The books could not be signed off. %s", error)

    def _sweep(self) -> None:
        """End the reservations of processes that are gone."""
        try:
            dead = [
                instance
                for instance, seen in self.ledger.under_way().items()
                if instance != self.instance and not _is_alive(seen)
            ]
            count = self.ledger.reconcile(dead)
        except StorageError as error:
            _log.warning("Calls that a dead process left open could not be looked for. %s", error)
            return
        if count:
            _log.warning(
                "Calls under way when their process died: %d. What was reserved for them counts as spent.", count
            )

    def _write(self, asked: list[_Asked], ended: list[Entry]) -> None:
        due = self._due(ended, {each.entry.reservation.call_id for each in asked})
        entries = [*due, *(each.entry for each in asked)]
        try:
            refusals = self.ledger.write(entries, instance=self.instance, budgets=self.budgets)
        except StorageError as error:
            self._put_back(ended, error)
            self._answer([(each, StorageError(f"{_UNWRITTEN} {error}")) for each in asked])
            self._rest()
        except InvalidInput as error:
            self._write_singly(asked, ended, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours: whoever waits has to hear of it, and the books go on
            _log.exception("The books could not be written.")
            self._answer([(each, error) for each in asked])
            self._account(len(ended))
        else:
            answers = list(zip(asked, refusals[len(due) :], strict=True))
            self._open |= {each.entry.reservation.call_id for each, refusal in answers if refusal is None}
            self._open -= {entry.reservation.call_id for entry in due}
            self._account(len(ended))
            self._answer(answers)

    def _due(self, ended: list[Entry], asked: set[str]) -> list[Entry]:
        """Settlements of what is reserved or asked for; others are of calls that were refused, or settled before."""
        due: dict[str, Entry] = {}
        for entry in ended:
            call_id = entry.reservation.call_id
            if not entry.is_reserved or call_id in self._open or call_id in asked:
                due.setdefault(call_id, entry)
        return list(due.values())

    def _write_singly(self, asked: list[_Asked], ended: list[Entry], error: InvalidInput) -> None:
        """Find the entry that no database takes, and write the others."""
        if len(asked) + len(ended) == 1:
            self._answer([(each, error) for each in asked])
            for entry in ended:
                _log.error("The call %s can't be written. %s", entry.reservation.call_id, error)
            self._account(len(ended))
            return
        for entry in ended:
            self._write([], [entry])
        for each in asked:
            self._write([each], [])

    def _put_back(self, ended: list[Entry], error: StorageError) -> None:
        """Keep settlements for another attempt, in their order, unless this was the last one."""
        with self._changed:
            first, self._failing = not self._failing, True
            if self._closed:
                self._ended.clear()
            else:
                self._ended.extendleft(reversed(ended))
            self._changed.notify_all()
        if first:
            _log.error("The books can't be written, so no model is called. %s", error)

    def _rest(self) -> None:
        """Wait a moment, unless somebody asks: they are to hear at once whether it works again."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._asked, _RETRY_S)

    def _account(self, ended: int) -> None:
        with self._changed:
            self._done += ended
            recovered, self._failing = self._failing, False
            self._changed.notify_all()
        if recovered:
            _log.info("The books are being written again.")

    def _answer(self, answers: Sequence[tuple[_Asked, Refusal | BaseException | None]]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Asked, Refusal | BaseException | None]]] = defaultdict(
            list
        )
        for each, answer in answers:
            by_loop[each.loop].append((each, answer))
        with self._changed:
            self._done += len(answers)
            self._changed.notify_all()
        for loop, of_loop in by_loop.items():
            with suppress(RuntimeError):  # the loop is closed, and whoever waited there is gone
                loop.call_soon_threadsafe(_tell, of_loop)


_UNWRITTEN = "No model is called while what it costs can't be written down."


def _tell(answers: Sequence[tuple[_Asked, Refusal | BaseException | None]]) -> None:
    """Wake those who wait, in their event loop."""
    for asked, answer in answers:
        if asked.answer.done():
            continue
        if isinstance(answer, BaseException):
            asked.answer.set_exception(answer)
        else:
            asked.answer.set_result(answer)


def _is_alive(seen: tuple[str, str, float] | None) -> bool:
    """Whether a process that left reservations may still settle them: `(machine, process, when it was last seen)`."""
    if seen is None:
        return False
    machine, process, at = seen
    if machine == liveness.machine():
        return liveness.is_running(process)
    return time.time() - at < LEASE_S
