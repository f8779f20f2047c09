from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ken.domain.principal import Principal
from ken.errors import NotFound
from ken.knowledge.permissions import Policy
from ken.wiring import Ken
from tests.knowledge.homes import ANYBODY, OPERATOR, PAPERS, elsewhere, found, fresh, opened, sync, write

CREW = Principal("sailor", frozenset({"crew"}))
COOK = Principal("cook", frozenset({"kitchen"}))
BOTH = Principal("both", frozenset({"crew", "kitchen"}))

QUESTION = "Where is the key of the rum locker?"
ANSWER = "The key of the rum locker hangs behind the galley clock."


def closed_to(groups: str) -> str:
    return f"---\ngroups: [{groups}]\n---\n# Rum\n\n{ANSWER}\n"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Path:
    """A home of two collections: documents for the crew, the kitchen, both, everyone, and nobody."""
    place = tmp_path_factory.mktemp("permissions")
    write(
        place / "ship",
        {
            "crew.md": closed_to("crew"),
            "kitchen.md": closed_to("kitchen"),
            "either.md": closed_to("crew, kitchen"),
            "operators.md": closed_to("operators"),
            "open.md": f"# Rum\n\n{ANSWER}\n",
        },
    )
    write(place / "shore", {"tavern.md": "# Tavern\n\nThe tavern keeps the key of its rum locker under the mat.\n"})

    async def fill() -> None:
        async with opened(fresh(place / "home", made)) as ken:
            await sync(ken, place / "ship", collection="ship")
            await sync(ken, place / "shore", collection="shore", policy=Policy(frozenset({"townsfolk"})))

    elsewhere(fill)
    return place / "home"


@pytest.fixture(scope="module")
async def ken(filled: Path) -> AsyncIterator[Ken]:
    async with opened(filled) as ken:
        yield ken


READABLE = [
    (ANYBODY, {"ship/open.md"}),
    (CREW, {"ship/open.md", "ship/crew.md", "ship/either.md"}),
    (COOK, {"ship/open.md", "ship/kitchen.md", "ship/either.md"}),
    (BOTH, {"ship/open.md", "ship/crew.md", "ship/kitchen.md", "ship/either.md"}),
    (Principal("guest", frozenset({"townsfolk"})), {"ship/open.md", "shore/tavern.md"}),
    (
        OPERATOR,
        {
            "ship/open.md",
            "ship/crew.md",
            "ship/kitchen.md",
            "ship/either.md",
            "ship/operators.md",
            "shore/tavern.md",
        },
    ),
]


@pytest.mark.parametrize(("principal", "readable"), READABLE, ids=[principal.id for principal, _ in READABLE])
async def test_every_door_shows_the_same(ken: Ken, principal: Principal, readable: set[str]) -> None:
    """Search, its count, lists and single reads agree on what a principal may read; one shared group is enough."""
    library = ken.library
    result = await library.search(QUESTION, principal, limit=50)
    assert {evidence.document.id for evidence in result.evidence} == readable
    assert result.candidates == len(result.evidence)
    assert {document.id for document in await library.documents(principal)} == readable
    expected: dict[str, int] = {}
    for document_id in readable:
        collection = document_id.partition("/")[0]
        expected[collection] = expected.get(collection, 0) + 1
    assert dict(await library.collections(principal)) == expected
    for document in await library.documents(OPERATOR):
        for read in (library.document, library.text, library.passages):
            if document.id in readable:
                assert await read(document.id, principal)
            else:
                with pytest.raises(NotFound, match="that you may read"):
                    await read(document.id, principal)


async def test_a_closed_document_looks_like_none(ken: Ken) -> None:
    """The message for a document that may not be read differs from that for none by the name alone."""
    with pytest.raises(NotFound) as closed:
        await ken.library.document("ship/crew.md", ANYBODY)
    with pytest.raises(NotFound) as absent:
        await ken.library.document("ship/none.md", ANYBODY)
    assert str(closed.value).replace("crew", "none") == str(absent.value)


async def test_collections_narrow_a_search(ken: Ken) -> None:
    """Only documents of the collections asked for are found; an unknown or no collection finds nothing."""
    assert await found(ken, QUESTION, collections=frozenset({"shore"})) == ["tavern.md"]
    assert len(await found(ken, QUESTION, collections=frozenset({"shore", "ship"}))) == 6
    assert await found(ken, QUESTION, collections=frozenset({"moon"})) == []
    assert await found(ken, QUESTION, collections=frozenset()) == []
    assert await found(ken, QUESTION, ANYBODY, collections=frozenset({"shore"})) == []


async def test_documents_are_paged(ken: Ken) -> None:
    """Pages by id, of one collection or all, add up to the whole, without what may not be read."""
    library = ken.library
    seen: list[str] = []
    after = None
    while page := await library.documents(BOTH, after=after, limit=2):
        assert len(page) <= 2
        seen += [document.id for document in page]
        after = seen[-1]
    assert seen == [document.id for document in await library.documents(BOTH)]
    assert [document.id for document in await library.documents(OPERATOR, collection="shore")] == ["shore/tavern.md"]


async def test_closed_documents_do_not_crowd_out_open_ones(home: Path, folder: Path) -> None:
    """However many closed passages fit better, an open one is found."""
    async with opened(home) as ken:
        closed = {f"closed-{number}.md": closed_to("crew") + f"Copy {number}.\n" for number in range(20)}
        await sync(ken, folder, {**closed, "open.md": "# Keys\n\nKeys are kept by the purser, not in a locker.\n"})
        assert await found(ken, QUESTION, ANYBODY) == ["open.md"]


async def test_a_document_that_was_closed_is_found_no_more(home: Path, folder: Path) -> None:
    """A sync that takes a group away takes effect with the next search."""
    async with opened(home) as ken:
        await sync(ken, folder, {"rum.md": f"# Rum\n\n{ANSWER}\n"})
        assert await found(ken, QUESTION, ANYBODY) == ["rum.md"]
        await sync(ken, folder, {"rum.md": closed_to("crew")})
        assert await found(ken, QUESTION, ANYBODY) == []
        assert await found(ken, QUESTION, CREW) == ["rum.md"]


async def test_a_closed_successor_stays_unnamed(home: Path, folder: Path) -> None:
    """Who may not read a document that supersedes another doesn't learn its name from the other."""
    files = {
        "old.md": f"# Rum\n\n{ANSWER}\n",
        "new.md": f"---\ngroups: [crew]\nsupersedes: old.md\n---\n# Rum\n\n{ANSWER}\n",
    }
    async with opened(home) as ken:
        await sync(ken, folder, files)
        for principal, expected in ((CREW, "papers/new.md"), (ANYBODY, None)):
            listed = {document.path: document for document in await ken.library.documents(principal)}
            searched = {
                each.document.path: each.document for each in (await ken.library.search(QUESTION, principal)).evidence
            }
            single = await ken.library.document("papers/old.md", principal)
            assert [listed["old.md"].superseded_by, searched["old.md"].superseded_by, single.superseded_by] == [
                expected
            ] * 3


async def test_a_closed_collection_leaves_no_trace_in_the_statistics(home: Path, folder: Path, tmp_path: Path) -> None:
    """How rare a word is, and every score, are as if the collection that one can't read were not there."""
    question = "When does the ferry to the island leave?"

    async def seen(ken: Ken, who: Principal) -> list[object]:
        result = await ken.library.search(question, who)
        return [
            result.terms,
            [(each.document.id, round(each.lexical, 5), round(each.relevance, 5)) for each in result.evidence],
        ]

    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        before = await seen(ken, ANYBODY)
        ferries = {f"{number}.md": f"# Ferry {number}\n\nFerry {number} leaves the island.\n" for number in range(9)}
        write(tmp_path / "closed", ferries)
        await sync(ken, tmp_path / "closed", collection="closed", policy=Policy(frozenset({"crew"})))
        assert await seen(ken, ANYBODY) == before
        assert await seen(ken, CREW) != before
