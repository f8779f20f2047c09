"""How figures, views and projections are written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from ken.domain.alert import Happening
from ken.gateway.vitals import BreakerState, Vital
from ken.service.shapes import Shape
from ken.telemetry.figures import Line, Pattern
from ken.telemetry.projection import Projection
from ken.telemetry.views import Axis, Drawn
from ken.telemetry.vocabulary import METRICS, Metric, Unit


class MetricShape(Shape):
    """A figure that may be asked for."""

    name: str
    unit: Unit = Field(description="micros: millionths of the price list's currency; index: of population stability")
    meaning: str
    by: Sequence[str] = Field(description="the dimensions by which it is told apart, and narrowed")
    kinds: Sequence[str] = Field(description="of which kinds of traces, where none is asked for; empty: of all")


class WholeShape(Shape):
    """A figure over the whole window."""

    value: float | None = Field(description="null where nothing was counted, or it is unknown")
    count: int = Field(description="the observations behind it")


class LineShape(BaseModel):
    """A figure step by step: values and counts stand at the times of the axis."""

    values: list[float | None]
    counts: list[int]
    whole: WholeShape


class FiguresShape(BaseModel):
    """One figure, by the values of a dimension; under the empty text where none was asked for."""

    metric: str
    unit: Unit
    by: str
    since: float
    until: float
    step_s: int
    times: list[float]
    lines: Mapping[str, LineShape]


class FigureShape(BaseModel):
    """One figure of a panel."""

    unit: Unit
    meaning: str
    lines: Mapping[str, LineShape] = Field(
        description="by the value of the panel's dimension; under the empty text without"
    )


class PanelShape(BaseModel):
    """Figures that are told apart alike."""

    by: str
    figures: Mapping[str, FigureShape]


class MarkerShape(Shape):
    """What happened at a moment: `deployed` (a release answered for the first time), `index_updated` (a sync changed documents)."""

    kind: str
    at: float
    of: str
    told: str


class PatternShape(Shape):
    """Questions of one task type and category; costs in millionths, null where a part of them is unknown."""

    task_type: str
    category: str
    questions: int
    cost_micros: int = Field(description="what is known of it")
    unknown_cost_questions: int
    success_rate: float | None
    cost_per_question: float | None
    cost_per_success: float | None


class DependencyState(BaseModel):
    """The breaker of one dependency of this process, as it stands."""

    name: str
    state: BreakerState
    since: float
    error_rate: float


class ViewShape(BaseModel):
    """A view: its panels on one axis of time, which views over the same window share, with what happened meanwhile."""

    view: str
    since: float
    until: float
    step_s: int
    currency: str
    times: list[float]
    where: Mapping[str, str]
    markers: list[MarkerShape]
    panels: list[PanelShape]
    dependencies: list[DependencyState] = Field(description="of the view `health`; else empty")
    patterns: list[PatternShape] = Field(description="of the view `cost`: the dearest questions; else empty")


class ProjectedShape(Shape):
    """One task type."""

    task_type: str
    questions: int = Field(description="in the window that it is judged by")
    success_rate: float | None
    cost_per_success: float | None
    expected: float | None = Field(
        description="tasks to be done, over the days projected; null where too little is on record to say"
    )
    cost_micros: float | None = Field(description="null where a cost is unknown")


class ProjectionShape(BaseModel):
    """What an expected volume will cost, in millionths of the currency."""

    since: float = Field(
        description="when the first question of the window was asked: what it is judged by begins there"
    )
    until: float
    too_little: bool = Field(description="whether less than a day is on record, so that no volume can be told from it")
    days: float = Field(description="so many are projected")
    currency: str
    cost_micros: float | None = Field(description="null where a cost is unknown")
    tasks: list[ProjectedShape]


def metric_shape(metric: Metric) -> MetricShape:
    """A metric as the API tells it."""
    return MetricShape(
        name=metric.name, unit=metric.unit, meaning=metric.meaning, by=sorted(metric.by), kinds=metric.kinds
    )


def line_shapes(lines: Mapping[str, Line]) -> dict[str, LineShape]:
    """Lines as the API tells them."""
    return {
        group: LineShape(
            values=[point.value for point in line.points],
            counts=[point.count for point in line.points],
            whole=WholeShape(value=line.whole.value, count=line.whole.count),
        )
        for group, line in lines.items()
    }


def panel_shape(drawn: Drawn) -> PanelShape:
    """A panel as the API tells it."""
    return PanelShape(
        by=drawn.panel.by,
        figures={
            name: FigureShape(unit=METRICS[name].unit, meaning=METRICS[name].meaning, lines=line_shapes(lines))
            for name, lines in drawn.lines.items()
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands beside a view's panels."""

    currency: str
    markers: Sequence[Happening]
    vitals: Sequence[Vital] = ()
    patterns: Sequence[Pattern] = ()


def view_shape(name: str, on: Axis, *, drawn: Sequence[Drawn], where: Mapping[str, str], beside: Beside) -> ViewShape:
    """A view as the API tells it."""
    states: list[DependencyState] = []
    for vital in beside.vitals:
        if vital.circuit is not None:
            reading = vital.circuit.reading()
            states.append(
                DependencyState(
                    name=vital.name, state=reading.state, since=reading.since, error_rate=reading.error_rate
                )
            )
    return ViewShape(
        view=name,
        since=on.since,
        until=on.until,
        step_s=on.step_s,
        currency=beside.currency,
        times=on.times,
        where=where,
        markers=[MarkerShape.model_validate(marker) for marker in beside.markers],
        panels=[panel_shape(each) for each in drawn],
        dependencies=states,
        patterns=[PatternShape.model_validate(pattern) for pattern in beside.patterns],
    )


def projection_shape(projection: Projection, currency: str) -> ProjectionShape:
    """A projection as the API tells it."""
    return ProjectionShape(
        since=projection.since,
        until=projection.until,
        too_little=projection.is_too_little,
        days=projection.days,
        currency=currency,
        cost_micros=projection.cost_micros,
        tasks=[ProjectedShape.model_validate(task) for task in projection.tasks],
    )
