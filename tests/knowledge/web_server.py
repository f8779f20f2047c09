"""A real web server on loopback for tests of sources: a handler of their own, and what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from ken.knowledge.sources.client import Client, ClientLimits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
QUICK = ClientLimits(timeout_s=10, attempts=3, first_wait_s=0.002, longest_wait_s=0.05)


@dataclass
class Server:
    """A server while it runs."""

    host: str
    """With its port, as `allowed_hosts` takes it."""
    asked: list[web.Request] = field(default_factory=list)
    """Every request, in order."""
    clients: list[Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, with queries, in order."""
        return [str(request.rel_url) for request in self.asked]

    def client(self, limits: ClientLimits = QUICK, headers: dict[str, str] | None = None) -> Client:
        """A client that may ask this server, in milliseconds; closed with the server."""
        self.clients.append(Client(allowed_hosts=frozenset({self.host}), headers=headers, limits=limits))
        return self.clients[-1]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    """Answer every request with `handler` while the context lasts."""
    server = Server("")

    async def remembered(request: web.Request) -> web.StreamResponse:
        server.asked.append(request)
        return await handler(request)

    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", remembered)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.host = f"127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        for client in server.clients:
            await client.aclose()
        await runner.cleanup()
