"""Calendar dates: how people write them, and the time that a question asks about."""

from __future__ import annotations

import re
from datetime import date, timedelta

from ken.domain.standing import Period

_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = "|".join(_MONTHS)
_YEAR = r"(?:19|20)\d\d"
_POINT = re.compile(
    rf"(?P<iso>{_YEAR}-\d\d-\d\d)|(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\ (?:of\ )?)?\b(?P<month>{_MONTH})\b"
    rf"(?:\ (?P<day_after>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d))?(?:,?\ (?P<year>{_YEAR}))?|\b(?P<only_year>{_YEAR})\b",
    re.IGNORECASE | re.VERBOSE,
)
# A month or a year is a time that is asked about after one of these; elsewhere it may be the name of anything.
_BEFORE = re.compile(r"\b(?:before|prior to|until|up to|earlier than)(?: the)?\s+$", re.IGNORECASE)
_DURING = re.compile(
    r"\b(?:(?:back )?in|during|as of|as at|on|from|of|for|since|starting|beginning|after)(?: the)?\s+$", re.IGNORECASE
)
_AFTERWARDS = re.compile(r"\b(?:since|after)(?: the)?\s+$", re.IGNORECASE)
_RULES = (
    r"(?:rules?|polic(?:y|ies)|versions?|regulations?|handbook|guidelines?|limits?|terms|procedures?|process|prices?|rates?"
    r"|roster|document)"
)
_NAMES_RULES = re.compile(rf"\s+(?:\w+\s+){{0,3}}{_RULES}\b", re.IGNORECASE)
_REACH = 40
"""Characters before a date in which its preposition stands."""
_LAST = re.compile(r"\b(?:last year|a year ago|in the previous year)\b", re.IGNORECASE)
_YEARS_AGO = re.compile(r"\b(\d{1,2}|two|three|four|five) years ago\b", re.IGNORECASE)
_ONCE = re.compile(
    rf"\b(?:previously|formerly|used to (?:be|get|have|pay|cost|last|apply)|in the past|no longer|back then|at (?:the|that) time"
    rf"|superseded|outdated|(?:the|our|an|its) (?:old|older|former|previous|prior|earlier|last) (?:\w+ ){{0,3}}{_RULES}"
    rf"|(?:how|what|when|why) (?:did|have|has|was)\b.{{0,60}}\bchanged?|what(?:'s| is) (?:new|different) (?:in|about)"
    rf"|chang(?:e|es|ed) (?:in|from|to|since|between|of|with)\b|under the old"
    rf"|how (?:was it|it was) before|before (?:it|that|this|they|the change|the new))\b",
    re.IGNORECASE,
)
_SOON = re.compile(
    rf"\b(?:(?:in|from|as of|starting|beginning|for) next year|upcoming|in (?:the )?future|the (?:coming|planned) {_RULES})\b",
    re.IGNORECASE,
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5}
_DECEMBER = 12


def long_date(iso: str) -> str:
    """`2026-03-01` as people read it: `1 March 2026`. What is no ISO date stays as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def asked_period(question: str, today: str) -> Period | None:
    """The time that a question asks about; None where it asks for what holds now. `today` is an ISO date.

    "What was the rule in 2023", "before March", "the previous policy", "from 2027 on". A month without a year is the last
    one that has begun after "before", else the one of this year. The current month and year are now.
    """
    now = date.fromisoformat(today)
    for match in _POINT.finditer(question):
        before = question[max(0, match.start() - _REACH) : match.start()]
        follows = _NAMES_RULES.match(question, match.end())
        span = _span(match, now, is_limit=_BEFORE.search(before) is not None)
        if span is None or _AFTERWARDS.search(before):
            continue
        start, end = span
        if _BEFORE.search(before):
            if start <= now:
                return Period(None, (start - timedelta(days=1)).isoformat(), is_past=True)
        elif (_DURING.search(before) or follows) and (end < now or start > now):
            return Period(start.isoformat(), end.isoformat(), is_past=end < now)
    return _relative(question, now)


def _relative(question: str, now: date) -> Period | None:
    ago = _YEARS_AGO.search(question)
    years = _NUMBERS.get(ago[1].lower()) or int(ago[1]) if ago else 1
    if ago or _LAST.search(question):
        return Period(f"{now.year - years}-01-01", f"{now.year - years}-12-31", is_past=True)
    if _ONCE.search(question):
        return Period(None, None, is_past=True)
    if _SOON.search(question):
        return Period(f"{now.year + 1}-01-01", f"{now.year + 1}-12-31", is_past=False)
    return None


def _span(match: re.Match[str], now: date, *, is_limit: bool) -> tuple[date, date] | None:
    """The first and the last day of a date, month or year; None where there is no such day."""
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"]), date.fromisoformat(match["iso"])
        if match["only_year"]:
            return date(int(match["only_year"]), 1, 1), date(int(match["only_year"]), 12, 31)
        month = next(number for number, name in enumerate(_MONTHS, 1) if name.lower() == match["month"].lower())
        day = match["day"] or match["day_after"]
        year = int(match["year"]) if match["year"] else now.year
        first = date(year, month, int(day) if day else 1)
        if is_limit and not match["year"] and first > now:
            first = first.replace(year=year - 1)
        following = date(first.year + month // _DECEMBER, month % _DECEMBER + 1, 1)
        return first, first if day else following - timedelta(days=1)
    except ValueError:
        return None
