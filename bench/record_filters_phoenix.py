"""The same question of arize-phoenix: a page of 50 spans that a filter means, out of a million spans in its SQLite.

    PHOENIX_WORKING_DIR=DIR PHOENIX_PORT=16066 phoenix serve          # once, so that DIR/phoenix.db has its tables; then stop it
    python bench/record_filters_phoenix.py --database DIR/phoenix.db  # fills it: 100,000 traces of ten spans
    PHOENIX_WORKING_DIR=DIR PHOENIX_PORT=16066 phoenix serve &
    python bench/record_filters_phoenix.py --url http://127.0.0.1:16066

The rows go into its tables directly: over OTLP, at 125 durable spans a second, they would take more than two hours. Stage times have the
same spread as in rig/million.py, and 3 % of the questions and of the retrievals are judged. The filters are asked over GraphQL, as its
console does.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np

TRACES = 100_000
ROUNDS = 10
JUDGED = 0.03
STAGES = {
    "intake": 0.2,
    "screen": 0.4,
    "classify": 0.6,
    "recall": 3.0,
    "retrieve": 45.0,
    "assemble": 2.0,
    "route": 0.4,
    "generate": 900.0,
    "verify": 25.0,
}
KINDS = {"generate": "LLM", "retrieve": "RETRIEVER"}
FILTERS = (
    "latency_ms > 500 and span_kind == 'RETRIEVER' and annotations['quality'].score < 3",
    "name == 'retrieve' and latency_ms > 20",
    "name == 'question' and latency_ms > 20000",
    "annotations['quality'].score < 2",
    "status_code == 'ERROR'",
    "attributes['ken']['task_type'] == 'rare'",
)
QUERY = """query($id: ID!, $filter: String) { node(id: $id) { ... on Project {
    spans(first: 50, filterCondition: $filter, sort: {col: startTime, dir: desc}) { edges { node { spanId } } } } } }"""
_AT_ONCE = 2_000
_DAYS_S = 90 * 86_400

Row = tuple[object, ...]


def main() -> None:
    """Fill, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", type=Path)
    parser.add_argument("--url")
    options = parser.parse_args()
    if options.database:
        fill(options.database)
    if options.url:
        measure(options.url)


def fill(database: Path) -> None:
    """Put traces into the default project."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA synchronous = OFF")
    began, draw = time.monotonic(), random.Random(7)
    for start in range(0, TRACES, _AT_ONCE):
        with connection:
            for number in range(start, start + _AT_ONCE):
                spans = list(_spans(draw, number))
                trace = (number + 1, 1, f"{draw.getrandbits(128):032x}", spans[0][6], spans[0][7])
                connection.execute(
                    "INSERT INTO traces (id, project_rowid, trace_id, start_time, end_time) VALUES (?, ?, ?, ?, ?)",
                    trace,
                )
                connection.executemany(
                    "INSERT INTO spans (id, trace_rowid, span_id, parent_id, name, span_kind, start_time, end_time, attributes, events, "
                    "status_code, status_message, cumulative_error_count, cumulative_llm_token_count_prompt, "
                    "cumulative_llm_token_count_completion) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', 'OK', '', 0, 0, 0)",
                    spans,
                )
                judged = [
                    (span[0], round(1 + 4 * draw.betavariate(5, 1.5), 1))
                    for span in spans
                    if span[4] in {"question", "retrieve"} and draw.random() < JUDGED
                ]
                connection.executemany(
                    "INSERT INTO span_annotations (span_rowid, name, score, metadata, annotator_kind, identifier, source) "
                    "VALUES (?, 'quality', ?, '{}', 'CODE', '', 'API')",
                    judged,
                )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(f"{TRACES:,} traces in {time.monotonic() - began:,.0f} s, {database.stat().st_size / TRACES:,.0f} bytes each")


def _spans(draw: random.Random, number: int) -> Iterator[Row]:
    at = time.time() - (1 - number / TRACES) * _DAYS_S
    took = {stage: median * draw.lognormvariate(0, 0.9) / 1000 for stage, median in STAGES.items()}
    first, root = number * (len(STAGES) + 1) + 1, f"{draw.getrandbits(64):016x}"
    words = " ".join(f"word{draw.randrange(3_000)}" for _ in range(70))
    told = json.dumps({"input": {"value": words}, "llm": {"model_name": "small-chat"}, "ken": {"task_type": "lookup"}})
    yield first, number + 1, root, None, "question", "CHAIN", _stamp(at), _stamp(at + sum(took.values())), told
    for offset, (stage, seconds) in enumerate(took.items(), 1):
        attributes = told if stage == "generate" else json.dumps({"ken": {"number": offset}})
        kind = KINDS.get(stage, "CHAIN")
        yield (
            first + offset,
            number + 1,
            f"{draw.getrandbits(64):016x}",
            root,
            stage,
            kind,
            _stamp(at),
            _stamp(at + seconds),
            attributes,
        )
        at += seconds


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def measure(url: str) -> None:
    """Ask each filter for its first page."""
    project = base64.b64encode(b"Project:1").decode()
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        for condition in FILTERS:
            took: list[float] = []
            found = 0
            for _ in range(ROUNDS):
                began = time.perf_counter()
                answer = client.post(
                    "/graphql", json={"query": QUERY, "variables": {"id": project, "filter": condition}}
                )
                took.append((time.perf_counter() - began) * 1000)
                found = len(answer.json()["data"]["node"]["spans"]["edges"])
            print(
                f"{condition:85} {found:3} p50 {np.percentile(took, 50):8.1f} ms, p95 {np.percentile(took, 95):8.1f} ms"
            )


if __name__ == "__main__":
    main()
