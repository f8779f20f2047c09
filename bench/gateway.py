"""What the plain gateway adds to a call, beside litellm[proxy]: the same mock provider behind both, the same load.

    python bench/gateway.py [--peer-python PEER/bin/python] [--rounds 3] [--memory]

The peer has an environment of its own:

    python -m venv PEER && PEER/bin/pip install 'litellm[proxy]'

One process of each; Both ask for a key. Ken records every call, and reserves and settles it in its books on the disk; the
peer does not (it has no database). `direct` is the mock provider without anything in between: what a gateway adds is
what it takes longer than that. All take turns in each round; percentiles are of a round, and the median over rounds is
shown. An answer that isn't a whole 200 is a failure. Load generator and mock share a processor, what is measured has the
other one (Linux). `--memory` makes 100,000 calls more and shows the resident memory before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.handbooks import machine
from rig.load import Outcome, load, request
from rig.server import PATIENCE_S, Server, free_port

MODEL = "mock-len8"
CHAT = "/v1/chat/completions"
CLIENTS = (1, 16, 64)
CALLS_ALONE = 150
SECONDS = 3.0
WARM_UP = 200
MEMORY_CALLS = 100_000
MEMORY_CLIENTS = 16
SETTLED_CALLS = 3_000
"""Calls before the memory is looked at first: pools and caches have filled by then."""
QUESTION = "Say in one sentence what a harbour is for, to somebody who has never seen one."
NOT_RECORDED = "ken, record off"

Key = tuple[str, int, bool]
"""Target, clients, whether streamed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that answers chat completions."""

    name: str
    server: Server
    model: str
    key: str = "local"

    def data(self, *, streamed: bool) -> bytes:
        """The request."""
        body = {"model": self.model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 100}
        if streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return request(
            self.server.port, CHAT, body=json.dumps(body).encode(), headers={"Authorization": f"Bearer {self.key}"}
        )

    def load(self, *, clients: int, calls: int = 0, seconds: float = 0.0, streamed: bool = False) -> Outcome:
        """Put a load on it."""
        data = self.data(streamed=streamed)
        return asyncio.run(load(self.server.port, data, clients=clients, calls=calls, seconds=seconds))


@contextmanager
def started(
    command: list[str], port: int, *, environment: Mapping[str, str], core: int, key: str = "local"
) -> Generator[Server]:
    """A server process on one processor core, from its first 200 on."""
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile() as log, ExitStack() as stack:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | dict(environment))
        stack.callback(_ended, process)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {core % (os.cpu_count() or 1)})
        while not _answers(port, key):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE_S:
                raise SystemExit(Path(log.name).read_text("utf-8")[-3000:])
            time.sleep(0.2)
        yield Server(port, process.pid, time.perf_counter() - began)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_S)


def _answers(port: int, key: str) -> bool:
    get = f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    try:
        return asyncio.run(load(port, get, clients=1, calls=1)).failures == 0
    except OSError:
        return False


def ken_command(home: Path, port: int, *, mock: Server, recorded: bool) -> tuple[list[str], str]:
    """How Ken is started, on a home with one model, and a key for it."""
    run = [sys.executable, "-m", "ken", "--home", str(home)]
    made = subprocess.run([*run, "keys", "create", "bench"], capture_output=True, text=True, check=True).stdout
    key = next(word for word in made.split() if word.startswith("ken-"))
    (home / "ken.toml").write_text(
        f'[[models]]\nname = "trial"\nmodel = "{MODEL}"\nbase_url = "http://127.0.0.1:{mock.port}/v1"\n', "utf-8"
    )
    if recorded:
        return [*run, "up", "--port", str(port)], key
    return [sys.executable, str(Path(__file__).parent / "rig" / "unrecorded.py"), str(home), str(port)], key


def litellm_command(python: Path, folder: Path, *, port: int, mock: Server) -> list[str]:
    """How the peer is started."""
    config = folder / "litellm.yaml"
    parameters = f"{{model: openai/{MODEL}, api_base: 'http://127.0.0.1:{mock.port}/v1', api_key: local}}"
    config.write_text(
        f"model_list:\n  - model_name: trial\n    litellm_params: {parameters}\n"
        "litellm_settings: {telemetry: false, num_retries: 0}\n",
        "utf-8",
    )
    program = str(python.parent / "litellm")
    return [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]


@contextmanager
def targets(peer: Path | None) -> Generator[list[Target]]:
    """All of them, running."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        command = [sys.executable, "-m", "ken", "mock-provider", "--port", str(port)]
        mock = stack.enter_context(started(command, port, environment={}, core=0))
        found = [Target("direct", mock, MODEL)]
        for name in ("ken", NOT_RECORDED):
            port = free_port()
            command, key = ken_command(folder / name, port, mock=mock, recorded=name == "ken")
            server = stack.enter_context(started(command, port, environment={}, core=1))
            found.append(Target(name, server, "trial", key))
        if peer is not None:
            port = free_port()
            key = f"sk-{secrets.token_hex(32)}"
            environment = {
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_LOG": "ERROR",
                "LITELLM_MASTER_KEY": key,
            }
            command = litellm_command(peer, folder, port=port, mock=mock)
            server = stack.enter_context(started(command, port, environment=environment, core=1, key=key))
            found.append(Target("litellm", server, "trial", key))
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {0})
        yield found


def in_rounds(found: list[Target], rounds: int) -> tuple[dict[Key, list[Outcome]], dict[Key, list[float]]]:
    """Measure all in turns; the outcomes, and the processor milliseconds a call."""
    outcomes: dict[Key, list[Outcome]] = defaultdict(list)
    used: dict[Key, list[float]] = defaultdict(list)
    for target in found:
        target.load(clients=8, calls=WARM_UP)
        target.load(clients=1, calls=20, streamed=True)
    for _ in range(rounds):
        for clients in CLIENTS:
            for target in found:
                for streamed in (False, True) if clients < CLIENTS[-1] else (False,):
                    before = target.server.cpu_s()
                    one = {"calls": CALLS_ALONE} if clients == 1 else {"seconds": SECONDS}
                    outcome = target.load(clients=clients, streamed=streamed, **one)  # pyright: ignore[reportArgumentType]
                    key = (target.name, clients, streamed)
                    outcomes[key].append(outcome)
                    calls = len(outcome.ms) + outcome.failures
                    used[key].append((target.server.cpu_s() - before) / max(1, calls) * 1000)
    return outcomes, used


def print_table(found: list[Target], outcomes: dict[Key, list[Outcome]], *, used: dict[Key, list[float]]) -> None:
    """One row for each target, number of clients and kind of answer."""
    print(
        "| clients | answer | through | p50 ms | p99 ms | added p50 | added p99 | calls/s | failures | processor ms |"
    )
    print("|---:|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for clients in CLIENTS:
        for streamed in (False, True):
            floor = outcomes.get(("direct", clients, streamed))
            for target in found if floor else ():
                rows = outcomes[target.name, clients, streamed]
                p50, p99 = (statistics.median(row.percentile(q) for row in rows) for q in (50, 99))
                least, most = (statistics.median(row.percentile(q) for row in floor or ()) for q in (50, 99))
                rate = statistics.median(row.rate for row in rows)
                failures = sum(row.failures for row in rows)
                cells = f"{p50:.2f} | {p99:.2f} | {p50 - least:.2f} | {p99 - most:.2f} | {rate:.0f} | {failures}"
                processor = statistics.median(used[target.name, clients, streamed])
                kind = "stream" if streamed else "whole"
                print(f"| {clients} | {kind} | {target.name} | {cells} | {processor:.2f} |", flush=True)


def print_memory(found: list[Target], calls: int) -> None:
    """Resident memory before and after many calls."""
    print("\n| through | resident MB after the first calls | after the last | growth | calls/s | failures |")
    print("|---|---:|---:|---:|---:|---:|")
    for target in found:
        if target.name != "ken":
            continue
        target.load(clients=MEMORY_CLIENTS, calls=SETTLED_CALLS)
        before, _ = target.server.resident_mb()
        outcome = target.load(clients=MEMORY_CLIENTS, calls=calls)
        after, _ = target.server.resident_mb()
        growth = (after / before - 1) * 100
        cells = f"{before:.1f} | {after:.1f} | {growth:.1f} % | {outcome.rate:.0f} | {outcome.failures}"
        print(f"| {target.name} | {cells} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, help="the Python of an environment with litellm[proxy]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="100,000 calls more")
    parser.add_argument("--memory-calls", type=int, default=MEMORY_CALLS)
    given = parser.parse_args()
    with targets(given.peer_python) as found:
        print(f"{given.rounds} rounds; {machine()}\n", flush=True)
        if given.rounds:
            outcomes, used = in_rounds(found, given.rounds)
            print_table(found, outcomes, used=used)
        if given.memory:
            print_memory(found, given.memory_calls)
        print(f"\nAt the end: {machine()}")


if __name__ == "__main__":
    main()
