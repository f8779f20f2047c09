"""The part of the composition root that makes the alerts: rules, what they look at, who is told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ken.alert_settings import AlertSettings
from ken.domain.budget import Burn
from ken.domain.figures import Figures
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.where import parsed
from ken.errors import InvalidInput
from ken.knowledge.locks import Locks
from ken.operations.alerts.backtest import Backtest, Record, Span, backtest, never
from ken.operations.alerts.delivery.outbox import Outbox
from ken.operations.alerts.detectors import LOOKBACK_S
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.happened import Happened
from ken.operations.alerts.held import HeldHappenings, HeldRows
from ken.operations.alerts.job import AlertJob, Duties
from ken.operations.alerts.relived import relive
from ken.operations.alerts.rule import Rule
from ken.operations.alerts.rules import Merged, Source, Table, merged, of_home, read_rule, rules_of
from ken.recording import Recording
from ken.settings import Settings
from ken.storage.alerts import AlertBook
from ken.storage.checks_run import ChecksRun
from ken.storage.database import Database
from ken.storage.rollups import Rollups
from ken.storage.snapshots import Snapshots
from ken.storage.trace_search import TraceSearch
from ken.telemetry.figures import RollupFigures

LOCK = "alerts"
API = "the API"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """Everything of the alerts of a home."""

    settings: Settings
    book: AlertBook
    figures: Figures
    rollups: Rollups
    happened: Happened
    job: AlertJob

    @property
    def table(self) -> AlertSettings:
        """The [alerts] table."""
        return self.settings.alerts

    def sources(self) -> tuple[Source, ...]:
        """Where rules come from, in the order in which they count. Raises InvalidInput, StorageError."""
        return _sources(self.settings, self.book)

    def rules(self) -> tuple[Rule, ...]:
        """The rules in force, those that are switched off too. Raises InvalidInput, StorageError."""
        return rules_of(self.sources())

    def merged(self) -> dict[str, Merged]:
        """The tables of the rules in force by name, and where they come from. Raises InvalidInput, StorageError."""
        return merged(self.sources())

    def merged_before(self) -> dict[str, Merged]:
        """The same without what came over the API. Raises InvalidInput, StorageError."""
        return merged(self._others())

    def put_rule(self, table: Table) -> Rule:
        """Keep a rule that came over the API, and say what comes of it. Raises InvalidInput, StorageError."""
        name = str(table.get("name", ""))
        rules = rules_of(self._with(table))
        self.book.put_rule(name, table, now=time.time())
        return next(rule for rule in rules if rule.name == name)

    def tabled(self, table: Table) -> Table:
        """All of a rule's table as it would be if this came over the API. Raises InvalidInput, StorageError."""
        return merged(self._with(table))[str(table.get("name", ""))].table

    def read(self, table: Table) -> Rule:
        """The rule that would come of a table that comes over the API; nothing is kept. Raises InvalidInput, StorageError."""
        if not isinstance(table.get("name"), str):
            raise InvalidInput("A rule has a `name`, in small letters.", param="name")
        return read_rule(self.tabled(table), place=API)

    def tried(self, rule: Rule, *, since: float, until: float, is_over: Callable[[], bool] = never) -> Tried:
        """What a rule would have said of the record between two times; nobody is told. Raises InvalidInput, StorageError."""
        rows = HeldRows(self.rollups, until=until)
        record = Record(
            figures=RollupFigures(rows),
            happenings=HeldHappenings.of(self.happened, since=since - LOOKBACK_S - rule.for_s),
        )
        told = backtest(rule, record, span=Span(since, until), pace=self.table.pace, is_over=is_over)
        return Tried(told, rows.coarse_until)

    def relive(self, *, since: float, until: float, tell: Callable[[float], None] = lambda _: None) -> int:
        """Keep the alerts that a running Ken would have kept between two times; how many fired. Nobody is told.

        Raises Conflict where a running Ken looks meanwhile.
        """
        held = HeldHappenings.of(self.happened, since=since - LOOKBACK_S)
        record = Record(figures=RollupFigures(HeldRows(self.rollups, until=until)), happenings=held)
        return relive(self.rules(), record, book=self.book, span=Span(since, until), tell=tell)

    def _with(self, table: Table) -> list[Source]:
        name = table.get("name")
        own = [each for each in self.book.rules() if each.get("name") != name]
        return [*self._others(), Source(API, [*own, table])]

    def _others(self) -> list[Source]:
        return [source for source in self.sources() if source.place != API]


@dataclass(frozen=True, slots=True)
class Tried:
    """A back-test over the record of a home."""

    told: Backtest
    coarse_until: float
    """Before this there are no minutes on record any more: shorter windows saw whole hours at their beginning; 0: there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What alerts are made from, of the rest of a home."""

    database: Database
    locks: Locks
    recording: Recording
    checks_run: ChecksRun
    trace_search: TraceSearch
    burns: Callable[[], Awaitable[Sequence[Burn]]]
    release: str


def open_alerting(settings: Settings, around: Around) -> Alerting:
    """The alerts of a home; they are looked at once their job runs. Raises InvalidInput for a bad rule."""
    table, book = settings.alerts, AlertBook(around.database)
    happened = Happened(book, snapshots=Snapshots(around.database).listed, runs=around.checks_run)
    figures = around.recording.figures
    search = around.trace_search

    def evidence(where: str, *, since: float, until: float, limit: int) -> Sequence[str]:
        """Every operator may see what caused an alert, and messages go to operators."""
        times = f'({where}) and started >= "{_iso(since)}" and started <= "{_iso(until)}"'
        found = search.find(parsed(times, now=until), LOCAL_OPERATOR, limit=limit, before=None)
        return [each.trace.id for each in found.entries]

    rules = rules_of([*table.sources, of_home(settings.home)])
    engine = Engine(rules, figures, happenings=happened)
    duties = Duties(
        recipients=table.recipients,
        pace=table.pace,
        keep_days=table.keep_days,
        rules=lambda: rules_of(_sources(settings, book)),
        evidence=evidence,
        burns=around.burns,
        release=around.release,
    )
    outbox = Outbox(book, table.channels(around.recording.events))
    job = AlertJob(engine, book, outbox=outbox, lock=lambda: around.locks.hold(LOCK), duties=duties)
    return Alerting(
        settings=settings, book=book, figures=figures, rollups=around.recording.rollups, happened=happened, job=job
    )


def _sources(settings: Settings, book: AlertBook) -> tuple[Source, ...]:
    return (*settings.alerts.sources, of_home(settings.home), Source(API, book.rules()))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
