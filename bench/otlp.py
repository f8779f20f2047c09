"""Spans over OTLP/HTTP: how many a second are accepted, how many are still there after kill -9, and what an idle server costs.

    python -m venv PEER && PEER/bin/pip install arize-phoenix
    python bench/otlp.py [--peer-python PEER/bin/python] [--seconds 10] [--sizes 1,50,512] [--clients 8]

The same client, on the same machine, sends the same bodies to both, each with a store on the same disk: spans of a chat as the
GenAI conventions have them, ten to a trace, with some text in them. In the first round of each the server is killed (-9) when the
last answer is there, and what SQLite holds is counted: the rest was accepted and lost. In the second it is left alone until nothing
more is written for 25 s, for two minutes at most, and then killed: what is there, by the time that it took from the first request, is its
durable rate. A request that is answered 429 or 503 is sent again after a moment. `idle` is measured before the first request:
processor time over some seconds, and resident memory, of the whole process tree; Ken's embedder is loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from rig.handbooks import machine

SPANS_A_TRACE = 10
BODIES = 400
"""Made before a round begins; where more are sent, their ids are made anew."""
QUESTION = "Which of the tide tables holds for the outer harbour in the first week of September, and who signs it off? "


@dataclass(frozen=True, slots=True)
class Server:
    """A server under test: how it is started, where it takes spans, and how many its database holds."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    ready: str
    database: Path
    count: str
    port: int


@dataclass(slots=True)
class Round:
    """What one round came to."""

    accepted: int = 0
    """Spans that were answered 200."""
    refused: int = 0
    """Requests answered 429 or 503, which are sent again."""
    failed: int = 0
    took_s: float = 0.0
    """Until the last answer."""
    written_s: float = 0.0
    """Until nothing more was written."""
    latencies: list[float] = field(default_factory=list[float])


def ken(home: Path) -> Server:
    """Ken over an empty home."""
    port = free_port()
    command = [sys.executable, "-m", "ken", "--home", str(home), "up", "--port", str(port)]
    count = "SELECT coalesce(sum(count), 0) FROM span_batches"
    # No limit for one key: the peer has none.
    (home / "ken.toml").write_text("[telemetry]\nreceive_spans_per_s = 1000000\n")
    return Server("ken", command, {}, "/readyz", home / "ken.db", count, port)


def phoenix(python: Path, home: Path) -> Server:
    """arize-phoenix over an empty folder."""
    port = free_port()
    environment = {
        "PHOENIX_WORKING_DIR": str(home),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    command = [str(python.parent / "phoenix"), "serve"]
    return Server("phoenix", command, environment, "/healthz", home / "phoenix.db", "SELECT count(*) FROM spans", port)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    """Start it, wait until it is ready, and kill it with all that it started."""
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the child writes to it as long as it lives
    environment = {**os.environ, **server.environment}
    process = subprocess.Popen(server.command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        asyncio.run(wait_for(f"http://127.0.0.1:{server.port}{server.ready}", process))
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


async def wait_for(url: str, process: subprocess.Popen[bytes], *, seconds: float = 180) -> None:
    """Ask until it answers 200."""
    give_up = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < give_up and process.poll() is None:
            with suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.2)
    raise SystemExit(f"{url} does not answer")


def spans_of_trace() -> Iterator[Span]:
    """Ten spans of one trace: a root, a search, and calls of a model."""
    trace_id, root = secrets.token_bytes(16), secrets.token_bytes(8)
    now = time.time_ns() - 5_000_000_000
    for number in range(SPANS_A_TRACE):
        span = Span(
            trace_id=trace_id,
            span_id=root if number == 0 else secrets.token_bytes(8),
            parent_span_id=b"" if number == 0 else root,
            name="chat gpt-4o-mini" if number else "invoke_workflow question",
            kind=Span.SPAN_KIND_CLIENT if number else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=now + number * 1_000_000,
            end_time_unix_nano=now + (number + 7) * 1_000_000,
        )
        span.attributes.extend(attributes(number))
        yield span


def attributes(number: int) -> Iterator[KeyValue]:
    """Fifteen, one of them a text."""
    words = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": f"chatcmpl-{number}",
        "gen_ai.output.type": "text",
        "server.address": "api.example.org",
        "gen_ai.conversation.id": f"c{number}",
        "gen_ai.input.messages": QUESTION * 3,
    }
    numbers = {
        "gen_ai.usage.input_tokens": 1200 + number,
        "gen_ai.usage.output_tokens": 80,
        "server.port": 443,
        "gen_ai.request.max_tokens": 800,
    }
    yield from (KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in words.items())
    yield from (KeyValue(key=key, value=AnyValue(int_value=value)) for key, value in numbers.items())
    yield KeyValue(key="gen_ai.request.temperature", value=AnyValue(double_value=0.2))
    yield KeyValue(key="gen_ai.request.stream", value=AnyValue(bool_value=True))


def requests_of(size: int) -> list[ExportTraceServiceRequest]:
    """Requests of so many spans each."""
    flow = (span for _ in iter(int, 1) for span in spans_of_trace())
    made: list[ExportTraceServiceRequest] = []
    for _ in range(max(20, min(BODIES, 40_000 // size))):
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="bench")))
        resource.scope_spans.add().spans.extend(next(flow) for _ in range(size))
        made.append(request)
    return made


def renewed(request: ExportTraceServiceRequest, renamed: dict[bytes, bytes]) -> bytes:
    """The same with new ids: a span is sent once."""
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.trace_id = renamed.setdefault(span.trace_id, secrets.token_bytes(16))
        span.span_id = secrets.token_bytes(8)
    return request.SerializeToString()


async def send(server: Server, size: int, *, clients: int, seconds: float) -> Round:
    """Send for some seconds from some connections at once."""
    made, found = requests_of(size), Round()
    renamed: dict[bytes, bytes] = {}
    turns = iter(range(1 << 60))
    url = f"http://127.0.0.1:{server.port}/v1/traces"
    began = time.perf_counter()

    async def client(session: aiohttp.ClientSession) -> None:
        while time.perf_counter() - began < seconds:
            number = next(turns)
            if number % len(made) == 0:
                renamed.clear()
            body = renewed(made[number % len(made)], renamed)
            while time.perf_counter() - began < seconds:
                sent = time.perf_counter()
                async with session.post(url, data=body, headers={"Content-Type": "application/x-protobuf"}) as answer:
                    await answer.read()
                if answer.status == 200:
                    found.latencies.append(time.perf_counter() - sent)
                    found.accepted += size
                    break
                if answer.status not in {429, 503}:
                    found.failed += 1
                    break
                found.refused += 1
                await asyncio.sleep(0.05)

    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(client(session))
    found.took_s = time.perf_counter() - began
    return found


def readable(server: Server) -> int:
    """Spans that the database of a killed server holds."""
    with sqlite3.connect(server.database) as connection:
        return int(connection.execute(server.count).fetchone()[0])


def settle(server: Server, found: Round, *, seconds: float = 120) -> None:
    """Wait until nothing more is written, and note how long that took since the first request."""
    began = time.perf_counter() - found.took_s
    give_up = time.perf_counter() + seconds
    seen, found.written_s, changed = -1, found.took_s, time.perf_counter()
    while time.perf_counter() < give_up and time.perf_counter() - changed < 25 and seen < found.accepted:
        if (now := readable(server)) != seen:
            changed = time.perf_counter()
            found.written_s = found.took_s if seen < 0 else changed - began
            seen = now
        time.sleep(0.25)


def idle(server: Server, seconds: float) -> tuple[float, float]:
    """Share of one core, and MB of resident memory, of a server that nobody asks anything."""
    with running(server) as process:
        time.sleep(5)
        before = processor_s(process.pid)
        time.sleep(seconds)
        share = (processor_s(process.pid) - before) / seconds
        return share, sum(resident_mb(pid) for pid in tree(process.pid))


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return [pid, *(below for child in children for below in tree(int(child)))]


def processor_s(pid: int) -> float:
    """Seconds of processor time of a process tree so far."""
    ticks = 0
    for each in tree(pid):
        told = Path(f"/proc/{each}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory of one process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def made(name: str, peer: Path | None, *, folder: Path) -> Server:
    """A server over a fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return phoenix(peer, folder) if name == "phoenix" and peer is not None else ken(folder)


def measured(name: str, peer: Path | None, *, folder: Path, size: int, told: argparse.Namespace) -> float:
    """One row of the table; the durable spans a second."""
    server = made(name, peer, folder=folder)
    with running(server):
        killed = asyncio.run(send(server, size, clients=told.clients, seconds=told.seconds))
    lost = max(0, killed.accepted - readable(server))
    server = made(name, peer, folder=folder)
    with running(server):
        found = asyncio.run(send(server, size, clients=told.clients, seconds=told.seconds))
        settle(server, found)
    rate = readable(server) / found.written_s
    p50, p99 = (statistics.quantiles(found.latencies or [0.0, 0.0], n=100)[at] * 1000 for at in (49, 98))
    print(
        f"| {size} | {name} | {found.accepted / found.took_s:,.0f} | {rate:,.0f} | {lost:,} of {killed.accepted:,} "
        f"| {p50:.1f} | {p99:.1f} | {found.refused} | {found.failed} |",
        flush=True,
    )
    return rate


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--sizes", default="1,50,512")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--idle-seconds", type=float, default=20)
    told = parser.parse_args()
    peer: Path | None = told.peer_python
    names = ["ken"] if peer is None else ["ken", "phoenix"]
    place = Path(tempfile.mkdtemp(prefix="ken-otlp-"))
    print(machine())
    print(
        "\n| spans a request | server | accepted/s | durable/s | lost by kill -9 | p50 ms | p99 ms | refused | failed |"
    )
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for size in (int(each) for each in told.sizes.split(",")):
        durable = {name: measured(name, peer, folder=place / name, size=size, told=told) for name in names}
        if len(durable) > 1:
            ratio = durable["ken"] / max(1.0, durable["phoenix"])
            print(f"| {size} | ken / phoenix | | {ratio:.1f} x | | | | | |", flush=True)
    print("\n| idle server | % of a core | MB resident |\n|---|---:|---:|")
    for name in names:
        share, memory = idle(made(name, peer, folder=place / name), told.idle_seconds)
        print(f"| {name} | {share:.2%} | {memory:.0f} |", flush=True)
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
