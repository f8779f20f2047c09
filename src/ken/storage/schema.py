"""The tables. Times are seconds since the epoch; JSON columns hold arrays or flat objects."""

from __future__ import annotations

import sqlalchemy as sa

from ken.storage.column_types import GROUPS, JSON_VALUE, Text

metadata = sa.MetaData()

home = sa.Table(
    "home",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),
    comment="single facts: corpus_version, content and index_generation in use; last_version: the newest number given; "
    "head: the content that syncs build on; held: a content that was chosen, which syncs don't replace",
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("location", Text, nullable=False),
    sa.Column("collection", Text, nullable=False),
    sa.Column("default_groups", GROUPS, nullable=False),
    sa.Column("policy", Text, nullable=False, server_default=""),
    sa.Column("synced_at", sa.Float),
    sa.Column("cursor", Text),
    sa.Column("listed_at", sa.Float),
    sa.Column("problem", Text, nullable=False, server_default=""),
    sa.Column("problem_since", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_try", sa.Float),
    comment="where documents come from; listed_at: the last whole listing; problem: why the last sync could not end well",
)

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("source", Text, nullable=False),
    sa.Column("path", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Float),
    sa.Column("stamp", Text),
    sa.Column("version", Text, nullable=False),
    sa.Column("groups", GROUPS),
    sa.Column("about", JSON_VALUE),
    sa.Column("fetched_at", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("source", "path"),
    comment="each document of a source: its state, since when, why, and what it was known by when it was last read",
)

syncs = sa.Table(
    "syncs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("source", Text, nullable=False),
    sa.Column("collection", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer),
    sa.Column("path", Text, nullable=False),
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
    sa.Column("id", Text, nullable=False),
    sa.Column("version", Text, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("staged", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("collection", Text, nullable=False),
    sa.Column("path", Text, nullable=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("title", Text, nullable=False),
    sa.Column("media_type", Text, nullable=False),
    sa.Column("markup", Text, nullable=False),
    sa.Column("groups", GROUPS, nullable=False),
    sa.Column("owner", Text),
    sa.Column("effective", Text),
    sa.Column("review_by", Text),
    sa.Column("supersedes", Text),
    sa.Column("superseded_by", Text),
    sa.Column("modified", Text),
    sa.Column("url", Text),
    sa.Column("lineage", JSON_VALUE, nullable=False, server_default="{}"),
    sa.Column("warnings", JSON_VALUE, nullable=False, server_default="[]"),
    sa.Column("text", Text, nullable=False),
    sa.Column("passages", sa.Integer, nullable=False),
    sa.Column("synced_at", sa.Float, nullable=False),
    sa.Column("own_groups", GROUPS),
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
    sa.Column("generation", Text, nullable=False),
    sa.Column("source", Text, nullable=False),
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
    sa.Column("document_id", Text, nullable=False),
    sa.Column("version", Text, nullable=False),
    sa.Column("first", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer),
    sa.PrimaryKeyConstraint("document_id", "version", "first"),
    comment="document versions of the contents from first to last; last is NULL while it is current",
)

passages = sa.Table(
    "passages",
    metadata,
    sa.Column("document_id", Text, nullable=False),
    sa.Column("version", Text, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("heading_path", JSON_VALUE, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("text", Text, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("header", Text, nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("document_id", "version", "ordinal"),
)

features = sa.Table(
    "features",
    metadata,
    sa.Column("document_id", Text, nullable=False),
    sa.Column("version", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("spans", sa.LargeBinary, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("document_id", "version", "kind"),
    comment="what an index is built from, computed once a version: knowledge/features.py",
)

originals = sa.Table(
    "originals",
    metadata,
    sa.Column("document_id", Text, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
    comment="pushed files as they came; on PostgreSQL, where every replica needs them: else they lie in the home",
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("principal", Text, nullable=False),
    sa.Column("title", Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)
sa.Index("conversations_by_principal", conversations.c.principal, conversations.c.updated_at)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "conversation_id", Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("role", Text, nullable=False),
    sa.Column("content", Text, nullable=False),
    sa.Column("trace_id", Text),
    sa.Column("at", sa.Float, nullable=False),
)

traces = sa.Table(
    "traces",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("principal", Text, nullable=False),
    sa.Column("conversation_id", Text),
    sa.Column("question", Text, nullable=False),
    sa.Column("answer", Text, nullable=False),
    sa.Column("outcome", Text, nullable=False),
    sa.Column("task_type", Text, nullable=False),
    sa.Column("release", Text, nullable=False),
    sa.Column("corpus_version", sa.Integer, nullable=False),
    sa.Column("model", Text, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cost_micros", sa.BigInteger),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("cached", sa.Boolean, nullable=False),
    sa.Column("error", Text, nullable=False),
    sa.Column("citations", Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False, index=True),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("ttft_ms", sa.Float),
)
sa.Index("traces_by_principal", traces.c.principal, traces.c.started_at)

spans = sa.Table(
    "spans",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("id", Text, nullable=False),
    sa.Column("parent_id", Text),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    sa.Column("name", Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("attributes", JSON_VALUE, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "id"),
)

traced_passages = sa.Table(
    "traced_passages",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("passage_id", Text, nullable=False),
    sa.Column("document_id", Text, nullable=False, index=True),
    sa.Column("version", Text, nullable=False),
    sa.Column("relevance", sa.Float, nullable=False),
    sa.Column("lexical", sa.Float, nullable=False),
    sa.Column("dense", sa.Float, nullable=False),
    sa.Column("cited", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "rank"),
)

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("principal", Text, nullable=False),
    sa.Column("helpful", sa.Boolean, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "principal"),
)

cached_answers = sa.Table(
    "cached_answers",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("corpus_version", sa.Integer, nullable=False, index=True),
    sa.Column("answer", Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    comment="the exact-match cache; key = SHA-256 of scope, release and normalised question; answer is JSON",
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("digest", Text, nullable=False, unique=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("groups", GROUPS, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("revoked_at", sa.Float),
    comment="API keys; digest = SHA-256 of the key, which is shown once and never kept",
)
