"""What a sentence claims: the values that it gives, each with its subject, and what it allows, forbids or demands.

The kinds of values stand in values.py. A value's subject is the sentence up to the end of the value's clause, without the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal

from ken.checks.values import ROLE, SPELLED, Value, values_in
from ken.text.markup import CELL_SEPARATOR
from ken.text.tokens import STOP_WORDS, stem

Stance = Literal["", "allowed", "forbidden", "required", "optional"]

_MOST_VALUES = 16
"""A text with more is a listing: nobody can tell there which value stands against which."""
_WHOSE = re.compile(r"\b(?:your|their|his|her|my|our)\s+(?:line\s+)?\w+", re.IGNORECASE)
_NAMED_ROLE = re.compile(rf"\b(?:[\w-]+\ ){{0,2}}{ROLE}\b", re.IGNORECASE)
_CLAUSE_END = re.compile(
    r"[;()]|\s[–—]\s|,(?=\s(?:even|but|and|or|after|which|who|so|because|while|unless|if|except|then|otherwise|although"
    r"|though|when|with)\b)",
    re.IGNORECASE,
)
_COUNTED_FROM = re.compile(r"\s+(?:of|after|before|from)\s+((?:[\w'’-]+\s*){1,5})", re.IGNORECASE)
_COLUMN = re.compile(rf"(?:^|(?<={CELL_SEPARATOR}))([^:·]{{1,60}}): ")
_CONDITION = re.compile(
    r"\b(?:if|unless|except|excluding|when|whenever|where|during|outside|while|otherwise|instead|once)\b([^,;]*)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")
_IN_SENTENCE_NAME = re.compile(r"(?<=[\w,] )[A-Z]\w|\w*\d|^[A-Z]{2,}")
_ANSWERS = re.compile(
    r"^\W*(?:no|yes)\b(?=\s*[,:;.–-])|\bno (?:later|more|less|fewer|earlier|sooner|longer) than\b|\bnot (?:only|just)\b"
    r"|\bwhether or not\b|\bif not\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(?:not|no|never|without|none|neither|nobody|nothing|cannot)\b|n['’]t\b", re.IGNORECASE)
_STANCES: tuple[tuple[Stance, re.Pattern[str]], ...] = (
    (
        "optional",
        re.compile(
            r"\b(?:need not|needn['’]t|(?:do|does) ?n[o'’]t (?:need|have) to|(?:not|n['’]t) (?:be )?(?:required|needed|necessary"
            r"|mandatory|compulsory|obligatory)|optional|voluntary|no (?:\w+ ){1,3}(?:is |are )?(?:required|needed|necessary))\b",
            re.IGNORECASE,
        ),
    ),
    (
        "forbidden",
        re.compile(
            r"\b(?:(?:must|may|can|shall) ?(?:not|n['’]t|never)|cannot|can['’]t|(?:not|n['’]t|never) (?:be )?(?:allowed|permitted"
            r"|authori[sz]ed)|forbidden|prohibited|banned|not allowed|nobody may|no one may)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "required",
        re.compile(
            r"\b(?:must|shall|(?:is|are|be) (?:required|mandatory|compulsory|obligatory)|ha(?:s|ve) to)\b",
            re.IGNORECASE,
        ),
    ),
    ("allowed", re.compile(r"\b(?:may|can|allowed|permitted|authori[sz]ed)\b", re.IGNORECASE)),
)
_STANCE_WORDS = frozenset(
    stem(word)
    for word in "must may can shall need required needed necessary mandatory compulsory obligatory optional voluntary "
    "forbidden prohibited banned allowed permitted authorised authorized cannot not no never without".split()
)
_SAYS_NOTHING = STOP_WORDS | frozenset("next following least most maximum minimum within also always".split())
GROUPS = frozenset(
    stem(word)
    for word in "contractor intern trainee apprentice freelancer temporary permanent manager director executive visitor guest "
    "customer supplier partner parent student abroad domestic international foreign weekend weekday night holiday summer "
    "winter emergency production staging test internal external primary secondary senior junior local remote".split()
)
"""Words that narrow a rule down to some people, places or times, in a sentence or in a heading."""
DEGREES = frozenset(
    stem(word)
    for word in "minor major critical high low small large new existing annual monthly weekly daily quarterly yearly second third "
    "half part full individual group single double return".split()
)
"""Words that do so in a sentence."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A value with what it is the value of."""

    value: Value
    subject: frozenset[str]
    """Stems of the content words."""
    names: frozenset[str]
    """Those of them that name one thing: words with a capital or a digit in mid-sentence."""
    conditions: frozenset[str]
    """Those of them that stand in a condition: "if ...", "during ..."."""
    reference: frozenset[str]
    """Stems of what the value is counted from, or is a part of: "30 minutes of the declaration"."""
    column: frozenset[str]
    """Stems of the name of the value's column, in a table row that is quoted with them."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What one sentence claims."""

    values: tuple[Claim, ...]
    stance: Stance
    """What it allows, forbids or demands as a whole."""
    denies: bool
    subject: frozenset[str]
    """Stems of all its content words, values left out."""
    names: frozenset[str]
    conditions: frozenset[str]


@lru_cache(maxsize=32_768)
def claims(text: str) -> Claims:
    """Read the claims of a sentence, list point or table row, which is plain text."""
    values = list(islice(values_in(text), _MOST_VALUES + 1))
    if len(values) > _MOST_VALUES:
        values = []
    spans = [span for _, span in values]
    columns = _columns(text)
    bare = _blanked(text, [*spans, *(span for span, _ in columns)])
    found = tuple(
        Claim(value, *_about(bare[: _clause_end(text, end)]), _reference(bare, end), _column_at(columns, end))
        for value, (_, end) in values
    )
    judged = _ANSWERS.sub(" ", text)
    return Claims(found, _stance(judged), _DENIAL.search(judged) is not None, *_about(bare))


def can_be_disputed(text: str) -> bool:
    """Whether a statement claims anything that another one could say differently."""
    read = claims(text)
    return bool(read.values or read.stance or read.denies)


@lru_cache(maxsize=32_768)
def wording(text: str) -> tuple[str, ...]:
    """The stems of all words of a text, in order."""
    return tuple(stem(match[0].lower()) for match in _WORD.finditer(text))


@lru_cache(maxsize=32_768)
def people(text: str) -> frozenset[str]:
    """The stems of the roles that a text names: "the chief financial officer"."""
    return frozenset(word for match in _NAMED_ROLE.finditer(text) for word in _stems(match[0]))


@lru_cache(maxsize=32_768)
def scope(text: str) -> frozenset[str]:
    """The stems of the words that narrow a sentence down; "ask your manager" is no rule for managers."""
    return frozenset(_stems(_WHOSE.sub(" ", text))) & (GROUPS | DEGREES)


@lru_cache(maxsize=32_768)
def topic(text: str) -> frozenset[str]:
    """The stems of the content words of a title or a heading."""
    return frozenset(_stems(text))


def _stance(text: str) -> Stance:
    for name, pattern in _STANCES:
        if pattern.search(text):
            return name
    return ""


def _blanked(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return text


def _columns(text: str) -> list[tuple[tuple[int, int], str]]:
    """Spans and names of the columns in a row such as "Category: TAXI · Limit: EUR 30"; empty for anything else."""
    if CELL_SEPARATOR not in text:
        return []
    return [(match.span(), match[1]) for match in _COLUMN.finditer(text)]


def _column_at(columns: list[tuple[tuple[int, int], str]], at: int) -> frozenset[str]:
    """The stems of the name of the column that a place of a row lies in."""
    return next((topic(name) for (start, _), name in reversed(columns) if start < at), frozenset[str]())


def _clause_end(text: str, end: int) -> int:
    """Where the clause ends that the value's end lies in: of a table row, its cell."""
    if CELL_SEPARATOR in text:
        cell = text.find(CELL_SEPARATOR, end)
        limit = len(text) if cell < 0 else cell
    else:
        limit = len(text)
    stop = _CLAUSE_END.search(text, end, limit)
    return stop.start() if stop else limit


def _reference(text: str, end: int) -> frozenset[str]:
    found = _COUNTED_FROM.match(text, end)
    return frozenset(_stems(found[1])) if found else frozenset()


def _about(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Subject, names and conditions of a piece of a sentence."""
    names = frozenset(
        stem(match[0].lower()) for match in _WORD.finditer(text) if _IN_SENTENCE_NAME.match(text, match.start())
    )
    conditions = frozenset(word for match in _CONDITION.finditer(text) for word in _stems(match[1]))
    subject = frozenset(_stems(text))
    return subject, names & subject, conditions


def _stems(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        yield from _roots(word.lower())


@lru_cache(maxsize=100_000)
def _roots(word: str) -> tuple[str, ...]:
    """The stems that a word, in lower case, gives a subject; none of a word that says nothing of it."""
    # "Non-emergency" is not the word "emergency".
    is_whole = any(map(str.isdigit, word)) or word.startswith("non-")
    parts = [word] if is_whole else re.split(r"[-_.]", word)
    said = (part for part in parts if part not in _SAYS_NOTHING and part not in SPELLED and not part.isdigit())
    return tuple(root for root in map(stem, said) if root not in _STANCE_WORDS and len(root) > 1)
