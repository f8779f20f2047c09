"""Where answers lie that several replicas share: in Redis, each for as long as it may be given."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ken.errors import InvalidSetting, StorageError

if TYPE_CHECKING:
    from redis import Redis

_log = logging.getLogger(__name__)
_PATIENCE_S = 5.0
"""After a failure Redis is left alone for so long: nobody waits for its time-out at every question."""
_ANSWER_S = 0.3
"""Redis is away when it hasn't answered by then."""
_AT_ONCE = 500


class Shelf(Protocol):
    """Keeps texts by the numbers of their answers. All raise StorageError while it can't be reached."""

    def put(self, answer: int, text: str, *, ttl_s: float) -> None:
        """Keep a text, for so long."""
        ...

    def get(self, answer: int) -> str | None:
        """The text; None where it is gone."""
        ...

    def drop(self, answers: Collection[int]) -> None:
        """Delete texts for good."""
        ...

    def known(self) -> frozenset[int]:
        """The answers whose texts are there."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class RedisShelf:
    """A Shelf in a Redis; `home` tells the answers of one home from those of another in the same Redis.

    That it is away, and that it is back, is said once each in the log.
    """

    def __init__(self, redis: Redis, *, home: str, patience_s: float = _PATIENCE_S) -> None:
        self._redis = redis
        self._patience_s = patience_s
        self._prefix = f"ken:answer:{home}:"
        self._away_until = 0.0
        self._is_away = False

    def put(self, answer: int, text: str, *, ttl_s: float) -> None:
        """As `Shelf.put`."""
        with self._reached():
            self._redis.set(self._key(answer), text.encode(), px=max(1, int(ttl_s * 1000)))

    def get(self, answer: int) -> str | None:
        """As `Shelf.get`."""
        with self._reached():
            found = self._redis.get(self._key(answer))
        return found.decode() if isinstance(found, bytes) else None

    def drop(self, answers: Collection[int]) -> None:
        """As `Shelf.drop`."""
        keys = [self._key(answer) for answer in answers]
        with self._reached():
            for start in range(0, len(keys), _AT_ONCE):
                self._redis.delete(*keys[start : start + _AT_ONCE])

    def known(self) -> frozenset[int]:
        """As `Shelf.known`."""
        with self._reached():
            found = self._redis.scan_iter(match=f"{self._prefix}*", count=_AT_ONCE)
            return frozenset(int(key.decode().removeprefix(self._prefix)) for key in found)

    def _key(self, answer: int) -> str:
        return f"{self._prefix}{answer}"

    @classmethod
    def at(cls, url: str, *, home: str, patience_s: float = _PATIENCE_S) -> RedisShelf:
        """One in the Redis at an address. Raises InvalidSetting where the library is missing, or the address is none."""
        try:
            from redis import Redis  # noqa: PLC0415 - an extra: only who names a Redis has it
            from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
            from redis.retry import Retry  # noqa: PLC0415 - as above
        except ImportError as error:
            raise InvalidSetting(
                "KEN_REDIS_URL is set, and the library for Redis is not installed. Install it: pip install 'ken[redis]'; or unset it."
            ) from error
        limits = {"socket_timeout": _ANSWER_S, "socket_connect_timeout": _ANSWER_S}
        try:
            return cls(Redis.from_url(url, retry=Retry(NoBackoff(), 0), **limits), home=home, patience_s=patience_s)
        except ValueError as error:
            raise InvalidSetting(
                "KEN_REDIS_URL is no address of a Redis. It looks like redis://:PASSWORD@HOST:6379/0, or rediss:// with TLS."
            ) from error

    def close(self) -> None:
        """Give back the connections."""
        self._redis.close()

    @contextmanager
    def _reached(self) -> Generator[None]:
        from redis import RedisError  # noqa: PLC0415 - an extra: only who names a Redis has it

        if time.monotonic() < self._away_until:
            raise StorageError("The cache's Redis is away.")
        try:
            yield
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + self._patience_s
            if not self._is_away:
                self._is_away = True
                _log.warning(
                    "Redis is away: questions are answered without the answer cache until it is back. %s", error
                )
            raise StorageError(f"The cache's Redis is away: {error}. Start it, or unset KEN_REDIS_URL.") from error
        if self._is_away:
            self._is_away = False
            _log.info("Redis is back, and the answer cache with it.")
