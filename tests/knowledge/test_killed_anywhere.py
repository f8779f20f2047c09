from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT
from tests.knowledge.dying import DELTA, delta
from tests.knowledge.homes import BAKERY, FERRY, OPERATOR, PAPERS, found, held, opened, places_of, rows, sync, write
from tests.knowledge.shelf import sync_shelf

SECRET = "# Tower\n\nQuessenberry keeps brindled owls in the tower.\n"
LATER = FERRY.replace("06:40", "07:15")
OLD = {**PAPERS, "tower.md": SECRET}
NEW = {"ferry.md": LATER, "mill.md": "# Mill\n\nThe mill grinds oats on Thursdays.\n"}


def killed(home: Path, function: str, *asked: str, stdin: bytes = b"") -> None:
    """Have a change made by another process, which is killed when it calls a function."""
    command = [sys.executable, "-m", "tests.knowledge.dying", str(home), function, *asked]
    done = subprocess.run(command, cwd=PROJECT, input=stdin, capture_output=True, check=False, timeout=50)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


COMMITTED = {
    "Erasure.finish": True,
    "Sources.put": True,
    "Ingest.stage": False,
    "Snapshots.commit": False,
    "_prune": False,
}


@pytest.mark.parametrize("function", list(COMMITTED))
async def test_a_sync_killed_anywhere_serves_one_corpus_whole(home: Path, folder: Path, function: str) -> None:
    """The old one up to the end of its transaction, then the new one; the next sync leaves no byte of what was deleted."""
    async with opened(home) as ken:
        await sync(ken, folder, OLD)
        old = await held(ken)
    write(folder, NEW)
    (folder / "tower.md").unlink()
    killed(home, function, "sync", str(folder))
    async with opened(home) as ken:
        assert ("papers/mill.md" in await held(ken)) == COMMITTED[function]
        assert COMMITTED[function] or await held(ken) == old
        assert ("tower.md" in await found(ken, "Who keeps owls?", limit=50)) != COMMITTED[function]
        report = await sync(ken, folder)
        assert not report.problem
        assert sorted(await held(ken)) == [
            "papers/bakery.md",
            "papers/ferry.md",
            "papers/mill.md",
            "papers/town/library.md",
        ]
        assert "07:15" in await ken.library.text("papers/ferry.md", OPERATOR)
        assert places_of(home, "brindled") == []
        (last, before, *_) = await ken.library.syncs()
        assert (last.state, before.state) == ("finished", "interrupted")
    assert rows(home, "documents") == rows(home, "passages") == 5  # and the old timetable, kept to go back to
    assert not [place for place in (home / "index").iterdir() if place.name.startswith(".")]


async def test_a_switch_killed_half_way_is_done_or_not(home: Path, folder: Path) -> None:
    """Its pointer has moved, or not; both versions can be used afterwards."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync(ken, folder, {"ferry.md": LATER})
    killed(home, "Snapshots.prune", "use", "1")
    async with opened(home) as ken:
        assert "06:40" in await ken.library.text("papers/ferry.md", OPERATOR)
        assert await found(ken, "When does the ferry leave?") == ["ferry.md"]
        await ken.library.use(None)
        assert "07:15" in await ken.library.text("papers/ferry.md", OPERATOR)
        assert await found(ken, "When does the ferry leave?") == ["ferry.md"]


async def test_a_push_killed_before_its_commit_is_no_push(home: Path) -> None:
    """What was served stays; pushing it again takes it, and deleting it leaves nothing of either try."""
    async with opened(home) as ken:
        await ken.library.put("notes/bakery.md", BAKERY.encode())
    killed(home, "Committer.commit", "push", "notes/tower.md", stdin=SECRET.encode())
    async with opened(home) as ken:
        assert list(await held(ken)) == ["notes/bakery.md"]
        assert "tower.md" not in await found(ken, "Who keeps owls?")
        await ken.library.put("notes/tower.md", SECRET.encode())
        assert (await found(ken, "Who keeps owls?"))[0] == "tower.md"
        await ken.library.delete("notes/tower.md")
        assert places_of(home, "brindled") == []
        assert rows(home, "documents") == 1


async def test_a_push_that_was_killed_can_be_deleted(home: Path) -> None:
    """Though it was never served, what it left behind goes: its file, and what was staged of it."""
    killed(home, "Committer.commit", "push", "notes/tower.md", stdin=SECRET.encode())
    assert places_of(home, "brindled") != []
    async with opened(home) as ken:
        await ken.library.delete("notes/tower.md")
        assert places_of(home, "brindled") == []


async def test_two_syncs_killed_at_once_are_both_made_good(home: Path, folder: Path) -> None:
    """A cursor never runs ahead of the documents that were listed up to it: the next sync asks from the old one."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync_shelf(ken, delta("whole"))
    write(folder, NEW)
    killed(home, "Snapshots.commit", "two", str(folder))
    async with opened(home) as ken:
        assert sorted(await held(ken)) == ["papers/ferry.md", "shelf/ferry.md"]
        again = delta("changes")
        assert (await sync_shelf(ken, again)).added == len(DELTA)
        assert again.cursors == ["after 1"]
        await sync(ken, folder)
        assert sorted(await held(ken)) == ["papers/ferry.md", "papers/mill.md", "shelf/crane.md", "shelf/ferry.md"]
    assert rows(home, "documents") == 5
