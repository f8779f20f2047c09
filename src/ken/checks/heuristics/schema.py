"""Whether a JSON value is of a JSON schema (json-schema.org, draft 2020-12), as far as model providers know schemas.

Looked at are type, enum, const, properties, required, additionalProperties, minProperties, maxProperties, items, prefixItems,
minItems, maxItems, uniqueItems, minLength, maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, anyOf,
oneOf, allOf, not, and $ref within the schema. Other words promise nothing here: `pattern`, as a pattern that somebody sends
may run for ever, and `format`, which is a remark by default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeGuard

from ken.domain.wire import Json

_DEEPEST = 60
"""Levels of schemas within each other; what refers to itself without end is given up there, and found fitting."""
_MOST_STEPS = 20_000
"""Schemas applied to values, for one answer."""

Object = Mapping[str, Json]


def misfit(value: Json, schema: Object) -> str:
    """The first place where a value isn't as the schema wants it, with what is wrong there; "" where it fits."""
    return next(_Fitting(schema).faults(value, schema, place="", depth=0), "")


class _Fitting:
    """One value against one schema; `steps` bounds the work, whatever somebody sends."""

    def __init__(self, root: Object) -> None:
        self._root = root
        self._steps = 0

    def faults(self, value: Json, schema: Json, *, place: str, depth: int) -> Iterator[str]:
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS or schema is True:
            return
        if schema is False:
            yield f"{place or 'the value'} may not be there"
            return
        if not _is_object(schema):
            return
        if isinstance(name := schema.get("$ref"), str):
            yield from self.faults(value, self._referred(name), place=place, depth=depth + 1)
        yield from _own_faults(value, schema, place or "the value")
        yield from self._combined(value, schema, place, depth=depth)
        if _is_object(value):
            yield from self._of_object(value, schema, place, depth=depth)
        elif _is_array(value):
            yield from self._of_array(value, schema, place, depth=depth)

    def _fits(self, value: Json, schema: Json, *, depth: int) -> bool:
        return next(self.faults(value, schema, place="", depth=depth + 1), None) is None

    def _combined(self, value: Json, schema: Object, place: str, *, depth: int) -> Iterator[str]:
        for part in _parts(schema, "allOf"):
            yield from self.faults(value, part, place=place, depth=depth + 1)
        some, one = _parts(schema, "anyOf"), _parts(schema, "oneOf")
        if some and not any(self._fits(value, part, depth=depth) for part in some):
            yield f"{place or 'the value'} fits none of `anyOf`"
        if one and sum(self._fits(value, part, depth=depth) for part in one) != 1:
            yield f"{place or 'the value'} doesn't fit exactly one of `oneOf`"
        if "not" in schema and self._fits(value, schema["not"], depth=depth):
            yield f"{place or 'the value'} fits what `not` rules out"

    def _of_object(self, value: Object, schema: Object, place: str, *, depth: int) -> Iterator[str]:
        for name in _parts(schema, "required"):
            if isinstance(name, str) and name not in value:
                yield f"{_within(place, name)} is missing"
        told = schema.get("properties")
        known: Object = told if _is_object(told) else {}
        for name, inner in value.items():
            if name in known:
                yield from self.faults(inner, known[name], place=_within(place, name), depth=depth + 1)
            elif "additionalProperties" in schema and "patternProperties" not in schema:
                yield from self.faults(
                    inner, schema["additionalProperties"], place=_within(place, name), depth=depth + 1
                )
        yield from _count(len(value), schema, place, words=("minProperties", "maxProperties", "properties"))

    def _of_array(self, value: Sequence[Json], schema: Object, place: str, *, depth: int) -> Iterator[str]:
        first = _parts(schema, "prefixItems")
        for number, inner in enumerate(value):
            wanted = first[number] if number < len(first) else schema.get("items", True)
            yield from self.faults(inner, wanted, place=f"{place}[{number}]", depth=depth + 1)
        yield from _count(len(value), schema, place, words=("minItems", "maxItems", "entries"))
        if schema.get("uniqueItems") is True and len({_key(inner) for inner in value}) < len(value):
            yield f"{place or 'the value'} has an entry twice"

    def _referred(self, name: str) -> Json:
        """The schema that `#/$defs/name` stands for; True, which fits all, where it lies elsewhere."""
        found: Json = self._root
        if not name.startswith("#"):
            return True
        for step in (part for part in name[1:].split("/") if part):
            key = step.replace("~1", "/").replace("~0", "~")
            if not _is_object(found) or key not in found:
                return True
            found = found[key]
        return found


def _is_object(value: Json) -> TypeGuard[Object]:
    return isinstance(value, dict)


def _is_array(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, list)


def _is_number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Json], bool]]] = {
    "object": _is_object,
    "array": _is_array,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def _own_faults(value: Json, schema: Object, place: str) -> Iterator[str]:
    kinds = schema.get("type")
    wanted = [kinds] if isinstance(kinds, str) else kinds if _is_array(kinds) else []
    names = [kind for kind in wanted if isinstance(kind, str) and kind in _TYPES]
    if names and not any(_TYPES[kind](value) for kind in names):
        yield f"{place} is not of the type {' or '.join(names)}"
    if "const" in schema and _key(value) != _key(schema["const"]):
        yield f"{place} is not the constant that it has to be"
    if _is_array(options := schema.get("enum")) and _key(value) not in {_key(option) for option in options}:
        yield f"{place} is none of the values that it may have"
    if isinstance(value, str):
        yield from _count(len(value), schema, place, words=("minLength", "maxLength", "characters"))
    if _is_number(value):
        yield from _bounds(value, schema, place)


def _bounds(value: float, schema: Object, place: str) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    above, below, step = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"), schema.get("multipleOf")
    if (_is_number(least) and value < least) or (_is_number(above) and value <= above):
        yield f"{place} is too small"
    if (_is_number(most) and value > most) or (_is_number(below) and value >= below):
        yield f"{place} is too great"
    if _is_number(step) and step > 0 and not math.isclose(value / step, round(value / step), abs_tol=1e-9):
        yield f"{place} is no multiple of {step}"


def _count(count: int, schema: Object, place: str, *, words: tuple[str, str, str]) -> Iterator[str]:
    least, most = schema.get(words[0]), schema.get(words[1])
    if _is_number(least) and count < least:
        yield f"{place or 'the value'} has {count} {words[2]}, fewer than {least}"
    if _is_number(most) and count > most:
        yield f"{place or 'the value'} has {count} {words[2]}, more than {most}"


def _parts(schema: Object, word: str) -> Sequence[Json]:
    found = schema.get(word)
    return found if _is_array(found) else ()


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


_Key = tuple[str, object]


def _key(value: Json) -> _Key:
    """A value as JSON compares it: 1 is 1.0, and neither is true."""
    if isinstance(value, bool) or value is None:
        return "constant", value
    if _is_number(value):
        return "number", value
    if _is_object(value):
        return "object", frozenset((name, _key(inner)) for name, inner in value.items())
    if _is_array(value):
        return "array", tuple(_key(inner) for inner in value)
    return "string", value
