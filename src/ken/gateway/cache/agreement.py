"""Whether two questions agree in what vectors miss: negation, figures, dates, units, names, roles, what is asked for.

Vectors of a question and of its contrary lie as near as those of two paraphrases. So a cached answer is given only if
none of these rules finds a difference; each says in words which one it found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from ken.text.alignment import Alignment, Pair, align
from ken.text.asked_for import differ
from ken.text.quantities import Quantity
from ken.text.thesaurus import thesaurus
from ken.text.wording import LONGEST, Asked, Doing, Word, read

__all__ = ["Asked", "agree", "read"]

_AFFIX = 3
"""Letters by which a name may be longer where it is written out: Postgres, PostgreSQL."""
_CLOSE = 0.025
"""By what share two sizes in bytes may differ: 1 GB is 1,000 MB to some and 1,024 to others."""
_TINGED = frozenset(
    """fail failur broken break refus deni lack miss without error problem issu trouble unabl reject late lost stop
    wrong invalid declin forget forgotten lose except exclud exempt least zero nothing never cannot crash malfunct
    forbid forbidden prohibit ban separ omit leave skip avoid outsid only instead disclos hardly nearli empti stop
    away rid""".split()
)
"""Words that carry a negation of their own: with one of these left over, an odd "not" proves nothing."""
_AGAINST = {
    frozenset({one, other})
    for one, others in {
        "from": "to",
        "before": "after during since",
        "with": "without",
        "over": "under",
        "above": "below",
        "inside": "outside",
        "by": "to after from",
        "for": "against from during",
        "after": "during",
        "until": "from after",
        "since": "before until",
        "into": "from out",
        "in": "without",
        "during": "outside",
        "onto": "off from",
        "on": "off",
        "to": "off",
    }.items()
    for other in others.split()
}
"""Prepositions that turn what they govern round."""
_LASTING = frozenset({"for", "during"})
"""The same before a span of time."""
_SPANS = frozenset("first last next day week month quarter year days weeks months years".split())
_PEOPLE = frozenset(
    """itdept attack employ i we you they he she manag employe staff custom client supplier vendor contractor user
    admin director team hr auditor doctor teacher student parent visitor guest applic candid boss supervisor
    colleagu intern lead owner author review tenant landlord
    patient nurs courier driver agent guard board committe assist trainer traine pupil professor buyer seller bank insur
    subsidiari agenc auditor regul inspector cto ceo cfo scribe oper mentor mente partner resel distributor carrier
    competitor child spous princip architect engin develop test support sender recipi debtor creditor""".split()
)
_SCOPES = {
    **dict.fromkeys("all every each both everyone everybody".split(), "all"),
    **dict.fromkeys("any anyone anybody".split(), "any"),
    **dict.fromkeys("some few".split(), "some"),
    **dict.fromkeys("one single".split(), "one"),
    **{word: word for word in "only most except none".split()},
}


def agree(a: Asked, b: Asked) -> str | None:
    """None if two questions agree; else why not, in words: "numbers differ: 14 and 30"."""
    if max(len(a.text), len(b.text)) > LONGEST:
        return None if a.plain == b.plain else f"a text of more than {LONGEST} characters is compared as a whole"
    laid = align(a, b)
    return next((reason for rule in _RULES if (reason := rule(a, b, laid)) is not None), None)


def _figures(a: Asked, b: Asked, _: Alignment) -> str | None:
    left, right = _unmatched(a.quantities, b.quantities), _unmatched(b.quantities, a.quantities)
    if not (left and right):
        left, right = [[figure for figure in side if not _goes_without_saying(figure)] for side in (left, right)]
    if left and right:
        one, other = left[0], right[0]
        what = "units" if one.raw == other.raw and one.kind not in _NAMES else _NAMES.get(one.kind, "numbers")
        return f"{what} differ: {one.text} and {other.text}"
    if left or right:
        return f"only one of them says {(left or right)[0].text}"
    return None


def _goes_without_saying(figure: Quantity) -> bool:
    """Whether a figure says nothing that the other question lacks: one of a thing, "a year" of a yearly allowance."""
    return figure.raw == 1 and (figure.kind == "number" or figure.kind.startswith("every"))


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
    kinds = {kind.removeprefix("every, in ") for kind in (one.kind, other.kind)}
    if len(kinds) == 1 and one.kind != other.kind:
        return one.value == other.value
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
    for word in (*left, *right):
        if not _is_left_to_the_figure(word, laid.right if left else laid.left):
            return f"only one of them names {word.text}"
    return None


def _is_left_to_the_figure(word: Word, others: Iterable[Word]) -> bool:
    """Whether an acronym may stand for what the other question says in words: CCTV, security cameras."""
    return word.text.isupper() and len(word.text) > _SHORT_NAME and any(other.weight >= 1 for other in others)


_SHORT_NAME = 2
_AS_GOOD = 0.85
"""What a pair of words is worth that mean the same."""


def _is_spelled_out(word: Word, other: Asked) -> bool:
    """Whether the other question spells an acronym out, or writes a name shorter or longer: Postgres, PostgreSQL."""
    name = word.text.lower()
    if word.text.isupper() and len(name) > 1 and name in other.initials:
        return True
    return any(
        len(part) > _AFFIX and (name.startswith(part) or part.startswith(name)) and abs(len(part) - len(name)) <= _AFFIX
        for part in other.bases
    )


def _kinds_apart(a: Asked, b: Asked, laid: Alignment) -> str | None:
    for one, other in laid.apart:
        return f"“{one.text}” is not “{other.text}”"
    marked = thesaurus().marked
    for side, other in ((laid.left, b), (laid.right, a)):
        for word in side:
            is_marked = word.meanings and word.meanings <= marked
            if is_marked and (len(word.key) == 1 or not other.bases & set(word.key)):
                return f"only one of them is about “{word.text}”"
    return None


def _polarity(a: Asked, b: Asked, laid: Alignment) -> str | None:
    turned = {id(one): (one, other) for one, other in laid.opposed}
    times = a.negations + b.negations
    if not times and turned:
        one, other = next(iter(turned.values()))
        return f"“{one.text}” is the contrary of “{other.text}”"
    if not laid.left and not laid.right and all(pair.worth == 1 for pair in laid.pairs):
        one, other = ({word.key for word in question.words if word.is_negated} for question in (a, b))
        if one and other and one != other:
            return f"what is negated differs: {' '.join(min(one))} and {' '.join(min(other))}"
    is_odd = (times + len(turned)) % 2 == 1
    if not is_odd or a.is_doubtful != b.is_doubtful or (a.negations != b.negations and not turned and _is_tinged(laid)):
        return None
    return "one of them says “not”" if a.negations != b.negations else "one of them says the contrary"


def _is_tinged(laid: Alignment) -> bool:
    return any(
        part in _TINGED or (len(part) > _SHORT and (part.startswith(("un", "dis", "non")) or part.endswith("less")))
        for word in (*laid.left, *laid.right)
        for part in word.key
    )


_SHORT = 4


def _roles(a: Asked, b: Asked, laid: Alignment) -> str | None:
    placed = [
        _Placed(pair.one.text, pair.one.role, pair.other.role, pair.one.joined)
        for pair in laid.pairs
        if _can_change_places(pair)
    ]
    figures = _figures_placed(a, b)
    for word in (*placed, *figures, *_clauses_placed(a, b)):
        against = frozenset({word.one, word.other})
        if against in _AGAINST and (against != _LASTING or word.text.lower() not in _SPANS):
            return f"“{word.one} {word.text}” against “{word.other} {word.text}”"
    swapped = _exchanged(a, b, laid)
    if swapped is not None:
        return swapped
    if all(any(word.weight >= 1 for word in side) for side in (laid.left, laid.right)):
        # With another verb the same may be said from the other end: "is parking free for staff", "do staff pay for it".
        placed = [
            _Placed(pair.one.text, pair.one.role, pair.other.role, pair.one.joined)
            for pair in laid.pairs
            if _acts(pair.one)
        ]
    for index, first in enumerate(placed + figures):
        for second in placed[index + 1 :] if index < len(placed) else figures[index - len(placed) + 1 :]:
            if first.one == second.one or (first.joined >= 0 and first.joined == second.joined):
                continue
            if first.one == second.other and second.one == first.other:
                return f"“{first.text}” and “{second.text}” have changed places"
    return None


def _exchanged(a: Asked, b: Asked, laid: Alignment) -> str | None:
    """Whoever acts and whoever is acted on stand in the other order, and no passive voice explains it."""
    if any(doing.is_passive for question in (a, b) for doing in question.doings):
        return None
    has_rest = any(word.weight >= _LEAST_WEIGHT for word in (*laid.left, *laid.right))
    is_alike = not has_rest and a.sequence[:2] == b.sequence[:2] and all(pair.worth == 1 for pair in laid.pairs)
    acting = [
        pair
        for pair in laid.pairs
        if max(pair.one.joined, pair.other.joined) < 0
        and (_acts(pair.one) or (is_alike and not pair.one.role and not pair.other.role))
    ]
    if is_alike and (numbers := _figures_exchanged(a, b)):
        return numbers
    for first, second in combinations(sorted(acting, key=lambda pair: pair.one.place), 2):
        leads = not first.one.role and not second.other.role
        if _acts(first.one) != _acts(second.one):
            continue
        if (
            leads
            and second.other.place < first.other.place
            and (has_rest or not (second.one.role and first.other.role))
        ):
            return f"“{first.one.text}” and “{second.one.text}” have changed places"
        stays = not first.one.role and not first.other.role and first.other.place < second.other.place
        if stays and _acts(second.one) and {second.one.role, second.other.role} == {"", "from"}:
            return f"it goes to “{second.one.text}” in one of them, and comes from there in the other"
    return None


def _figures_exchanged(a: Asked, b: Asked) -> str | None:
    """Whether two figures that no preposition governs stand in the other order: version 3 replaces version 4."""
    one, other = (
        [figure for figure, role in zip(asked.quantities, asked.roles, strict=True) if not role] for asked in (a, b)
    )
    for (first, second), (there, then) in zip(pairwise(one), pairwise(other), strict=False):
        is_told = second.span[0] - first.span[1] > _BESIDE and not _is_same(first, second)
        if is_told and _is_same(first, then) and _is_same(second, there):
            return f"“{first.text}” and “{second.text}” have changed places"
    return None


_BESIDE = 1
"""Pieces between two figures that are joined: "3 and 4"."""
_ACTING = re.compile(r"(?:er|or|ee|eer|ist|ian|ant)s?$")
_THINGS = frozenset(
    """numb order letter paper comput error factor monitor mirror color colour floor door weather water summer winter cover
    power offer transfer center quarter matter corner drawer paramet charact filter folder header footer timer buffer
    restaur plant committe fee coffe degre employe newslett calendar list chapter semest register regist browser
    adapter router""".split()
)
"""Stems of what ends like somebody who acts and is nobody."""
_ALSO_DEEDS = frozenset("test support develop train traine".split())
_LEAST_ACTING = 5


def _acts(word: Word) -> bool:
    """Whether a word names somebody or something that acts: a name, a person, a lender, a scheduler."""
    last = word.key[-1]
    if word.is_name or last in _PEOPLE - _ALSO_DEEDS:
        return True
    return (
        word.weight >= 1
        and len(last) >= _LEAST_ACTING - 1
        and last not in _THINGS
        and _ACTING.search(word.text.lower()) is not None
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word or figure of both questions, with what governs it in each."""

    text: str
    one: str
    other: str
    joined: int


_LEAST_WEIGHT = 0.5


def _can_change_places(pair: Pair) -> bool:
    return (pair.one.weight >= _LEAST_WEIGHT and pair.other.weight >= _LEAST_WEIGHT) or pair.one.key[0] in _PEOPLE


def _clauses_placed(a: Asked, b: Asked) -> list[_Placed]:
    """What follows "before" and "after", "with" and "without", be it a function word: "before use", "after use"."""
    one, other = (_following(question.sequence) for question in (a, b))
    return [_Placed(word, one[word], other[word], -1) for word in one.keys() & other.keys()]


def _following(sequence: tuple[str, ...]) -> dict[str, str]:
    return {
        word: _CLAUSAL[before] for before, word in pairwise(sequence) if before in _CLAUSAL and word not in _ARTICLES
    }


_CLAUSAL = {"befor": "before", "after": "after", "with": "with", "without": "without", "dure": "during"}
"""By their stems."""
_ARTICLES = frozenset(
    "the a an my our your his her their its this that these those i we you it they he she do be any".split()
)


def _figures_placed(a: Asked, b: Asked) -> list[_Placed]:
    placed: list[_Placed] = []
    rest = list(zip(b.quantities, b.roles, strict=True))
    for figure, role in zip(a.quantities, a.roles, strict=True):
        found = next(((other, its) for other, its in rest if _is_same(figure, other)), None)
        if found is not None:
            rest.remove(found)
            placed.append(_Placed(figure.text, role, found[1], -1))
    return placed


_HINGES = frozenset("than instead befor after".split())
"""Stems of the words whose two sides can be exchanged: "cheaper to fly than to drive"."""


def _sides(a: Asked, b: Asked, laid: Alignment) -> str | None:
    for hinge in _HINGES & set(a.sequence) & set(b.sequence):
        at, there = a.sequence.index(hinge), b.sequence.index(hinge)
        telling = {part for pair in laid.pairs for part in pair.one.key}
        left, right = set(a.sequence[:at]) & telling, set(a.sequence[at:]) & telling
        others = set(b.sequence[:there]), set(b.sequence[there:])
        moved, back = (left & others[1]) - others[0] - right, (right & others[0]) - others[1] - left
        if moved and back:
            return f"“{_shown(moved, a, b)}” and “{_shown(back, a, b)}” have changed sides"
    return None


def _doers(a: Asked, b: Asked, laid: Alignment) -> str | None:
    same = {
        pair.other.key[0]: pair.one.key[0]
        for pair in laid.pairs
        if len(pair.one.key) == len(pair.other.key) == 1 and pair.one.key != pair.other.key
    }
    for one in a.doings:
        for said in b.doings:
            other = _in_words_of(said, same)
            if one.verb != other.verb:
                continue
            both = (one.agents & one.patients) | (other.agents & other.patients)
            gives, takes = (one.agents & other.patients) - both, (one.patients & other.agents) - both
            if gives and takes:
                return f"who does it to whom differs: “{_shown(gives, a, b)}” and “{_shown(takes, a, b)}”"
            if not (one.is_passive or other.is_passive):
                one_does, other_does = (side.agents & _PEOPLE for side in (one, other))
                if one_does & other.beside - other_does and other_does & one.beside - one_does:
                    return f"who does it differs: “{_shown(one_does, a, b)}” and “{_shown(other_does, a, b)}”"
            near = ({one.nearest} - one.patients) | ({other.nearest} - other.patients)
            changed = ((gives | takes) & _PEOPLE & near) - {one.verb}
            if one.is_passive != other.is_passive:
                named = one.agents if one.is_passive else other.agents
                changed |= (gives | takes) & named
            if (
                changed
                and not (one.agents - both) & (other.agents - both)
                and not (one.patients - both) & (other.patients - both) & _PEOPLE
            ):
                return f"“{_shown(changed, a, b)}” does it in one of them, and has it done in the other"
    return None


def _in_words_of(doing: Doing, same: Mapping[str, str]) -> Doing:
    """What somebody does, said in the words that the other question has for it."""
    if not same:
        return doing
    people = {stem: said for stem, said in same.items() if stem in _PEOPLE}
    agents, patients, beside = (
        frozenset(people.get(stem, stem) for stem in stems) for stems in (doing.agents, doing.patients, doing.beside)
    )
    return replace(
        doing,
        verb=same.get(doing.verb, doing.verb),
        agents=agents,
        patients=patients,
        beside=beside,
        nearest=people.get(doing.nearest, doing.nearest),
    )


def _shown(stems: Iterable[str], a: Asked, b: Asked) -> str:
    """The first of some stems as it stands in one of the questions."""
    first = min(stems)
    return next((word.text for word in (*a.words, *b.words) if first in word.key), first)


_TOLD = frozenset(
    "report tell inform notifi contact complain ask turn send submit appli return regist hand order".split()
)
"""Stems: where one does that is as good as with whom."""


def _asked(a: Asked, b: Asked, _: Alignment) -> str | None:
    if a.kinds | b.kinds == frozenset({"place", "person"}) and _TOLD & a.bases and _TOLD & b.bases:
        return None
    if differ(a.kinds, b.kinds):
        return f"one asks for {min(a.kinds)}, the other for {min(b.kinds)}"
    return None


def _time(a: Asked, b: Asked, _: Alignment) -> str | None:
    return (
        f"one is about the {a.tense}, the other about the {b.tense}"
        if a.tense and b.tense and a.tense != b.tense
        else None
    )


def _clause(a: Asked, b: Asked, laid: Alignment) -> str | None:
    """One asks what comes before or after what the other asks about: nothing else of the two differs."""
    for question, side, other in ((a, laid.left, laid.right), (b, laid.right, laid.left)):
        for word in side:
            opens = word.key[0] in _TIMES and question.sequence[question.sequence.index(word.key[0]) + 1 :][:1]
            if opens and opens[0] in _SUBJECTS and not any(left.weight >= _LEAST_WEIGHT for left in other):
                return f"only one of them says “{word.text}”"
    return None


_TIMES = frozenset({"befor", "after"})
_SUBJECTS = frozenset("i we you they he she it".split())


def _wanted(a: Asked, b: Asked, _: Alignment) -> str | None:
    for one, other in ((a, b), (b, a)):
        asks_for_object = other.sequence[1:2] and not other.subject and _OBJECT & set(other.sequence[:4])
        if one.subject and asks_for_object and one.subject in other.bases and not other.negations and not one.negations:
            return "one asks who does it, the other to whom it is done"
    if a.sequence and b.sequence and frozenset({a.sequence[-1], b.sequence[-1]}) in _AGAINST:
        return f"“{a.sequence[-1]}” against “{b.sequence[-1]}”"
    return None


_OBJECT = frozenset({"do"})
"""The stem of the auxiliary that asks for an object: "who do they train"."""


def _scope(a: Asked, b: Asked, _: Alignment) -> str | None:
    one, other = ({_SCOPES[word] for word in question.scope if word in _SCOPES} for question in (a, b))
    strict = (one ^ other) & {"only", "except", "most", "none"}
    if one and other and not one & other:
        return f"“{min(one)}” is not “{min(other)}”"
    return f"only one of them says “{min(strict)}”" if strict else None


def _added(a: Asked, b: Asked, laid: Alignment) -> str | None:
    """One says all that the other says, word for word, and something more: a condition, a modifier, somebody's."""
    more, fewer = (a, b) if len(a.sequence) > len(b.sequence) else (b, a)
    rest = Counter(more.sequence)
    rest.subtract(fewer.sequence)
    if min(rest.values(), default=0) < 0:
        return _told_besides(a, b, laid)
    meant = {id(word) for pair in laid.pairs if pair.worth >= _AS_GOOD for word in (pair.one, pair.other)}
    for word in more.words:
        is_told = id(word) not in meant and _tells(word)
        if is_told and any(rest[part] > 0 for part in word.key):
            return f"only one of them says “{word.text}”"
    return None


def _told_besides(a: Asked, b: Asked, laid: Alignment) -> str | None:
    """The same where the two begin alike, share their words exactly, and only function words of the one are missing."""
    is_alike = a.sequence[:2] == b.sequence[:2] and a.negations == b.negations
    if not is_alike or any(pair.worth < 1 for pair in laid.pairs) or len(laid.pairs) < _SHARED:
        return None
    left, right = ([word for word in side if word.weight >= _LEAST_WEIGHT] for side in (laid.left, laid.right))
    if bool(left) == bool(right):
        return None
    more = next((word for word in left or right if word.weight >= 1), None)
    return f"only one of them says “{more.text}”" if more else None


_SHARED = 2


def _tells(word: Word) -> bool:
    return word.weight >= _LEAST_WEIGHT or (word.key[0] in _PEOPLE and bool(word.role)) or word.text.endswith("ed")


def _narrowed(_a: Asked, _b: Asked, laid: Alignment) -> str | None:
    """A word before a noun of both, for which the other has nothing: former employees."""
    aligned = ({pair.one.place: pair for pair in laid.pairs}, {pair.other.place: pair for pair in laid.pairs})
    for side, others, at in ((laid.left, laid.right, aligned[0]), (laid.right, laid.left, aligned[1])):
        if any(word.weight >= _LEAST_WEIGHT for word in others):
            continue
        for word in side:
            noun = at.get(word.place + len(word.key))
            if noun is not None and noun.worth >= _AS_GOOD and _NARROWING.search(word.text.lower()):
                return f"only one of them says “{word.text}”"
    return None


_NARROWING = re.compile(
    r"^(?:former|senior|junior|urgent|foreign|remote|partial)$|(?:(?<!annu)al|ary|ic|[ai]ble|ous|(?<!requir)ed)$"
)
"""Adjectives and participles, by their endings."""


def _duty(a: Asked, b: Asked, _: Alignment) -> str | None:
    """One asks what may be, the other what must be."""
    if a.negations or b.negations or not a.kinds & b.kinds or a.kinds & _HOW:
        return None
    is_choice = "yes or no" in a.kinds & b.kinds
    one, other = (_modality(question, is_choice=is_choice) for question in (a, b))
    return f"one asks what {one} be, the other what {other} be" if {one, other} == {"may", "must"} else None


def _modality(asked: Asked, *, is_choice: bool) -> str:
    opens = asked.sequence[0] if is_choice and asked.sequence else ""
    may = bool(_MAY & asked.bases) or opens in _CAN
    must = bool(_MUST & asked.bases) or opens == "should" or any(two in _HAVE_TO for two in pairwise(asked.sequence))
    return "" if may == must else "may" if may else "must"


_HOW = frozenset({"manner", "consequence", "open"})
_MAY = frozenset("may allow permit permiss permitt".split())
_CAN = frozenset({"can", "could"})
_MUST = frozenset("must requir oblig mandatori compulsori obligatori".split())
_HAVE_TO = frozenset({("have", "to"), ("need", "to"), ("am", "to")})
"""Stems."""

_RULES: tuple[Callable[[Asked, Asked, Alignment], str | None], ...] = (
    _figures,
    _named,
    _kinds_apart,
    _polarity,
    _roles,
    _sides,
    _doers,
    _clause,
    _wanted,
    _asked,
    _time,
    _scope,
    _added,
    _narrowed,
    _duty,
)
