"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ken.storage.column_types import GROUPS, JSON_VALUE, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table that `schema.py` describes."""
    op.create_table(
        "home",
        sa.Column("key", Text(), primary_key=True),
        sa.Column("value", Text(), nullable=False),
    )
    op.create_table(
        "sources",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("location", Text(), nullable=False),
        sa.Column("collection", Text(), nullable=False),
        sa.Column("default_groups", GROUPS, nullable=False),
        sa.Column("synced_at", sa.Float()),
    )
    op.create_table(
        "documents",
        sa.Column("id", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("collection", Text(), nullable=False),
        sa.Column("path", Text(), nullable=False),
        sa.Column("source", Text(), nullable=False),
        sa.Column("title", Text(), nullable=False),
        sa.Column("media_type", Text(), nullable=False),
        sa.Column("markup", Text(), nullable=False),
        sa.Column("groups", GROUPS, nullable=False),
        sa.Column("owner", Text()),
        sa.Column("effective", Text()),
        sa.Column("review_by", Text()),
        sa.Column("supersedes", Text()),
        sa.Column("superseded_by", Text()),
        sa.Column("text", Text(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("synced_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version"),
    )
    op.create_index("documents_by_source", "documents", ["source", "current"])
    op.create_table(
        "passages",
        sa.Column("document_id", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("heading_path", JSON_VALUE, nullable=False),
        sa.Column("page", sa.Integer()),
        sa.Column("text", Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "version", "ordinal"),
    )
    op.create_table(
        "features",
        sa.Column("document_id", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("spans", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "version", "kind"),
    )
    op.create_table(
        "failures",
        sa.Column("source", Text(), nullable=False),
        sa.Column("path", Text(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("source", "path"),
    )
    op.create_table(
        "conversations",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("principal", Text(), nullable=False),
        sa.Column("title", Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )
    op.create_index("conversations_by_principal", "conversations", ["principal", "updated_at"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("conversation_id", Text(), sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("role", Text(), nullable=False),
        sa.Column("content", Text(), nullable=False),
        sa.Column("trace_id", Text()),
        sa.Column("at", sa.Float(), nullable=False),
    )
    op.create_index("ix_turns_conversation_id", "turns", ["conversation_id"])
    op.create_table(
        "traces",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("principal", Text(), nullable=False),
        sa.Column("conversation_id", Text()),
        sa.Column("question", Text(), nullable=False),
        sa.Column("answer", Text(), nullable=False),
        sa.Column("outcome", Text(), nullable=False),
        sa.Column("task_type", Text(), nullable=False),
        sa.Column("release", Text(), nullable=False),
        sa.Column("corpus_version", sa.Integer(), nullable=False),
        sa.Column("model", Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger()),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.Column("error", Text(), nullable=False),
        sa.Column("citations", Text(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ms", sa.Float(), nullable=False),
        sa.Column("ttft_ms", sa.Float()),
    )
    op.create_index("ix_traces_started_at", "traces", ["started_at"])
    op.create_index("traces_by_principal", "traces", ["principal", "started_at"])
    op.create_table(
        "spans",
        sa.Column("trace_id", Text(), sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("id", Text(), nullable=False),
        sa.Column("parent_id", Text()),
        sa.Column("name", Text(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=False),
        sa.Column("status", Text(), nullable=False),
        sa.Column("attributes", JSON_VALUE, nullable=False),
        sa.PrimaryKeyConstraint("trace_id", "id"),
    )
    op.create_table(
        "traced_passages",
        sa.Column("trace_id", Text(), sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("passage_id", Text(), nullable=False),
        sa.Column("document_id", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("relevance", sa.Float(), nullable=False),
        sa.Column("lexical", sa.Float(), nullable=False),
        sa.Column("dense", sa.Float(), nullable=False),
        sa.Column("cited", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("trace_id", "rank"),
    )
    op.create_index("ix_traced_passages_document_id", "traced_passages", ["document_id"])
    op.create_table(
        "feedback",
        sa.Column("trace_id", Text(), sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("principal", Text(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("trace_id", "principal"),
    )
    op.create_table(
        "cached_answers",
        sa.Column("key", Text(), primary_key=True),
        sa.Column("corpus_version", sa.Integer(), nullable=False),
        sa.Column("answer", Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
    )
    op.create_index("ix_cached_answers_corpus_version", "cached_answers", ["corpus_version"])
    op.create_table(
        "keys",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("digest", Text(), nullable=False, unique=True),
        sa.Column("name", Text(), nullable=False),
        sa.Column("groups", GROUPS, nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("revoked_at", sa.Float()),
    )
