"""What lets PostgreSQL be the store as well: the order of a trace's spans, and the pushed files of several replicas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and the table; spans keep the order in which they were put."""
    op.add_column("spans", sa.Column("position", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "sqlite":  # where spans were kept before, in the order of a column of SQLite's own
        op.execute("UPDATE spans SET position = rowid")
    op.create_table(
        "originals",
        sa.Column("document_id", Text(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Remove them; spans stand in the order in which they were written."""
    op.drop_table("originals")
    op.drop_column("spans", "position")


def lost(connection: sa.Connection) -> dict[str, int]:
    """What goes with them, counted."""
    return {"pushed files": connection.scalar(sa.text("SELECT count(*) FROM originals")) or 0}
