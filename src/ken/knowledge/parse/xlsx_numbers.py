"""Numbers of a spreadsheet as a reader sees them: number formats applied (ISO/IEC 29500-1, 18.8.30 and 18.8.31).

Dates are written in ISO 8601, whatever order the format has: they can be compared, and mean the same everywhere.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

GENERAL = "General"

BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "yyyy-mm-dd",
    16: "yyyy-mm-dd",
    17: "yyyy-mm",
    18: "h:mm",
    19: "h:mm:ss",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    **dict.fromkeys(range(27, 32), "yyyy-mm-dd"),
    32: "h:mm",
    33: "h:mm:ss",
    **dict.fromkeys(range(34, 37), "yyyy-mm-dd"),
    37: "#,##0",
    38: "#,##0",
    39: "#,##0.00",
    40: "#,##0.00",
    41: "#,##0",
    42: "$#,##0",
    43: "#,##0.00",
    44: "$#,##0.00",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss",
    48: "##0.0E+0",
    **dict.fromkeys(range(50, 59), "yyyy-mm-dd"),
}
"""The formats that files name by number alone; dates and amounts without the country's own look."""

_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
_FIRST_DAY, _FIRST_DAY_1904 = dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)  # noqa: DTZ001 - cells have no time zone
_FALSE_LEAP_DAY = 60
_LAST_DAY = 2_958_466
_SECONDS_A_DAY = 86_400
_MOST_DECIMALS = 30
_LONGEST = 400
_MOST_SECTIONS_BY_SIGN = 3

_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"? | \\(?P<escaped>.) | [_*](?P<room>.)
    | \[(?P<elapsed>h+|m+|s+)\] | \[(?P<when>[<>=]{1,2})(?P<limit>-?[\d.]+)\] | \[\$(?P<currency>[^\]-]*)[^\]]*\] | \[[^\]]*\]
    | (?P<general>General) | (?P<half>AM/PM|A/P) | (?P<date>y+|m+|d+|h+|s+|e+(?![+-])|b+|g+)
    | (?P<exponent>E[+-]) | (?P<digits>[0\#?]+) | (?P<mark>[.,%/@;]) | (?P<literal>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the up to four parts of a format."""

    tokens: tuple[_Token, ...]
    is_date: bool
    when: str
    limit: float

    def applies_to(self, number: float) -> bool:
        match self.when:
            case ">":
                return number > self.limit
            case "<":
                return number < self.limit
            case ">=":
                return number >= self.limit
            case "<=":
                return number <= self.limit
            case "=":
                return number == self.limit
            case _:
                return number != self.limit


def shown(value: str, code: str, *, from_1904: bool = False) -> str:
    """The number `value` (as the file has it) under the format `code`; as it is where either makes no sense."""
    if code == GENERAL or len(code) > _LONGEST:
        return _general(value)
    try:
        number = float(value)
    except ValueError:
        return value
    if not -1e300 < number < 1e300:  # noqa: PLR2004 - infinite, not a number, or as good as that
        return value
    sections = _sections(code)
    section, is_negative = _section_for(sections, number)
    if section.is_date:
        return _date(number, section, from_1904=from_1904) or _general(value)
    return _number(number if not is_negative else abs(number), section, value, minus=is_negative)


def _general(value: str) -> str:
    """Without the last of the 17 digits, where binary fractions show."""
    try:
        number = float(value)
    except ValueError:
        return value
    if number.is_integer() and abs(number) < 1e15:  # noqa: PLR2004 - the digits that a spreadsheet has
        return str(int(number))
    return f"{number:.15g}"


@lru_cache(maxsize=1_000)
def _sections(code: str) -> list[_Section]:
    parts: list[list[_Token]] = [[]]
    for token in _tokens(code):
        if token == _Token("mark", ";"):
            parts.append([])
        else:
            parts[-1].append(token)
    return [_section(part) for part in parts]


def _section(part: list[_Token]) -> _Section:
    when = next((token for token in part if token.kind == "when"), None)
    is_number = any(token.kind in {"digits", "general"} for token in part) and not any(
        token.text[:1].lower() in "ymdh" for token in part if token.kind == "date"
    )
    is_date = not is_number and any(token.kind in {"date", "elapsed"} for token in part)
    try:
        limit = float(when.more) if when else 0.0
    except ValueError:
        limit = 0.0
    return _Section(tuple(part), is_date, when.text if when else "", limit)


def _tokens(code: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup
        match kind:
            case None | "room":
                pass
            case "quoted" | "escaped" | "currency":
                yield _Token("literal", match[kind])
            case "when" | "limit":
                yield _Token("when", match["when"], match["limit"])
            case _:
                yield _Token(kind, match[0] if kind != "elapsed" else match["elapsed"])


def _section_for(sections: list[_Section], number: float) -> tuple[_Section, bool]:
    """The section for the number, and whether the number's minus stands for itself there."""
    if any(section.when for section in sections):
        chosen = next((section for section in sections if section.when and section.applies_to(number)), None)
        return chosen or next((section for section in sections if not section.when), sections[-1]), number < 0
    if number < 0 and len(sections) > 1:
        return sections[1], True
    if number == 0 and len(sections) >= _MOST_SECTIONS_BY_SIGN:
        return sections[2], False
    return sections[0], number < 0


def _date(serial: float, section: _Section, *, from_1904: bool) -> str:
    """The date, time or duration; "" for a number that is none."""
    letters = [token.text[0].lower() for token in section.tokens if token.kind in {"date", "elapsed"}]
    parts = {
        "minute" if letter == "m" and _is_minute(letters, index) else letter for index, letter in enumerate(letters)
    }
    seconds = round(serial * _SECONDS_A_DAY)
    if any(token.kind == "elapsed" for token in section.tokens):
        sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if "s" in parts else "")
    if not 0 <= serial < _LAST_DAY:
        return ""
    if not from_1904 and serial < _FALSE_LEAP_DAY:
        seconds += _SECONDS_A_DAY  # this calendar has a 29 February 1900, which never was
    moment = (_FIRST_DAY_1904 if from_1904 else _FIRST_DAY) + dt.timedelta(seconds=seconds)
    day = moment.date().isoformat()
    clock = moment.strftime("%H:%M:%S" if "s" in parts else "%H:%M")
    if not parts & {"y", "m", "d", "e", "b", "g"}:
        return clock
    if parts & {"h", "minute", "s"}:
        return f"{day} {clock}"
    if "d" in parts:
        return day
    return day[:7] if "m" in parts else day[:4]


def _is_minute(letters: list[str], index: int) -> bool:
    return letters[index - 1 : index] == ["h"] or letters[index + 1 : index + 2] == ["s"]


def _number(number: float, section: _Section, value: str, *, minus: bool) -> str:
    tokens = section.tokens
    first = next((index for index, token in enumerate(tokens) if token.kind in {"digits", "general"}), None)
    if first is None and any(token.text == "@" for token in tokens):
        return _general(value)
    if first is None:
        return "".join(token.text for token in tokens if token.kind == "literal").strip()
    last = max(index for index, token in enumerate(tokens) if token.kind in {"digits", "general"})
    if tokens[first].kind == "general":
        body = _general(value).lstrip("-") if minus else _general(value)
    else:
        body = _digits(number, tokens[first : last + 1], tokens)
    before = "".join(_literal(token, minus=minus) for token in tokens[:first])
    after = "".join(_literal(token, minus=minus) for token in tokens[last + 1 :])
    sign = "-" if minus and any(map(str.isdigit, body)) else ""
    return f"{before.strip()}{' ' if before.endswith(' ') else ''}{sign}{body}{after.rstrip()}".strip()


def _literal(token: _Token, *, minus: bool) -> str:
    """What stands around the digits; the signs of a negative number's section are not repeated."""
    if token.text == "%":
        return "%"
    if token.kind != "literal" or (minus and token.text in {"-", "(", ")"}):
        return ""
    return token.text


def _digits(number: float, spec: tuple[_Token, ...], tokens: tuple[_Token, ...]) -> str:
    text = "".join(token.text for token in spec if token.kind in {"digits", "mark"})
    exact = Decimal(f"{abs(number):.15g}") * (-1 if number < 0 else 1)
    if "/" in text and any(token.kind == "digits" for token in spec[1:]):
        return _fraction(exact, text)
    exact = exact.scaleb(2 * sum(token.text == "%" for token in tokens))
    exact = exact.scaleb(-3 * _scaling_commas(spec, tokens))
    whole, point, decimals = text.replace(",", "").replace("%", "").partition(".")
    if any(token.kind == "exponent" for token in spec):
        mantissa = next(index for index, token in enumerate(spec) if token.kind == "exponent")
        places = "".join(token.text for token in spec[:mantissa] if token.kind in {"digits", "mark"}).partition(".")[2]
        return f"{exact:.{min(len(places), _MOST_DECIMALS)}E}"
    most = min(len(decimals), _MOST_DECIMALS)
    try:
        rounded = exact.quantize(Decimal(1).scaleb(-most), context=_EXACT)
    except InvalidOperation:
        return str(exact)
    if any(token.kind == "literal" for token in spec) and not point:
        return _in_pattern(rounded, spec)
    before, _, after = f"{abs(rounded):{',' if _is_grouped(spec) else ''}f}".partition(".")
    after = after[: decimals.count("0")] + after[decimals.count("0") :].rstrip("0")
    if "," not in before:
        before = before.zfill(whole.count("0")) if before != "0" or "0" in whole else ""
    minus = "-" if rounded < 0 else ""
    return f"{minus}{before}.{after}" if after else f"{minus}{before}".rstrip("-")


def _is_grouped(spec: tuple[_Token, ...]) -> bool:
    """Whether a comma stands between digits."""
    return any(
        token.text == "," and index + 1 < len(spec) and spec[index + 1].kind == "digits"
        for index, token in enumerate(spec)
    )


def _scaling_commas(spec: tuple[_Token, ...], tokens: tuple[_Token, ...]) -> int:
    """Commas right after the last digit: each stands for a thousand."""
    rest = tokens[tokens.index(spec[0]) + len(spec) :]
    return next((index for index, token in enumerate(rest) if token.text != ","), len(rest))


def _in_pattern(rounded: Decimal, spec: tuple[_Token, ...]) -> str:
    """Digits between literals, from the right, as in `000-00-0000`."""
    pattern = [(character, token.kind) for token in spec for character in token.text if token.text != ","]
    digits = list(f"{abs(rounded):f}".partition(".")[0].zfill(sum(kind == "digits" for _, kind in pattern)))
    written: list[str] = []
    for character, kind in reversed(pattern):
        if kind != "digits":
            written.append(character)
        elif digits:
            written.append(digits.pop())
    return "".join(digits) + "".join(reversed(written))


def _fraction(exact: Decimal, text: str) -> str:
    below = text.rpartition("/")[2].strip()
    most = int(below) if below.isdigit() and int(below) else 10 ** max(1, min(len(below), 4)) - 1
    found = Fraction(abs(exact)).limit_denominator(most)
    whole, rest = divmod(found.numerator, found.denominator)
    sign = "-" if exact < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole} {rest}/{found.denominator}" if whole else f"{sign}{rest}/{found.denominator}"
