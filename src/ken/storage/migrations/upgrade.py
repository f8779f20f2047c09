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
    config = Config()
    config.set_main_option("script_location", "ken.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision == HEAD:
        return
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StorageError(
            f"The database {name} was written by a newer Ken: its schema is {revision!r}, this Ken knows up to "
            f"{HEAD!r}. Upgrade Ken, or restore a backup that this version made."
        )
    command.upgrade(config, HEAD)
