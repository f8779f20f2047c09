"""Connectors whose places know who may read, or hold what was deleted, through a real sync."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import aclosing
from pathlib import Path

from ken.domain.principal import Principal
from ken.knowledge.sources.git import GitConnector
from ken.knowledge.sources.git_command import GitAccess
from ken.knowledge.sources.mbox import MboxConnector
from ken.knowledge.sources.slack import SlackConnector
from ken.knowledge.sources.source import Connector
from ken.knowledge.sources.sql import SqlConnector
from ken.knowledge.sources.sql_row import SqlColumns
from ken.knowledge.sync import SyncReport
from ken.storage.sources import Source
from ken.wiring import Ken
from tests.knowledge.homes import ANYBODY, counts, found, opened
from tests.knowledge.repositories import Repository


async def synced(ken: Ken, kind: str, connector: Connector) -> SyncReport:
    """Sync a source into a collection of its own, readable by everyone unless its source says otherwise."""
    source = Source(id=kind, kind=kind, location="", collection=kind, default_groups=frozenset({"everyone"}))
    async with aclosing(connector):
        return await ken.library.sync(source, connector)


async def test_private_conversations_are_found_by_their_group_alone(home: Path, tmp_path: Path) -> None:
    """A public channel is for everyone, a private one for those of its group, in the same collection."""
    said = {"type": "message", "user": "U1", "ts": "1769940000.000000"}
    files = {
        "channels.json": [{"id": "C1", "name": "general"}],
        "groups.json": [{"id": "G1", "name": "board"}],
        "general/2026-02-01.json": [{**said, "text": "The ferry to the island leaves at six"}],
        "board/2026-02-01.json": [{**said, "text": "The ferry to the island will be sold"}],
    }
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    async with opened(home) as ken:
        report = await synced(ken, "slack", SlackConnector(tmp_path / "export.zip"))
        assert (counts(report), report.problem) == ((2, 0, 0, 0), "")
        everyone = await found(ken, "island ferry", ANYBODY)
        board = await found(ken, "island ferry", Principal("ann", groups=frozenset({"slack:board"})))
    assert everyone == ["general/2026-02-01/messages.md"]
    assert sorted(board) == ["board/2026-02-01/messages.md", "general/2026-02-01/messages.md"]


async def test_rows_and_messages_are_found(home: Path, tmp_path: Path) -> None:
    """A row by its text and for its groups, a message by its text; what did not change is not read again."""
    with sqlite3.connect(tmp_path / "base.db") as connection:
        connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, teams TEXT)")
        notes = [(1, "Rye bread and poppy rolls until noon", "bakers"), (2, "Rye bread is sold out", None)]
        connection.executemany("INSERT INTO notes VALUES (?, ?, ?)", notes)
    connection.close()
    (tmp_path / "team.mbox").write_text(
        "From ann@example.org Sun Feb  1 10:00:00 2026\nFrom: ann@example.org\nMessage-ID: <1@x>\n"
        "Subject: Library\n\nBooks are lent for four weeks and may be renewed twice.\n"
    )
    columns = SqlColumns(id="id", text=("body",), groups="teams")
    async with opened(home) as ken:
        for expected in ((2, 0, 0, 0), (0, 0, 2, 0)):
            rows = SqlConnector(f"sqlite:///{tmp_path / 'base.db'}", "SELECT * FROM notes", columns=columns)
            assert counts(await synced(ken, "sql", rows)) == expected
        for expected in ((1, 0, 0, 0), (0, 0, 1, 0)):
            assert counts(await synced(ken, "mbox", MboxConnector(tmp_path / "team.mbox"))) == expected
        (message,) = await found(ken, "rye bread and books", ANYBODY)
        baker = await found(ken, "rye bread and books", Principal("bo", groups=frozenset({"bakers"})))
        assert sorted(baker) == ["1.md", message]
        assert (await ken.library.document(f"mbox/{message}", ANYBODY)).title == "Library"


async def test_a_repository_is_synced_by_its_commits(home: Path, tmp_path: Path) -> None:
    """The first sync reads all, the next what changed; what was deleted is gone from the index and the clone."""
    repository = Repository(tmp_path / "docs")
    repository.commit(
        {"ferry.md": "# Ferry\n\nThe ferry leaves at six.\n", "bread.md": "# Bread\n\nRye bread until noon.\n"}
    )
    gone = repository.git("rev-parse", "HEAD:bread.md")
    async with opened(home) as ken:
        clone = home / "clones" / "git"
        for expected in ((2, 0, 0, 0), (0, 1, 0, 1), (0, 0, 0, 0)):
            connector = GitConnector(repository.url, cache=clone, access=GitAccess(allow_local=True))
            report = await synced(ken, "git", connector)
            assert (counts(report), report.problem) == (expected, "")
            if expected[0]:
                repository.commit({"ferry.md": "# Ferry\n\nThe ferry leaves at seven.\n", "bread.md": None})
        assert await found(ken, "when does the ferry leave", ANYBODY) == ["ferry.md"]
        assert "seven" in await ken.library.text("git/ferry.md", ANYBODY)
    listed = repository.git(f"--git-dir={clone / 'clone.git'}", "cat-file", "--batch-all-objects", "--batch-check")
    assert gone not in listed
