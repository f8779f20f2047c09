# ruff: noqa: ASYNC240 - a test may wait for its own small files
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ken.errors import InvalidInput, NotFound
from ken.knowledge.permissions import Policy
from ken.knowledge.sync import SyncOptions
from tests.cli.terminal import Terminal
from tests.knowledge.homes import (
    BAKERY,
    FERRY,
    OPERATOR,
    PAPERS,
    Counting,
    counts,
    found,
    held,
    opened,
    rows,
    sync,
    with_embedder,
    write,
)


async def test_a_first_sync_takes_every_file(home: Path, folder: Path) -> None:
    """All files of the folder and of those below it become documents that a search finds."""
    async with opened(home) as ken:
        report = await sync(ken, folder, PAPERS)
        assert counts(report) == (3, 0, 0, 0)
        assert list(await held(ken)) == ["papers/bakery.md", "papers/ferry.md", "papers/town/library.md"]
        assert (await found(ken, "When does the ferry leave?"))[0] == "ferry.md"
        assert (await found(ken, "For how long are books lent?"))[0] == "town/library.md"


async def test_a_sync_without_changes_does_nothing(home: Path, folder: Path) -> None:
    """Neither the embedder is called nor the corpus version moved, also where files were touched."""
    async with opened(home) as ken:
        first = await sync(ken, folder, PAPERS)
        embedder = with_embedder(ken, Counting)
        for place in folder.rglob("*.md"):
            os.utime(place, (1, 1))
        second = await sync(ken, folder)
        assert counts(second) == (0, 0, 3, 0)
        assert embedder.texts == []
        assert second.corpus_version == first.corpus_version == ken.library.corpus_version


async def test_only_what_changed_is_read_anew(home: Path, folder: Path) -> None:
    """One file changed, one added, one deleted: only the first two are embedded."""
    async with opened(home) as ken:
        first = await sync(ken, folder, PAPERS)
        embedder = with_embedder(ken, Counting)
        (folder / "bakery.md").unlink()
        report = await sync(
            ken, folder, {"ferry.md": FERRY.replace("06:40", "07:15"), "mill.md": "The mill grinds oats."}
        )
        assert counts(report) == (1, 1, 1, 1)
        assert report.corpus_version == first.corpus_version + 1
        assert embedder.texts
        assert all("07:15" in text or "Ferry" in text or "mill" in text.lower() for text in embedder.texts)
        assert "07:15" in await ken.library.text("papers/ferry.md", OPERATOR)
        assert "bakery.md" not in await found(ken, "poppy rolls")
        assert (await found(ken, "Who grinds oats?"))[0] == "mill.md"


async def test_a_renamed_file_is_the_document_of_its_new_name(home: Path, folder: Path) -> None:
    """Nothing answers to the old name, and the text is found once."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        (folder / "ferry.md").rename(folder / "boat.md")
        assert counts(await sync(ken, folder)) == (1, 0, 2, 1)
        with pytest.raises(NotFound):
            await ken.library.document("papers/ferry.md", OPERATOR)
        assert (await found(ken, "When does the ferry leave?"))[0] == "boat.md"
        assert rows(home, "documents") == 3


async def test_front_matter_alone_is_a_change(home: Path, folder: Path) -> None:
    """A new owner in the front matter of the same text arrives."""
    async with opened(home) as ken:
        await sync(ken, folder, {**PAPERS, "ferry.md": f"---\nowner: Ada\n---\n{FERRY}"})
        report = await sync(ken, folder, {"ferry.md": f"---\nowner: Grace\n---\n{FERRY}"})
        assert counts(report) == (0, 1, 2, 0)
        assert (await ken.library.document("papers/ferry.md", OPERATOR)).owner == "Grace"


async def test_other_default_groups_are_a_change(home: Path, folder: Path) -> None:
    """What names no groups of its own gets the new ones."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY, "bakery.md": f"---\ngroups: [bakers]\n---\n{BAKERY}"})
        await sync(ken, folder, policy=Policy(frozenset({"crew"})))
        documents = await ken.library.documents(OPERATOR)
        assert {document.path: document.groups for document in documents} == {
            "bakery.md": {"bakers"},
            "ferry.md": {"crew"},
        }


async def test_collections_do_not_touch_each_other(home: Path, folder: Path, tmp_path: Path) -> None:
    """A folder that lost everything leaves the documents of another collection alone."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        await sync(ken, tmp_path / "other", {"ferry.md": FERRY}, collection="other")
        for place in folder.rglob("*.md"):
            place.unlink()
        report = await sync(ken, folder, options=SyncOptions(may_delete_many=True))
        assert counts(report) == (0, 0, 0, 3)
        assert list(await held(ken)) == ["other/ferry.md"]
        assert await ken.library.collections(OPERATOR) == (("other", 1),)


async def test_two_folders_do_not_share_an_id(home: Path, folder: Path, tmp_path: Path) -> None:
    """A file of a second folder whose id is taken is a failure; the others of that folder are taken."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        before = await held(ken)
        report = await sync(ken, tmp_path / "second", {"ferry.md": BAKERY, "bakery.md": BAKERY})
        assert [failure.path for failure in report.failures] == ["ferry.md"]
        assert counts(report) == (1, 0, 0, 0)
        assert before.items() <= (await held(ken)).items()


async def test_an_interrupted_sync_of_one_folder_is_not_another_ones(home: Path, folder: Path, tmp_path: Path) -> None:
    """A version that was staged for one folder is not taken for the same file of another."""

    def interrupt(done: int, total: int, path: str, bytes_done: int) -> None:
        _ = total, path, bytes_done
        if done == 1:
            raise RuntimeError

    async with opened(home) as ken:
        with pytest.raises(RuntimeError):
            await sync(ken, folder, {"ferry.md": FERRY}, progress=interrupt)
        assert await held(ken) == {}
        assert counts(await sync(ken, tmp_path / "second", {"ferry.md": FERRY})) == (1, 0, 0, 0)
        assert await found(ken, "When does the ferry leave?") == ["ferry.md"]


async def test_a_serving_process_sees_the_sync_of_another(home: Path, folder: Path) -> None:
    """The next search after `ken sync` finds the new text, and the old one no more."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        assert await found(ken, "When does the ferry leave?")
        (folder / "bakery.md").unlink()
        write(folder, {"ferry.md": FERRY.replace("06:40", "05:05")})
        Terminal(home).ken("sync", str(folder), "--collection", "papers")
        result = await ken.library.search("When does the ferry leave?", OPERATOR)
        assert "05:05" in result.evidence[0].passage.text
        assert result.corpus_version == ken.library.corpus_version == 2
        assert "bakery.md" not in await found(ken, "rye bread")


async def test_a_corpus_that_came_back_has_a_new_version(home: Path, folder: Path) -> None:
    """A serving process doesn't take the corpus after the last for the one before it."""
    async with opened(home) as serving, opened(home) as syncing:
        await sync(syncing, folder, PAPERS)
        assert serving.library.corpus_version == 1
        await sync(syncing, folder, {"ferry.md": "The ferry is laid up."})
        await sync(syncing, folder, {"ferry.md": FERRY})
        assert serving.library.corpus_version == 3
        assert (await serving.library.search("ferry", OPERATOR)).corpus_version == 3


async def test_progress_counts_files_and_bytes(home: Path, folder: Path) -> None:
    """It is told of every file once, up to the whole."""
    told: list[tuple[int, int, str, int]] = []
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS, progress=lambda *line: told.append(line))
    assert [line[:2] for line in told] == [(1, 3), (2, 3), (3, 3)]
    assert sorted(line[2] for line in told) == ["bakery.md", "ferry.md", "town/library.md"]
    assert told[-1][3] == sum(len(text) for text in PAPERS.values())


async def test_the_status_names_source_and_failures(home: Path, folder: Path) -> None:
    """What the last sync could not take stands in the status until it can."""
    async with opened(home) as ken:
        await sync(ken, folder, {**PAPERS, "empty.md": ""})
        (status,) = await ken.library.status()
        assert (status.kind, status.location, status.documents) == ("folder", str(folder), 3)
        assert [path for path, _ in status.failures] == ["empty.md"]
        await sync(ken, folder, {"empty.md": "No longer empty."})
        assert (await ken.library.status())[0].failures == ()


@pytest.mark.parametrize("what", ["a file", "nothing"])
async def test_a_folder_that_is_none_is_refused(home: Path, tmp_path: Path, what: str) -> None:
    """A file, or nothing at all, is no folder: the message names it, and nothing is deleted."""
    place = tmp_path / "elsewhere"
    if what == "a file":
        place.write_text("text")
    async with opened(home) as ken:
        with pytest.raises(InvalidInput, match="elsewhere"):
            await ken.library.sync_folder(place, collection="papers")


async def test_a_folder_that_vanished_deletes_nothing(home: Path, folder: Path, tmp_path: Path) -> None:
    """A disk that isn't mounted is no reason to forget its documents."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        folder.rename(tmp_path / "away")
        with pytest.raises(InvalidInput, match="does not exist"):
            await ken.library.sync_folder(folder, collection="papers")
        assert len(await held(ken)) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
async def test_a_closed_folder_is_refused(home: Path, folder: Path) -> None:
    """A folder that this user may not read is named, and nothing is deleted."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        folder.chmod(0)
        try:
            with pytest.raises(InvalidInput, match="can't be read"):
                await sync(ken, folder)
        finally:
            folder.chmod(0o755)
        assert len(await held(ken)) == 3


async def test_a_collection_has_a_plain_name(home: Path, folder: Path) -> None:
    """What can't stand in a path or in a document's id is refused."""
    names = ("", ".", "..", ".hidden", "a/b", "a b", "a\n", "a\0", "a:b", "x" * 101, "ä" * 51, "\ud800")
    async with opened(home) as ken:
        for name in names:
            with pytest.raises(InvalidInput, match="can't name a collection"):
                await sync(ken, folder, collection=name)


async def test_a_source_of_the_same_name_by_another_path_is_the_same(home: Path, folder: Path, tmp_path: Path) -> None:
    """A folder reached by a link, or by a path with dots, is the folder itself."""
    (tmp_path / "link").symlink_to(folder)
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        assert counts(await sync(ken, tmp_path / "link")) == (0, 0, 3, 0)
        assert counts(await sync(ken, folder / ".." / folder.name)) == (0, 0, 3, 0)
