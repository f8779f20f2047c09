# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken up`: serve the page and the API."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import ipaddress
import signal
import socket
from collections.abc import Callable, Generator
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, settings_of
from ken.cli.log import log_to
from ken.cli.output import say, shown, tell
from ken.cli.suggestions import suggested
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import InvalidSetting

if TYPE_CHECKING:
    import uvicorn

    from ken.settings import Settings
    from ken.wiring import Ken

_BACKLOG = 2048
IPV4 = 4
_COLLECTOR = (10_000, 20, 20)
"""New objects before the youngest are looked at, and rounds before the older ones are."""
_TICK_S = 1.0
_SEEN = 200
"""Documents looked at for the suggestions."""


def up(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option("--host", help="Listen on this address [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Listen on this port [default: 8000]")] = None,
    home: HomeOption = None,
) -> None:
    """Serve the page and the API until Ctrl-C or SIGTERM; what is being answered then is finished first.

    On 127.0.0.1 no key is needed. On any other address every call needs one: `ken keys create`.
    """
    from ken.settings import EVERY_SECRET

    settings = settings_of(context, home, secrets=EVERY_SECRET, host=host, port=port)
    log_to(settings.home, aloud=True, policy=settings.capture.redact)
    with _listening(settings) as listener:
        asyncio.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    # uvicorn reads requests with it, and would do without it in silence, at a sixth more for each call.
    import httptools  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import uvicorn

    from ken.service.app import build
    from ken.wiring import open_home

    tell("Opening the home and its index…")
    ken = await open_home(settings)
    try:
        app = build(ken)
        config = uvicorn.Config(
            app,
            http="httptools",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=int(settings.deadline_s) + 5,
        )
        server = _server(config, ending=app.state.live.end)
        await _greet(ken, settings)
        _spare_the_collector()
        await server.serve(sockets=[listener])
    finally:
        await ken.aclose()
    tell("Ken has ended.")


def _spare_the_collector() -> None:
    """Have the garbage collector leave what is here by now alone, as it stays, and come by less often.

    It took a tenth of a call's time, and its pauses were most of the slowest ones'.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR)


def _server(config: uvicorn.Config, *, ending: Callable[[], None]) -> uvicorn.Server:
    """A server that ends on SIGINT and SIGTERM and lets the home be closed after it.

    It waits for what is being answered, so what would go on for ever has to be ended first: by `ending`. uvicorn raises the signal
    anew once it has ended, which would end the process before that; and it wakes up ten times a second to look whether it is to
    end, where this one is told.
    """
    import uvicorn

    told = asyncio.Event()

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            super().handle_exit(sig, frame)
            ending()
            told.set()

        async def main_loop(self) -> None:
            while not await self.on_tick(0):  # its counter is 0 whenever the answers' date is due, which is each second
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S):
                        await told.wait()

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            try:
                yield
            finally:
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.remove_signal_handler(number)

    return Server(config)


@contextlib.contextmanager
def _listening(settings: Settings) -> Generator[socket.socket, None, None]:
    """The bound socket: a taken port is found out before anything is loaded. Raises InvalidSetting."""
    family, address = _address(settings)
    # With its protocol named: asyncio turns Nagle's algorithm off only then, and each answer waited 40 ms for it.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, settings.port))
        except OSError as error:
            raise InvalidSetting(_why_not(settings, error)) from error
        listener.listen(_BACKLOG)
        yield listener


def _address(settings: Settings) -> tuple[socket.AddressFamily, str]:
    """What to bind to: an address as it was given, or a name's first one."""
    try:
        number = ipaddress.ip_address(settings.host)
    except ValueError:
        pass
    else:
        return (socket.AF_INET if number.version == IPV4 else socket.AF_INET6), settings.host
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise InvalidSetting(
            f"The host {settings.host!r} is not an address of this machine: {error.strerror}."
        ) from error
    return family, str(address[0])


def _why_not(settings: Settings, error: OSError) -> str:
    from ken.cli.running import address_of, is_ken

    where = f"port {settings.port} of {settings.host}"
    if error.errno == errno.EADDRINUSE:
        who = "Another Ken" if is_ken(address_of(settings)) else "Another program"
        return f"{who} listens on {where} already. End it, or choose another port: ken up --port {settings.port + 1}"
    if error.errno == errno.EACCES:
        return (
            f"This user may not listen on {where}: ports below 1024 are for root. Choose one above: ken up --port 8000"
        )
    return f"Ken can't listen on {where}: {error.strerror}. Choose an address of this machine: ken up --host 127.0.0.1"


async def _greet(ken: Ken, settings: Settings) -> None:
    """Say where Ken is and what to try."""
    from ken.cli.running import address_of
    from ken.service.access import is_loopback

    say(f"Ken is at {address_of(settings)}")
    if not is_loopback(settings.host):
        tell("It is open to the network: every call needs a key. `ken keys create NAME` makes one.")
    if not await ken.library.is_embedded():
        wanted = ken.library.committer.spaces.wanted
        tell(
            shown(
                f"Documents are embedded anew with {wanted}; the old vectors serve until that is done.",
                to_terminal=True,
            )
        )
    collections = await ken.library.collections(LOCAL_OPERATOR)
    if not collections:
        tell("There are no documents yet. Put some in: ken sync FOLDER --collection NAME")
        return
    tell("It answers from: " + ", ".join(f"{name} ({count} documents)" for name, count in collections))
    if behind := await ken.library.behind():
        tell(f"Not cut as ken.toml says by now, until they are synced again: {', '.join(behind)}")
    questions = suggested(await ken.library.documents(LOCAL_OPERATOR, limit=_SEEN))
    tell("Try, there or with `ken ask`:")
    for question in questions:
        tell(shown(f"  {question}", to_terminal=True))
