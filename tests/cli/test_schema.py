"""`ken schema`: down for an older Ken, with a backup before; and up again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ken.cli.main import app
from ken.storage.migrations import HEAD
from ken.storage.sqlite import SqliteDatabase
from tests.service.corpus import OPENING, QUESTION, copy


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed; the error that ended it stands behind what it said."""

    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Home:
    """A home, and commands on it."""

    home: Path

    def ken(self, *arguments: str, code: int = 0) -> Done:
        """Run a command to its end."""
        done = CliRunner().invoke(app, ["--home", str(self.home), *arguments])
        assert done.exit_code == code, f"{arguments}: {done.output} {done.exception!r}"
        return Done(done.stdout, f"{done.stderr}{done.exception or ''}")


@pytest.fixture
def used(tmp_path: Path) -> Home:
    """A home in which a question was asked."""
    home = Home(copy(tmp_path / "home"))
    home.ken("ask", QUESTION)
    return home


def test_the_schema_goes_down_with_a_backup_and_up_again(used: Home, tmp_path: Path) -> None:
    """Without a word nothing is lost; with it a backup is made first; and Ken, started again, answers as before."""
    assert "--lose" in used.ken("schema", "down", "0004", code=1).stderr
    assert not (used.home / "backups").exists()
    done = used.ken("schema", "down", "0004", "--lose", "--backup", str(tmp_path / "before.zip"))
    assert done.stdout == "The schema is at '0004'.\n"
    assert "cached answers" in done.stderr
    assert (tmp_path / "before.zip").is_file()
    status = used.ken("schema", "status")
    assert "0004\tyes" in status.stdout
    assert "0005\tno" in status.stdout
    assert f"from '0004' up to '{HEAD}'" in used.ken("schema", "up").stdout
    assert [file.name.partition("-2")[0] for file in (used.home / "backups").iterdir()] == ["schema-0004"]
    assert json.loads(used.ken("schema", "status", "--json").stdout)["at"] == HEAD
    assert OPENING in used.ken("ask", QUESTION).stdout


def test_a_home_in_use_is_left_alone(used: Home) -> None:
    """While another process has the database open, neither way is taken."""
    database = SqliteDatabase(used.home)
    try:
        with database.read():
            for command in (("up",), ("down", "0004", "--lose")):
                assert "Stop Ken first" in used.ken("schema", *command, code=1).stderr
    finally:
        database.close()


def test_of_postgresql_the_operator_makes_the_backup(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ken says so, and goes on once it is told that there is one."""
    monkeypatch.setenv("KEN_DATABASE_URL", postgres_url)
    elsewhere = Home(tmp_path)
    assert "pg_dump" in elsewhere.ken("schema", "down", "0004", code=1).stderr
    assert elsewhere.ken("schema", "down", "0004", "--no-backup").stdout == "The schema is at '0004'.\n"
    assert "up to" in elsewhere.ken("schema", "up", "--no-backup").stdout
