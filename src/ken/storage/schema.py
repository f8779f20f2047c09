"""The tables; those of the record are in `record_tables.py`.

Times are seconds since the epoch; JSON columns hold arrays or flat objects.
"""

from __future__ import annotations

import sqlalchemy as sa

from ken.storage.column_types import GROUPS, JSON_VALUE, Text
from ken.storage.record_tables import (
    alert_changes,
    alert_happenings,
    alert_notices,
    alert_rules,
    alerts,
    checks_run,
    heuristics,
    metadata,
    named_documents,
    named_titles,
    rollup_deltas,
    rollups,
    silences,
    span_batches,
    trace_details,
    traced_passages,
    traces,
)

__all__ = (
    "alert_changes",
    "alert_happenings",
    "alert_notices",
    "alert_rules",
    "alerts",
    "checks_run",
    "heuristics",
    "metadata",
    "named_documents",
    "named_titles",
    "rollup_deltas",
    "rollups",
    "silences",
    "span_batches",
    "trace_details",
    "traced_passages",
    "traces",
)
"""The tables of the record, which stand in `record_tables.py`; those below need no listing."""

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
    sa.Column("trace_id", Text, index=True),
    sa.Column("at", sa.Float, nullable=False),
)

turn_answers = sa.Table(
    "turn_answers",
    metadata,
    sa.Column("turn_id", sa.Integer, sa.ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("answer", Text, nullable=False),
    comment="all that was shown with an answer (domain/answer.py), as JSON: its trace may be gone before its conversation",
)

turn_documents = sa.Table(
    "turn_documents",
    metadata,
    sa.Column("turn_id", sa.Integer, sa.ForeignKey("turns.id", ondelete="CASCADE"), nullable=False),
    sa.Column("document_id", Text, nullable=False, index=True),
    sa.PrimaryKeyConstraint("turn_id", "document_id"),
    sqlite_with_rowid=False,
    comment="the documents that an answer in a conversation names, so that it is shown to nobody who may not read them all",
)

shares = sa.Table(
    "shares",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column(
        "conversation_id", Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("groups", GROUPS, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    comment="who besides its owner may read a conversation; until: turns kept later are not shared",
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
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", Text, nullable=False, unique=True),
    sa.Column("space", Text, nullable=False),
    sa.Column("scope", Text, nullable=False),
    sa.Column("release", Text, nullable=False),
    sa.Column("category", Text, nullable=False),
    sa.Column("groups", GROUPS),
    sa.Column("collections", JSON_VALUE),
    sa.Column("question", Text, nullable=False),
    sa.Column("terms", JSON_VALUE, nullable=False),
    sa.Column("vectors", Text, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("words", sa.LargeBinary, nullable=False),
    sa.Column("searched", sa.LargeBinary, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("dense", sa.Float, nullable=False),
    sa.Column("trace_id", Text, nullable=False, index=True),
    sa.Column("model", Text, nullable=False),
    sa.Column("corpus_version", sa.Integer, nullable=False),
    sa.Column("valid_from", Text),
    sa.Column("valid_before", Text),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
    sa.Column("used_at", sa.Float, nullable=False, index=True),
    sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("flagged", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_autoincrement=True,
    comment="questions whose answers may be given again; key = SHA-256 of space and normalised question; vector and words: "
    "what it means, searched: what was looked for, by the embedder whose space `vectors` names; flagged: somebody "
    "found the answer unhelpful, and it is kept no longer",
)

cached_documents = sa.Table(
    "cached_documents",
    metadata,
    sa.Column("answer", sa.Integer, sa.ForeignKey("cached_answers.id", ondelete="CASCADE"), nullable=False),
    sa.Column("document_id", Text, nullable=False, index=True),
    sa.Column("version", Text, nullable=False),
    sa.Column("groups", GROUPS, nullable=False),
    sa.Column("superseded_by", Text),
    sa.Column("cited", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("answer", "document_id"),
    comment="what a cached answer rests on, as it was then: an answer goes with the first of these that is no longer so",
)

cached_texts = sa.Table(
    "cached_texts",
    metadata,
    sa.Column("answer", sa.Integer, sa.ForeignKey("cached_answers.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("text", Text, nullable=False),
    comment="the answers themselves, as JSON; elsewhere where Redis keeps them",
)

cache_removals = sa.Table(
    "cache_removals",
    metadata,
    sa.Column("answer", sa.Integer, primary_key=True, autoincrement=False),
    comment="answers that were dropped here and have still to be deleted from Redis",
)

cache_figures = sa.Table(
    "cache_figures",
    metadata,
    sa.Column("day", Text, nullable=False),
    sa.Column("category", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("day", "category", "name"),
    comment="what the answer cache was asked and did, by UTC day and category",
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

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("instance", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("outcome", Text, nullable=False),
    sa.Column("error", Text, nullable=False),
    sa.Column("trace_id", Text, index=True),
    sa.Column("principal", Text, nullable=False),
    sa.Column("groups", GROUPS, nullable=False),
    sa.Column("stage", Text, nullable=False),
    sa.Column("task_type", Text, nullable=False),
    sa.Column("category", Text, nullable=False),
    sa.Column("tier", Text, nullable=False),
    sa.Column("release", Text, nullable=False),
    sa.Column("model", Text, nullable=False),
    sa.Column("provider", Text, nullable=False),
    sa.Column("response_model", Text, nullable=False),
    sa.Column("reserved_tokens", sa.BigInteger, nullable=False),
    sa.Column("reserved_micros", sa.BigInteger),
    sa.Column("cost_micros", sa.BigInteger),
    sa.Column("currency", Text, nullable=False),
    sa.Column("price_version", Text, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cache_read_tokens", sa.BigInteger, nullable=False),
    sa.Column("cache_write_tokens", sa.BigInteger, nullable=False),
    sa.Column("reasoning_tokens", sa.BigInteger, nullable=False),
    sa.Column("estimated", sa.Boolean, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False, index=True),
    sa.Column("ended_at", sa.Float),
    sa.Column("ttft_ms", sa.Float),
    sqlite_with_rowid=False,
    comment="one row an attempt at a model; state: reserved while it is under way, final, or reconciled: its process died, "
    "and the reserved amount stands for the cost",
)
sa.Index(
    "calls_under_way",
    calls.c.instance,
    sqlite_where=calls.c.state == "reserved",
    postgresql_where=calls.c.state == "reserved",
)

spending = sa.Table(
    "spending",
    metadata,
    sa.Column("scope", Text, nullable=False),
    sa.Column("of", Text, nullable=False),
    sa.Column("day", Text, nullable=False),
    sa.Column("reserved_micros", sa.BigInteger, nullable=False),
    sa.Column("final_micros", sa.BigInteger, nullable=False),
    sa.Column("reserved_tokens", sa.BigInteger, nullable=False),
    sa.Column("final_tokens", sa.BigInteger, nullable=False),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("unknown_calls", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("scope", "of", "day"),
    sqlite_with_rowid=False,
    comment="what budgets count, by UTC day; a month is the sum of its days; unknown_calls: ended ones without a known price",
)

instances = sa.Table(
    "instances",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("machine", Text, nullable=False),
    sa.Column("process", Text, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    comment="processes that have calls under way, as far as they know; process: its id and start, as the machine tells them apart",
)
