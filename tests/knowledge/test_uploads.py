from __future__ import annotations

from pathlib import Path

import pytest

from ken.domain.principal import Principal
from ken.errors import Conflict, InvalidInput, KenError, NotFound, TooLarge, Unreadable
from ken.knowledge.pushing import Said
from tests.knowledge.homes import (
    ANYBODY,
    BAKERY,
    FERRY,
    LIBRARY,
    OPERATOR,
    Counting,
    counts,
    found,
    held,
    opened,
    rows,
    sync,
    with_embedder,
)

CREW = Principal("sailor", frozenset({"crew"}))


async def test_an_upload_is_found_replaced_and_deleted(home: Path) -> None:
    """Each step takes effect with the next search; of a replaced document the old text is gone."""
    async with opened(home) as ken:
        first = await ken.library.put("notes/trips/ferry.md", FERRY.encode())
        assert (first.id, first.collection, first.path, first.title) == (
            "notes/trips/ferry.md",
            "notes",
            "trips/ferry.md",
            "Ferry",
        )
        assert await found(ken, "When does the ferry leave?") == ["trips/ferry.md"]
        second = await ken.library.put("notes/trips/ferry.md", BAKERY.encode())
        assert second.version != first.version
        assert "06:40" not in await ken.library.text(first.id, OPERATOR)
        assert ken.library.corpus_version == 2
        await ken.library.delete(first.id)
        assert await found(ken, "rye bread") == []
        with pytest.raises(NotFound):
            await ken.library.document(first.id, OPERATOR)
        with pytest.raises(NotFound, match="ferry"):
            await ken.library.delete(first.id)


async def test_the_same_upload_again_changes_nothing(home: Path) -> None:
    """The corpus version stays, nothing is embedded, and the document is never away."""
    async with opened(home) as ken:
        first = await ken.library.put("notes/ferry.md", FERRY.encode())
        embedder = with_embedder(ken, Counting)
        assert await ken.library.put("notes/ferry.md", FERRY.encode()) == first
        assert embedder.texts == []
        assert ken.library.corpus_version == 1
        assert rows(home, "documents") == 1


async def test_uploads_survive_a_restart(home: Path) -> None:
    """They are served by the next process, and their files lie in the home as they came."""
    async with opened(home) as ken:
        await ken.library.put("notes/ferry.md", FERRY.encode())
    async with opened(home) as ken:
        assert await found(ken, "When does the ferry leave?") == ["ferry.md"]
        assert (home / "uploads" / "notes" / "ferry.md").read_text() == FERRY


async def test_an_upload_has_the_groups_it_was_given(home: Path) -> None:
    """Without groups everyone may read it; none at all leaves it to operators; its front matter can only narrow."""
    async with opened(home) as ken:
        put = ken.library.put
        assert (await put("notes/a.md", FERRY.encode())).groups == {"everyone"}
        crew = Said(groups=frozenset({"crew"}))
        assert (await put("notes/b.md", FERRY.encode(), said=crew)).groups == {"crew"}
        assert (await put("notes/c.md", FERRY.encode(), said=Said(groups=frozenset()))).groups == frozenset()
        stated = f"---\ngroups: [cooks]\n---\n{FERRY}".encode()
        assert (await put("notes/d.md", stated, said=Said(groups=frozenset({"crew", "cooks"})))).groups == {"cooks"}
        closed = await put("notes/e.md", stated, said=crew)
        assert closed.groups == frozenset()
        assert "nobody but operators" in closed.warnings[0]
        assert await found(ken, "When does the ferry leave?", ANYBODY) == ["a.md"]
        assert sorted(await found(ken, "When does the ferry leave?", CREW)) == ["a.md", "b.md"]
        assert len(await found(ken, "When does the ferry leave?", OPERATOR)) == 5
        assert (await put("notes/a.md", FERRY.encode(), said=crew)).groups == {"crew"}
        assert await found(ken, "When does the ferry leave?", ANYBODY) == []


async def test_uploads_and_folders_keep_apart(home: Path, folder: Path) -> None:
    """Neither takes an id of the other; in one collection both live, and a sync leaves uploads alone."""
    async with opened(home) as ken:
        await sync(ken, folder, {"ferry.md": FERRY})
        await ken.library.put("papers/bakery.md", BAKERY.encode())
        for attempt in (ken.library.put("papers/ferry.md", LIBRARY.encode()), ken.library.delete("papers/ferry.md")):
            with pytest.raises(Conflict, match="synced source"):
                await attempt
        report = await sync(ken, folder, {"bakery.md": LIBRARY})
        assert counts(report) == (0, 0, 1, 0)
        assert [failure.path for failure in report.failures] == ["bakery.md"]
        assert "rye" in await ken.library.text("papers/bakery.md", OPERATOR)
        (folder / "ferry.md").unlink()
        (folder / "bakery.md").unlink()
        assert counts(await sync(ken, folder)) == (0, 0, 0, 1)
        assert list(await held(ken)) == ["papers/bakery.md"]
        assert dict(await ken.library.collections(OPERATOR)) == {"papers": 1}
        await ken.library.put("papers/ferry.md", FERRY.encode())
        assert len(await held(ken)) == 2


BAD_IDS = [
    "", "ferry.md", "notes", "notes/", "/notes/ferry.md", "notes//ferry.md", "notes/../ferry.md", "../notes/ferry.md",
    "notes/a/../../../ferry.md", "notes/./ferry.md", "notes/ferry.md/", "notes/..", "../../etc/ferry.md", "a b/ferry.md",
    ".notes/ferry.md", "notes/fer\0ry.md", "notes/" + "x" * 300 + ".md", "notes/" + "x/" * 3000 + "ferry.md",
    "notes/\ud800.md", "notes/\udce9.md", "x" * 200 + "/ferry.md", "notes/ferry", "notes/ferry.exe", "notes/ferry.md.zip", "notes/.md",
]  # fmt: skip


async def test_a_bad_id_is_refused(home: Path) -> None:
    """What leads out of the collection, can't be a file's name or has no known suffix is refused, and leaves no trace."""
    async with opened(home) as ken:
        for document_id in BAD_IDS:
            with pytest.raises(InvalidInput) as refused:
                await ken.library.put(document_id, FERRY.encode())
            assert len(str(refused.value)) > 20
            with pytest.raises((InvalidInput, NotFound)):
                await ken.library.delete(document_id)
    assert not (home / "uploads").exists()
    assert rows(home, "documents") == 0


async def test_one_upload_is_not_the_folder_of_another(home: Path) -> None:
    """An id that would need a file and a folder of one name is refused either way round."""
    async with opened(home) as ken:
        await ken.library.put("notes/a.md", FERRY.encode())
        await ken.library.put("notes/b.md/c.md", BAKERY.encode())
        for document_id in ("notes/a.md/d.md", "notes/b.md"):
            with pytest.raises(Conflict, match="another id"):
                await ken.library.put(document_id, LIBRARY.encode())
        assert list(await held(ken)) == ["notes/a.md", "notes/b.md/c.md"]


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("large.txt", b"word " * 300_000, TooLarge),
        ("empty.md", b"", Unreadable),
        ("broken.pdf", b"%PDF-1.7 garbage", Unreadable),
        ("broken.docx", b"PK garbage", Unreadable),
    ],
)
async def test_an_upload_that_cannot_be_read_changes_nothing(
    home: Path, name: str, data: bytes, error: type[KenError]
) -> None:
    """The error names it; an earlier version under that id stays, and no file is kept."""
    async with opened(home, max_file_mb=1) as ken:
        await ken.library.put("notes/empty.md", FERRY.encode())
        before = await held(ken)
        with pytest.raises(error, match=name):
            await ken.library.put(f"notes/{name}", data)
        assert await held(ken) == before
        assert [place.name for place in (home / "uploads" / "notes").iterdir()] == ["empty.md"]
        assert rows(home, "documents") == 1


async def test_an_upload_may_have_any_other_name(home: Path) -> None:
    """Blanks, marks, other scripts and dots inside are fine."""
    async with opened(home) as ken:
        for document_id in (
            "notes/a b.md",
            "notes/#1?.md",
            "notes/魚.md",
            "notes/..a.md",
            "notes/x..y/z.HTML.md",
            "Ünter-notes/a.md",
        ):
            assert (await ken.library.put(document_id, FERRY.encode())).id == document_id
            assert "06:40" in await ken.library.text(document_id, OPERATOR)
