"""Snapshots of the corpus: list, compare, go back. Operators only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ken.service.context import Opened, Operating
from ken.service.source_shapes import DifferenceShape, SnapshotShape, TextsShape, UseRequest

router = APIRouter(tags=["index"])


@router.get("/api/index", summary="List the corpus versions that can be used")
async def snapshots(ken: Opened, principal: Operating) -> list[SnapshotShape]:
    """The newest first. Operators only."""
    _ = principal
    return [SnapshotShape.model_validate(each) for each in await ken.library.snapshots()]


@router.get("/api/index/difference", summary="What changed between two corpus versions")
async def difference(
    ken: Opened,
    principal: Operating,
    *,
    old: Annotated[int, Query(ge=0)],
    new: Annotated[int, Query(ge=0)],
) -> DifferenceShape:
    """Document ids by what became of them. Operators only."""
    _ = principal
    return DifferenceShape.model_validate(await ken.library.difference(old, new))


@router.get("/api/index/texts", summary="Read a document as it was in two corpus versions")
async def texts(
    ken: Opened,
    principal: Operating,
    *,
    document: Annotated[str, Query(description="its id")],
    old: Annotated[int, Query(ge=0)],
    new: Annotated[int, Query(ge=0)],
) -> TextsShape:
    """Its parsed text in each, so that one sees what has changed. Operators only."""
    _ = principal
    before, after = [await ken.library.text_in(version, document) for version in (old, new)]
    return TextsShape(document_id=document, old=before, new=after)


@router.post("/api/index/use", summary="Serve another corpus version")
async def use(body: UseRequest, ken: Opened, principal: Operating) -> SnapshotShape:
    """It gets a number of its own, and is served while syncs go on, until null asks for the newest again. Operators only."""
    _ = principal
    return SnapshotShape.model_validate(await ken.library.use(body.corpus_version))
