"""The unit of what a rule compares, as far as its figures have one."""

from __future__ import annotations

from ken.errors import InvalidInput
from ken.operations.alerts.expression import Expression, Name, Node, Number, Operation
from ken.telemetry.vocabulary import Unit, metric


def unit_of(expression: Expression) -> Unit | None:
    """The unit of an expression's value; None where it has none, or none that is known."""
    return _unit(expression.side)


def _unit(node: Node) -> Unit | None:
    match node:
        case Number():
            return None
        case Name(name):
            try:
                return metric(name).unit
            except (
                InvalidInput
            ):  # the rule's limit, or a figure that there isn't, which is told where rules are checked
                return None
        case Operation("/", left, right):
            counted = _unit(right) in {"count", None}
            return _unit(left) if left is not None and counted else None
        case Operation(_, left, right):
            return (None if left is None else _unit(left)) or _unit(right)
