from __future__ import annotations

import io
import os
import resource
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ken.domain.document import Document
from ken.knowledge.sync import SyncReport
from tests.knowledge.homes import (
    ANYBODY,
    BAKERY,
    FERRY,
    LIBRARY,
    OPERATOR,
    counts,
    elsewhere,
    found,
    fresh,
    held,
    opened,
    places_of,
    sync,
    write,
)

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Zoo:
    """A home that synced a folder with everything that a folder shouldn't hold, and two good files."""

    home: Path
    report: SyncReport
    documents: dict[str, Document]

    def reasons(self, path: str) -> str:
        """Why a file was not taken."""
        return " ".join(failure.reason for failure in self.report.failures if failure.path == path)


def zip_bomb() -> bytes:
    """A DOCX of 300 kB whose text has 300 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(bytes(MEGABYTE))
    return file.getvalue()


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[Zoo]:
    place = tmp_path_factory.mktemp("zoo")
    folder = place / "papers"
    write(
        folder,
        {
            "a-good.md": FERRY,
            "z-good.md": BAKERY,
            "broken.pdf": b"%PDF-1.7\n" + b"garbage " * 50,
            "not-a.pdf": "Just text.",
            "bomb.docx": zip_bomb(),
            "large.txt": b"word " * 300_000,
            "empty.md": "",
            "blank.md": " \n\t\n",
            "only-front-matter.md": "---\ntitle: Nothing\n---\n",
            "binary.txt": bytes(range(256)) * 40,
            "latin.txt": "Das Caf\xe9 \xf6ffnet um acht.".encode("latin-1"),
            "utf16.txt": "The tower is closed on Mondays.".encode("utf-16"),
            "torn.md": b"# Torn\n\nThe bridge \xff\xfe is \xe9 mended.\n",
            "unclosed.md": "---\ntitle: Unclosed\n\n# Unclosed\n\nThe well is deep.\n",
            "unknown.xyz": "A format that nobody reads.",
            ".hidden.md": "A hidden file.",
            ".git/config.md": "A hidden folder.",
            "node_modules/readme.md": "Somebody else's.",
            "folder.md/inside.md": LIBRARY,
            "deep/" + "d/" * 200 + "deep.md": "The mine goes down to level nine.",
        },
    )
    write(place / "outside", {"secret.md": "The safe opens with 4711.", "more/secret.md": "The vault opens with 0815."})
    (folder / "dangling.md").symlink_to("nowhere.md")
    (folder / "out.md").symlink_to(place / "outside" / "secret.md")
    (folder / "out").symlink_to(place / "outside")
    (folder / "dotted.md").symlink_to("../outside/secret.md")
    (folder / "self.md").symlink_to("self.md")
    (folder / "again").symlink_to(".")
    (folder / "folder.md" / "up").symlink_to("..")
    (folder / "alias.md").symlink_to("folder.md/inside.md")
    os.mkfifo(folder / "pipe.md")

    async def synced() -> Zoo:
        async with opened(fresh(place / "home", made), max_file_mb=1) as ken:
            report = await sync(ken, folder)
            documents = {document.path: document for document in await ken.library.documents(OPERATOR, limit=500)}
            return Zoo(place / "home", report, documents)

    yield elsewhere(synced)
    os.unlink(folder / "pipe.md")  # noqa: PTH108


def test_bad_files_do_not_stop_the_good_ones(zoo: Zoo) -> None:
    """What comes before and after them in the folder is taken."""
    assert {"a-good.md", "z-good.md", "folder.md/inside.md"} <= zoo.documents.keys()
    assert zoo.report.added == len(zoo.documents)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("broken.pdf", "broken.pdf"),
        ("not-a.pdf", "not-a.pdf"),
        ("bomb.docx", "bomb.docx"),
        ("large.txt", "max_file_mb"),
        ("empty.md", "is empty"),
        ("blank.md", "is empty"),
        ("only-front-matter.md", "no text"),
        ("binary.txt", "binary.txt"),
        ("dangling.md", "leads nowhere"),
        ("self.md", "leads nowhere"),
        ("pipe.md", "not a regular file"),
        ("out.md", "out of the folder"),
        ("dotted.md", "out of the folder"),
        ("out", "out of the folder"),
    ],
)
def test_a_bad_file_is_named_with_its_reason(zoo: Zoo, path: str, reason: str) -> None:
    """What could not be taken is no document, and the report says why."""
    assert path not in zoo.documents
    assert reason in zoo.reasons(path)


def test_nothing_else_failed(zoo: Zoo) -> None:
    """Hidden files, unknown formats and loops of links are passed over without a word."""
    assert len(zoo.report.failures) == 14
    assert not {"unknown.xyz", ".hidden.md", ".git/config.md", "node_modules/readme.md"} & zoo.documents.keys()


def test_links_do_not_leave_the_folder(zoo: Zoo) -> None:
    """Not a byte of what lies outside gets into the home."""
    assert places_of(zoo.home, "4711") == []
    assert places_of(zoo.home, "0815") == []


def test_a_folder_is_entered_once_by_its_own_name(zoo: Zoo) -> None:
    """Links to folders inside, also to one above, double nothing; a link to a file is a file."""
    assert [path for path in zoo.documents if path.startswith("again") or "/up/" in path] == []
    assert zoo.documents["alias.md"].characters == zoo.documents["folder.md/inside.md"].characters


@pytest.mark.parametrize("path", ["latin.txt", "utf16.txt", "torn.md", "unclosed.md"])
def test_odd_text_is_read(zoo: Zoo, path: str) -> None:
    """Other encodings, broken bytes and front matter without an end are read as well as can be."""
    assert zoo.documents[path].characters > 10


def test_deep_folders_are_read(zoo: Zoo) -> None:
    """Two hundred folders in each other are no trouble."""
    assert any(path.endswith("/deep.md") for path in zoo.documents)


async def test_any_file_name_will_do(home: Path, folder: Path) -> None:
    """Names of odd bytes are documents that can be found and read by their id."""
    names = [
        b"caf\xe9.md",
        b"new\nline.md",
        b"-rf.md",
        b"#1.md",
        b"who?.md",
        b"100%25.md",
        b"a b.md",
        b"back\\slash.md",
        b"quote'\".md",
        b"\xf0\x9f\x90\x9f.md",
        b"x" * 252 + b".md",
        b"UPPER.MD",
    ]
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_text(f"Parcel {number} holds marble number {1000 + number}.")
    async with opened(home) as ken:
        report = await sync(ken, folder)
        assert report.failures == []
        assert set(await held(ken)) == {f"papers/{name.decode(errors='replace')}" for name in names}
        for document_id in await held(ken):
            assert "marble" in await ken.library.text(document_id, OPERATOR)
        assert counts(await sync(ken, folder)) == (0, 0, len(names), 0)


async def test_names_that_look_the_same_do_not_mix(home: Path, folder: Path) -> None:
    """Of two files whose names differ in odd bytes alone one is taken, and the other is named."""
    (folder / os.fsdecode(b"caf\xe8.md")).write_text(FERRY)
    (folder / os.fsdecode(b"caf\xe9.md")).write_text(BAKERY)
    async with opened(home) as ken:
        report = await sync(ken, folder)
        assert counts(report) == (1, 0, 0, 0)
        assert "Rename" in report.failures[0].reason
        assert len(await ken.library.passages("papers/caf\ufffd.md", OPERATOR)) == 1
        assert counts(await sync(ken, folder)) == (0, 0, 1, 0)


async def test_two_failures_of_one_name_are_kept(home: Path, folder: Path) -> None:
    """The status survives two bad files whose names look the same."""
    for name in (b"\xe8.pdf", b"\xe9.pdf"):
        (folder / os.fsdecode(name)).write_text("no PDF")
    async with opened(home) as ken:
        assert len((await sync(ken, folder, {"ferry.md": FERRY})).failures) == 2
        assert len((await ken.library.status())[0].failures) == 1


@pytest.mark.parametrize("spoiled", ["empty", "pipe", "dangling", "out", "large", "folder"])
async def test_what_cannot_be_read_today_stays(home: Path, folder: Path, tmp_path: Path, spoiled: str) -> None:
    """The version that was read before is served on, and the report says why."""
    write(tmp_path, {"out.md": "The safe opens with 4711."})
    async with opened(home, max_file_mb=1) as ken:
        await sync(ken, folder, {"ferry.md": FERRY, "sub/bakery.md": BAKERY})
        before = await held(ken)
        place = folder / "ferry.md"
        place.unlink()
        match spoiled:
            case "empty":
                place.write_text("")
            case "pipe":
                os.mkfifo(place)
            case "dangling":
                place.symlink_to("nowhere")
            case "out":
                place.symlink_to(tmp_path / "out.md")
            case "large":
                place.write_bytes(b"word " * 300_000)
            case _:
                place.write_text(FERRY)
                (folder / "sub").rename(tmp_path / "sub")
                (folder / "sub").symlink_to(tmp_path / "sub")
        report = await sync(ken, folder)
        assert [failure.path for failure in report.failures] == ["sub" if spoiled == "folder" else "ferry.md"]
        assert report.deleted == 0
        assert await held(ken) == before
        assert "ferry.md" in await found(ken, "When does the ferry leave?")


async def test_broken_groups_close_a_document(home: Path, folder: Path) -> None:
    """Front matter that speaks of groups and can't be read leaves the document to operators, with a warning."""
    broken = {
        "unclosed.md": "---\ngroups: [crew\n---\n" + FERRY,
        "number.md": "---\ngroups: {a: 1}\n---\n" + FERRY,
        "empty.md": "---\ngroups: []\n---\n" + FERRY,
        "twice.md": "---\ngroups: [crew]\ngroups: [everyone]\n---\n" + FERRY,
        "no-end.md": "---\ngroups: [crew]\n\n" + FERRY,
    }
    async with opened(home) as ken:
        report = await sync(ken, folder, {**broken, "open.md": FERRY})
        assert {warning.path for warning in report.warnings} == set(broken)
        assert await found(ken, "When does the ferry leave?", ANYBODY) == ["open.md"]
        assert len(await found(ken, "When does the ferry leave?")) == 6


async def test_a_table_of_a_gigabyte_is_refused_unread(home: Path, folder: Path) -> None:
    """By its size: nothing of it comes into memory, and the rest of the folder is taken."""
    write(folder, {"ferry.md": FERRY, "huge.csv": "name,berth\n"})
    os.truncate(folder / "huge.csv", 1_000_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with opened(home) as ken:
        report = await sync(ken, folder)
        (failure,) = report.failures
        assert (failure.path, report.added) == ("huge.csv", 1)
        assert "MB" in failure.reason
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB


async def test_a_snapshot_deleted_while_a_question_uses_it_is_read_to_the_end(home: Path, folder: Path) -> None:
    """Its files may go under a reader's hands, and the versions with them: what was opened stays readable."""
    async with opened(home, keep_snapshots=1) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        current = ken.library._current()
        await sync(ken, folder, {"ferry.md": FERRY.replace("06:40", "07:15")})
        assert not (home / "index" / current.name).exists()
        assert "06:40" in current.passage(0).text
        assert "07:15" in (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0].passage.text


async def test_a_text_of_many_megabytes_is_refused_before_it_is_read_for_minutes(home: Path, folder: Path) -> None:
    """It is named with its size and the remedy; a file beside it is taken."""
    async with opened(home) as ken:
        report = await sync(ken, folder, {"huge.md": "# Huge\n\n" + "word " * 1_100_000, "ferry.md": FERRY})
        assert counts(report) == (1, 0, 0, 0)
        (failure,) = report.failures
        assert "5.5 million characters" in failure.reason
        assert "Split it" in failure.reason
