"""`ken record`, and what a killed server has on record."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ken.domain.principal import LOCAL_OPERATOR
from ken.mock.serving import running_in_thread
from ken.storage.ledger import Ledger
from ken.storage.sqlite import SqliteDatabase
from ken.storage.traces import Traces
from tests.cli.terminal import Terminal
from tests.cli.test_up import up
from tests.service.corpus import QUESTION, copy


@pytest.fixture
def own(home: Path) -> Terminal:
    """A terminal with a home of its own that holds the corpus."""
    return Terminal(copy(home))


MODEL = """
default_model = "small"
cache = false

[[models]]
name = "small"
base_url = "{url}"
model = "mocksmall"

[prices.small]
input = 1_000_000
output = 2_000_000
"""


def ask(client: httpx.Client, question: str) -> str:
    """The trace id of an answer."""
    answered = client.post("/api/ask?stream=false", json={"question": question})
    assert answered.status_code == 200, answered.text
    return str(answered.json()["trace_id"])


def test_a_killed_server_loses_a_second_of_detail_and_no_money(own: Terminal) -> None:
    """`ken up` is killed in mid-work: what was answered a second before is on record, what every call cost is in the ledger."""
    asked: list[tuple[str, float]] = []
    with running_in_thread() as mock:
        (own.home / "ken.toml").write_text(MODEL.format(url=mock.url))
        with up(own) as (process, address), httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            began = time.monotonic()
            while time.monotonic() - began < 2.5:
                asked.append((ask(client, f"{QUESTION} {len(asked)}"), time.monotonic()))
            process.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            process.wait(20)
        called = len(mock.ledger.entries("mocksmall"))
    database = SqliteDatabase(own.home)
    traces, ledger = Traces(database), Ledger(database)
    early = [trace_id for trace_id, at in asked if at < killed - 1]
    assert early
    assert all(traces.get(trace_id, LOCAL_OPERATOR).spans for trace_id in early)
    costs = [cost for trace_id, _ in asked for _, _, cost in ledger.of_trace(trace_id)]
    assert len(costs) >= len(asked)
    assert len(costs) <= called
    database.close()
    state = json.loads(own.ken("record", "status", "--json").stdout)
    assert state["kept"]["with_spans"] >= len(early)
    assert state["lost"] == []


def test_answers_go_on_while_the_disk_is_full(own: Terminal) -> None:
    """Where nothing can be written, questions are answered; what waited is on record once there is room again."""
    with up(own) as (process, address), httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        ask(client, QUESTION)
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        # No file grows beyond this: to the process, the disk is full.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (40_000, most))
        while_full = [ask(client, f"Does it open on Sundays, number {number}?") for number in range(4)]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        give_up = time.monotonic() + 20
        while (client.get("/api/record").json()["writer"]["waiting"]) > 0:
            assert time.monotonic() < give_up
            time.sleep(0.1)
        for trace_id in while_full:
            assert client.get(f"/api/traces/{trace_id}").status_code == 200
        client.close()


def test_deleting_says_how_much_and_asks(own: Terminal) -> None:
    """A deletion shows its count first; without a yes nothing goes, and with one the words are off the disk."""
    own.ken("ask", "What does Galileo's chrysanthemum cost?", code=None)
    refused = own.ken("record", "delete", "--principal", LOCAL_OPERATOR.id, stdin=b"n\n", code=1)
    assert "Delete 1 trace of" in refused.stdout + refused.stderr
    assert "0 traces thinned" in own.ken("record", "thin").stderr
    told = own.ken("record", "status").stdout
    assert "lost         nothing" in told
    assert "thinned      never" not in told
    gone = own.ken("record", "delete", "--principal", LOCAL_OPERATOR.id, "--yes")
    assert f"Of {LOCAL_OPERATOR.id!r} were deleted: 1 trace, " in gone.stderr
    assert not [path for path in own.home.rglob("*") if path.is_file() and b"chrysanthemum" in path.read_bytes()]


def test_deleting_says_whose_and_that_nobody_is_on_record(own: Terminal) -> None:
    """A name, or a document, of which nothing is there is told, and is no error."""
    nobody = own.ken("record", "delete", "--principal", "banana", "--yes").stderr
    assert "Nobody of the name 'banana' is on record: nothing was deleted." in nobody
    unnamed = own.ken("record", "delete", "--document", "handbook/banana.md", "--yes").stderr
    assert "No answer on record names the document 'handbook/banana.md': nothing was withdrawn." in unnamed


def test_what_to_delete_is_one_thing(empty: Terminal) -> None:
    """Two choices are an error that says what may be chosen."""
    refused = empty.ken("record", "delete", "--principal", "ada", "--older-than", "3", code=2)
    assert "by principal, by document" in refused.stderr


def test_the_log_holds_no_secret(home: Path) -> None:
    """What goes to the log and to stderr loses its secrets, those of a traceback too."""
    code = (
        "import logging, pathlib, sys\n"
        "from ken.cli.log import log_to\n"
        "log_to(pathlib.Path(sys.argv[1]), aloud=True)\n"
        "try:\n    raise OSError('token=abc123def456!')\n"
        "except OSError:\n    logging.exception('password: %s', 'hunter2x!')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, check=True, timeout=30)
    told = done.stderr.decode() + (home / "logs" / "ken.log").read_text()
    assert told.count("password: [secret]") == 2
    assert "hunter2x" not in told
    assert "abc123" not in told
