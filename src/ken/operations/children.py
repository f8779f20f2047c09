"""Programs that are started beside: a Ken for a home, a mock provider. Each ends when its block does, whatever happens."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ken.errors import StorageError

_START_S = 60.0
_END_S = 20.0
_TAIL = 2_000
"""Characters of what a child said last, for the error that it did not start."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program that serves."""

    url: str
    process: asyncio.subprocess.Process
    log: Path
    """What it says on stderr."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process.returncode is None

    async def end(self) -> int:
        """Ask it to end, and make it where it doesn't; its exit code."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_END_S):
                    await self.process.wait()
            except TimeoutError:
                await self.kill()
        return self.process.returncode or 0

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


def free_port() -> int:
    """A port of loopback that nobody listens at just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ken_command(home: Path, *arguments: str) -> list[str]:
    """The command line of this Ken for a home."""
    return [sys.executable, "-m", "ken", "--home", str(home), *arguments]


@asynccontextmanager
async def ken_up(
    home: Path, *, environment: Mapping[str, str], before: Sequence[str] = (), port: int | None = None
) -> AsyncGenerator[Child]:
    """Serve a home on loopback; `before` are words that the command line begins with, such as a limit's. Raises StorageError."""
    command = [*before, *ken_command(home, "up", "--host", "127.0.0.1", "--port", str(port or free_port()))]
    async with _serving(command, environment=environment, log=home / "up.log") as child:
        yield child


@asynccontextmanager
async def mock_provider(*, environment: Mapping[str, str], log: Path, port: int = 0) -> AsyncGenerator[Child]:
    """Serve the mock provider on loopback; `url` is its base URL for OpenAI's clients. Raises StorageError."""
    command = [sys.executable, "-m", "ken", "mock-provider", "--port", str(port)]
    async with _serving(command, environment=environment, log=log) as child:
        yield child


async def run_ken(home: Path, *arguments: str, environment: Mapping[str, str]) -> str:
    """Run a command of Ken's to its end; what it printed. Raises StorageError where it failed."""
    process = await asyncio.create_subprocess_exec(
        *ken_command(home, *arguments),
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, told = await process.communicate()
    if process.returncode:
        raise StorageError(
            f"`ken {arguments[0]}` failed on the copy {str(home)!r}: {told.decode('utf-8', 'replace')[-_TAIL:]}"
        )
    return out.decode("utf-8", "replace")


@asynccontextmanager
async def _serving(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> AsyncGenerator[Child]:
    with log.open("ab") as told:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=told,
        )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        async with asyncio.timeout(_START_S):
            line = (await process.stdout.readline()).decode("utf-8", "replace").strip()
    except TimeoutError:
        line = ""
    url = line.rpartition(" is at ")[2]
    child = Child(url, process, log)
    try:
        if not url.startswith("http"):
            await child.end()
            raise StorageError(f"`{' '.join(command[-6:])}` did not start: {_said(log)}.")
        yield child
    finally:
        await child.end()


def _said(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-_TAIL:].strip() or "it said nothing"
