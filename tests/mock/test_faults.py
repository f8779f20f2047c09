"""Each fault at the socket, and what the books say of it."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import AsyncGenerator
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from ken.mock.serving import Running, running_in_thread

PATIENCE_S = 0.15


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=5)) as made:
        yield made


def body(model: str, *, stream: bool = True) -> dict[str, Any]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hello there"}]}


async def heard(session: aiohttp.ClientSession, mock: Running, model: str, *, stream: bool = True) -> tuple[bytes, str]:
    """What came, and how it ended: "end", "broken", or "silence" where nothing came in time and we hung up."""
    came = b""
    clock = asyncio.get_running_loop().time
    try:
        async with (
            asyncio.timeout(PATIENCE_S) as patience,
            session.post(f"{mock.url}/chat/completions", json=body(model, stream=stream)) as response,
        ):
            while piece := await response.content.readany():
                came += piece
                patience.reschedule(clock() + PATIENCE_S)
            return came, "end"
    except TimeoutError:
        return came, "silence"
    except aiohttp.ClientError:
        return came, "broken"


@pytest.mark.parametrize(
    ("model", "ending", "tokens", "outcome"),
    [
        ("mock-stall3", "silence", 3, "hung up"),
        ("mock-cut3", "broken", 3, "failed"),
        ("mock-bad3", "end", 3, "failed"),
        ("mock-error3", "end", 3, "failed"),
        ("mock-limit3", "end", 3, "failed"),
        ("mock-len5-dup3", "end", 5, "completed"),
        ("mock-empty", "end", 0, "completed"),
        ("mock-hangtoken", "silence", 0, "hung up"),
    ],
)
async def test_a_stream_fails_as_it_is_told(
    session: aiohttp.ClientSession, mock: Running, model: str, ending: str, *, tokens: int, outcome: str
) -> None:
    """The stream ends as its fault says, after that many tokens, and these are what is billed."""
    came, ended = await heard(session, mock, model)
    await mock.settled()
    (entry,) = mock.ledger.entries()
    assert ended == ending
    assert came.count(b'"delta":{"content":') == tokens + ("dup" in model)
    assert (entry.output_tokens, entry.input_tokens, entry.outcome) == (tokens, 9, outcome)
    assert entry.cost_micros == 9 + 4 * tokens
    assert (b"[DONE]" in came) == (outcome == "completed")


@pytest.mark.parametrize(
    ("model", "ending", "cost"),
    [
        ("mock-hanghead", "silence", 9),
        ("mock-stall3", "silence", 21),
        ("mock-cut3", "broken", 21),
        ("mock-bad3", "end", 21),
        ("mock-limit3", "end", 0),
        ("mock-413", "end", 0),
    ],
)
async def test_a_whole_answer_fails_as_it_is_told(
    session: aiohttp.ClientSession, mock: Running, model: str, ending: str, *, cost: int
) -> None:
    """The same faults meet an answer in one piece; what ends in an error status costs nothing."""
    _, ended = await heard(session, mock, model, stream=False)
    await mock.settled()
    assert (ended, mock.ledger.entries()[0].cost_micros) == (ending, cost)


async def test_a_hang_up_is_noticed(session: aiohttp.ClientSession, mock: Running) -> None:
    """Tokens are generated, and billed, until the client is seen to have gone, and no longer."""
    with pytest.raises(TimeoutError):
        async with (
            asyncio.timeout(0.15),
            session.post(f"{mock.url}/chat/completions", json=body("mock-itl20-len500")) as response,
        ):
            await response.read()
    await mock.settled()
    (entry,) = mock.ledger.entries()
    assert entry.outcome == "hung up"
    assert 1 <= entry.output_tokens < 50


async def test_a_rate_limit_says_when_to_come_again(session: aiohttp.ClientSession, mock: Running) -> None:
    """Beyond the requests of a minute comes 429 with the seconds that are left; another key has its own limit."""
    told = []
    for key in ("a", "a", "a", "b"):
        headers = {"authorization": f"Bearer {key}"}
        url = f"{mock.url}/chat/completions"
        async with session.post(url, json=body("mock-rpm2-len1"), headers=headers) as response:
            told.append((response.status, response.headers.get("retry-after")))
    assert told[:2] == [(200, None)] * 2
    assert told[2][0] == 429
    assert 55 <= int(told[2][1] or 0) <= 60
    assert told[3] == (200, None)


async def test_a_retry_after_can_be_a_date(session: aiohttp.ClientSession, mock: Running) -> None:
    """`afterdate` gives the time as a date, not before the seconds are over."""
    before = time.time()
    async with session.post(f"{mock.url}/chat/completions", json=body("mock-503x1-after3-afterdate")) as response:
        assert parsedate_to_datetime(response.headers["retry-after"]).timestamp() >= before + 2.9


async def test_time_is_kept(session: aiohttp.ClientSession, mock: Running) -> None:
    """A whole answer takes as long as its stream would have: head, first token and each further one."""
    begun = time.monotonic()
    await heard(session, mock, "mock-head20-ttft30-itl2-len11", stream=False)
    assert time.monotonic() - begun >= 0.069


async def test_addresses_that_fail(session: aiohttp.ClientSession, mock: Running) -> None:
    """Three addresses fail before a request: nobody listens, no TLS, no such host."""
    kinds = []
    for url in (mock.refused_url, mock.tls_url, mock.unknown_url):
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.post(f"{url}/chat/completions", json={})
        kinds.append(type(raised.value.os_error).__name__)
    assert kinds == ["ConnectionRefusedError", "SSLError", "gaierror"]
    assert len(mock.ledger) == 0


async def test_a_large_answer_is_not_piled_up(session: aiohttp.ClientSession, mock: Running) -> None:
    """Ten megabytes reach a client that reads them, and a client that doesn't read holds the writing up."""
    came, ended = await heard(session, mock, "mock-big10")
    assert (ended, len(came) > 10_000_000) == ("end", True)
    async with session.post(f"{mock.url}/chat/completions", json=body("mock-big10-seed1")):
        await asyncio.sleep(0.1)
        held = mock.ledger.entries("mock-big10-seed1")[0].output_tokens
    await mock.settled()
    assert held < mock.ledger.entries("mock-big10")[0].output_tokens


async def test_the_books_are_told_and_forgotten(session: aiohttp.ClientSession, mock: Running) -> None:
    """The ledger is JSON, in whole or for one model; a reset forgets it and lets faults begin anew."""
    await heard(session, mock, "mock-500x1")
    await heard(session, mock, "mocklarge-len2-cached1")
    root = mock.url.removesuffix("/v1")
    async with session.get(f"{root}/mock/ledger?model=mocklarge-len2-cached1") as response:
        told = await response.json()
    assert (told["requests"], told["running"], told["input_tokens"], told["output_tokens"]) == (1, 0, 9, 2)
    # Eight tokens of the prompt at 15 dollars a million, one from the cache at 1.5, two of output at 75, rounded up.
    assert told["cost_micros"] == told["entries"][0]["cost_micros"] == 272
    async with session.delete(f"{root}/mock/ledger") as response:
        assert (await response.json())["requests"] == 0
    await heard(session, mock, "mock-500x1")
    assert mock.ledger.entries()[0].status == 500


async def test_a_wrong_request_is_refused(session: aiohttp.ClientSession, mock: Running) -> None:
    """A wrong name, wrong JSON and missing messages are told plainly, and cost nothing."""
    url = f"{mock.url}/chat/completions"
    told = []
    for wrong in ({"data": "no JSON"}, {"json": {"model": "mock"}}, {"json": {"model": "mock-quick"}}):
        async with session.post(url, **wrong) as response:
            told.append((response.status, (await response.json())["error"]["message"].split(":")[0]))
    assert [status for status, _ in told] == [400, 400, 404]
    assert "'quick' in the model's name 'mock-quick' is no word" in told[2][1]
    assert mock.ledger.told()["cost_micros"] == 0


def test_it_runs_beside_synchronous_code() -> None:
    """In a thread it serves code that has no event loop, and ends with its block."""
    with (
        running_in_thread() as mock,
        urllib.request.urlopen(f"{mock.url}/models", timeout=5) as response,  # noqa: S310 - our own server
    ):
        assert b'"mocklarge"' in response.read()
