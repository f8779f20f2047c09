"""Faults of what Ken keeps things in, and of Ken's own process: what is expected stands beside each."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

import aiohttp

from ken.operations.drill.client import Asker, Seen, Told, in_words, message
from ken.operations.drill.documents import QUESTIONS
from ken.operations.drill.finding import Checks, Skipped
from ken.operations.drill.rig import TIER, Rig
from ken.operations.drill.switch import HEALTHY, line
from ken.storage.ledger import Ledger
from ken.storage.sqlite import SqliteDatabase

_LOCKED_S = 1.5
_TOO_LONG_S = 22.0
"""Longer than anybody waits for a database: ten seconds, and the books twice, first to say that they live."""
_HEAL_S = 10.0
_EMBEDDER_HEAL_S = 25.0
"""An embedder's breaker tries again after a quarter of a minute."""
_POLL_S = 0.1
_POSTGRES_PORT, _REDIS_PORT = 5432, 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFault:
    """One fault that is not a model's."""

    name: str
    group: str
    expected: str
    inject: Callable[[Rig, Checks], Awaitable[None]]


async def locked(rig: Rig, checks: Checks) -> None:
    """Another process holds the write lock for a moment."""
    home = await rig.home("first")
    async with rig.serving(home) as (_, asker):
        holding = asyncio.create_task(asyncio.to_thread(_hold, home, _LOCKED_S))
        await asyncio.sleep(0.2)
        seen = await asker.ask(QUESTIONS[0], model=TIER)
        await holding
        checks.saw(seen.outcome, f"after {seen.seconds:.1f} s")
        checks.that(seen.is_whole and not seen.notices, f"no plain answer: {seen.outcome}")
        checks.that(seen.seconds >= _LOCKED_S / 2, f"it took {seen.seconds:.1f} s: nothing was locked")
        checks.that(await asker.spans(seen.trace_id), "its trace is not on record")
        checks.proof(f"trace {seen.trace_id}")


async def locked_for_long(rig: Rig, checks: Checks) -> None:
    """Another process holds the write lock for longer than anybody waits."""
    home = await rig.home("first")
    async with rig.serving(home) as (_, asker):
        holding = asyncio.create_task(asyncio.to_thread(_hold, home, _TOO_LONG_S))
        await asyncio.sleep(0.2)
        calls, began = len(rig.provider.entries()), time.monotonic()
        came = await _at_the_chat_door(asker, TIER)
        checks.saw(came, f"after {time.monotonic() - began:.1f} s")
        checks.that("can't be written down" in came and "database" in came, f"no error that names the database: {came}")
        checks.that(len(rig.provider.entries()) == calls, "a model was called that nobody could write down")
        await holding
        await _back(asker, checks)


async def disk_full(rig: Rig, checks: Checks) -> None:
    """No file of Ken's may grow: what a full disk does to a process, by its limit of a file's size."""
    if sys.platform != "linux":
        raise Skipped("only Linux can set another process's limits")
    home = await rig.home("first")
    async with rig.serving(home) as (child, asker):
        before = await asker.ask(QUESTIONS[0], model=TIER)
        _, most = resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (1, most))
        calls = len(rig.provider.entries())
        try:
            seen = await asker.ask(QUESTIONS[0], model=TIER)
            checks.saw(seen.outcome)
            checks.that(
                not seen.is_whole and "database" in seen.error, f"no plain error of the database: {seen.outcome}"
            )
            refused = await _at_the_chat_door(asker, TIER)
            checks.that("can't be written down" in refused, f"a question that costs money at the chat door: {refused}")
            checks.that(len(rig.provider.entries()) == calls, "a model was called that nobody could write down")
            plain = await _at_the_chat_door(asker, "extractive")
            checks.saw(f"questions that cost nothing: {plain or 'no answer'}")
            checks.that(plain.startswith("an answer"), f"a question that costs nothing: {plain}")
        finally:
            resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (most, most))
        await _back(asker, checks)
        checks.that(await asker.spans(before.trace_id), "an earlier trace is gone")
        checks.proof(f"trace {before.trace_id} from before", f"trace {seen.trace_id}")


async def damaged_index(rig: Rig, checks: Checks) -> None:
    """Files of the index hold garbage when Ken starts."""
    home = await rig.home("first")
    async with rig.serving(home) as (_, asker):
        usual = await asker.ask(QUESTIONS[0], model=TIER)
    spoilt = await asyncio.to_thread(_spoil, home / "index")
    checks.saw(f"{spoilt} files of the index spoilt")
    checks.that(spoilt, "there is no index to spoil")
    async with rig.serving(home) as (_, asker):
        seen = await asker.ask(QUESTIONS[0], model=TIER)
        checks.saw(seen.outcome)
        checks.that(seen.is_whole and seen.text == usual.text, f"another answer than before: {seen.outcome}")
        checks.proof(f"trace {usual.trace_id} before", f"trace {seen.trace_id} after")


async def killed(rig: Rig, checks: Checks) -> None:
    """Ken is killed while a model writes; then it is started again."""
    home = await rig.home("first")
    rig.provider.words = HEALTHY
    async with rig.serving(home) as (child, asker):
        before = await asker.ask(QUESTIONS[0], model=TIER)
        await asyncio.sleep(1.2)  # what is a second old is on the disk
        rig.provider.words = f"{HEALTHY}-itl200-id.killed"
        asking = asyncio.create_task(asker.ask(QUESTIONS[1], model=TIER))
        await _called(rig, asking)
        child.process.send_signal(signal.SIGKILL)
        seen = await asking
        await child.process.wait()
    rig.provider.words = HEALTHY
    checks.saw(f"the question that was under way: {seen.outcome}")
    held = await asyncio.to_thread(_under_way, home)
    checks.saw("its call stood in the books" if held else "its call stood nowhere")
    checks.that(held == 1, f"{held} processes had calls in the books when it died, and not the one that was killed")
    async with rig.serving(home) as (_, asker):
        checks.that(
            await asyncio.to_thread(_under_way, home) == 0, "after the start a call is still under way in the books"
        )
        checks.that(await asker.spans(before.trace_id), "a trace that was older than a second is gone")
        again = await asker.ask(QUESTIONS[1], model=TIER)
        checks.saw(f"after the start: {again.outcome}")
        checks.that(again.is_whole, f"after the start: {again.outcome}")
        checks.proof(f"trace {before.trace_id} from before", f"trace {again.trace_id} from after")


async def embedder_down(rig: Rig, checks: Checks) -> None:
    """The embedder's endpoint is gone for a while."""
    embedder = {"base_url": rig.second.url, "model": "mock-dim16", "dimensions": 16}
    home = await rig.home("embedded", settings={"embedder": embedder, "default_model": "extractive"})
    async with rig.serving(home) as (_, asker):
        usual = await asker.ask(QUESTIONS[0], model="extractive")
        checks.that(usual.is_whole, f"without the fault: {usual.outcome}")
        await rig.second.vanish()
        try:
            seen = await asker.ask("Who locks the paint store?", model="extractive")
            checks.saw(seen.outcome)
            checks.that(
                not seen.is_whole and "embedder" in seen.error.lower(),
                f"no plain error of the embedder: {seen.outcome}",
            )
            checks.that(not await asker.is_ready(), "it says that it is ready")
        finally:
            await rig.second.serve()
        await _back(asker, checks, model="extractive", within_s=_EMBEDDER_HEAL_S)
        checks.proof(f"trace {seen.trace_id}")


async def redis_away(rig: Rig, checks: Checks) -> None:
    """The Redis that replicas share can't be reached for a while."""
    if rig.redis is None:
        raise Skipped("no Redis was named: `--redis redis://host:6379/15`")
    parts = urlsplit(rig.redis)
    async with line(parts.hostname or "127.0.0.1", parts.port or _REDIS_PORT) as wire:
        secret = parts.netloc.rpartition("@")[0]
        place = f"{secret}@127.0.0.1:{wire.port}" if secret else f"127.0.0.1:{wire.port}"
        environment = {"KEN_REDIS_URL": urlunsplit(parts._replace(netloc=place))}
        home = await rig.home("first")
        async with rig.serving(home, environment=environment) as (_, asker):
            await asker.ask(QUESTIONS[0], model=TIER)
            checks.that(await asker.sharing() == "redis", f"before the fault it shares by {await asker.sharing()!r}")
            await wire.cut()
            seen = await asker.ask(QUESTIONS[0], model=TIER)
            checks.saw(seen.outcome, f"sharing: {await _until(asker, 'away')}")
            checks.that(seen.is_whole and not seen.notices, f"no plain answer: {seen.outcome}")
            checks.that(await asker.sharing() == "away", f"it says that it shares by {await asker.sharing()!r}")
            await wire.mend()
            state = await _until(asker, "redis")
            checks.saw(f"afterwards: {state}")
            checks.that(state == "redis", f"when Redis is back, it shares by {state!r}")
            checks.proof(f"trace {seen.trace_id}")


async def postgres_cut(rig: Rig, checks: Checks) -> None:
    """Every connection to PostgreSQL breaks, and for a while none can be made."""
    if rig.postgres is None:
        raise Skipped("no PostgreSQL was named: `--postgres postgresql://user@host/an_empty_database`")
    host, port, socket = _server_of(rig.postgres)
    async with line(host, port, socket=socket) as wire:
        environment = {"KEN_DATABASE_URL": _through(rig.postgres, wire.port)}
        home = await rig.home("shared", environment=environment)
        async with rig.serving(home, environment=environment) as (_, asker):
            usual = await asker.ask(QUESTIONS[0], model=TIER)
            checks.that(usual.is_whole, f"without the fault: {usual.outcome}")
            await wire.cut()
            seen = await asker.ask(QUESTIONS[0], model=TIER)
            checks.saw(seen.outcome, f"after {seen.seconds:.1f} s")
            checks.that(not seen.is_whole and seen.error and seen.status, f"no plain error: {seen.outcome}")
            checks.that(not await asker.is_ready(), "it says that it is ready")
            await wire.mend()
            await _back(asker, checks)
            checks.that(await asker.spans(usual.trace_id), "an earlier trace is gone")
            checks.proof(f"trace {usual.trace_id} from before", f"trace {seen.trace_id}")


FAULTS = (
    StoreFault(
        name="sqlite-locked",
        group="store",
        expected="the question waits for the lock, is answered without a notice, and its trace is on record",
        inject=locked,
    ),
    StoreFault(
        name="sqlite-locked-for-long",
        group="store",
        expected="a call that costs money is refused with an error that names the database, and does not go out; afterwards "
        "all is as before",
        inject=locked_for_long,
    ),
    StoreFault(
        name="disk-full",
        group="store",
        expected="what costs money is refused, as it can't be written down, and no call goes out; what costs nothing is "
        "answered; with room again all is as before, without a restart",
        inject=disk_full,
    ),
    StoreFault(
        name="index-damaged",
        group="store",
        expected="the index is built anew from the database at the start; the same answer as before",
        inject=damaged_index,
    ),
    StoreFault(
        name="embedder-down",
        group="store",
        expected="one error that names the embedder, and /readyz says no; afterwards all is as before, without a restart",
        inject=embedder_down,
    ),
    StoreFault(
        name="redis-away",
        group="store",
        expected="answers go on without a notice, health says `away`; when it is back, `redis`, without a restart",
        inject=redis_away,
    ),
    StoreFault(
        name="postgresql-cut",
        group="store",
        expected="one error instead of a hang, and /readyz says no; afterwards all is as before, without a restart",
        inject=postgres_cut,
    ),
    StoreFault(
        name="killed",
        group="process",
        expected="the call that was under way stood in the books; after the start none is; older traces are there, and answers",
        inject=killed,
    ),
)
"""All that are no model's. Where one is listed twice in time, each makes its own Ken."""


def _hold(home: Path, seconds: float) -> None:
    database = SqliteDatabase(home)
    try:
        with database.write():
            time.sleep(seconds)
    finally:
        database.close()


async def _back(asker: Asker, checks: Checks, *, model: str = TIER, within_s: float = _HEAL_S) -> None:
    """Ask until there is an answer again, some seconds long."""
    due, seen = time.monotonic() + within_s, Seen()
    while time.monotonic() < due:
        seen = await asker.ask(QUESTIONS[1], model=model)
        if seen.is_whole and not seen.notices:
            break
        await asyncio.sleep(_POLL_S)
    checks.saw(f"afterwards: {seen.outcome}")
    checks.that(seen.is_whole and not seen.notices, f"afterwards: {seen.outcome}")


async def _at_the_chat_door(asker: Asker, model: str) -> str:
    """A question at the door that keeps no conversation: `an answer`, or what came instead."""
    body = {"model": model, "messages": [{"role": "user", "content": QUESTIONS[2]}]}
    try:
        async with asker.session.post(f"{asker.url}/v1/chat/completions", json=body) as response:
            if response.ok and "17:30" in await response.text():
                return "an answer"
            told = cast("Told", await response.json(content_type=None))
            return f"status {response.status}: {message(told)}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return in_words(error)


async def _called(rig: Rig, asking: asyncio.Task[Seen]) -> None:
    """Wait until the model is being asked."""
    calls = len(rig.provider.entries())
    due = time.monotonic() + _HEAL_S
    while len(rig.provider.entries()) == calls and not asking.done() and time.monotonic() < due:  # noqa: ASYNC110 - the books are plain values
        await asyncio.sleep(_POLL_S / 10)
    await asyncio.sleep(_POLL_S)


def _under_way(home: Path) -> int:
    """Processes with calls that are reserved on the disk; looked at beside a Ken that may be running there."""
    database = SqliteDatabase(home)
    try:
        return len(Ledger(database).under_way())
    finally:
        database.close()


def _spoil(index: Path) -> int:
    """Overwrite the first half of each file of the index."""
    files = [path for path in index.rglob("*") if path.is_file() and path.stat().st_size]
    for path in files:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(os.urandom(size // 2 + 1))
    return len(files)


async def _until(asker: Asker, state: str) -> str:
    due = time.monotonic() + _HEAL_S
    while (now := await asker.sharing()) != state and time.monotonic() < due:  # noqa: ASYNC110 - it is asked over HTTP
        await asyncio.sleep(_POLL_S)
    return now


def _server_of(url: str) -> tuple[str, int, str | None]:
    """Host, port and Unix socket of a PostgreSQL's address."""
    parts = urlsplit(url)
    told = parse_qs(parts.query)
    host = parts.hostname or (told.get("host") or ["localhost"])[0]
    port = parts.port or int((told.get("port") or [_POSTGRES_PORT])[0])
    return host, port, f"{host}/.s.PGSQL.{port}" if host.startswith("/") else None


def _through(url: str, port: int) -> str:
    """The same database through a port of loopback."""
    parts = urlsplit(url)
    told = {key: value for key, (value, *_) in parse_qs(parts.query).items() if key not in {"host", "port"}}
    user = quote(parts.username or "", safe="")
    secret = f":{parts.password}" if parts.password else ""
    place = f"{user}{secret}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"
    return urlunsplit(parts._replace(netloc=place, query=urlencode(told)))
