"""What the doctor finds around a home: secrets that aren't set, a collector, those who are told of alerts, a Ken that runs."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ken.storage.checks_run import ChecksRun
from ken.storage.sqlite import SqliteDatabase
from tests.cli.running import port_of, up
from tests.cli.terminal import Terminal
from tests.service.corpus import QUESTION, copy

SECRETS = """
[[models]]
name = "gpt"
base_url = "http://127.0.0.1:9/v1"
model = "m"
api_key_env = "UNSET_KEY"
[[alerts.destinations]]
name = "team"
kind = "slack"
url_env = "UNSET_ADDRESS"
[[alerts.destinations]]
name = "desk"
kind = "webhook"
url = "http://127.0.0.1:9/hook"
"""


def found(terminal: Terminal, *arguments: str, code: int) -> list[dict[str, str]]:
    told: list[dict[str, str]] = json.loads(terminal.ken("doctor", "--json", *arguments, code=code).stdout)
    return told


def test_each_secret_that_is_missing_is_a_line_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    """The variable and the remedy; a destination that lacks nothing is listed, and one that lacks its address is not."""
    terminal = Terminal(copy(tmp_path / "home"))
    (terminal.home / "ken.toml").write_text(f"port = 1\n{SECRETS}", encoding="utf-8")
    findings = found(terminal, code=1)
    missing = [each for each in findings if each["what"] == "Secret"]
    assert ["UNSET_KEY" in each["detail"] for each in missing].count(True) == 1
    assert ["UNSET_ADDRESS" in each["detail"] for each in missing].count(True) == 1
    assert all(each["state"] == "failed" and "Set it" in each["remedy"] for each in missing)
    assert "Database and index" in {each["what"] for each in findings}
    assert [each["what"] for each in findings if each["what"].startswith("Alerts to")] == ["Alerts to 'desk'"]


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "failed"), (0, "failed")])
def test_the_collector_is_asked_with_its_headers(tmp_path: Path, status: int, state: str) -> None:
    """One that takes an empty request is well; one that refuses it, or isn't there, is a failure with a remedy."""
    asked: list[tuple[str, str | None]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, self.headers["authorization"]))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
            """Nothing: the test says what went wrong."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever, daemon=True)
    if status:
        thread.start()
    else:
        server.server_close()
    terminal = Terminal(copy(tmp_path / "home"))
    (terminal.home / "ken.toml").write_text(
        f'[telemetry]\nendpoint = "http://127.0.0.1:{server.server_port}"\nmetrics_every_s = 0\n', encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc")
        findings = found(terminal, code=0 if state == "ok" else 1)
    if status:
        server.shutdown()
        thread.join()
        server.server_close()
    (collector,) = [each for each in findings if each["what"] == "Collector"]
    assert collector["state"] == state
    assert bool(collector["remedy"]) is (state == "failed")
    assert asked == ([("/v1/traces", "Bearer abc")] if status else [])


def test_a_ken_that_runs_is_told_from_another_homes(tmp_path: Path) -> None:
    """Its own is well, and secrets that it was started with are no failure; a load test goes on record at its own home alone."""
    own, other = Terminal(copy(tmp_path / "own")), Terminal(copy(tmp_path / "other"))
    own.ken("ask", QUESTION)
    questions = tmp_path / "questions.txt"
    questions.write_text(f"{QUESTION}\n", encoding="utf-8")
    load = ("load", "--steps", "1", "--most", "2", "--warm-up", "0", "--questions", str(questions))
    with up(own) as (_, address):
        for terminal in (own, other):
            (terminal.home / "ken.toml").write_text(f"port = {port_of(address)}\n{SECRETS}", encoding="utf-8")
        at_own = {each["what"]: each for each in found(own, code=0)}
        port = f"Port {port_of(address)} of 127.0.0.1"
        assert (at_own[port]["state"], at_own[port]["detail"]) == ("ok", "the Ken of this home listens there")
        assert at_own["Secret"]["state"] == "warning"
        at_other = {each["what"]: each for each in found(other, code=1)}
        assert at_other[port]["detail"] == "the Ken of another home listens there"
        assert at_other["Secret"]["state"] == "failed"
        assert "not put on record" not in own.ken(*load, "--url", address).stderr
        assert "does not serve" in other.ken(*load, "--url", address).stderr
    assert (loads(own), loads(other)) == (1, 0)


def loads(terminal: Terminal) -> int:
    """How many load tests a home has on record."""
    database = SqliteDatabase(terminal.home)
    try:
        return len(ChecksRun(database).list("load"))
    finally:
        database.close()
