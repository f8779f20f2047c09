"""`ken figures`: a figure over the last days, and what an expected volume will cost."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ken.cli.main import app
from ken.errors import InvalidInput
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.rollup import Aggregator
from tests.telemetry.folding import a_recorded


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was asked thirty times yesterday; ten lookups failed."""
    place = tmp_path_factory.mktemp("figures") / "home"
    database, aggregator = SqliteDatabase(place), Aggregator()
    for number in range(30):
        outcome = "failed" if number < 10 else "answered"
        aggregator.fold(a_recorded(number + 1, at=time.time() - 86_400, cost_micros=5_000, outcome=outcome))
    Rollups(database).add(aggregator.take())
    database.close()
    return place


def ken(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--home", str(home), "figures", *arguments])


def test_a_figure_is_shown_with_its_observations_and_a_line(home: Path) -> None:
    """By the values of a dimension; a step in which nothing was asked is a point, and no bar."""
    [row] = ken(home, "show", "success_rate", "--by", "task_type", "--days", "3").stdout.splitlines()
    name, value, seen, line = row.split("\t")
    assert (name, value, seen) == ("lookup", "66.7%", "30")
    assert set(line) == {"·", "▁"}
    told = json.loads(ken(home, "show", "cost_per_success", "--where", "task_type=lookup", "--json").stdout)
    assert told["unit"] == "micros"
    assert told["lines"][""]["whole"]["value"] == pytest.approx(30 * 5_000 / 20)


def test_a_projection_follows_what_the_operator_says(home: Path) -> None:
    """Cost per successful task times the tasks expected."""
    told = json.loads(ken(home, "project", "--volume", "lookup=1000", "--json").stdout)
    assert told["cost_micros"] == pytest.approx(7_500 * 1_000)
    task, _, done, cost, tasks, whole = (
        ken(home, "project", "--volume", "lookup=1000").stdout.splitlines()[0].split("\t")
    )
    assert (task, done, cost, tasks, whole) == ("lookup", "67%", "0.007500", "1,000", "7.500000")


def test_a_projection_goes_by_the_time_that_is_on_record(home: Path, tmp_path: Path) -> None:
    """Twenty successes since yesterday are twenty a day, however long the window; less than a day says nothing of days."""
    told = json.loads(ken(home, "project", "--ahead", "10", "--json").stdout)
    on_record = (told["until"] - told["since"]) / 86_400
    assert 1 <= on_record < 1.1
    assert told["tasks"][0]["expected"] == pytest.approx(20 / on_record * 10)
    assert "By the last 1 days on record" in ken(home, "project").stderr.replace("1.0", "1")
    database, aggregator = SqliteDatabase(tmp_path / "young"), Aggregator()
    aggregator.fold(a_recorded(1, at=time.time() - 7_200, cost_micros=5_000))
    Rollups(database).add(aggregator.take())
    database.close()
    young = ken(tmp_path / "young", "project")
    assert "too little to project from" in young.stderr
    assert young.stdout.splitlines()[0].split("\t")[4:] == ["unknown", "unknown"]
    given = json.loads(ken(tmp_path / "young", "project", "--volume", "lookup=100", "--json").stdout)
    assert given["cost_micros"] == pytest.approx(500_000)
    assert given["too_little"]


def test_names_say_what_may_be_asked() -> None:
    """Each with its unit, what it means, and by what it is told apart."""
    rows = [row.split("\t") for row in ken(Path("unused"), "names").stdout.splitlines()]
    assert ["cost_per_success", "micros"] in [row[:2] for row in rows]
    assert all(len(row) == 4 and row[2] for row in rows)


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nonsense"),
        ("show", "ms.p95", "--by", "stage"),
        ("show", "ms.p95", "--where", "lookup"),
        ("project", "--volume", "lookup=many"),
        ("project", "--volume", "banana=5"),
    ],
)
def test_what_cannot_be_told_is_one_plain_line(home: Path, arguments: tuple[str, ...]) -> None:
    """What was wrong, and what there is instead."""
    result = ken(home, *arguments)
    assert isinstance(result.exception, InvalidInput)
    assert str(result.exception)
