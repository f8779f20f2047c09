from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine.interfaces import ReflectedIndex

from ken.errors import InvalidInput, StorageError
from ken.storage.database import Database
from ken.storage.faults import REMEDIES, storage_error
from ken.storage.migrations import HEAD
from ken.storage.schema import home as facts
from ken.storage.schema import metadata, trace_details, traces
from ken.storage.sqlite import SqliteDatabase
from tests.storage.places import opened_at
from tests.storage.samples import a_trace, on_disk
from tests.storage.samples import put as put_traces

OWN_MISTAKES = {
    "SQLITE_ABORT",
    "SQLITE_AUTH",
    "SQLITE_CONSTRAINT",
    "SQLITE_EMPTY",
    "SQLITE_ERROR",
    "SQLITE_FORMAT",
    "SQLITE_INTERNAL",
    "SQLITE_INTERRUPT",
    "SQLITE_MISMATCH",
    "SQLITE_MISUSE",
    "SQLITE_NOTFOUND",
    "SQLITE_RANGE",
    "SQLITE_SCHEMA",
}
NO_FAULTS = {"SQLITE_OK", "SQLITE_ROW", "SQLITE_DONE", "SQLITE_NOTICE", "SQLITE_WARNING"}
NOBODY = 65534


def python(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start another process on the same home."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def put(database: Database, key: str, value: str) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(facts).values(key=key, value=value))


def all_facts(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {row.key: row.value for row in connection.execute(sa.select(facts))}


def shape(path: Path) -> dict[str, object]:
    """What SQLite says of every table: columns, indexes and foreign keys."""
    engine = sa.create_engine(f"sqlite:///{path}")
    inspector = sa.inspect(engine)
    found: dict[str, object] = {
        name: (
            # A column that came later stands at the end of a migrated table.
            sorted(({**column, "type": str(column["type"])} for column in inspector.get_columns(name)), key=str),
            inspector.get_pk_constraint(name),
            # The condition of an index that is for some rows is an object; its words can be compared.
            sorted(str({**index, "dialect_options": str(_said(index))}) for index in inspector.get_indexes(name)),
            inspector.get_unique_constraints(name),
            inspector.get_foreign_keys(name),
        )
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }
    engine.dispose()
    return found


def _said(index: ReflectedIndex) -> dict[str, str]:
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def test_migrations_make_the_described_schema(sqlite: SqliteDatabase, tmp_path: Path) -> None:
    """The migrated tables are those of schema.py, column by column, index by index."""
    described = tmp_path / "described.db"
    engine = sa.create_engine(f"sqlite:///{described}")
    metadata.create_all(engine)
    engine.dispose()
    assert shape(sqlite.path) == shape(described)


def test_the_newest_revision_is_the_one_that_opening_compares_with() -> None:
    """HEAD, which opening reads without Alembic, is Alembic's own head."""
    config = Config()
    config.set_main_option("script_location", "ken.storage:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_an_up_to_date_home_opens_without_alembic(sqlite: SqliteDatabase) -> None:
    """Opening a migrated home takes less than 50 ms, once libraries are loaded, and leaves Alembic unimported."""
    code = """
        import sys, time, pathlib
        from ken.storage.sqlite import SqliteDatabase
        took = []
        for _ in range(20):
            began = time.perf_counter()
            SqliteDatabase(pathlib.Path(sys.argv[1])).close()
            took.append(time.perf_counter() - began)
        print(min(took) * 1000, any(name.startswith("alembic") for name in sys.modules))
    """
    out, err = python(code, sqlite.home).communicate()
    assert err == ""
    took, alembic = out.split()
    assert alembic == "False"
    assert float(took) < 50


def test_a_home_belongs_to_its_user_alone(home: Path) -> None:
    """The home is made with mode 0700, and its database and log with 0600, whatever the umask."""
    before = os.umask(0)
    try:
        database = SqliteDatabase(home)
        put(database, "a", "b")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.iterdir())}
    database.close()
    assert modes.pop("home") == 0o700
    assert "ken.db-wal" in modes
    assert set(modes.values()) == {0o600}


def test_every_connection_keeps_the_promises(sqlite: SqliteDatabase) -> None:
    """Foreign keys, secure deletion and the write-ahead log are on for readers and writers."""
    asked = ("foreign_keys", "secure_delete", "journal_mode", "temp_store", "query_only", "synchronous")

    def answers(connection: sa.Connection) -> list[object]:
        return [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in asked]

    with sqlite.read() as connection:
        assert answers(connection)[:5] == [1, 1, "wal", 2, 1]
    with sqlite.write() as connection:
        assert answers(connection) == [1, 1, "wal", 2, 0, 2]
    with sqlite.write(durable=False) as connection:
        assert answers(connection) == [1, 1, "wal", 2, 0, 1]


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    """An exception in a transaction takes all of it back, and the next one works."""

    def fail() -> None:
        with database.write() as connection:
            connection.execute(sa.insert(facts).values(key="a", value="1"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    put(database, "b", "2")
    assert all_facts(database) == {"b": "2"}


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What is committed while a reader reads is not seen by it, and does not wait for it."""
    put(database, "a", "1")
    with database.read() as connection:
        count = sa.select(sa.func.count()).select_from(facts)
        assert connection.scalar(count) == 1
        put(database, "b", "2")
        assert connection.scalar(count) == 1
    assert len(all_facts(database)) == 2


def test_a_reader_cannot_write(database: Database) -> None:
    """A write over a reading connection is refused instead of being lost."""
    with pytest.raises(StorageError), database.read() as connection:
        connection.execute(sa.insert(facts).values(key="a", value="1"))
    assert all_facts(database) == {}


def test_threads_write_side_by_side(database: Database) -> None:
    """Writers in eight threads, with readers among them, lose nothing and meet no error."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(20):
                put(database, f"{number}-{step}", "x")
                all_facts(database)
        except BaseException as error:  # noqa: BLE001 # handed to the test's thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(all_facts(database)) == 160


def test_processes_open_and_write_a_new_store_together(untouched: str) -> None:
    """Three processes that find nothing make the tables together, and none undoes what another wrote meanwhile."""
    code = """
        import sys
        from tests.storage.places import opened_at
        from ken.storage.schema import home
        print("ready", flush=True)
        sys.stdin.readline()
        database = opened_at(sys.argv[1])
        for step in range(40):
            with database.write() as connection:
                count = connection.scalar(home.select().with_only_columns(home.c.value).where(home.c.key == "count"))
                connection.execute(home.delete().where(home.c.key == "count"))
                connection.execute(home.insert().values(key="count", value=str(int(count or 0) + 1)))
        database.close()
    """
    writers = [python(code, untouched) for _ in range(3)]
    assert [writer.stdout.readline() for writer in writers if writer.stdout] == ["ready\n"] * 3
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate() for writer in writers] == [("", "")] * 3
    database = opened_at(untouched)
    assert all_facts(database) == {"count": "120"}
    database.close()


def test_a_killed_writer_leaves_whole_transactions(home: Path) -> None:
    """After kill -9 in the midst of writing, what was committed is there, whole, and the home opens."""
    code = """
        import sys, pathlib
        from ken.storage.sqlite import SqliteDatabase
        from ken.storage.schema import home
        database = SqliteDatabase(pathlib.Path(sys.argv[1]))
        for step in range(100_000):
            with database.write(durable=False) as connection:
                connection.execute(home.insert().values(key=f"{step}-a", value="x" * 2000))
                connection.execute(home.insert().values(key=f"{step}-b", value="x" * 2000))
            print(step, flush=True)
    """
    writer = python(code, home)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(60)]
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    database = SqliteDatabase(home)
    kept = all_facts(database)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    put(database, "after", "1")
    database.close()
    assert {f"{step}-{half}" for step in range(len(acknowledged)) for half in "ab"} <= set(kept)
    assert {key[:-2] for key in kept if key.endswith("a")} == {key[:-2] for key in kept if key.endswith("b")}


def test_purging_the_log_removes_what_was_deleted(sqlite: SqliteDatabase) -> None:
    """A deleted text, short or over many pages, is in no file of the home once the log is purged."""
    secrets = ["short-5ecret-text", "long-5ecret-text " * 2000]
    for number, secret in enumerate(secrets):
        put(sqlite, str(number), secret)
    assert on_disk(sqlite.home, "5ecret") != []
    with sqlite.write() as connection:
        connection.execute(sa.delete(facts))
    assert sqlite.purge_log()
    assert on_disk(sqlite.home, "5ecret") == []
    assert (sqlite.home / "ken.db-wal").stat().st_size == 0


def test_scrubbing_leaves_none_of_many_deleted_texts(sqlite: SqliteDatabase) -> None:
    """Of hundreds of texts deleted and blanked among others, the files hold none after a scrub, and the others stay."""
    # With this seed, SQLite's own secure deletion leaves one behind.
    generator = random.Random(0)
    order = list(range(1200))
    generator.shuffle(order)
    for start in range(0, 1200, 60):
        put_traces(
            sqlite,
            *(
                a_trace(
                    number,
                    question=f"5ecret{number:05d}",
                    answer=f"5ecret{number:05d} " * generator.choice([2, 8, 30, 120, 500]),
                    citations="[]",
                    spans=(),
                    evidence=(),
                )
                for number in order[start : start + 60]
            ),
        )
    gone = generator.sample(order, 600)
    with sqlite.write() as connection:
        for number in gone[::2]:
            connection.execute(sa.delete(traces).where(traces.c.id == f"{number:032x}"))
    with sqlite.write() as connection:
        for number in gone[1::2]:
            blanked = sa.update(trace_details).where(trace_details.c.trace_id == f"{number:032x}")
            connection.execute(blanked.values(answer="", question=""))
    assert sqlite.scrub()
    left = b"".join(path.read_bytes() for path in sqlite.home.iterdir())
    found = {number for number in range(1200) if f"5ecret{number:05d}".encode() in left}
    assert found == set(order) - set(gone)


def test_a_reader_keeps_the_log(sqlite: SqliteDatabase) -> None:
    """Purging tells when a reader still needs the log, and succeeds when it is gone."""
    put(sqlite, "a", "1")
    with sqlite.read() as connection:
        connection.execute(sa.select(facts)).all()
        put(sqlite, "b", "2")
        assert not sqlite.purge_log()
    assert sqlite.purge_log()


def test_a_full_disk_is_named(sqlite: SqliteDatabase) -> None:
    """When SQLite finds the disk full, the error says so and names the file."""

    def fill() -> None:
        with sqlite.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.execute(sa.insert(facts).values(key="a", value="x" * 1_000_000))

    with pytest.raises(StorageError, match=r"ken\.db.*disk is full"):
        fill()


def test_a_value_that_no_database_holds_is_the_callers(database: Database) -> None:
    """Half a surrogate pair, a number of more than 64 bits and a thing that is no JSON are refused as input."""
    for change in ({"question": "\ud800"}, {"input_tokens": 2**70}):
        with pytest.raises(InvalidInput, match="can't be stored"):
            put_traces(database, a_trace(**change))
    with pytest.raises(InvalidInput, match="can't be stored"), database.write() as connection:
        connection.execute(sa.insert(metadata.tables["sources"]).values(id="a", default_groups={1, 2}))


def test_a_newer_database_is_refused(home: Path) -> None:
    """A schema of a later Ken is left alone, and the error says to upgrade."""
    database = SqliteDatabase(home)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StorageError, match=r"newer Ken.*'9999'.*Upgrade"):
        SqliteDatabase(home)


@pytest.mark.parametrize("content", [b"# Not a database at all\n" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused(home: Path, content: bytes) -> None:
    """A foreign or garbled ken.db stays as it is, and the error names it."""
    home.mkdir()
    (home / "ken.db").write_bytes(content)
    with pytest.raises(StorageError, match=r"ken\.db.*(not a database|damaged)"):
        SqliteDatabase(home)
    assert (home / "ken.db").read_bytes() == content


def test_another_programs_database_is_refused(home: Path) -> None:
    """A SQLite file with tables that are not Ken's gets none of Ken's."""
    home.mkdir()
    connection = sqlite3.connect(home / "ken.db")
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    with pytest.raises(StorageError, match="another program"):
        SqliteDatabase(home)
    assert list(shape(home / "ken.db")) == ["bookmarks"]


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """Where the home should be stands a file: the error says which path and what to do."""
    (tmp_path / "home").write_text("x")
    with pytest.raises(StorageError, match=r"home.*folder that this user may write"):
        SqliteDatabase(tmp_path / "home")


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of its own, and a user without root's powers to meet refusals with."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_read_only_folder_is_refused(as_nobody: Path) -> None:
    """A home that can't be made says so."""
    as_nobody.chmod(0o500)
    with pytest.raises(StorageError, match="Permission denied"):
        SqliteDatabase(as_nobody / "home")


def test_a_read_only_database_is_refused(as_nobody: Path) -> None:
    """A database without write permission is refused at opening, not at the first question."""
    SqliteDatabase(as_nobody / "home").close()
    (as_nobody / "home" / "ken.db").chmod(0o400)
    with pytest.raises(StorageError, match="may write"):
        SqliteDatabase(as_nobody / "home")


def test_a_home_that_vanished_is_named(sqlite: SqliteDatabase) -> None:
    """When the home is taken away while Ken runs, a new connection says what is wrong."""
    sqlite.close()
    shutil.rmtree(sqlite.home)
    with pytest.raises(StorageError, match="can't be opened"):
        all_facts(sqlite)


def test_every_fault_of_sqlite_has_its_words() -> None:
    """Each primary result code is translated, or known as a mistake of Ken's own, or no fault."""
    codes = {
        name: value
        for name, value in vars(sqlite3).items()
        if name.startswith("SQLITE_") and isinstance(value, int) and storage_code(name)
    }
    untold = {name for name, value in codes.items() if value not in REMEDIES}
    assert untold == OWN_MISTAKES | NO_FAULTS


def storage_code(name: str) -> bool:
    """Whether a constant of the module is a primary result code: those of authorizers and limits are not."""
    primary = set(REMEDIES) | set(range(1, 29)) | {100, 101}
    others = ("SQLITE_LIMIT_", "SQLITE_DBCONFIG_", "SQLITE_CREATE_", "SQLITE_DROP_", "SQLITE_ALTER_")
    actions = {
        "SQLITE_ANALYZE",
        "SQLITE_ATTACH",
        "SQLITE_DELETE",
        "SQLITE_DENY",
        "SQLITE_DETACH",
        "SQLITE_FUNCTION",
        "SQLITE_IGNORE",
        "SQLITE_INSERT",
        "SQLITE_PRAGMA",
        "SQLITE_READ",
        "SQLITE_RECURSIVE",
        "SQLITE_REINDEX",
        "SQLITE_SAVEPOINT",
        "SQLITE_SELECT",
        "SQLITE_TRANSACTION",
        "SQLITE_UPDATE",
    }
    return not name.startswith(others) and name not in actions and getattr(sqlite3, name) in primary | {0}


def test_an_extended_code_speaks_as_its_family(tmp_path: Path) -> None:
    """SQLite's finer codes are told in the words of their primary one."""
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=0)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE a (b)")
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM a").fetchall()
    other.execute("INSERT INTO a VALUES (1)")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO a VALUES (2)")
    connection.close()
    other.close()
    assert caught.value.sqlite_errorname == "SQLITE_BUSY_SNAPSHOT"
    assert "another process" in str(storage_error(tmp_path / "a.db", caught.value))


def test_a_writer_waits_for_another_process(database: Database, place: str) -> None:
    """A write that meets another process's transaction waits for it instead of failing."""
    code = """
        import sys, time
        from tests.storage.places import opened_at
        database = opened_at(sys.argv[1])
        with database.write():
            print("holding", flush=True)
            time.sleep(0.8)
        database.close()
    """
    holder = python(code, place)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    began = time.monotonic()
    put(database, "a", "1")
    assert time.monotonic() - began > 0.1
    assert holder.wait() == 0
    holder.communicate()
