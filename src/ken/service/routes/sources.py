"""Sources and syncs: what is where, how far it is, what went wrong. Operators only."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query

from ken.connectors.build import source_of
from ken.errors import InvalidSetting, NotFound
from ken.service.context import Opened, Operating, Scheduled
from ken.service.source_shapes import ListingPage, ListingShape, SourceShape, SyncRequest, SyncShape
from ken.settings import Settings, load
from ken.source_settings import FolderSettings, SourceSettings
from ken.storage.sources import ListingState

router = APIRouter(tags=["sources"])


@router.get("/api/sources", summary="List the sources")
async def sources(ken: Opened, scheduler: Scheduled, principal: Operating) -> list[SourceShape]:
    """Those that were synced once, with their next sync where it is due, and those of ken.toml that never were. Operators only."""
    _ = principal
    running = {each.source for each in await ken.library.syncs() if each.state == "running"}
    named = {each.name: each for each in await anyio.to_thread.run_sync(_named, ken.settings)}
    known = await ken.library.status()
    unknown = named.keys() - {each.id for each in known}
    return [
        SourceShape.model_validate(each).model_copy(
            update={
                "not_taken": len(each.failures),
                "next_sync": scheduler.due(each.id),
                "is_running": each.id in running,
                "is_named": each.id in named,
                "schedule": _schedule(named[each.id]) if each.id in named else "",
            }
        )
        for each in (*known, *(source_of(named[name]) for name in sorted(unknown)))
    ]


@router.get("/api/sources/{source_id:path}/documents", summary="The state of each document of a source")
async def listings(
    source_id: str,
    ken: Opened,
    principal: Operating,
    *,
    state: Annotated[ListingState | None, Query()] = None,
    after: Annotated[str | None, Query(description="`next` of the page that came first")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ListingPage:
    """By path. Operators only."""
    _ = principal
    if source_id not in {each.id for each in await ken.library.status()}:
        raise NotFound(f"There is no source {source_id!r}. `GET /api/sources` lists them.")
    listed = await ken.library.listings(source_id)
    found = [each for each in listed if (state is None or each.state == state) and (after is None or each.path > after)]
    page = found[:limit]
    return ListingPage(
        documents=[ListingShape.model_validate(each) for each in page],
        next=page[-1].path if len(found) > limit else None,
        counts=Counter(each.state for each in listed),
    )


@router.delete("/api/sources/{source_id:path}", summary="Delete a source with all its documents", status_code=204)
async def remove(source_id: str, ken: Opened, principal: Operating) -> None:
    """For ever, in every snapshot. A source that ken.toml names comes back with its next sync. Operators only."""
    _ = principal
    await ken.library.remove_source(source_id)


@router.get("/api/syncs", summary="List the last syncs, the newest first")
async def syncs(
    ken: Opened,
    principal: Operating,
    *,
    source: Annotated[str | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[SyncShape]:
    """With how far those are that run now, in whatever process. Operators only."""
    _ = principal
    return [SyncShape.model_validate(each) for each in await ken.library.syncs(source=source, limit=limit)]


@router.post("/api/syncs", summary="Sync a source now", status_code=202)
async def sync(body: SyncRequest, scheduler: Scheduled, principal: Operating) -> dict[str, str]:
    """One that ken.toml names; `GET /api/syncs` tells how far it is. Operators only."""
    _ = principal
    scheduler.ask(body.source)
    return {"source": body.source}


def _named(settings: Settings) -> tuple[SourceSettings, ...]:
    """What ken.toml names by now; while it can't be used, what it named at the start: the jobs stay as they were, too."""
    try:
        return load(settings.home, secrets=()).sources
    except InvalidSetting:
        return settings.sources


def _schedule(table: SourceSettings) -> str:
    told = [f"every {table.every}"] if table.every is not None else []
    told += [f"cron {table.cron}"] if table.cron is not None else []
    told += ["when its folder changes"] if isinstance(table, FolderSettings) and table.watch else []
    return ", ".join(told)
