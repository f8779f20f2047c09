"""The ledger: every call of a model with what it cost, and what is spent by whom and for what."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ken.domain.booking import Attempt, Cost, Reservation, Settlement
from ken.domain.budget import SCOPES, Budget, BudgetScope, Burn, Counted, Refusal, Spent, named, period_of, resets_at
from ken.domain.call import Purpose
from ken.domain.usage import Usage
from ken.storage.database import Database
from ken.storage.schema import calls, instances, spending

CostDimension = Literal["task_type", "stage", "model", "tier", "release", "principal", "category", "day"]

_AT_ONCE = 500
_COUNTS = tuple(field.name for field in fields(Spent))
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be written: a reservation, a settlement of one that was written before, or both at once."""

    reservation: Reservation
    settlement: Settlement | None = None
    is_reserved: bool = True
    """False: it was never reserved, as it costs nothing: it gets a row and touches no budget."""


class Ledger:
    """The tables of calls and of spending."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def name(self) -> str:
        """Of the database, for people."""
        return self._database.name

    def write(self, entries: Sequence[Entry], *, instance: str, budgets: Sequence[Budget]) -> list[Refusal | None]:
        """Write entries in one transaction; for each, why it was refused, or None.

        A settlement is of a reservation that was written before, or that stands among the entries. Settlements come first,
        then reservations in their order, each only if every hard budget that binds it has room for it beside all that is
        spent and reserved, by whatever process. Durable where there is a reservation.
        """
        begun = {entry.reservation.call_id for entry in entries if entry.settlement is None}
        with self._database.write(durable=bool(begun)) as connection:
            page = _Page(connection, instance)
            page.settle([each for each in entries if each.settlement and each.reservation.call_id not in begun])
            refusals = page.reserve([each.reservation for each in entries if each.settlement is None], budgets)
            page.close()
            # Called off while its reservation was on its way here.
            taken = begun - refusals.keys()
            page.settle([each for each in entries if each.settlement and each.reservation.call_id in taken])
            page.close()
        return [refusals.get(entry.reservation.call_id) for entry in entries]

    def spent(self, counted: Collection[Counted]) -> dict[Counted, Spent]:
        """Read counters; one that nobody has touched has come to nothing."""
        with self._database.read() as connection:
            return _spent(connection, counted)

    def in_period(self, period: str) -> dict[Counted, Spent]:
        """Read all counters of a day or a month."""
        sums = [sa.func.sum(spending.c[name]).label(name) for name in _COUNTS]
        query = (
            sa.select(spending.c.scope, spending.c.of, *sums)
            .where(spending.c.day.startswith(period, autoescape=True))
            .group_by(spending.c.scope, spending.c.of)
        )
        with self._database.read() as connection:
            return {
                Counted(scope=row.scope, of=row.of, period=period): _counts(row) for row in connection.execute(query)
            }

    def by_day(self, scope: BudgetScope, of: str, *, since: str) -> dict[str, Spent]:
        """Read the counters of one whom budgets bind, day by day from one on (`2026-11-22`); days without a call are left out."""
        query = sa.select(spending).where(spending.c.scope == scope, spending.c.of == of, spending.c.day >= since)
        with self._database.read() as connection:
            return {row.day: _counts(row) for row in connection.execute(query.order_by(spending.c.day))}

    def lately(self, *, since: float, limit: int) -> tuple[Attempt, ...]:
        """The last attempts at models that began from a time on and are over, the newest first."""
        columns = (calls.c[name] for name in Attempt.__slots__)
        query = (
            sa.select(*columns)
            .where(calls.c.started_at >= since, calls.c.state == "final", calls.c.provider != "ken")
            .order_by(calls.c.started_at.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(Attempt(*row) for row in connection.execute(query))

    def costs(self, by: CostDimension, *, since: float, until: float) -> tuple[Cost, ...]:
        """Sum up the calls that began from `since` to before `until`, by a dimension, the dearest first."""
        of = _day() if by == "day" else calls.c[by]
        cost = sa.func.coalesce(sa.func.sum(calls.c.cost_micros), 0)
        ended = calls.c.state != "reserved"
        query = (
            sa.select(
                of.label("of"),
                sa.func.count().label("calls"),
                cost.label("cost"),
                sa.func.sum(sa.case((sa.and_(ended, calls.c.cost_micros.is_(None)), 1), else_=0)).label("unknown"),
                sa.func.sum(sa.case((sa.and_(ended, calls.c.estimated), 1), else_=0)).label("estimated"),
                *(sa.func.coalesce(sa.func.sum(calls.c[kind]), 0).label(kind) for kind in _TOKENS),
            )
            .where(calls.c.started_at >= since, calls.c.started_at < until)
            .group_by(of)
            .order_by(cost.desc(), of)
        )
        with self._database.read() as connection:
            return tuple(_cost(row) for row in connection.execute(query))

    def of_trace(self, trace_id: str) -> tuple[tuple[str, str, int | None], ...]:
        """List the calls of a trace, in their order: model, state, cost in millionths."""
        query = sa.select(calls.c.model, calls.c.state, calls.c.cost_micros).where(calls.c.trace_id == trace_id)
        with self._database.read() as connection:
            return tuple(
                (row.model, row.state, row.cost_micros) for row in connection.execute(query.order_by(calls.c.id))
            )

    def under_way(self) -> dict[str, tuple[str, str, float] | None]:
        """List whose reservations are open: instance -> machine, process and when it was last seen; None: unknown."""
        query = (
            sa.select(calls.c.instance, instances.c.machine, instances.c.process, instances.c.seen_at)
            .select_from(calls.outerjoin(instances, instances.c.id == calls.c.instance))
            .where(calls.c.state == "reserved")
            .distinct()
        )
        with self._database.read() as connection:
            return {
                row.instance: None if row.seen_at is None else (row.machine, row.process, row.seen_at)
                for row in connection.execute(query)
            }

    def beat(self, instance: str, *, machine: str, process: str) -> None:
        """Note that a process is alive."""
        row = {"id": instance, "machine": machine, "process": process, "seen_at": time.time()}
        with self._database.write(durable=False) as connection:
            gone = connection.execute(sa.update(instances).where(instances.c.id == instance).values(row)).rowcount == 0
            if gone:
                connection.execute(sa.insert(instances).values(row))

    def reconcile(self, dead: Collection[str]) -> int:
        """End the reservations of processes that are gone: what was reserved stands for the cost; how many there were."""
        if not dead:
            return 0
        with self._database.write() as connection:
            page = _Page(connection, "")
            count = page.reconcile(dead)
            page.close()
            connection.execute(sa.delete(instances).where(instances.c.id.in_(dead)))
        return count

    def leave(self, instance: str) -> None:
        """Take a process off the list; its reservations, if any are left, are those of a dead one from now on."""
        with self._database.write(durable=False) as connection:
            connection.execute(sa.delete(instances).where(instances.c.id == instance))

    def delete_older_than(self, seconds: float, *, keep_sums: bool = False) -> int:
        """Delete calls that began more than `seconds` ago, and the counters of days and months that ended before; how many calls.

        With `keep_sums`, the counters stay: what a day or a month cost, in all and by whom.
        """
        horizon = time.time() - seconds
        old = (
            sa.select(calls.c.id)
            .where(calls.c.started_at < horizon, calls.c.state != "reserved")
            .order_by(calls.c.started_at)
            .limit(_AT_ONCE)
        )
        deleted = 0
        while True:
            with self._database.write() as connection:
                gone = connection.execute(sa.delete(calls).where(calls.c.id.in_(old))).rowcount
            deleted += gone
            if gone < _AT_ONCE:
                break
        if keep_sums:
            return deleted
        # The present month is what budgets count by.
        day = min(period_of(horizon, "day"), f"{period_of(time.time(), 'month')}-01")
        with self._database.write() as connection:
            connection.execute(sa.delete(spending).where(spending.c.day < day, spending.c.reserved_tokens == 0))
        return deleted

    def delete_of_principal(self, principal: str) -> int:
        """Delete a principal's calls and counters; how many calls. The sums of all stay, and so do calls under way."""
        own = sa.and_(spending.c.scope == "principal", spending.c.of == principal)
        with self._database.write() as connection:
            deleted = connection.execute(
                sa.delete(calls).where(calls.c.principal == principal, calls.c.state != "reserved")
            ).rowcount
            connection.execute(sa.delete(spending).where(own, spending.c.reserved_tokens == 0))
            ended = {"final_micros": 0, "final_tokens": 0, "calls": 0, "unknown_calls": 0}
            connection.execute(sa.update(spending).where(own).values(ended))
        return deleted


_Key = tuple[BudgetScope, str, str]
"""Scope, name in it, and day: of a counter."""


class _Page:
    """What one transaction writes, counters summed up so that each is touched once."""

    def __init__(self, connection: sa.Connection, instance: str) -> None:
        self._connection = connection
        self._instance = instance
        self._changes: dict[_Key, list[int]] = {}

    def reserve(self, reservations: Sequence[Reservation], budgets: Sequence[Budget]) -> dict[str, Refusal]:
        """Insert the rows of reservations that fit into their budgets; the others by call id, and why."""
        refusals: dict[str, Refusal] = {}
        rows: list[dict[str, object]] = []
        hard = [budget for budget in budgets if budget.is_hard]
        known = self._known(reservations, hard)
        for each in reservations:
            refusal = self._refusal(each, hard, known) if hard else None
            if refusal is not None:
                refusals[each.call_id] = refusal
                continue
            rows.append(_reserved_row(each, self._instance))
            self._add(each.purpose, each.started_at, (each.micros or 0, 0, each.tokens, 0, 0, 0))
        _run(self._connection, _INSERT, rows)
        return refusals

    def settle(self, entries: Sequence[Entry]) -> None:
        """Make rows final, and write those that were never reserved. One that was reconciled meanwhile is put right."""
        ended = [(entry.reservation, entry.settlement) for entry in entries if entry.settlement and entry.is_reserved]
        updates = [{"call_id": each.call_id, **_settled_values(settlement)} for each, settlement in ended]
        done = _run(self._connection, _SETTLE, [update | {"was": "reserved"} for update in updates])
        # Others were ended while they were still under way, as their process seemed dead.
        missed = set[str]() if done == len(updates) else self._reconciled([each.call_id for each, _ in ended])
        mended = [update | {"was": "reconciled"} for update in updates if update["call_id"] in missed]
        _run(self._connection, _SETTLE, mended)
        for each, settlement in ended:
            change = _reconciled_change if each.call_id in missed else _settled_change
            self._add(each.purpose, each.started_at, change(each, settlement))
        rows = [
            _reserved_row(entry.reservation, self._instance) | _settled_values(entry.settlement)
            for entry in entries
            if entry.settlement and not entry.is_reserved
        ]
        _run(self._connection, _INSERT, rows)

    def reconcile(self, dead: Collection[str]) -> int:
        """Let what was reserved stand for the cost."""
        rows = self._connection.execute(
            sa.select(calls).where(calls.c.state == "reserved", calls.c.instance.in_(dead))
        ).all()
        for row in rows:
            micros, tokens = row.reserved_micros or 0, row.reserved_tokens
            unknown = int(row.reserved_micros is None)
            self._add(_purpose(row), row.started_at, (-micros, micros, -tokens, tokens, 1, unknown))
        if rows:
            self._connection.execute(
                sa.update(calls)
                .where(calls.c.state == "reserved", calls.c.instance.in_(dead))
                .values(
                    state="reconciled",
                    outcome="failed",
                    error="Reconciled",
                    estimated=True,
                    cost_micros=calls.c.reserved_micros,
                    ended_at=time.time(),
                )
            )
        return len(rows)

    def close(self) -> None:
        """Write the counters."""
        rows: list[dict[str, object]] = [
            {"scope": scope, "of": of, "day": day, **dict(zip(_COUNTS, change, strict=True))}
            for (scope, of, day), change in self._changes.items()
        ]
        self._changes.clear()
        _run(self._connection, _adding(self._connection.dialect.name), rows)

    def _add(self, purpose: Purpose, at: float, change: Sequence[int]) -> None:
        for key in _keys(purpose.principal, purpose.groups, purpose.task_type, purpose.release, day=int(at // _DAY_S)):
            counts = self._changes.setdefault(key, [0] * len(_COUNTS))
            for place, more in enumerate(change):
                counts[place] += more

    def _known(self, reservations: Iterable[Reservation], hard: Sequence[Budget]) -> dict[Counted, Spent]:
        """What stands in the table of the counters that are asked for, and what has been added to it on this page."""
        wanted = {
            counted
            for each in reservations
            for budget in hard
            for counted in budget.counted(each.purpose, each.started_at)
        }
        return _spent(self._connection, wanted) if wanted else {}

    def _refusal(self, each: Reservation, hard: Sequence[Budget], known: Mapping[Counted, Spent]) -> Refusal | None:
        for budget in hard:
            asked = each.tokens if budget.micros is None else each.micros
            for counted in budget.counted(each.purpose, each.started_at):
                spent = self._with_changes(counted, known.get(counted, Spent()))
                resets = resets_at(each.started_at, budget.period)
                burn = Burn(budget=budget, counted=counted, spent=spent, resets_at=resets)
                if asked is None or burn.used + asked > budget.limit:
                    return Refusal(burn=burn, asked=asked)
        return None

    def _with_changes(self, counted: Counted, spent: Spent) -> Spent:
        counts = [getattr(spent, name) for name in _COUNTS]
        for (scope, of, day), change in self._changes.items():
            if scope == counted.scope and of == counted.of and day.startswith(counted.period):
                counts = [before + more for before, more in zip(counts, change, strict=True)]
        return Spent(**dict(zip(_COUNTS, counts, strict=True)))

    def _reconciled(self, ids: Sequence[str]) -> set[str]:
        """Which of these calls are reconciled."""
        found = self._connection.exec_driver_sql(_RECONCILED[self._connection.dialect.name], (json.dumps(ids),))
        return {row[0] for row in found}


def _run(
    connection: sa.Connection, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, object]]
) -> int | None:
    """Execute a statement for each row; how many rows of the table it touched, where the driver says so.

    SQLite is given SQL that was compiled once, and the values as they are: where the database lies in this process,
    SQLAlchemy's part of the work would be the longest.
    """
    if not rows:
        return 0
    if connection.dialect.name != "sqlite":
        connection.execute(statement, list(rows))
        return None
    sql, names = _compiled(statement, tuple(rows[0]))
    values = [tuple(_plain(row[name]) for name in names) for row in rows]
    return connection.exec_driver_sql(sql, values if len(values) > 1 else values[0]).rowcount


@cache
def _compiled(statement: sa.Insert | sa.Update, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """SQLite's SQL for a statement, and the names of its parameters in their order."""
    keys = list(names) if isinstance(statement, sa.Insert) else None
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=keys)
    return str(compiled), tuple(compiled.positiontup or ())


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, list) else value


_TOKENS = tuple(field.name for field in fields(Usage) if field.name != "estimated")
_SETTLED = (
    *("state", "outcome", "error", "response_model", "cost_micros", *_TOKENS),
    *("estimated", "ended_at", "ttft_ms"),
)
_INSERT = sa.insert(calls)
_SETTLE = (
    sa.update(calls)
    .where(calls.c.id == sa.bindparam("call_id"), calls.c.state == sa.bindparam("was"))
    .values({name: sa.bindparam(name) for name in _SETTLED})
)
_RECONCILED = {
    "sqlite": "SELECT id FROM calls WHERE id IN (SELECT value FROM json_each(?)) AND state = 'reconciled'",
    "postgresql": "SELECT id FROM calls WHERE id IN (SELECT jsonb_array_elements_text(%s::jsonb)) AND state = 'reconciled'",
}
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in _COUNTS)
_JOINED = """JOIN spending ON scope = wanted.value ->> 0 AND "of" = wanted.value ->> 1
    AND day BETWEEN wanted.value ->> 2 AND wanted.value ->> 3 GROUP BY wanted.key"""
_SPENT = {
    "sqlite": f"SELECT wanted.key, {_SUMS} FROM json_each(?) AS wanted {_JOINED}",  # noqa: S608 - constants
    "postgresql": f"SELECT wanted.key - 1, {_SUMS} "  # noqa: S608 - constants
    f"FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS wanted(value, key) {_JOINED}",
}
"""Both know JSON: so many keys as there are go in as one parameter, and the SQL is the same for any number."""


@cache
def _adding(dialect: str) -> sa.Insert:
    """Insert counters; what stands there already is added to."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(spending)
    return statement.on_conflict_do_update(
        index_elements=["scope", "of", "day"],
        set_={name: spending.c[name] + statement.excluded[name] for name in _COUNTS},
    )


@lru_cache(maxsize=4096)
def _keys(principal: str, groups: frozenset[str], task_type: str, release: str, *, day: int) -> tuple[_Key, ...]:
    """The counters that a call falls under, in an order that is the same for all calls."""
    purpose = Purpose(principal=principal, groups=groups, task_type=task_type, release=release)
    of_day = period_of(day * _DAY_S, "day")
    return tuple((scope, of, of_day) for scope in SCOPES for of in named(purpose, scope))


def _spent(connection: sa.Connection, counted: Iterable[Counted]) -> dict[Counted, Spent]:
    wanted = list(counted)
    # A day is its own first and last; the days of a month begin with its name, and `~` stands behind every digit.
    keys = json.dumps([(each.scope, each.of, each.period, f"{each.period}~") for each in wanted])
    rows = connection.exec_driver_sql(_SPENT[connection.dialect.name], (keys,))
    return {wanted[row[0]]: Spent(**dict(zip(_COUNTS, map(int, row[1:]), strict=True))) for row in rows}


def _counts(row: sa.Row[Any]) -> Spent:
    return Spent(**{name: int(getattr(row, name)) for name in _COUNTS})


def _settled_change(each: Reservation, settlement: Settlement) -> tuple[int, ...]:
    """What a settlement does to the counters, in the order of `Spent`."""
    micros, cost = each.micros or 0, settlement.cost_micros
    return -micros, cost or 0, -each.tokens, _used(settlement), 1, int(cost is None)


def _reconciled_change(each: Reservation, settlement: Settlement) -> tuple[int, ...]:
    """The same where what was reserved has been taken for the cost already."""
    micros, cost = each.micros or 0, settlement.cost_micros
    return 0, (cost or 0) - micros, 0, _used(settlement) - each.tokens, 0, int(cost is None) - int(each.micros is None)


def _used(settlement: Settlement) -> int:
    return settlement.usage.input_tokens + settlement.usage.output_tokens


def _reserved_row(each: Reservation, instance: str) -> dict[str, object]:
    purpose = each.purpose
    return {
        "id": each.call_id,
        "instance": instance,
        "state": "reserved",
        "outcome": "",
        "error": "",
        "trace_id": purpose.trace_id,
        "principal": purpose.principal,
        "groups": sorted(purpose.groups),
        "stage": purpose.stage,
        "task_type": purpose.task_type,
        "category": purpose.category,
        "tier": purpose.tier,
        "release": purpose.release,
        "model": each.model,
        "provider": each.provider,
        "response_model": "",
        "reserved_tokens": each.tokens,
        "reserved_micros": each.micros,
        "cost_micros": None,
        "currency": each.currency,
        "price_version": each.price_version,
        **dict.fromkeys(_TOKENS, 0),
        "estimated": False,
        "started_at": each.started_at,
        "ended_at": None,
        "ttft_ms": None,
    }


def _settled_values(settlement: Settlement) -> dict[str, object]:
    return {
        "state": "final",
        "outcome": settlement.outcome,
        "error": settlement.error,
        "response_model": settlement.response_model,
        "cost_micros": settlement.cost_micros,
        **{name: getattr(settlement.usage, name) for name in _TOKENS},
        "estimated": settlement.usage.estimated,
        "ended_at": settlement.ended_at,
        "ttft_ms": settlement.ttft_ms,
    }


def _purpose(row: sa.Row[Any]) -> Purpose:
    return Purpose(
        principal=row.principal,
        groups=frozenset(row.groups),
        task_type=row.task_type,
        release=row.release,
    )


def _day() -> sa.ColumnElement[int]:
    """The day that a call began on, in UTC, as the days since the epoch: both databases know how to divide."""
    return sa.cast(sa.func.floor(calls.c.started_at / _DAY_S), sa.Integer)


def _cost(row: sa.Row[Any]) -> Cost:
    of = row.of if isinstance(row.of, str) else time.strftime("%Y-%m-%d", time.gmtime(row.of * _DAY_S))
    return Cost(
        of=of,
        calls=row.calls,
        cost_micros=int(row.cost),
        unknown_calls=int(row.unknown),
        estimated_calls=int(row.estimated),
        usage=replace(Usage(estimated=bool(row.estimated)), **{kind: int(getattr(row, kind)) for kind in _TOKENS}),
    )
