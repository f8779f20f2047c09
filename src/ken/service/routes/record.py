"""The record itself: how much is kept, what was lost, and deleting from it. Operators only."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ken.service.context import Opened, Operating
from ken.service.shapes import Shape, Text
from ken.telemetry.removal import Chosen

router = APIRouter(tags=["traces"])


class LossShape(Shape):
    """What was not kept, since the home was made."""

    kind: str = Field(description="detail, row, important, unwritable, or the name of a sink that is not the store")
    count: int
    last_at: float | None


class WriterShape(Shape):
    """The writer of this process, since its start."""

    accepted: int
    written: int
    known: int
    thinned: int = Field(description="taken with their figures alone, as too much waited")
    dropped: int
    lost: int
    failures: int
    waiting: int
    waiting_bytes: int
    lag_s: float
    sinks_lost: dict[str, int]


class RecordShape(Shape):
    """Times are seconds since the epoch."""

    traces: dict[str, int] = Field(description="by what is kept of them: full, grace, metrics")
    with_texts: int
    rollups: int
    calls: int
    oldest_at: float | None
    database_bytes: int
    event_bytes: int
    events_lost: int
    last_thinned: float | None
    lost: tuple[LossShape, ...]
    writer: WriterShape


class DeleteBody(BaseModel):
    """One of the first three."""

    model_config = ConfigDict(extra="forbid", strict=True)

    principal: Text | None = None
    document: Text | None = None
    older_than_days: float | None = None
    count_only: bool = Field(default=False, description="delete nothing, and say how much it would be")


class DeletedShape(Shape):
    """What went, or would go."""

    traces: int
    calls: int = 0
    answers: int = 0


@router.get("/api/record", summary="How much is kept, and what was lost")
async def record(ken: Opened, principal: Operating) -> RecordShape:
    """Operators only."""
    _ = principal
    recording = ken.recording
    overview = await anyio.to_thread.run_sync(recording.overview.read)
    lost = await anyio.to_thread.run_sync(recording.state.lost)
    return RecordShape(
        traces={str(tier): count for tier, count in overview.traces.items()},
        with_texts=overview.with_texts,
        rollups=overview.rollups,
        calls=overview.calls,
        oldest_at=overview.oldest_at,
        database_bytes=overview.database_bytes,
        event_bytes=await anyio.to_thread.run_sync(recording.events_bytes),
        events_lost=recording.events.lost,
        last_thinned=await anyio.to_thread.run_sync(recording.state.last_thinned),
        lost=tuple(LossShape.model_validate(each) for each in lost),
        writer=WriterShape.model_validate(recording.recorder.stats()),
    )


@router.post("/api/record/delete", summary="Delete from the record by person, document or age")
async def delete(body: DeleteBody, ken: Opened, principal: Operating) -> DeletedShape:
    """Operators only. It is overwritten in the database at once, and rid of every last copy when documents are next deleted."""
    _ = principal
    chosen = Chosen(principal=body.principal, document=body.document, older_than_days=body.older_than_days)
    await anyio.to_thread.run_sync(ken.recorder.flush)
    if body.count_only:
        return DeletedShape(traces=await anyio.to_thread.run_sync(ken.recording.removal.count, chosen))
    return DeletedShape.model_validate(await ken.recording.removal.delete(chosen))
