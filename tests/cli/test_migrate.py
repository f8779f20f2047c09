"""From one store into the other and back: everything, or nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ken.domain.answer import Answer, Question
from ken.domain.conversation import Turn
from ken.domain.events import Answered
from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.domain.trace import Feedback
from ken.settings import load
from ken.storage.database import Database
from ken.storage.schema import metadata
from ken.wiring import Ken, open_home
from tests.architecture.tree import PROJECT
from tests.cli.terminal import Terminal
from tests.service.corpus import QUESTION, copy
from tests.storage.places import opened_at
from tests.storage.postgres_rig import PostgresServer

PUSHED = b"# Pontoon\n\nThe pontoon was painted green in May.\n"
Rows = dict[str, list[str]]


def contents(place: str) -> Rows:
    """Every row of every table, but for what names the index, and for pushed files."""
    database: Database = opened_at(place)
    try:
        with database.read() as connection:
            found = {
                name: sorted(str({**row, "generation": ""}) for row in connection.execute(sa.select(table)).mappings())
                for name, table in metadata.tables.items()
                if name != "originals"
            }
    finally:
        database.close()
    found["home"] = [row for row in found["home"] if "index_generation" not in row]
    return found


async def told(ken: Ken, conversation_id: str) -> Answer:
    """The answer to the corpus's question."""
    asked = Question(text=QUESTION, principal=LOCAL_OPERATOR, conversation_id=conversation_id)
    events = [event async for event in ken.assistant.answer(asked)]
    assert isinstance(events[-1], Answered)
    return events[-1].answer


async def lived_in(home: Path) -> None:
    """Ask, judge, converse, make a key and push a document, over what the home has already."""
    ken = await open_home(load(home))
    begun = ken.conversations.create(LOCAL_OPERATOR, QUESTION)
    answer = await told(ken, begun.id)
    turns = [
        Turn(role="user", content=QUESTION, trace_id=answer.trace_id, at=1.0),
        Turn(role="assistant", content=answer.text, trace_id=answer.trace_id, at=2.0),
    ]
    ken.conversations.append(begun.id, LOCAL_OPERATOR, new=turns)
    ken.recorder.flush()
    ken.feedback.put(Feedback(trace_id=answer.trace_id, principal=LOCAL_OPERATOR.id, helpful=True, reason="⛵", at=1.0))
    ken.keys.create("intranet", ["office"])
    await ken.library.put("notes/pontoon.md", PUSHED)
    await ken.aclose()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A home in which Ken was used."""
    home = copy(tmp_path_factory.mktemp("migrate") / "home")
    asyncio.run(lived_in(home))
    return Terminal(home)


@pytest.fixture(scope="module")
def there(source: Terminal, postgres: PostgresServer) -> Iterator[str]:
    """The address of a PostgreSQL to which that home was migrated, after somebody had opened it to look."""
    with postgres.database() as url:
        looked_at = opened_at(url)
        with looked_at.write() as connection:
            connection.execute(sa.insert(metadata.tables["home"]).values(key="corpus_version", value="0"))
        looked_at.close()
        done = source.ken("migrate", "--to", url)
        assert "1 keys and 1 pushed files" in done.stdout
        assert "KEN_DATABASE_URL" in done.stdout
        assert "documents: 5 of 5" in done.stderr
        yield url


@pytest.fixture
def elsewhere(there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal on another machine, whose store is that PostgreSQL."""
    monkeypatch.setenv("KEN_DATABASE_URL", there)
    return Terminal(tmp_path / "elsewhere")


def killed(terminal: Terminal, function: str, *arguments: str) -> None:
    """Run a command that is killed when it calls a function."""
    code = (
        "import sys; from tests.knowledge.dying import Watch, die; from ken.cli.main import main; "
        "watch = Watch(sys.argv.pop(1), die); watch.is_armed = True; main()"
    )
    command = [sys.executable, "-c", code, function, "--home", str(terminal.home), *arguments]
    done = subprocess.run(
        command, cwd=PROJECT, env=Terminal.environment(), capture_output=True, check=False, timeout=50
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_everything_goes_over(source: Terminal, there: str) -> None:
    """Every row is the same in PostgreSQL, the source stays as it was, and a second copy over the first is refused."""
    before = contents(str(source.home))
    assert all(
        before[name]
        for name in (
            "documents",
            "conversations",
            "turns",
            "traces",
            "trace_details",
            "span_batches",
            "feedback",
            "keys",
        )
    )
    assert contents(there) == before
    assert "already. Name an empty one" in source.ken("migrate", "--to", there, code=1).stderr
    assert contents(str(source.home)) == contents(there) == before


def test_everything_comes_back(source: Terminal, elsewhere: Terminal, tmp_path: Path) -> None:
    """Into a folder: nothing of it where the copy is killed in the middle, every row and file when it ends."""
    back = tmp_path / "back"
    killed(elsewhere, "_forget_index", "migrate", "--to", str(back))
    assert not (back / "ken.db").exists()
    assert not (back / "uploads").exists()
    assert f"--home {back}" in elsewhere.ken("migrate", "--to", str(back)).stdout
    assert contents(str(back)) == contents(str(source.home))
    assert (back / "uploads" / "notes" / "pontoon.md").read_bytes() == PUSHED
    assert {path.name for path in back.iterdir()} == {"ken.db", "uploads"}


def test_killed_in_the_middle_it_leaves_an_empty_database(source: Terminal, postgres: PostgresServer) -> None:
    """All of it is one transaction."""
    with postgres.database() as url:
        killed(source, "_forget_index", "migrate", "--to", url)
        assert not any(contents(url).values())


async def test_a_moved_store_serves_whom_it_served(
    source: Terminal, there: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    """Its index is built at the first opening; permissions, traces, pushed files and what comes next are as before."""
    (tmp_path / "models").symlink_to(source.home / "models")
    with postgres.database(template=postgres.name_of(there)) as url:
        ken = await open_home(load(tmp_path, database_url=url))
        office = Principal("key-1", frozenset({"office"}))
        for principal, may in ((office, True), (Principal("guest"), False)):
            result = await ken.library.search("What does the crane driver earn?", principal)
            assert any(each.document.id == "harbour/wages.md" for each in result.evidence) == may
        trace = ken.traces.latest(LOCAL_OPERATOR)
        assert ken.feedback.of_trace(trace.id)[0].reason == "⛵"
        assert ken.library.originals.read("notes/pontoon.md", max_bytes=100) == PUSHED
        begun = ken.conversations.list(LOCAL_OPERATOR).entries[0]
        assert "07:30" in (await told(ken, begun.id)).text
        ken.conversations.append(begun.id, LOCAL_OPERATOR, new=[Turn(role="user", content="?", trace_id=None, at=3.0)])
        assert len(ken.conversations.get(begun.id, LOCAL_OPERATOR).turns) == 3
        await ken.library.put("notes/mole.md", b"# Mole\n\nThe mole is closed in storms.\n")
        assert len(await ken.library.documents(LOCAL_OPERATOR)) == 6
        await ken.aclose()


def test_a_target_that_cannot_be_is_refused(source: Terminal, tmp_path: Path) -> None:
    """A home with a database, another kind of database, a server that isn't there: each is named without its password."""
    for place, code, said in (
        (str(source.home), 1, "holds 'ken.db' already"),
        ("mysql://ken:5ecret@host/ken", 2, "not PostgreSQL's"),
        ("postgresql://ken:5ecret@127.0.0.1:9/ken", 1, "can't be reached"),
    ):
        done = source.ken("migrate", "--to", place, code=code)
        assert said in done.stderr
        assert "5ecret" not in done.stdout + done.stderr
    assert "There is no home" in Terminal(tmp_path / "none").ken("migrate", "--to", "elsewhere", code=2).stderr
    assert not (tmp_path / "none").exists()


def test_a_backup_of_postgresql_is_its_own_tools_work(
    source: Terminal, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ken's backup holds a home alone, and says so instead of writing half."""
    monkeypatch.setitem(os.environ, "KEN_DATABASE_URL", postgres_url)
    assert "pg_dump" in source.ken("backup", str(tmp_path / "b.zip"), code=2).stderr
    assert not (tmp_path / "b.zip").exists()
