"""How a question is worded: its telling words with what each means, its figures, its negations, and who does what to whom.

By rules, without a grammar: a question is short, and what must not be overlooked in it stands in closed classes of words
(prepositions, negations, auxiliaries) and in forms (capitals, endings).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from ken.text.asked_for import OPEN, asked_for, core
from ken.text.quantities import Piece, Quantity, pieces, quantities
from ken.text.thesaurus import base, thesaurus
from ken.text.tokens import STOP_WORDS

LONGEST = 600
"""Characters of a question that is compared in words; a longer one is mostly a pasted text."""
_CONTRACTIONS = (
    (re.compile(r"\bcan(?:'t|not)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\bwon't\b", re.IGNORECASE), "will not"),
    (re.compile(r"\bshan't\b", re.IGNORECASE), "shall not"),
    (re.compile(r"\b(\w+)n't\b", re.IGNORECASE), r"\1 not"),
    (
        re.compile(r"\b(ca|wo|do|does|did|is|are|was|were|has|have|had|could|should|would)nt\b", re.IGNORECASE),
        r"\1 not",
    ),
    (re.compile(r"\b(what|who|where|when|how|why|it|that|there|here|he|she)'s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"'m\b", re.IGNORECASE), " am"),
    (re.compile(r"'re\b", re.IGNORECASE), " are"),
    (re.compile(r"'ve\b", re.IGNORECASE), " have"),
    (re.compile(r"'(?:ll|d)\b", re.IGNORECASE), ""),
    (re.compile(r"\bwanna\b", re.IGNORECASE), "want to"),
    (re.compile(r"\b(?:2|two|multi|second)[- ]?(?:factor|step)s?\b|\b2fa\b", re.IGNORECASE), "multi factor"),
    (re.compile(r"\b401 ?\(?k\)?(?!\w)", re.IGNORECASE), "retirement plan"),
    (re.compile(r"\bk8s\b", re.IGNORECASE), "kubernetes"),
    (re.compile(r"\b24[/-]7\b", re.IGNORECASE), "around the clock"),
    (re.compile(r"\b(?:one|1)[- ](?:on|to)[- ](?:one|1)s?\b|\b1:1s?\b", re.IGNORECASE), "personal meeting"),
    (re.compile(r"\be-(?=mail)", re.IGNORECASE), "e"),
    (re.compile(r"\b(?:nobody|no one|none|nothing|no-one) (?:but|except|other than)\b", re.IGNORECASE), "only"),
    (re.compile(r"\b(?:prior to|ahead of|in advance of|earlier than)\b", re.IGNORECASE), "before"),
    (re.compile(r"\b(?:subsequent to|later than)\b", re.IGNORECASE), "after"),
    (re.compile(r"\b(?:most recent|latest)\b", re.IGNORECASE), "last"),
    (re.compile(r"\bmost recently\b", re.IGNORECASE), "last"),
    (re.compile(r"\bmost (?=\w+ly\b)", re.IGNORECASE), ""),
    (re.compile(r"\bbetween (?:the )?two\b", re.IGNORECASE), "between"),
    (re.compile(r"\bUS dollars?\b"), "USD"),
    (re.compile(r"\b(?:following|coming) (?=(?:year|month|week|quarter|day)\b)", re.IGNORECASE), "next "),
    (re.compile(r"\b(?:previous|past) (?=(?:year|month|week|quarter)\b)", re.IGNORECASE), "last "),
    (re.compile(r"\b(?:rather than|instead of|as opposed to)\b", re.IGNORECASE), "instead of"),
    (re.compile(r"\bkm ?/ ?h\b|\bkph\b", re.IGNORECASE), "kmh"),
    (re.compile(r"\bunless\b", re.IGNORECASE), "if not"),
    (re.compile(r"\b(?:with or without|whether or not)\b", re.IGNORECASE), "with"),
    (re.compile(r"\b(?:any ?more|any longer)\b", re.IGNORECASE), "still"),
    (re.compile(r"\b(?:no longer|no more(?! than))\b", re.IGNORECASE), "not still"),
    (re.compile(r"\bsaturdays? (?:and|or|&) (?:on )?sundays?\b", re.IGNORECASE), "weekend"),
    (re.compile(r"\bunited states(?: of america)?\b", re.IGNORECASE), "usa"),
    (re.compile(r"\beuropean union\b", re.IGNORECASE), "EU"),
    (re.compile(r"\b(?:united kingdom|great britain)\b", re.IGNORECASE), "britain"),
    (re.compile(r"\b([A-Z]{2,6})s\b"), r"\1"),
    (re.compile(r"\bIT\b"), "itdept"),
    (re.compile(r"\bU\.?S\.?(?:A\.?)?(?!\w)"), "usa"),
    (re.compile(r"\bU\.?K\.?(?!\w)"), "britain"),
)
_NEGATIONS = frozenset(
    "not no never without neither nor nobody none nothing nowhere unable hardly lack lacking".split()
)
_PREPOSITIONS = {
    **dict.fromkeys(
        "from to by for with than over into onto in on at before after about via against during until since".split(), ""
    ),
    **dict.fromkeys(
        "under above below without through per between towards toward behind inside outside past off".split(), ""
    ),
    "of": "'s",
}
_TRANSPARENT = frozenset(
    "the a an my our your his her their its this that these those any some all each every own new".split()
)
"""Words inside of a phrase with its noun: the preposition before them is the noun's."""
_BEFORE_A_VERB = frozenset(
    """have has had need needs want wants like able allowed required supposed obliged permitted going trying how what where
    when who whom way ways procedure process steps step possible necessary mandatory order command right permission ok okay
    fine best""".split()
)
"""Words behind which "to" begins an infinitive."""
_CLAUSAL = frozenset("before after until since".split())
"""Prepositions that govern a clause too."""
_INVERTED = 3
"""Places of a question in which "not" belongs to an auxiliary before the subject."""
_PERSONS = frozenset("i we you they he she".split())
_PRONOUNS = {"me": "i", "us": "we", "them": "they", "him": "he", "myself": "i", "ourselves": "we", "one": "you"}
_BE = frozenset("be is are am was were been being get gets got getting".split())
_LIGHT = frozenset(
    """get have do make take go want use give put set work thing company organisation organization people person employee staff
    somebody someone anybody anyone everyone happen possible able allow allowed permit permitted ok okay fine there exactly
    actually currently usually normally generally still already ever policy rule procedure process way step instruct
    officially official part case kind type sort question answer info information detail know tell find let please want
    would like wonder possibl suppos concern regard involv relat correct proper properli need requir must should right
    entitl time long number amount much many maximum limit max minimum""".split()
)
_HEADS = frozenset(
    """team person peopl depart role group time date day month year room floor place locat point step way manner kind type
    sort number amount reason interv""".split()
)
"""What "which" and "what" ask for by name; the kind of answer says it already."""
_FUNCTION = (
    STOP_WORDS
    - frozenset(
        "before after over under off out up down most more only same own few all any each no not again once".split()
    )
) | frozenset(
    "shall upon ok okay pls plz hi hello thanks please kindly maybe perhaps many much am else also ought does".split()
)
_SCOPE = frozenset(
    "all only every each any both most some few except none everyone everybody anyone anybody one single".split()
)
_ORDER_ONLY = frozenset("before after over under off out up down more again once own any same".split())
_TAG_QUESTION = re.compile(r"\W*\w+n['’]t\b", re.IGNORECASE)
"""It says no and asks whether yes: "isn't it allowed"."""
_DOUBTFUL = re.compile(
    r"\W*(?:am|are|is|do|does|did|can|could|should|will|would|have|has) (?:i|we|you) not\b", re.IGNORECASE
)
"""It may ask either way: "am I not entitled", "are we not allowed"."""
_IDENTIFIER = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|(?<!\w)[#/~]?\w+(?:[_./\\:]\w+)+|(?<!\w)--?[a-z][\w-]+", re.IGNORECASE
)
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|[\"“‘(]\s*)$")


@dataclass(frozen=True, slots=True)
class Word:
    """A telling word or phrase of a question."""

    key: tuple[str, ...]
    """Its words' `base`."""
    text: str
    meanings: frozenset[int]
    place: int
    """Index of its first piece: words are in the order of their places."""
    role: str
    """The preposition that governs it; `'s` for a possessor, also after "of"; "" for none."""
    is_name: bool
    is_negated: bool
    weight: float
    """What it counts: a name more than a common word, a word of every other question less."""
    span: tuple[int, int]
    """In the question's plain form."""
    joined: int
    """Number of the coordination that it stands in ("A or B"), whose order says nothing; -1 for none."""


@dataclass(frozen=True, slots=True)
class Doing:
    """A verb with who does it and to whom or what."""

    verb: str
    agents: frozenset[str]
    patients: frozenset[str]
    is_passive: bool
    nearest: str
    """The telling word right before the verb."""
    beside: frozenset[str]
    """All telling words that follow it in its clause, whatever governs them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of a question once; `read` makes it."""

    text: str
    plain: str
    """Without what leads up to the question, contractions written out: what is embedded."""
    words: tuple[Word, ...]
    quantities: tuple[Quantity, ...]
    roles: tuple[str, ...]
    """Of each figure the preposition that governs it."""
    bases: frozenset[str]
    """Of all its words, function words too."""
    sequence: tuple[str, ...]
    """The same in order."""
    initials: str
    """First letters of all words in order, in which an acronym is looked for."""
    negations: int
    is_doubtful: bool
    """Whether its negation may be one in form alone: "am I not entitled"."""
    kinds: frozenset[str]
    """Of answers that it asks for (ken.text.asked_for)."""
    doings: tuple[Doing, ...]
    subject: str
    """Of a question for who or which, the verb that the one asked for does; "" where it is done to him, or unknown."""
    tense: str
    """`past` or `future` where an auxiliary says so."""
    scope: frozenset[str]
    """Its quantifiers: all, only, most, ..."""


_UNREAD = Asked(
    text="",
    plain="",
    words=(),
    quantities=(),
    roles=(),
    bases=frozenset(),
    sequence=(),
    initials="",
    negations=0,
    is_doubtful=False,
    kinds=frozenset({OPEN}),
    doings=(),
    subject="",
    tense="",
    scope=frozenset(),
)
"""What is told of a text that is too long."""


def plain_form(text: str) -> str:
    """The text with contractions written out, and one spelling of what has several."""
    letters = unicodedata.normalize("NFKD", text.replace("’", "'"))
    plain = " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
    for pattern, written_out in _CONTRACTIONS:
        plain = pattern.sub(written_out, plain)
    return plain


@lru_cache(maxsize=20_000)
def read(text: str) -> Asked:
    """Read a question in its stand-alone form. Of one longer than `LONGEST` only its text is read."""
    if len(text) > LONGEST:
        return replace(_UNREAD, text=text, plain=" ".join(text.split()))
    plain = plain_form(core(text))
    found = pieces(plain)
    figures = tuple(quantities(found))
    taken = {place for figure in figures for place in range(*figure.span)}
    lower = [piece.text.lower() for piece in found]
    bases = [base(_PRONOUNS.get(word, word)) for word in lower]
    words = tuple(_words(plain, found, bases, taken))
    spoken = [place for place, piece in enumerate(found) if piece.form == "word"]
    return Asked(
        text,
        plain,
        words,
        figures,
        tuple(_role(found, list(range(*figure.span))) for figure in figures),
        frozenset(bases[place] for place in spoken),
        tuple(bases[place] for place in spoken),
        "".join(lower[place][0] for place in spoken),
        _negations(words, lower, text),
        _DOUBTFUL.match(core(text)) is not None,
        asked_for(text),
        tuple(_doings(found, bases)),
        _subject(found, bases),
        _tense(lower),
        frozenset(word for place, word in enumerate(lower) if place not in taken) & _SCOPE,
    )


_DO = frozenset("do does did".split())
_AUXILIARIES = _DO | frozenset("can could may might must shall should will would have has had is are was were".split())
_FUTURE = frozenset("will shall".split())
_PAST = frozenset("did was were had".split())


def _tense(lower: list[str]) -> str:
    is_future, is_past = bool(_FUTURE & set(lower)), bool(_PAST & set(lower))
    return "" if is_future == is_past else "future" if is_future else "past"


def _subject(found: list[Piece], bases: list[str]) -> str:
    """The verb of "who trains the nurses", `train`; "who do the nurses train" and "who is trained" have none."""
    lower = [piece.text.lower() for piece in found]
    start = next((place for place, word in enumerate(lower) if word in {"who", "which"}), None)
    if start is None:
        return ""
    place = start + 1
    if lower[start] == "which":
        while place < len(lower) and lower[place] not in _FUNCTION and place < start + 3:
            if place + 1 < len(lower) and lower[place + 1] in _AUXILIARIES:
                return ""
            place += 1
        place -= 1
    return bases[place] if place < len(lower) and lower[place] not in _FUNCTION and lower[place] not in _LIGHT else ""


def _words(plain: str, found: list[Piece], bases: list[str], taken: set[int]) -> list[Word]:
    places = [
        place
        for place, piece in enumerate(found)
        if piece.form == "word" and place not in taken and not _is_possessive(found, place)
    ]
    names = _names(plain, found)
    words: list[Word] = []
    places = _particles_joined(found, bases, places)
    for start, end, meanings in thesaurus().phrases([bases[place] for place in places]):
        span = places[start:end]
        key = tuple(bases[place] for place in span)
        first = found[span[0]].text.lower()
        if (
            len(span) == 1
            and (first in _FUNCTION or first in _PRONOUNS or first in _NEGATIONS)
            and span[0] not in names
        ):
            continue
        is_name = not meanings and any(place in names for place in span)
        light = len(key) == 1 and (key[0] in _LIGHT or first in _LIGHT)
        weight = (
            1.4
            if is_name
            else 0.3
            if light
            else 0.8
            if first in _CLAUSAL
            else 0.4
            if first in _ORDER_ONLY and len(key) == 1
            else 1.0
        )
        if span[0] and found[span[0] - 1].text.lower() in {"which", "what"} and key[0] in _HEADS:
            weight = 0.2
        if span[1:] and all(found[place].text.lower() in _FUNCTION | _LIGHT for place in span):
            weight = 0.15
        stands = (
            found[span[0]].span[0],
            found[max(span[0], *span) if span[-1] - span[0] < len(span) + 1 else span[0]].span[1],
        )
        negated = _is_negated(found, span[0], key)
        words.append(
            Word(
                key, plain[slice(*stands)], meanings, span[0], _role(found, span), is_name, negated, weight, stands, -1
            )
        )
    return _coordinated(words, found)


def _is_label(found: list[Piece], place: int) -> bool:
    """Whether a capital letter stands for itself: service A, and neither the pronoun nor a part of P1."""
    piece = found[place]
    is_part = place + 1 < len(found) and found[place + 1].span[0] == piece.span[1] and found[place + 1].form == "figure"
    return piece.text.isupper() and piece.text != "I" and not is_part


def _particles_joined(found: list[Piece], bases: list[str], places: list[int]) -> list[int]:
    """The places with a particle that stands behind its verb's object put beside the verb: switch the heating on."""
    known = thesaurus().particles
    order = list(places)
    for place in places:
        lower = found[place].text.lower()
        follows = found[place + 1].text.lower() if place + 1 < len(found) else "?"
        closes = (
            not (follows.isalpha() or follows.isdigit())
            or follows in _PREPOSITIONS
            or follows in _BORDERS
            or follows in _FUNCTION - _DETERMINERS
        )
        if not closes or (lower not in _PREPOSITIONS and lower not in {"back", "away", "out"}):
            continue
        verb = next(
            (
                before
                for before in range(place - 2, max(-1, place - 6), -1)
                if (bases[before], lower) in known and before in order
            ),
            None,
        )
        if verb is not None:
            order.remove(place)
            order.insert(order.index(verb) + 1, place)
    return order


def _is_possessive(found: list[Piece], place: int) -> bool:
    return found[place].text.lower() == "s" and place > 0 and found[place - 1].text == "'"


_FEW = 3
_MOSTLY = 0.7
"""Of the words of a title have a capital."""


def _names(plain: str, found: list[Piece]) -> set[int]:
    """Pieces that are proper names, acronyms or identifiers, by how they are written."""
    words = [piece for piece in found if piece.form == "word" and len(piece.text) > 1]
    capitals = sum(piece.text[0].isupper() for piece in words)
    shouted = sum(piece.text.isupper() for piece in words) > len(words) / 2
    titled = len(words) > _FEW and capitals > _MOSTLY * len(words)
    marked = [match.span() for match in _IDENTIFIER.finditer(plain)]
    names: set[int] = set()
    for place, piece in enumerate(found):
        if piece.form != "word" or (len(piece.text) == 1 and not _is_label(found, place)):
            continue
        start, end = piece.span
        inner = any(letter.isupper() for letter in piece.text[1:]) and not shouted
        begins = _SENTENCE_START.search(plain[:start]) is not None
        capital = piece.text[0].isupper() and not begins and not titled and not shouted
        identifier = any(first <= start and end <= last for first, last in marked)
        if inner or capital or identifier:
            names.add(place)
    return names


def _role(found: list[Piece], span: list[int]) -> str:
    """The preposition before the phrase that a word stands in."""
    if _owns(found, span[-1]):
        return "'s"
    pronoun = False
    for place in range(span[0] - 1, max(-1, span[0] - 6), -1):
        lower = found[place].text.lower()
        if lower == "to" and place and found[place - 1].text.lower() in _BEFORE_A_VERB:
            return ""
        if lower in _PREPOSITIONS:
            return "" if pronoun and lower not in _CLAUSAL else _governing(found, place, span[0])
        if lower in _PERSONS or lower in _PRONOUNS:
            pronoun = True
        elif lower not in _TRANSPARENT and (lower in _FUNCTION or found[place].form != "word"):
            return ""
    return ""


def _owns(found: list[Piece], last: int) -> bool:
    """Whether a possessive ending follows: the manager's, `tide-api`'s, customers'."""
    while last + 2 < len(found) and found[last + 1].text == "-" and found[last + 2].form == "word":
        last += 2
    if _text(found, last + 1) != "'":
        return False
    return _text(found, last + 2) == "s" or _text(found, last).endswith("s")


def _governing(found: list[Piece], place: int, until: int) -> str:
    """What the preposition at a place says: "with no" is "without", "of" makes a possessor but in "instead of"."""
    lower, before = found[place].text.lower(), _text(found, place - 1) if place else ""
    if lower == "with" and any(_text(found, between) == "no" for between in range(place, until)):
        return "without"
    if lower == "of" and before in {"instead", "out", "because", "ahead"}:
        return before
    return _PREPOSITIONS[lower] or lower


def _text(found: list[Piece], place: int) -> str:
    return found[place].text.lower() if place < len(found) else ""


def _is_negated(found: list[Piece], place: int, key: tuple[str, ...]) -> bool:
    """Whether a negation stands before the word, with nothing but function words between."""
    if key[0] in _NEGATIONS or "not" in key or "no" in key:
        return False
    for before in range(place - 1, max(-1, place - 4), -1):
        lower = found[before].text.lower()
        if lower in _NEGATIONS:
            # "Why didn't the alert fire": it is said of the verb, behind the subject.
            return before > _INVERTED
        if lower not in _FUNCTION or found[before].form != "word":
            return False
    return False


def _negations(words: tuple[Word, ...], lower: list[str], text: str) -> int:
    """How often a question says no. "Can't I ...?" asks what "Can I ...?" asks; "not" inside of a phrase is part of it."""
    inside = sum(
        lower.count(part) and 1 for word in words if len(word.key) > 1 for part in word.key if part in _NEGATIONS
    )
    count = sum(word in _NEGATIONS for word in lower) - inside
    leading = _TAG_QUESTION.match(core(text)) is not None
    tag = re.search(r",\s*(?:\w+n['’]t|or not|right) ?\w*\s*\?*$|\bor not\s*\?*$", text, re.IGNORECASE) is not None
    return max(0, count - leading - tag)


_BETWEEN = 3
"""Words that stand between two that are joined: "the manager and the director"."""


def _coordinated(words: list[Word], found: list[Piece]) -> list[Word]:
    """Number what "and", "or" and commas join."""
    joined = list(words)
    group = 0
    for index in range(1, len(joined)):
        before, word = joined[index - 1], joined[index]
        between = [found[place].text.lower() for place in range(before.place + len(before.key), word.place)]
        if any(part in {"and", "or", "vs", "versus", "&"} for part in between) and len(between) <= _BETWEEN:
            number = before.joined if before.joined >= 0 else (group := group + 1)
            role = word.role or before.role
            joined[index - 1], joined[index] = replace(before, joined=number), replace(word, joined=number, role=role)
    return joined


def _doings(found: list[Piece], bases: list[str]) -> list[Doing]:
    """For each word that may be a verb, the phrase before it and what follows; turned round where it is passive."""
    doings: list[Doing] = []
    for verb, piece in enumerate(found):
        written = piece.text.lower()
        if written.endswith(_NOMINAL) and _text(found, verb + 1) not in _DETERMINERS - {"of", "no"}:
            continue
        if (
            not _is_telling(found, verb)
            or bases[verb] in _PERSONS
            or len(written) < _SHORTEST_VERB
            or _is_possessive(found, verb)
        ):
            continue
        if verb and found[verb - 1].text.lower() in _DETERMINERS:
            continue
        before, after = _phrase_before(found, bases, verb), _phrases_after(found, bases, verb)
        nearest = next((bases[place] for place in range(verb - 1, -1, -1) if _is_telling(found, place)), "")
        helpers = {found[place].text.lower() for place in range(max(0, verb - 7), verb)}
        if (written in _PARTICIPLES or written.endswith(("ed", "en"))) and helpers & _BE:
            by = after.get("by", _NOBODY)
            doings.append(Doing(bases[verb], by, before, is_passive=True, nearest=nearest, beside=_NOBODY))
            continue
        others = frozenset[str]().union(*(words for role, words in after.items() if role in {"", "to"}))
        beside = frozenset[str]().union(*after.values())
        doings.append(Doing(bases[verb], before, others, is_passive=False, nearest=nearest, beside=beside))
    return doings


def _is_telling(found: list[Piece], place: int) -> bool:
    lower = found[place].text.lower()
    return (
        found[place].form == "word"
        and (lower not in _FUNCTION or lower in _ACTING)
        and lower not in _NEGATIONS
        and lower not in _ADVERBS
        and not _is_possessive(found, place)
    )


def _phrase_before(found: list[Piece], bases: list[str], verb: int) -> frozenset[str]:
    """The noun phrase before a verb, past auxiliaries."""
    place = verb - 1
    while place >= max(0, verb - 5) and found[place].form == "word":
        lower = found[place].text.lower()
        skipped = lower in _INFINITIVES or not (_is_telling(found, place) or _is_border(found, place))
        if not skipped:
            break
        place -= 1
    words: list[str] = []
    while place >= 0 and len(words) < _LONGEST_PHRASE and (found[place].form == "word" or found[place].text in "'-"):
        lower = found[place].text.lower()
        if _is_telling(found, place):
            words.append(bases[place])
            if lower in _PERSONS or lower in _PRONOUNS:
                break
        elif lower not in {"of", "from", "in", "'", "-", "s"}:
            break
        place -= 1
    return frozenset(words)


def _phrases_after(found: list[Piece], bases: list[str], verb: int) -> dict[str, frozenset[str]]:
    """What follows a verb up to the end of its clause, by preposition; "" for its object."""
    phrases: dict[str, frozenset[str]] = {}
    role, count = "", 0
    for place in range(verb + 1, min(len(found), verb + 10)):
        lower = found[place].text.lower()
        if (found[place].form == "other" and found[place].text not in "'-") or lower in _BORDERS:
            break
        if lower in _PREPOSITIONS and lower not in {"up", "off", "down"}:
            if not (role == "by" and lower in {"from", "in"}):
                role, count = lower, 0
        elif _is_telling(found, place) and count < _LONGEST_PHRASE:
            phrases[role] = phrases.get(role, _NOBODY) | {bases[place]}
            count += 1
    return phrases


def _is_border(found: list[Piece], place: int) -> bool:
    lower = found[place].text.lower()
    return lower in _BORDERS or lower in _PREPOSITIONS or lower in _DETERMINERS


_ADVERBS = frozenset(
    "last first next again once twice ago soon late early later earlier together always often never also".split()
)
_ACTING = _PERSONS | frozenset(_PRONOUNS) | frozenset("tell need use call like get".split())
_INFINITIVES = frozenset(
    "to have has had need needs want wants like allowed able supposed required going trying expected obliged permitted".split()
)
_NOBODY: frozenset[str] = frozenset()
_NOMINAL = ("tion", "tions", "sion", "sions", "ment", "ments", "ness", "ity", "ance", "ence", "ship", "ers")
"""Endings of what is no verb."""
_SHORTEST_VERB = 3
_LONGEST_PHRASE = 3
_DETERMINERS = frozenset("the a an my our your his her their its this these those any some each every no of".split())
_BORDERS = frozenset(
    "if when while because and but or so that which who whom before after until once unless than".split()
)
_PARTICIPLES = frozenset(
    "paid sent kept got taken given found lost broken stolen bought sold brought left made told held built spent lent written"
    " chosen forgotten frozen seen taught met done let put set cut hit shut withdrawn hidden thrown drawn shown".split()
)
