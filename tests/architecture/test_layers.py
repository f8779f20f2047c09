"""Imports go one way: the contract of pyproject.toml holds for the project, and catches what it is there to catch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT, assert_none, plant

LINTER = Path(sys.executable).with_name("lint-imports")


def broken_contracts(root: Path) -> list[str]:
    """The names of the import contracts that the packages under `root`/src break, and a word about a linter that failed."""
    run = subprocess.run(
        [LINTER, "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    broken = re.findall(r"^(.+) BROKEN\b", run.stdout, re.MULTILINE)
    if broken or run.returncode == 0:
        return broken
    return [f"the linter failed: {run.stdout}{run.stderr}"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and their contract, to plant violations in."""
    root = tmp_path_factory.mktemp("layers")
    shutil.copy(PROJECT / "pyproject.toml", root)
    shutil.copytree(PROJECT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_the_project_keeps_its_import_contracts() -> None:
    """Every layer imports downward only."""
    assert_none(broken_contracts(PROJECT))


@pytest.mark.parametrize(
    ("path", "code", "contract"),
    [
        ("src/ken/text/planted.py", "import ken.storage", "ken is layered"),
        ("src/ken/domain/planted.py", "def late() -> None:\n    import ken.gateway", "ken is layered"),
        ("src/ken/service/planted.py", "import ken.cli", "ken is layered"),
        ("src/ken/planted.py", "", "ken is layered"),
        ("src/ken/gateway/planted.py", "import fastapi", "nothing below the service"),
        ("src/ken/assistant/planted.py", "from sqlalchemy import text", "SQL stands in storage"),
        ("src/ken/models/planted.py", "import pydantic_settings", "settings alone"),
        ("src/ken/models/planted.py", "import torch", "ken runs without torch"),
        ("src/kenlab/planted.py", "import ken.text", "ken and kenlab meet"),
        ("src/ken/evals/planted.py", "import kenlab", "ken and kenlab meet"),
    ],
)
def test_a_planted_import_breaks_the_contract(copy: Path, path: str, code: str, contract: str) -> None:
    """An upward, sideways, homeless or foreign import is caught, wherever it hides."""
    plant(copy, path, code)
    try:
        assert [name for name in broken_contracts(copy) if name.startswith(contract)] != []
    finally:
        (copy / path).unlink()


def test_a_planted_circle_breaks_the_contract(copy: Path) -> None:
    """Two packages of one layer that import each other are caught."""
    plant(copy, "src/ken/knowledge/round/__init__.py", "import ken.knowledge.trip")
    plant(copy, "src/ken/knowledge/trip/__init__.py", "import ken.knowledge.round")
    try:
        assert [name for name in broken_contracts(copy) if "circle" in name] != []
    finally:
        shutil.rmtree(copy / "src/ken/knowledge/round")
        shutil.rmtree(copy / "src/ken/knowledge/trip")
