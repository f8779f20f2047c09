"""The rules in force: those that are shipped, what the operator's files say of them and besides them, and those of the API."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from ken.domain.where import parsed
from ken.errors import InvalidInput, KenError
from ken.operations.alerts.expression import Expression
from ken.operations.alerts.rule import LIMIT_PLACE, Rule, Threshold
from ken.operations.alerts.rule_table import RuleTable
from ken.operations.alerts.words import PLACES, places
from ken.telemetry.vocabulary import DIMENSIONS, METRICS, metric

FILE = "alerts.toml"
"""In the home: rules beside those of ken.toml."""

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Source:
    """Tables of rules and where they stand, for people."""

    place: str
    tables: Sequence[Table]


def shipped() -> Source:
    """The rules that Ken comes with."""
    return Source("the rules that Ken comes with", _shipped())


@cache
def _shipped() -> tuple[Table, ...]:
    return _tables_of(files("ken.operations.alerts").joinpath("rules.toml").read_text("utf-8"), "rules.toml")


def of_home(home: Path) -> Source:
    """The rules of the home's alerts.toml; none where there is no such file. Raises InvalidInput."""
    place = home / FILE
    try:
        text = place.read_text("utf-8")
    except FileNotFoundError:
        return Source(repr(str(place)), ())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{str(place)!r} can't be read: {error}. It is a TOML file in UTF-8.") from error
    return Source(repr(str(place)), _tables_of(text, str(place)))


def _tables_of(text: str, place: str) -> tuple[Table, ...]:
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{place!r} is not valid TOML: {error}. Mend that line.") from error
    tables = read.get("rules", [])
    is_list = isinstance(tables, list) and all(isinstance(each, dict) for each in cast("list[object]", tables))
    if not is_list or read.keys() - {"rules"}:
        raise InvalidInput(f"{place!r} holds rules and nothing else: tables that begin with [[rules]].")
    return tuple(cast("list[Table]", tables))


@dataclass(frozen=True, slots=True)
class Merged:
    """A rule's table, and who says what of it."""

    table: Table
    said: tuple[tuple[str, tuple[str, ...]], ...]
    """Each place that speaks of it, the one that counts most last, and the fields that count from there."""


def rules_of(sources: Iterable[Source]) -> tuple[Rule, ...]:
    """The rules of all sources. Raises InvalidInput, naming the rule, its place and the remedy."""
    return tuple(read_rule(each.table, place=each.said[-1][0]) for each in merged(sources).values())


def merged(sources: Iterable[Source]) -> dict[str, Merged]:
    """The tables of all sources by name: one with a known name changes what it names of that rule, or takes its place.

    The latter where it compares in another way. Raises InvalidInput for a table without a name, or two with the same.
    """
    found: dict[str, Merged] = {}
    for source in sources:
        own: set[str] = set()
        for number, table in enumerate(source.tables, start=1):
            name = table.get("name")
            if not isinstance(name, str):
                raise InvalidInput(f"Rule {number} of {source.place} has no `name`. Give it one, in small letters.")
            if name in own:
                raise InvalidInput(f"{source.place} has two rules named {name!r}. Give one of them another name.")
            own.add(name)
            found[name] = _upon(found.get(name), table, place=source.place)
    return found


def _upon(known: Merged | None, table: Table, *, place: str) -> Merged:
    fields = tuple(field for field in table if field != "name")
    if known is None:
        return Merged(table, ((place, fields),))
    changes_kind = "compare" in table and table["compare"] != known.table.get("compare", "threshold")
    before: Table = {} if changes_kind else known.table
    said = tuple(
        (earlier, tuple(field for field in named if field in before and field not in table))
        for earlier, named in known.said
    )
    return Merged({**before, **table}, (*said, (place, fields)))


def read_rule(table: Table, *, place: str) -> Rule:
    """One rule. Raises InvalidInput, naming the rule, its place and the remedy."""
    named = f"Rule {table.get('name')!r} of {place}"
    try:
        rule = RuleTable.model_validate(dict(table)).rule
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            what = f"there is no such field{nearest(field, RuleTable.model_fields)}"
        if problem["type"] == "string_pattern_mismatch":
            what = 'small letters, digits and underscores, as in "retry_rate"'
        raise InvalidInput(
            f"{named}: {f'{field!r}: ' if field else ''}{what}. docs/guides/alerts.md lists all."
        ) from None
    except KenError as error:
        raise InvalidInput(f"{named}: {error}") from None
    _check(rule, named)
    return rule


def _check(rule: Rule, named: str) -> None:
    """What a rule speaks of has to be there."""
    dimensions = (*([rule.by] if rule.by else []), *rule.where)
    for dimension in dimensions:
        if dimension not in DIMENSIONS:
            field = "by" if dimension == rule.by else "where"
            raise InvalidInput(
                f"{named}: there is no dimension {dimension!r}{nearest(dimension, DIMENSIONS)}", param=field
            )
    for expression in rule.expressions:
        check_names(expression, named=named, dimensions=dimensions)
    _check_forms(rule, named)
    if LIMIT_PLACE in rule.filter and rule.number is None:
        raise InvalidInput(
            f"{named}: its filter has {LIMIT_PLACE} in it, and the rule compares with no number.", param="filter"
        )
    if rule.filter:
        try:
            parsed(rule.traces(), now=0.0)
        except InvalidInput as error:
            raise InvalidInput(f"{named}: its filter can't be used: {error}", param="filter") from None
    unknown = places(rule.summary) - PLACES
    if unknown:
        raise InvalidInput(
            f"{named}: its summary has {{{min(unknown)}}} in it, and may have {', '.join(f'{{{each}}}' for each in sorted(PLACES))}.",
            param="summary",
        )


def _check_forms(rule: Rule, named: str) -> None:
    """A threshold is a condition, every other test has a figure."""
    is_threshold = isinstance(rule.test, Threshold)
    for expression in rule.expressions:
        if expression.is_condition != is_threshold:
            needed = "a condition, as in `retry_rate > 0.05`" if is_threshold else "a figure, and no condition"
            raise InvalidInput(f"{named}: {expression.text!r} has to be {needed}.")
        if not expression.names:
            raise InvalidInput(f"{named}: {expression.text!r} speaks of no figure{nearest('', METRICS)}")
        if expression.needs_limit and not (isinstance(rule.test, Threshold) and _has_limit(rule.test)):
            raise InvalidInput(f"{named}: {expression.text!r} speaks of a `limit` that is nowhere. Add `limit = ...`.")


def _has_limit(test: Threshold) -> bool:
    return test.limit is not None or bool(test.limits)


def check_labels(name: str, labels: Iterable[str], *, rules: Sequence[Rule]) -> None:
    """Labels that alerts of a rule (`*`: of any) can have. Raises InvalidInput for another one, which would silence nothing."""
    among = [rule for rule in rules if name in {rule.name, "*"}]
    known = sorted({rule.dimension for rule in among if rule.dimension})
    for label in labels:
        if label not in known:
            some = f"They have: {', '.join(known)}." if known else "They have none: silence all of the rule."
            raise InvalidInput(f"No alert of {name!r} has a label {label!r}. {some}", param="labels")


def check_names(expression: Expression, *, named: str, dimensions: Sequence[str] = ()) -> None:
    """Raises InvalidInput for a figure that there isn't, with the nearest one that there is, or that isn't told apart so."""
    for name in expression.names:
        try:
            known = metric(name)
        except InvalidInput:
            raise InvalidInput(f"{named}: there is no figure {name!r}{nearest(name, METRICS)}") from None
        for dimension in dimensions:
            if dimension not in known.by:
                told = ", ".join(sorted(known.by)) or "nothing"
                raise InvalidInput(f"{named}: {name!r} isn't told apart by {dimension!r}, but by {told}.")
        if known.needs == ("stage_ms",) and "stage" not in dimensions:
            raise InvalidInput(f'{named}: {name!r} is of one stage. Say which: `where = {{ stage = "retrieve" }}`.')


def nearest(name: str, known: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f". There are: {', '.join(sorted(known))}."
