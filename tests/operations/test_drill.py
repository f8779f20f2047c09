"""The drill: faults on a running copy come out as its table says, and it sees where one doesn't."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from ken.errors import InvalidInput
from ken.mock.behaviour import BARE, PLACED
from ken.operations.drill.client import Asker
from ken.operations.drill.models import inject
from ken.operations.drill.report import as_json, html
from ken.operations.drill.rig import Rig, rig
from ken.operations.drill.run import NAMES, DrillPlan, drill
from ken.operations.drill.table import expected
from tests.gateway.matrix_table import TABLE as MATRIX
from tests.service.corpus import copy

ROWS = {row.fault: row for row in expected()}
NOT_THE_COPYS = {"dns", "tls"}
"""Faults of an address and not of a server: the matrix of the gateway has them."""


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KEN_")}


@pytest.fixture(scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Rig, Asker]]:
    """A rig with a running copy of a home."""
    folder = tmp_path_factory.mktemp("drill")
    home = copy(folder / "home")
    async with rig(folder, environment=environment(), source=home, embedder=home) as made:
        place = await made.home("first")
        async with made.serving(place) as (_, asker):
            yield made, asker


@pytest.mark.parametrize("fault", ["refused", "400", "401", "503", "stall", "usage"])
async def test_a_models_fault_comes_out_as_the_table_says(standing: tuple[Rig, Asker], fault: str) -> None:
    """Answer, calls, reasons, notice and breaker, with the trace as evidence; and the provider works again afterwards."""
    made, asker = standing
    finding = await inject(ROWS[fault], asker, provider=made.provider)
    assert finding.verdict == "passed", finding.seen
    assert any(each.startswith("trace ") for each in finding.evidence)
    assert (await asker.ask("When is the lathe oiled?", model="tier-1")).notices == ()


async def test_what_is_not_as_expected_is_found(standing: tuple[Rig, Asker]) -> None:
    """Each column of the table is held to: a row that says otherwise fails, and is told what was seen instead."""
    made, asker = standing
    row = ROWS["401"]
    wrong = {
        "calls": replace(row, calls=(2, 1)),
        "breaker": replace(row, opens=True),
        "notices": replace(row, is_noticed=False),
        "attempts": replace(row, why="401"),
        "answered": replace(row, answer="quoted"),
    }
    for word, other in wrong.items():
        finding = await inject(other, asker, provider=made.provider)
        assert finding.verdict == "failed", word
        assert word in finding.seen.partition("NOT AS EXPECTED")[2]


@pytest.mark.timeout(180)
@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be set on Linux alone")
async def test_faults_of_stores_and_processes_come_out_as_expected(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """A full disk, a killed process, Redis and PostgreSQL cut off: each on a Ken of its own, and all of it is over after."""
    home = copy(tmp_path / "home")
    before = (home / "ken.db").read_bytes()
    names = ("alert", "disk-full", "killed", "redis-away", "postgresql-cut")
    plan = DrillPlan(
        environment=environment(), embedder=home, only=names, redis=f"{redis_url}/42", postgres=postgres_url
    )
    told: list[str] = []
    report = await drill(tmp_path / "folder", plan, told=lambda finding: told.append(finding.fault))
    assert {finding.fault: finding.verdict for finding in report.findings} == dict.fromkeys(names, "passed"), report
    assert sorted(told) == sorted(names)
    assert report.passed
    assert (home / "ken.db").read_bytes() == before
    seen = " ".join(finding.seen for finding in report.findings)
    assert "the stream broke off before its end" in seen
    assert "Error:" not in seen
    page = html(report)
    assert all(name in page for name in names)
    assert "<script" not in page
    assert as_json(report)["passed"] is True


def test_every_fault_of_the_mock_has_a_row() -> None:
    """The words of the mock's grammar, and the rows of the gateway's own matrix, are all drilled."""
    used = " ".join(row.how for row in ROWS.values())
    assert {word for word in (*PLACED, *BARE) if word not in used} == {"slow"}  # which the row `slow` makes by `ttft`
    matrix = {line.partition("|")[0].strip() for line in MATRIX.strip().splitlines()[1:]}
    assert matrix - ROWS.keys() == NOT_THE_COPYS


def test_a_fault_that_is_none_is_refused() -> None:
    """With the names of those that are."""
    with pytest.raises(InvalidInput, match=r"no fault 'flood'.*sqlite-locked"):
        DrillPlan(environment={}, only=("flood",))
    assert len(set(NAMES)) == len(NAMES)
