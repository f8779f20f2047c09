"""The guide to connecting sources, followed; and what holds for all of its pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ken.settings import load
from ken.source_settings import SourceSettings
from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT
from tests.docs.following import Reader, untimed
from tests.docs.guide import section
from tests.knowledge.homes import write

GUIDE = "docs/guides/sources.md"
PAGES = sorted((PROJECT / "docs/guides/sources").glob("*.md"))
READ = "# Annual leave\n\nEveryone gets 27 days of annual leave.\n"


async def test_the_guide_from_its_first_sync_to_the_removal(newcomer: Reader, tmp_path: Path) -> None:
    """Each command does what stands beside it: states, going back and forth, deleting much, removing."""
    place = tmp_path / "handbook"
    write(place, {"leave.md": READ, "torn.pdf": "torn", "photo.jpg": "none"})
    done = await newcomer.follow(GUIDE, "The first sync", addresses={"/srv/handbook": str(place)})
    synced, status, states = done.told
    assert untimed(f"{synced.untimed}\n{synced.err}") == done.shown[0]
    assert status.out.startswith("handbook\tok\t1\t1\t")
    assert [line.split("\t")[:2] for line in states.out.splitlines()] == [
        ["leave.md", "current"],
        ["photo.jpg", "skipped"],
        ["torn.pdf", "failed"],
    ]
    anew, deleting = section(GUIDE, "Everything anew, and deleting much").commands
    write(place, {f"{number}.md": f"# Note {number}\n\nNumber {number}.\n" for number in range(12)})
    assert (await newcomer.ken(*anew)).out.startswith("handbook: 12 added, 0 changed, 1 unchanged")
    for number in range(12):
        (place / f"{number}.md").unlink()
    held = await newcomer.ken("sync", "handbook", code=1)
    assert "12 of 13 documents are no longer there, and were kept" in held.err
    assert (await newcomer.ken(*deleting)).out.startswith("handbook: 0 added, 0 changed, 1 unchanged, 12 deleted")


async def test_going_back_and_forth(newcomer: Reader, tmp_path: Path) -> None:
    """The version before is served again, and the newest one after; what is removed is gone."""
    place = tmp_path / "handbook"
    write(place, {"leave.md": READ})
    table = section(GUIDE, "The first sync").toml.replace("/srv/handbook", str(place))
    newcomer.write(table)
    await newcomer.ken("sync", "handbook")
    write(place, {"leave.md": READ.replace("27", "30")})
    await newcomer.ken("sync", "handbook")
    listed, diff, back, forth = section(GUIDE, "Going back").commands
    assert len((await newcomer.ken(*listed)).out.splitlines()) == 2
    assert (await newcomer.ken(*diff)).out == "~ handbook/leave.md\n"
    question = ("ask", "How many days of annual leave does everyone get?")
    for command, days in ((back, "27 days"), (forth, "30 days")):
        await newcomer.ken(*command)
        assert days in (await newcomer.ken(*question)).out
    newcomer.write("")
    sources, remove = section(GUIDE, "Changing and removing a source").commands
    assert (await newcomer.ken(*sources)).out.startswith("handbook\tfolder\thandbook\t1\t")
    assert (await newcomer.ken(*remove)).out == "1 documents deleted\n"
    assert (await newcomer.ken(*sources)).out == ""


async def test_another_collection_takes_the_documents(newcomer: Reader, tmp_path: Path) -> None:
    """However many there are; under the old name nothing is left."""
    place = tmp_path / "handbook"
    write(place, {f"{number}.md": f"# Note {number}\n\nNumber {number}.\n" for number in range(11)})
    table = section(GUIDE, "The first sync").toml.replace("/srv/handbook", str(place))
    newcomer.write(table)
    await newcomer.ken("sync", "handbook")
    newcomer.write(table.replace('collection = "handbook"', 'collection = "rules"'))
    moved = await newcomer.ken("sync", "handbook", "--delete")
    assert moved.out.startswith("rules: 11 added, 0 changed, 0 unchanged, 11 deleted")
    assert (await newcomer.ken("documents", "--collection", "handbook")).out == ""


async def test_a_renamed_source_takes_over_once_the_old_one_is_removed(newcomer: Reader, tmp_path: Path) -> None:
    """Until then each document is refused, and waits; the reason names the command that helps."""
    place = tmp_path / "handbook"
    write(place, {"leave.md": READ})
    table = section(GUIDE, "The first sync").toml.replace("/srv/handbook", str(place))
    newcomer.write(table)
    await newcomer.ken("sync", "handbook")
    newcomer.write(table.replace('name = "handbook"', 'name = "rules"'))
    refused = await newcomer.ken("sync", "rules", code=1)
    assert "already comes from 'handbook'" in refused.err
    assert "ken sources remove handbook" in refused.err
    assert "leave.md\twaiting\t" in (await newcomer.ken("sources", "show", "rules")).out
    await newcomer.ken("sources", "remove", "handbook", "--yes")
    assert (await newcomer.ken("sync", "rules")).out.startswith("handbook: 1 added")


@pytest.mark.parametrize("page", [PROJECT / GUIDE, *PAGES], ids=lambda page: page.stem)
def test_every_table_on_the_pages_is_taken(page: Path, tmp_path: Path) -> None:
    """Each block of TOML is a ken.toml that can be used as it stands."""
    for block in blocks(page):
        if block.language == "toml":
            (tmp_path / "ken.toml").write_text(block.text, encoding="utf-8")
            assert len(load(tmp_path).sources) == 1, f"{page.name}, line {block.line}"


def test_every_kind_of_source_has_a_table_on_a_page() -> None:
    """No kind is left without a page that shows how to connect it."""
    kinds = {
        kind for each in SourceSettings.__args__[0].__args__ for kind in each.model_fields["kind"].annotation.__args__
    }
    shown = {kind for page in PAGES for kind in re.findall(r'^kind = "(\w+)"', page.read_text("utf-8"), re.MULTILINE)}
    assert shown == kinds


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_pages_quote_is_what_ken_says(page: Path) -> None:
    """Each message in a page's last table stands in Ken's code, word for word."""
    table = page.read_text("utf-8").partition("## When it fails")[2]
    quoted = re.findall(r"^\|(?: \d[\d, ]+\|)? (`.+?`|``.+?``) \|", table, re.MULTILINE)
    code = "".join(path.read_text("utf-8") for path in (PROJECT / "src/ken").rglob("*.py"))
    spoken = re.sub(r'"\s*\n\s*f?"', "", code)
    missing = [each for each in quoted if each.strip("`").strip() not in spoken]
    assert quoted
    assert missing == []
