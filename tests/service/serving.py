"""A real Ken on a real port: uvicorn in a thread, over a home that holds the corpus."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn

from ken.service.app import build
from ken.service.routes.console import FOLDER
from ken.settings import ModelSettings, load
from ken.wiring import Ken, open_home
from tests.service.endpoint import MODELS, Endpoint

T = TypeVar("T")


@dataclass(slots=True)
class Served:
    """A running Ken, with a key of an operator, of an office clerk and of nobody in particular."""

    url: str
    ken: Ken
    endpoint: Endpoint
    operator: str
    clerk: str
    nobody: str
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def client(self, key: str | None = None, **options: Any) -> httpx.Client:  # noqa: ANN401 - httpx's own options
        """An HTTP client, with a key or without."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, **options)


@contextmanager
def serving(home: Path, *, console: Path = FOLDER, **settings: object) -> Iterator[Served]:
    """Serve a home until the end of the block, with the endpoint's models and without a cache unless told otherwise.

    `console`: the folder of a built console.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    started: list[Served] = []
    ready = threading.Event()
    ending: list[uvicorn.Server] = []
    failed: list[BaseException] = []

    async def main() -> None:
        endpoint = Endpoint()
        url = await endpoint.start()
        models = tuple(ModelSettings(name=name, base_url=url, model=name) for name in MODELS)  # pyright: ignore[reportArgumentType]
        port = listener.getsockname()[1]
        told = {"models": models, "max_file_mb": 1, "cache": False} | settings
        ken = await open_home(load(home, port=port, **told))
        operator = ken.keys.create("operator", ["operators"])[1]
        clerk = ken.keys.create("clerk", ["office"])[1]
        nobody = ken.keys.create("nobody", [])[1]
        server = uvicorn.Server(uvicorn.Config(build(ken, pages=console), log_config=None, proxy_headers=False))
        ending.append(server)
        base = f"http://127.0.0.1:{port}"
        started.append(Served(base, ken, endpoint, operator, clerk, nobody, asyncio.get_running_loop()))
        ready.set()
        await server.serve(sockets=[listener])
        await ken.aclose()
        await endpoint.stop()

    def body() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread, which raises it
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=body, name="served-ken")
    thread.start()
    try:
        assert ready.wait(60)
        if failed:
            raise failed[0]
        yield started[0]
    finally:
        if ending:
            ending[0].should_exit = True
        thread.join(30)
        listener.close()
        if failed:
            raise failed[0]
