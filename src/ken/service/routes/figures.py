"""Figures by name, and what they lead to: the four views, a projection. Operators only."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from ken.domain.rollup import Dimensions
from ken.errors import InvalidInput
from ken.operations.why.asking import moment
from ken.service.context import Opened, Operating
from ken.service.figure_shapes import (
    Beside,
    FiguresShape,
    MetricShape,
    ProjectionShape,
    ViewShape,
    line_shapes,
    metric_shape,
    projection_shape,
    view_shape,
)
from ken.telemetry.projection import project
from ken.telemetry.views import FILTERS, Axis, Drawn, ViewName, axis, view
from ken.telemetry.vocabulary import METRICS
from ken.telemetry.vocabulary import metric as known
from ken.wiring import Ken

router = APIRouter(tags=["figures"])

_DAY_S = 86_400.0
_WEEK_S = 7 * _DAY_S

_MOMENT = "2026-11-20T14:30 (UTC), seconds since the epoch, or 3h for three hours ago"


class Between(BaseModel):
    """A window of time."""

    model_config = ConfigDict(extra="forbid")

    window: float = Field(_WEEK_S, description="seconds; the window ends now, or at `until`")
    since: str | None = Field(None, description=f"where the window begins, in place of `window`: {_MOMENT}")
    until: str | None = Field(None, description=f"where it ends: {_MOMENT}; now without it")


class OneFigure(Between):
    """Which figure is asked for."""

    metric: str = Field(description="a name of `/api/figures/names`, such as `ms.p95`")
    by: str = Field("", description="a dimension: the figure for each of its values")
    where: list[str] | None = Field(
        None, description="`dimension=value`, such as `task_type=lookup`; given several times, all hold"
    )
    window: float = Field(_DAY_S, description="seconds; the window ends now, or at `until`")
    step: int | None = Field(None, description="seconds of a step: whole minutes; by the window without it")


class Asked(Between):
    """What a view is asked for."""

    task_type: str | None = None
    category: str | None = None
    release: str | None = None
    tier: str | None = None

    @property
    def where(self) -> dict[str, str]:
        """The filters that were given."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) is not None}


class Expected(BaseModel):
    """What a projection is asked for."""

    model_config = ConfigDict(extra="forbid")

    ahead: float = Field(30, gt=0, le=3660, description="so many days")
    growth: float = Field(1.0, ge=0, le=1000, description="times the volume of the window")
    volume: list[str] | None = Field(None, description="`task_type=tasks` over those days, such as `lookup=20000`")
    window: float = Field(4 * _WEEK_S, description="seconds; the window ends now")


@router.get("/api/figures/names", summary="Which figures are there?")
async def names(principal: Operating) -> list[MetricShape]:
    """Each with its unit, what it means, and by what it can be told apart."""
    _ = principal
    return [metric_shape(one) for one in METRICS.values()]


@router.get("/api/figures", summary="A figure over a window of time")
async def figures(ken: Opened, principal: Operating, asked: Annotated[OneFigure, Query()]) -> FiguresShape:
    """As a whole and step by step."""
    _ = principal
    metric, by = asked.metric, asked.by
    told, narrowed = known(metric), narrowing(asked.where)
    on = _on(ken, asked, {by, *narrowed})
    if asked.step is not None:
        on = stepped(on, asked.step)
    await anyio.to_thread.run_sync(ken.recorder.flush)
    read = partial(
        ken.recording.figures.both, [metric], since=on.since, until=on.until, step_s=on.step_s, by=by, where=narrowed
    )
    lines = (await anyio.to_thread.run_sync(read))[metric]
    return FiguresShape(
        metric=metric,
        unit=told.unit,
        by=by,
        since=on.since,
        until=on.until,
        step_s=on.step_s,
        times=on.times,
        lines=line_shapes(lines),
    )


@router.get("/api/figures/projection", summary="What will an expected volume cost?")
async def projection(ken: Opened, principal: Operating, asked: Annotated[Expected, Query()]) -> ProjectionShape:
    """For each task type its cost per successful task times the tasks expected."""
    _ = principal
    volumes = volumes_of(asked.volume)
    on = axis(asked.window)
    await anyio.to_thread.run_sync(ken.recorder.flush)
    told = await anyio.to_thread.run_sync(
        partial(
            project,
            ken.recording.figures,
            since=on.since,
            until=min(on.until, time.time()),  # the last step of an axis is not over yet
            days=asked.ahead,
            growth=asked.growth,
            volumes=volumes,
        )
    )
    return projection_shape(told, ken.providers.stacks.prices.currency)


@router.get("/api/views/{name}", summary="A view: overview, health, cost, quality, latency")
async def one_view(name: ViewName, ken: Opened, principal: Operating, asked: Annotated[Asked, Query()]) -> ViewShape:
    """Its panels on one axis of time, with releases and syncs marked on it. Views over the same window share the axis."""
    _ = principal
    dimensions = Dimensions._fields if asked.where else ("kind",)
    on = _on(ken, asked, dimensions)
    await anyio.to_thread.run_sync(ken.recorder.flush)
    drawn, beside = await anyio.to_thread.run_sync(partial(_read, ken, name, on=on, where=asked.where))
    return view_shape(name, on, drawn=drawn, where=asked.where, beside=beside)


def _on(ken: Ken, asked: Between, dimensions: Collection[str]) -> Axis:
    """The axis of the window that is asked for; its steps are no finer than what is kept of that time. Raises InvalidInput."""
    if asked.since is None and asked.until is None:
        return axis(asked.window)
    now = time.time()
    until = now if asked.until is None else moment(asked.until, now=now)
    since = until - asked.window if asked.since is None else moment(asked.since, now=now)
    if since >= until:
        raise InvalidInput("A window begins before it ends. Change `since` or `until`.", param="since")
    told_apart = frozenset(dimensions) & frozenset(Dimensions._fields)
    return axis(until - since, until=until, finest_s=ken.recording.rollups.finest(since, told_apart))


def _read(ken: Ken, name: ViewName, *, on: Axis, where: Mapping[str, str]) -> tuple[Sequence[Drawn], Beside]:
    told, stacks = ken.recording.figures, ken.providers.stacks
    beside = Beside(
        currency=stacks.prices.currency,
        markers=ken.recording.markers.between(on.since, on.until),
        vitals=stacks.vitals.all if name == "health" else (),
        patterns=told.patterns(since=on.since, until=on.until, where=where) if name == "cost" else (),
    )
    return view(told, name, on=on, where=where), beside


def narrowing(where: Sequence[str] | None) -> dict[str, str]:
    """`dimension=value`, each. Raises InvalidInput."""
    found: dict[str, str] = {}
    for each in where or ():
        dimension, equals, value = each.partition("=")
        if not equals:
            raise InvalidInput(
                f"{each!r} narrows nothing: write `dimension=value`, such as `task_type=lookup`.", param="where"
            )
        found[dimension.strip()] = value.strip()
    return found


def volumes_of(volumes: Sequence[str] | None) -> dict[str, float]:
    """`task_type=number`, each. Raises InvalidInput."""
    found: dict[str, float] = {}
    for name, value in narrowing(volumes).items():
        try:
            found[name] = float(value)
        except ValueError as error:
            raise InvalidInput(
                f"{value!r} is no volume: write a number, as in `lookup=20000`.", param="volume"
            ) from error
    return found


def stepped(on: Axis, step_s: int) -> Axis:
    """The same window in other steps. Raises InvalidInput."""
    if step_s < 60 or step_s % 60:  # noqa: PLR2004 # a minute
        raise InvalidInput(f"A step is whole minutes, in seconds, and not {step_s!r}.", param="step")
    last = -(-on.until // step_s) * step_s
    return Axis(last - -(-(on.until - on.since) // step_s) * step_s, last, step_s)
