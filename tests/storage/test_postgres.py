"""What is PostgreSQL's alone: how it is reached, what it refuses, and what happens when it goes away."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from ken.errors import InvalidInput, StorageError
from ken.storage.advisory import AdvisoryLocks
from ken.storage.forgetting import Forgetting, of_documents
from ken.storage.postgres import PostgresDatabase, parsed
from ken.storage.postgres_faults import REMEDIES
from ken.storage.schema import home as facts
from ken.storage.schema import metadata, sources
from ken.storage.traces import Traces
from ken.telemetry.capture import CaptureRules
from tests.storage.postgres_rig import PostgresServer
from tests.storage.samples import ADA, a_trace
from tests.storage.samples import put as put_traces

SECRET = "sesame-5ecret"
OWN_MISTAKES = set("02 03 09 0A 0B 0F 0L 0P 0Z 10 20 21 23 24 26 27 2B 2D 2F 34 38 39 3B 44 72 F0 HV P0".split())
"""Classes of SQLSTATE that only a mistake in Ken's own SQL can bring, and those that are no faults."""
UNFIT = {"22", "54"}


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database with nothing in it."""
    with postgres.database() as url:
        yield url


def shape(url: str) -> dict[str, object]:
    """What PostgreSQL says of every table: columns, keys and indexes."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    inspector = sa.inspect(engine)
    found: dict[str, object] = {
        name: (
            # A column that came later stands at the end of a migrated table.
            sorted(({**each, "type": repr(each["type"])} for each in inspector.get_columns(name)), key=str),
            inspector.get_pk_constraint(name),
            sorted(inspector.get_indexes(name), key=str),
            inspector.get_unique_constraints(name),
            inspector.get_foreign_keys(name),
        )
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }
    engine.dispose()
    return found


def put(database: PostgresDatabase, key: str) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(facts).values(key=key, value="1"))


def refusal(url: str) -> str:
    """What is said of a database that can't be opened; nothing of it is a secret."""
    with pytest.raises((StorageError, InvalidInput)) as raised:
        PostgresDatabase(url)
    assert SECRET not in str(raised.value)
    return str(raised.value)


def test_migrations_make_the_described_schema(postgres_url: str, empty_url: str) -> None:
    """The migrated tables are those of schema.py, column by column, index by index."""
    engine = sa.create_engine(empty_url.replace("postgresql:", "postgresql+psycopg:"))
    metadata.create_all(engine)
    engine.dispose()
    assert shape(postgres_url) == shape(empty_url)


def test_every_connection_keeps_the_promises(postgresql: PostgresDatabase) -> None:
    """Readers have a snapshot and can't write; a write waits for the disk unless told otherwise; nobody waits for ever."""
    asked = (
        "transaction_isolation",
        "transaction_read_only",
        "synchronous_commit",
        "statement_timeout",
        "lock_timeout",
    )

    def answers(connection: sa.Connection) -> list[object]:
        return [connection.scalar(sa.text(f"SHOW {name}")) for name in asked]

    with postgresql.read() as connection:
        assert answers(connection) == ["repeatable read", "on", "on", "2min", "10s"]
    with postgresql.write(durable=False) as connection:
        assert answers(connection)[:3] == ["read committed", "off", "off"]
    with postgresql.write() as connection:
        assert answers(connection) == ["read committed", "off", "on", "2min", "10s"]


def test_text_is_ordered_by_code_points(postgresql: PostgresDatabase) -> None:
    """As Python orders it, and SQLite, whatever language the database speaks."""
    words = ["a", "B", "ä", "Z", "_", "10", "9", "b-c", "bc", "日"]
    for word in words:
        put(postgresql, word)
    with postgresql.read() as connection:
        assert list(connection.scalars(sa.select(facts.c.key).order_by(facts.c.key))) == sorted(words)


def test_a_nul_leaves_the_rest_in_its_place(postgresql: PostgresDatabase) -> None:
    """PostgreSQL can't hold U+0000 in a text: U+FFFD stands for it."""
    put_traces(postgresql, a_trace(answer="a\0b", citations='[{"document_id": "x", "quote": "a\\u0000b"}]'))
    assert Traces(postgresql).get(a_trace().id, ADA).answer == "a\ufffdb"
    assert of_documents(postgresql, {"x"}) == 1
    with pytest.raises(InvalidInput, match="can't be stored"), postgresql.write() as connection:
        connection.execute(
            sa.insert(sources).values(id="a", kind="", location="", collection="", default_groups=["\0"])
        )


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ken:{SECRET}@host/ken",
        f"postgresql://ken:{SECRET}@host",
        f"postgresql://ken:{SECRET}@host:port/ken",
        f"ken:{SECRET}@host",
        "",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The error says how one is written, and shows nothing of this one."""
    assert "postgresql://user:password@host:port/database" in refusal(url)


def test_a_server_that_is_not_there_is_named() -> None:
    """Without the user and the password."""
    said = refusal(f"postgresql://ken:{SECRET}@127.0.0.1:9/documents")
    assert "'postgresql://127.0.0.1:9/documents' can't be reached" in said


def test_who_may_not_come_in_is_told_why(postgres: PostgresServer) -> None:
    """An unknown user, a database that isn't there, and one in which this user may make nothing."""
    url = postgres.of("template1").replace("//postgres:@", f"//stranger:{SECRET}@")
    assert "doesn't let us in" in refusal(url)
    assert "doesn't exist" in refusal(postgres.of("nowhere"))
    postgres.run("CREATE ROLE guest LOGIN")
    assert "Make it the owner" in refusal(postgres.of("template1").replace("//postgres:@", "//guest:@"))


def test_a_database_without_pgvector_is_refused(postgres: PostgresServer) -> None:
    """Its owner, who may not add it, learns who can; nothing is made before."""
    postgres.run("CREATE ROLE owner LOGIN")
    with postgres.database() as url:
        name = postgres.name_of(url)
        postgres.run(f"ALTER DATABASE {name} OWNER TO owner")
        own = url.replace("//postgres:@", "//owner:@")
        assert "CREATE EXTENSION vector" in refusal(own)
        assert shape(url) == {}
        postgres.run("CREATE EXTENSION vector", database=name)
        PostgresDatabase(own).close()


def test_a_reader_of_the_server_can_not_write(postgres: PostgresServer, postgres_url: str) -> None:
    """A user with too few rights opens the database, and is refused in plain words where it writes."""
    postgres.run("CREATE ROLE onlooker LOGIN")
    name = postgres_url.split("/")[3].split("?", maxsplit=1)[0]
    postgres.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO onlooker", database=name)
    database = PostgresDatabase(postgres_url.replace("//postgres:@", "//onlooker:@"))
    with pytest.raises(StorageError, match="Make it the owner"):
        put(database, "a")
    database.close()
    postgres.run("DROP OWNED BY onlooker", database=name)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["CREATE TABLE bookmarks (url text)"], "belongs to another program"),
        (["CREATE TABLE alembic_version (version_num text)", "CREATE TABLE notes (id int)"], "another program"),
    ],
)
def test_another_programs_database_is_refused(empty_url: str, statements: list[str], said: str) -> None:
    """A database with tables that are not Ken's gets none of Ken's."""
    with psycopg.connect(empty_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]
    assert said in refusal(empty_url)
    assert len(shape(empty_url)) == 1


def test_a_newer_database_is_refused(postgres_url: str) -> None:
    """A schema of a later Ken is left alone, and the error says to upgrade."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer Ken" in refusal(postgres_url)


def test_a_database_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    """What it could not hold would be found out one document at a time."""
    postgres.run("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    assert "encoding UTF8" in refusal(postgres.of("latin"))


def test_without_the_driver_the_extra_is_named() -> None:
    """Whoever installed Ken without `postgres` learns what to install."""
    code = (
        "import sys; sys.modules['psycopg'] = None\nfrom ken.storage.postgres import parsed\nparsed('postgresql://h/d')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert "pip install 'ken[postgres]'" in done.stderr.splitlines()[-1]
    assert parsed("postgres://h/d").drivername == "postgresql+psycopg"


def thrown_out(postgres: PostgresServer) -> None:
    """End every connection to every database of a test, as a server does that is stopped."""
    postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'ken%'")


def test_a_lost_connection_costs_one_call_at_most(postgres: PostgresServer, postgresql: PostgresDatabase) -> None:
    """Between calls nobody notices; in the middle of one there is a plain error, nothing is kept, and the next works."""

    def lose() -> None:
        with postgresql.write() as connection:
            connection.execute(sa.insert(facts).values(key="half", value="1"))
            thrown_out(postgres)
            connection.execute(sa.insert(facts).values(key="other half", value="1"))

    put(postgresql, "before")
    thrown_out(postgres)
    put(postgresql, "between")
    with pytest.raises(StorageError, match=r"stopping|lost"):
        lose()
    put(postgresql, "after")
    with postgresql.read() as connection:
        assert set(connection.scalars(sa.select(facts.c.key))) == {"before", "between", "after"}


def test_who_waits_too_long_to_write_is_told(postgresql: PostgresDatabase, postgres_url: str) -> None:
    """Another replica's transaction is waited for, and not for ever."""
    other = PostgresDatabase(postgres_url, busy_s=0.2)
    with postgresql.write(), pytest.raises(StorageError, match="another process"):
        put(other, "a")
    put(other, "a")
    other.close()


def test_more_readers_than_connections_are_told(postgres_url: str) -> None:
    """The pool has an end, and a call beyond it fails in plain words."""
    database = PostgresDatabase(postgres_url, busy_s=0.1)
    with ExitStack() as many:
        for _ in range(16):
            many.enter_context(database.read())
        with pytest.raises(StorageError, match="all our connections are in use"):
            many.enter_context(database.read())
    put(database, "a")
    database.close()


def test_what_was_deleted_is_vacuumed_while_others_read(postgresql: PostgresDatabase, postgres_url: str) -> None:
    """Scrubbing frees the room of deleted rows, and takes no lock that a reader or writer of another replica waits for."""
    put_traces(postgresql, *(a_trace(number, capture="metrics") for number in range(200)))
    assert Forgetting(postgresql, CaptureRules()).thin(time.time()).deleted == 200
    other = PostgresDatabase(postgres_url)
    with other.read() as connection:
        connection.execute(sa.select(facts)).all()
        assert postgresql.scrub()
    assert postgresql.scrub()
    assert postgresql.purge_log()
    other.close()
    with psycopg.connect(postgres_url) as direct:
        direct.execute("SELECT pg_stat_force_next_flush()")
        (dead,) = direct.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'traces'").fetchone() or ()
    assert dead == 0


def test_a_lock_is_one_holders_and_goes_with_its_connection(
    postgres: PostgresServer, postgresql: PostgresDatabase, postgres_url: str
) -> None:
    """Nobody else gets it, everybody sees who has it, and it is free when it is released or its process is gone."""
    other_database = PostgresDatabase(postgres_url)
    ours, theirs = AdvisoryLocks(postgresql), AdvisoryLocks(other_database)
    assert ours.holder("a") is None
    lock = ours.lock("a")
    assert lock.take()
    assert not theirs.lock("a").take()
    beside = theirs.lock("b")
    assert beside.take()
    assert "process " in (theirs.holder("a") or "")
    lock.release()
    assert theirs.holder("a") is None
    again = theirs.lock("a")
    assert again.take()
    thrown_out(postgres)
    last = ours.lock("a")
    assert last.take()
    for lost in (again, beside):
        lost.release()
    assert ours.holder("a") is not None
    last.release()
    ours.close()
    theirs.close()
    other_database.close()


def test_a_lock_that_is_let_go_of_while_it_is_taken_is_free(postgresql: PostgresDatabase) -> None:
    """Whoever gives up in the middle of an attempt leaves no lock behind."""
    locks = AdvisoryLocks(postgresql)
    for delay in (0.0, 0.001, 0.003, 0.01):
        lock = locks.lock("a")
        attempt = threading.Thread(target=lock.take)
        attempt.start()
        time.sleep(delay)
        lock.release()
        attempt.join()
        assert locks.holder("a") is None
    locks.close()


def test_every_fault_of_postgresql_has_its_words() -> None:
    """Each class of SQLSTATE is translated, or known as a value's fault or a mistake of Ken's own."""
    states = {getattr(each, "sqlstate", None) for each in vars(errors).values()}
    classes = {state[:2] for state in states if isinstance(state, str)}
    assert classes - {state[:2] for state in REMEDIES} - UNFIT == OWN_MISTAKES
