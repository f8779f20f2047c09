from __future__ import annotations

from pathlib import Path

import pytest

from ken.domain.principal import Principal
from ken.errors import NotFound
from tests.knowledge.homes import ANYBODY, BAKERY, FERRY, LIBRARY, OPERATOR, found, held, opened, places_of, sync
from tests.knowledge.shelf import Shelf, sync_shelf

QUESTION = "When does the ferry leave?"
LATER = FERRY.replace("06:40", "07:15")
CREW = Principal("mate", frozenset({"crew"}))


async def says(ken: object, time: str) -> bool:
    """Whether the best passage on the ferry holds a time."""
    evidence = (await ken.library.search(QUESTION, OPERATOR)).evidence  # type: ignore[attr-defined]
    return bool(evidence) and time in evidence[0].passage.text


async def test_going_back_and_forth(home: Path, folder: Path) -> None:
    """An older version is served as it was, under a number of its own; syncs go on unseen until the newest is used."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync(ken, folder, {"ferry.md": LATER, "bakery.md": BAKERY})
        row = await ken.library.use(1)
        assert (row.corpus_version, row.content, row.documents, row.is_in_use) == (3, 1, 1, True)
        assert await says(ken, "06:40")
        assert list(await held(ken)) == ["papers/ferry.md"]
        assert "06:40" in await ken.library.text("papers/ferry.md", OPERATOR)
        with pytest.raises(NotFound):
            await ken.library.document("papers/bakery.md", OPERATOR)
        report = await sync(ken, folder, {"library.md": LIBRARY})
        assert (report.added, report.corpus_version) == (1, 3)
        assert await says(ken, "06:40")
        assert (await ken.library.search(QUESTION, OPERATOR)).corpus_version == 3
        latest = await ken.library.use(None)
        assert latest.content == 4
        assert await says(ken, "07:15")
        assert len(await held(ken)) == 3
        assert (
            await sync(ken, folder, {"mill.md": "# Mill\n\nIt grinds.\n"})
        ).corpus_version == latest.corpus_version + 1
        assert len(await held(ken)) == 4


async def test_a_running_ken_follows_at_once(home: Path, folder: Path) -> None:
    """A switch by one process is served by another."""
    async with opened(home) as ken, opened(home) as other:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync(ken, folder, {"ferry.md": LATER})
        assert await says(other, "07:15")
        await ken.library.use(1)
        assert await says(other, "06:40")


async def test_the_difference_of_two_versions(home: Path, folder: Path) -> None:
    """Added, changed and removed documents, in either direction."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY, "bakery.md": BAKERY})
        await sync(ken, folder, {"ferry.md": LATER, "library.md": LIBRARY})
        there = await ken.library.difference(1, 2)
        assert (there.added, there.changed, there.removed) == (("papers/library.md",), ("papers/ferry.md",), ())
        back = await ken.library.difference(2, 1)
        assert (back.added, back.changed, back.removed) == ((), ("papers/ferry.md",), ("papers/library.md",))
        with pytest.raises(NotFound, match="corpus version 9"):
            await ken.library.difference(1, 9)


async def test_what_is_deleted_is_deleted_in_every_snapshot(home: Path, folder: Path) -> None:
    """Also from the one that is held and served: no byte of it is left in the home."""
    secret = "# Tower\n\nQuessenberry keeps brindled owls in the tower.\n"
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY, "tower.md": secret})
        await sync(ken, folder, {"ferry.md": LATER})
        await ken.library.use(1)
        assert (await found(ken, "Who keeps owls in the tower?"))[0] == "tower.md"
        (folder / "tower.md").unlink()
        report = await sync(ken, folder)
        assert report.deleted == 1
        assert "tower.md" not in await found(ken, "Who keeps owls in the tower?")
        assert await says(ken, "06:40")
        assert places_of(home, "brindled") == []
        await ken.library.use(None)
        assert await says(ken, "07:15")
        assert places_of(home, "brindled") == []


async def test_permissions_of_today_hold_in_old_snapshots(home: Path) -> None:
    """A document that was closed meanwhile is closed in the version that is held, too."""
    shelf = Shelf({"ferry.md": FERRY, "bakery.md": BAKERY})
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        shelf.papers["ferry.md"] = LATER
        await sync_shelf(ken, shelf)
        await ken.library.use(1)
        assert "ferry.md" in await found(ken, QUESTION, ANYBODY)
        shelf.groups["ferry.md"] = frozenset({"crew"})
        await sync_shelf(ken, shelf)
        assert "ferry.md" not in await found(ken, QUESTION, ANYBODY)
        assert "ferry.md" in await found(ken, QUESTION, CREW)
        assert await says(ken, "06:40")
        with pytest.raises(NotFound):
            await ken.library.document("shelf/ferry.md", ANYBODY)


async def test_old_versions_stay_as_long_as_the_operator_says(home: Path, folder: Path) -> None:
    """Beyond the number kept, a version goes with the text that only it had; one in use stays whatever its age."""
    async with opened(home, keep_snapshots=2) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await ken.library.use(None)
        await sync(ken, folder, {"ferry.md": LATER})
        assert places_of(home, "06:40") != []
        await sync(ken, folder, {"bakery.md": BAKERY})
        await sync(ken, folder, {"library.md": LIBRARY})
        assert places_of(home, "06:40") == []
        await ken.library.use(3)
        for number in range(3):
            await sync(ken, folder, {f"{number}.md": f"# {number}\n\nNumber {number}.\n"})
        assert len(await held(ken)) == 2
        with pytest.raises(NotFound):
            await ken.library.use(1)


async def test_the_index_of_a_snapshot_that_is_gone_is_built_anew(home: Path, folder: Path) -> None:
    """A generation deleted by hand, or while somebody reads it, is no loss."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync(ken, folder, {"ferry.md": LATER})
        for place in (home / "index").iterdir():
            for file in place.iterdir():
                file.unlink()
            place.rmdir()
        assert await says(ken, "07:15")
        await ken.library.use(1)
        assert await says(ken, "06:40")


async def test_a_version_that_comes_back_has_its_own_permissions(home: Path) -> None:
    """Closed, opened and closed again, or the other way round: what a snapshot kept meanwhile doesn't decide."""
    shelf = Shelf({"ferry.md": FERRY})
    async with opened(home) as ken:
        for groups in ({"crew"}, {"everyone"}, {"crew"}, {"everyone"}):
            shelf.groups["ferry.md"] = frozenset(groups)
            await sync_shelf(ken, shelf)
            assert (await ken.library.document("shelf/ferry.md", OPERATOR)).groups == groups
            assert ("ferry.md" in await found(ken, QUESTION, ANYBODY)) == ("everyone" in groups)


async def test_a_question_reads_one_corpus_from_start_to_end(home: Path, folder: Path) -> None:
    """What was opened before a sync is read as it was, though its index is thrown away; the next question reads the new."""
    async with opened(home, keep_snapshots=1) as ken:
        await sync(ken, folder, {"ferry.md": FERRY, "bakery.md": BAKERY})
        corpus = await ken.library.corpus()
        (folder / "bakery.md").unlink()
        await sync(ken, folder, {"ferry.md": LATER})
        old = await corpus.search(QUESTION, OPERATOR)
        assert (old.corpus_version, "06:40" in old.evidence[0].passage.text) == (1, True)
        assert (await corpus.document("papers/bakery.md", OPERATOR)).title == "Bakery"
        assert await corpus.collections(OPERATOR) == (("papers", 2),)
        assert await says(ken, "07:15")
        with pytest.raises(NotFound):
            await ken.library.document("papers/bakery.md", OPERATOR)


async def test_going_to_and_fro_loses_no_version(home: Path, folder: Path) -> None:
    """Switches count for nothing among the versions kept, and one to what is in use already makes none."""
    async with opened(home, keep_snapshots=2) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync(ken, folder, {"ferry.md": LATER})
        for _ in range(3):
            await ken.library.use(1)
            assert await says(ken, "06:40")
            await ken.library.use(2)
            assert await says(ken, "07:15")
        last = (await ken.library.snapshots())[0].corpus_version
        assert (await ken.library.use(None)).corpus_version == last
