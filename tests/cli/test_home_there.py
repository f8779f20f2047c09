"""What needs no secret runs without it, and what only reads makes no home."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.service.corpus import copy

SECRETS = """
[telemetry]
endpoint = "http://127.0.0.1:9"
headers_env = "UNSET_HEADERS"
[[models]]
name = "gpt"
base_url = "http://127.0.0.1:9/v1"
model = "m"
api_key_env = "UNSET_KEY"
[[alerts.destinations]]
name = "team"
kind = "slack"
url_env = "UNSET_ADDRESS"
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A home whose ken.toml names variables that aren't set."""
    terminal = Terminal(copy(tmp_path_factory.mktemp("locked") / "home"))
    (terminal.home / "ken.toml").write_text(SECRETS, encoding="utf-8")
    return terminal


@pytest.mark.parametrize(
    "command",
    [
        "documents",
        "keys list",
        "alerts list",
        "alerts rules",
        "record status",
        "schema status",
        "sources list",
        "digest",
    ],
)
def test_what_needs_no_secret_runs_without_it(locked: Terminal, command: str) -> None:
    """A variable that is set for the service alone locks nobody out."""
    assert "UNSET" not in locked.ken(*command.split()).stderr


def test_a_backup_and_a_key_need_no_secret(locked: Terminal, tmp_path: Path) -> None:
    """So a nightly backup runs as any user who may read the home."""
    file = tmp_path / "night.zip"
    assert locked.ken("backup", str(file)).stdout == f"{file}\n"
    assert locked.ken("keys", "create", "intranet").stdout.startswith("ken-")


@pytest.mark.parametrize(
    ("command", "variable"), [("ask When?", "UNSET_KEY"), ("up --port 1", "UNSET_"), ("search When?", "UNSET_HEADERS")]
)
def test_what_needs_a_secret_is_refused_without_it(locked: Terminal, command: str, variable: str) -> None:
    """2, and one line with the variable and the remedy."""
    told = locked.ken(*command.split(), code=2).stderr
    assert variable in told
    assert "is not set. Set it" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "trace",
        "trace --since 7d",
        "record status",
        "record delete --older-than 1 --yes",
        "figures show questions",
        "alerts list",
        "why",
        "digest",
        "checks",
        "checklist",
        "keys list",
        "search When?",
        "schema status",
        "backup night.zip",
        "sync --status",
    ],
)
def test_what_only_reads_makes_no_home(empty: Terminal, command: str) -> None:
    """A slip in `--home` is said, with 2, and leaves no folder behind."""
    told = empty.ken(*command.split(), code=2).stderr
    assert f"There is no home at '{empty.home}'" in told
    assert told.count("\n") == 1
    assert not empty.home.exists()


def test_a_refused_simulation_makes_no_home(empty: Terminal) -> None:
    """What stands on the command line is checked before anything is made."""
    empty.ken("simulate", "--incident", "earthquake@day1", code=2)
    empty.ken("simulate", "--incident", "slow_retrieval@day900", "--days", "2", code=2)
    assert not empty.home.exists()
