"""The answer cache: its figures, and the answers that it holds, to look at and to drop. Operators only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from ken.domain.cached import CachedAnswer, RestsOn
from ken.errors import NotFound
from ken.gateway.cache.figures import CategoryFigures, Wrong
from ken.service.context import Opened, Operating
from ken.service.shapes import CitationShape, Shape
from ken.telemetry.figures import RollupFigures

router = APIRouter(tags=["gateway"])

_DAY_S = 86_400


class WrongShape(Shape):
    """How often the cache gave another answer than the documents do: of its answers that were made anew."""

    compared: int
    different: int
    share: float | None = Field(description="null where none was compared")
    low: float = Field(description="of the interval of 95 %, as `high`")
    high: float


class CacheFiguresShape(Shape):
    """Of one category, or of all of them."""

    lookups: int
    exact: int = Field(description="hits: the question had been asked in these words")
    similar: int = Field(description="hits: it had been asked in others")
    stale: int = Field(description="given although too old or not near enough, as the model had failed")
    hit_rate: float | None = Field(description="exact and similar among lookups; null without lookups")
    refusals: dict[str, int] = Field(description="questions that were near and not the same, by what told them apart")
    stores: int
    not_stored: dict[str, int] = Field(description="answers that were not kept, by the reason")
    entries: int = Field(description="answers held now")
    saved_micros: int | None = Field(
        description="about: hits times the mean cost of the questions that were answered anew in that time; null where that "
        "is unknown"
    )
    false_hits: WrongShape


class CacheShape(Shape):
    """What the cache was asked and did over some days, in all replicas."""

    days: int
    currency: str
    all: CacheFiguresShape
    categories: dict[str, CacheFiguresShape]


class CacheEntryShape(Shape):
    """An answer that may be given again."""

    id: int
    category: str
    question: str
    trace_id: str = Field(description="of the question that it was made for")
    model: str
    corpus_version: int
    valid_from: str | None = Field(
        description="the first day on which it holds, as its documents stand; null for always"
    )
    valid_before: str | None = Field(description="the first day on which it doesn't")
    made_at: float
    expires_at: float
    used_at: float
    uses: int
    documents: list[str] = Field(description="ids of those that it cites, else of those that it rests on")


class RestsOnShape(Shape):
    """A document version that it goes with."""

    document_id: str
    version: str
    cited: bool


class OpenedEntryShape(CacheEntryShape):
    """The same with the answer, and what it rests on."""

    text: str | None = Field(description="null where Redis has lost it, or is away")
    citations: list[CitationShape]
    rests_on: list[RestsOnShape]


class DroppedShape(Shape):
    """How many answers were dropped."""

    dropped: int


@router.get("/api/gateway/cache", summary="Read the answer cache's figures")
async def figures(ken: Opened, principal: Operating, *, days: Annotated[int, Query(ge=1, le=3650)] = 30) -> CacheShape:
    """By category and over all: hits, refusals with their reasons, and an estimate of wrong answers. Operators only."""
    _ = principal
    found = await anyio.to_thread.run_sync(partial(ken.cache.read, days=days))
    cost = await anyio.to_thread.run_sync(partial(_anew, ken.recording.figures, days=days))
    categories = {name: _figures(each, saved=_saved(each, cost.get(name))) for name, each in found.items() if name}
    saved = [each.saved_micros for each in categories.values()]
    known = [each for each in saved if each is not None]
    return CacheShape(
        days=days,
        currency=ken.providers.budgets.currency,
        all=_figures(found[""], saved=sum(known) if len(known) == len(saved) else None),
        categories=categories,
    )


@router.get("/api/gateway/cache/entries", summary="List cached answers")
async def entries(
    ken: Opened,
    principal: Operating,
    *,
    category: str | None = None,
    q: Annotated[str | None, Query(max_length=500, description="words that the question holds")] = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[CacheEntryShape]:
    """The last kept first; `before` is the id that the page ends above. Operators only."""
    _ = principal
    answers = ken.cache.answers
    work = partial(answers.listed, category=category, holding=(q or "").split(), before=before, limit=limit)
    found = await anyio.to_thread.run_sync(work)
    resting = await anyio.to_thread.run_sync(answers.documents_of, [each.id for each in found])
    return [_entry(each, resting.get(each.id, ())) for each in found]


@router.get("/api/gateway/cache/entries/{entry}", summary="Open a cached answer")
async def entry(entry: int, ken: Opened, principal: Operating) -> OpenedEntryShape:
    """The answer as it would be given, and the document versions that it goes with. Operators only."""
    _ = principal
    found = await anyio.to_thread.run_sync(ken.cache.opened, entry)
    if found is None:
        raise NotFound(f"There is no cached answer {entry}. GET /api/gateway/cache/entries lists them.")
    answer = found.answer
    return OpenedEntryShape.model_validate(
        {
            **_entry(found.entry, found.rests_on).model_dump(),
            "text": None if answer is None else answer.text,
            "citations": [] if answer is None else list(answer.citations),
            "rests_on": list(found.rests_on),
        }
    )


@router.delete("/api/gateway/cache/entries/{entry}", summary="Drop a cached answer")
async def drop(entry: int, ken: Opened, principal: Operating) -> DroppedShape:
    """It is given to nobody any more, in any replica. Operators only."""
    _ = principal
    dropped = await anyio.to_thread.run_sync(ken.cache.drop, [entry])
    if not dropped:
        raise NotFound(f"There is no cached answer {entry}. GET /api/gateway/cache/entries lists them.")
    return DroppedShape(dropped=dropped)


@router.delete("/api/gateway/cache/entries", summary="Drop cached answers")
async def drop_all(ken: Opened, principal: Operating, *, category: str | None = None) -> DroppedShape:
    """Those of a category, or all of them. Operators only."""
    _ = principal
    return DroppedShape(dropped=await anyio.to_thread.run_sync(ken.cache.drop_all, category))


def _entry(each: CachedAnswer, rests_on: Sequence[RestsOn]) -> CacheEntryShape:
    cited = [one.document_id for one in rests_on if one.cited]
    told = {name: getattr(each, name) for name in CacheEntryShape.model_fields if name != "documents"}
    return CacheEntryShape(**told, documents=cited or [one.document_id for one in rests_on])


def _anew(figures: RollupFigures, *, days: int) -> dict[str, float]:
    """By category, what a question that was answered anew cost in the mean; where it is unknown, the category is left out."""
    until = time.time()
    since = until // _DAY_S * _DAY_S - (days - 1) * _DAY_S
    names = ("cost_per_question", "cache_hit_rate")
    told = figures.wholes(names, since=since, until=until, by="category")
    found: dict[str, float] = {}
    for category, each in told["cost_per_question"].items():
        rate = told["cache_hit_rate"].get(category)
        hits = 0.0 if rate is None else (rate.value or 0.0) * rate.count
        anew = each.count - hits
        if each.value is not None and anew >= 1:
            found[category] = each.value * each.count / anew
    return found


def _saved(each: CategoryFigures, cost: float | None) -> int | None:
    """What hits would have cost; a category without a hit has saved nothing, whatever its questions cost."""
    hits = each.exact + each.similar
    if not hits:
        return 0
    return None if cost is None else round(hits * cost)


def _figures(each: CategoryFigures, *, saved: int | None) -> CacheFiguresShape:
    return CacheFiguresShape(
        lookups=each.lookups,
        exact=each.exact,
        similar=each.similar,
        stale=each.stale,
        hit_rate=each.hit_rate,
        refusals=dict(each.refusals),
        stores=each.stores,
        not_stored=dict(each.not_stored),
        entries=each.entries,
        saved_micros=saved,
        false_hits=_wrong(each.false_hits),
    )


def _wrong(each: Wrong) -> WrongShape:
    return WrongShape.model_validate(each)
