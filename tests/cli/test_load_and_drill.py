"""`ken load` and `ken drill`: what they print and write, what stands on record, and what they refuse."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ken.cli.main import app
from ken.errors import InvalidInput, KenError
from ken.storage.checks_run import ChecksRun
from ken.storage.sqlite import SqliteDatabase
from tests.cli.terminal import Terminal
from tests.service.corpus import copy


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(copy(tmp_path_factory.mktemp("loaded") / "home"))


def on_record(home: Path, kind: str) -> dict[str, object]:
    """The report of the newest run of a kind."""
    database = SqliteDatabase(home)
    try:
        run = ChecksRun(database).last(kind)  # type: ignore[arg-type] # one of them
    finally:
        database.close()
    assert run is not None
    assert run.release
    return {**run.report, "verdict": run.passed}


def test_a_copy_with_a_mock_model_is_loaded(terminal: Terminal, tmp_path: Path) -> None:
    """The mock's name and limits hold, stages come from the traces, the page stands alone, the result is on record."""
    page = tmp_path / "load.html"
    done = terminal.ken(
        "load",
        *("--with-mock", "ttft20-itl1", "--no-cache", "--steps", "1,2", "--most", "4", "--warm-up", "0"),
        *("--need", "2", "--max-errors", "0", "--seconds", "20", "--report", str(page), "--json"),
    )
    told = json.loads(done.stdout)
    assert [(step["at"], step["asked"], step["errors"]) for step in told["steps"]] == [(1, 4, {}), (2, 4, {})]
    assert {"retrieve", "generate", "settle"} <= told["steps"][1]["stages"].keys()
    assert told["passed"] is True
    assert page.read_text("utf-8").count("<svg") >= 4
    kept = on_record(terminal.home, "load")
    assert kept["verdict"] is True
    assert kept["knee"] == told["knee"]
    assert not (terminal.home / "ken.toml").exists()


def test_a_drill_leaves_the_home_alone_and_a_result_on_record(terminal: Terminal, tmp_path: Path) -> None:
    """One fault: a row, a page, an entry; the home has neither the drill's documents nor its models."""
    done = terminal.ken("drill", "--only", "401", "--report", str(tmp_path / "drill.html"))
    assert done.stdout.startswith("401\tpassed\t")
    assert "1 passed, 0 failed" in done.stdout
    assert "drill-primary" in (tmp_path / "drill.html").read_text("utf-8")
    assert on_record(terminal.home, "drill")["verdict"] is True
    assert "ken-drill" not in terminal.ken("documents").stdout


def test_a_drill_of_some_faults_is_no_proof(terminal: Terminal) -> None:
    """One fault that went as it should leaves the checklist's questions open: it says how many there are, and how to go on."""
    settings = terminal.home / "ken.toml"
    settings.write_text('[[models]]\nname = "m"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n', encoding="utf-8")
    try:
        terminal.ken("drill", "--only", "503")
        told = json.loads(terminal.ken("checklist", "--json", code=1).stdout)
    finally:
        settings.unlink()
    answers = {each["name"]: each for each in told["answers"]}
    for name, shows in (("fallbacks", "fallback"), ("breakers", "breaker")):
        assert answers[name]["state"] == "unknown"
        assert answers[name]["evidence"].startswith("1 of ")
        assert f"faults that show a {shows} were brought about" in answers[name]["evidence"]
        assert "`ken drill`" in answers[name]["remedy"]


def test_a_terminal_shows_each_step_once(terminal: Terminal) -> None:
    """The rows come as the steps end; no table of the same follows them. A step is said in the singular where it is one."""
    ours, theirs = pty.openpty()
    command = terminal.command("load", "--with-mock", "ttft5", "--steps", "1", "--most", "2", "--warm-up", "0")
    try:
        with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=terminal.environment()) as process:
            assert process.wait(50) == 0
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert shown.count("answers/s") == 1
    assert "1 client." in shown
    assert "One step has no knee" in shown


def test_what_cannot_be_tested_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    """Each with a remedy, before anything is started; another machine is only asked where it is named."""
    (tmp_path / "none").write_text("\n", encoding="utf-8")
    for command, code, said in (
        (("load", "--url", "http://127.0.0.1:9"), 1, "ken up"),
        (("load", "--steps", "2,1"), 2, "rising numbers"),
        (("load", "--steps", "x"), 2, "no list of numbers"),
        (("load", "--with-mock", "fast"), 2, "no word of the mock provider"),
        (("load", "--with-mock", "itl5", "--url", "http://127.0.0.1:9"), 2, "one of the two"),
        (("load", "--url", "http://127.0.0.1:9", "--questions", str(tmp_path / "none")), 2, "holds no question"),
        (("drill", "--only", "flood"), 2, "no fault 'flood'"),
        (("drill", "--redis", "localhost"), 2, "its kind before it"),
    ):
        refused = CliRunner().invoke(app, ["--home", str(terminal.home), *command])
        assert isinstance(refused.exception, KenError), command
        assert (said in str(refused.exception), isinstance(refused.exception, InvalidInput)) == (True, code == 2), (
            command
        )
    (terminal.home / "ken.toml").write_text('host = "192.0.2.7"\n', encoding="utf-8")
    try:
        refused = CliRunner().invoke(app, ["--home", str(terminal.home), "load"])
        assert "--url http://192.0.2.7:8000" in str(refused.exception)
    finally:
        (terminal.home / "ken.toml").unlink()


def test_the_faults_are_listed(terminal: Terminal) -> None:
    """With what is expected of each."""
    told = CliRunner().invoke(app, ["--home", str(terminal.home), "drill", "--list"]).stdout
    listed = dict(line.split("\t") for line in told.splitlines())
    assert "breaker opens" in listed["500"]
    assert "database" in listed["sqlite-locked-for-long"]
