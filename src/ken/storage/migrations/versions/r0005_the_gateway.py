"""What the gateway keeps: its calls and what they cost, what is spent by whom, and whose calls are under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import GROUPS, JSON_VALUE, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the tables."""
    _calls()
    _cached_answers()
    op.create_table(
        "spending",
        sa.Column("scope", Text(), nullable=False),
        sa.Column("of", Text(), nullable=False),
        sa.Column("day", Text(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.Column("final_micros", sa.BigInteger(), nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), nullable=False),
        sa.Column("final_tokens", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("unknown_calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "of", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "instances",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("machine", Text(), nullable=False),
        sa.Column("process", Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("instance", Text(), nullable=False),
        sa.Column("state", Text(), nullable=False),
        sa.Column("outcome", Text(), nullable=False),
        sa.Column("error", Text(), nullable=False),
        sa.Column("trace_id", Text()),
        sa.Column("principal", Text(), nullable=False),
        sa.Column("groups", GROUPS, nullable=False),
        sa.Column("stage", Text(), nullable=False),
        sa.Column("task_type", Text(), nullable=False),
        sa.Column("category", Text(), nullable=False),
        sa.Column("tier", Text(), nullable=False),
        sa.Column("release", Text(), nullable=False),
        sa.Column("model", Text(), nullable=False),
        sa.Column("provider", Text(), nullable=False),
        sa.Column("response_model", Text(), nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger()),
        sa.Column("cost_micros", sa.BigInteger()),
        sa.Column("currency", Text(), nullable=False),
        sa.Column("price_version", Text(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float()),
        sa.Column("ttft_ms", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_calls_trace_id", "calls", ["trace_id"])
    op.create_index("ix_calls_started_at", "calls", ["started_at"])
    reserved = sa.text("state = 'reserved'")
    op.create_index("calls_under_way", "calls", ["instance"], sqlite_where=reserved, postgresql_where=reserved)


def _cached_answers() -> None:
    """What was cached before is gone: nobody kept what it rested on."""
    op.drop_table("cached_answers")
    op.create_table(
        "cached_answers",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("key", Text(), nullable=False, unique=True),
        sa.Column("space", Text(), nullable=False),
        sa.Column("scope", Text(), nullable=False),
        sa.Column("release", Text(), nullable=False),
        sa.Column("category", Text(), nullable=False),
        sa.Column("groups", GROUPS),
        sa.Column("collections", JSON_VALUE),
        sa.Column("question", Text(), nullable=False),
        sa.Column("terms", JSON_VALUE, nullable=False),
        sa.Column("vectors", Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("searched", sa.LargeBinary(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("dense", sa.Float(), nullable=False),
        sa.Column("trace_id", Text(), nullable=False),
        sa.Column("model", Text(), nullable=False),
        sa.Column("corpus_version", sa.Integer(), nullable=False),
        sa.Column("valid_from", Text()),
        sa.Column("valid_before", Text()),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("flagged", sa.Boolean(), nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    for column in ("trace_id", "expires_at", "used_at"):
        op.create_index(f"ix_cached_answers_{column}", "cached_answers", [column])
    op.create_table(
        "cached_documents",
        sa.Column("answer", sa.Integer(), sa.ForeignKey("cached_answers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("document_id", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("groups", GROUPS, nullable=False),
        sa.Column("superseded_by", Text()),
        sa.Column("cited", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("answer", "document_id"),
    )
    op.create_index("ix_cached_documents_document_id", "cached_documents", ["document_id"])
    op.create_table(
        "cached_texts",
        sa.Column("answer", sa.Integer(), sa.ForeignKey("cached_answers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("text", Text(), nullable=False),
    )
    op.create_table("cache_removals", sa.Column("answer", sa.Integer(), primary_key=True, autoincrement=False))
    op.create_table(
        "cache_figures",
        sa.Column("day", Text(), nullable=False),
        sa.Column("category", Text(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "category", "name"),
    )


def downgrade() -> None:
    """Remove the tables, with what they hold."""
    for table in (
        "cache_figures",
        "cache_removals",
        "cached_texts",
        "cached_documents",
        "cached_answers",
        "instances",
        "spending",
        "calls",
    ):
        op.drop_table(table)
    op.create_table(
        "cached_answers",
        sa.Column("key", Text(), primary_key=True),
        sa.Column("corpus_version", sa.Integer(), nullable=False),
        sa.Column("answer", Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )
    op.create_index("ix_cached_answers_corpus_version", "cached_answers", ["corpus_version"])


def lost(connection: sa.Connection) -> dict[str, int]:
    """What goes with them, counted."""
    tables = {
        "calls of the ledger": "calls",
        "days of spending": "spending",
        "cached answers": "cached_answers",
        "days of the cache's figures": "cache_figures",
    }
    return {words: connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0 for words, table in tables.items()}  # noqa: S608 # constants
