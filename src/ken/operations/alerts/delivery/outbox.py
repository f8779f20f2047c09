"""Sends what is due: each destination on its own, so that one that hangs holds no other up."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping

import anyio.to_thread

from ken.domain.alert import Notice
from ken.errors import DeliveryFailed, KenError
from ken.operations.alerts.delivery.channel import Channel
from ken.storage.alerts import AlertBook

ATTEMPTS = 8
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 1800.0

_DICE = random.Random()  # noqa: S311 - spreads tries, no secret
_log = logging.getLogger("ken.alerts")


class Outbox:
    """The messages of an AlertBook on their way out."""

    def __init__(
        self,
        book: AlertBook,
        channels: Mapping[str, Channel],
        *,
        clock: Callable[[], float] = time.time,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._book = book
        self._channels = channels
        self._clock = clock
        self._first_pause_s = first_pause_s
        self._under_way: set[asyncio.Task[None]] = set()

    async def send(self) -> None:
        """Begin to send what is due; returns without waiting for anybody's answer."""
        for notice in await anyio.to_thread.run_sync(self._book.claim, self._clock()):
            task = asyncio.create_task(self._send(notice), name=f"alert to {notice.destination}")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def wait(self) -> None:
        """Until everything that is under way has arrived or failed."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def aclose(self) -> None:
        """Let go: what has not arrived is sent at the next start."""
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for channel in self._channels.values():
            await channel.aclose()

    async def _send(self, notice: Notice) -> None:
        channel = self._channels.get(notice.destination)
        if channel is None:
            gone = DeliveryFailed(f"There is no destination {notice.destination!r} any more.", is_final=True)
            await self._failed(notice, gone)
            return
        try:
            await channel.send(notice)
        except DeliveryFailed as error:
            await self._failed(notice, error)
        except KenError as error:
            await self._failed(notice, DeliveryFailed(str(error)))
        else:
            await anyio.to_thread.run_sync(self._book.sent, notice.id)

    async def _failed(self, notice: Notice, error: DeliveryFailed) -> None:
        due_at = None
        if not error.is_final and notice.attempts < ATTEMPTS:
            pause = min(LONGEST_PAUSE_S, self._first_pause_s * 2 ** (notice.attempts - 1))
            due_at = self._clock() + pause * _DICE.uniform(0.75, 1.25)
        _log.warning(
            "message %s (%s) did not arrive: %s %s",
            notice.id[:8],
            notice.group,
            error,
            "It is tried again." if due_at else "It is given up.",
        )

        def keep() -> None:
            self._book.failed(notice.id, problem=str(error), due_at=due_at)

        await anyio.to_thread.run_sync(keep)
