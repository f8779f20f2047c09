"""One real PostgreSQL for a whole test run, and databases in it that cost a copy of a template."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from ken.storage.postgres import PostgresDatabase
from tests.knowledge.postgresql import running_postgres

MIGRATED = "migrated"
"""Has Ken's tables, with nothing in them, and the extension `vector`."""


@dataclass(frozen=True)
class PostgresServer:
    """A server whose databases go with it."""

    url: str
    """Of the database `postgres`, as its superuser."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def of(self, database: str) -> str:
        """The address of a database."""
        return self.url.replace("/postgres?", f"/{database}?")

    @staticmethod
    def name_of(url: str) -> str:
        """The database of an address."""
        return url.split("/")[3].split("?", maxsplit=1)[0]

    @contextmanager
    def database(self, *, template: str = "template0") -> Iterator[str]:
        """Make a database, lend its address, and drop it with whoever is still connected."""
        name = f"ken{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.of(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str, *, database: str = "postgres") -> None:
        """Run a statement as the superuser, outside of any transaction."""
        with psycopg.connect(self.of(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload] # a test's own statement


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start the server and make its template."""
    with running_postgres() as url:
        server = PostgresServer(url)
        server.run(f"CREATE DATABASE {MIGRATED} TEMPLATE template0")
        server.run("CREATE EXTENSION vector", database=MIGRATED)
        PostgresDatabase(server.of(MIGRATED)).close()
        yield server
