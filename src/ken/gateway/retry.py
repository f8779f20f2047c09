"""Retry: what failed in passing is asked again, a little later, while nothing of an answer has gone out.

The wait is exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): anything
between 0 and a bound that doubles. A provider that says how long to wait (Retry-After) is heard.
"""

from __future__ import annotations

import asyncio
import logging
import random as randomness
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic

from ken.domain.trace import Scalar
from ken.errors import KenError
from ken.gateway.failures import in_words, is_transient, retry_after_s
from ken.gateway.seam import D, Dependency, R
from ken.gateway.vitals import Vital

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """How often and how soon. Times in seconds."""

    retries: int = 2
    """After the first attempt; 2 make 3 attempts."""
    backoff_s: float = 0.5
    """The bound of the first wait; each next bound is twice as long."""
    longest_s: float = 8.0
    """No bound is longer."""
    longest_asked_s: float = 20.0
    """A provider that asks to wait longer than this is not waited for."""
    least_s: float = 0.5
    """Time that has to be left to the next attempt itself."""


class Retry(Generic[R, D]):
    """A Dependency that is asked again when it failed in passing."""

    def __init__(
        self,
        inner: Dependency[R, D],
        *,
        rules: RetryRules,
        vital: Vital,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._inner = inner
        self._rules = rules
        self._vital = vital
        self._random = random

    @property
    def name(self) -> str:
        """The inner one's."""
        return self._inner.name

    async def stream(self, request: R) -> AsyncGenerator[D]:
        """Yield what an attempt of the inner one does. Raises what the last attempt raised.

        What comes before the first delta that carries something goes out together with that one: of a failed attempt nothing does.
        """
        number, reason, wait = 1, "", 0.0
        while True:
            carried = False
            attributes: dict[str, Scalar] = {"model": self.name, "number": number, "reason": reason}
            try:
                with request.context.tracer.span("attempt", **attributes, wait_ms=round(wait * 1000)) as span:
                    try:
                        async with aclosing(_whole(self._inner.stream(request))) as groups:
                            async for group in groups:
                                for delta in group:
                                    carried = carried or delta.carries
                                    yield delta
                    except GeneratorExit:  # the caller has enough: nothing failed
                        span.set("closed", value=True)
                        return
                    except KenError as error:
                        span.set("failure", in_words(error))
                        raise
            except KenError as error:
                if carried or number > self._rules.retries or not is_transient(error):
                    raise
                wait = self._wait(number, error)
                if wait is None or wait + self._rules.least_s > request.deadline.remaining:
                    raise
                number, reason = number + 1, in_words(error)
            else:
                return
            self._vital.retries[reason] += 1
            _log.info("%r failed (%s): attempt %d in %.2f s", self.name, reason, number, wait)
            await asyncio.sleep(wait)

    def _wait(self, failed: int, error: KenError) -> float | None:
        """Seconds until the next attempt after so many failed ones; None where the provider asks for too many."""
        bound = min(self._rules.longest_s, self._rules.backoff_s * 2 ** (failed - 1))
        asked = retry_after_s(error)
        if asked is None:
            return bound * self._random()
        # A little apart, so that all who were told the same don't come back at the same moment.
        return None if asked > self._rules.longest_asked_s else asked + self._rules.backoff_s * self._random()


async def _whole(deltas: AsyncGenerator[D]) -> AsyncGenerator[list[D]]:
    """The deltas, those before the first that carries something together with it."""
    held: list[D] = []
    has_begun = False
    async with aclosing(deltas):
        async for delta in deltas:
            held.append(delta)
            has_begun = has_begun or delta.carries
            if has_begun:
                yield held
                held = []
    yield held
