"""Fills a home with simulated questions, as if they had been asked: traces, rollups, gauges, what happened. No model is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ken.domain.measures import Recorded
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.where import parsed
from ken.errors import Conflict
from ken.operations.simulate import calendar, traffic
from ken.operations.simulate.gauges import MINUTE_S, Gauges
from ken.operations.simulate.happenings import Told
from ken.operations.simulate.incidents import Incident
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Organisation
from ken.operations.simulate.recorded import SIMULATED, recorded
from ken.operations.simulate.wording import Wording
from ken.storage.alerts import AlertBook
from ken.storage.record import Record
from ken.storage.rollups import Rollups
from ken.storage.trace_search import TraceSearch
from ken.telemetry.rollup import Aggregator

_AT_ONCE = 2_000
_MINUTES_KEPT_S = 3 * DAY_S
"""Rollups keep minutes for two days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is made up. Times are seconds since the epoch; days begin at midnight, UTC."""

    organisation: Organisation
    start: float
    until: float
    """Nothing is asked after that, and what judges and people say later is not known."""
    incidents: tuple[Incident, ...] = ()
    wording: Wording = field(default_factory=Wording)

    @property
    def days(self) -> int:
        """Days that have begun by `until`."""
        return int((self.until - self.start) // DAY_S) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What a home keeps of questions."""

    record: Record
    rollups: Rollups
    search: TraceSearch
    alerts: AlertBook


@dataclass(frozen=True, slots=True)
class Progress:
    """A day is done."""

    day: int
    days: int
    questions: int
    """So far."""


def fill(home: Home, plan: Plan, *, force: bool = False, tell: Callable[[Progress], None] = lambda _: None) -> int:
    """Put the planned questions on record; how many there were. They are the principal `simulated`'s.

    Raises Conflict for a home with questions of anybody else, unless forced, and for one that has these very questions already.
    """
    if not force:
        _refuse_real(home)
    made = calendar.markers(plan.organisation, plan.start, days=plan.days)
    aggregator = Aggregator()
    questions = 0
    days = traffic.days(plan.organisation, plan.start, days=plan.days, incidents=plan.incidents, made=made)
    for number, day in enumerate(days, 1):
        _sample(aggregator, day, plan)
        for batch in _batches(day, plan):
            for each in batch:
                aggregator.fold(_in_hours(each, plan))
            if home.record.add(batch) < len(batch):  # before anything of it is counted
                raise Conflict(
                    f"Questions of the seed {plan.organisation.seed} are on record already. Name another --seed, or another home."
                )
            home.record.add((), aggregator.take())
            questions += len(batch)
        home.rollups.compact(plan.until)
        tell(Progress(number, plan.days, questions))
    told = Told(made, incidents=plan.incidents)
    home.alerts.note(told.between(plan.start, plan.until))
    return questions


def is_simulated(search: TraceSearch) -> bool:
    """Whether the record holds questions that were made up."""
    made_up = parsed(f"principal = {SIMULATED}", now=0.0)
    return bool(search.find(made_up, LOCAL_OPERATOR, limit=1).entries)


def _refuse_real(home: Home) -> None:
    of_people = parsed(f"kind = question and principal != {SIMULATED}", now=0.0)
    real = home.search.find(of_people, LOCAL_OPERATOR, limit=1)
    if real.entries:
        raise Conflict(
            "This home has questions that people asked, and simulated ones would change all their figures. "
            "Name another home, or say --force."
        )


def _batches(day: traffic.Traffic, plan: Plan) -> Iterator[list[Recorded]]:
    batch: list[Recorded] = []
    for each in recorded(day, seed=plan.organisation.seed, until=plan.until, wording=plan.wording):
        if each.trace.started_at >= plan.until:
            break
        batch.append(each)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _in_hours(each: Recorded, plan: Plan) -> Recorded:
    """Counted in the first minute of its hour, where minutes are too old to be kept: sixty times fewer rows to write and forget."""
    at = each.trace.started_at
    if at >= plan.until - _MINUTES_KEPT_S:
        return each
    return replace(each, trace=replace(each.trace, started_at=at // HOUR_S * HOUR_S))


def _sample(aggregator: Aggregator, day: traffic.Traffic, plan: Plan) -> None:
    """What the gauges showed, minute by minute."""
    gauges = Gauges.of(day, plan.incidents)
    columns: Sequence[tuple[str, list[float]]] = [(name, values.tolist()) for name, values in gauges.highest.items()]
    for minute in range(len(columns[0][1])):
        at = gauges.start + minute * MINUTE_S
        if at < plan.until:
            aggregator.sample(at, {name: values[minute] for name, values in columns})
