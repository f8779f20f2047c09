"""Run by Alembic: migrates over the connection that `upgrade` hands in, within its transaction."""

from __future__ import annotations

from alembic import context

from ken.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
