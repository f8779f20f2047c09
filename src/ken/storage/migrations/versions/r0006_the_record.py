"""The record: a trace's figures in one narrow row, its texts and spans beside it; rollups, heuristics, alerts.

What was kept before is read again: spans are packed, figures are read off them and off the passages, and what answers name is listed.
A few hundred traces at a time are in memory.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from ken.domain.trace import Span
from ken.storage.column_types import JSON_VALUE, Text
from ken.storage.span_codec import packed, unpacked

revision = "0006"
down_revision = "0005"

_AT_ONCE = 200
_KEPT_S = 90 * 86_400.0
_STAGES = ("intake", "screen", "classify", "recall", "retrieve", "assemble", "route", "generate", "verify", "settle")
_TIMES = (*_STAGES[:5], "embed", *_STAGES[5:])
_COUNTS = ("failed", "context_tokens", "attempts", "retries", "fallbacks", "timeouts", "hedges", "passages")
_WORDS = ("reasons", "category", "tier", "cache", "failed_checks")
_FLAGS = ("escalated", "degraded")
_FIGURES = ("relevance", "mean_relevance", "least_relevance", "utilisation", "quality", "groundedness")
_QUOTED = re.compile("“([^“]*)”")
_BY_TIME = ("kind", "outcome", "task_type", "category", "tier", "model", "release")
_BY_VALUE = ("ms", "ttft_ms", "retrieve_ms", "generate_ms", "cost_micros", "relevance", "kept_until", "conversation_id")
_GATES = (
    ("quality", "quality", "quality IS NOT NULL"),
    ("groundedness", "groundedness", "groundedness IS NOT NULL"),
    ("helpful", "helpful", "helpful IS NOT NULL"),
    ("error", "started_at", "error <> ''"),
    ("failed", "failed", "failed > 0"),
    ("retries", "retries", "retries > 0"),
    ("fallbacks", "fallbacks", "fallbacks > 0"),
    ("timeouts", "timeouts", "timeouts > 0"),
    ("queue_ms", "queue_ms", "queue_ms > 0"),
    ("escalated", "escalated", "escalated"),
    ("degraded", "degraded", "degraded"),
)
_NEW_TABLES = (
    "trace_details",
    "span_batches",
    "named_documents",
    "named_titles",
    "rollups",
    "rollup_deltas",
    "heuristics",
    "alerts",
    "alert_changes",
    "alert_happenings",
    "alert_notices",
    "alert_rules",
    "silences",
    "checks_run",
)

_traces = sa.table(
    "traces",
    *(
        sa.column(name)
        for name in ("id", "question", "answer", "citations", "outcome", "task_type", "model", "kept_until")
    ),
    sa.column("cached", sa.Boolean),
    *(
        sa.column(name)
        for name in (*(f"{name}_ms" for name in _TIMES), *_COUNTS, *_WORDS, *_FIGURES, "queue_ms", "success")
    ),
    *(sa.column(name, sa.Boolean) for name in (*_FLAGS, "helpful")),
)
_spans = sa.table(
    "spans",
    *(
        sa.column(name)
        for name in ("trace_id", "id", "parent_id", "position", "name", "started_at", "ended_at", "status")
    ),
    sa.column("attributes", JSON_VALUE),
)
_seen = sa.table(
    "traced_passages",
    *(sa.column(name) for name in ("trace_id", "document_id", "relevance")),
    sa.column("cited", sa.Boolean),
)
_feedback = sa.table("feedback", sa.column("trace_id"), sa.column("helpful", sa.Boolean))
_details = sa.table(
    "trace_details", *(sa.column(name) for name in ("trace_id", "question", "answer", "citations", "checked"))
)
_batches = sa.table(
    "span_batches",
    *(sa.column(name) for name in ("trace_id", "number", "service", "count")),
    sa.column("data", sa.LargeBinary),
)
_documents = sa.table("named_documents", sa.column("trace_id"), sa.column("document_id"))
_titles = sa.table("named_titles", sa.column("trace_id"), sa.column("title"))


def upgrade() -> None:
    """Add tables and columns, and put what is kept in their places."""
    _widen()
    _beside_traces()
    _counts_and_alerts()
    connection = op.get_bind()
    for ids in _all_ids(connection):
        _carry_over(connection, ids)
    op.drop_table("spans")
    # What an upgrade finds is kept for as long as what comes after it.
    connection.execute(sa.update(_traces).values(kept_until=time.time() + _KEPT_S))
    for name in ("question", "answer", "citations"):
        op.drop_column("traces", name)
    op.drop_index("ix_traces_started_at", "traces")
    op.create_index("traces_by_time", "traces", ["started_at", "id"])
    for name in _BY_TIME:
        op.create_index(f"traces_by_{name}", "traces", [name, "started_at"])
    for name in _BY_VALUE:
        op.create_index(f"traces_by_{name}", "traces", [name])
    for name, column, condition in _GATES:
        where = sa.text(condition)
        op.create_index(f"traces_by_{name}", "traces", [column], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_turns_trace_id", "turns", ["trace_id"])


def downgrade() -> None:
    """Put texts and spans back; of traces whose texts had gone, and of rollups and alerts, nothing is left."""
    connection = op.get_bind()
    op.drop_index("ix_turns_trace_id", "turns")
    names = ("time", *_BY_TIME, *_BY_VALUE, *(name for name, _, _ in _GATES))
    for name in names:
        op.drop_index(f"traces_by_{name}", "traces")
    for name, otherwise in (("question", ""), ("answer", ""), ("citations", "[]")):
        op.add_column("traces", sa.Column(name, Text(), nullable=False, server_default=otherwise))
    _spans_of_old()
    for ids in _all_ids(connection):
        _carry_back(connection, ids)
    for name in reversed(_NEW_TABLES):
        op.drop_table(name)
    for name in _added():
        op.drop_column("traces", name.name)
    op.create_index("ix_traces_started_at", "traces", ["started_at"])


def lost(connection: sa.Connection) -> dict[str, int]:
    """What going back gives up, counted."""
    tables = {
        "rows of figures": "rollups",
        "counts of checks": "heuristics",
        "alerts": "alerts",
        "rules of alerts": "alert_rules",
        "silences": "silences",
        "runs of checks": "checks_run",
    }
    rows = {words: connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0 for words, table in tables.items()}  # noqa: S608 # constants
    foreign = connection.scalar(sa.text("SELECT count(*) FROM span_batches WHERE number > 0")) or 0
    prompts = connection.scalar(sa.text("SELECT count(*) FROM trace_details WHERE prompt IS NOT NULL")) or 0
    return rows | {"marks of the services that sent spans": foreign, "prompts of traces": prompts}


def _added() -> Iterator[sa.Column[Any]]:
    """The columns that a trace's row has got."""
    yield sa.Column("kind", Text(), nullable=False, server_default="question")
    yield sa.Column("capture", Text(), nullable=False, server_default="full")
    yield sa.Column("kept_until", sa.Float(), nullable=False, server_default="0")
    for name in ("parent_span_id", "claimed_id"):
        yield sa.Column(name, Text())
    for name in _WORDS:
        yield sa.Column(name, Text(), nullable=False, server_default="")
    for name in _FLAGS:
        yield sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
    for name in (*(f"{name}_ms" for name in _TIMES), *_FIGURES):
        yield sa.Column(name, sa.Float())
    yield sa.Column("queue_ms", sa.Float(), nullable=False, server_default="0")
    for name in _COUNTS:
        yield sa.Column(name, sa.Integer(), nullable=False, server_default="0")
    yield sa.Column("helpful", sa.Boolean())
    yield sa.Column("success", Text(), nullable=False, server_default="unknown")


def _widen() -> None:
    for column in _added():
        op.add_column("traces", column)


def _of_trace() -> sa.Column[str]:
    return sa.Column("trace_id", Text(), sa.ForeignKey("traces.id", ondelete="CASCADE"), nullable=False)


def _beside_traces() -> None:
    op.create_table(
        "trace_details",
        sa.Column("trace_id", Text(), sa.ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("question", Text(), nullable=False),
        sa.Column("answer", Text(), nullable=False),
        sa.Column("citations", Text(), nullable=False),
        sa.Column("prompt", sa.LargeBinary()),
        sa.Column("checked", Text(), nullable=False, server_default=""),
    )
    op.create_table(
        "span_batches",
        _of_trace(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("service", Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("trace_id", "number"),
    )
    for table, column in (("named_documents", "document_id"), ("named_titles", "title")):
        op.create_table(
            table,
            _of_trace(),
            sa.Column(column, Text(), nullable=False),
            sa.PrimaryKeyConstraint("trace_id", column),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_{table}_{column}", table, [column])


def _counts_and_alerts() -> None:
    dimensions = ("kind", "task_type", "category", "tier", "model", "release", "outcome")
    op.create_table(
        "rollups",
        sa.Column("resolution_s", sa.Integer(), nullable=False),
        sa.Column("facet", Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        *(sa.Column(name, Text(), nullable=False) for name in dimensions),
        sa.Column("figures", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("resolution_s", "facet", "start", *dimensions),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_deltas",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("cells", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "heuristics",
        sa.Column("name", Text(), primary_key=True),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("looked", sa.BigInteger(), nullable=False),
        sa.Column("fired", sa.BigInteger(), nullable=False),
        sa.Column("last_looked_at", sa.Float()),
        sa.Column("last_fired_at", sa.Float()),
    )
    op.create_table(
        "alerts",
        sa.Column("fingerprint", Text(), primary_key=True),
        sa.Column("rule", Text(), nullable=False),
        sa.Column("state", Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("alert", JSON_VALUE, nullable=False),
    )
    op.create_table(
        "alert_changes",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("rule", Text(), nullable=False),
        sa.Column("severity", Text(), nullable=False),
        sa.Column("old", Text()),
        sa.Column("new", Text(), nullable=False),
        sa.Column("alert", JSON_VALUE, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_changes_at", "alert_changes", ["at"])
    op.create_table(
        "alert_happenings",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("of", Text(), nullable=False),
        sa.Column("begins", sa.Boolean(), nullable=False),
        sa.Column("until", sa.Float()),
        sa.Column("value", sa.Float()),
        sa.Column("told", Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_happenings_at", "alert_happenings", ["at"])
    op.create_table(
        "alert_notices",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("destination", Text(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", Text(), nullable=False),
        sa.Column("notice", JSON_VALUE, nullable=False),
    )
    op.create_index("ix_alert_notices_made_at", "alert_notices", ["made_at"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index("alert_notices_due", "alert_notices", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "alert_rules",
        sa.Column("name", Text(), primary_key=True),
        sa.Column("definition", JSON_VALUE, nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "silences",
        sa.Column("id", Text(), primary_key=True),
        sa.Column("matches", JSON_VALUE, nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("principal", Text(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
    )
    op.create_table(
        "checks_run",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("release", Text(), nullable=False),
        sa.Column("passed", sa.Boolean()),
        sa.Column("report", JSON_VALUE, nullable=False),
    )
    op.create_index("checks_run_by_kind", "checks_run", ["kind", "at"])


def _spans_of_old() -> None:
    op.create_table(
        "spans",
        _of_trace(),
        sa.Column("id", Text(), nullable=False),
        sa.Column("parent_id", Text()),
        sa.Column("name", Text(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=False),
        sa.Column("status", Text(), nullable=False),
        sa.Column("attributes", JSON_VALUE, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("trace_id", "id"),
    )


def _all_ids(connection: sa.Connection) -> Iterator[Sequence[str]]:
    after = ""
    while True:
        query = sa.select(_traces.c.id).where(_traces.c.id > after).order_by(_traces.c.id).limit(_AT_ONCE)
        ids = connection.scalars(query).all()
        if ids:
            yield ids
        if len(ids) < _AT_ONCE:
            return
        after = ids[-1]


def _grouped(connection: sa.Connection, table: sa.TableClause, ids: Sequence[str], *order: str) -> dict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    query = sa.select(table).where(table.c.trace_id.in_(ids)).order_by(*(table.c[name] for name in order))
    for row in connection.execute(query):
        found[row.trace_id].append(row)
    return found


def _carry_over(connection: sa.Connection, ids: Sequence[str]) -> None:
    spans = _grouped(connection, _spans, ids, "started_at", "position")
    seen = _grouped(connection, _seen, ids)
    said = _grouped(connection, _feedback, ids)
    old = (
        sa.column(name) for name in ("id", "question", "answer", "citations", "outcome", "task_type", "cached", "model")
    )
    query = sa.select(*old).select_from(_traces).where(_traces.c.id.in_(ids))
    details: list[dict[str, object]] = []
    batches: list[dict[str, object]] = []
    named: list[dict[str, object]] = []
    titles: list[dict[str, object]] = []
    figures: list[dict[str, object]] = []
    for row in connection.execute(query).all():
        steps = tuple(_span(each) for each in spans.get(row.id, ()))
        passages, votes = seen.get(row.id, []), [one.helpful for one in said.get(row.id, ())]
        details.append(
            {
                "trace_id": row.id,
                "question": row.question,
                "answer": row.answer,
                "citations": row.citations,
                "checked": "",
            }
        )
        if steps:
            batches.append({"trace_id": row.id, "number": 0, "service": "", "count": len(steps), "data": packed(steps)})
        named.extend({"trace_id": row.id, "document_id": each} for each in sorted(_named(row, passages)))
        if row.cached and row.outcome == "abstained":
            titles.extend({"trace_id": row.id, "title": each} for each in sorted(set(_QUOTED.findall(row.answer))))
        figures.append(_figures(row, steps, passages, votes))
    for table, rows in ((_details, details), (_batches, batches), (_documents, named), (_titles, titles)):
        if rows:
            connection.execute(sa.insert(table), rows)
    changed = {name: sa.bindparam(name, type_=_traces.c[name].type) for name in figures[0] if name != "key"}
    connection.execute(sa.update(_traces).where(_traces.c.id == sa.bindparam("key")).values(changed), figures)


def _carry_back(connection: sa.Connection, ids: Sequence[str]) -> None:
    texts = connection.execute(sa.select(_details).where(_details.c.trace_id.in_(ids))).all()
    if texts:
        values = {name: sa.bindparam(f"old_{name}") for name in ("question", "answer", "citations")}
        connection.execute(
            sa.update(_traces).where(_traces.c.id == sa.bindparam("key")).values(values),
            [
                {
                    "key": row.trace_id,
                    "old_question": row.question,
                    "old_answer": row.answer,
                    "old_citations": row.citations,
                }
                for row in texts
            ],
        )
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for trace_id, batches in _grouped(connection, _batches, ids, "number").items():
        for position, span in enumerate(span for batch in batches for span in unpacked(batch.data)):
            rows.setdefault((trace_id, span.id), _old_row(trace_id, span, position))
    if rows:
        connection.execute(sa.insert(_spans), [*rows.values()])


def _old_row(trace_id: str, span: Span, position: int) -> dict[str, object]:
    return {
        "trace_id": trace_id,
        "id": span.id,
        "parent_id": span.parent_id,
        "position": position,
        "name": span.name,
        "started_at": span.started_at,
        "ended_at": span.ended_at,
        "status": span.status,
        "attributes": dict(span.attributes),
    }


def _span(row: Any) -> Span:  # noqa: ANN401 # a row
    return Span(
        id=row.id,
        parent_id=row.parent_id,
        name=row.name,
        started_at=row.started_at,
        ended_at=row.ended_at,
        status=row.status,
        attributes=tuple(row.attributes.items()),
    )


def _named(row: Any, passages: Sequence[Any]) -> set[str]:  # noqa: ANN401 # rows
    """The documents that an answer names: by its passages, and by its citations."""
    found = {one.document_id for one in passages if one.cited or row.outcome != "answered"}
    try:
        cited = json.loads(row.citations)
    except ValueError:
        return found
    looked_at = [cited]
    while looked_at:
        each = looked_at.pop()
        if isinstance(each, dict):
            if isinstance(each.get("document_id"), str):
                found.add(each["document_id"])
            looked_at += each.values()
        elif isinstance(each, list):
            looked_at += each
    return found


def _figures(row: Any, spans: Sequence[Span], passages: Sequence[Any], votes: Sequence[bool]) -> dict[str, object]:  # noqa: ANN401 # rows
    """What a trace's row says, read off its spans as they were written so far."""
    facts: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for span in spans:
        facts[span.name].append(dict(span.attributes))
    took: dict[str, float | None] = {f"{name}_ms": None for name in _TIMES}
    for span in spans:
        if span.name in _STAGES:
            told = dict(span.attributes)
            own = told.get("checking_ms", span.ms)
            took[f"{span.name}_ms"] = (took[f"{span.name}_ms"] or 0.0) + float(own or 0.0)
            if "embed_ms" in told:
                took["embed_ms"] = (took["embed_ms"] or 0.0) + float(told["embed_ms"] or 0.0)
    routes, attempts, relevance = facts["route"], facts["attempt"], [one.relevance for one in passages]
    answered = row.outcome == "answered"
    helpful = None if not votes else all(votes)
    return {
        "key": row.id,
        **took,
        "category": next((str(told["category"]) for told in facts["classify"] if told.get("category")), ""),
        "tier": next((str(told["tier"]) for told in reversed(routes) if told.get("tier")), ""),
        "cache": next((str(told.get("decision") or "") for told in facts["recall"]), ""),
        "escalated": any(told.get("escalated") for told in routes),
        "queue_ms": sum(float(told.get("queue_ms") or 0.0) for told in facts["queue"]),
        "context_tokens": next((int(told.get("prompt_tokens") or 0) for told in reversed(facts["assemble"])), 0),
        "attempts": len(attempts),
        "retries": sum((told.get("number") or 0) > 1 for told in attempts),
        "fallbacks": len(facts["fallback"]),
        "timeouts": sum(told.get("failure") in {"timeout", "deadline"} for told in attempts),
        "hedges": len(facts["hedge"]),
        "passages": len(passages),
        "relevance": max(relevance, default=None),
        "mean_relevance": sum(relevance) / len(relevance) if relevance else None,
        "least_relevance": min(relevance, default=None),
        "utilisation": sum(one.cited for one in passages) / len(passages) if passages and answered else None,
        "helpful": helpful,
        "success": _success(row, helpful=helpful),
    }


def _success(row: Any, *, helpful: bool | None) -> str:  # noqa: ANN401 # a row
    if helpful is False or row.outcome == "failed":
        return "no"
    if row.task_type == "smalltalk" or row.outcome in {"asked_back", "refused"}:
        return "unknown"
    return "yes" if row.outcome == "answered" and row.citations != "[]" else "no"
