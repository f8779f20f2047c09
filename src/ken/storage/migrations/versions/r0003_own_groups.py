"""The groups that a document version came with, beside those that hold for it today."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import GROUPS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; what was narrowed before is as it is."""
    op.add_column("documents", sa.Column("own_groups", GROUPS))
    op.execute("UPDATE documents SET own_groups = groups")


def downgrade() -> None:
    """Remove it: what holds for a version today is all that is known of it."""
    op.drop_column("documents", "own_groups")


def lost(connection: sa.Connection) -> dict[str, int]:
    """What goes with it, counted."""
    narrowed = "SELECT count(*) FROM documents WHERE CAST(own_groups AS TEXT) <> CAST(groups AS TEXT)"
    return {"document versions' own groups": connection.scalar(sa.text(narrowed)) or 0}
