"""The part of the composition root that makes the alerts: rules, what they look at, who is told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ken.alert_settings import AlertSettings
from ken.domain.alert import Change
from ken.domain.budget import Burn
from ken.domain.figures import Figures
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.where import parsed
from ken.knowledge.locks import Locks
from ken.operations.alerts.delivery.outbox import Outbox
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.happened import Happened
from ken.operations.alerts.job import AlertJob, Duties
from ken.operations.alerts.rule import Rule
from ken.operations.alerts.rules import Source, Table, of_home, rules_of
from ken.recording import Recording
from ken.settings import Settings
from ken.storage.alerts import AlertBook
from ken.storage.checks_run import ChecksRun
from ken.storage.database import Database
from ken.storage.snapshots import Snapshots
from ken.storage.trace_search import TraceSearch

LOCK = "alerts"
_API = "the API"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """Everything of the alerts of a home."""

    settings: Settings
    book: AlertBook
    figures: Figures
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

    def put_rule(self, table: Table) -> Rule:
        """Keep a rule that came over the API, and say what comes of it. Raises InvalidInput, StorageError."""
        name = str(table.get("name", ""))
        own = [each for each in self.book.rules() if each.get("name") != name]
        before = [source for source in self.sources() if source.place != _API]
        rules = rules_of([*before, Source(_API, [*own, table])])
        self.book.put_rule(name, table, now=time.time())
        return next(rule for rule in rules if rule.name == name)

    def tried(self, rule: Rule, *, since: float, until: float, step_s: float = 60.0) -> tuple[Change, ...]:
        """What a rule would have said of the record between two times; nobody is told. Raises InvalidInput, StorageError."""
        engine = Engine([rule], self.figures, happenings=self.happened)
        changes: list[Change] = []
        at = since
        while at <= until:
            changes.extend(engine.evaluate(at))
            at += max(step_s, rule.every_s)
        return tuple(changes)


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
    return Alerting(settings=settings, book=book, figures=figures, happened=happened, job=job)


def _sources(settings: Settings, book: AlertBook) -> tuple[Source, ...]:
    return (*settings.alerts.sources, of_home(settings.home), Source(_API, book.rules()))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
