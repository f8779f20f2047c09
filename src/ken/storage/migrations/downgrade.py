"""Takes a database's schema back to an older revision, for an older Ken; and says beforehand what that costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from ken.errors import Conflict, InvalidInput
from ken.storage.migrations import HEAD
from ken.storage.migrations.upgrade import alembic_config, newer

OLDEST = "0002"
"""The first revision that can be gone back to."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema, and what it brought, in words."""

    id: str
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database's schema stands."""

    at: str | None
    """None: there is no schema yet."""
    revisions: tuple[Revision, ...]
    """All that this Ken knows, the first one first."""

    @property
    def is_newest(self) -> bool:
        """Whether there is nothing left to do."""
        return self.at == HEAD

    @property
    def is_known(self) -> bool:
        """Whether this Ken is not older than the database."""
        return self.at is None or self.at in {revision.id for revision in self.revisions}


def standing(connection: sa.Connection) -> Standing:
    """Look at a database, whichever Ken wrote it."""
    scripts = ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()
    revisions = [Revision(script.revision, (script.doc or "").rstrip(".")) for script in scripts]
    return Standing(MigrationContext.configure(connection).get_current_revision(), tuple(reversed(revisions)))


def check(connection: sa.Connection, to: str, *, name: str, lose: bool) -> Mapping[str, int]:
    """What going back to a revision would lose, counted.

    Raises InvalidInput for a revision that there is none of, that is not below, or that can't be gone back to; Conflict
    where something would be lost and `lose` is not said; StorageError for a database that a newer Ken wrote.
    """
    now = standing(connection)
    if not now.is_known:
        raise newer(name, str(now.at))
    _check(now, to)
    scripts = ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()
    steps = [script for script in scripts if to < script.revision <= str(now.at)]
    losses = {words: count for script in steps for words, count in _lost(script, connection).items() if count}
    if losses and not lose:
        told = ", ".join(f"{count:,} {words}" for words, count in losses.items())
        raise Conflict(
            f"The schema {to!r} has no place for {told}. Say `--lose` to give that up, or stay at {now.at!r}."
        )
    return losses


def downgrade(connection: sa.Connection, to: str, *, name: str, lose: bool) -> Mapping[str, int]:
    """Go back to a revision, inside the connection's transaction; what was lost by it, counted. Raises as `check` does."""
    losses = check(connection, to, name=name, lose=lose)
    command.downgrade(alembic_config(connection), to)
    return losses


def _check(now: Standing, to: str) -> None:
    ids = [revision.id for revision in now.revisions if revision.id >= OLDEST]
    below = [each for each in ids if each < str(now.at)] if now.at is not None else []
    if to not in below:
        can = f"It can go back to {', '.join(below)}." if below else "It can't go back any further."
        raise InvalidInput(f"The schema is at {now.at!r} and can't go down to {to!r}. {can}")


def _lost(script: Script, connection: sa.Connection) -> Mapping[str, int]:
    """What going back over a revision gives up: each one counts that in its own `lost`."""
    count = cast("Callable[[sa.Connection], Mapping[str, int]]", script.module.lost)
    return count(connection)
