"""Which embedders the vectors of a home come from: what is remembered of each, and which one is in use.

They stand among the single facts of the home. No key is among them: of an endpoint's, the variable that holds it is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from ken.storage.database import Database
from ken.storage.documents import read_facts, remember
from ken.storage.schema import documents

Setting = str | int | float | None

_OF_ONE = "embedder:"
_IN_USE = "embedder"
_COMING = "coming_embedder"
_PROBLEM = "embedding_problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRecord:
    """What is remembered of an embedder."""

    name: str
    """Of its vector space."""
    dimensions: int
    probe: bytes = b""
    """Float32 numbers of its vector of a fixed text; empty for the local one, which can't change under its name."""
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    """Of an endpoint, as ken.toml had them; empty for the local one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingState:
    """How far the documents are on their way to another embedder."""

    name: str
    done: int
    total: int
    problem: str = ""
    """Why it does not go on; empty while it does."""


class EmbedderBook:
    """The aggregate."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_use(self) -> str:
        """The name of the embedder that the newest corpus is embedded with; empty where that is not known."""
        with self._database.read() as connection:
            return read_facts(connection).get(_IN_USE, "")

    def use(self, name: str) -> None:
        """Say which one is in use, of a home in which nothing is embedded, or by the one that it always was."""
        with self._database.write() as connection:
            remember(connection, {_IN_USE: name, _COMING: None, _PROBLEM: None})

    def get(self, name: str) -> EmbedderRecord | None:
        """What is remembered of an embedder, or None."""
        with self._database.read() as connection:
            told = read_facts(connection).get(_OF_ONE + name)
        return None if told is None else _record(name, told)

    def all(self) -> tuple[EmbedderRecord, ...]:
        """Every embedder that this home has ever used."""
        with self._database.read() as connection:
            facts = read_facts(connection)
        return tuple(_record(key.removeprefix(_OF_ONE), told) for key, told in facts.items() if key.startswith(_OF_ONE))

    def put(self, record: EmbedderRecord) -> None:
        """Remember an embedder."""
        told = {
            "dimensions": record.dimensions,
            "probe": base64.b64encode(record.probe).decode(),
            "settings": dict(record.settings),
        }
        with self._database.write() as connection:
            remember(connection, {_OF_ONE + record.name: json.dumps(told)})

    def begin(self, name: str, space: str = "") -> None:
        """Documents are on their way to this embedder: what is staged with its `space` is kept until they have arrived.

        The space is empty while the embedder has not been asked for anything.
        """
        with self._database.write() as connection:
            remember(connection, {_COMING: f"{space} {name}", _PROBLEM: None})

    def fail(self, problem: str) -> None:
        """Say why they are not getting further."""
        with self._database.write() as connection:
            remember(connection, {_PROBLEM: problem})

    def state(self) -> EmbeddingState | None:
        """How far they are; None where they are not on their way."""
        with self._database.read() as connection:
            facts = read_facts(connection)
            space, _, name = facts.get(_COMING, "").partition(" ")
            if not name:
                return None
            made = sa.alias(documents)
            done = sa.exists().where(
                made.c.id == documents.c.id,
                made.c.staged,
                sa.func.substr(made.c.version, 1, len(space)) == space,
                sa.func.substr(made.c.version, len(space) + 1) == sa.func.substr(documents.c.version, len(space) + 1),
            )
            count = sa.select(sa.func.count()).select_from(documents).where(documents.c.current)
            return EmbeddingState(
                name=name,
                done=(connection.scalar(count.where(done)) or 0) if space else 0,
                total=connection.scalar(count) or 0,
                problem=facts.get(_PROBLEM, ""),
            )


def coming_space(facts: Mapping[str, str]) -> str:
    """What the versions begin with that are made for another embedder, among the facts of a home; empty for none."""
    return facts.get(_COMING, "").partition(" ")[0]


def arrived(name: str) -> dict[str, str | None]:
    """The facts of a home whose documents have all been embedded with this embedder."""
    return {_IN_USE: name, _COMING: None, _PROBLEM: None}


def _record(name: str, told: str) -> EmbedderRecord:
    known = json.loads(told)
    return EmbedderRecord(
        name=name, dimensions=known["dimensions"], probe=base64.b64decode(known["probe"]), settings=known["settings"]
    )
