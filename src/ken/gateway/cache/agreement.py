"""Whether two questions agree in what vectors miss: negation, figures, dates, units, names, roles, what is asked for.

Vectors of a question and of its contrary lie as near as those of two paraphrases. So a cached answer is given only if
none of these rules finds a difference; each says in words which one it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ken.text.alignment import Alignment, align
from ken.text.asked_for import differ
from ken.text.quantities import Quantity
from ken.text.thesaurus import thesaurus
from ken.text.wording import Asked, Word, read

__all__ = ["Asked", "agree", "read"]

_CLOSE = 0.025
"""By what share two sizes in bytes may differ: 1 GB is 1,000 MB to some and 1,024 to others."""
_TINGED = frozenset(
    "fail failur broken break refus deni lack miss without error problem issu trouble unabl reject late lost stop wrong invalid declin forget forgotten lose except exclud exempt least zero nothing never cannot crash malfunct".split()
)
"""Words that carry a negation of their own: with one of these left over, an odd "not" proves nothing."""
_AGAINST = {
    frozenset(pair)
    for pair in (
        ("from", "to"), ("before", "after"), ("with", "without"), ("over", "under"), ("above", "below"), ("inside", "outside"),
        ("by", "to"), ("for", "against"), ("before", "during"), ("after", "during"), ("until", "from"), ("until", "after"), ("since", "before"), ("since", "until"),
        ("by", "after"), ("by", "from"), ("into", "from"), ("for", "from"), ("in", "without"), ("before", "since"), ("during", "outside"),
    )
}  # fmt: skip
_PEOPLE = frozenset(
    "i we you they he she manag employe staff custom client supplier vendor contractor user admin director team hr auditor doctor teacher student parent visitor guest applic candid boss supervisor colleagu intern lead owner author review tenant landlord".split()
)
_SCOPES = {
    "all": "all",
    "every": "all",
    "each": "all",
    "both": "all",
    "only": "only",
    "most": "most",
    "some": "some",
    "few": "some",
    "except": "except",
    "none": "none",
}


def agree(a: Asked, b: Asked) -> str | None:
    """None if two questions agree; else why not, in words: "numbers differ: 14 and 30"."""
    laid = align(a, b)
    return next((reason for rule in _RULES if (reason := rule(a, b, laid)) is not None), None)


def _figures(a: Asked, b: Asked, _: Alignment) -> str | None:
    left, right = _unmatched(a.quantities, b.quantities), _unmatched(b.quantities, a.quantities)
    left = [figure for figure in left if not (figure.kind == "number" and figure.value == 1)] if not right else left
    right = [figure for figure in right if not (figure.kind == "number" and figure.value == 1)] if not left else right
    if left and right:
        one, other = left[0], right[0]
        what = "units" if one.raw == other.raw and one.kind != other.kind else _NAMES.get(one.kind, "numbers")
        return f"{what} differ: {one.text} and {other.text}"
    if left or right:
        return f"only one of them says {(left or right)[0].text}"
    return None


_NAMES = {"month": "dates", "quarter": "dates", "time of day": "times", "version": "versions"}


def _unmatched(figures: Iterable[Quantity], others: tuple[Quantity, ...]) -> list[Quantity]:
    rest = list(others)
    unmatched: list[Quantity] = []
    for figure in figures:
        found = next((other for other in rest if _is_same(figure, other)), None)
        if found is None:
            unmatched.append(figure)
        else:
            rest.remove(found)
    return unmatched


def _is_same(one: Quantity, other: Quantity) -> bool:
    if one.kind == other.kind:
        if one.value == other.value:
            return True
        if isinstance(one.value, str) or isinstance(other.value, str):
            return False
        return one.kind == "bytes" and abs(one.value - other.value) <= _CLOSE * max(one.value, other.value)
    return (
        one.raw == other.raw
        and "number" in {one.kind, other.kind}
        and not {one.kind, other.kind} & {"month", "quarter"}
    )


def _named(a: Asked, b: Asked, laid: Alignment) -> str | None:
    left = [word for word in laid.left if word.is_name and not _is_spelled_out(word, b)]
    right = [word for word in laid.right if word.is_name and not _is_spelled_out(word, a)]
    if left and right:
        return f"names differ: {left[0].text} and {right[0].text}"
    if left or right:
        return f"only one of them names {(left or right)[0].text}"
    return None


def _is_spelled_out(word: Word, other: Asked) -> bool:
    """Whether the other question spells an acronym out, or writes a name shorter or longer: Postgres, PostgreSQL."""
    name = word.text.lower()
    if word.text.isupper() and len(name) > 1 and name in other.initials:
        return True
    return any(
        len(part) > 3 and (name.startswith(part) or part.startswith(name)) and abs(len(part) - len(name)) <= 3
        for part in other.bases
    )


def _kinds_apart(_a: Asked, _b: Asked, laid: Alignment) -> str | None:
    for one, other in laid.apart:
        return f"“{one.text}” is not “{other.text}”"
    marked = thesaurus().marked
    for word in (*laid.left, *laid.right):
        if word.meanings and word.meanings <= marked:
            return f"only one of them is about “{word.text}”"
    return None


def _polarity(a: Asked, b: Asked, laid: Alignment) -> str | None:
    turned = {id(one): (one, other) for one, other in laid.opposed}
    times = a.negations + b.negations
    if not times and turned:
        one, other = next(iter(turned.values()))
        return f"“{one.text}” is the contrary of “{other.text}”"
    for pair in laid.pairs:
        if (
            pair.one.is_negated != pair.other.is_negated
            and not laid.opposed
            and not _is_tinged(laid)
            and a.negations == b.negations
        ):
            return f"“{pair.one.text}” is negated in one of them"
    if (times + len(turned)) % 2 and not (a.negations != b.negations and not turned and _is_tinged(laid)):
        return "one of them says “not”" if a.negations != b.negations else "one of them says the contrary"
    return None


def _is_tinged(laid: Alignment) -> bool:
    return any(part in _TINGED for word in (*laid.left, *laid.right) for part in word.key)


def _roles(a: Asked, b: Asked, laid: Alignment) -> str | None:
    pairs = laid.pairs
    for pair in pairs:
        if frozenset({pair.one.role, pair.other.role}) in _AGAINST:
            return f"“{pair.one.role} {pair.one.text}” against “{pair.other.role} {pair.other.text}”"
    for index, first in enumerate(pairs):
        for second in pairs[index + 1 :]:
            if first.one.role == second.one.role or (first.one.joined >= 0 and first.one.joined == second.one.joined):
                continue
            if first.one.role == second.other.role and second.one.role == first.other.role:
                return f"“{first.one.text}” and “{second.one.text}” have changed places"
    return None


def _doers(a: Asked, b: Asked, _: Alignment) -> str | None:
    for one in a.doings:
        for other in b.doings:
            if one.verb != other.verb:
                continue
            gives, takes = one.agents & other.patients, one.patients & other.agents
            gives, takes = gives - takes, takes - gives
            if gives and takes and not (one.agents & other.agents) | (one.patients & other.patients):
                return f"who does it to whom differs: {min(gives)} and {min(takes)}"
            changed = ((gives - one.patients) | (takes - other.patients)) & _PEOPLE
            if changed and not (one.agents & other.agents):
                return f"“{min(changed)}” does it in one of them, and has it done in the other"
    return None


def _asked(a: Asked, b: Asked, _: Alignment) -> str | None:
    if differ(a.kinds, b.kinds):
        return f"one asks for {min(a.kinds)}, the other for {min(b.kinds)}"
    return None


def _scope(a: Asked, b: Asked, _: Alignment) -> str | None:
    one, other = ({_SCOPES[word] for word in question.scope if word in _SCOPES} for question in (a, b))
    strict = (one ^ other) & {"only", "except", "most", "none", "some"}
    if one and other and one != other:
        return f"“{min(one)}” is not “{min(other)}”"
    return f"only one of them says “{min(strict)}”" if strict & {"only", "except", "none"} else None


_RULES: tuple[Callable[[Asked, Asked, Alignment], str | None], ...] = (
    _figures,
    _named,
    _kinds_apart,
    _polarity,
    _roles,
    _doers,
    _asked,
    _scope,
)
