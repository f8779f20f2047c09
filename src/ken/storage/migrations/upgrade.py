"""Brings a database up to the schema of this Ken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ken.errors import StorageError
from ken.storage.migrations import HEAD


def upgrade(connection: sa.Connection, name: str) -> None:
    """Apply what is missing, inside the connection's transaction. Raises StorageError for a newer database.

    The revision is read again under the write lock, so that of two processes that open a new home together the
    second finds nothing left to do.
    """
    config = alembic_config(connection)
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision == HEAD:
        return
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise newer(name, revision)
    command.upgrade(config, HEAD)


def alembic_config(connection: sa.Connection) -> Config:
    """What Alembic is told: where the revisions lie, and the connection to work over."""
    config = Config()
    config.set_main_option("script_location", "ken.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newer(name: str, revision: str) -> StorageError:
    """The error of a database whose schema this Ken doesn't know."""
    return StorageError(
        f"The database {name} was written by a newer Ken: its schema is {revision!r}, this Ken knows up to {HEAD!r}. "
        f"Upgrade Ken; or stop the newer one and run `ken schema down {HEAD}` with it; or restore a backup that this "
        "version made."
    )
