from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from ken.errors import SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.permissions import Policy
from ken.knowledge.sources.source import Listed, Unlisted
from ken.knowledge.sync import SyncOptions
from ken.storage.sources import Listing, Source
from ken.wiring import Ken
from tests.knowledge.homes import ANYBODY, BAKERY, FERRY, LIBRARY, OPERATOR, counts, found, held, opened, sync, write
from tests.knowledge.shelf import Shelf, sync_shelf

THREE = {"ferry.md": FERRY, "bakery.md": BAKERY, "library.md": LIBRARY}
FULL = SyncOptions(is_full=True)


async def states(ken: Ken) -> dict[str, Listing]:
    """What is known of each paper of the shelf."""
    return {each.path: each for each in await ken.library.listings("shelf")}


async def status(ken: Ken) -> Source:
    """The shelf as the status shows it."""
    return next(each for each in await ken.library.status() if each.id == "shelf")


def later(home: Path, seconds: float) -> None:
    """Let time pass for what is known of documents and sources: what is stored moves into the past."""
    with closing(sqlite3.connect(home / "ken.db")) as connection:
        connection.execute(
            "UPDATE listings SET fetched_at = fetched_at - ?, next_try = next_try - ?", (seconds, seconds)
        )
        connection.execute("UPDATE sources SET listed_at = listed_at - ?", (seconds,))
        connection.commit()


async def test_what_a_stamp_vouches_for_is_not_fetched_again(home: Path) -> None:
    """Only a document whose stamp changed is fetched; one without a stamp is, every time, and compared."""
    shelf = Shelf(dict(THREE), stamps={"ferry.md": "1", "bakery.md": "1"})
    async with opened(home) as ken:
        assert counts(await sync_shelf(ken, shelf)) == (3, 0, 0, 0)
        shelf.fetched.clear()
        assert counts(await sync_shelf(ken, shelf)) == (0, 0, 3, 0)
        assert shelf.fetched == ["library.md"]
        shelf.papers["ferry.md"] = FERRY.replace("06:40", "07:15")
        shelf.stamps["ferry.md"] = "2"
        assert counts(await sync_shelf(ken, shelf)) == (0, 1, 2, 0)


async def test_a_source_that_lies_about_its_changes_is_found_out(home: Path) -> None:
    """A full sync reads everything, and within some days every sync reads again what it has believed for long."""
    shelf = Shelf(dict(THREE), stamps=dict.fromkeys(THREE, "same"))
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        shelf.papers["ferry.md"] = FERRY.replace("06:40", "07:15")
        assert counts(await sync_shelf(ken, shelf)) == (0, 0, 3, 0)
        assert counts(await sync_shelf(ken, shelf, options=FULL)) == (0, 1, 2, 0)
        shelf.papers["ferry.md"] = FERRY
        assert counts(await sync_shelf(ken, shelf)) == (0, 0, 3, 0)
        later(home, 9 * 86_400)
        assert counts(await sync_shelf(ken, shelf)) == (0, 1, 2, 0)


async def test_one_failure_never_stops_the_rest_and_says_why(home: Path) -> None:
    """A document that can't be had waits, one that can't be read has failed, each with reason, since when and next try."""
    shelf = Shelf(
        dict(THREE), troubles={"ferry.md": SourceDown("It is too busy."), "bakery.md": Unreadable("It is torn.")}
    )
    shelf.extra = (
        Unlisted("photo.jpg", "Ken does not read .jpg.", is_foreign=True),
        Unlisted("locked", "No right to it."),
    )
    before = time.time()
    async with opened(home) as ken:
        report = await sync_shelf(ken, shelf)
        assert counts(report) == (1, 0, 0, 0)
        assert {(each.path, each.reason) for each in report.failures} == {
            ("ferry.md", "It is too busy."), ("bakery.md", "It is torn."), ("locked", "No right to it.")
        }  # fmt: skip
        assert [each.path for each in report.skipped] == ["photo.jpg"]
        known = await states(ken)
        assert {path: each.state for path, each in known.items()} == {
            "ferry.md": "waiting", "bakery.md": "failed", "library.md": "current", "photo.jpg": "skipped", "locked": "failed"
        }  # fmt: skip
        assert known["ferry.md"].since >= before
        assert known["ferry.md"].next_try is not None
        assert known["ferry.md"].next_try > time.time() + 60
        await sync_shelf(ken, shelf)
        again = (await states(ken))["ferry.md"]
        assert again.attempts == 2
        assert again.since == known["ferry.md"].since
        assert again.next_try is not None
        assert again.next_try > known["ferry.md"].next_try
        shelf.troubles.clear()
        shelf.extra = ()
        assert counts(await sync_shelf(ken, shelf)) == (2, 0, 1, 0)
        assert {path: each.state for path, each in (await states(ken)).items()} == dict.fromkeys(THREE, "current")


async def test_what_cannot_be_read_is_not_parsed_at_every_sync(home: Path) -> None:
    """The same bytes fail without another look until their next try is due, or somebody asks for everything."""
    shelf = Shelf({"torn.pdf": "%PDF-1.7 torn", "ferry.md": FERRY}, stamps={"torn.pdf": "1", "ferry.md": "1"})
    async with opened(home) as ken:
        first = await sync_shelf(ken, shelf)
        shelf.fetched.clear()
        second = await sync_shelf(ken, shelf)
        assert [each.reason for each in second.failures] == [each.reason for each in first.failures] != []
        assert shelf.fetched == []
        await sync_shelf(ken, shelf, options=FULL)
        assert "torn.pdf" in shelf.fetched
        shelf.fetched.clear()
        later(home, 2 * 86_400)
        await sync_shelf(ken, shelf)
        assert shelf.fetched == ["torn.pdf"]


@pytest.mark.parametrize(
    "error", [SourceDown("Down.", retry_after_s=4000), SourceDenied("No."), SourceMisbehaves("Odd.")]
)
async def test_a_source_that_fails_half_way_loses_nothing(home: Path, error: Exception) -> None:
    """What was listed before is taken, nothing is deleted, the cursor stays, and the status says why and what next."""
    shelf = Shelf(dict(THREE))
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        shelf.papers = {"ferry.md": FERRY.replace("06:40", "07:15")}
        shelf.ends = error
        report = await sync_shelf(ken, shelf)
        assert counts(report) == (0, 1, 0, 0)
        assert report.problem == str(error)
        assert len(await held(ken)) == 3
        failing = await status(ken)
        assert (failing.problem, failing.attempts, failing.cursor) == (str(error), 1, "after 1")
        assert failing.next_try is not None
        assert failing.next_try - time.time() > (3900 if isinstance(error, SourceDown) else 40)
        (last, *_) = await ken.library.syncs()
        assert (last.state, last.reason) == ("failed", str(error))
        shelf.ends, shelf.papers = None, dict(THREE)
        assert not (await sync_shelf(ken, shelf)).problem
        well = await status(ken)
        assert (well.problem, well.attempts, well.next_try) == ("", 0, None)


async def test_a_source_that_gives_nothing_counts_as_down(home: Path) -> None:
    """After some documents in a row that it does not give, the rest is not asked for; nothing is lost."""
    papers = {f"{number}.md": f"# Paper {number}\n\nIts number is {number}.\n" for number in range(20)}
    shelf = Shelf(dict(papers), stamps=dict.fromkeys(papers, "1"))
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        shelf.stamps = dict.fromkeys(papers, "2")
        shelf.troubles = dict.fromkeys(papers, SourceDown("Nobody answers."))
        shelf.fetched.clear()
        report = await sync_shelf(ken, shelf)
        assert report.problem == "Nobody answers."
        assert len(shelf.fetched) == 5
        assert len(await held(ken)) == 20


async def test_a_source_that_lost_most_of_its_documents_is_not_believed(home: Path, folder: Path) -> None:
    """An unmounted disk deletes nothing: what is gone is held, until a person says that it may go."""
    papers = {f"{number}.md": f"# Paper {number}\n\nIts number is {number}.\n" for number in range(12)}
    async with opened(home) as ken:
        await sync(ken, folder, papers)
        for name in papers:
            (folder / name).unlink()
        report = await sync(ken, folder)
        assert (report.deleted, report.held) == (0, 12)
        assert "--delete" in report.problem
        assert len(await held(ken)) == 12
        (source,) = await ken.library.status()
        assert {each.state for each in await ken.library.listings(source.id)} == {"held"}
        write(folder, {"0.md": papers["0.md"]})
        assert (await sync(ken, folder)).held == 11
        assert (await sync(ken, folder, options=SyncOptions(may_delete_many=True))).deleted == 11
        assert list(await held(ken)) == ["papers/0.md"]


async def test_a_listing_of_changes_alone(home: Path) -> None:
    """The cursor of the last listing goes into the next; only what is said to be gone goes; now and then all is listed."""
    shelf = Shelf(dict(THREE))
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        shelf.is_whole, shelf.papers, shelf.gone = (
            False,
            {"mill.md": "# Mill\n\nThe mill grinds rye.\n"},
            ("bakery.md",),
        )
        assert counts(await sync_shelf(ken, shelf)) == (1, 0, 0, 1)
        assert sorted(await held(ken)) == ["shelf/ferry.md", "shelf/library.md", "shelf/mill.md"]
        shelf.papers, shelf.gone = {}, ()
        await sync_shelf(ken, shelf)
        later(home, 8 * 86_400)
        await sync_shelf(ken, shelf)
        assert shelf.cursors == [None, "after 1", "after 2", None]
        assert len(await held(ken)) == 3


async def test_bad_listings_are_named(home: Path) -> None:
    """A path that leads elsewhere and one that comes twice are failures of their own; the rest is taken."""
    shelf = Shelf({"ferry.md": FERRY})
    shelf.extra = tuple(Listed(path=path) for path in ("../out.md", "/abs.md", "a//b.md", "", "x\0.md", "ferry.md"))
    async with opened(home) as ken:
        report = await sync_shelf(ken, shelf)
        assert counts(report) == (1, 0, 0, 0)
        assert len(report.failures) == 6
        assert list(await held(ken)) == ["shelf/ferry.md"]


async def test_permissions_that_change_are_followed(home: Path) -> None:
    """The source's groups count though nothing else changed, and no text is embedded anew for it."""
    shelf = Shelf({"ferry.md": FERRY}, stamps={"ferry.md": "1"})
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        assert await found(ken, "When does the ferry leave?", ANYBODY) == ["ferry.md"]
        shelf.groups = {"ferry.md": frozenset({"crew"})}
        report = await sync_shelf(ken, shelf)
        assert counts(report) == (0, 1, 0, 0)
        assert await found(ken, "When does the ferry leave?", ANYBODY) == []
        assert (await ken.library.document("shelf/ferry.md", OPERATOR)).groups == {"crew"}


@pytest.mark.parametrize("trouble", [SourceDown("Down."), Unreadable("It is torn.")])
async def test_a_permission_taken_away_holds_though_the_document_cannot_be_had(home: Path, trouble: Exception) -> None:
    """The version that stays is closed at once, and opened again with the next that can be read."""
    shelf = Shelf(dict(THREE), stamps=dict.fromkeys(THREE, "1"))
    question = "When does the ferry leave?"
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        shelf.stamps["ferry.md"], shelf.troubles = "2", {"ferry.md": trouble}
        await sync_shelf(ken, shelf)
        assert "ferry.md" in await found(ken, question, ANYBODY)
        shelf.groups = {"ferry.md": frozenset({"crew"})}
        report = await sync_shelf(ken, shelf)
        assert (len(report.failures), report.changed) == (1, 1)
        assert "ferry.md" not in await found(ken, question, ANYBODY)
        assert (await ken.library.document("shelf/ferry.md", OPERATOR)).groups == {"crew"}
        assert counts(await sync_shelf(ken, shelf)) == (0, 0, 2, 0)
        shelf.troubles, shelf.groups = {}, {}
        assert counts(await sync_shelf(ken, shelf, options=FULL)) == (0, 1, 2, 0)
        assert "ferry.md" in await found(ken, question, ANYBODY)


async def test_rules_by_path_and_other_rules(home: Path) -> None:
    """The first rule that matches counts; other rules are a reason to look at every document again."""
    shelf = Shelf(dict(THREE), stamps=dict.fromkeys(THREE, "1"))
    rules = Policy(rules=(("fer*", frozenset({"crew"})), ("*", frozenset({"town"}))))
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        assert counts(await sync_shelf(ken, shelf, policy=rules)) == (0, 3, 0, 0)
        groups = {document.path: document.groups for document in await ken.library.documents(OPERATOR)}
        assert groups == {"ferry.md": {"crew"}, "bakery.md": {"town"}, "library.md": {"town"}}
        assert counts(await sync_shelf(ken, shelf, policy=rules)) == (0, 0, 3, 0)


async def test_a_source_knows_more_than_its_document(home: Path) -> None:
    """Title and address of the source stand with the document, and its lineage says what made its passages."""
    shelf = Shelf({"4711.md": "The ferry leaves at 06:40.\n"}, titles={"4711.md": "Timetable"})
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        document = await ken.library.document("shelf/4711.md", OPERATOR)
        assert (document.title, document.url) == ("Timetable", "https://shelf.example/4711.md")
        assert "markdown" in document.lineage.parser
        assert document.lineage.embedder == ken.library.ingest.embedder.name
        shelf.titles["4711.md"] = "Ferry timetable"
        assert counts(await sync_shelf(ken, shelf)) == (0, 1, 0, 0)


async def test_a_removed_source_leaves_with_its_documents(home: Path, folder: Path) -> None:
    """Nothing of it stays: documents, states, syncs; other sources are left alone."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await sync_shelf(ken, Shelf(dict(THREE)))
        assert await ken.library.remove_source("shelf") == 3
        assert list(await held(ken)) == ["papers/ferry.md"]
        assert [each.kind for each in await ken.library.status()] == ["folder"]
        assert await ken.library.listings("shelf") == ()


async def test_a_moved_folder_takes_its_documents_along(home: Path, folder: Path, tmp_path: Path) -> None:
    """Its files are the same documents, and nothing is read anew."""
    async with opened(home) as ken:
        await sync(ken, folder, THREE)
        shutil.move(folder, tmp_path / "elsewhere")
        assert counts(await sync(ken, tmp_path / "elsewhere")) == (0, 0, 3, 0)
        assert len(await ken.library.status()) == 1


async def test_a_folder_that_is_away_is_not_taken_over_by_another(home: Path, folder: Path, tmp_path: Path) -> None:
    """A disk that isn't mounted keeps its documents when a folder with other files comes into its collection."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY, "bakery.md": BAKERY})
        shutil.move(folder, tmp_path / "unmounted")
        assert counts(await sync(ken, tmp_path / "other", {"library.md": LIBRARY})) == (1, 0, 0, 0)
        assert len(await held(ken)) == 3
        shutil.move(tmp_path / "unmounted", folder)
        assert counts(await sync(ken, folder)) == (0, 0, 2, 0)


async def test_a_document_of_another_source_is_taken_when_that_one_goes(home: Path, folder: Path) -> None:
    """The conflict is told with both ways out of it, and looked at again in the next sync."""
    shelf = Shelf({"ferry.md": FERRY}, stamps={"ferry.md": "1"})
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY}, collection="shelf")
        (failure,) = (await sync_shelf(ken, shelf)).failures
        (old,) = (each.id for each in await ken.library.status() if each.kind == "folder")
        assert f"ken sources remove {old}" in failure.reason
        await ken.library.remove_source(old)
        assert counts(await sync_shelf(ken, shelf)) == (1, 0, 0, 0)


async def test_a_small_source_that_is_suddenly_empty_is_kept(home: Path, folder: Path) -> None:
    """Three documents that are all gone are held too; two of three are believed to be deleted."""
    async with opened(home) as ken:
        await sync(ken, folder, THREE)
        for name in ("ferry.md", "bakery.md"):
            (folder / name).unlink()
        assert counts(await sync(ken, folder)) == (0, 0, 1, 2)
        await sync(ken, folder, THREE)
        for name in THREE:
            (folder / name).unlink()
        report = await sync(ken, folder)
        assert (report.deleted, report.held, len(await held(ken))) == (0, 3, 3)
