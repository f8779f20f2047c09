"""Running the mock provider: in this event loop on a free port, or until a signal comes; and addresses that fail."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from ken.mock.app import MockProvider
from ken.mock.ledger import Ledger
from ken.mock.server import Connection
from ken.mock.writing import Tokenizer

_BACKLOG = 2048
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Running:
    """A mock provider that listens."""

    url: str
    """Its base URL for OpenAI's clients, as in `http://127.0.0.1:9100/v1`."""
    refused_url: str
    """The same where nothing listens: every connection is refused."""
    tls_url: str
    """The same over TLS, which the server doesn't speak: the handshake fails."""
    unknown_url: str
    """The same under a host that can't be resolved; asking for it leaves this machine's network alone."""
    ledger: Ledger
    provider: MockProvider

    async def settled(self, model: str | None = None, *, within_s: float = 5.0) -> None:
        """Wait until no request (of one model) is running, so that the books are final. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while any(entry.outcome == "running" for entry in self.ledger.entries(model)):  # noqa: ASYNC110 - the books are plain values
                await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def running(
    *, host: str = "127.0.0.1", port: int = 0, tokens: Tokenizer | None = None
) -> AsyncGenerator[Running]:
    """Serve on `port`, or a free one, until the end of the block. Raises OSError where the port is taken."""
    provider = MockProvider(tokens)
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(provider, connections), host, port, backlog=_BACKLOG)
    taken = server.sockets[0].getsockname()[1]
    place = f"[{host}]" if ":" in host else host
    # Bound and not listening: nobody else can take the port, and nobody answers there.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        try:
            yield Running(
                url=f"http://{place}:{taken}/v1",
                refused_url=f"http://127.0.0.1:{deaf.getsockname()[1]}/v1",
                tls_url=f"https://{place}:{taken}/v1",
                unknown_url=f"http://[::1%nowhere]:{taken}/v1",
                ledger=provider.ledger,
                provider=provider,
            )
        finally:
            server.close()
            for connection in list(connections):
                connection.abort()
            await server.wait_closed()
            await asyncio.sleep(0)


@contextmanager
def running_in_thread(*, tokens: Tokenizer | None = None) -> Generator[Running, None, None]:
    """The same from synchronous code: serve on a free port of loopback in a thread until the end of the block."""
    started: Future[tuple[Running, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def main() -> None:
        ending = asyncio.Event()
        async with running(tokens=tokens) as mock:
            started.set_result((mock, asyncio.get_running_loop(), ending))
            await ending.wait()

    def body() -> None:
        try:
            asyncio.run(main())
        except OSError as error:
            started.set_exception(error)

    thread = threading.Thread(target=body, name="mock-provider", daemon=True)
    thread.start()
    mock, loop, ending = started.result(10)
    try:
        yield mock
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(10)
