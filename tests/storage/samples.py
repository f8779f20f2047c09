"""Traces, documents and a look at the disk, for the tests of what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from ken.domain.answer import Citation
from ken.domain.measures import Recorded
from ken.domain.principal import Principal
from ken.domain.trace import Span, Trace, TracedPassage
from ken.storage.answer_json import dump_citations
from ken.storage.database import Database
from ken.storage.record import Record
from ken.storage.schema import documents, home, metadata
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.capture import CaptureRules
from ken.telemetry.measures import measure

ADA = Principal("ada", frozenset({"people"}))
BEN = Principal("ben", frozenset({"engineering"}))
OPERATOR = Principal("olga", frozenset({"operators"}))


def a_trace(number: int = 1, **changes: object) -> Trace:
    """A whole trace, asked by Ada; a higher number is a later question."""
    spans = (
        Span(id=f"{1:016x}", parent_id=None, name="question", started_at=1000.0 + number, ended_at=1001.0 + number),
        Span(
            id=f"{2:016x}",
            parent_id=f"{1:016x}",
            name="retrieve",
            started_at=1000.25 + number,
            ended_at=1000.5 + number,
            status="error",
            attributes=(("candidates", 41), ("best", 0.5), ("cached", False), ("model", "minilm"), ("none", None)),
        ),
    )
    trace = Trace(
        id=f"{number:032x}",
        principal="ada",
        conversation_id=None,
        question=f"Question {number}?",
        answer="Thirty days [1].",
        outcome="answered",
        task_type="lookup",
        release="r1",
        corpus_version=1,
        model="extractive",
        input_tokens=12,
        output_tokens=3,
        cost_micros=None,
        confidence=0.75,
        cached=False,
        error="",
        started_at=1000.0 + number,
        ms=1000.0,
        ttft_ms=250.5,
        spans=spans,
        evidence=(a_passage("handbook/leave.md", 0, cited=True), a_passage("handbook/pay.md", 3, cited=False)),
        citations=dump_citations([a_citation("handbook/leave.md")]),
    )
    return replace(trace, **changes)  # type: ignore[arg-type]


def put(database: Database, *traces: Trace) -> int:
    """Put traces on record, each with its own tier; how many were new."""
    return Record(database, CaptureRules()).add([recorded(trace) for trace in traces])


def recorded(trace: Trace, **changes: object) -> Recorded:
    """A trace as it goes on record."""
    return replace(Recorded(trace=trace, measures=measure(trace), capture=trace.capture), **changes)  # type: ignore[arg-type]


def a_passage(document_id: str, ordinal: int, *, cited: bool) -> TracedPassage:
    """A passage as retrieved."""
    return TracedPassage(
        passage_id=f"{document_id}#p{ordinal}",
        document_id=document_id,
        version="v1",
        relevance=0.9,
        lexical=12.5,
        dense=0.7,
        cited=cited,
    )


def a_citation(document_id: str, quote: str = "thirty days") -> Citation:
    """A citation of the first passage of a document."""
    return Citation(
        number=1,
        answer_start=0,
        answer_end=12,
        document_id=document_id,
        document_title="Leave",
        passage_id=f"{document_id}#p0",
        version="v1",
        start=10,
        end=21,
        quote=quote,
        support=1.0,
        heading_path=("Leave", "Notice"),
    )


def set_corpus(database: Database, version: int, *document_ids: str) -> None:
    """Make a corpus of these documents current."""
    with database.write() as connection:
        connection.execute(sa.delete(home).where(home.c.key == "corpus_version"))
        connection.execute(sa.insert(home).values(key="corpus_version", value=str(version)))
        connection.execute(sa.delete(documents))
        for document_id in document_ids:
            connection.execute(
                sa.insert(documents).values(
                    id=document_id,
                    version="v1",
                    current=True,
                    collection="handbook",
                    path=document_id,
                    source="s",
                    title="Leave",
                    media_type="text/markdown",
                    markup="markdown",
                    groups=["everyone"],
                    text="Thirty days.",
                    passages=1,
                    synced_at=1.0,
                )
            )


def rows(connection: sa.Connection, table: str) -> int:
    """How many rows a table has, also one that this Ken doesn't know."""
    return connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0


def count(database: Database, table: str) -> int:
    """How many rows a table of this Ken has."""
    with database.read() as connection:
        return rows(connection, table)


def kept(database: Database, text: str) -> list[str]:
    """Where a text is still found: files of the home, or tables of the server, whose files are its own."""
    if isinstance(database, SqliteDatabase):
        return on_disk(database.home, text)
    with database.read() as connection:
        rows = {name: str(connection.execute(sa.select(table)).all()) for name, table in metadata.tables.items()}
    return sorted(name for name, row in rows.items() if text in row)


def on_disk(home: Path, text: str) -> list[str]:
    """The files of a home that hold a text."""
    return sorted(path.name for path in home.iterdir() if path.is_file() and text.encode() in path.read_bytes())
