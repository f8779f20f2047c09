"""Conversations keep what was shown with an answer and which documents it names, and can be shared.

Of answers that were kept before, the documents are those that their traces name; what was shown with them is not made up.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import GROUPS, Text

revision = "0007"
down_revision = "0006"

_NAMED = """
INSERT INTO turn_documents (turn_id, document_id)
SELECT turns.id, named_documents.document_id
FROM turns JOIN named_documents ON named_documents.trace_id = turns.trace_id
WHERE turns.role = 'assistant'
UNION
SELECT turns.id, documents.id
FROM turns JOIN named_titles ON named_titles.trace_id = turns.trace_id JOIN documents ON documents.title = named_titles.title
WHERE turns.role = 'assistant'
"""


def upgrade() -> None:
    """Add the tables, and list the documents of answers whose traces tell them."""
    op.create_table(
        "turn_answers",
        _turn(primary_key=True),
        sa.Column("answer", Text(), nullable=False),
    )
    op.create_table(
        "turn_documents",
        _turn(nullable=False),
        sa.Column("document_id", Text(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "document_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_turn_documents_document_id", "turn_documents", ["document_id"])
    op.create_table(
        "shares",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("conversation_id", Text(), sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("groups", GROUPS, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
    )
    op.create_index("ix_shares_conversation_id", "shares", ["conversation_id"])
    op.execute(sa.text(_NAMED))


def downgrade() -> None:
    """Remove the tables, with what they hold; the turns' texts stay."""
    for table in ("shares", "turn_documents", "turn_answers"):
        op.drop_table(table)


def lost(connection: sa.Connection) -> dict[str, int]:
    """What goes with them, counted."""
    tables = {"shares of conversations": "shares", "kept sources of answers in conversations": "turn_answers"}
    return {words: connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0 for words, table in tables.items()}  # noqa: S608 # constants


def _turn(*, primary_key: bool = False, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(
        "turn_id",
        sa.Integer(),
        sa.ForeignKey("turns.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable and not primary_key,
    )
