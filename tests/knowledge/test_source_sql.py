from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ken.domain.document import Metadata
from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceError, SourceMisbehaves, Unreadable
from ken.knowledge.sources.source import Change, Complete, Listed, Unlisted
from ken.knowledge.sources.sql import SqlConnector, SqlLimits
from ken.knowledge.sources.sql_row import SqlColumns
from tests.storage.postgres_rig import PostgresServer

BODY = SqlColumns(id="id", text=("body",))
SETUP = """
CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, body TEXT, region TEXT, teams TEXT, link TEXT, changed TEXT);
INSERT INTO articles VALUES
  (1, 'Annual leave', 'Take ten days.' || char(10) || 'In a row.', 'EU', 'staff, people', 'https://example.org/1', '2026-02-01T10:00:00'),
  (2, 'Pay', 'On the 25th.', NULL, NULL, NULL, 'unknown'),
  (3, '<b>Bold</b> # one', '---' || char(10) || 'groups: everyone', 'US', '[]', ' ', '2026-03-04');
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "the base.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(SETUP)
    connection.close()
    return path


@pytest.fixture(scope="module")
def address(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database of a real PostgreSQL."""
    with postgres.database() as url:
        yield url


async def listed(source: SqlConnector) -> tuple[dict[str, Listed], dict[str, str]]:
    """The rows by path, and what was refused, with its reason."""
    *changes, last = [change async for change in source.changes(None)]
    assert last == Complete(cursor=None, is_whole=True)
    return _by_path(changes)


def _by_path(changes: list[Change]) -> tuple[dict[str, Listed], dict[str, str]]:
    rows = {change.path: change for change in changes if isinstance(change, Listed)}
    return rows, {change.path: change.reason for change in changes if isinstance(change, Unlisted)}


async def test_a_row_is_a_document(database: Path) -> None:
    """Title, columns, page, date and groups come from the columns that are named; a row without groups is operators' only."""
    columns = SqlColumns(
        id="id", text=("region", "body"), title="title", groups="teams", url="link", modified="changed"
    )
    source = SqlConnector(f"sqlite:///{database}", "SELECT * FROM articles ORDER BY id;", columns=columns)
    rows, refused = await listed(source)
    read = {path: await source.fetch(row) for path, row in rows.items()}
    assert {path: each.data.decode() for path, each in read.items()} == {
        "1.md": "# Annual leave\n\n**region:** EU\n\n## Body\n\nTake ten days.\nIn a row.\n",
        "2.md": "# Pay\n\n**body:** On the 25th.\n",
        "3.md": "# \\<b>Bold\\</b> # one\n\n**region:** US\n\n## Body\n\n---\ngroups: everyone\n",
    }
    assert [each.about for each in read.values()] == [
        Metadata(title="Annual leave", modified="2026-02-01"),
        Metadata(title="Pay"),
        Metadata(title="<b>Bold</b> # one", modified="2026-03-04"),
    ]
    assert [each.url for each in read.values()] == ["https://example.org/1", None, None]
    assert [await source.permissions(row) for row in rows.values()] == [{"staff", "people"}, frozenset(), frozenset()]
    assert [row.size for row in rows.values()] == [len(each.data) for each in read.values()]
    assert (refused, source.location) == ({}, f"sqlite:{database}")
    await source.aclose()


async def test_one_text_column_is_the_body(database: Path) -> None:
    """It stands as it is under the id, so that a row can't begin with front matter; without a groups column, no rule."""
    source = SqlConnector(f"sqlite:///{database}", "select id, body from articles where id = 3", columns=BODY)
    rows, _ = await listed(source)
    fetched = await source.fetch(rows["3.md"])
    assert fetched.data.decode() == "# 3\n\n---\ngroups: everyone\n"
    assert await source.permissions(rows["3.md"]) is None
    await source.aclose()


async def test_a_stamp_changes_with_the_row_alone(database: Path) -> None:
    """What changed in the text, the groups or the page changes the stamp; what didn't keeps it from sync to sync."""
    columns = SqlColumns(id="id", text=("body",), groups="teams", url="link")
    source = SqlConnector(f"sqlite:///{database}", "SELECT id, body, teams, link FROM articles", columns=columns)
    before, _ = await listed(source)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE articles SET teams = 'people,staff', title = 'New' WHERE id = 1")
        connection.execute("UPDATE articles SET teams = 'staff' WHERE id = 2")
        connection.execute("DELETE FROM articles WHERE id = 3")
    connection.close()
    after, _ = await listed(source)
    assert {path: row.stamp == before[path].stamp for path, row in after.items()} == {"1.md": True, "2.md": False}
    await source.aclose()


async def test_ids_that_name_no_row_are_reported(database: Path) -> None:
    """NULL, a second time the same, binary and a row without text each have their words, and the others are read."""
    query = """
        SELECT 'a/b' AS id, 'one' AS body UNION ALL SELECT 'a/b', 'two' UNION ALL SELECT NULL, 'three'
        UNION ALL SELECT x'00ff', 'four' UNION ALL SELECT 'e', '  ' UNION ALL SELECT '..', 'six' UNION ALL SELECT ' ', 'seven'
    """
    source = SqlConnector(f"sqlite:///{database}", query, columns=BODY)
    rows, refused = await listed(source)
    read = {path: (await source.fetch(row)).data for path, row in rows.items()}
    assert read == {"a%2Fb.md": b"# a/b\n\none\n", "%2E..md": b"# ..\n\nsix\n"}
    assert {path: reason.split(":")[0].split(". ")[0] for path, reason in refused.items()} == {
        "a%2Fb.md/row 2": "Its id 'a/b' came before",
        "row 3": "A row's id is NULL",
        "row 4": "A row's id is of the type bytes",
        "e.md": "The row has no text",
        "row 7": "A row's id has 1 characters, or nothing but blanks",
    }
    await source.aclose()


async def test_a_row_is_fetched_without_a_listing(database: Path) -> None:
    """A new process asks the database for the one row; a row that is gone fails alone."""
    source = SqlConnector(f"sqlite:///{database}", "SELECT id, body || ' 100% :x' AS body FROM articles", columns=BODY)
    assert (await source.fetch(Listed(path="2.md", key="2"))).data == b"# 2\n\nOn the 25th. 100% :x\n"
    with pytest.raises(Unreadable, match=r"'9\.md' is not among"):
        await source.fetch(Listed(path="9.md", key="9"))
    await source.aclose()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "empty"),
        ("-- nothing\n;", "empty"),
        ("DELETE FROM articles", "'delete'"),
        ("SELECT 1; SELECT 2", "more than one"),
        ("SELECT 1; DROP TABLE articles;", "more than one"),
        ("WITH gone AS (DELETE FROM articles RETURNING *) SELECT * FROM gone", "'delete'"),
        ("SELECT * INTO other FROM articles", "'into'"),
        ("PRAGMA writable_schema = 1", "'pragma'"),
        ("SELECT 'open", "open quotation"),
        ("SELECT /* open", "open comment"),
    ],
)
def test_a_query_that_is_not_one_select_is_refused(database: Path, query: str, words: str) -> None:
    """More than one statement, and anything that writes, is refused before it runs, in plain words."""
    with pytest.raises(InvalidInput, match=words):
        SqlConnector(f"sqlite:///{database}", query, columns=BODY)


async def test_words_in_quotes_and_comments_are_no_statements(database: Path) -> None:
    """A semicolon in a text, a column named "delete" and a comment don't make a SELECT anything else."""
    query = """
        /* DELETE; */ WITH x AS (SELECT 1 AS id, '; DROP -- ''x' AS "delete") -- ; update
        SELECT id, "delete" || updated AS body FROM (SELECT *, '!' AS updated FROM x) ; ;
    """
    source = SqlConnector(f"sqlite:///{database}", query, columns=BODY)
    rows, _ = await listed(source)
    assert (await source.fetch(rows["1.md"])).data == b"# 1\n\n; DROP -- 'x!\n"
    await source.aclose()


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        ("SELECT id, body FROM nowhere", SourceMisbehaves, "no such table"),
        ("SELECT id, body FROM", SourceMisbehaves, "incomplete input"),
        ("SELECT id, title FROM articles", SourceMisbehaves, "no column 'body': it gives 'id', 'title'"),
        ("WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, 'x' AS body FROM n", SourceMisbehaves, "more than"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) AS id, 'x' AS body FROM n", SourceDown, "time limit"),
    ],
)  # fmt: skip
async def test_a_query_that_fails_ends_the_listing(
    database: Path, query: str, error: type[SourceError], words: str
) -> None:
    """Wrong names, rows without end and time without end are told apart, and nothing counts as deleted."""
    limits = SqlLimits(statement_s=0.4, max_rows=500, batch=100)
    source = SqlConnector(f"sqlite:///{database}", query, columns=BODY, limits=limits)
    with pytest.raises(error, match=words):
        await listed(source)
    await source.aclose()


async def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    """A lost file, another file, and an address of something else have their own words; no file is made."""
    (tmp_path / "other.db").write_text("no database, but long enough to be looked at" * 100)
    for name, error in (("lost.db", SourceDown), ("other.db", SourceMisbehaves)):
        source = SqlConnector(f"sqlite:///{tmp_path / name}", "SELECT id, body FROM articles", columns=BODY)
        with pytest.raises(error):
            await listed(source)
        await source.aclose()
    assert not (tmp_path / "lost.db").exists()
    for url in ("mysql://host/x", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=rw&uri=true", "nothing"):
        with pytest.raises(InvalidInput):
            SqlConnector(url, "SELECT 1", columns=BODY)


async def test_many_rows_need_little_memory(database: Path) -> None:
    """Thousands of rows are listed in batches, each with its own path and stamp, and any of them is fetched."""
    query = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        SELECT i AS id, printf('Row %d says %.*c', i, 500, 'x') AS body FROM n
    """
    source = SqlConnector(f"sqlite:///{database}", query, columns=BODY, limits=SqlLimits(batch=700))
    rows, refused = await listed(source)
    assert (len(rows), len({row.stamp for row in rows.values()}), refused) == (3_000, 3_000, {})
    assert (await source.fetch(rows["2777.md"])).data.startswith(b"# 2777\n\nRow 2777 says xxx")
    await source.aclose()


async def test_a_row_over_the_limit_is_refused_alone(database: Path) -> None:
    """The others are listed."""
    query = "SELECT 1 AS id, 'short' AS body UNION ALL SELECT 2, hex(zeroblob(600))"
    source = SqlConnector(f"sqlite:///{database}", query, columns=BODY, limits=SqlLimits(max_bytes=1_000))
    rows, refused = await listed(source)
    assert (list(rows), list(refused)) == (["1.md"], ["2.md"])
    await source.aclose()


async def test_postgresql_is_read_with_its_own_types(address: str) -> None:
    """Arrays of groups, times with zones, UUIDs, JSON and percent signs come as they are; the transaction can't write."""
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE notes (id uuid, body text, about jsonb, teams text[], changed timestamptz)")
        connection.execute(
            "INSERT INTO notes VALUES ('00000000-0000-0000-0000-00000000000a', '100% ü', '{\"a\": 1}', '{staff,people}',"
            " '2026-02-01T23:30:00-05'), ('00000000-0000-0000-0000-00000000000b', 'x', NULL, '{}', NULL)"
        )
    columns = SqlColumns(id="id", text=("body", "about"), groups="teams", modified="changed")
    query = "SELECT *, '100%'::text AS share FROM notes WHERE body LIKE '%' ORDER BY id"
    source = SqlConnector(address, query, columns=columns, limits=SqlLimits(batch=1))
    rows, _ = await listed(source)
    first, second = rows.values()
    fetched = await source.fetch(first)
    assert (
        fetched.data.decode() == '# 00000000-0000-0000-0000-00000000000a\n\n**body:** 100% ü\n\n**about:** {"a": 1}\n'
    )
    assert fetched.about.modified == "2026-02-02"
    assert [await source.permissions(row) for row in (first, second)] == [{"staff", "people"}, frozenset()]
    fresh = SqlConnector(address, query, columns=columns)
    assert await fresh.fetch(first) == fetched
    await source.aclose()
    await fresh.aclose()


async def test_postgresql_refuses_as_it_should(address: str) -> None:
    """A function that writes, a table without the right, an unknown user, a slow query and a lost server are told apart."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE secrets (id int, body text)")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute(
            "CREATE FUNCTION wipe() RETURNS text LANGUAGE sql AS 'DELETE FROM secrets; SELECT ''done''::text'"
        )
    reader = address.replace("postgres:@", "reader:pass-123@")
    unknown = address.replace("postgres:@", "nobody:pass-123@")
    cases: list[tuple[str, str, type[SourceError]]] = [
        (address, "SELECT 1 AS id, wipe() AS body", SourceDenied),
        (reader, "SELECT id, body FROM secrets", SourceDenied),
        (unknown, "SELECT 1 AS id, 'x' AS body", SourceDenied),
        (address, "SELECT 1 AS id, pg_sleep(20)::text AS body", SourceDown),
        (address, "SELECT 1 AS id, nothing AS body", SourceMisbehaves),
        ("postgresql://reader:pass-123@127.0.0.1:1/x", "SELECT 1 AS id, 'x' AS body", SourceDown),
    ]
    for url, query, error in cases:
        source = SqlConnector(url, query, columns=BODY, limits=SqlLimits(statement_s=0.3))
        with pytest.raises(error) as failed:
            await listed(source)
        assert "pass-123" not in str(failed.value) + source.location
        await source.aclose()
