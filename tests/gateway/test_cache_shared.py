"""The answer cache of several replicas: over one PostgreSQL, and with the answers themselves in a Redis."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest
import redis

from ken.domain.principal import LOCAL_OPERATOR
from ken.gateway.cache.shelf import RedisShelf
from tests.assistant.corpus import tell
from tests.assistant.worlds import page
from tests.gateway.redis_rig import redis_server
from tests.gateway.test_cache_syncs import BELL, FERRY, LAMP, PAPERS, RUNG, answer, cached, home, sync

AGAIN = "How frequently is the lighthouse's fog bell rung?"
CHANGED = {"bell.md": page("The bell", f"{RUNG} 90 seconds.")}


def in_redis(url: str) -> dict[bytes, bytes]:
    """What lies there of answers."""
    with redis.Redis.from_url(url) as client:
        return {key: client.get(key) for key in client.scan_iter("ken:answer:*")}  # pyright: ignore[reportReturnType]


async def test_replicas_share_answers_and_their_end(tmp_path: Path, postgres_url: str) -> None:
    """What one has answered the other gives again, in other words too; a sync of one retires it for both."""
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(home(tmp_path / name, database_url=postgres_url)) for name in ("one", "two")
        ]
        await sync(one, tmp_path / "papers", PAPERS)
        assert await cached(two, LAMP) == [False]
        first = await answer(one, BELL)
        assert await cached(one, LAMP) == [True]
        again = await answer(two, AGAIN)
        assert (again.cached, again.original_trace_id) == (True, first.trace_id)
        await sync(two, tmp_path / "papers", CHANGED)
        assert await cached(one, BELL, LAMP) == [False, True]
        assert (await answer(two, BELL)).text == (await answer(one, BELL)).text != first.text
        figures = two.cache.read(days=1)[""]
        one.cache.flush()
        assert two.cache.read(days=1)[""].lookups > figures.lookups


async def test_answers_lie_in_redis_until_their_documents_change(tmp_path: Path, redis_url: str) -> None:
    """There for as long as they may be given, and not in the database; gone as soon as what they quote is changed or deleted."""
    url = f"{redis_url}/7"
    async with home(tmp_path, redis_url=url) as ken:
        await sync(ken, tmp_path / "papers", PAPERS)
        assert await cached(ken, BELL, FERRY) == [False, False]
        assert await cached(ken, BELL, AGAIN, FERRY) == [True, True, True]
        held = in_redis(url)
        assert sorted(text.count(b"30 seconds") > 0 for text in held.values()) == [False, True]
        with redis.Redis.from_url(url) as client:
            assert all(0 < client.ttl(key) <= 14 * 86_400 for key in held)  # pyright: ignore[reportOperatorIssue]
        assert ken.cache.answers.text(1) is None
        await sync(ken, tmp_path / "papers", {"bell.md": None})
        assert [b"30 seconds" in text for text in in_redis(url).values()] == [False]
        assert await cached(ken, FERRY) == [True]
        ken.cache.answers.drop_all()
        ken.cache.forget()
        assert in_redis(url) == {}


async def test_without_redis_every_question_is_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once that Redis is away; what was dropped meanwhile is deleted from it when it is back."""
    (tmp_path / "redis").mkdir()
    with caplog.at_level(logging.INFO, "ken.gateway.cache"), redis_server(tmp_path / "redis") as server:
        async with home(tmp_path, redis_url=server.url) as ken:
            ken.cache.shelf = RedisShelf.at(server.url, home=ken.cache.answers.home_name(), patience_s=0.05)
            await sync(ken, tmp_path / "papers", PAPERS)
            assert await cached(ken, BELL, BELL) == [False, True]
            server.stop()
            for text in (BELL, BELL, FERRY):
                told = await tell(ken.assistant, text, principal=LOCAL_OPERATOR)
                assert told.text
                assert told.detail("recall") in {"the cache is away", "miss"}
            assert [line.levelname for line in caplog.records if "Redis is away" in line.message] == ["WARNING"]
            await sync(ken, tmp_path / "papers", {"bell.md": None})
            assert ken.cache.answers.removals()
            server.start()
            await anyio.sleep(0.06)
            assert await cached(ken, FERRY, FERRY) == [False, True]
            assert ken.cache.answers.removals() == ()
