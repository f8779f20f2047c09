"""Releases are kept with what they stand for, and a question that is asked again names the trace that it was asked in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import JSON_VALUE, Text

revision = "0008"
down_revision = "0007"

_AGAIN = sa.text("rerun_of IS NOT NULL")


def upgrade() -> None:
    """Add the table and the column. What earlier releases were is not known: their ids are hashes."""
    op.create_table(
        "releases",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("fields", JSON_VALUE, nullable=False),
        sa.Column("settings", JSON_VALUE, nullable=False),
        sa.Column("first_seen", sa.Float(), nullable=False),
        sa.Column("last_seen", sa.Float(), nullable=False),
    )
    op.add_column("traces", sa.Column("rerun_of", Text()))
    op.create_index("traces_by_rerun_of", "traces", ["rerun_of"], sqlite_where=_AGAIN, postgresql_where=_AGAIN)


def downgrade() -> None:
    """Remove both; the traces of questions that were asked again stay."""
    op.drop_index("traces_by_rerun_of", "traces")
    op.drop_column("traces", "rerun_of")
    op.drop_table("releases")


def lost(connection: sa.Connection) -> dict[str, int]:
    """What goes with them, counted."""
    asked = {
        "descriptions of releases": "SELECT count(*) FROM releases",
        "links to the question that was asked again": "SELECT count(*) FROM traces WHERE rerun_of IS NOT NULL",
    }
    return {words: connection.scalar(sa.text(query)) or 0 for words, query in asked.items()}
