"""A real Ken whose plain gateway has a model, or a tier, for each cell of the matrix; and what a client sees of it."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn

from ken.gateway.fallback import Fallback
from ken.gateway.plain import PlainGateway
from ken.mock.behaviour import FAMILIES
from ken.mock.ledger import Entry
from ken.mock.serving import Running, running
from ken.service.app import build
from ken.settings import ModelSettings, load
from ken.wiring import Ken, open_home
from tests.gateway.matrix_table import TOKENS, Cell, Wire
from tests.service.corpus import QUESTION
from tests.service.events import read

MESSAGES = [{"role": "user", "content": "Tell me about the office."}]
SHORT_S, LONG_S = 0.4, 20.0
"""How long a call is waited for that is going to hang, and any other."""
AT_ONCE = 6
"""Cells that run at the same time."""
HANGS = frozenset({"hanghead", "hangtoken", "stall"})
_MOCK = FAMILIES["mock"]
_PRICES = {
    "input": _MOCK.input,
    "output": _MOCK.output,
    "cache_read": _MOCK.cached,
    "cache_write": _MOCK.written,
}
_FAILURES = 4
"""After so many a breaker opens: one more than what a single call of the door can have."""
_GATEWAY = {
    "backoff_s": 0.005,
    "breaker": {"min_calls": _FAILURES, "cooldown_s": 600.0, "slow_s": LONG_S},
}


@dataclass(slots=True)
class Seen:
    """What came of one cell."""

    status: int
    trace_id: str
    text: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)
    is_done: bool = False
    """`[DONE]`, or the whole answer, was the last that came."""
    notices: list[str] = field(default_factory=list)
    is_cached: bool = False
    took_s: float = 0.0
    entries: Sequence[Entry] = ()
    """What the provider has in its books."""
    trace: dict[str, Any] = field(default_factory=dict)
    booked: Sequence[tuple[str, str, int | None]] = ()
    """What Ken has in its books: model, state and cost of each call."""

    def spans(self, name: str) -> list[dict[str, Any]]:
        """The spans of that name, in order, with their attributes."""
        return [span for span in self.trace.get("spans", ()) if span["name"] == name]


@dataclass(frozen=True, slots=True)
class Rig:
    """The mock provider, and a Ken that asks it."""

    mock: Running
    ken: Ken
    url: str
    session: aiohttp.ClientSession
    gate: asyncio.Semaphore
    leave: Callable[[], Awaitable[None]]
    """End the server that the models of the row `refused` have answered at."""

    async def prepare(self, cell: Cell) -> str:
        """Bring about what has gone before a cell; the answer that was given then, if any."""
        async with self.gate:
            if cell.column == "warm":
                return (await self._asked(cell)).text
            if cell.column == "open":
                for _ in range(_FAILURES):
                    await self._asked(cell)
            return ""

    async def ask(self, cell: Cell) -> Seen:
        """Do what a cell says, through the door."""
        async with self.gate:
            before = len(self.mock.ledger.entries(cell.provider_model))
            begun = time.monotonic()
            seen = await self._asked(cell)
            seen.took_s = time.monotonic() - begun
        return await self._looked_up(cell, seen, before=before)

    async def _looked_up(self, cell: Cell, seen: Seen, *, before: int) -> Seen:
        """With what the provider's books, Ken's books and the trace say of it."""
        await self.mock.settled(cell.provider_model)
        seen.entries = [
            *self.mock.ledger.entries(cell.provider_model)[before:],
            *self.mock.ledger.entries(second_of(cell)),
        ]
        while "id" not in seen.trace:  # of a client that has left, it is written after that was noticed
            async with self.session.get(f"{self.url}/api/traces/{seen.trace_id}") as response:
                seen.trace = await response.json()
        books = self.ken.providers.stacks.books
        assert await books.flush()
        seen.booked = await asyncio.to_thread(books.ledger.of_trace, seen.trace_id)
        return seen

    async def leave_after(self, cell: Cell, tokens: int) -> Seen:
        """Ask for a stream and hang up after so many tokens."""
        trace_id = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        body = {"model": cell.name, "messages": MESSAGES, "stream": True}
        async with self.session.post(f"{self.url}/v1/chat/completions", json=body, headers=headers) as response:
            seen = Seen(status=response.status, trace_id=trace_id)
            while tokens:
                line = await response.content.readline()
                tokens -= b'"content":"' in line and b'"content":""' not in line
            response.close()
        return await self._looked_up(cell, seen, before=0)

    async def _asked(self, cell: Cell) -> Seen:
        is_streamed = cell.shape == "stream"
        trace_id = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        if cell.column == "warm":
            path, query = "/api/ask", {} if is_streamed else {"stream": "false"}
            body: dict[str, object] = {"model": cell.name, "question": QUESTION}
        else:
            path, query = "/v1/chat/completions", {}
            body = {"model": cell.name, "messages": MESSAGES, "stream": is_streamed}
        async with self.session.post(f"{self.url}{path}", params=query, json=body, headers=headers) as response:
            seen = Seen(status=response.status, trace_id=trace_id)
            if not is_streamed or response.content_type != "text/event-stream":
                read_whole(seen, await response.json())
            elif cell.column == "warm":
                read_events(seen, await response.text())
            else:
                read_stream(seen, await response.text())
        return seen


def read_stream(seen: Seen, text: str) -> None:
    """Read server-sent events as strictly as a client may: nothing comes after the end."""
    for block in text.split("\n\n"):
        data = block.removeprefix("data: ")
        if not data or data.startswith(":"):
            continue
        assert not seen.is_done, f"something came after the end: {data}"
        if data == "[DONE]":
            seen.is_done = True
            continue
        assert not seen.errors, f"something came after the error: {data}"
        chunk = json.loads(data)
        if "error" in chunk:
            seen.errors.append(chunk["error"])
            continue
        seen.text += "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])
        seen.notices += chunk.get("ken", {}).get("notices", ())


def read_events(seen: Seen, text: str) -> None:
    """Read the events of Ken's own door: tokens, and at the end the answer, or an error."""
    for name, told in read(text.splitlines()):
        assert not seen.is_done, f"something came after the end: {name}"
        if name == "token":
            seen.text += told["text"]
        elif name == "error":
            seen.errors.append(told["error"])
        elif name == "answer":
            assert told["text"] == seen.text
            seen.is_done, seen.is_cached = True, told["cached"]


def read_whole(seen: Seen, told: dict[str, Any]) -> None:
    """Read an answer in one piece, or an error."""
    if "error" in told:
        seen.errors.append(told["error"])
        return
    seen.is_done = True
    if "choices" in told and "object" in told:
        seen.text = told["choices"][0]["message"]["content"] or ""
        seen.notices += told["ken"]["notices"]
    else:
        seen.text, seen.is_cached = told["text"], told["cached"]


def first_of(cell: Cell) -> str:
    """What Ken calls the model that fails."""
    return f"first-{cell.name}" if cell.column == "fallback" else cell.name


def second_of(cell: Cell) -> str:
    """What the provider calls the second model of a chain, which works."""
    return f"mock-len{TOKENS}-id.second.{cell.name.replace('-', '.')}"


@asynccontextmanager
async def standing(home: Path, cells: Sequence[Cell]) -> AsyncGenerator[Rig]:
    """Serve a home until the end of the block, with a model or a chain of two for each cell."""
    async with (
        running() as mock,
        AsyncExitStack() as leaving,
        aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=LONG_S)) as session,
    ):
        left = await leaving.enter_async_context(running())
        models = [table for cell in cells for table in _tables(cell, mock, left)]
        settings = load(
            home,
            models=tuple(models),
            prices={table.name: _PRICES for table in models},
            gateway=_GATEWAY,
            when_models_fail="error",
            deadline_s=LONG_S,
        )
        # A name that no resolver has to be asked for to know that it is none would be no address for ken.toml.
        lost = [
            table.model_copy(update={"base_url": mock.unknown_url})
            if "-dns-" in table.name and not table.name.startswith("second-")
            else table
            for table in models
        ]
        ken = await open_home(settings.model_copy(update={"models": tuple(lost)}))
        doors = {name: model for name, model in ken.providers.models.items() if name not in ken.readers}
        chains = [cell for cell in cells if cell.column == "fallback"]
        for cell in chains:
            # ken.toml has five tiers; these are as many as there are cells.
            both = [ken.providers.models[table.name] for table in _tables(cell, mock, left)]
            doors[cell.name] = Fallback(cell.name, both, vitals=ken.providers.stacks.vitals)
        tiers = frozenset(cell.name for cell in chains)
        plain = PlainGateway(doors, tiers=tiers, recorder=ken.recorder, release="matrix")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(build(replace(ken, plain=plain)), log_config=None))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Rig(mock, ken, url, session, asyncio.Semaphore(AT_ONCE), leaving.aclose)
            server.should_exit = True
            await serving
        await ken.aclose()


def _tables(cell: Cell, mock: Running, left: Running) -> list[ModelSettings]:
    """The models of a cell, as ken.toml has them."""
    addresses = {"refused": left.url if cell.column == "warm" else mock.refused_url, "tls": mock.tls_url}
    url = addresses.get(cell.fault, mock.url)
    first = _table(first_of(cell), cell.provider_model, url, kind=cell.wire)
    if cell.fault in HANGS:
        # An answer in one piece is waited for as a whole.
        limits = ("first_token_s", "stall_s") if cell.shape == "stream" else ("completion_s",)
        first = first.model_copy(update=dict.fromkeys(limits, SHORT_S))
    if cell.column != "fallback":
        return [first]
    return [first, _table(f"second-{cell.name}", second_of(cell), mock.url, kind=cell.wire)]


def _table(name: str, model: str, url: str, *, kind: Wire) -> ModelSettings:
    return ModelSettings(
        name=name,
        kind=kind,
        base_url=url,  # pyright: ignore[reportArgumentType] - pydantic reads it
        model=model,
        connect_s=LONG_S,
        first_token_s=LONG_S,
        stall_s=LONG_S,
        completion_s=LONG_S,
    )
