"""A disk that fills up during a sync: the process may write no more than so many bytes of any file, root or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT
from tests.cli.terminal import Terminal
from tests.knowledge.homes import FERRY, OPERATOR, PAPERS, found, held, opened, sync, write

NEW = {"ferry.md": FERRY.replace("06:40", "07:15"), "mill.md": "# Mill\n\nThe mill grinds oats on Thursdays.\n"}
TELLS = {"events", "logs"}
"""Folders that say what has happened; they come with the first that does."""
FULL_AT = {
    "the index is written": ("1000", "_fill", "index"),
    "the first document is staged": ("8192", "Documents.stage", "ken.db"),
    "what was staged is committed": ("8192", "Snapshots.commit", "ken.db"),
}


def filled(home: Path, folder: Path, size: str, function: str) -> subprocess.CompletedProcess[str]:
    """`ken sync` on a disk that is full from the call of a function on."""
    command = [sys.executable, "-m", "tests.knowledge.dying", size, function, "ken", "--home", str(home)]
    command += ["sync", str(folder), "--collection", "papers"]
    # Coverage's own file would not fit on the disk either, and it would say so.
    environment = {name: value for name, value in Terminal.environment().items() if not name.startswith("COVERAGE_")}
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, check=False, timeout=50, text=True, env=environment
    )


def names(home: Path) -> set[str]:
    """Every file of the home but locks, the embedder and the index, whose names change."""
    left_out = {"locks", "models", "index"}
    return {str(file.relative_to(home)) for file in home.rglob("*") if not left_out.intersection(file.parts)}


@pytest.mark.parametrize("when", list(FULL_AT))
async def test_a_full_disk_ends_the_sync_and_nothing_else(home: Path, folder: Path, when: str) -> None:
    """One plain line names the place and the remedy; the old corpus is served on; with room, the next sync does it all."""
    size, function, place = FULL_AT[when]
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        old = await held(ken)
        write(folder, NEW)
        (folder / "bakery.md").unlink()
        before = names(home)
        done = filled(home, folder, size, function)
        assert done.returncode == 1, done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("ken: ")]
        assert str(home / place) in line
        assert "space" in line
        assert "None" not in line
        assert "Traceback" not in done.stderr
        assert await held(ken) == old
        assert "06:40" in await ken.library.text("papers/ferry.md", OPERATOR)
        assert set(await found(ken, "When does the ferry leave?", limit=50)) == set(PAPERS)
        report = await sync(ken, folder)
        assert (report.added, report.changed, report.deleted, report.problem) == (1, 1, 1, "")
        assert "07:15" in await ken.library.text("papers/ferry.md", OPERATOR)
        assert len(list((home / "index").iterdir())) == 1
        assert {name for name in names(home) if name.split("/")[0] not in TELLS} == before
