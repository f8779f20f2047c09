from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PROJECT
from tests.cli.terminal import Terminal
from tests.knowledge.homes import (
    BAKERY,
    FERRY,
    LIBRARY,
    OPERATOR,
    PAPERS,
    counts,
    found,
    held,
    opened,
    rows,
    sync,
    write,
)

OLD = {"ferry.md": FERRY, "bakery.md": BAKERY, "library.md": LIBRARY}
NEW = {
    "apiary.md": "# Apiary\n\nThe bees make heather honey in August.\n",
    "ferry.md": FERRY.replace("06:40", "07:15"),
    "mill.md": "# Mill\n\nThe mill grinds oats on Thursdays.\n",
    "zoo.md": "# Zoo\n\nThe otters are fed at noon.\n",
}


def syncing(home: Path, folder: Path, *point: str) -> subprocess.Popen[str]:
    """A sync of the folder in another process, which comes to its end at a point."""
    command = [sys.executable, "-m", "tests.knowledge.syncing", str(home), str(folder), *point]
    return subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


POINTS = [
    ("progress", "1"),
    ("progress", "3"),
    ("open", "lexical_rows.npy"),
    ("os.rename", "/index/."),
    ("shutil.rmtree", "/index/"),
]


@pytest.mark.parametrize("point", POINTS, ids=["_".join(point).replace("/", "") for point in POINTS])
async def test_a_killed_sync_is_completed_by_the_next(home: Path, folder: Path, point: tuple[str, str]) -> None:
    """Until it has committed, the old corpus is served whole; the next sync loses nothing and doubles nothing."""
    async with opened(home) as ken:
        await sync(ken, folder, OLD)
        old = await held(ken)
    write(folder, NEW)
    (folder / "bakery.md").unlink()
    with syncing(home, folder, *point) as process:
        _, told = process.communicate(timeout=50)
    assert process.returncode == -signal.SIGKILL, told

    has_committed = point[0] == "shutil.rmtree"
    async with opened(home) as ken:
        if not has_committed:
            assert await held(ken) == old
            assert set(await found(ken, "When does the ferry leave?", limit=50)) == set(OLD)
            assert (
                "06:40" in (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0].passage.text
            )
        report = await sync(ken, folder)
        assert counts(report) == ((0, 0, 5, 0) if has_committed else (3, 1, 1, 1))
        new = {"apiary.md", "ferry.md", "library.md", "mill.md", "zoo.md"}
        assert {document_id.removeprefix("papers/") for document_id in await held(ken)} == new
        result = await ken.library.search("When does the ferry leave?", OPERATOR, limit=50)
        assert "07:15" in result.evidence[0].passage.text
        assert sorted(evidence.document.path for evidence in result.evidence) == sorted(new)
        assert report.corpus_version == result.corpus_version == 2
    assert rows(home, "documents") == rows(home, "passages") == 6  # and the old timetable, kept to go back to
    assert len(list((home / "index").iterdir())) == 1  # the old index held what was deleted


async def test_a_killed_sync_is_taken_up_where_it_stopped(home: Path, folder: Path) -> None:
    """What was read before the end is not read again."""
    write(folder, NEW)
    with syncing(home, folder, "progress", "3") as process:
        process.communicate(timeout=50)
    staged = rows(home, "documents")
    assert staged >= 3
    async with opened(home) as ken:
        assert await held(ken) == {}
        assert await found(ken, "When are the otters fed?") == []
        report = await sync(ken, folder)
        assert counts(report) == (4, 0, 0, 0)
        assert report.passages == 4 - staged


async def test_what_an_interrupted_sync_read_and_is_gone_leaves_nothing(home: Path, folder: Path) -> None:
    """A file that was deleted before the sync was repeated has no rows left."""
    write(folder, NEW)
    with syncing(home, folder, "progress", "4") as process:
        process.communicate(timeout=50)
    (folder / "zoo.md").unlink()
    async with opened(home) as ken:
        assert counts(await sync(ken, folder)) == (3, 0, 0, 0)
    assert rows(home, "documents") == rows(home, "passages") == 3


async def test_of_two_syncs_one_works_and_the_other_says_so(home: Path, folder: Path) -> None:
    """The second of one folder ends at once, with a line and a code; searches, pushes and the first go on."""
    async with opened(home) as ken:
        await sync(ken, folder, OLD)
        write(folder, NEW)
        with syncing(home, folder, "wait") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "waiting\n"
            refused = Terminal(home).ken("sync", str(folder), "--collection", "papers", code=1)
            assert "is running" in refused.stderr
            assert str(process.pid) in refused.stderr
            await ken.library.put("notes/tide.md", b"The tide turns.")
            assert (
                "06:40" in (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0].passage.text
            )
            process.communicate("go on\n", timeout=50)
            assert process.returncode == 0
        assert "07:15" in (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0].passage.text
        assert counts(await sync(ken, folder, PAPERS)) == (1, 1, 5, 0)
