"""Ken's traces in a collector that somebody else wrote: every span of some questions arrives, with its parent, tokens and cost.

    python -m venv PEER && PEER/bin/pip install arize-phoenix
    python bench/collector.py --peer-python PEER/bin/python [--questions 20]

A home with the example handbook, whose model is the mock provider's, sends its traces to phoenix over OTLP/HTTP. What phoenix's
database holds is compared with what Ken has on record; phoenix reads the GenAI attributes by itself and turns them into its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from ken.mock.serving import running_in_thread
from otlp import free_port, phoenix, running, wait_for

EXAMPLE = Path(__file__).parents[1] / "examples" / "handbook"
QUESTIONS = ("How many days of leave do employees have?", "Who approves travel?", "What is the notice period?")


def ask(address: str, question: str) -> str:
    """Ask Ken; the id of the trace."""
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address}/api/ask?stream=false", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return str(json.load(answer)["trace_id"])


def stored(address: str, trace_id: str) -> dict[str, str | None]:
    """Ken's spans of a trace, each with its parent."""
    with urllib.request.urlopen(f"{address}/api/traces/{trace_id}", timeout=60) as answer:  # noqa: S310
        return {span["id"]: span["parent_id"] for span in json.load(answer)["spans"]}


def arrived(database: Path, trace_id: str) -> dict[str, tuple[str | None, str, dict[str, object]]]:
    """Phoenix's spans of the same trace: parent, name, attributes."""
    query = (
        "SELECT spans.span_id, spans.parent_id, spans.name, spans.attributes FROM spans "
        "JOIN traces ON traces.id = spans.trace_rowid WHERE traces.trace_id = ?"
    )
    with sqlite3.connect(database) as connection:
        return {row[0]: (row[1], row[2], json.loads(row[3])) for row in connection.execute(query, (trace_id,))}


def main() -> None:
    """Say what arrived, and stop where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=20)
    told = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="ken-collector-"))
    (place / "peer").mkdir()
    (place / "home").mkdir()
    peer, port = phoenix(told.peer_python, place / "peer"), free_port()
    with running_in_thread() as mock, running(peer):
        (place / "home" / "ken.toml").write_text(
            f'default_model = "mock"\n[telemetry]\nendpoint = "http://127.0.0.1:{peer.port}"\n'
            f'[[models]]\nname = "mock"\nbase_url = "{mock.url}"\nmodel = "mock-len40"\n'
            '[prices."mock"]\ninput = 1000000\noutput = 2000000\n'
        )
        ken = [sys.executable, "-m", "ken", "--home", str(place / "home")]
        subprocess.run([*ken, "sync", str(EXAMPLE)], check=True, capture_output=True)
        with subprocess.Popen(
            [*ken, "up", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            address = f"http://127.0.0.1:{port}"
            asyncio.run(wait_for(f"{address}/readyz", server))
            asked = [ask(address, QUESTIONS[number % len(QUESTIONS)]) for number in range(told.questions)]
            known = {trace_id: stored(address, trace_id) for trace_id in asked}
            give_up = time.monotonic() + 120
            while time.monotonic() < give_up:
                found = {trace_id: arrived(peer.database, trace_id) for trace_id in asked}
                if all(found[trace_id].keys() >= known[trace_id].keys() for trace_id in asked):
                    break
                time.sleep(0.5)
            server.terminate()
    spans = [(trace_id, id_) for trace_id in asked for id_ in known[trace_id]]
    missing = [id_ for trace_id, id_ in spans if id_ not in found[trace_id]]
    moved = [
        id_ for trace_id, id_ in spans if id_ in found[trace_id] and found[trace_id][id_][0] != known[trace_id][id_]
    ]
    print(
        f"{told.questions} questions, {len(spans)} spans on record: {len(missing)} missing, {len(moved)} under another parent"
    )
    example = next(each for each in found[asked[0]].values() if each[1].startswith("chat"))
    print(example[1], json.dumps(example[2], indent=1)[:1500])
    shutil.rmtree(place)
    assert not missing
    assert not moved


if __name__ == "__main__":
    main()
