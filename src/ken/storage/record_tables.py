"""The tables of the record: traces and what hangs from them, rollups, heuristics, alerts. `schema.py` is their door.

A trace is one narrow row of figures, which filters scan and which stays when the texts go; all that is long or told by somebody stands
beside it, and goes with its tier's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from ken.storage.column_types import JSON_VALUE, Text

metadata = sa.MetaData()

STAGE_COLUMNS: Mapping[str, str] = {
    name: f"{name}_ms"
    for name in (
        "intake",
        "screen",
        "classify",
        "recall",
        "retrieve",
        "embed",
        "assemble",
        "route",
        "generate",
        "verify",
        "settle",
    )
}
"""Where the milliseconds of a stage, and of the embedding within it, stand in a trace's row."""


DIMENSIONS = ("kind", "task_type", "category", "tier", "model", "release", "outcome")
"""By which figures are told apart."""


def _number(name: str, kind: type[sa.types.TypeEngine[int]] = sa.Integer) -> sa.Column[int]:
    return sa.Column(name, kind, nullable=False, server_default="0")


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, Text, nullable=False, server_default="")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


traces = sa.Table(
    "traces",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("principal", Text, nullable=False),
    sa.Column("conversation_id", Text),
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
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("ms", sa.Float, nullable=False),
    sa.Column("ttft_ms", sa.Float),
    sa.Column("kind", Text, nullable=False, server_default="question"),
    sa.Column("capture", Text, nullable=False, server_default="full"),
    sa.Column("kept_until", sa.Float, nullable=False, server_default="0"),
    _word("reasons"),
    _word("category"),
    _word("tier"),
    _word("cache"),
    sa.Column("parent_span_id", Text),
    sa.Column("claimed_id", Text),
    sa.Column("rerun_of", Text),
    _flag("escalated"),
    _flag("degraded"),
    _number("failed"),
    _word("failed_checks"),
    *(sa.Column(name, sa.Float) for name in STAGE_COLUMNS.values()),
    sa.Column("queue_ms", sa.Float, nullable=False, server_default="0"),
    _number("context_tokens"),
    _number("attempts"),
    _number("retries"),
    _number("fallbacks"),
    _number("timeouts"),
    _number("hedges"),
    _number("passages"),
    sa.Column("relevance", sa.Float),
    sa.Column("mean_relevance", sa.Float),
    sa.Column("least_relevance", sa.Float),
    sa.Column("utilisation", sa.Float),
    sa.Column("quality", sa.Float),
    sa.Column("groundedness", sa.Float),
    sa.Column("helpful", sa.Boolean),
    sa.Column("success", Text, nullable=False, server_default="unknown"),
    comment="the figures of each question, call and sync; kept_until: when its texts go, and then the row; failed: how "
    "many checks found a fault; failed_checks and reasons: words with a space around each; STAGE_ms is NULL where it didn't run",
)


@dataclass(frozen=True, slots=True)
class Gate:
    """An index over the few traces that differ from the rest: its column, and the condition that its rows meet, as SQL."""

    column: str
    condition: str


BY_TIME = ("principal", "kind", "outcome", "task_type", "category", "tier", "model", "release")
"""Columns with an index of their own in which the traces of a value stand by time."""
BY_VALUE = ("ms", "ttft_ms", "retrieve_ms", "generate_ms", "cost_micros", "relevance", "kept_until", "conversation_id")
"""Columns with an index by their value."""
GATES = (
    Gate("quality", "quality IS NOT NULL"),
    Gate("groundedness", "groundedness IS NOT NULL"),
    Gate("helpful", "helpful IS NOT NULL"),
    Gate("error", "error <> ''"),
    Gate("failed", "failed > 0"),
    Gate("retries", "retries > 0"),
    Gate("fallbacks", "fallbacks > 0"),
    Gate("timeouts", "timeouts > 0"),
    Gate("queue_ms", "queue_ms > 0"),
    Gate("escalated", "escalated"),
    Gate("degraded", "degraded"),
    Gate("rerun_of", "rerun_of IS NOT NULL"),
)

sa.Index("traces_by_time", traces.c.started_at, traces.c.id)
for _name in BY_TIME:
    sa.Index(f"traces_by_{_name}", traces.c[_name], traces.c.started_at)
for _name in BY_VALUE:
    sa.Index(f"traces_by_{_name}", traces.c[_name])
for _gate in GATES:
    sa.Index(
        f"traces_by_{_gate.column}",
        # An error may be longer than an index's entry.
        traces.c.started_at if _gate.column == "error" else traces.c[_gate.column],
        sqlite_where=sa.text(_gate.condition),
        postgresql_where=sa.text(_gate.condition),
    )

trace_details = sa.Table(
    "trace_details",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("question", Text, nullable=False),
    sa.Column("answer", Text, nullable=False),
    sa.Column("citations", Text, nullable=False),
    sa.Column("prompt", sa.LargeBinary),
    _word("checked"),
    comment="what was asked and answered, and what the model was given (JSON, compressed: span_codec.py); as long as the tier says",
)

span_batches = sa.Table(
    "span_batches",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("service", Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("trace_id", "number"),
    comment="the spans of a trace, many in a row (span_codec.py): number 0 is Ken's own, the others came over OTLP from `service`",
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

named_documents = sa.Table(
    "named_documents",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("document_id", Text, nullable=False, index=True),
    sa.PrimaryKeyConstraint("trace_id", "document_id"),
    sqlite_with_rowid=False,
    comment="the documents that an answer names; as long as the answer stands in the trace, or in a conversation",
)

named_titles = sa.Table(
    "named_titles",
    metadata,
    sa.Column("trace_id", Text, sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("title", Text, nullable=False, index=True),
    sa.PrimaryKeyConstraint("trace_id", "title"),
    sqlite_with_rowid=False,
    comment="what stands in quotation marks in an abstention from the cache: titles, where nothing else tells the documents",
)

rollups = sa.Table(
    "rollups",
    metadata,
    sa.Column("resolution_s", sa.Integer, nullable=False),
    sa.Column("facet", Text, nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    *(sa.Column(name, Text, nullable=False) for name in DIMENSIONS),
    sa.Column("figures", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("resolution_s", "facet", "start", *DIMENSIONS),
    sqlite_with_rowid=False,
    comment="figures of all traces that began within a minute, an hour, a day, by the dimensions that a facet tells apart",
)

rollup_deltas = sa.Table(
    "rollup_deltas",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("cells", sa.LargeBinary, nullable=False),
    comment="what was counted and has still to be added to the rollups",
)

heuristics = sa.Table(
    "heuristics",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("looked", sa.BigInteger, nullable=False),
    sa.Column("fired", sa.BigInteger, nullable=False),
    sa.Column("last_looked_at", sa.Float),
    sa.Column("last_fired_at", sa.Float),
    comment="how many answers each check has looked at since it was first used, and how often it found a fault",
)

releases = sa.Table(
    "releases",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("fields", JSON_VALUE, nullable=False),
    sa.Column("settings", JSON_VALUE, nullable=False),
    sa.Column("first_seen", sa.Float, nullable=False),
    sa.Column("last_seen", sa.Float, nullable=False),
    comment="what each release id in `traces` stands for; settings: what answers can be made with it again from",
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("fingerprint", Text, primary_key=True),
    sa.Column("rule", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("alert", JSON_VALUE, nullable=False),
    comment="alerts as they stand: those that wait, that are on, and that were over lately; alert: all that is told of it",
)

alert_changes = sa.Table(
    "alert_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("rule", Text, nullable=False),
    sa.Column("severity", Text, nullable=False),
    sa.Column("old", Text),
    sa.Column("new", Text, nullable=False),
    sa.Column("alert", JSON_VALUE, nullable=False),
    sqlite_autoincrement=True,
    comment="what became of alerts, each time that one began to fire, was silenced or was over",
)

alert_happenings = sa.Table(
    "alert_happenings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("of", Text, nullable=False),
    sa.Column("begins", sa.Boolean, nullable=False),
    sa.Column("until", sa.Float),
    sa.Column("value", sa.Float),
    sa.Column("told", Text, nullable=False),
    sqlite_autoincrement=True,
    comment="what a process saw happen and no figure shows: a breaker that opened, a budget that is used up",
)

alert_notices = sa.Table(
    "alert_notices",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("destination", Text, nullable=False),
    sa.Column("made_at", sa.Float, nullable=False, index=True),
    sa.Column("due_at", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", Text, nullable=False),
    sa.Column("notice", JSON_VALUE, nullable=False),
    comment="messages about alerts, one for each destination; due_at: when one is sent or tried again, NULL once it is sent or given up; "
    "problem: why the last try failed",
)
sa.Index(
    "alert_notices_due",
    alert_notices.c.due_at,
    sqlite_where=alert_notices.c.due_at.is_not(None),
    postgresql_where=alert_notices.c.due_at.is_not(None),
)

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("definition", JSON_VALUE, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    comment="rules that came over the API, beside those that are shipped and those of the file",
)

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("matches", JSON_VALUE, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("principal", Text, nullable=False),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    comment="alerts that nobody is to be told of for a while, by their labels",
)

checks_run = sa.Table(
    "checks_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("release", Text, nullable=False),
    sa.Column("passed", sa.Boolean),
    sa.Column("report", JSON_VALUE, nullable=False),
    comment="what `ken load`, `ken drill` and `ken checklist` found",
)
sa.Index("checks_run_by_kind", checks_run.c.kind, checks_run.c.at)
