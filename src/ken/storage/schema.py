"""The tables. Times are seconds since the epoch; JSON columns hold arrays or flat objects."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

home = sa.Table(
    "home",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    comment="single facts: corpus_version, index_generation, index_configuration",
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("default_groups", sa.JSON, nullable=False),
    sa.Column("synced_at", sa.Float),
    comment="where documents come from: one row a folder, and one for uploads of a collection",
)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("markup", sa.Text, nullable=False),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("effective", sa.Text),
    sa.Column("review_by", sa.Text),
    sa.Column("supersedes", sa.Text),
    sa.Column("superseded_by", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("synced_at", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("id", "version"),
    comment="parsed documents; a version that is not current is staged by a sync that has not committed yet",
)
sa.Index("documents_by_source", documents.c.source, documents.c.current)

passages = sa.Table(
    "passages",
    metadata,
    sa.Column("document_id", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("heading_path", sa.JSON, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("document_id", "version", "ordinal"),
)

features = sa.Table(
    "features",
    metadata,
    sa.Column("document_id", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("spans", sa.LargeBinary, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("document_id", "version", "kind"),
    comment="what an index is built from, computed once a version: kind 'windows', 'sentences' or 'terms'",
)

failures = sa.Table(
    "failures",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("source", "path"),
    comment="files that the last sync of a source could not take, and why",
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)
sa.Index("conversations_by_principal", conversations.c.principal, conversations.c.updated_at)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "conversation_id", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("trace_id", sa.Text),
    sa.Column("at", sa.Float, nullable=False),
)

traces = sa.Table(
    "traces",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("conversation_id", sa.Text),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("task_type", sa.Text, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("corpus_version", sa.Integer, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cost_micros", sa.BigInteger),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("cached", sa.Boolean, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("citations", sa.Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False, index=True),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("ttft_ms", sa.Float),
)
sa.Index("traces_by_principal", traces.c.principal, traces.c.started_at)

spans = sa.Table(
    "spans",
    metadata,
    sa.Column("trace_id", sa.Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attributes", sa.JSON, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "id"),
)

traced_passages = sa.Table(
    "traced_passages",
    metadata,
    sa.Column("trace_id", sa.Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("passage_id", sa.Text, nullable=False),
    sa.Column("document_id", sa.Text, nullable=False, index=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("relevance", sa.Float, nullable=False),
    sa.Column("lexical", sa.Float, nullable=False),
    sa.Column("dense", sa.Float, nullable=False),
    sa.Column("cited", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "rank"),
)

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("trace_id", sa.Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("helpful", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "principal"),
)

cached_answers = sa.Table(
    "cached_answers",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("corpus_version", sa.Integer, nullable=False, index=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    comment="the exact-match cache; key = SHA-256 of scope, release and normalised question; answer is JSON",
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("revoked_at", sa.Float),
    comment="API keys; digest = SHA-256 of the key, which is shown once and never kept",
)
