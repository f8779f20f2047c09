"""The guide to permissions, followed: its table of examples, its keys and its ways to look."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from tests.architecture.tree import PROJECT
from tests.docs.following import Reader, in_shell
from tests.docs.guide import section
from tests.knowledge.homes import elsewhere, fresh, write
from tests.service.serving import Served, serving

GUIDE = "docs/guides/permissions.md"
RULED = "Who may read a document"
_EXAMPLE = re.compile(r"^\| `([\w/]+\.md)` \| (?:`(groups: .+?)`|nothing) \| (?:`([\w,]+)`|operators) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def examples() -> dict[str, tuple[str, str]]:
    """By path, what the guide's table says that a document says of itself, and who reads it."""
    found = {path: (said, who) for path, said, who in _EXAMPLE.findall((PROJECT / GUIDE).read_text("utf-8"))}
    assert len(found) == 7
    return found


@pytest.fixture(scope="module")
def filled(examples: dict[str, tuple[str, str]], made: Path, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A home in which the guide's source was synced."""
    place = tmp_path_factory.mktemp("permissions")
    front = {path: f"---\n{said}\n---\n" if said else "" for path, (said, _) in examples.items()}
    write(place / "handbook", {path: f"{front[path]}# {path}\n\nPay day is the 25th.\n" for path in examples})
    newcomer = Reader(fresh(place / "home", made))
    newcomer.write(section(GUIDE, RULED).toml.replace("/srv/handbook", str(place / "handbook")))

    async def sync() -> None:
        told = await newcomer.ken(*section(GUIDE, RULED).commands[0])
        assert told.out.startswith("handbook: 7 added")
        assert "It names the groups board, where managers, people may read it" in told.err

    elsewhere(sync)
    return newcomer


@pytest.fixture(scope="module")
def served(filled: Reader) -> Iterator[Served]:
    """The same home, served."""
    with serving(filled.home) as running:
        yield running


async def test_the_table_of_examples_is_so(filled: Reader, examples: dict[str, tuple[str, str]]) -> None:
    """Rule, document and default narrow each other as the guide says, document by document."""
    listed = await filled.ken(*section(GUIDE, RULED).commands[1])
    rows = [line.split("\t") for line in listed.out.splitlines()]
    assert {row[0].removeprefix("handbook/"): row[3] for row in rows} == {
        path: who for path, (_, who) in examples.items()
    }


async def test_keys_see_what_the_guide_says(filled: Reader, served: Served, tmp_path: Path) -> None:
    """Each of its commands, asked with a key of the guide, counts and shows what that key may read, and nothing else."""
    bot, hr, listing = section(GUIDE, "Who asks").commands
    readable = {
        (await filled.ken(*bot)).out.strip(): ["leave.md", "news.md", "public/hours.md"],
        (await filled.ken(*hr)).out.strip(): ["hr/pay.md", "leave.md", "news.md", "public/hours.md"],
    }
    shell = section(GUIDE, "What does this key see?").shell.replace("http://127.0.0.1:8000", served.url)
    lines = [line for line in shell.splitlines() if line.startswith("curl ")]
    for key, paths in readable.items():
        curl = partial(in_shell, key=key, place=tmp_path)
        asked = [await anyio.to_thread.run_sync(curl, line) for line in lines]
        collections, documents, search = (json.loads(each) for each in asked)
        assert collections == [{"name": "handbook", "documents": len(paths)}]
        assert [each["path"] for each in documents["documents"]] == paths
        assert sorted(each["document"]["path"] for each in search["evidence"]) == paths
        assert search["candidates"] == len(paths)
    assert "HR assistant\tpeople,staff" in (await filled.ken(*listing)).out


async def test_what_no_key_can_read_is_reported(filled: Reader, served: Served) -> None:
    """The report names the document whose groups nobody has, to operators."""
    assert served.clerk  # a key of the group `office`, which no document names
    command = section(GUIDE, "What does this key see?").commands[-1]
    told = await filled.ken(*command)
    assert "hr/plan.md" in told.out


async def test_a_rule_for_all_is_the_bound_that_a_default_is_not(newcomer: Reader, tmp_path: Path) -> None:
    """With the guide's last rule, a document that opens itself stays the staff's; a changed rule holds with the next sync."""
    place = tmp_path / "handbook"
    write(
        place,
        {
            "news.md": "---\ngroups: [everyone]\n---\n# News\n\nThe house is sold.\n",
            "hr/pay.md": "# Pay\n\nIt rises.\n",
        },
    )
    table = section(GUIDE, RULED).toml.replace("/srv/handbook", str(place))
    bound = re.findall(r"let a rule speak for\s+all: `(.+?)`", (PROJECT / GUIDE).read_text("utf-8"))
    groups: list[list[str]] = []
    for toml in (table, table.replace("\n]\n", f"\n  {bound[0]},\n]\n")):
        newcomer.write(toml)
        await newcomer.ken("sync", "handbook")
        listed = await newcomer.ken("documents", "--collection", "handbook")
        groups.append([line.split("\t")[3] for line in listed.out.splitlines()])
    assert groups == [["managers,people", "everyone"], ["managers,people", "staff"]]
