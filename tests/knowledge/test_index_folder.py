from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ken.errors import StorageError
from ken.knowledge.chunkers.chunker import Chunking
from ken.knowledge.permissions import Policy
from ken.knowledge.pushing import Said
from ken.storage.backup import backup, restore
from ken.wiring import Ken
from tests.knowledge.homes import (
    ANYBODY,
    BAKERY,
    FERRY,
    LIBRARY,
    OPERATOR,
    PAPERS,
    Counting,
    Mirrored,
    counts,
    found,
    fresh,
    held,
    opened,
    sync,
    with_embedder,
)

QUESTION = "When does the ferry leave?"


async def assert_served_whole(ken: Ken) -> None:
    """Every document is found, and nothing was embedded but the question."""
    result = await ken.library.search(QUESTION, OPERATOR)
    assert {evidence.document.path for evidence in result.evidence} == PAPERS.keys()
    assert "06:40" in result.evidence[0].passage.text


async def test_a_missing_index_is_built_anew(home: Path, folder: Path) -> None:
    """Without its index folder a home opens as before; so does an open one at its next change of hands."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    shutil.rmtree(home / "index")
    async with opened(home) as ken:
        embedder = with_embedder(ken, Counting)
        await assert_served_whole(ken)
        assert embedder.texts == [QUESTION]


async def test_a_restored_home_builds_its_index(home: Path, folder: Path, tmp_path: Path, made: Path) -> None:
    """A backup holds no index; the restored home answers the same."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        backup(home, tmp_path / "backup.zip")
    other = fresh(tmp_path / "other", made)
    restore(tmp_path / "backup.zip", other, replace=True)
    async with opened(other) as ken:
        await assert_served_whole(ken)


DAMAGES = [
    "cut short",
    "a row missing",
    "emptied",
    "no array",
    "file missing",
    "manifest emptied",
    "manifest of another shape",
    "a file in its place",
]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_index_is_built_anew(
    home: Path, folder: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever happened to its files, the index is made whole when the home opens, which says so, once."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    (index,) = (home / "index").iterdir()
    windows, manifest = index / "windows.npy", index / "manifest.json"
    match damage:
        case "cut short":
            windows.write_bytes(windows.read_bytes()[:-7])
        case "a row missing":
            np.save(windows, np.load(windows)[:-1])
        case "emptied":
            windows.write_bytes(b"")
        case "no array":
            windows.write_bytes(b"x" * windows.stat().st_size)
        case "file missing":
            windows.unlink()
        case "manifest emptied":
            manifest.write_text("")
        case "manifest of another shape":
            manifest.write_text("[1, 2]")
        case _:
            shutil.rmtree(index)
            index.write_text("a file")
    for told in (1, 0):
        caplog.clear()
        async with opened(home) as ken:
            await assert_served_whole(ken)
        assert caplog.text.count("is missing or damaged. It is built anew") == told


async def test_a_foreign_pointer_is_mended(home: Path, folder: Path) -> None:
    """A database that names an index of other documents gets one of its own."""
    async with opened(home, keep_snapshots=1) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        (old,) = (place.name for place in (home / "index").iterdir())
        shutil.copytree(home / "index" / old, home / old)
        await sync(ken, folder, PAPERS)
    (home / old).rename(home / "index" / old)
    with closing(sqlite3.connect(home / "ken.db")) as connection, connection:
        connection.execute("UPDATE home SET value = ? WHERE key = 'index_generation'", [old])
    async with opened(home) as ken:
        await assert_served_whole(ken)


async def test_an_index_is_built_anew_once_for_all(home: Path, folder: Path) -> None:
    """Searches that come at once to a home without its index all find the same."""
    async with opened(home) as syncing, opened(home) as serving:
        await sync(syncing, folder, PAPERS)
        shutil.rmtree(home / "index")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(found(serving, QUESTION)) for _ in range(8)]
        assert {task.result()[0] for task in tasks} == {"ferry.md"}


async def test_an_index_that_cannot_be_written_is_said_plainly(home: Path, folder: Path) -> None:
    """A file where the index folder belongs is an error that names it; no other file is touched."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    shutil.rmtree(home / "index")
    (home / "index").write_text("in the way")
    with pytest.raises(StorageError, match="index"):
        async with opened(home):
            pass
    assert (home / "index").read_text() == "in the way"


async def test_other_chunking_takes_everything_anew(home: Path, folder: Path) -> None:
    """The old passages are served until the next sync, which reads every file again, uploads too."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        said = Said(groups=frozenset({"crew"}))
        await ken.library.put("notes/note.md", b"The lighthouse keeper plays the cello.", said=said)
        before = await held(ken)
        plan = Chunking(target_tokens=200, max_tokens=250)
        ken.library.committer = replace(ken.library.committer, ingest=replace(ken.library.ingest, plan=plan))
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        assert counts(await sync(ken, folder)) == (0, 3, 0, 0)
        after = await held(ken)
        assert before.keys() == after.keys()
        assert not set(before.values()) & set(after.values())
        assert (await ken.library.document("notes/note.md", OPERATOR)).groups == {"crew"}
        assert counts(await sync(ken, folder)) == (0, 0, 3, 0)
        assert await held(ken) == after


async def test_vectors_of_two_embedders_never_meet(home: Path, folder: Path, tmp_path: Path) -> None:
    """Vectors are compared with their own embedder's, and where two meet, a search names the collections to sync."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        await sync(
            ken,
            tmp_path / "more",
            {"mill.md": "The mill grinds oats."},
            collection="more",
            policy=Policy(frozenset({"millers"})),
        )
        await ken.library.put("notes/note.md", b"The lighthouse keeper plays the cello.")
        with_embedder(ken, Mirrored)
        ken.library._index = None  # as after a start
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        assert len(await held(ken)) == 5
        assert dict(await ken.library.collections(OPERATOR)) == {"papers": 3, "more": 1, "notes": 1}

        assert counts(await sync(ken, folder)) == (0, 3, 0, 0)
        with pytest.raises(StorageError, match=r": more\. Run `ken sync`"):
            await ken.library.search(QUESTION, OPERATOR)
        assert (await found(ken, QUESTION, collections=frozenset({"papers"})))[0] == "ferry.md"
        assert (await found(ken, QUESTION, ANYBODY))[0] == "ferry.md"
        assert (await found(ken, "Who plays the cello?", ANYBODY))[0] == "note.md"

        await sync(ken, tmp_path / "more", collection="more", policy=Policy(frozenset({"millers"})))
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        best = (await ken.library.search(QUESTION, OPERATOR)).evidence[0]
        assert best.dense > 0.4


@pytest.mark.parametrize("kept", [1, 3])
async def test_as_many_generations_are_kept_as_snapshots(home: Path, folder: Path, kept: int) -> None:
    """However many syncs there were, the index folder holds no more than what can be gone back to."""
    async with opened(home, keep_snapshots=kept) as ken:
        for number in range(4):
            await sync(ken, folder, {f"{number}.md": [FERRY, BAKERY, LIBRARY, "One more."][number]})
        assert [row.corpus_version for row in await ken.library.snapshots()] == [4, 3, 2][:kept]
    assert len(list((home / "index").iterdir())) == kept
