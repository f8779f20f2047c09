"""The guide to PostgreSQL, followed on a real server: its statements, its addresses with another host, its commands."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import psycopg
import pytest

from ken.storage.postgres import OLDEST_VERSION
from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT
from tests.docs.following import Reader
from tests.docs.guide import section
from tests.knowledge.homes import PAPERS, write
from tests.knowledge.postgresql import programs
from tests.storage.postgres_rig import PostgresServer

PAGE = "docs/guides/postgresql.md"
MADE = "ken"
"""The role and the database that the page makes."""


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    """The database of the page, made by its own statements; the address is that of its owner."""
    first, second = [block.text for block in blocks(PROJECT / PAGE) if block.language == "sql"]
    for statement in first.strip().splitlines():
        postgres.run(statement)
    postgres.run(second, database=MADE)
    return postgres.of(MADE).replace("//postgres:@", "//ken@")


async def test_the_page_leads_there_and_back(
    newcomer: Reader, address: str, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved with the page's command by the page's role, asked, dumped, filled again, and moved into a home again."""
    write(tmp_path / "papers", PAPERS)
    await newcomer.ken("sync", str(tmp_path / "papers"))
    (there, _) = section(PAGE, "Move there").commands
    written = there[-1]
    assert written in section(PAGE, "Point Ken at it").shell
    await newcomer.ken(*[address if word == written else word for word in there])
    replica = Reader(tmp_path / "replica")
    replica.home.mkdir()
    (replica.home / "models").symlink_to((newcomer.home / "models").resolve())
    monkeypatch.setenv("KEN_DATABASE_URL", address)
    (doctor,) = section(PAGE, "Point Ken at it").commands
    assert "3 documents" in (await replica.ken(*doctor)).out
    assert "06:40" in (await replica.ken("ask", "When does the ferry to the island leave?")).out

    dump, restore = section(PAGE, "Back up").shell.strip().splitlines()
    run_by(dump, address, tmp_path)
    postgres.run("CREATE DATABASE again OWNER ken TEMPLATE template0")
    postgres.run("CREATE EXTENSION vector", database="again")
    again = address.replace(f"/{MADE}?", "/again?")
    run_by(restore, again, tmp_path)
    monkeypatch.setenv("KEN_DATABASE_URL", again)
    assert "poppy rolls" in (await replica.ken("ask", "What does the bakery sell until noon?")).out

    back, elsewhere = section(PAGE, "Move back").commands
    home = str(tmp_path / "back")
    await replica.ken(*[home if word == back[-1] else word for word in back])
    monkeypatch.delenv("KEN_DATABASE_URL")
    (tmp_path / "back" / "models").symlink_to((newcomer.home / "models").resolve())
    assert elsewhere[:2] == ("--home", back[-1])
    assert "3 documents" in (await Reader(Path(home)).ken(elsewhere[-1])).out


def run_by(line: str, address: str, place: Path) -> None:
    """Run one of the page's lines with a program of PostgreSQL's."""
    name, *arguments = shlex.split(line.replace('"$KEN_DATABASE_URL"', shlex.quote(address)))
    assert not [word for word in arguments if "$" in word]
    subprocess.run([programs() / name, *arguments], cwd=place, check=True, capture_output=True, timeout=30)


def test_what_the_page_asks_for_is_what_ken_asks_for(postgres: PostgresServer) -> None:
    """The oldest PostgreSQL, and an extension that the server has in that version or a newer one."""
    page = (PROJECT / PAGE).read_text("utf-8")
    assert f"PostgreSQL {OLDEST_VERSION} or newer" in page
    found = re.search(r"pgvector\S+ (\d+)\.(\d+) or newer", page)
    assert found is not None
    with psycopg.connect(postgres.of("migrated")) as connection:
        version = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    assert version is not None
    assert tuple(map(int, version[0].split(".")[:2])) >= (int(found[1]), int(found[2]))
