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
