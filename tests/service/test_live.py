"""What changes is told as it changes: to whom it may be told, by one watcher, only while somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.gateway.vitals import BreakerChanged, Vitals
from ken.service.live import TOPICS, Changed, Live
from tests.knowledge.homes import sync
from tests.service import events
from tests.service.corpus import QUESTION, copy
from tests.service.serving import Served, serving

SOON_S = 15.0
QUIET_S = 5.0
"""Longer than the watcher ever waits between two looks."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken to which nothing happens but what these tests do."""
    with serving(copy(tmp_path_factory.mktemp("live") / "home")) as served:
        yield served


class Told:
    """What a listener has been told so far."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()

    def read(self, response: httpx.Response) -> None:
        """Read until the stream ends; in a thread."""
        name = ""
        # A client that is closed in mid-read says so in one of these.
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError):
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self._queue.put((name, json.loads(line.removeprefix("data: "))))
        self._queue.put(None)

    def next(self) -> tuple[str, Any] | None:
        """The next event; None at the stream's end."""
        return self._queue.get(timeout=SOON_S)

    def topics(self, *, until: str) -> set[str]:
        """The topics that changed until one of them did."""
        seen: set[str] = set()
        while until not in seen:
            event = self.next()
            assert event is not None, f"the stream ended before {until}"
            seen.add(event[1]["topic"])
        return seen

    def next_two(self) -> set[str]:
        """The topics of the next two events."""
        return {event[1]["topic"] for event in (self.next(), self.next()) if event is not None}

    def is_quiet(self) -> bool:
        """Whether nothing comes for longer than the watcher waits."""
        with contextlib.suppress(queue.Empty):
            self._queue.get(timeout=QUIET_S)
            return False
        return True


@contextmanager
def listening(served: Served, key: str, *topics: str) -> Generator[tuple[list[str], Told]]:
    """A listener that is told from now on, and the topics that it hears of."""
    told = Told()
    with served.client(key) as client, client.stream("GET", "/api/live", params={"topic": topics}) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        thread = threading.Thread(target=told.read, args=(response,), daemon=True)
        thread.start()
        ready = told.next()
        assert ready is not None
        assert ready[0] == "ready"
        yield ready[1]["topics"], told
        # To close what another thread reads from ends only when something comes.
        response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        thread.join(SOON_S)


def watchers(served: Served) -> int:
    """How many tasks of the server watch for changes."""

    async def count() -> int:
        return sum(task.get_name() == "live" for task in asyncio.all_tasks())

    return served.run(count())


def ask(served: Served, key: str) -> None:
    with served.client(key) as client:
        events.ask(client, QUESTION)


def test_a_question_is_told_to_who_asked_and_to_operators(own: Served) -> None:
    """Its trace to both, its conversation to who asked alone, and nothing of either to anybody else."""
    with (
        listening(own, own.operator) as (all_topics, operator),
        listening(own, own.clerk) as (some_topics, clerk),
        listening(own, own.nobody) as (_, nobody),
    ):
        assert (set(all_topics), some_topics) == (TOPICS, ["conversations", "syncs", "traces"])
        ask(own, own.clerk)
        assert clerk.next_two() == {"traces", "conversations"}
        assert "conversations" not in operator.topics(until="traces")
        assert nobody.is_quiet()


def test_a_call_without_a_conversation_is_told_to_who_made_it(own: Served) -> None:
    """Traces of the plain door, too."""
    body = {"model": "steady", "messages": [{"role": "user", "content": "Hello?"}]}
    with listening(own, own.clerk, "traces") as (_, clerk), listening(own, own.nobody, "traces") as (_, nobody):
        for key in (own.clerk, own.clerk):
            with own.client(key) as client:
                client.post("/v1/chat/completions", json=body).raise_for_status()
            assert clerk.topics(until="traces") == {"traces"}
        assert nobody.is_quiet()


def test_a_sync_is_told_with_how_far_it_is(own: Served, tmp_path: Path) -> None:
    """Operators get it whole; others that there is another corpus, and no word of the source."""
    with listening(own, own.operator, "syncs") as (_, operator), listening(own, own.clerk, "syncs") as (_, clerk):
        files = {f"buoy{number}.md": f"# Buoy {number}\n\nIt is red.\n" for number in range(3)}
        own.run(sync(own.ken, tmp_path / "buoys", files, collection="buoys"))
        while True:
            event = operator.next()
            assert event is not None
            assert event[0] == "changed"
            found = [each for each in event[1]["syncs"] if each["state"] == "finished"]
            if found:
                break
        assert (found[0]["collection"], found[0]["done"], found[0]["added"]) == ("buoys", 3, 3)
        heard = clerk.next()
        assert heard is not None
        assert heard[0] == "changed"
        assert heard[1] | {"at": 0.0} == {"topic": "syncs", "at": 0.0, "syncs": []}


def test_breakers_alerts_and_silences_are_told_to_operators_alone(own: Served) -> None:
    """Who asks for them without being one is refused, by name."""
    body = {"rule": "breaker_open", "seconds": 60}
    with listening(own, own.operator, "gateway", "alerts") as (_, told), own.client(own.operator) as client:
        own.ken.providers.stacks.vitals.changed(
            BreakerChanged(at=time.time(), dependency="steady", old="closed", new="open", reason="3 of 5 failed")
        )
        assert "gateway" in told.topics(until="gateway")
        client.post("/api/alerts/silences", json=body).raise_for_status()
        assert "alerts" in told.topics(until="alerts")
    with own.client(own.clerk) as client:
        refused = client.get("/api/live", params={"topic": "alerts"})
        assert refused.status_code == 403
        assert "alerts" in refused.json()["error"]["message"]
        assert client.get("/api/live", params={"topic": "weather"}).status_code == 400


def test_one_watcher_serves_all_and_ends_with_the_last(own: Served) -> None:
    """However many listen it looks once; whoever hangs up is forgotten, and after the last nobody looks."""
    assert watchers(own) == 0
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(listening(own, own.nobody))
        assert watchers(own) == 1
    give_up = time.monotonic() + SOON_S
    while watchers(own):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    with listening(own, own.clerk) as (_, clerk):
        ask(own, own.clerk)
        assert "traces" in clerk.topics(until="traces")


def test_who_does_not_read_is_told_once_of_all_that_it_missed(own: Served) -> None:
    """However often something changes, one event a topic waits for it."""

    async def missed(vitals: Vitals) -> list[str]:
        told = Live(own.ken.stamps, vitals).listen(LOCAL_OPERATOR, frozenset({"gateway"}))
        assert await anext(told) is None
        for number in range(3):
            vitals.changed(
                BreakerChanged(at=time.time(), dependency=f"model {number}", old="closed", new="open", reason="down")
            )
            await asyncio.sleep(1.3)
        first = await anext(told)
        assert isinstance(first, Changed)
        found = [first.topic]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                found.append(str(await anext(told)))
        await told.aclose()
        return found

    assert asyncio.run(missed(Vitals())) == ["gateway"]


def test_when_the_server_ends_so_do_the_streams(own: Served) -> None:
    """At once, not at the next look; and who comes then is not kept."""

    async def ended() -> float:
        live = Live(own.ken.stamps, Vitals())
        told = live.listen(Principal("someone"), TOPICS)
        assert await anext(told) is None
        asyncio.get_running_loop().call_later(0.1, live.end)
        began = time.monotonic()
        assert [each async for each in told] == []
        took = time.monotonic() - began
        assert [each async for each in live.listen(Principal("late"), TOPICS)] == [None]
        return took

    assert asyncio.run(ended()) < 0.9
