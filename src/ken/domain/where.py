"""A small language that says which traces are meant: `retrieve.ms > 500 and quality < 3`.

Names of figures are compared with values of their kind, and put together with `and`, `or`, `not` and brackets. What a text says is checked
here, whole, before anything is looked for: names, kinds, bounds on length and depth. docs/guides/tracing.md has the language for people.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Literal, NoReturn, get_args

from ken.domain.answer import Outcome
from ken.domain.trace import CaptureTier, Success, TraceKind
from ken.errors import InvalidInput

LONGEST = 2_000
"""Characters of a filter."""
MOST_TESTS = 50
MOST_VALUES = 100
"""Values within the brackets of `in`."""
DEEPEST = 20
"""Brackets and `not` within one another."""
_GREATEST = 1e12
_LONGEST_TEXT = 300

Kind = Literal["time", "duration", "count", "share", "money", "score", "flag", "text", "words"]
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "contains"]
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Name:
    """Something that a trace is found by."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    """All that it can be; empty for anything."""
    nobody_elses: bool = False
    """Whether operators alone may ask by it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A name compared with a value: milliseconds, millionths of money, seconds since the epoch, shares of 1, words."""

    name: Name
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """A name that has one of several values."""

    name: Name
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class IsKnown:
    """A name that has a value at all."""

    name: Name


@dataclass(frozen=True, slots=True)
class Not:
    """What doesn't hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """What holds together."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What holds in part."""

    parts: tuple[Condition, ...]


Condition = Comparison | OneOf | IsKnown | Not | AllOf | AnyOf

STAGES = (
    *("intake", "screen", "classify", "recall", "retrieve", "embed", "assemble", "route", "generate", "verify"),
    "settle",
)
NAMES: Mapping[str, Name] = {
    each.name: each
    for each in (
        Name("id", "text"),
        Name("started", "time"),
        Name("ms", "duration"),
        Name("ttft.ms", "duration"),
        Name("queue.ms", "duration"),
        *(Name(f"{stage}.ms", "duration") for stage in STAGES),
        Name("cost", "money"),
        *(Name(f"tokens.{which}", "count") for which in ("input", "output", "context")),
        *(Name(which, "count") for which in ("attempts", "retries", "fallbacks", "timeouts", "hedges", "passages")),
        *(Name(which, "share") for which in ("relevance", "mean_relevance", "least_relevance", "utilisation")),
        Name("confidence", "share"),
        Name("quality", "score"),
        Name("groundedness", "score"),
        *(Name(which, "flag") for which in ("helpful", "escalated", "degraded", "cached")),
        Name("success", "text", get_args(Success)),
        Name("outcome", "text", (*get_args(Outcome), "finished")),
        Name("kind", "text", get_args(TraceKind)),
        Name("capture", "text", get_args(CaptureTier)),
        *(Name(which, "text") for which in ("task_type", "category", "tier", "model", "release", "cache", "error")),
        Name("conversation", "text"),
        Name("rerun_of", "text"),
        Name("principal", "text", nobody_elses=True),
        Name("checks", "words"),
        Name("checks.failed", "count"),
        Name("reasons", "words"),
    )
}
"""All that traces are found by."""
_ALSO = {"time": "started", "trace": "id", "latency": "ms"}

_TOKEN = re.compile(
    r"\s*(?:(?P<sign><=|>=|!=|==|<>|[()<>=,])|\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>[^\s()<>=!,\"']+))"
)
_NUMBER = re.compile(r"(-?\d{1,15}(?:\.\d{1,12})?(?:e[+-]?\d{1,2})?)([a-z%]*)", re.IGNORECASE)
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_THOUSANDS = {"": 1.0, "k": 1e3}
_SHARES = {"": 1.0, "%": 0.01}
_YES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SAME: Mapping[str, Operator] = {"==": "=", "<>": "!="}
_ORDERED = frozenset({"time", "duration", "count", "share", "money", "score"})
_NEAR = 0.7
"""What is less alike is another word, and no slip."""
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "contains"})


def parsed(text: str, *, now: float) -> Condition:
    """Read a filter; `now` (seconds since the epoch) is what `-24h` counts from. Raises InvalidInput, which names the place."""
    if len(text) > LONGEST:
        raise InvalidInput(f"The filter has {len(text)} characters; it may have {LONGEST}. Shorten it.")
    return _Reader(text, now).whole()


def names_in(condition: Condition) -> Iterator[Name]:
    """The names that a condition asks for, in its order, as often as it does."""
    match condition:
        case Comparison() | OneOf() | IsKnown():
            yield condition.name
        case Not():
            yield from names_in(condition.part)
        case AllOf() | AnyOf():
            for part in condition.parts:
                yield from names_in(part)


def also(condition: Condition, other: Condition) -> AllOf:
    """Both of them."""
    both = (condition, other)
    return AllOf(tuple(part for each in both for part in (each.parts if isinstance(each, AllOf) else (each,))))


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    at: int
    """Its first character, from 0."""
    quoted: bool = False

    @property
    def keyword(self) -> str:
        return "" if self.quoted else self.text.casefold()


@dataclass(slots=True)
class _Reader:
    """Recursive descent, a method a rule: any_of, all_of, negated, test, value."""

    text: str
    now: float
    tokens: list[_Token] = field(init=False)
    next: int = 0
    depth: int = 0
    tests: int = 0

    def __post_init__(self) -> None:
        self.tokens = list(self._cut())

    def whole(self) -> Condition:
        if not self.tokens:
            raise InvalidInput("The filter is empty. Write one such as: retrieve.ms > 500 and quality < 3")
        found = self._any_of()
        if self.next < len(self.tokens):
            self._fail("`and`, `or` or the end was expected")
        return found

    def _cut(self) -> Iterator[_Token]:
        at, end = 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            if match is None:
                place = at + len(self.text[at:]) - len(self.text[at:].lstrip())
                raise InvalidInput(
                    f"The filter can't be read at character {place + 1}, before {self.text[place : place + 20]!r}: "
                    "a quotation mark may be missing, or a sign may be none of = != < <= > >=."
                )
            kind = str(match.lastgroup)
            said = match[kind]
            if kind in {"double", "single"}:
                said = re.sub(r"\\(.)", r"\1", said, flags=re.DOTALL)
            yield _Token(said, match.start(kind), quoted=kind in {"double", "single"})
            at = match.end()

    def _any_of(self) -> Condition:
        return self._joined("or", self._all_of, AnyOf)

    def _all_of(self) -> Condition:
        return self._joined("and", self._negated, AllOf)

    def _joined(
        self, keyword: str, part: Callable[[], Condition], joined: Callable[[tuple[Condition, ...]], Condition]
    ) -> Condition:
        parts = [part()]
        while self._took(keyword):
            parts.append(part())
        return parts[0] if len(parts) == 1 else joined(tuple(parts))

    def _negated(self) -> Condition:
        if not (self._sees("not") or self._sees("(")):
            return self._test()
        self.depth += 1
        if self.depth > DEEPEST:
            self._fail(f"brackets and `not` may stand within one another {DEEPEST} times")
        if self._took("not"):
            found: Condition = Not(self._negated())
        else:
            self._took("(")
            found = self._any_of()
            self._expect(")")
        self.depth -= 1
        return found

    def _test(self) -> Condition:
        self.tests += 1
        if self.tests > MOST_TESTS:
            self._fail(f"a filter may compare {MOST_TESTS} times")
        name = self._name()
        if self._took("is"):
            known = not self._took("not")
            if self._took("unknown"):
                known = not known
            elif not self._took("known"):
                self._fail("`known` or `unknown` was expected" + self._known_hint())
            return IsKnown(name) if known else Not(IsKnown(name))
        if self._took("in"):
            return OneOf(name, self._values(name))
        if self._took("not"):
            self._expect("in")
            return Not(OneOf(name, self._values(name)))
        operator = self._operator()
        if operator is not None:
            self._check_operator(name, operator)
            return Comparison(name, operator, self._value(name))
        if name.kind != "flag":
            self._fail(
                f"{name.name!r} has to be compared: = != < <= > >=, `contains`, `in (...)` or `is unknown` was expected"
            )
        return Comparison(name, "=", value=True)

    def _name(self) -> Name:
        token = self._peek()
        if token is None or token.quoted or not token.text[0].isalpha() or token.keyword in _KEYWORDS:
            self._fail("a name was expected, such as retrieve.ms")
        asked = _ALSO.get(token.keyword, token.keyword)
        if asked not in NAMES:
            near = get_close_matches(asked, [*NAMES, *_ALSO], n=1, cutoff=_NEAR)
            near = near or [name for name in NAMES if name.startswith(f"{asked}.")]
            hint = f"Did you mean {near[0]!r}?" if near else "docs/guides/tracing.md lists the names."
            self._fail(f"there is no name {token.text[:60]!r}. {hint}")
        self.next += 1
        return NAMES[asked]

    def _known_hint(self) -> str:
        token = self._peek()
        near = get_close_matches("" if token is None else token.keyword, ("unknown", "known"), n=1)
        return f". Did you mean {near[0]!r}?" if near else ""

    def _operator(self) -> Operator | None:
        token = self._peek()
        if token is None or token.quoted:
            return None
        sign = _SAME.get(token.keyword, token.keyword)
        for operator in ("=", "!=", "<", "<=", ">", ">=", "contains"):
            if sign == operator:
                self.next += 1
                return operator
        return None

    def _check_operator(self, name: Name, operator: Operator) -> None:
        ordered = operator in {"<", "<=", ">", ">="}
        if (ordered and name.kind not in _ORDERED) or (operator == "contains" and name.kind not in {"text", "words"}):
            self.next -= 1
            other = (
                "= != < <= > >=" if name.kind in _ORDERED else "= or !=" if name.kind == "flag" else "=, != or contains"
            )
            self._fail(f"{name.name!r} can't be compared so: use {other}")

    def _values(self, name: Name) -> tuple[Value, ...]:
        self._expect("(")
        found = [self._value(name)]
        while self._took(","):
            if len(found) == MOST_VALUES:
                self._fail(f"`in` takes {MOST_VALUES} values")
            found.append(self._value(name))
        self._expect(")")
        return tuple(found)

    def _value(self, name: Name) -> Value:
        token = self._peek()
        if token is None or (
            not token.quoted and token.text in {"(", ")", ",", "=", "!=", "<", "<=", ">", ">=", "==", "<>"}
        ):
            self._fail(f"a value of {name.name!r} was expected")
        found = _value_of(token.text, name, self.now)
        if found is None:
            self._fail(f"{token.text[:60]!r} is no value of {name.name!r}: {_wanted(name, token.text)}")
        self.next += 1
        return found

    def _peek(self) -> _Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def _sees(self, keyword: str) -> bool:
        token = self._peek()
        return token is not None and token.keyword == keyword

    def _took(self, keyword: str) -> bool:
        sees = self._sees(keyword)
        self.next += sees
        return sees

    def _expect(self, keyword: str) -> None:
        if not self._took(keyword):
            self._fail(f"`{keyword}` was expected")

    def _fail(self, why: str) -> NoReturn:
        token = self._peek()
        place = "at its end" if token is None else f"at character {token.at + 1} ({token.text[:40]!r})"
        raise InvalidInput(f"The filter can't be read {place}: {why}" + ("" if why.endswith((".", "?")) else "."))


def _value_of(text: str, name: Name, now: float) -> Value | None:
    """A value as its kind has it; None for what is none."""
    match name.kind:
        case "text" | "words":
            fits = len(text) <= _LONGEST_TEXT and (not name.values or text in name.values) and _is_storable(text)
            return text if fits else None
        case "flag":
            return _YES.get(text.casefold())
        case "time":
            return _moment(text, now)
        case "duration":
            return _measured(text, {"": 1.0} | {unit: seconds * 1000 for unit, seconds in _SECONDS.items()})
        case "money":
            amount = _measured(text.removeprefix("$"), _THOUSANDS)
            return None if amount is None else round(amount * 1_000_000)
        case "count":
            number = _measured(text, _THOUSANDS)
            return int(number) if number is not None and number.is_integer() else number
        case "share":
            return _measured(text, _SHARES)
        case "score":
            return _measured(text, {"": 1.0})


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _measured(text: str, units: Mapping[str, float]) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None or match[2].casefold() not in units:
        return None
    value = float(match[1]) * units[match[2].casefold()]
    return value if math.isfinite(value) and abs(value) <= _GREATEST else None


def _moment(text: str, now: float) -> float | None:
    if text.startswith("-"):
        ago = _measured(text[1:], _SECONDS)
        return None if ago is None else now - ago
    try:
        read = datetime.fromisoformat(text)
        moment = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def _wanted(name: Name, text: str) -> str:
    if name.values:
        near = get_close_matches(text, name.values, n=1)
        return f"it is one of {', '.join(name.values)}." + (f" Did you mean {near[0]!r}?" if near else "")
    return _WANTED[name.kind]


_WANTED: Mapping[Kind, str] = {
    "time": "a time was expected, such as 2026-11-20, 2026-11-20T14:30+01:00 or -24h.",
    "duration": "a duration was expected, such as 500 (milliseconds), 500ms, 2.5s or 3min.",
    "count": "a number was expected, such as 3 or 8k.",
    "share": "a number from 0 to 1 was expected, such as 0.4 or 40%.",
    "score": "a number was expected, such as 3 or 4.5.",
    "money": "an amount was expected, such as 0.01; for $0.01 put the filter in single quotes, as a shell takes $0 for its own name.",
    "flag": "true or false was expected.",
    "text": f"a text of up to {_LONGEST_TEXT} characters was expected.",
    "words": "a word was expected.",
}
