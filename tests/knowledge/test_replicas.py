"""Several replicas over one PostgreSQL, each with a home of its own, as on machines of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from ken.errors import Conflict, NotFound, SyncRunning
from ken.knowledge.pushing import Said
from ken.wiring import Ken
from tests.architecture.tree import PROJECT
from tests.knowledge.homes import FERRY, OPERATOR, PAPERS, found, fresh, held, opened, sync, write


@dataclass(frozen=True)
class Replicas:
    """Two of them, at work."""

    url: str
    one: Ken
    two: Ken


@pytest.fixture
async def replicas(tmp_path: Path, made: Path, postgres_url: str) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(opened(fresh(tmp_path / name, made), database_url=postgres_url))
            for name in ("one", "two")
        ]
        yield Replicas(postgres_url, one, two)


async def test_two_syncs_of_one_source_at_once_are_one(replicas: Replicas, folder: Path) -> None:
    """Whoever comes second is told where the first one runs; afterwards either may sync again."""
    write(folder, PAPERS)
    refused: list[SyncRunning] = []
    done: list[Ken] = []

    async def work(ken: Ken) -> None:
        try:
            await sync(ken, folder)
        except SyncRunning as error:
            refused.append(error)
        else:
            done.append(ken)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, replicas.one)
        tasks.start_soon(work, replicas.two)
    assert (len(done), len(refused)) == (1, 1)
    assert f"process {os.getpid()} on " in str(refused[0])
    for ken in (replicas.one, replicas.two):
        assert (await sync(ken, folder)).unchanged == 3
        assert await held(ken) == await held(replicas.one)


async def test_syncs_of_different_sources_at_once_both_count(replicas: Replicas, tmp_path: Path) -> None:
    """Each commits over the other's: no document and no number is lost."""
    async with anyio.create_task_group() as tasks:
        for ken, name in ((replicas.one, "left"), (replicas.two, "right")):
            write(tmp_path / name, PAPERS)
            tasks.start_soon(lambda ken=ken, name=name: sync(ken, tmp_path / name, collection=name))
    assert await held(replicas.one) == await held(replicas.two)
    assert len(await held(replicas.one)) == 6
    assert [row.corpus_version for row in await replicas.one.library.snapshots()] == [2, 1]


async def test_a_switch_by_one_replica_is_seen_by_the_other(replicas: Replicas, folder: Path) -> None:
    """The next question is answered from the corpus version that is in use now, whoever said so."""
    await sync(replicas.one, folder, PAPERS)
    before = replicas.two.library.corpus_version
    await sync(replicas.one, folder, {"ferry.md": "# Ferry\n\nThe ferry is laid up until spring.\n"})
    assert replicas.two.library.corpus_version > before
    await replicas.two.library.use(before)
    assert "06:40" in await replicas.one.library.text("papers/ferry.md", OPERATOR)
    assert replicas.one.library.corpus_version == replicas.two.library.corpus_version


async def test_pushed_files_are_every_replicas(replicas: Replicas) -> None:
    """What one took the other finds, changes, refuses to lay a file into, and deletes for good."""
    one, two = replicas.one.library, replicas.two.library
    await one.put("notes/ferry.md", FERRY.encode(), said=Said(groups=frozenset({"crew"})))
    assert (await found(replicas.two, "When does the ferry leave?"))[0] == "ferry.md"
    assert two.originals.read("notes/ferry.md", max_bytes=1000) == FERRY.encode()
    with pytest.raises(Conflict, match="is an upload, and no folder"):
        await two.put("notes/ferry.md/inside.md", b"# X\n")
    await two.put("notes/ferry.md", FERRY.replace("06:40", "07:15").encode(), said=Said(groups=frozenset({"crew"})))
    assert "07:15" in await one.text("notes/ferry.md", OPERATOR)
    await two.delete("notes/ferry.md")
    with pytest.raises(NotFound):
        await one.document("notes/ferry.md", OPERATOR)
    assert list(one.originals.ids()) == []
    await one.put("notes/deep/er.md", b"# Deeper\n\nA note.\n")
    await two.remove_source("uploads:notes")
    assert list(one.originals.ids()) == []


async def test_pushes_through_both_replicas_at_once_are_all_taken(replicas: Replicas) -> None:
    """They share commits or follow each other; none is lost and none is refused."""
    async with anyio.create_task_group() as tasks:
        for number in range(8):
            ken = (replicas.one, replicas.two)[number % 2]
            tasks.start_soon(ken.library.put, f"notes/{number}.md", f"# Note {number}\n\nIt says {number}.\n".encode())
    assert sorted(await held(replicas.one)) == [f"notes/{number}.md" for number in range(8)]


async def test_the_locks_of_a_killed_replica_are_free(
    replicas: Replicas, folder: Path, tmp_path: Path, made: Path
) -> None:
    """A sync whose process was killed reads `interrupted`, and the next one of that source begins at once."""
    write(folder, PAPERS)
    place = fresh(tmp_path / "three", made)
    command = [sys.executable, "-m", "tests.knowledge.dying", str(place), "Snapshots.commit", "sync", str(folder)]
    environment = {**os.environ, "KEN_DATABASE_URL": replicas.url}
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, check=False, timeout=50, input=b""
        )
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    shutil.rmtree(place)
    (row,) = await replicas.one.library.syncs()
    assert row.state == "interrupted"
    assert (await sync(replicas.two, folder)).added == 3
