"""The guide to documents: its front matter, its commands and its promises, tried out."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.errors import Conflict, NotFound
from ken.knowledge.parse.formats import SUPPORTED
from ken.knowledge.permissions import Policy
from ken.knowledge.pushing import Said
from ken.settings import load
from ken.wiring import Ken, open_home
from tests.architecture.tree import PROJECT
from tests.cli.terminal import Terminal
from tests.docs.guide import section

GUIDE = "docs/guides/documents.md"
STAFF = Principal("key:staff", frozenset({"staff"}))
NOBODY = Principal("key:nobody", frozenset())


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncGenerator[Ken]:
    made = await open_home(load(tmp_path / "home"))
    yield made
    await made.aclose()


def folder(tmp_path: Path, **texts: str) -> Path:
    """A folder with these documents."""
    place = tmp_path / "handbook"
    place.mkdir(exist_ok=True)
    for name, text in texts.items():
        (place / f"{name.replace('_', '-')}.md").write_text(text, encoding="utf-8")
    return place


async def test_the_front_matter_means_what_the_guide_says(opened: Ken, tmp_path: Path) -> None:
    """Each key of the example comes out as the table tells, and the document that it supersedes is marked."""
    example = section(GUIDE, "What a document says about itself").markdown
    place = folder(
        tmp_path, leave=example, leave_2024="# Annual leave 2024\n\nEverybody took at least eight days in a row.\n"
    )
    report = await opened.library.sync_folder(place, collection="handbook")
    assert (report.added, report.failures, report.warnings) == (2, [], [])
    document = await opened.library.document("handbook/leave.md", STAFF)
    assert (document.title, document.owner, document.effective, document.review_by) == (
        "Annual leave",
        "People team",
        "2026-02-01",
        "2027-02-01",
    )
    assert document.groups == {"staff", "contractors"}
    old = await opened.library.document("handbook/leave-2024.md", STAFF)
    assert (old.superseded_by, old.title, old.groups) == ("handbook/leave.md", "Annual leave 2024", {"everyone"})
    with pytest.raises(NotFound):
        await opened.library.document("handbook/leave.md", NOBODY)


async def test_groups_that_cannot_be_read_close_a_document(opened: Ken, tmp_path: Path) -> None:
    """Operators alone see it, with a warning; a wrong date is only left out."""
    place = folder(
        tmp_path,
        closed="---\ngroups: {a: b}\n---\n# Closed\n\nSome text.\n",
        dated="---\neffective: soon\n---\n# Dated\n\nSome text.\n",
        listed="---\ngroups: staff, contractors\n---\n# Listed\n\nSome text.\n",
    )
    report = await opened.library.sync_folder(place, collection="handbook")
    assert {each.path for each in report.warnings} == {"closed.md", "dated.md"}
    assert any(
        "'soon', which is no date of the form 2026-02-01; it is ignored." in each.reason for each in report.warnings
    )
    assert "'soon', which is no date of the form 2026-02-01; it is ignored." in (PROJECT / GUIDE).read_text("utf-8")
    visible = [document.id for document in await opened.library.documents(STAFF)]
    assert visible == ["handbook/dated.md", "handbook/listed.md"]
    assert len(await opened.library.documents(LOCAL_OPERATOR)) == 3


def test_the_table_of_formats_is_what_is_read() -> None:
    """Each suffix that Ken reads stands in the guide, and no other."""
    table = (PROJECT / GUIDE).read_text("utf-8").partition("| format |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\.\w+)`", table)) == set(SUPPORTED)


def test_the_commands_of_the_guide_do_what_it_says(tmp_path: Path) -> None:
    """Sync, list, a second sync that changes nothing, and a document whose file is gone."""
    place = folder(tmp_path, one="# One\n\nThe first page.\n", two="# Two\n\nThe second page.\n")
    terminal = Terminal(tmp_path / "home")
    commands = [
        [str(place) if word == "~/handbook" else word for word in command]
        for command in section(GUIDE, "Your documents").commands
    ]
    assert terminal.ken(*commands[0]).stdout.startswith(
        "handbook: 2 added, 0 changed, 0 unchanged, 0 deleted; 2 passages;"
    )
    assert "handbook/one.md" in terminal.ken(*commands[1]).stdout
    (place / "two.md").unlink()
    (place / "empty.md").write_text("", encoding="utf-8")
    done = terminal.ken(*commands[0])
    assert done.stdout.startswith("handbook: 0 added, 0 changed, 1 unchanged, 1 deleted; 0 passages;")
    assert "1 failures (not taken):\n  empty.md" in done.stderr


async def test_a_folder_belongs_to_one_collection_and_uploads_to_none(opened: Ken, tmp_path: Path) -> None:
    """A synced document refuses to be uploaded over or deleted; an uploaded one is replaced and deleted."""
    place = folder(tmp_path, one="# One\n\nThe first page.\n")
    await opened.library.sync_folder(place, collection="handbook")
    with pytest.raises(Conflict):
        await opened.library.put("handbook/one.md", b"# One\n\nAnother page.\n")
    with pytest.raises(Conflict):
        await opened.library.delete("handbook/one.md")
    name = "notices/2026/notice.md"
    for text in (b"# Notice\n\nThe first notice.\n", b"# Notice\n\nThe second notice.\n"):
        await opened.library.put(name, text, said=Said(groups=frozenset({"staff"})))
    assert "second" in await opened.library.text(name, STAFF)
    await opened.library.delete(name)
    with pytest.raises(NotFound):
        await opened.library.document(name, LOCAL_OPERATOR)


async def test_default_groups_are_for_documents_that_name_none(opened: Ken, tmp_path: Path) -> None:
    """`--groups` of a sync doesn't open or close what says itself who may read it."""
    place = folder(tmp_path, own="---\ngroups: [staff]\n---\n# Own\n\nSome text.\n", none="# None\n\nSome text.\n")
    await opened.library.sync_folder(place, collection="handbook", policy=Policy(frozenset({"people-team"})))
    groups = {document.id: set(document.groups) for document in await opened.library.documents(LOCAL_OPERATOR)}
    assert groups == {"handbook/own.md": {"staff"}, "handbook/none.md": {"people-team"}}
