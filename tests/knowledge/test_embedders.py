"""Another embedder: the old vectors serve until every document has new ones, and two models' vectors never meet."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from anyio import to_thread

from ken.cli.checkup import examine
from ken.connectors.configured import Configured
from ken.domain.principal import Principal
from ken.errors import EmbedderChanged, InvalidSetting, ModelError, ModelUnavailable, SyncRunning
from ken.knowledge.sources.source import Fetched, Listed
from ken.models.steady_embedder import PROBE
from ken.scheduler.scheduler import Scheduler
from ken.settings import load
from ken.wiring import Ken
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
    places_of,
    rows,
    sync,
)
from tests.knowledge.shelf import Shelf, sync_shelf
from tests.models.embedding_server import EmbeddingServer, answers

QUESTION = "When does the ferry to the island leave?"
LATER = FERRY.replace("06:40", "07:15")
CREW = Principal("mate", frozenset({"crew"}))
TABLE = "# Fares\n\n| from | to | fare |\n|---|---|---|\n" + "".join(
    f"| pier {number} | island {number} | {number} crowns |\n" for number in range(80)
)
PROSE = "# Tides\n\n## High water\n\n- It comes twice a day.\n- Mind the `gauge`.\n\n> Nobody waits.\n\n" + LIBRARY


@pytest.fixture
async def server() -> AsyncGenerator[EmbeddingServer]:
    started = EmbeddingServer()
    await started.start()
    yield started
    await started.stop()


def wants(home: Path, server: EmbeddingServer, more: str = "", model: str = "m-1") -> None:
    """Name the server in ken.toml."""
    table = f'[embedder]\nbase_url = "{server.url}"\nmodel = "{model}"\nquestion_s = 1.0\n{more}\n'
    (home / "ken.toml").write_text(table)


async def spans(ken: Ken) -> list[tuple[str, int, int, tuple[str, ...], str, str]]:
    """Every passage as it is cut."""
    return [
        (each.document_id, each.start, each.end, each.heading_path, each.text, each.header)
        for name in await held(ken)
        for each in await ken.library.passages(name, OPERATOR)
    ]


def scored_shape(home: Path) -> tuple[int, ...]:
    """Windows, and how many numbers of their vectors a first pass scores."""
    (shape,) = {np.load(place, mmap_mode="r").shape for place in home.glob("index/*/vectors.npy")}
    return shape


async def lineage(ken: Ken) -> set[str]:
    """The embedders that the documents name."""
    return {document.lineage.embedder for document in await ken.library.documents(OPERATOR)}


async def test_a_home_that_begins_with_an_endpoint(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """Documents and questions are embedded there, with their prefixes, and found; the lineage says so."""
    wants(home, server, 'passage_prefix = "passage: "\nquery_prefix = "query: "')
    async with opened(home) as ken:
        assert counts(await sync(ken, folder, PAPERS)) == (3, 0, 0, 0)
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        best = (await ken.library.search(QUESTION, OPERATOR)).evidence[0]
        assert best.dense > 0.3
        assert max(each.similarity for each in best.sentences) > 0.3
        assert f"query: {QUESTION}" in server.texts
        assert "passage: The ferry to the island leaves at 06:40 every morning." in server.texts
        (name,) = await lineage(ken)
        assert name.startswith("endpoint m-1")
    asked = len(server.texts)
    async with opened(home) as ken:
        assert counts(await sync(ken, folder)) == (0, 0, 3, 0)
        assert len(server.texts) == asked  # opening a home and an idle sync ask for nothing


async def test_the_old_vectors_serve_until_the_new_ones_are_complete(
    home: Path, folder: Path, server: EmbeddingServer
) -> None:
    """Passages stay span for span, no source is asked, one step switches, and a running Ken follows."""
    async with opened(home) as ken:
        shelf = Shelf(papers={"fares.md": TABLE, "tides.md": PROSE}, stamps={"fares.md": "1", "tides.md": "1"})
        shelf.groups = {"fares.md": frozenset({"crew"})}
        await sync(ken, folder, PAPERS)
        await sync_shelf(ken, shelf)
        cut, before = await spans(ken), await ken.library.search(QUESTION, OPERATOR)
        served = ken.library.corpus_version
    wants(home, server)
    (folder / "ferry.md").rename(folder.parent / "gone")  # a source that nobody must ask
    async with opened(home) as ken, opened(home) as other:
        assert [each.dense for each in (await ken.library.search(QUESTION, OPERATOR)).evidence] == [
            each.dense for each in before.evidence
        ]
        assert server.texts == []
        told: list[tuple[int, int, str]] = []
        report = await other.library.embed_again(lambda *progress: told.append(progress))
        assert (report.embedded, report.has_changed, told[-1][:2]) == (5, True, (5, 5))
        assert report.corpus_version == served + 1 == ken.library.corpus_version
        assert await ken.library.embedding() is None
        for each in (ken, other):
            assert await spans(each) == cut
            assert {name.split()[0] for name in await lineage(each)} == {"endpoint"}
            result = await each.library.search(QUESTION, OPERATOR)
            assert result.evidence[0].document.path == "ferry.md"
            assert result.evidence[0].dense != before.evidence[0].dense
        assert [each.path for each in await ken.library.documents(CREW, collection="shelf")] == ["fares.md", "tides.md"]
        assert [each.path for each in await ken.library.documents(Principal("x"), collection="shelf")] == ["tides.md"]
        newest, oldest = (await ken.library.snapshots())[0].content, served
        assert (await ken.library.difference(oldest, newest)).changed == ()
        shelf.fetched.clear()
        assert counts(await sync_shelf(ken, shelf)) == (0, 0, 2, 0)
        assert shelf.fetched == []  # the stamps are still believed
        again = await ken.library.embed_again()
        assert (again.has_changed, again.embedded) == (False, 0)


async def test_a_sync_during_the_change(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """What is added, changed and deleted meanwhile is so afterwards, and is served at once with the old embedder."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    wants(home, server)
    server.holds = "lent for four weeks"
    async with opened(home) as ken:
        change = asyncio.create_task(ken.library.embed_again())
        await server.holding.wait()
        state = await ken.library.embedding()
        assert state is not None
        assert (state.name, state.total, state.problem) == ("endpoint m-1", 3, "")
        (folder / "bakery.md").unlink()
        report = await sync(ken, folder, {"ferry.md": LATER, "mill.md": "# Mill\n\nThe mill grinds oats.\n"})
        assert counts(report) == (1, 1, 1, 1)
        assert "mill.md" in await found(ken, "Who grinds oats?")
        assert not await ken.library.is_embedded()
        server.let_go.set()
        await change
        assert await ken.library.is_embedded()
        assert sorted(await held(ken)) == ["papers/ferry.md", "papers/mill.md", "papers/town/library.md"]
        assert "07:15" in (await ken.library.search(QUESTION, OPERATOR)).evidence[0].passage.text
        assert counts(await sync(ken, folder)) == (0, 0, 3, 0)
        assert len(await lineage(ken)) == 1
        assert places_of(home, "poppy rolls") == []


@dataclass
class Slow(Shelf):
    """A shelf from which fetching takes as long as a change of the embedder."""

    change: Callable[[], Awaitable[object]] | None = None

    async def fetch(self, listed: Listed) -> Fetched:
        """Change the embedder, then give a paper."""
        if self.change is not None:
            await self.change()
        return await super().fetch(listed)


async def test_a_sync_that_ends_after_the_change(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """What it read with the old embedder is embedded anew before it is committed."""
    shelf = Slow(papers={"ferry.md": FERRY, "bakery.md": BAKERY}, stamps={"bakery.md": "1"})
    async with opened(home) as ken:
        await sync(ken, folder, {"library.md": LIBRARY})
        await sync_shelf(ken, shelf)
    wants(home, server)
    async with opened(home) as ken, opened(home) as other:
        shelf.papers["ferry.md"], shelf.change = LATER, other.library.embed_again
        assert counts(await sync_shelf(ken, shelf)) == (0, 1, 1, 0)
        for each in (ken, other):
            assert "07:15" in (await each.library.search(QUESTION, OPERATOR)).evidence[0].passage.text
            assert await lineage(each) == {"endpoint m-1"}
        shelf.change = None
        assert counts(await sync_shelf(ken, shelf)) == (0, 0, 2, 0)


async def test_going_back_over_the_change(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """An older version is compared with questions of its own embedder; one that is gone is named, and the newest helps."""
    wants(home, server)
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    (home / "ken.toml").unlink()
    async with opened(home) as ken:
        await ken.library.embed_again()
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        await ken.library.use(1)
        asked = len(server.texts)
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        assert server.texts[asked:][-1] == QUESTION
        await sync(ken, folder, {"mill.md": "# Mill\n\nThe mill grinds oats.\n"})
        assert "mill.md" not in await found(ken, "Who grinds oats?")
    await server.stop()
    async with opened(home) as ken:
        with pytest.raises(ModelUnavailable, match=r"The embedder 'm-1' at .* can't be reached"):
            await ken.library.search("Where is the bakery?", OPERATOR)
        assert len(await held(ken)) == 3  # pages need no embedder
        await ken.library.use(None)
        assert "mill.md" in await found(ken, "Who grinds oats?")


async def test_to_and_fro_embeds_nothing_twice(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """Going back to the former embedder takes what a kept snapshot still has."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    wants(home, server)
    async with opened(home) as ken:
        await ken.library.embed_again()
        await sync(ken, folder, {"ferry.md": LATER})
    (home / "ken.toml").unlink()
    async with opened(home) as ken:
        assert (await ken.library.embed_again()).embedded == 1
        assert "07:15" in (await ken.library.search(QUESTION, OPERATOR)).evidence[0].passage.text
        assert len(await lineage(ken)) == 1


async def test_a_change_that_is_given_up_leaves_nothing(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """With the old table back, the next sync deletes what was embedded for nothing."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    wants(home, server)
    async with opened(home) as ken:
        good = server.embedded
        server.always = answers({}, 400)
        with pytest.raises(ModelError):
            await ken.library.embed_again()
        server.always = None
        assert good is not None
        space = ken.library.committer.spaces.space(ken.library.ingest, await ken.library.committer.spaces.want())
        ken.library.committer.spaces.book.begin("endpoint m-1", space.ingest.space)
        await space.ingest.embed_again("papers/ferry.md", (await held(ken))["papers/ferry.md"])
        await sync(ken, folder, {"bakery.md": BAKERY + "\nAnd cakes."})
        assert rows(home, "documents") == 5  # three current, one kept, one embedded anew
    (home / "ken.toml").unlink()
    async with opened(home, keep_snapshots=1) as ken:
        await sync(ken, folder, {"bakery.md": BAKERY + "\nAnd pies."})
        assert rows(home, "documents") == 3


async def test_an_endpoint_that_gives_other_vectors(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """Another model, or another length, under the same name is an error; nothing is mixed, and a revision mends it."""
    wants(home, server)
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        server.dimensions = 64
        with pytest.raises(EmbedderChanged, match="gives vectors of 64 numbers, where those of the documents have 48"):
            await ken.library.search(QUESTION, OPERATOR)
        server.dimensions = 48
        assert (await found(ken, QUESTION))[0] == "ferry.md"
    server.seed = 1
    async with opened(home) as ken:
        with pytest.raises(EmbedderChanged, match=r"no longer the model .*\(cosine 0.* `revision`"):
            await ken.library.search(QUESTION, OPERATOR)
        with pytest.raises(EmbedderChanged):
            await sync(ken, folder, {"mill.md": "# Mill\n\nThe mill grinds oats.\n"})
        assert len(await held(ken)) == 3
    server.seed, server.dimensions = 0, 64
    async with opened(home) as ken:
        with pytest.raises(EmbedderChanged, match="longer or shorter"):
            await ken.library.search(QUESTION, OPERATOR)
    wants(home, server, 'revision = "2"')
    async with opened(home) as ken:
        assert await ken.library.is_embedded() is False
        await ken.library.embed_again()
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        assert counts(await sync(ken, folder)) == (1, 0, 3, 0)


async def test_an_endpoint_that_is_down(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """A question fails plainly; a change waits and says why; an empty home isn't opened; a key is looked for."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    wants(home, server)
    await server.stop()
    async with opened(home) as ken:
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        with pytest.raises(ModelUnavailable, match="can't be reached"):
            await ken.library.embed_again()
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        await server.start()
        await ken.library.embed_again()
        await server.stop()
        with pytest.raises(ModelUnavailable, match="can't be reached"):
            await ken.library.search("Where is the bakery?", OPERATOR)
    wants(home, server, 'api_key_env = "NO_SUCH_KEY"')
    with pytest.raises(InvalidSetting, match=r"\[embedder\] table wants its key .* 'NO_SUCH_KEY'"):
        async with opened(home):
            pass
    fresh = home.parent / "fresh"
    fresh.mkdir()
    (fresh / "models").symlink_to(home / "models")
    wants(fresh, server)
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        async with opened(fresh):
            pass


@pytest.mark.timeout(180)  # `ken` is started as a process
async def test_a_killed_change_is_taken_up_where_it_stopped(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """After kill -9 the old vectors serve, and what was embedded isn't embedded again."""
    papers = {
        f"{number}.md": f"# Paper {number}\n\nThe paper {number} is on matter {number}.\n" for number in range(12)
    }
    async with opened(home) as ken:
        await sync(ken, folder, papers)
    wants(home, server)
    server.pause_s = 0.2
    command = [sys.executable, "-m", "ken", "index", "embed", "--home", str(home)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    async with opened(home) as ken:
        while (state := await ken.library.embedding()) is None or state.done < 2:
            assert process.returncode is None, "it ended before it could be killed"
            await asyncio.sleep(0.02)
        with pytest.raises(SyncRunning, match="Embedding the documents anew is running"):
            await ken.library.embed_again()
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        assert await lineage(ken) == {ken.library.ingest.embedder.name}
        assert (await found(ken, "Which paper is on matter 7?"))[0] == "7.md"
        server.pause_s = 0.0
        done = (await ken.library.embedding() or state).done
        code, out, err = await ken_says(home, "index", "embed")
        assert (code, out) == (0, "All documents have vectors of endpoint m-1. Corpus version 2 is in use.\n")
        assert err.startswith(f"{12 - done} embedded anew")
        assert (await found(ken, "Which paper is on matter 7?"))[0] == "7.md"


async def ken_says(home: Path, *arguments: str) -> tuple[int | None, str, str]:
    """What a `ken` of its own says: exit code, output, errors."""
    command = [sys.executable, "-m", "ken", *arguments, "--home", str(home)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.timeout(180)  # `ken` is started as a process
async def test_a_running_ken_embeds_anew_by_itself(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """Its scheduler has a job for it, which is tried again after a failure; `ken index list` and the doctor tell of it."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
    wants(home, server)
    async with opened(home) as ken:
        server.always = answers({"error": {"message": "no such model"}}, 404)
        scheduler = Scheduler(Configured.of(ken).jobs())
        async with scheduler.running():
            scheduler.ask("embedding anew")
            while (state := await ken.library.embedding()) is None or not state.problem:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
            assert (await found(ken, QUESTION))[0] == "ferry.md"
            _, _, told = await ken_says(home, "index", "list")
            assert "0 of 3 documents are embedded anew with endpoint m-1. It stopped: The embedder 'm-1'" in told
            found_wrong = await to_thread.run_sync(examine, load(home))
            assert {each.state for each in found_wrong if each.what == "Embedder 'm-1'"} == {"failed"}
            server.always = None
            while scheduler.due("embedding anew") is None:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
            scheduler.ask("embedding anew")
            while not await ken.library.is_embedded():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
        assert await lineage(ken) == {"endpoint m-1"}
    told = {each.what: each.detail for each in await to_thread.run_sync(examine, load(home))}
    assert told["Embedder 'm-1'"] == f"{server.url} answers, with vectors of 48 numbers"


async def test_a_first_pass_over_the_first_numbers(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """The index scores that many numbers of a vector, whole vectors order what it finds, and a change builds it anew."""
    wants(home, server)
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        whole = await ken.library.search(QUESTION, OPERATOR)
        version = ken.library.corpus_version
    asked = len(server.texts)
    for more, width in (("first_pass_dimensions = 16", 16), ("first_pass_dimensions = 8", 8), ("", 48)):
        wants(home, server, more)
        async with opened(home) as ken:
            assert scored_shape(home) == (3, width)
            result = await ken.library.search(QUESTION, OPERATOR)
            assert [each.dense for each in result.evidence] == [each.dense for each in whole.evidence]
            assert ken.library.corpus_version == version
    assert all(text in {QUESTION, PROBE} for text in server.texts[asked:])  # nothing was embedded anew
    wants(home, server, "first_pass_dimensions = 48")
    with pytest.raises(InvalidSetting, match="first_pass_dimensions is 48, and the vectors of 'm-1' have 48 numbers"):
        async with opened(home):
            pass


async def test_the_same_with_the_index_in_postgresql(
    home: Path, folder: Path, server: EmbeddingServer, postgres_url: str
) -> None:
    """Vectors of two lengths lie side by side there; a first pass is refused."""
    async with opened(home, database_url=postgres_url) as ken:
        await sync(ken, folder, PAPERS)
    wants(home, server)
    async with opened(home, database_url=postgres_url) as ken:
        assert (await ken.library.embed_again()).embedded == 3
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        await ken.library.use(1)
        assert (await found(ken, QUESTION))[0] == "ferry.md"
        await ken.library.use(None)
        assert await lineage(ken) == {"endpoint m-1"}
        assert counts(await sync(ken, folder)) == (0, 0, 3, 0)
    wants(home, server, "first_pass_dimensions = 16")
    with pytest.raises(InvalidSetting, match="first_pass_dimensions is for the index in the home"):
        async with opened(home, database_url=postgres_url):
            pass
