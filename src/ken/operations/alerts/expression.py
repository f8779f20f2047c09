"""What a rule may say of figures: arithmetic, comparisons, `and`, `or`, `not`; nothing is called and nothing loops.

    retry_rate > 0.05
    cost / questions > 0.02 and questions >= 50
    context_tokens.mean > limit
    cost_per_question > $0.02

Money is counted in millionths; `$0.02` stands for 20000 of them.

What can't be computed has no value: a figure that was not counted, a division by zero. A comparison without a value is
neither true nor false (Kleene's three values), and a rule without a verdict stays silent.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ken.errors import InvalidInput

LIMIT = "limit"
"""The word for the rule's own limit, which may differ by label."""

MILLION = 1_000_000
"""Money is counted in millionths."""

_LONGEST = 400
_DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\$?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[a-z_]\w*(?:\.\w+)?)|(?P<sign>[<>]=?|==|!=|[-+*/()]))"
)
_WORDS = frozenset({"and", "or", "not"})
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Look = Callable[[str], float | None]
"""The value of a figure by its name; None where it has none."""


@dataclass(frozen=True, slots=True)
class Number:
    """As it is written."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A figure, or the rule's limit."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Two sides and a sign between them; `not` and a minus before a value have an empty left side."""

    sign: str
    left: Node | None
    right: Node


Node = Number | Name | Operation


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed one. Equal texts are equal expressions."""

    text: str
    root: Node

    @property
    def names(self) -> tuple[str, ...]:
        """The figures in it, each once, in their order; without the word for the rule's limit."""
        return tuple(dict.fromkeys(name for name in _names(self.root) if name != LIMIT))

    @property
    def needs_limit(self) -> bool:
        """Whether it speaks of the rule's limit."""
        return LIMIT in _names(self.root)

    @property
    def is_condition(self) -> bool:
        """Whether it is true or false, rather than a number."""
        return _is_condition(self.root)

    @property
    def side(self) -> Node:
        """What has the value: of a condition the first comparison's left side, else all of it."""
        return _first_side(self.root, left=True)

    def value(self, look: Look) -> float | None:
        """Its number; None where it has none. Of a condition: that of the first comparison's left side."""
        return _number(self.side, look)

    def expected(self, look: Look) -> float | None:
        """What the first comparison compares with; None of an expression without one."""
        return _number(_first_side(self.root, left=False), look) if self.is_condition else None

    def holds(self, look: Look) -> bool | None:
        """Whether a condition is true; None where that can't be said."""
        return _truth(self.root, look)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is no expression."""

    what: str
    at: int
    """Where in the text, counted from 0."""


class _RefusedError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault = fault


def fault_of(text: str) -> Fault | None:
    """What keeps a text from being an expression, and where; None where it is one."""
    try:
        _parsed(text)
    except _RefusedError as refused:
        return refused.fault
    return None


def parse(text: str) -> Expression:
    """Parse an expression. Raises InvalidInput with the place and the remedy."""
    try:
        return _parsed(text)
    except _RefusedError as refused:
        fault = refused.fault
    if len(text) > _LONGEST:
        raise InvalidInput(fault.what)
    raise InvalidInput(
        f"The expression {text!r} can't be read: {fault.what} at character {fault.at + 1}. "
        "It is made of figures, numbers, + - * /, comparisons, and, or, not and brackets."
    )


def _parsed(text: str) -> Expression:
    if len(text) > _LONGEST:
        what = f"An expression has at most {_LONGEST} characters, and this one has {len(text)}. Shorten it."
        raise _RefusedError(Fault(what, _LONGEST))
    parser = _Parser(text)
    root = parser.disjunction(0)
    if parser.word:
        raise parser.refusal(f"{parser.word!r} is not expected")
    return Expression(" ".join(text.split()), root)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self.word, self.at, self._kind = "", 0, ""
        self._step()

    def refusal(self, what: str) -> _RefusedError:
        return _RefusedError(Fault(what, self.at))

    def disjunction(self, depth: int) -> Node:
        return self._chain(depth, ("or",), self._conjunction, _needs_truth=True)

    def _conjunction(self, depth: int) -> Node:
        return self._chain(depth, ("and",), self._negation, _needs_truth=True)

    def _negation(self, depth: int) -> Node:
        if self.word != "not":
            return self._comparison(depth)
        self._step()
        inner = self._negation(self._deeper(depth))
        if not _is_condition(inner):
            raise self.refusal("`not` stands before a comparison, and there is a number")
        return Operation("not", None, inner)

    def _comparison(self, depth: int) -> Node:
        left = self._sum(depth)
        if self.word not in _COMPARISONS:
            return left
        sign = self.word
        self._step()
        right = self._sum(depth)
        if _is_condition(left) or _is_condition(right):
            raise self.refusal("numbers are compared, and there is a comparison")
        return Operation(sign, left, right)

    def _sum(self, depth: int) -> Node:
        return self._chain(depth, ("+", "-"), self._product, _needs_truth=False)

    def _product(self, depth: int) -> Node:
        return self._chain(depth, ("*", "/"), self._factor, _needs_truth=False)

    def _chain(self, depth: int, signs: tuple[str, ...], part: Callable[[int], Node], *, _needs_truth: bool) -> Node:
        left = part(depth)
        while self.word in signs:
            sign = self.word
            self._step()
            right = part(depth)
            if _is_condition(left) != _needs_truth or _is_condition(right) != _needs_truth:
                needed = "comparisons" if _needs_truth else "numbers"
                raise self.refusal(f"{sign!r} stands between {needed}")
            depth = self._deeper(depth)
            left = Operation(sign, left, right)
        return left

    def _factor(self, depth: int) -> Node:
        word, kind = self.word, self._kind
        if word == "-":
            self._step()
            return Operation("-", None, self._factor(self._deeper(depth)))
        if word == "(":
            self._step()
            inner = self.disjunction(self._deeper(depth))
            if self.word != ")":
                raise self.refusal("a closing bracket is missing")
            self._step()
            return inner
        if kind == "number":
            self._step()
            return Number(float(word.removeprefix("$")) * (MILLION if word.startswith("$") else 1))
        if kind == "name" and word not in _WORDS:
            self._step()
            return Name(word)
        raise self.refusal(f"a figure or a number is missing{f' before {word!r}' if word else ''}")

    def _deeper(self, depth: int) -> int:
        if depth >= _DEEPEST:
            raise self.refusal(f"it is nested deeper than {_DEEPEST} times")
        return depth + 1

    def _step(self) -> None:
        self.word, self.at, self._kind = next(self._tokens, ("", len(self._text), ""))


def _tokens(text: str) -> Iterator[tuple[str, int, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise _RefusedError(Fault(f"{text[at]!r} has no meaning", at))
        kind = str(found.lastgroup)
        yield found[kind], found.start(kind), kind
        at = found.end()


def _names(node: Node) -> Iterator[str]:
    match node:
        case Name(name):
            yield name
        case Operation(_, left, right):
            if left is not None:
                yield from _names(left)
            yield from _names(right)
        case Number():
            pass


def _is_condition(node: Node) -> bool:
    return isinstance(node, Operation) and (node.sign in _COMPARISONS or node.sign in _WORDS)


def _first_side(node: Node, *, left: bool) -> Node:
    while isinstance(node, Operation) and _is_condition(node):
        is_last = node.sign in _COMPARISONS
        node = node.right if node.left is None or (is_last and not left) else node.left
    return node


def _number(node: Node, look: Look) -> float | None:
    match node:
        case Number(value):
            return value
        case Name(name):
            found = look(name)
            return found if found is not None and math.isfinite(found) else None
        case Operation(sign, left, right):
            first = 0.0 if left is None else _number(left, look)
            second = _number(right, look)
            if first is None or second is None or (sign == "/" and second == 0):
                return None
            try:
                computed = _ARITHMETIC[sign](first, second)
            except OverflowError:
                return None
            return computed if math.isfinite(computed) else None


def _truth(node: Node, look: Look) -> bool | None:
    assert isinstance(node, Operation)  # noqa: S101 - the parser lets nothing else be asked
    if node.sign in _COMPARISONS:
        assert node.left is not None  # noqa: S101 - a comparison has two sides
        left, right = _number(node.left, look), _number(node.right, look)
        return None if left is None or right is None else _COMPARISONS[node.sign](left, right)
    right = _truth(node.right, look)
    if node.left is None:
        return None if right is None else not right
    left = _truth(node.left, look)
    decisive = node.sign == "or"
    if decisive in {left, right}:
        return decisive
    return None if left is None or right is None else not decisive
