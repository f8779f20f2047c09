"""Whether two documents say different things of the same thing.

Two statements disagree when they give different values of one kind for one subject, name different people for one duty,
or when one allows (or asserts) what the other forbids (or denies). It is deliberately one-sided: rules for different
groups, places or cases, values of different units and bounds ("at least" and "at most") are taken for two rules, not for
a conflict. It looks at words alone, so it needs no model and no vectors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from ken.checks.claims import GROUPS, Claim, Claims, can_be_disputed, claims, people, scope, topic, wording
from ken.checks.values import Value
from ken.domain.conflict import Disagreement, Kind, Statement

__all__ = ["Disagreement", "Statement", "conflicts", "conflicts_among", "disagreement"]

_LEAST_SHARED = 3
"""Content words that two statements must share to be about the same thing."""
_ENOUGH_SHARED = 4
"""With so many, the smaller subject may have words that the other lacks."""
_CONTAINED = 0.75
"""Share of the smaller subject's words that the other must have."""
_OF_LARGER = 0.4
"""Share of the larger subject's words that the smaller must have."""
_BEYOND_PEOPLE = 2
"""Content words that they must share beside the names of roles."""
_MOST_ALONE = 1
"""Content words that either statement may have to itself where one denies what the other says."""
_SAME = 0.02
_SAME_OTHER_UNIT = 0.1
"""How far apart two amounts may lie and count as equal: 4 weeks and a month do."""
_COMMON = 200
"""A word that more statements hold than this finds no partners: it would pair everything with everything."""
_OPPOSITES = frozenset(
    frozenset(pair) for pair in (("allowed", "forbidden"), ("required", "optional"), ("required", "forbidden"))
)


def conflicts(first: Sequence[Statement], second: Sequence[Statement]) -> tuple[Disagreement, ...]:
    """The pairs of a statement of `first` and one of `second` that disagree, the surest first.

    Every pair is looked at, so this is for passages and for pairs of documents; `conflicts_among` is for a collection.
    """
    found = (disagreement(one, other) for one in first for other in second)
    return _surest_first(each for each in found if each is not None)


def conflicts_among(
    statements: Sequence[Statement], *, may_differ: Callable[[str, str], bool] | None = None
) -> tuple[Disagreement, ...]:
    """All disagreements among the statements of a collection, the surest first.

    `may_differ(a, b)`: whether two documents, by id, may well say different things, as one supersedes the other; such
    pairs are left out. Only statements that share several words which aren't common are compared: n statements take
    about n times the number of statements that share their rarer words, not n squared.
    """
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for index, statement in enumerate(statements):
        for word in _subject(statement):
            holders[word].append(index)
    found: list[Disagreement] = []
    for index, statement in enumerate(statements):
        partners = Counter(
            other
            for word in _subject(statement)
            if len(holders[word]) <= _COMMON
            for other in holders[word]
            if other > index
        )
        for other, shared in partners.items():
            related = may_differ is not None and may_differ(statement.document_id, statements[other].document_id)
            if shared > 1 and not related:
                each = disagreement(statement, statements[other])
                if each is not None:
                    found.append(each)
    return _surest_first(found)


def disagreement(first: Statement, second: Statement) -> Disagreement | None:
    """How two statements disagree; None where they don't, or are of one document."""
    if first.document_id == second.document_id or first.text == second.text or _is_template(first, second):
        return None
    one, other = claims(first.text), claims(second.text)
    found = _values_differ(first, second) or _stances_differ(one, other, first=first, second=second)
    if found is None:
        return None
    kind, values, shared = found
    return Disagreement(kind=kind, first=first, second=second, values=values, shared=shared)


def _surest_first(found: Iterator[Disagreement] | list[Disagreement]) -> tuple[Disagreement, ...]:
    return tuple(sorted(found, key=lambda each: (-each.shared, each.first.document_id, each.second.document_id)))


_Found = tuple[Kind, tuple[str, str], int]


def _subject(statement: Statement) -> frozenset[str]:
    """What finds partners: nothing where a statement claims nothing that could be disputed."""
    return claims(statement.text).subject if can_be_disputed(statement.text) else frozenset()


def _is_template(first: Statement, second: Statement) -> bool:
    """Whether two pages follow one pattern, such as runbooks: other titles, the same headings below."""
    above = [tuple(level for level in each.headings if level != each.title) for each in (first, second)]
    return bool(above[0]) and above[0] == above[1] and not topic(first.title) & topic(second.title)


def _values_differ(first: Statement, second: Statement) -> _Found | None:
    one, other = claims(first.text).values, claims(second.text).values
    in_columns = any(claim.column for claim in one) and any(claim.column for claim in other)

    def place(claim: Claim) -> tuple[Kind, frozenset[str]]:
        return claim.value.kind, claim.column if in_columns else frozenset()

    differing: list[_Found] = []
    for key in dict.fromkeys(map(place, one)):
        mine = [claim for claim in one if place(claim) == key]
        theirs = [claim for claim in other if place(claim) == key]
        only_mine = [claim for claim in mine if not any(_equal(claim.value, each.value) for each in theirs)]
        only_theirs = [claim for claim in theirs if not any(_equal(claim.value, each.value) for each in mine)]
        # With more than one on a side nobody knows which stands against which.
        if len(only_mine) == 1 and len(only_theirs) == 1:
            shared = _same_subject(only_mine[0], only_theirs[0], first=first, second=second)
            if shared and _comparable(only_mine[0].value, only_theirs[0].value):
                differing.append((key[0], (only_mine[0].value.text, only_theirs[0].value.text), shared))
        elif only_mine and only_theirs:
            return None
    return differing[0] if len(differing) == 1 else None


def _comparable(one: Value, other: Value) -> bool:
    return one.unit == other.unit and (one.bound == other.bound or not one.bound or not other.bound)


def _equal(one: Value, other: Value) -> bool:
    if one.word or other.word:
        # "31 March" and "31 March 2026" are one day, "the manager" and "the line manager" one person.
        return one.word == other.word or one.word.endswith(f" {other.word}") or _begins(one.word, other.word)
    tolerance = _SAME if one.unit == other.unit and one.unit != "day" else _SAME_OTHER_UNIT
    return one.unit == other.unit and _near(one.low, other.low, tolerance) and _near(one.high, other.high, tolerance)


def _begins(one: str, other: str) -> bool:
    return other.endswith(f" {one}") or one.startswith(f"{other} ") or other.startswith(f"{one} ")


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _same_subject(one: Claim, other: Claim, *, first: Statement, second: Statement) -> int:
    """How many content words two claims share, 0 where they are not about the same thing."""
    shared = one.subject & other.subject
    smaller, larger = sorted((len(one.subject), len(other.subject)))
    if one.column and other.column:
        # Two tables: the same row under the same heading is enough, as labels are short.
        told = len(shared) + len(one.column & other.column) + bool(_above(first) & _above(second))
        return told if shared and smaller == larger == len(shared) and told >= _LEAST_SHARED else 0
    enough = len(shared) >= _LEAST_SHARED and (len(shared) == smaller or len(shared) >= _ENOUGH_SHARED)
    if not enough or len(shared) < max(_CONTAINED * smaller, _OF_LARGER * larger):
        return 0
    if len(shared - people(first.text)) < _BEYOND_PEOPLE:
        return 0
    if one.reference and other.reference and one.reference.isdisjoint(other.reference):
        return 0
    return len(shared) if _same_scope(one, other, first=first, second=second) else 0


def _same_scope(one: Claim | Claims, other: Claim | Claims, *, first: Statement, second: Statement) -> bool:
    """Whether neither is a rule for cases that the other doesn't speak of."""
    above = [_above(each) for each in (first, second)]
    mine = one.subject - other.subject - above[1]
    theirs = other.subject - one.subject - above[0]
    narrowed = (mine & scope(first.text)) | (theirs & scope(second.text))
    narrowed |= (above[0] ^ above[1]) & GROUPS - one.subject - other.subject
    if narrowed or mine & one.conditions or theirs & other.conditions:
        return False
    named, others_named = mine & one.names, theirs & other.names
    if (named and others_named) or ((named or others_named) and not one.names & other.names):
        return False
    return not _is_exchanged(mine, theirs, first=first.text, second=second.text)


def _above(statement: Statement) -> frozenset[str]:
    return topic(statement.title).union(*map(topic, statement.headings))


def _is_exchanged(mine: frozenset[str], theirs: frozenset[str], *, first: str, second: str) -> bool:
    """Whether one text has a word where the other has another one, between the same two: "its client certificate"."""
    places = [
        {(before, after): word for before, word, after in _threes(text) if word in alone}
        for text, alone in ((first, mine), (second, theirs))
    ]
    return not places[0].keys().isdisjoint(places[1])


def _threes(text: str) -> Iterator[tuple[str, str, str]]:
    words = ("", *wording(text), "")
    return zip(words, words[1:], words[2:], strict=False)


def _stances_differ(one: Claims, other: Claims, *, first: Statement, second: Statement) -> _Found | None:
    shared = one.subject & other.subject
    alone = max(len(one.subject - shared), len(other.subject - shared))
    if len(shared) < _LEAST_SHARED or alone > _MOST_ALONE or not _same_scope(one, other, first=first, second=second):
        return None
    if frozenset((one.stance, other.stance)) in _OPPOSITES:
        return "permission", (one.stance, other.stance), len(shared)
    if one.denies != other.denies and one.stance == other.stance == "":
        return "denial", ("no" if one.denies else "yes", "no" if other.denies else "yes"), len(shared)
    return None
