"""Writes the record: new traces with all that is counted of them, and what becomes known of them later."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ken.domain.measures import Recorded, success_of
from ken.domain.rollup import Cell
from ken.domain.trace import Reaction, Span, Success, Trace
from ken.errors import InvalidInput
from ken.storage.database import Database
from ken.storage.forgetting import WITHDRAWN, withdraw_overtaken
from ken.storage.heuristics import count, tallies
from ken.storage.keeping import Keeping
from ken.storage.naming import note_named
from ken.storage.rollups import merge
from ken.storage.schema import home, span_batches, traces
from ken.storage.trace_rows import (
    NO_LONGER_KEPT,
    OWN_SPANS,
    WITH_TEXTS,
    insert_details,
    row_of,
    span_row,
    trace_of,
    words,
)

MOST_BATCHES = 1_000
"""Batches of other services' spans that one trace takes."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """Spans of one trace that another service sent together."""

    trace_id: str
    service: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Reacted:
    """A trace before and after somebody said something of it, without spans and passages, and whether its task counted as done."""

    before: Trace
    after: Trace
    was: Success
    now: Success


class Record:
    """The one writer of traces. Of two traces with one id the first stays; one that other services began is taken over by Ken's own."""

    def __init__(self, database: Database, keeping: Keeping) -> None:
        self._database = database
        self._keeping = keeping

    def add(self, batch: Sequence[Recorded], cells: Sequence[Cell] = ()) -> int:
        """Keep traces in one transaction, with what is counted of them; how many were new. One whose id is known is left as it was.

        A killed process loses nothing of it, a power cut perhaps the last moments. An answer that was under way while a document it
        quotes got deleted is withdrawn as it comes in. Raises InvalidInput for a trace that can't be stored; then none of them is.
        """
        with self._database.write(durable=False) as connection:
            try:
                new = self._inserted(connection, batch)
            except IntegrityError as error:
                raise InvalidInput(f"A trace can't be stored: {str(error.orig).splitlines()[0]}.") from error
            if new:
                count(connection, tallies(new))
            merge(connection, cells)
        return len(new)

    def append_spans(self, arrived: Sequence[Arrived], *, principal: str, durable: bool = True) -> int:
        """Keep spans that other services sent, in one transaction; how many were kept.

        A trace that is not known yet becomes one of the kind `external`, of `principal`, until Ken's own comes. Where the texts of a
        trace are gone, or it has `MOST_BATCHES` already, its spans are left out.
        """
        arrived = [each for each in arrived if each.spans]
        with self._database.write(durable=durable) as connection:
            ids = sorted({each.trace_id for each in arrived})
            numbers = _next_numbers(connection, ids)
            unknown = [trace_id for trace_id in ids if trace_id not in numbers]
            if unknown:
                self._begin_external(connection, unknown, arrived, principal)
                numbers |= dict.fromkeys(unknown, OWN_SPANS + 1)
            rows: list[dict[str, object]] = []
            kept = 0
            for each in arrived:
                number = numbers[each.trace_id]
                if number is not None and number <= MOST_BATCHES:
                    rows.append(span_row(each.trace_id, each.spans, number=number, service=each.service))
                    numbers[each.trace_id] = number + 1
                    kept += len(each.spans)
            if rows:
                connection.execute(sa.insert(span_batches), rows)
        return kept

    def react(self, trace_id: str, change: Callable[[Reaction], Reaction]) -> Reacted | None:
        """Change what is said of a trace. None where there is no such trace.

        No other writer is between the reading and the change. With the reaction changes whether the task counts as done.
        """
        with self._database.write() as connection:
            row = connection.execute(WITH_TEXTS.where(traces.c.id == trace_id)).one_or_none()
            if row is None:
                return None
            before = trace_of(row)
            after = replace(before, reaction=change(before.reaction))
            said, success = after.reaction, _success(before, after, row.success)
            connection.execute(
                sa.update(traces)
                .where(traces.c.id == trace_id)
                .values(quality=said.quality, groundedness=said.groundedness, helpful=said.helpful, success=success)
            )
        return Reacted(before, after, was=row.success, now=success)

    def promote(self, trace_id: str, reason: str) -> bool:
        """Keep all of a trace for as long as full ones are kept; False where there is none, or its texts are gone already."""
        with self._database.write(durable=False) as connection:
            row = connection.execute(
                sa.select(traces.c.capture, traces.c.reasons, traces.c.started_at).where(traces.c.id == trace_id)
            ).one_or_none()
            if row is None or row.capture == "metrics":
                return False
            reasons = dict.fromkeys((*row.reasons.split(), reason))
            connection.execute(
                sa.update(traces)
                .where(traces.c.id == trace_id)
                .values(
                    capture="full",
                    reasons=words(tuple(reasons)),
                    kept_until=self._keeping.kept_until("full", started_at=row.started_at),
                )
            )
        return True

    def _inserted(self, connection: sa.Connection, batch: Sequence[Recorded]) -> list[Trace]:
        ids = [each.trace.id for each in batch]
        there = connection.execute(sa.select(traces.c.id, traces.c.kind).where(traces.c.id.in_(ids)))
        known = {row.id: row.kind for row in there}
        # Reversed, so that of two with one id the first stays.
        new = {
            each.trace.id: each
            for each in reversed(batch)
            if known.get(each.trace.id, "external") == "external"
            and (each.trace.kind, known.get(each.trace.id)) != ("external",) * 2
        }
        if not new:
            return []
        for each in new.values():
            _check_spans(each.trace)
        rows = [
            row_of(each, kept_until=self._keeping.kept_until(each.capture, started_at=each.trace.started_at))
            for each in new.values()
        ]
        _check_figures(rows)
        if unknown := [row for row in rows if row["id"] not in known]:
            connection.execute(sa.insert(traces), unknown)
        for row in rows:
            if row["id"] in known:
                connection.execute(sa.update(traces).where(traces.c.id == row["id"]).values(row))
        added = [each.trace for each in new.values()]
        kept = [each.trace for each in new.values() if each.capture != "metrics"]
        insert_details(connection, kept)
        naming = [
            each.trace for each in new.values() if each.capture != "metrics" or each.trace.conversation_id is not None
        ]
        note_named(connection, naming)
        version = int(connection.scalar(sa.select(home.c.value).where(home.c.key == "corpus_version")) or 0)
        withdraw_overtaken(connection, [trace.id for trace in added if trace.corpus_version < version])
        return added

    def _begin_external(
        self, connection: sa.Connection, ids: Sequence[str], arrived: Sequence[Arrived], principal: str
    ) -> None:
        spans: dict[str, list[Span]] = {trace_id: [] for trace_id in ids}
        for each in arrived:
            if each.trace_id in spans:
                spans[each.trace_id] += each.spans
        connection.execute(
            sa.insert(traces),
            [
                _external(trace_id, of, principal)
                | {"kept_until": self._keeping.kept_until("grace", started_at=of[0].started_at)}
                for trace_id, of in spans.items()
            ],
        )


def _next_numbers(connection: sa.Connection, ids: Sequence[str]) -> dict[str, int | None]:
    """The number of the next batch, of the traces that are known; None where the texts are gone."""
    found: dict[str, int | None] = {}
    for start in range(0, len(ids), _AT_ONCE):
        newest = (
            sa.select(traces.c.id, traces.c.capture, sa.func.max(span_batches.c.number))
            .join(span_batches, span_batches.c.trace_id == traces.c.id, isouter=True)
            .where(traces.c.id.in_(ids[start : start + _AT_ONCE]))
            .group_by(traces.c.id, traces.c.capture)
        )
        for trace_id, capture, number in connection.execute(newest):
            found[trace_id] = None if capture == "metrics" else (number or OWN_SPANS) + 1
    return found


def _external(trace_id: str, spans: Sequence[Span], principal: str) -> dict[str, object]:
    """The row of a trace of which nothing but others' spans is known."""
    began, ended = min(span.started_at for span in spans), max(span.ended_at for span in spans)
    return {
        "id": trace_id,
        "principal": principal,
        "outcome": "failed" if any(span.status == "error" for span in spans) else "finished",
        "task_type": "",
        "release": "",
        "corpus_version": 0,
        "model": "",
        "input_tokens": 0,
        "output_tokens": 0,
        "confidence": 0.0,
        "cached": False,
        "error": "",
        "started_at": began,
        "ms": max(0.0, ended - began) * 1000,
        "kind": "external",
        "capture": "grace",
    }


def _check_figures(rows: Sequence[Mapping[str, object]]) -> None:
    for row in rows:
        for name, value in row.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidInput(
                    f"The trace {row['id']!r} can't be stored: its {name} is {value}, which is no figure."
                )


def _check_spans(trace: Trace) -> None:
    if len({span.id for span in trace.spans}) < len(trace.spans):
        raise InvalidInput(f"The trace {trace.id!r} can't be stored: its spans' ids are not unique. Give each its own.")


def _success(before: Trace, after: Trace, was: Success) -> Success:
    """Whether a task counts as done, now that something was said of it; what can't be known any more is not guessed."""
    if after.reaction.helpful is False:
        return "no"
    if before.reaction.helpful is not False:
        return was
    return "unknown" if after.answer in {WITHDRAWN, NO_LONGER_KEPT} else success_of(after)
