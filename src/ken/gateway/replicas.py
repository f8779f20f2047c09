"""What replicas of Ken share over Redis: open breakers, and what is under way at a provider.

Nothing waits for Redis but a call's turn at a shared limit, and that not for long. Where Redis is away each replica goes by what it
knows itself, says so once in the log, and joins again as soon as Redis is back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast
from uuid import uuid4

from ken.errors import InvalidSetting
from ken.gateway.breaker import Circuit
from ken.gateway.gate import Gate, LimitRules, LocalGate
from ken.gateway.vitals import BreakerChanged, BreakerState

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

T = TypeVar("T")

_log = logging.getLogger(__name__)

_ANSWER_S = 0.5
"""Redis is away when it hasn't answered by then."""
_AGAIN_S = 1.0
"""Seconds until it is looked for again."""
_QUIET_S = 10.0
"""A connection on which nothing came for so long is asked whether it still lives."""
_CONNECTIONS = 9
"""One of them listens."""
_IN_TURN_S = 5.0
"""The longest wait for one of them, seconds; many calls that end at once have much to say at once."""
_LEASE_S = 120.0
"""A call that is under way for longer no longer counts: its replica may have died."""

_TAKE = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local lease, tokens = ARGV[1], tonumber(ARGV[2])
local concurrency, requests, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if concurrency >= 0 and redis.call('ZCARD', KEYS[1]) >= concurrency then return -1 end
local past = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - 60000)
for _, each in ipairs(past) do
  redis.call('INCRBY', KEYS[4], -tonumber(redis.call('HGET', KEYS[3], each) or 0))
  redis.call('HDEL', KEYS[3], each)
  redis.call('ZREM', KEYS[2], each)
end
local wait = 0
local count = redis.call('ZCARD', KEYS[2])
if requests >= 0 and count >= requests then
  wait = redis.call('ZRANGE', KEYS[2], count - requests, count - requests, 'WITHSCORES')[2] + 60000 - now
end
if most >= 0 then
  local excess = tonumber(redis.call('GET', KEYS[4]) or 0) + tokens - most
  if excess > 0 and count > 0 then
    local used = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
    for at = 1, #used, 2 do
      if excess <= 0 then break end
      excess = excess - tonumber(redis.call('HGET', KEYS[3], used[at]) or 0)
      wait = math.max(wait, used[at + 1] + 60000 - now)
    end
  end
end
if wait > 0 then return math.ceil(wait) end
redis.call('ZADD', KEYS[1], now + ARGV[6], lease)
redis.call('PEXPIRE', KEYS[1], ARGV[6] * 2)
if requests >= 0 or most >= 0 then
  redis.call('ZADD', KEYS[2], now, lease)
  redis.call('HSET', KEYS[3], lease, tokens)
  redis.call('INCRBY', KEYS[4], tokens)
  for at = 2, 4 do redis.call('PEXPIRE', KEYS[at], 180000) end
end
return 0
"""
"""Places, the window's calls, their tokens, the tokens' sum -> 0 where there was room, else milliseconds; -1: no place."""

_GIVE_BACK = """
redis.call('ZREM', KEYS[1], ARGV[1])
local before, used = redis.call('HGET', KEYS[3], ARGV[1]), tonumber(ARGV[2])
if before and used < 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
  redis.call('INCRBY', KEYS[4], -before)
elseif before then
  redis.call('HSET', KEYS[3], ARGV[1], used)
  redis.call('INCRBY', KEYS[4], used - before)
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
"""The same keys; fewer than 0 tokens: the call never went out."""


class Replicas:
    """The Redis that several Kens share. For one event loop; `start` before use, `aclose` after it."""

    def __init__(self, url: str, *, prefix: str = "ken") -> None:
        """Raise InvalidSetting where the library is missing, or the address is none."""
        try:
            from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415 - the extra `redis`, which a single Ken does without
            from redis.asyncio.retry import Retry  # noqa: PLC0415 - as above
            from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
            from redis.exceptions import RedisError  # noqa: PLC0415 - as above
        except ImportError as error:
            raise InvalidSetting(
                "KEN_REDIS_URL is set, and the library for Redis is not installed. Install it: pip install 'ken[redis]'; or unset it."
            ) from error
        self.prefix = prefix
        self.errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=_IN_TURN_S,
                decode_responses=True,
                socket_timeout=_ANSWER_S,
                socket_connect_timeout=_ANSWER_S,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError as error:
            raise InvalidSetting(
                "KEN_REDIS_URL is no address of a Redis. It looks like redis://:PASSWORD@HOST:6379/0, or rediss:// with TLS."
            ) from error
        self._redis = Redis.from_pool(pool)
        self._origin = uuid4().hex
        self._channel = self.key("breakers")
        self.freed_channel = self.key("freed")
        self._circuits: dict[str, Circuit] = {}
        self._freed: dict[str, list[Callable[[], None]]] = {}
        self._outbox: asyncio.Queue[BreakerChanged] = asyncio.Queue()
        self._lasting: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self.is_away = False
        """Redis did not answer lately."""

    @property
    def redis(self) -> Redis:
        """The connection, for what else is kept there."""
        return self._redis

    def start(self) -> None:
        """Begin to listen and to tell."""
        loop = asyncio.get_running_loop()
        self._lasting = [loop.create_task(self._listen()), loop.create_task(self._tell())]

    async def aclose(self) -> None:
        """Say what is still to be said, and let go of Redis."""
        for task in self._lasting:
            task.cancel()
        await asyncio.gather(*self._lasting, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_IN_TURN_S)
        with suppress(*self.errors):
            await self._redis.aclose()

    def share(self, circuit: Circuit) -> None:
        """Tell the other replicas of this breaker's changes, and it of theirs."""
        self._circuits[circuit.name] = circuit
        circuit.listeners.append(self._changed)
        if self._lasting:
            self.run(self._catch_up((circuit,)))

    def gate(self, name: str, rules: LimitRules) -> Gate:
        """The Gate of a model whose limits all replicas together keep."""
        return _SharedGate(self, name, rules=rules)

    def _changed(self, change: BreakerChanged) -> None:
        if change.new != "half-open" and not change.is_told:
            self._outbox.put_nowait(change)

    async def _tell(self) -> None:
        """Pass on what this replica's breakers did, one after the other."""
        while True:
            change = await self._outbox.get()
            with suppress(*self.errors):
                await self._told(change.dependency, change.new, reason=change.reason)

    async def _told(self, name: str, state: BreakerState, *, reason: str) -> None:
        wait = self._circuits[name].probes_in_s if state == "open" else 0.0
        word = json.dumps({"origin": self._origin, "name": name, "state": state, "probes_in_s": wait, "reason": reason})
        async with self._redis.pipeline(transaction=True) as both:
            if wait > 0:
                both.set(self.key("breaker", name), word, px=max(1, int(wait * 1000)))
            else:
                both.delete(self.key("breaker", name))
            both.publish(self._channel, word)
            await both.execute()

    async def _listen(self) -> None:
        """Hear what other replicas tell, for as long as Redis is there, and look for it again where it isn't."""
        while True:
            try:
                async with self._redis.pubsub() as heard:
                    await heard.subscribe(self._channel, self.freed_channel)
                    await self._catch_up(tuple(self._circuits.values()))
                    self.note_back()
                    await self._hear(heard)
            except self.errors as error:
                self.note_away(error)
                await asyncio.sleep(_AGAIN_S)

    async def _catch_up(self, circuits: Sequence[Circuit]) -> None:
        """What was told while this replica wasn't there, and what it could not tell meanwhile."""
        with suppress(*self.errors):
            for circuit in circuits:
                key = self.key("breaker", circuit.name)
                word = await self._redis.get(key)
                if word is not None:
                    self._heard(cast("str", word), left_s=await self._redis.pttl(key) / 1000)
                elif circuit.state == "open":
                    await self._told(circuit.name, "open", reason="it was opened while Redis was away")

    async def _hear(self, heard: PubSub) -> None:
        is_asked = False
        while True:
            message = cast("dict[str, str] | None", await heard.get_message(timeout=_QUIET_S))
            if message is None:
                if is_asked:
                    raise TimeoutError
                await heard.ping()
            elif message["type"] == "message" and message["channel"] == self._channel:
                self._heard(message["data"])
            elif message["type"] == "message":
                for do in self._freed.get(message["data"], ()):
                    do()
            is_asked = message is None

    def _heard(self, word: str, *, left_s: float | None = None) -> None:
        try:
            told = cast("dict[str, str | float]", json.loads(word))
            circuit = self._circuits.get(str(told["name"]))
            if circuit is not None and told["origin"] != self._origin:
                state = cast("BreakerState", told["state"])
                wait = float(told["probes_in_s"]) if left_s is None else left_s
                circuit.told(state, probes_in_s=wait, reason=f"another replica says: {told['reason']}")
        except (ValueError, LookupError, TypeError):
            _log.warning("what was told over Redis about a breaker can't be read, and is left alone: %.200r", word)

    def note_away(self, error: BaseException) -> None:
        """Redis did not answer: say so, once."""
        if not self.is_away:
            self.is_away = True
            words = str(error) or type(error).__name__
            _log.warning(
                "Redis can't be reached (%s): breakers and limits go by this process alone until it is back", words
            )

    def note_back(self) -> None:
        """Redis answers again."""
        if self.is_away:
            self.is_away = False
            _log.info("Redis is back: breakers and limits are shared again")

    def run(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Do it in the background, whatever becomes of whoever wants it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(cast("asyncio.Task[object]", task))
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be told to Redis."""
        return bool(self._tasks)

    def when_freed(self, name: str, do: Callable[[], None]) -> None:
        """Call `do` when another replica's call of that model has ended."""
        self._freed.setdefault(name, []).append(do)

    def key(self, *parts: str) -> str:
        """The name of a key."""
        return ":".join((self.prefix, *parts))


class _SharedGate:
    """A Gate that all replicas go through; where Redis is away, this process's own."""

    def __init__(self, replicas: Replicas, name: str, *, rules: LimitRules) -> None:
        self._replicas = replicas
        self._name = name
        self._rules = rules
        self._local = LocalGate(rules)
        self._shared: set[str] = set()
        """Leases that Redis gave."""
        # The braces keep them on one node of a cluster.
        self._keys = [replicas.key("limit", f"{{{name}}}", part) for part in ("open", "calls", "tokens", "sum")]
        self._take_script = replicas.redis.register_script(_TAKE)
        self._give_script = replicas.redis.register_script(_GIVE_BACK)

    async def take(self, lease: str, *, tokens: int) -> float:
        """As the protocol says."""
        if self._rules.max_concurrency is None and not self._rules.has_rate:
            return 0.0
        if not self._replicas.is_away:
            # By itself: one that is given up in the middle may have been let through, and has to be given back.
            asking = self._replicas.run(self._ask(lease, tokens))
            try:
                wait = await asyncio.shield(asking)
            except asyncio.CancelledError:
                asking.add_done_callback(lambda _: self._replicas.run(self._give(lease, None)))
                raise
            if wait is not None:
                return wait
        return await self._local.take(lease, tokens=tokens)

    def give_back(self, lease: str, *, tokens: int | None) -> None:
        """As the protocol says."""
        if lease in self._shared:
            self._shared.discard(lease)
            self._replicas.run(self._give(lease, tokens))
        else:
            self._local.give_back(lease, tokens=tokens)

    def when_freed(self, do: Callable[[], None]) -> None:
        """As the protocol says."""
        self._replicas.when_freed(self._name, do)

    async def _ask(self, lease: str, tokens: int) -> float | None:
        """What Redis says; None: nothing."""
        limits = (self._rules.max_concurrency, self._rules.requests_per_minute, self._rules.tokens_per_minute)
        told = [-1 if limit is None else limit for limit in limits]
        try:
            answer = cast(
                "int", await self._take_script(keys=self._keys, args=[lease, tokens, *told, int(_LEASE_S * 1000)])
            )
        except self._replicas.errors as error:
            self._replicas.note_away(error)
            self._replicas.run(self._give(lease, None))
            return None
        if answer == 0:
            self._shared.add(lease)
        return math.inf if answer < 0 else answer / 1000

    async def _give(self, lease: str, tokens: int | None) -> None:
        self._shared.discard(lease)
        used = -1 if tokens is None else tokens
        with suppress(*self._replicas.errors):
            await self._give_script(keys=self._keys, args=[lease, used, self._replicas.freed_channel, self._name])
