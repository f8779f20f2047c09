"""What a sentence claims: the values that it gives, each with its subject, and what it allows, forbids or demands.

A value is an amount of money, a share, a duration, a date, a time, a size, a count, a version, an address or a role. Its
subject is the sentence up to the end of the value's clause, without the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ken.domain.conflict import Kind
from ken.text.markup import CELL_SEPARATOR
from ken.text.tokens import STOP_WORDS, stem

Bound = Literal["", "most", "least", "every"]
Stance = Literal["", "allowed", "forbidden", "required", "optional"]

_SPELLED = {
    word: float(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split()
    )
} | {
    word: float(10 * tens)
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
_NUMBER = rf"(?:{_FIGURE}|\b(?:{'|'.join(_SPELLED)})\b)"


def _range(low: str, high: str) -> str:
    """The pattern of a number or of two with a dash or a word between them, as groups of these names."""
    return rf"(?P<{low}>{_NUMBER})(?:\s?(?:-|–|to|or)\s?(?P<{high}>{_NUMBER}))?"


_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_DAYS = {
    "second": 1 / 86_400,
    "minute": 1 / 1_440,
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 30.44,
    "year": 365.25,
}
_SHORT = {"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day"}
_CURRENCIES = {
    name: unit
    for unit, names in {
        "eur": "eur € euro euros",
        "usd": "usd $ dollar dollars",
        "gbp": "gbp £ pound pounds",
        "chf": "chf franc francs",
    }.items()
    for name in names.split()
}
_CURRENCY = r"(?:EUR|USD|GBP|CHF|[€$£])"
_SIZE = r"(?:kg|km|cm|mm|[kmgt]b|gib|mib|kw|kwh|watts?|volts?|metres?|meters?|kilometres?|miles?|litres?|degrees?|°c)"
_ROLE = (
    r"(?:manager|director|lead|leader|officer|controller|committee|board|council|desk|team|supervisor|owner|department"
    r"|office|commander|liaison|ceo|cfo|cto|coo|hr|head of \w+(?: [A-Z]\w+)*)"
)
_WHOSE = re.compile(r"\b(?:your|their|his|her|my|our)\s+(?:line\s+)?\w+", re.IGNORECASE)
_NAMED_ROLE = re.compile(rf"\b(?:[\w-]+\ ){{0,2}}{_ROLE}\b", re.IGNORECASE)

_VALUE = re.compile(
    rf"""
      (?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<version>\bv?\d+(?:\.\d+){{2,}}\b)
    | (?P<name>\b[a-z]+[-_]?\d[\w.-]*|\b(?:no|nos|page|step|section|chapter|version|tier|level|phase|port|band|form)\.?\ \d[\w.]*)
    | (?P<date>\b\d{{4}}-\d{{2}}-\d{{2}}\b
        |\b\d{{1,2}}(?:st|nd|rd|th)?\ (?:of\ )?(?:{_MONTH})\b(?:\ \d{{4}})?
        |\b(?:{_MONTH})\ \d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\ \d{{4}})?)
    | (?P<time>\b\d{{1,2}}:\d{{2}}(?:\ ?[ap]\.?m\b)?|\b\d{{1,2}}\ ?[ap]\.?m\b)
    | (?P<money>{_CURRENCY}\s?(?P<money_before>{_FIGURE})(?P<times_before>k|m|\ million)?\b
        |(?P<money_after>{_FIGURE})(?P<times_after>k|m|\ million)?\s?(?:{_CURRENCY}|(?:euros?|dollars?|pounds?|francs?)\b))
      (?:\ (?:per|a|an|each)\ (?P<money_per>[a-z]+))?
    | (?P<share>(?P<share_of>{_FIGURE})\s?(?:%|percent\b|per\ cent\b))
    | (?P<duration>{_range("lasts", "lasts_most")}
        [\s-]?(?:(?P<working>working|business)\ |(?:calendar|consecutive|full|extra|additional|more|further|whole|paid)\ )?
        (?P<period>seconds?|minutes?|hours?|days?|weeks?|months?|years?|(?<=[\d\s])(?:secs?|mins?|hrs?)|(?<=\d)[smhd])\b)
    | (?P<size>(?P<sized>{_FIGURE})\s?(?P<size_unit>{_SIZE})\b)
    | (?P<count>{_range("counts", "counts_most")}[\s-](?P<counted>[a-z]{{3,}}(?:\ [a-z]{{3,}})?)\b)
    | \b(?:by|from|to|ask|asks|tell|contact|contacts|inform|notify|notifies)\ (?:the\ |your\ |an?\ |their\ |its\ )?
      (?P<role>(?:(?!(?:by|the|to|of|and|or|from|with|for|in|on|at|your)\b)[\w-]+\ ){{0,2}}?{_ROLE})\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BOUNDS: tuple[tuple[Bound, re.Pattern[str], re.Pattern[str]], ...] = (
    (
        "most",
        re.compile(
            r"\b(?:up to|at most|(?:no|not) (?:more|later|longer) than|maximum(?: of)?|max\.?|within|by|until|before|under"
            r"|less than|fewer than|below|limit(?:ed)? (?:is|of|to)|not exceed(?:ing)?)\s+(?:the\s+|about\s+)?$",
            re.IGNORECASE,
        ),
        re.compile(r"^\s*(?:or (?:less|fewer|earlier)|at (?:the )?(?:most|latest)|maximum)\b", re.IGNORECASE),
    ),
    (
        "least",
        re.compile(
            r"\b(?:at least|minimum(?: of)?|min\.?|(?:no|not) (?:less|fewer|earlier) than|more than|longer than"
            r"|(?<!carry )(?<!carried )(?<!take )over|above|from|after|since)\s+(?:the\s+|about\s+)?$",
            re.IGNORECASE,
        ),
        re.compile(r"^\s*(?:or (?:more|longer|later|above)|at least|minimum)\b", re.IGNORECASE),
    ),
    ("every", re.compile(r"\b(?:every|each)\s+$", re.IGNORECASE), re.compile(r"(?!)")),
)
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
class Value:
    """A value as a sentence gives it."""

    kind: Kind
    unit: str
    """What two values must share to be compared: a currency, `working day`, `kg`, the stem of what is counted."""
    low: float
    high: float
    """Equal to `low` unless it is a range; both 0 where the value is no number."""
    word: str
    """In lower case, where the value is no number."""
    bound: Bound
    text: str
    """As written."""


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
    spans: list[tuple[int, int]] = []
    values: list[Value] = []
    for match in _VALUE.finditer(text):
        value = _value(match)
        if value is not None:
            spans.append(_span(match, value.kind))
            values.append(value)
    columns = _columns(text)
    bare = _blanked(text, [*spans, *(span for span, _ in columns)])
    found = tuple(
        Claim(value, *_about(bare[: _clause_end(text, end)]), _reference(bare, end), _column_at(columns, end))
        for value, (_, end) in zip(values, spans, strict=True)
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


def _span(match: re.Match[str], kind: Kind) -> tuple[int, int]:
    """What of a value's match is no subject: what is counted is one, and so is who does a duty."""
    if kind == "role":
        return match.span("role")
    return (match.start(), match.start("counted")) if kind == "count" else match.span()


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
    parts = [word] if any(map(str.isdigit, word)) else re.split(r"[-_.]", word)
    said = (part for part in parts if part not in _SAYS_NOTHING and part not in _SPELLED and not part.isdigit())
    return tuple(root for root in map(stem, said) if root not in _STANCE_WORDS and len(root) > 1)


def _value(match: re.Match[str]) -> Value | None:
    """The value of a match; None for a name that only looks like one."""
    kind: Kind | None = next((name for name in _READERS if match[name] is not None), None)
    if kind is None:
        return None
    unit, low, high, word = _READERS[kind](match)
    text = match[kind]
    if not unit:
        return None
    return Value(kind, unit, low, high, word, _bound(match), text)


def _bound(match: re.Match[str]) -> Bound:
    before, after = (
        match.string[max(0, match.start() - 30) : match.start()],
        match.string[match.end() : match.end() + 16],
    )
    for name, ahead, behind in _BOUNDS:
        if ahead.search(before) or behind.search(after):
            return name
    return ""


_Read = tuple[str, float, float, str]
"""Unit, low, high, word."""


def _number(text: str | None) -> float:
    if text is None:
        return 0.0
    spelled = _SPELLED.get(text.lower())
    if spelled is not None:
        return spelled
    plain = text.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text) else text.replace(",", ".")
    return float(plain)


def _money(match: re.Match[str]) -> _Read:
    number = _number(match["money_before"] or match["money_after"])
    times = (match["times_before"] or match["times_after"] or "").strip().lower()
    number *= {"k": 1e3, "m": 1e6, "million": 1e6}.get(times, 1)
    sign = re.search(r"[a-z]{3,}|[€$£]", match["money"].lower().replace("million", ""))
    per = match["money_per"]
    unit = _CURRENCIES.get(sign[0], "") if sign else ""
    return f"{unit} per {stem(per.lower())}" if per and unit else unit, number, number, ""


def _share(match: re.Match[str]) -> _Read:
    number = _number(match["share_of"])
    return "%", number, number, ""


def _duration(match: re.Match[str]) -> _Read:
    written = match["period"].lower()
    period = written if written in _SHORT else written.removesuffix("s")
    period = {"m": "minute"}.get(period) or _SHORT.get(period, period)
    low, high = _number(match["lasts"]), _number(match["lasts_most"] or match["lasts"])
    days = _DAYS[period]
    return "working day" if match["working"] else "day", low * days, high * days, ""


def _size(match: re.Match[str]) -> _Read:
    number = _number(match["sized"])
    return match["size_unit"].lower(), number, number, ""


def _count(match: re.Match[str]) -> _Read:
    low, high = _number(match["counts"]), _number(match["counts_most"] or match["counts"])
    nouns = [word for word in match["counted"].lower().split() if word not in STOP_WORDS]
    if not nouns or match["counts"].lower() == "one" or re.fullmatch(r"(?:19|20)\d\d", match["counts"]):
        return "", 0.0, 0.0, ""
    return stem(nouns[0]), low, high, ""


def _date(match: re.Match[str]) -> _Read:
    text = match["date"].lower()
    if iso := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text):
        return "date", 0.0, 0.0, f"{int(iso[3])} {int(iso[2])} {iso[1]}"
    day = re.search(r"(?<!\d)\d{1,2}(?!\d)", text)
    month = next(number for number, name in enumerate(_MONTHS, 1) if name[:3] in text)
    year = re.search(r"\d{4}", text)
    return "date", 0.0, 0.0, f"{int(day[0]) if day else 0} {month}{f' {year[0]}' if year else ''}"


def _time(match: re.Match[str]) -> _Read:
    text = match["time"].lower().replace(".", "")
    hour, _, rest = text.partition(":")
    minutes = re.match(r"\d+", rest)
    at = float(re.sub(r"\D", "", hour)) * 60 + (float(minutes[0]) if minutes else 0.0)
    if text.endswith("pm") and at < 12 * 60:
        at += 12 * 60
    return "time", at, at, ""


def _version(match: re.Match[str]) -> _Read:
    return "version", 0.0, 0.0, match["version"].lower().removeprefix("v")


def _address(match: re.Match[str]) -> _Read:
    return "address", 0.0, 0.0, match["address"].lower().rstrip(".")


def _role(match: re.Match[str]) -> _Read:
    return "role", 0.0, 0.0, " ".join(stem(word) for word in match["role"].lower().split())


_READERS: dict[Kind, Callable[[re.Match[str]], _Read]] = {
    "money": _money,
    "share": _share,
    "duration": _duration,
    "date": _date,
    "time": _time,
    "size": _size,
    "count": _count,
    "version": _version,
    "address": _address,
    "role": _role,
}
