"""Fills a database with as many traces as asked for, with the spread of an organisation's questions over ninety days."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from ken.domain.trace import Span
from ken.storage.database import Database
from ken.storage.record_tables import STAGE_COLUMNS
from ken.storage.schema import named_documents, span_batches, trace_details, traced_passages, traces
from ken.storage.span_codec import packed, packed_text

DAYS = 90
FULL = 0.15
_AT_ONCE = 5_000
_POOL = 200
_STAGE_MEDIANS = {
    "intake": 0.2,
    "screen": 0.4,
    "classify": 0.6,
    "recall": 3.0,
    "retrieve": 45.0,
    "embed": 12.0,
    "assemble": 2.0,
    "route": 0.4,
    "generate": 900.0,
    "verify": 25.0,
    "settle": 0.5,
}
_TASKS = (
    "lookup",
    "procedure",
    "summary",
    "comparison",
    "calculation",
    "definition",
    "list",
    "draft",
    "smalltalk",
    "other",
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling took."""

    traces: int
    seconds: float


def fill(database: Database, count: int, *, seed: int = 7, until: float | None = None) -> Filled:
    """Fill the tables of traces, details for 15 % of them; the same rows for the same seed and end."""
    began = time.monotonic()
    now = time.time() if until is None else until
    details = _Details(random.Random(seed))
    for start in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        rows = list(_rows(np.random.default_rng((seed, start)), start, size, count, now))
        with database.write(durable=False) as connection:
            _put(connection, traces, rows)
            whole = [row["id"] for row in rows if row["capture"] == "full"]
            for table, made in details.of(whole):
                _put(connection, table, made)
    return Filled(traces=count, seconds=time.monotonic() - began)


def _rows(draw: np.random.Generator, start: int, size: int, count: int, now: float) -> Iterator[dict[str, Any]]:
    position = (start + np.arange(size) + draw.random(size)) / count
    at = now - (1 - position) * DAYS * 86_400
    ranks = draw.zipf(1.6, size) - 1
    took = {stage: median * draw.lognormal(0, 0.9, size) for stage, median in _STAGE_MEDIANS.items()}
    judged, said = draw.random(size) < 0.03, draw.random(size) < 0.04
    outcomes = draw.choice(
        ["answered", "abstained", "refused", "asked_back", "failed"], size, p=[0.86, 0.09, 0.02, 0.015, 0.015]
    )
    chances = draw.random((size, 9))
    for n in range(size):
        stages = {STAGE_COLUMNS[stage]: round(float(ms[n]), 3) for stage, ms in took.items()}
        relevance = float(draw.beta(6, 2))
        outcome = str(outcomes[n])
        yield {
            "id": draw.bytes(16).hex(),
            "principal": f"key-{int(ranks[n]) % 300:04d}",
            "conversation_id": None,
            "outcome": outcome,
            "task_type": _TASKS[int(ranks[n])] if ranks[n] < len(_TASKS) else f"rare-{int(ranks[n]) % 200}",
            "release": f"{int(position[n] * 24):016x}",
            "corpus_version": int(position[n] * 400),
            "model": ("extractive", "small-chat", "large-chat", "careful-chat")[int(chances[n, 0] * 4)],
            "input_tokens": int(draw.lognormal(7.4, 0.5)),
            "output_tokens": int(draw.lognormal(4.8, 0.7)),
            "cost_micros": None if chances[n, 1] < 0.01 else int(draw.lognormal(6.5, 1.0)),
            "confidence": round(relevance, 4),
            "cached": bool(chances[n, 2] < 0.2),
            "error": "The model is down." if outcome == "failed" else "",
            "started_at": float(at[n]),
            "ms": round(sum(stages.values()), 3),
            "ttft_ms": round(stages["generate_ms"] * 0.3, 3),
            "kind": "question",
            "capture": "full" if chances[n, 3] < FULL else "metrics",
            "kept_until": float(at[n]) + 400 * 86_400,
            "reasons": "",
            "category": f"category-{int(chances[n, 4] * 8)}",
            "tier": ("light", "strong")[int(chances[n, 0] * 2)],
            "cache": "exact" if chances[n, 2] < 0.2 else "miss",
            "parent_span_id": None,
            "claimed_id": None,
            "escalated": bool(chances[n, 5] < 0.03),
            "degraded": bool(chances[n, 5] > 0.99),
            "failed": int(chances[n, 6] < 0.02),
            "failed_checks": " hedging " if chances[n, 6] < 0.02 else "",
            **stages,
            "queue_ms": round(float(draw.exponential(80)), 3) if chances[n, 7] < 0.1 else 0.0,
            "context_tokens": int(draw.lognormal(7.3, 0.5)),
            "attempts": 1 + int(chances[n, 8] < 0.02),
            "retries": int(chances[n, 8] < 0.02),
            "fallbacks": int(chances[n, 8] < 0.005),
            "timeouts": int(chances[n, 8] > 0.996),
            "hedges": 0,
            "passages": 6,
            "relevance": round(relevance, 4),
            "mean_relevance": round(relevance * 0.8, 4),
            "least_relevance": round(relevance * 0.5, 4),
            "utilisation": round(float(draw.beta(2, 3)), 4),
            "quality": round(float(1 + 4 * draw.beta(5, 1.5)), 1) if judged[n] else None,
            "groundedness": round(float(1 + 4 * draw.beta(6, 1.5)), 1) if judged[n] else None,
            "helpful": bool(draw.random() < 0.8) if said[n] else None,
            "success": "yes" if outcome == "answered" else "no",
        }


class _Details:
    """Texts, spans and passages: a few hundred different ones, over and over."""

    def __init__(self, draw: random.Random) -> None:
        words = [f"word{n}" for n in range(3_000)]

        def text(size: int) -> str:
            return " ".join(draw.choices(words, k=size))

        self._pool = [
            (
                text(12),
                text(90),
                packed_text(json.dumps([{"role": "user", "content": text(1_100)}])),
                packed(_spans(draw)),
            )
            for _ in range(_POOL)
        ]
        self._draw = draw

    def of(self, ids: list[str]) -> Iterator[tuple[sa.Table, list[dict[str, Any]]]]:
        """The rows beside these traces, by table."""
        chosen = [(trace_id, self._draw.choice(self._pool)) for trace_id in ids]
        documents = {
            trace_id: [f"handbook/page-{int(2_000 * self._draw.random() ** 2)}.md" for _ in range(6)]
            for trace_id in ids
        }
        yield (
            trace_details,
            [
                {
                    "trace_id": trace_id,
                    "question": question,
                    "answer": answer,
                    "citations": _CITED,
                    "prompt": prompt,
                    "checked": "",
                }
                for trace_id, (question, answer, prompt, _) in chosen
            ],
        )
        yield (
            span_batches,
            [
                {"trace_id": trace_id, "number": 0, "service": "", "count": 25, "data": each[3]}
                for trace_id, each in chosen
            ],
        )
        yield (
            traced_passages,
            [
                {
                    "trace_id": trace_id,
                    "rank": rank,
                    "passage_id": f"{name}#p{rank}",
                    "document_id": name,
                    "version": "0123456789abcdef",
                    "relevance": 0.8,
                    "lexical": 11.5,
                    "dense": 0.7,
                    "cited": rank < 2,
                }
                for trace_id in ids
                for rank, name in enumerate(documents[trace_id])
            ],
        )
        yield (
            named_documents,
            [
                {"trace_id": trace_id, "document_id": name}
                for trace_id in ids
                for name in sorted(set(documents[trace_id][:2]))
            ],
        )


_CITED = json.dumps(
    [{"number": n, "document_id": "handbook/leave.md", "quote": "thirty days of paid leave a year"} for n in range(3)]
)


def _spans(draw: random.Random) -> list[Span]:
    """Twenty-five spans, as a question with one attempt has them."""
    at = 1.79e9 + draw.random() * 1e6
    names = ("question", *STAGE_COLUMNS, "attempt", "queue", "call")
    return [
        Span(
            id=f"{draw.getrandbits(64):016x}",
            parent_id=None if n == 0 else f"{draw.getrandbits(64):016x}",
            name=names[n % len(names)],
            started_at=at + n * 0.01,
            ended_at=at + n * 0.01 + draw.random(),
            attributes=(
                ("model", "small-chat"),
                ("input_tokens", draw.randrange(4_000)),
                ("reason", ""),
                ("number", 1),
            ),
        )
        for n in range(25)
    ]


def _put(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    values = [tuple(row[name] for name in names) for row in rows]
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in names)
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})", values)  # noqa: S608 # our own names
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)
