from __future__ import annotations

from pathlib import Path

from ken.domain.answer import Answer, Question
from ken.domain.events import Answered
from ken.storage.snapshots import Change
from ken.storage.traces import WITHDRAWN
from ken.wiring import Ken
from tests.knowledge.homes import BAKERY, FERRY, OPERATOR, PAPERS, found, opened, places_of, rows, sync, write

QUESTION = "What does the widow Quessenberry keep in the tower?"
SECRET = "The widow Quessenberry keeps eleven brindled owls in the tower."
PAPER = f"# Tower\n\n{SECRET}\n\nShe feeds them gristle at dusk.\n"
TRACES_OF_IT = ("Quessenberry keeps", "brindled owls", "gristle at dusk")


async def ask(ken: Ken, question: str) -> Answer:
    """The answer of the assistant, with its trace written."""
    answers = [
        event.answer
        async for event in ken.assistant.answer(Question(text=question, principal=OPERATOR))
        if isinstance(event, Answered)
    ]
    ken.recorder.flush()
    return answers[0]


def left_of_it(home: Path) -> dict[str, list[str]]:
    """Where in the home pieces of the secret lie."""
    return {text: places for text in TRACES_OF_IT if (places := places_of(home, text))}


async def test_a_deleted_document_leaves_nothing_behind(home: Path, folder: Path) -> None:
    """Not in search, tables, index, cached answers or traces; not a byte of it in any file of the home, while it is open."""
    async with opened(home) as ken:
        await sync(ken, folder, {**PAPERS, "tower.md": PAPER})
        before = {table: rows(home, table) for table in ("documents", "passages", "features")}
        answer = await ask(ken, QUESTION)
        assert "brindled owls" in answer.text
        assert (await ask(ken, QUESTION)).cached
        assert left_of_it(home)
        (folder / "tower.md").unlink()
        await sync(ken, folder)
        assert left_of_it(home) == {}
        assert "tower.md" not in await found(ken, QUESTION, limit=50)
        assert {table: rows(home, table) for table in before} == {
            table: 3 * count // 4 for table, count in before.items()
        }
        assert rows(home, "cached_answers") == 0
        assert ken.traces.get(answer.trace_id, OPERATOR).answer == WITHDRAWN
        assert "brindled" not in (await ask(ken, QUESTION)).text
    assert left_of_it(home) == {}


async def test_a_deleted_upload_leaves_nothing_behind(home: Path) -> None:
    """Its file, its name and its folder go with it."""
    async with opened(home) as ken:
        await ken.library.put("notes/secret-tower/paper.md", PAPER.encode())
        await ken.library.put("notes/ferry.md", FERRY.encode())
        await ask(ken, QUESTION)
        assert left_of_it(home)
        await ken.library.delete("notes/secret-tower/paper.md")
        assert left_of_it(home) == {}
        assert not (home / "uploads" / "notes" / "secret-tower").exists()
        assert (home / "uploads" / "notes" / "ferry.md").read_text() == FERRY


async def test_a_deleted_paragraph_leaves_nothing_behind(home: Path, folder: Path) -> None:
    """A document that goes on without a sentence keeps no copy of it, and no cached answer quotes it, where no old versions are kept."""
    async with opened(home, keep_snapshots=1) as ken:
        await sync(ken, folder, {**PAPERS, "tower.md": PAPER})
        await sync(ken, folder, {"tower.md": "# Tower\n\nThe tower is empty.\n"})
        assert left_of_it(home) == {}


async def test_a_crash_after_the_deletion_is_made_good(home: Path, folder: Path) -> None:
    """Where a sync ended before it had cleared up, the next one does, though nothing has changed since."""
    async with opened(home) as ken:
        await sync(ken, folder, {**PAPERS, "tower.md": PAPER})
        (folder / "tower.md").unlink()
        committer = ken.library.committer
        chosen = {name: version for name, version in ken.library.store.all_versions().items() if "tower" not in name}
        (source,) = await ken.library.status()
        committer.erasure.withdraw(["papers/tower.md"])
        change = Change(source=source.id, chosen=chosen, generation="")
        committer.snapshots.commit(change, committer.retention)  # and here the process ended
        await sync(ken, folder)
        assert left_of_it(home) == {}
        assert rows(home, "documents") == 3


async def test_a_copy_of_a_deleted_document_stays(home: Path, folder: Path) -> None:
    """What another document says as well is still found there, and nowhere else."""
    async with opened(home) as ken:
        await sync(ken, folder, {"tower.md": PAPER, "copy.md": PAPER, "bakery.md": BAKERY})
        (folder / "tower.md").unlink()
        await sync(ken, folder)
        assert (await found(ken, QUESTION))[0] == "copy.md"
        assert "brindled owls" in (await ask(ken, QUESTION)).text


async def test_deleting_everything_leaves_an_empty_corpus(home: Path, folder: Path) -> None:
    """A folder without files empties its collection, and a search finds nothing."""
    async with opened(home) as ken:
        await sync(ken, folder, {"tower.md": PAPER})
        (folder / "tower.md").unlink()
        assert (await sync(ken, folder)).deleted == 1
        assert (await ken.library.search(QUESTION, OPERATOR)).evidence == ()
        assert await ken.library.collections(OPERATOR) == ()
        write(folder, {"ferry.md": FERRY})
        assert (await sync(ken, folder)).added == 1
