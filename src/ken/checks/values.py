"""The values that a sentence gives: amounts of money, shares, durations, dates, times, sizes, counts, versions, addresses, roles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ken.domain.conflict import Kind
from ken.text.tokens import STOP_WORDS, stem

Bound = Literal["", "most", "least", "every"]

SPELLED = {
    word: float(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split()
    )
} | {
    word: float(10 * tens)
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
# Bounded, and never begun in the middle of digits: a long row of them takes linear time.
_FIGURE = r"(?<!\d)(?:\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,15}(?:[.,]\d{1,9})?)"
_NUMBER = rf"(?:{_FIGURE}|\b(?:{'|'.join(SPELLED)})\b)"


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
ROLE = (
    r"(?:manager|director|lead|leader|officer|controller|committee|board|council|desk|team|supervisor|owner|department"
    r"|office|commander|liaison|ceo|cfo|cto|coo|hr|head of \w+(?: [A-Z]\w+)*)"
)

_VALUE = re.compile(
    rf"""
      (?P<address>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
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
      (?P<role>(?:(?!(?:by|the|to|of|and|or|from|with|for|in|on|at|your)\b)[\w-]+\ ){{0,2}}?{ROLE})\b
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


def values_in(text: str) -> Iterator[tuple[Value, tuple[int, int]]]:
    """Each value of a text, with the span that says no more than the value: who does a duty, what is counted stay out of it."""
    for match in _VALUE.finditer(text):
        value = _value(match)
        if value is not None:
            yield value, _span(match, value.kind)


def _span(match: re.Match[str], kind: Kind) -> tuple[int, int]:
    """What of a value's match is no subject: what is counted is one, and so is who does a duty."""
    if kind == "role":
        return match.span("role")
    return (match.start(), match.start("counted")) if kind == "count" else match.span()


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
    spelled = SPELLED.get(text.lower())
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
