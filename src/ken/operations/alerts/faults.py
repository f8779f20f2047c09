"""Everything that keeps a table from being a rule, field by field, for whoever writes one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError

from ken.errors import KenError
from ken.operations.alerts.expression import Fault, fault_of, parse
from ken.operations.alerts.rule_table import RuleTable
from ken.operations.alerts.rules import Table, check_names, nearest, read_rule

_EXPRESSIONS = ("when", "metric", "bad", "unless")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """One of them."""

    field: str
    """Empty: it is of the whole rule, and not of one field."""
    what: str
    at: int | None = None
    """Of an expression: where in its text, counted from 0."""


def faults_of(table: Table) -> tuple[FieldFault, ...]:
    """What is wrong with a rule's table; none where `read_rule` takes it."""
    found = (*_of_form(table), *_of_expressions(table))
    if found:
        return found
    try:
        read_rule(table, place="this form")
    except KenError as error:
        return (FieldFault(field=error.param or "", what=_bare(str(error))),)
    return ()


def _of_form(table: Table) -> Iterator[FieldFault]:
    try:
        RuleTable.model_validate(dict(table))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            field = ".".join(str(part) for part in problem["loc"])
            match problem["type"]:
                case "extra_forbidden":
                    what = f"there is no such field{nearest(field, RuleTable.model_fields)}"
                case "string_pattern_mismatch":
                    what = 'small letters, digits and underscores, as in "retry_rate"'
                case _:
                    what = problem["msg"].removeprefix("Value error, ")
            yield FieldFault(field=field, what=what)


def _of_expressions(table: Table) -> Iterator[FieldFault]:
    by, where = table.get("by"), table.get("where")
    dimensions = [by] if isinstance(by, str) and by else []
    if isinstance(where, dict):
        dimensions += cast("dict[str, object]", where)
    for field in _EXPRESSIONS:
        text = table.get(field)
        if not isinstance(text, str):
            continue
        fault = fault_of(text) or _of_names(text, dimensions)
        if fault is not None:
            yield FieldFault(field=field, what=fault.what, at=fault.at)


def _of_names(text: str, dimensions: list[str]) -> Fault | None:
    """The first figure that there isn't, or that isn't told apart so."""
    for name in parse(text).names:
        try:
            check_names(parse(name), named="", dimensions=dimensions)
        except KenError as error:
            return Fault(_bare(str(error)), text.find(name))
    return None


def _bare(message: str) -> str:
    """Without the name of the rule and its place, which whoever writes it knows."""
    place = ": "
    head, colon, rest = message.partition(place)
    return rest if colon and (not head or head.startswith("Rule ")) else message
