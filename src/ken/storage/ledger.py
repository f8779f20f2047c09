"""The ledger: every call of a model with what it cost, and what is spent by whom and for what."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ken.domain.booking import Cost, Reservation, Settlement
from ken.domain.budget import Budget, Burn, Counted, Refusal, Spent, all_counted, resets_at
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

        Settlements come first, then reservations in their order, each only if every hard budget that binds it has
        room for it beside all that is spent and reserved, by whatever process. Durable where there is a reservation.
        """
        begun = {entry.reservation.call_id for entry in entries if entry.settlement is None}
        with self._database.write(durable=bool(begun)) as connection:
            page = _Page(connection, instance)
            page.settle([each for each in entries if each.settlement and each.reservation.call_id not in begun])
            refusals = page.reserve([each.reservation for each in entries if each.settlement is None], budgets)
            page.close()
            # Called off while its reservation was on its way here.
            page.settle([each for each in entries if each.settlement and each.reservation.call_id in begun])
            page.close()
        return [refusals.get(entry.reservation.call_id) for entry in entries]

    def spent(self, counted: Collection[Counted]) -> dict[Counted, Spent]:
        """Read counters; one that nobody has touched has come to nothing."""
        with self._database.read() as connection:
            return _spent(connection, counted)

    def in_period(self, periods: Collection[str]) -> dict[Counted, Spent]:
        """Read all counters of days and months."""
        query = sa.select(spending).where(spending.c.period.in_(periods))
        with self._database.read() as connection:
            return {_counted(row): _counts(row) for row in connection.execute(query)}

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

    def delete_older_than(self, seconds: float) -> int:
        """Delete calls that began more than `seconds` ago, and the counters of days and months that ended before; how many calls."""
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
        # A month sorts before its days, so that it goes with the first of them: not before it has ended.
        month, day = (time.strftime(form, time.gmtime(horizon)) for form in ("%Y-%m", "%Y-%m-%d"))
        ended = sa.and_(spending.c.period < day, spending.c.period != month)
        with self._database.write() as connection:
            connection.execute(sa.delete(spending).where(ended, spending.c.reserved_tokens == 0))
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


class _Page:
    """What one transaction writes, counters summed up so that each is touched once."""

    def __init__(self, connection: sa.Connection, instance: str) -> None:
        self._connection = connection
        self._instance = instance
        self._changes: dict[Counted, list[int]] = defaultdict(lambda: [0] * len(_COUNTS))

    def reserve(self, reservations: Sequence[Reservation], budgets: Sequence[Budget]) -> dict[str, Refusal]:
        """Insert the rows of reservations that fit into their budgets; the others by call id, and why."""
        refusals: dict[str, Refusal] = {}
        rows: list[dict[str, object]] = []
        hard = [budget for budget in budgets if budget.is_hard]
        known = self._known(reservations, hard)
        for each in reservations:
            refusal = self._refusal(each, hard, known)
            if refusal is not None:
                refusals[each.call_id] = refusal
                continue
            rows.append(_reserved_row(each, self._instance))
            self._add(each.purpose, each.started_at, reserved_micros=each.micros or 0, reserved_tokens=each.tokens)
        if rows:
            self._connection.execute(sa.insert(calls), rows)
        return refusals

    def settle(self, entries: Sequence[Entry]) -> None:
        """Make rows final. One that was reconciled meanwhile is put right; one that was deleted is left so."""
        if not entries:
            return
        reserved = [entry for entry in entries if entry.is_reserved]
        found = self._states([entry.reservation.call_id for entry in reserved])
        updates: list[dict[str, object]] = []
        for entry in reserved:
            each, settlement = entry.reservation, entry.settlement
            state = found.get(each.call_id)
            if settlement is None or state is None or state == "final":
                continue
            updates.append({"b_id": each.call_id, **_settled_values(settlement)})
            self._close_call(each, settlement, was_reconciled=state == "reconciled")
        if updates:
            self._connection.execute(_SETTLE, updates)
        free = [entry for entry in entries if not entry.is_reserved and entry.settlement is not None]
        if free:
            rows = [
                _reserved_row(entry.reservation, self._instance) | _settled_values(entry.settlement)
                for entry in free
                if entry.settlement is not None
            ]
            self._connection.execute(sa.insert(calls), rows)

    def reconcile(self, dead: Collection[str]) -> int:
        """Let what was reserved stand for the cost."""
        rows = self._connection.execute(
            sa.select(calls).where(calls.c.state == "reserved", calls.c.instance.in_(dead))
        ).all()
        for row in rows:
            self._add(
                _purpose(row),
                row.started_at,
                reserved_micros=-(row.reserved_micros or 0),
                final_micros=row.reserved_micros or 0,
                reserved_tokens=-row.reserved_tokens,
                final_tokens=row.reserved_tokens,
                calls=1,
                unknown_calls=int(row.reserved_micros is None),
            )
        if rows:
            self._connection.execute(
                sa.update(calls)
                .where(calls.c.id.in_([row.id for row in rows]))
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
        rows = [
            {
                "period": counted.period,
                "scope": counted.scope,
                "of": counted.of,
                **dict(zip(_COUNTS, change, strict=True)),
            }
            for counted, change in self._changes.items()
        ]
        self._changes.clear()
        if rows:
            self._connection.execute(_adding(self._connection.dialect.name), rows)

    def _close_call(self, each: Reservation, settlement: Settlement, *, was_reconciled: bool) -> None:
        cost, used = settlement.cost_micros, settlement.usage.input_tokens + settlement.usage.output_tokens
        micros = each.micros or 0
        if was_reconciled:
            self._add(
                each.purpose,
                each.started_at,
                final_micros=(cost or 0) - micros,
                final_tokens=used - each.tokens,
                unknown_calls=int(cost is None) - int(each.micros is None),
            )
        else:
            self._add(
                each.purpose,
                each.started_at,
                reserved_micros=-micros,
                final_micros=cost or 0,
                reserved_tokens=-each.tokens,
                final_tokens=used,
                calls=1,
                unknown_calls=int(cost is None),
            )

    def _add(self, purpose: Purpose, at: float, **change: int) -> None:
        for counted in all_counted(purpose, at):
            counts = self._changes[counted]
            for place, name in enumerate(_COUNTS):
                counts[place] += change.get(name, 0)

    def _known(self, reservations: Iterable[Reservation], hard: Sequence[Budget]) -> dict[Counted, Spent]:
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
                spent = _plus(known.get(counted, Spent()), self._changes.get(counted))
                burn = Burn(
                    budget=budget, counted=counted, spent=spent, resets_at=resets_at(each.started_at, budget.period)
                )
                if asked is None or burn.used + asked > budget.limit:
                    return Refusal(burn=burn, asked=asked)
        return None

    def _states(self, ids: Sequence[str]) -> dict[str, str]:
        if not ids:
            return {}
        query = sa.select(calls.c.id, calls.c.state).where(calls.c.id.in_(ids))
        return {row.id: row.state for row in self._connection.execute(query)}


_TOKENS = tuple(field.name for field in fields(Usage) if field.name != "estimated")
_SETTLE = (
    sa.update(calls)
    .where(calls.c.id == sa.bindparam("b_id"))
    .values(
        {name: sa.bindparam(name) for name in ("state", "outcome", "error", "response_model", "cost_micros", *_TOKENS)}
    )
    .values({name: sa.bindparam(name) for name in ("estimated", "ended_at", "ttft_ms")})
)


@cache
def _adding(dialect: str) -> sa.Insert:
    """Insert counters; what stands there already is added to."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(spending)
    return statement.on_conflict_do_update(
        index_elements=["period", "scope", "of"],
        set_={name: spending.c[name] + statement.excluded[name] for name in _COUNTS},
    )


def _spent(connection: sa.Connection, wanted: Collection[Counted]) -> dict[Counted, Spent]:
    keys = sa.tuple_(spending.c.period, spending.c.scope, spending.c.of)
    query = sa.select(spending).where(keys.in_([(each.period, each.scope, each.of) for each in wanted]))
    return {_counted(row): _counts(row) for row in connection.execute(query)}


def _counted(row: sa.Row[Any]) -> Counted:
    return Counted(scope=row.scope, of=row.of, period=row.period)


def _counts(row: sa.Row[Any]) -> Spent:
    return Spent(**{name: getattr(row, name) for name in _COUNTS})


def _plus(spent: Spent, change: Sequence[int] | None) -> Spent:
    if change is None:
        return spent
    return Spent(**{name: getattr(spent, name) + more for name, more in zip(_COUNTS, change, strict=True)})


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


def _day() -> sa.ColumnElement[str]:
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
        usage=Usage(**{kind: int(getattr(row, kind)) for kind in _TOKENS}),
    )
