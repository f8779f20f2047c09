"""Servers that mean well and speak otherwise: byte for byte over a socket, seen by a client of the plain door and in the books."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import uvicorn

from ken.service.app import build
from ken.settings import ModelSettings, load
from ken.wiring import Ken, open_home

STREAM, JSON = "text/event-stream", "application/json"
MICROS_IN, MICROS_OUT = 1_000_000, 2_000_000
"""A millionth for a token of the prompt, two for one of the answer."""
TOLD, COST = {"prompt_tokens": 10, "completion_tokens": 5}, 20
"""The usage of most answers, and what it costs."""


def data(told: object) -> bytes:
    """One event."""
    return b"data: %b\n\n" % json.dumps(told).encode()


def piece(text: str | None = None, *, finish: str | None = None, **more: object) -> bytes:
    """One chunk."""
    delta = {} if text is None else {"content": text}
    return data({"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def calling(**call: object) -> bytes:
    """A piece of a tool call."""
    return data({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})


def pretty(event: bytes) -> bytes:
    """The same event on several lines."""
    lines = json.dumps(json.loads(event[6:]), indent=1).encode().splitlines()
    return b"".join(b"data: %b\n" % line for line in lines) + b"\n"


def whole(usage: object) -> bytes:
    """An answer in one piece."""
    message = {"index": 0, "message": {"content": "Hello world."}, "finish_reason": "stop"}
    return json.dumps({"model": "m", "choices": [message], "usage": usage}).encode()


HELLO = piece("Hello") + piece(" world.")
STOP = piece(finish="stop")
USAGE = data({"choices": [], "usage": TOLD})
DONE = b"data: [DONE]\n\n"
SAID = HELLO + STOP + USAGE + DONE
THOUGHTFUL = TOLD | {"total_tokens": 45, "completion_tokens_details": {"reasoning_tokens": 30}}
OTHER = data({"choices": [{"index": 1, "delta": {"content": "Another."}, "finish_reason": "stop"}]})
NESTED = data({"choices": "?"}).replace(b'"?"', b"[" * 100_000 + b"]" * 100_000)
HALVES = piece("Hello \ud83d") + piece("\ude00 world.")
MANY = b"".join(piece(f" word{number}", usage={"prompt_tokens": 10, "completion_tokens": 2}) for number in range(50))

SPOKEN: dict[str, tuple[str, bytes | list[bytes | float]]] = {
    "mark": (STREAM, b"\xef\xbb\xbf" + SAID),
    "lines": (STREAM, b"".join(pretty(event + b"\n\n") for event in (HELLO + STOP + USAGE).split(b"\n\n")[:-1]) + DONE),
    "returns": (STREAM, SAID.replace(b"\n", b"\r")),
    "empty-finish": (STREAM, piece("Hello", finish="") + piece(" world.", finish="") + STOP + USAGE + DONE),
    "behind-finish": (STREAM, piece("Hello") + STOP + piece(" world.") + USAGE + DONE),
    "two-choices": (STREAM, piece("Hello") + OTHER + piece(" world.") + STOP + USAGE + DONE),
    "created": ("201", SAID),
    "not-streamed": (JSON, whole(TOLD)),
    "late": (STREAM, [HELLO + STOP + DONE, 0.35, USAGE]),
    "fractions": (STREAM, HELLO + STOP + data({"choices": [], "usage": {name: float(n) for name, n in TOLD.items()}})),
    "name": (STREAM, SAID.replace(b'"model": "m"', b'"model": "m\\ud800\\u0000' + b"m" * 9_000 + b'"')),
}
"""What comes for a streamed answer, by content type; what is said is the same in each, and what it costs."""
MESSAGE = [
    data({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}}),
    *(
        data({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
        for text in ("Hello", " world.")
    ),
]
"""Of Anthropic's wire, up to the end."""
MISCOUNTED: dict[str, bytes] = {
    "huge": HELLO + STOP + data({"choices": [], "usage": dict.fromkeys(TOLD, 10**20)}) + DONE,
    "yes": HELLO + STOP + data({"choices": [], "usage": dict.fromkeys(TOLD, True)}) + DONE,
    "parts": MANY + STOP + DONE,
    "anthropic-untold": b"".join(MESSAGE) + data({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
}


@dataclass(frozen=True, slots=True)
class Rig:
    """A Ken, each of whose models is answered by one of the scripts above."""

    ken: Ken
    url: str
    session: aiohttp.ClientSession

    async def ask(self, model: str, content: str = "Tell me.") -> tuple[list[dict[str, Any]], str]:
        """The chunks of a streamed answer, an error among them; and the id of the trace."""
        trace_id = secrets.token_hex(16)
        body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True}
        headers = {"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        async with self.session.post(f"{self.url}/v1/chat/completions", json=body, headers=headers) as response:
            text = await response.text()
        if not text.startswith("data:"):
            return [json.loads(text)], trace_id
        events = [event.removeprefix("data: ") for event in text.split("\n\n")]
        return [json.loads(event) for event in events if event and event != "[DONE]"], trace_id

    async def booked(self, trace_id: str) -> list[tuple[str, int | None]]:
        """State and cost of the calls of a trace."""
        books = self.ken.providers.stacks.books
        assert await books.flush()
        return [(state, cost) for _, state, cost in await asyncio.to_thread(books.ledger.of_trace, trace_id)]

    async def estimated(self) -> int:
        """How many calls of all are booked by an estimate."""
        assert await self.ken.providers.stacks.books.flush()
        async with self.session.get(f"{self.url}/api/gateway/costs", params={"by": "model"}) as response:
            return sum(row["estimated_calls"] for row in (await response.json())["costs"])


def text_of(chunks: list[dict[str, Any]]) -> str:
    """What a client reads."""
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", ()))


def errors_of(chunks: list[dict[str, Any]]) -> list[str]:
    """Messages of the errors among the chunks."""
    return [chunk["error"]["message"] for chunk in chunks if "error" in chunk]


async def _speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request with the script that its model names, and close."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        model = json.loads(await reader.readexactly(length))["model"]
        kind, script = ALL[model]
        status = kind if kind.isdecimal() else "200"
        content_type = STREAM if kind.isdecimal() else kind
        writer.write(f"HTTP/1.1 {status} OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n".encode())
        for part in [script] if isinstance(script, bytes) else script:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
    writer.close()


ALL: dict[str, tuple[str, bytes | list[bytes | float]]] = {
    **SPOKEN,
    **{name: (STREAM, script) for name, script in MISCOUNTED.items()},
    "zeros": (STREAM, HELLO + STOP + USAGE + data({"choices": [], "usage": dict.fromkeys(TOLD, 0)}) + DONE),
    "anthropic-zeros": (
        STREAM,
        b"".join(MESSAGE)
        + data(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"input_tokens": 0, "output_tokens": 5},
            }
        ),
    ),
    "thoughts": (STREAM, HELLO + STOP + data({"choices": [], "usage": THOUGHTFUL}) + DONE),
    "halves": (STREAM, HALVES + STOP + USAGE + DONE),
    "nested": (STREAM, HELLO + NESTED + STOP),
    "error-counts": (STREAM, HELLO + data({"error": {"message": "Out of memory", "code": 500}, "usage": TOLD})),
    "error-event": (STREAM, HELLO + b"event: error\n" + data({"message": "Out of memory"})),
    "calls": (
        STREAM,
        calling(id="one", function={"name": "f", "arguments": '{"a":'})
        + calling(function={"arguments": "1}"})
        + calling(id="two", function={"name": "g", "arguments": "{}"})
        + calling(index="2", id="three", function={"name": "h", "arguments": "{}"})
        + calling(index=0, id="four", function={"name": "f", "arguments": "{}"})
        + piece(finish="tool_calls")
        + USAGE
        + DONE,
    ),
}


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Rig]:
    """The server of all scripts, and a Ken in front of it."""
    server = await asyncio.start_server(_speak, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    models = [
        ModelSettings(
            name=name,
            kind="anthropic" if name.startswith("anthropic") else "openai",
            model=name,
            base_url=address,  # pyright: ignore[reportArgumentType] - pydantic reads it
            first_token_s=10,
        )
        for name in ALL
    ]
    settings = load(
        tmp_path_factory.mktemp("faults"),
        models=tuple(models),
        prices={name: {"input": MICROS_IN, "output": MICROS_OUT} for name in ALL},
        gateway={"backoff_s": 0.001},
    )
    ken = await open_home(settings)
    async with server, aiohttp.ClientSession(trust_env=False) as session:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            service = uvicorn.Server(uvicorn.Config(build(ken), log_config=None))
            serving = asyncio.create_task(service.serve(sockets=[listener]))
            yield Rig(ken, f"http://127.0.0.1:{listener.getsockname()[1]}", session)
            service.should_exit = True
            await serving
        await ken.aclose()


@pytest.mark.parametrize("name", SPOKEN)
async def test_an_answer_is_the_same_however_it_is_spoken(rig: Rig, name: str) -> None:
    """Marks, line ends, empty reasons, a second choice, JSON for a stream, a late usage: all of the text, and what it costs."""
    chunks, trace_id = await rig.ask(name)
    assert (text_of(chunks), errors_of(chunks)) == ("Hello world.", [])
    assert await rig.booked(trace_id) == [("final", COST)]


@pytest.mark.parametrize("name", MISCOUNTED)
async def test_a_usage_that_can_not_be_is_estimated(rig: Rig, name: str) -> None:
    """Tokens beyond all reason, truth values, and the parts of each piece alone are no usage: the call is counted and closed."""
    before = await rig.estimated()
    chunks, trace_id = await rig.ask(name)
    assert not errors_of(chunks)
    [(state, cost)] = await rig.booked(trace_id)
    assert state == "final"
    assert cost is not None
    assert 10 < cost < 2 * MICROS_OUT // 1_000_000 * len(text_of(chunks))
    assert await rig.estimated() == before + 1


@pytest.mark.parametrize("name", ["zeros", "anthropic-zeros"])
async def test_a_zero_takes_back_nothing_that_was_told(rig: Rig, name: str) -> None:
    """Some servers fill in zeros at the end: what they told before counts."""
    _, trace_id = await rig.ask(name)
    assert await rig.booked(trace_id) == [("final", COST)]


async def test_thoughts_that_are_counted_beside_the_answer_are_paid(rig: Rig) -> None:
    """Where the total says that they aren't part of the answer's tokens, they are added to them."""
    _, trace_id = await rig.ask("thoughts")
    assert await rig.booked(trace_id) == [("final", 10 + 2 * 35)]


async def test_a_character_in_two_halves_is_one(rig: Rig) -> None:
    """A server that cuts text by UTF-16 units breaks no character, and the call is on record."""
    chunks, trace_id = await rig.ask("halves", content="What is \ud800, and what \0?")
    assert text_of(chunks) == "Hello 😀 world."
    assert await asyncio.to_thread(rig.ken.recorder.flush)
    async with rig.session.get(f"{rig.url}/api/traces/{trace_id}") as response:
        assert (await response.json())["answer"] == "Hello 😀 world."


@pytest.mark.parametrize(("name", "words"), [("error-counts", "Out of memory"), ("error-event", "Out of memory")])
async def test_an_error_in_mid_stream_says_what_the_server_said(rig: Rig, name: str, words: str) -> None:
    """In whatever shape it comes; a usage that is told with it counts."""
    chunks, trace_id = await rig.ask(name)
    assert words in errors_of(chunks)[0]
    if name == "error-counts":
        assert await rig.booked(trace_id) == [("final", COST)]


async def test_json_too_deep_to_read_is_a_fault_of_the_model(rig: Rig) -> None:
    """It is no internal error: the client is told what was wrong, and another model could go on."""
    chunks, _ = await rig.ask("nested")
    assert "not a chat completion" in errors_of(chunks)[0]


async def test_tool_calls_stay_apart_however_they_are_counted(rig: Rig) -> None:
    """Without an index, with one as text, or with the same for all, each call keeps its own arguments."""
    chunks, _ = await rig.ask("calls")
    found: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.get("choices", ()):
            for call in choice["delta"].get("tool_calls", ()):
                told = call["function"]
                found[call["index"]] = found.get(call["index"], "") + told.get("name", "") + told["arguments"]
    assert list(found.values()) == ['f{"a":1}', "g{}", "h{}", "f{}"]
