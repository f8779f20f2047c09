"""`ken trace --where`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from dataclasses import replace

import pytest

from ken.storage.sqlite import SqliteDatabase
from tests.cli.terminal import Terminal
from tests.storage.samples import a_trace, put


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal with a home in which thirty questions are on record."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    database = SqliteDatabase(home)
    now = time.time()
    put(
        database,
        *(a_trace(n, started_at=now - 3_600 * n, question="Why? " * 30, cost_micros=n * 1_000) for n in range(30)),
        replace(a_trace(40, started_at=now, question="\x1b[31mred\x07"), cost_micros=None, ms=9_000.0),
    )
    database.close()
    return Terminal(home)


def test_the_traces_of_a_filter_are_listed(recorded: Terminal) -> None:
    """A line a trace for programs, JSON on request, and where the page goes on."""
    found = recorded.ken("trace", "--where", "cost > 0.005 and retrieve.ms > 100", "--limit", "3")
    lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert [line[-1] for line in lines] == [f"{n:032x}" for n in (6, 7, 8)]
    assert [line[4:6] for line in lines] == [["0.0060", "250"], ["0.0070", "250"], ["0.0080", "250"]]
    before = found.stderr.split("--before ")[1].strip()
    read = recorded.ken("trace", "--where", "cost > 0.005", "--since", "10h", "--before", before, "--json")
    told = json.loads(read.stdout)
    assert [int(each["id"], 16) for each in told["traces"]] == [9]
    assert told["traces"][0]["figures"] == {"cost": 9_000, "started": pytest.approx(time.time() - 9 * 3_600, abs=600)}


def test_a_filter_that_cannot_be_read_is_told_in_a_line(recorded: Terminal) -> None:
    """The place, and what would do."""
    assert "Did you mean 'retrieve.ms'?" in recorded.ken("trace", "--where", "retreive.ms > 1", code=2).stderr
    for asked, wanted in (
        ("quality is unknwn", "'unknown'"),
        ("quality is not knwn", "'known'"),
        ("tokens > 3", "'tokens."),
    ):
        assert f"Did you mean {wanted}" in recorded.ken("trace", "--where", asked, code=2).stderr
    assert "Did you mean" not in recorded.ken("trace", "--where", "nonsense > 1", code=2).stderr
    assert "single quotes" in recorded.ken("trace", "--where", "cost > bash.02", code=2).stderr
    assert "is no time" in recorded.ken("trace", "--since", "tomorrow", code=2).stderr


@pytest.mark.parametrize("width", [70, 160])
def test_the_table_fits_the_terminal(recorded: Terminal, width: int) -> None:
    """On narrow terminals and wide ones each trace is one line, its id whole, and nothing steers the terminal."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            recorded.command("trace", "--where", "ms > 0", "--limit", "5"),
            stdout=theirs,
            stderr=subprocess.PIPE,
            env={**recorded.environment(), "COLUMNS": str(width)},
        ) as process:
            assert process.wait(50) == 0
            assert process.stderr is not None
            said = process.stderr.read().decode()
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    head, *lines = shown.replace("\r", "").splitlines()
    assert head.split()[0] == "started"
    missing = [name for name in ("task", "outcome", "question") if name not in head.split()]
    assert missing == (["task", "outcome", "question"] if width == 70 else [])
    assert (f"Left out, as the terminal is narrow: {', '.join(missing)}." in said) == bool(missing)
    assert [line.split()[-1] for line in lines] == [f"{n:032x}" for n in (40, 0, 1, 2, 3)]
    assert len({len(line) for line in lines}) == 1
    assert max(map(len, lines)) <= width
    assert "\x1b[31m" not in shown
    assert "\x07" not in shown
