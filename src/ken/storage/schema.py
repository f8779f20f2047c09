"""The tables. Times are seconds since the epoch; JSON columns hold arrays or flat objects."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

home = sa.Table(
    "home",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    comment="single facts: corpus_version, content and index_generation in use; last_version: the newest number given; "
    "head: the content that syncs build on; held: a content that was chosen, which syncs don't replace",
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("default_groups", sa.JSON, nullable=False),
    sa.Column("policy", sa.Text, nullable=False, server_default=""),
    sa.Column("synced_at", sa.Float),
    sa.Column("cursor", sa.Text),
    sa.Column("listed_at", sa.Float),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("problem_since", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_try", sa.Float),
    comment="where documents come from; listed_at: the last whole listing; problem: why the last sync could not end well",
)

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Float),
    sa.Column("stamp", sa.Text),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("groups", sa.JSON),
    sa.Column("about", sa.JSON),
    sa.Column("fetched_at", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("source", "path"),
    comment="each document of a source: its state, since when, why, and what it was known by when it was last read",
)

syncs = sa.Table(
    "syncs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("skipped", sa.Integer, nullable=False),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("corpus_version", sa.Integer),
    comment="every sync; seen_at: its last sign of life; total is NULL while the source is still listing",
)
sa.Index("syncs_by_source", syncs.c.source, syncs.c.id)

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("staged", sa.Boolean, nullable=False, server_default=sa.false()),
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
    sa.Column("modified", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("lineage", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("warnings", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("synced_at", sa.Float, nullable=False),
    sa.Column("own_groups", sa.JSON),
    sa.PrimaryKeyConstraint("id", "version"),
    comment="parsed documents: current (of the newest corpus), staged by a sync that has not committed yet, or kept for a snapshot; "
    "groups: who may read it today; own_groups: who may when this version is the current one",
)
sa.Index("documents_by_source", documents.c.source, documents.c.current)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("corpus_version", sa.Integer, primary_key=True),
    sa.Column("content", sa.Integer, nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("generation", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("documents", sa.Integer, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("deleted", sa.Integer, nullable=False),
    comment="corpus versions that can be used; content: the version whose memberships it has (another one after a switch back); "
    "generation names the index, or is empty where it has to be built again",
)

memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("document_id", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("first", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer),
    sa.PrimaryKeyConstraint("document_id", "version", "first"),
    comment="document versions of the contents from first to last; last is NULL while it is current",
)

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
    sa.Column("header", sa.Text, nullable=False, server_default=""),
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
    comment="what an index is built from, computed once a version: knowledge/features.py",
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
