from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from ken.domain.answer import Answer, Question
from ken.domain.conversation import Turn
from ken.domain.events import Answered
from ken.knowledge.lexical import term_hash
from ken.storage.forgetting import WITHDRAWN
from ken.storage.snapshots import Change
from ken.text.tokens import terms
from ken.wiring import Ken
from tests.knowledge.homes import BAKERY, FERRY, OPERATOR, PAPERS, found, opened, places_of, rows, sync, write
from tests.knowledge.shelf import Shelf, sync_shelf

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


def features_of(home: Path, document_id: str) -> list[bytes]:
    """Pieces of everything that an index is built from, of one document: its vectors and the hashes of its terms."""
    query = "SELECT kind, data FROM features WHERE document_id = ? AND kind IN ('windows', 'sentences', 'terms')"
    with closing(sqlite3.connect(home / "ken.db")) as connection:
        stored: list[tuple[str, bytes]] = connection.execute(query, (document_id,)).fetchall()
    vectors = [
        np.frombuffer(data, np.float16).astype(np.float32).tobytes() for kind, data in stored if kind == "windows"
    ]
    pieces = [data[at : at + 24] for data in (*vectors, *(data for _, data in stored)) for at in (0, len(data) // 2)]
    return pieces + [term_hash(term).to_bytes(8, "little") for term in terms("Quessenberry brindled gristle")]


def holders(home: Path, pieces: Iterable[bytes]) -> set[str]:
    """Files of the home, the embedder's aside, that hold one of these pieces of bytes."""
    files = [file for file in home.rglob("*") if file.is_file() and "models" not in file.parts]
    return {file.name for file in files for piece in pieces if piece in file.read_bytes()}


async def test_nothing_is_left_in_any_snapshot_answer_or_vector(home: Path, folder: Path) -> None:
    """Of a document with two versions, in several snapshots, one of them held; asked about, abstained about, followed up, failed since."""
    words = (*TRACES_OF_IT, "Zimmerqualm")
    paper = PAPER.replace("# Tower", "---\ntitle: Zimmerqualm\n---\n# Tower")
    async with opened(home) as ken:
        await sync(ken, folder, {**PAPERS, "secret-tower.md": paper})
        await sync(ken, folder, {"secret-tower.md": paper.replace("at dusk", "at dusk and at dawn")})
        await sync(ken, folder, {"mill.md": "# Mill\n\nThe mill grinds oats.\n"})
        await ken.library.use(2)
        vectors = features_of(home, "papers/secret-tower.md")
        in_database_and_index = {"ken.db", "windows.npy", "sentences.npy", "lexical_terms.npy", "sentence_terms.npy"}
        assert holders(home, vectors) >= in_database_and_index
        beyond = "Which telescope did Galileo buy for the tower?"
        abstained = [await ask(ken, question) for question in (QUESTION, beyond)]
        assert "Zimmerqualm" in abstained[-1].text
        conversation = ken.conversations.create(OPERATOR, "The widow")
        answer = abstained[0]
        turn = Turn(role="assistant", content=answer.text, trace_id=answer.trace_id, at=0.0)
        ken.conversations.append(conversation.id, OPERATOR, new=[turn])
        await sync(ken, folder, {"secret-tower.md": b"---\ntitle: Zimmerqualm\n---\n\xff\xfe\x00brindled owls\x00"})
        (folder / "secret-tower.md").unlink()
        assert (await sync(ken, folder)).deleted == 1
        ken.recorder.flush()
        assert {each: places_of(home, each) for each in words if places_of(home, each)} == {}
        assert holders(home, vectors) == set()
        assert ken.conversations.get(conversation.id, OPERATOR).turns[0].content == WITHDRAWN
    assert {each: places_of(home, each) for each in words if places_of(home, each)} == {}


async def test_a_removed_source_leaves_nothing_behind(home: Path) -> None:
    """Neither its documents, nor the names of those that it failed to give, nor what its connector kept."""
    shelf = Shelf({"tower.md": PAPER, "Zimmerqualm.pdf": "%PDF torn"})
    async with opened(home) as ken:
        await sync_shelf(ken, shelf)
        write(home / "clones" / "shelf", {"packed": PAPER})
        assert left_of_it(home)
        await ken.library.remove_source("shelf")
        assert left_of_it(home) == {}
        assert places_of(home, "Zimmerqualm") == []
        assert places_of(home, "tower.md") == []
