"""Filters over traces as SQL: each name's column, every value as a bound parameter.

A comparison with an unknown value is false; so `not (quality < 3)` finds the unjudged, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from ken.domain.where import NAMES, AllOf, AnyOf, Comparison, Condition, IsKnown, Name, Not, OneOf, Value
from ken.storage.record_tables import BY_TIME, BY_VALUE, GATES, STAGE_COLUMNS
from ken.storage.schema import traces

Column = sa.ColumnElement[object]
ColumnOf = Callable[[str], Column]

COLUMNS: Mapping[str, str] = {
    **{name: name for name in NAMES if name in traces.c},
    **{f"{stage}.ms": column for stage, column in STAGE_COLUMNS.items()},
    **{f"tokens.{which}": f"{which}_tokens" for which in ("input", "output", "context")},
    "ttft.ms": "ttft_ms",
    "queue.ms": "queue_ms",
    "cost": "cost_micros",
    "started": "started_at",
    "conversation": "conversation_id",
    "checks": "failed_checks",
    "checks.failed": "failed",
}
"""Where the value of each name stands."""

INDEXED = frozenset(
    name
    for name, column in COLUMNS.items()
    if column in {*BY_TIME, *BY_VALUE, *(gate.column for gate in GATES), "started_at", "id", "failed_checks"}
)
"""Names by which a few traces are found among a million without reading them all."""

_GATES = {gate.column: gate for gate in GATES}
_GIVEN = frozenset({"quality", "groundedness", "helpful", "rerun_of"})
"""Gates that any value passes."""
_UNKNOWN = {"success": "unknown"}


def plain(name: str) -> Column:
    """The column as it is: indexes may serve it."""
    return traces.c[name]


def unindexed(dialect: str) -> ColumnOf:
    """Columns that no index serves: SQLite takes a term for one that a bare `+` doesn't stand before (its query planner, section 11)."""
    if dialect != "sqlite":
        return plain
    return lambda name: sa.literal_column(f"+traces.{traces.c[name].name}", type_=traces.c[name].type)


def sql_of(condition: Condition, column: ColumnOf = plain) -> sa.ColumnElement[bool]:
    """A condition over the rows of `traces`."""
    match condition:
        case Comparison():
            return _compared(column(COLUMNS[condition.name.name]), condition)
        case OneOf():
            return _one_of(column(COLUMNS[condition.name.name]), condition)
        case IsKnown():
            return _known(column(COLUMNS[condition.name.name]), condition.name)
        case Not():
            return sa.not_(sa.func.coalesce(sql_of(condition.part, column), sa.false()))
        case AllOf():
            return sa.and_(*(sql_of(part, column) for part in condition.parts))
        case AnyOf():
            return sa.or_(*(sql_of(part, column) for part in condition.parts))


@dataclass(frozen=True, slots=True)
class Path:
    """A way to a part of the traces through an index."""

    part: Condition | None
    """What it is the path to; None where it is not of the condition."""
    rows: sa.ColumnElement[bool]
    """What the index has to find: the part, and the condition of the index where it is over some traces alone."""
    by_time: bool
    """Whether the index has them by time: then the newest are found without the others."""

    def is_of(self, name: str) -> bool:
        """Whether it is the path to what a name is compared with."""
        return isinstance(self.part, Comparison | OneOf | IsKnown) and self.part.name.name == name


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """What has to hold, each on its own."""
    return condition.parts if isinstance(condition, AllOf) else (condition,)


def path_of(part: Condition) -> Path | None:
    """The index that serves one of the parts; None where there is none."""
    if isinstance(part, Not | AllOf | AnyOf):
        return None
    name = COLUMNS[part.name.name]
    if part.name.name == "checks" and not (isinstance(part, Comparison) and part.operator == "!="):
        return Path(None, sa.and_(sa.text(_GATES["failed"].condition)), by_time=False)
    if name in _GATES:
        gate = sa.text(_GATES[name].condition)
        says_no_more = name == "error" and (isinstance(part, IsKnown) or part == Comparison(part.name, "!=", ""))
        rows = sa.and_(gate) if says_no_more else sa.and_(gate, sql_of(part))
        return Path(part, rows, by_time=False) if _passes(part, name) else None
    if name in BY_TIME and (isinstance(part, OneOf) or (isinstance(part, Comparison) and part.operator == "=")):
        return Path(part, sql_of(part), by_time=isinstance(part, Comparison))
    ranged = isinstance(part, OneOf) or (isinstance(part, Comparison) and part.operator != "!=")
    if name in {*BY_VALUE, "id"} and ranged:
        return Path(part, sql_of(part), by_time=False)
    return None


def _passes(part: Condition, column: str) -> bool:
    """Whether all that a part means are among the rows of a partial index."""
    match part:
        case IsKnown():
            return column in _GIVEN or column == "error"
        case OneOf():
            return column in _GIVEN or all(_differs(value) for value in part.values)
        case Comparison(operator="!="):
            return column in _GIVEN or (column == "error" and part.value == "")
        case Comparison(operator=">" | ">=" | "=" | "contains"):
            above = part.operator == ">" and isinstance(part.value, int | float) and part.value >= 0
            return column in _GIVEN or above or _differs(part.value)
        case Comparison():
            return column in _GIVEN
        case _:
            return False


def _differs(value: Value) -> bool:
    """Whether a value is another one than nearly all traces have: 0, false, nothing."""
    return value > 0 if isinstance(value, int | float) else value != ""


def _compared(column: Column, test: Comparison) -> sa.ColumnElement[bool]:
    value = test.value
    if test.name.kind == "words":
        has = _has_word(column, value)
        return sa.not_(has) if test.operator == "!=" else has
    if test.name.kind == "flag":
        wanted = bool(value) == (test.operator == "=")
        return column.is_(sa.true()) if wanted else column.is_(sa.false())
    match test.operator:
        case "=":
            return column == value
        case "!=":
            return column != value
        case "<":
            return column < value
        case "<=":
            return column <= value
        case ">":
            return column > value
        case ">=":
            return column >= value
        case "contains":
            return column.icontains(value, autoescape=True)


def _one_of(column: Column, test: OneOf) -> sa.ColumnElement[bool]:
    if test.name.kind in {"words", "flag"}:
        return sa.or_(*(_compared(column, Comparison(test.name, "=", value)) for value in test.values))
    return column.in_(test.values)


def _has_word(column: Column, word: Value) -> sa.ColumnElement[bool]:
    return column.contains(f" {word} ", autoescape=True)


def _known(column: Column, name: Name) -> sa.ColumnElement[bool]:
    if name.kind in {"text", "words"}:
        return column != _UNKNOWN.get(name.name, "")
    return column.is_not(None)
