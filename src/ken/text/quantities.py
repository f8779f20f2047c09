"""The figures of a text in one form: numbers in words and digits, amounts with their units, dates, times of day, versions.

`30 minutes` and `half an hour` are one quantity, `5 GB` and `5 MB` are two; `1,000`, `1k` and `a thousand` are one number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ONES = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * tens for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINALS = {
    word: number
    for number, word in enumerate("third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), 3)
} | {"twice": 2, "thrice": 3, "double": 2, "dozen": 12}
_SUFFIXES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9}
_MONTHS = "january february march april may june july august september october november december".split()

_UNITS: dict[str, tuple[str, float]] = {
    name: (kind, factor)
    for kind, sizes in {
        "seconds": {
            "ms millisecond": 1e-3,
            "s sec second": 1,
            "min minute": 60,
            "h hr hour": 3_600,
            "day": 86_400,
            "week": 7 * 86_400,
            "fortnight": 14 * 86_400,
        },
        "working days": {"workday": 1, "working_day": 1, "business_day": 1},
        "months": {"month": 1, "quarter": 3, "year yr": 12, "decade": 120},
        "bytes": {
            "byte": 1,
            "kb kilobyte": 1e3,
            "mb megabyte": 1e6,
            "gb gigabyte gig": 1e9,
            "tb terabyte": 1e12,
            "pb petabyte": 1e15,
            "kib": 2**10,
            "mib": 2**20,
            "gib": 2**30,
            "tib": 2**40,
        },
        "bits a second": {"kbps kbit": 1e3, "mbps mbit": 1e6, "gbps gbit": 1e9},
        "%": {"% percent pct": 1},
        "EUR": {"eur euro €": 1},
        "USD": {"usd dollar buck $": 1},
        "GBP": {"gbp pound £ quid": 1},
        "CHF": {"chf franc": 1},
        "JPY": {"jpy yen ¥": 1},
        "INR": {"inr rupee": 1},
        "SEK": {"sek": 1},
        "CAD": {"cad": 1},
        "AUD": {"aud": 1},
        "cents": {"cent": 1},
        "metres": {
            "nm nanometre nanometer": 1e-9,
            "µm μm micrometre micrometer": 1e-6,
            "mm millimetre millimeter": 1e-3,
            "cm centimetre centimeter": 1e-2,
            "metre meter": 1,
            "km kilometre kilometer": 1e3,
            "mile mi": 1_609.344,
            "foot feet ft": 0.3048,
            "inch": 0.0254,
            "yard": 0.9144,
        },
        "kilograms": {
            "ng": 1e-12,
            "µg μg ug microgram": 1e-9,
            "mg": 1e-6,
            "g gram": 1e-3,
            "kg kilo kilogram": 1,
            "tonne t": 1e3,
            "lb lbs": 0.45359237,
            "ounce oz": 0.0283495,
        },
        "°C": {"°c celsius": 1},
        "°F": {"°f fahrenheit": 1},
        "degrees": {"degree °": 1},
        "litres": {
            "ml millilitre milliliter": 1e-3,
            "l litre liter": 1,
            "gallon": 3.785,
            "µl μl ul microlitre microliter": 1e-6,
            "dl": 0.1,
            "cl": 0.01,
        },
        "watts": {"w watt": 1, "kw kilowatt": 1e3, "mw megawatt": 1e6},
        "watt-hours": {"kwh": 1e3},
        "volts": {"v volt": 1},
        "km/h": {"kmh kph": 1, "mph": 1.609344},
        "pascals": {"pa pascal": 1, "kpa": 1e3, "bar": 1e5, "mbar": 100, "psi": 6_894.76},
        "percentage points": {"percentage_point": 1},
        "square metres": {"acre": 4_046.86, "hectare ha": 1e4, "sqm": 1, "sqft": 0.092903},
        "joules": {"j joule": 1, "kj": 1e3, "kcal": 4_184, "calorie": 4.184},
        "amperes": {"ma milliamp": 1e-3, "ampere amp": 1},
        "decibels": {"db decibel": 1},
        "moles": {"mmol": 1e-3, "mol": 1, "µmol μmol": 1e-6},
        "kelvins": {"kelvin": 1},
        "rpm": {"rpm": 1},
        "pieces": {"piece pcs": 1},
        "hertz": {"hz": 1, "mhz": 1e6, "ghz": 1e9},
    }.items()
    for names, factor in sizes.items()
    for name in names.split()
}
_ONLY_AFTER_DIGITS = frozenset("s h m v g l w j t ms mi ma cad ha".split())
_TIME_UNITS = frozenset("second minute hour day week fortnight month quarter year".split())

_FIGURE = r"\d{1,3}(?:[,'\u202f ]\d{3})+(?:\.\d+)?(?![\d])|\d+(?:\.\d+)*(?:,\d{1,2}(?!\d))?"
_TOKEN = re.compile(
    rf"(?P<iso>\b\d{{4}}-\d\d-\d\d\b)|(?P<dotted>\b\d{{1,2}}\.\d{{1,2}}\.(?:\d{{4}}|\d{{2}})\b)"
    r"|(?P<slashed>\b\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})\b)"
    r"|(?P<clock>\b(?:[01]?\d|2[0-3])(?::[0-5]\d(?:\ ?[ap]\.?m\b\.?)?|[.h][0-5]\d\ ?[ap]\.?m\b\.?)"
    r"|\b(?:1[0-2]|0?\d)\ ?[ap]\.?m\b\.?|\b\d{1,2}\ o['’]clock)"
    r"|(?P<fraction>\b[1-9]/[2-9]\b|[½¼¾])"
    rf"|(?P<sign>[€$£¥]\s?)?(?P<figure>(?<![\d.]){_FIGURE})(?P<ordinal>(?:st|nd|rd|th)\b)?(?P<suffix>(?:k|m|mn|bn)\b)?"
    r"|(?P<word>[^\W\d_]+)|(?P<mark>[%€$£¥°](?:[CF]\b)?)|(?P<other>[^\s\w])",
    re.IGNORECASE | re.VERBOSE,
)
_VULGAR = {"½": 0.5, "¼": 0.25, "¾": 0.75}
_AROUND_AN_ARTICLE = frozenset(
    "within in after for than every over under least most about by up to before until once".split()
)
_MONTH_CUES = frozenset(
    "in by until since of from before after during on through till to this next last every for and".split()
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure of a text."""

    kind: str
    """What is measured, in the unit that `value` has: `seconds`, `EUR`, `month`, `number`, ..."""
    value: float | str
    """A string where it is a version."""
    raw: float | str
    """The number as the text gives it, before its unit counts."""
    text: str
    span: tuple[int, int]
    """Words that it takes: index of the first, and one past the last, among `pieces`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, figure or sign."""

    text: str
    span: tuple[int, int]
    form: str
    """The name of its group: `word`, `figure`, `iso`, ..."""
    number: float | str | None
    """What a figure says; None for a word."""
    suffix: str
    sign: str


def pieces(text: str) -> list[Piece]:
    """Cut a text into words, figures and signs, in order."""
    found: list[Piece] = []
    for match in _TOKEN.finditer(text):
        form = match.lastgroup if match["figure"] is None else "figure"
        number: float | str | None = None
        if match["figure"] is not None:
            number = _figure(match["figure"])
        elif match["fraction"] is not None:
            written = match["fraction"]
            number = _VULGAR[written] if written in _VULGAR else int(written[0]) / int(written[2])
        found.append(
            Piece(
                match.group(),
                match.span(),
                form or "",
                number,
                (match["ordinal"] or match["suffix"] or "").lower(),
                (match["sign"] or "").strip(),
            )
        )
    return found


def _figure(written: str) -> float | str:
    if written.count(".") > 1:
        return written
    if re.fullmatch(r"\d{1,3}(?:[,'\u202f ]\d{3})+(?:\.\d+)?", written):
        return float(re.sub(r"[,'\u202f ]", "", written))
    return float(written.replace(",", "."))


def quantities(found: list[Piece]) -> Iterator[Quantity]:
    """The figures among the pieces of a text, in order."""
    at = 0
    while at < len(found):
        read = _date(found, at) or _clock(found, at) or _period(found, at) or _coded(found, at) or _amount(found, at)
        if read is None:
            at += 1
            continue
        kind, value, raw, end = read
        text = " ".join(piece.text for piece in found[at:end])
        if isinstance(value, float) and _is_below_zero(found, at):
            value, raw = -value, -float(raw)
        if kind == "date":
            for part, number in zip(("number", "month", "number"), str(value).split("-"), strict=True):
                if int(number):
                    yield Quantity(part, float(number), float(number), text, (at, end))
        else:
            yield Quantity(kind, value, raw, text, (at, end))
        at = end


def _is_below_zero(found: list[Piece], at: int) -> bool:
    """Whether a minus stands before a figure: written out, or as a dash with nothing on its left."""
    if not at or found[at].form != "figure":
        return False
    sign = found[at - 1]
    touches = sign.span[1] == found[at].span[0]
    return sign.text.lower() == "minus" or (
        sign.text in {"-", "−"} and touches and (at == 1 or found[at - 2].span[1] < sign.span[0])
    )


_CENTURY = 100
_HALF_DAY = 12
_QUARTERS = frozenset({1.0, 2.0, 3.0, 4.0})
_MONTH_NAMES = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))} | {
    "sept": 9
}
_ALSO_WORDS = frozenset("may march mar sep dec jan".split())
_Read = tuple[str, float | str, float | str, int]


def _date(found: list[Piece], at: int) -> _Read | None:
    piece = found[at]
    if piece.form == "iso":
        return "date", piece.text, 0.0, at + 1
    if piece.form in {"dotted", "slashed"}:
        first, second, year = (int(part) for part in re.split(r"[./]", piece.text))
        if piece.form == "slashed" and second > len(_MONTHS):
            first, second = second, first
        return "date", f"{year + 2000 if year < _CENTURY else year}-{second}-{first}", 0.0, at + 1
    lower = piece.text.lower()
    month = _MONTH_NAMES.get(lower, 0)
    if month and (lower not in _ALSO_WORDS or _is_month(found, at)):
        return "month", float(month), float(month), at + 1
    if lower in {"q", "quarter"} and at + 1 < len(found) and found[at + 1].number in _QUARTERS:
        return "quarter", found[at + 1].number or 0.0, 0.0, at + 2
    nth = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}.get(lower)
    if piece.form == "figure" and piece.suffix in {"st", "nd", "rd", "th"}:
        nth = int(piece.number) if isinstance(piece.number, float) and piece.number in _QUARTERS else None
    if nth and at + 1 < len(found) and found[at + 1].text.lower() == "quarter":
        return "quarter", float(nth), 0.0, at + 2
    return None


def _is_month(found: list[Piece], at: int) -> bool:
    """Whether `may` and `march` are months here: beside a number, or with a capital after what stands before a date."""
    beside = [found[index].number for index in (at - 1, at + 1) if 0 <= index < len(found)]
    if any(number is not None for number in beside):
        return True
    before = found[at - 1].text.lower() if at else ""
    return found[at].text[0].isupper() and (before in _MONTH_CUES or before == "of")


def _clock(found: list[Piece], at: int) -> _Read | None:
    piece = found[at]
    lower = piece.text.lower()
    if piece.form == "word":
        minutes = {"noon": 720, "midday": 720, "midnight": 0}.get(lower)
        return None if minutes is None else ("time of day", float(minutes), float(minutes), at + 1)
    if piece.form != "clock":
        return None
    numbers = [int(number) for number in re.findall(r"\d+", lower)]
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 0
    if re.search(r"p\.?m", lower) and hour < _HALF_DAY:
        hour += _HALF_DAY
    if re.search(r"a\.?m", lower) and hour == _HALF_DAY:
        hour = 0
    return "time of day", float(60 * hour + minute), float(hour), at + 1


def _amount(found: list[Piece], at: int) -> _Read | None:
    read = _number(found, at)
    if read is None:
        return _unit_alone(found, at)
    number, end = read
    sign = found[at].sign
    if isinstance(number, str):
        return "version", number, number, end
    end_of_unit, unit = _unit(found, end, after_digits=found[end - 1].form == "figure")
    if sign:
        return _UNITS[sign][0], number, number, max(end, end_of_unit if unit and unit[0] == _UNITS[sign][0] else end)
    if unit is None:
        return "number", number, number, end
    kind, factor = unit
    extra, end_of_unit = _and_a_half(found, end_of_unit)
    return _same_time(kind, (number + extra) * factor, number, end_of_unit)


_CURRENCIES = frozenset("EUR USD GBP CHF JPY INR SEK CAD AUD".split())


def _coded(found: list[Piece], at: int) -> _Read | None:
    """`EUR 500`: a currency's code before the figure."""
    if found[at].text not in _CURRENCIES or at + 1 >= len(found):
        return None
    read = _number(found, at + 1)
    if read is None or isinstance(read[0], str):
        return None
    return found[at].text, read[0], read[0], read[1]


def _same_time(kind: str, value: float, raw: float, end: int) -> _Read:
    return kind, round(value, 6), raw, end


def _and_a_half(found: list[Piece], at: int) -> tuple[float, int]:
    """`an hour and a half`."""
    words = [piece.text.lower() for piece in found[at : at + 3]]
    return (0.5, at + 3) if words == ["and", "a", "half"] else (0.0, at)


def _unit_alone(found: list[Piece], at: int) -> _Read | None:
    """`within an hour`, `half a day`, `a quarter of an hour`; `days a week` is a rate, and no week is meant."""
    words = [piece.text.lower() for piece in found[at : at + 4]] + [""] * 4
    before = _lower(found, at - 1) if at else ""
    part = {"half": 0.5, "quarter": 0.25}.get(words[0], 0.0)
    # What words stand before the unit, and how much of it they mean.
    if part and words[1] == "of" and words[2] in _ARTICLES:
        return _share(words[3], part, at + 4)
    if part and words[1] in _ARTICLES:
        return _share(words[2], part, at + 3)
    if (part and words[1].removesuffix("s") in _SHARED) or words[:2] == ["quarter", "hour"]:
        return _share(words[1], part, at + 2)
    if words[0] == "past" or words[:2] == ["a", "decade"]:
        return _share(words[1], 1.0, at + 2)
    if words[1] == "second" and words[2].isalpha() and words[2] not in _AFTER_A_UNIT:
        return None
    extra, end = _and_a_half(found, at + 2)
    if words[0] in _ARTICLES and words[1] in _TIME_UNITS and (extra or before in _AROUND_AN_ARTICLE):
        return _share(words[1], 1.0 + extra, end)
    return None


_AFTER_A_UNIT = frozenset("of or and after before per when if to is in on at by for from until ago later".split())
"""What may follow "a second" of a minute; a second job is no time."""
_ARTICLES = frozenset({"a", "an"})
_SHARED = frozenset("hour day year month minute".split())


def _share(unit: str, part: float, end: int) -> _Read | None:
    """So much of a unit of time; None where the word is none."""
    unit = unit.removesuffix("s")
    if unit not in _TIME_UNITS and unit != "decade":
        return None
    kind, factor = _UNITS[unit]
    return _same_time(kind, part * factor, part, end)


def _unit(found: list[Piece], at: int, *, after_digits: bool) -> tuple[int, tuple[str, float] | None]:
    """The unit that stands at a place, and where it ends."""
    if at < len(found) and found[at].text == "-":
        at += 1
    if at >= len(found):
        return at, None
    word = found[at].text.lower()
    if (
        word in {"working", "business", "work"}
        and at + 1 < len(found)
        and found[at + 1].text.lower() in {"day", "days"}
    ):
        return at + 2, _UNITS["working_day"]
    if word in {"calendar", "consecutive", "full", "whole", "straight"}:
        return _unit(found, at + 1, after_digits=after_digits)
    if (
        word in {"degree", "degrees", "°"}
        and at + 1 < len(found)
        and found[at + 1].text.lower() in {"c", "celsius", "f", "fahrenheit"}
    ):
        return at + 2, _UNITS["°c" if found[at + 1].text.lower()[0] == "c" else "°f"]
    if word == "percentage" and at + 1 < len(found) and found[at + 1].text.lower() in {"point", "points"}:
        return at + 2, _UNITS["percentage_point"]
    if word == "per" and at + 1 < len(found) and found[at + 1].text.lower() == "cent":
        return at + 2, _UNITS["%"]
    if word == "m" and after_digits:
        return at + 1, ("metres", 1.0)
    single = (
        word
        if word in _UNITS
        else word.removesuffix("s")
        if word.removesuffix("s") in _UNITS
        else word.removesuffix("es")
    )
    if single not in _UNITS or (word in _ONLY_AFTER_DIGITS and not after_digits):
        return at, None
    return at + 1, _UNITS[single]


_PERIODS = {
    "hourly": ("seconds", 3_600.0),
    "daily": ("seconds", 86_400.0),
    "nightly": ("seconds", 86_400.0),
    "weekly": ("seconds", 7 * 86_400.0),
    "fortnightly": ("seconds", 14 * 86_400.0),
    "biweekly": ("seconds", 14 * 86_400.0),
    "monthly": ("months", 1.0),
    "quarterly": ("months", 3.0),
    "yearly": ("months", 12.0),
    "annually": ("months", 12.0),
}


def _period(found: list[Piece], at: int) -> _Read | None:
    """`weekly`, `every two weeks`, `each quarter`, `per year`, `a month` after a noun, `twice a year`."""
    word = found[at].text.lower()
    if word in _PERIODS:
        kind, value = _PERIODS[word]
        return f"every, in {kind}", value, 1.0, at + 1
    before = found[at - 1].text.lower() if at else ""
    times, place = 1.0, at
    counted = {"once": 1.0, "twice": 2.0, "thrice": 3.0}.get(word)
    if counted:
        times, place = counted, at + 1
    elif (number := _number(found, at)) and isinstance(number[0], float | int) and _lower(found, number[1]) == "times":
        times, place = float(number[0]), number[1] + 1
    lead = _lower(found, place)
    if lead not in {"every", "each", "per", "a", "an", "/"} or (
        lead in {"a", "an"} and times == 1 and not counted and _starts(found, at, before)
    ):
        return None
    amount, end = 1.0, place + 1
    if lead == "every" and (number := _number(found, end)) and isinstance(number[0], float | int):
        amount, end = float(number[0]), number[1]
    elif lead == "every" and _lower(found, end) in {"other", "second"}:
        amount, end = 2.0, end + 1
    elif lead == "every" and _lower(found, end) == "half":
        amount, end = 0.5, end + 1 + (_lower(found, end + 1) in {"a", "an"})
    end, unit = _unit(found, end, after_digits=False)
    if unit is None or unit[0] not in {"seconds", "months"}:
        return None
    return f"every, in {unit[0]}", round(amount * unit[1] / times, 3), amount / times, end


def _starts(found: list[Piece], at: int, before: str) -> bool:
    """Whether `a` before a unit is an article ("for a week") and no rate ("two days a week")."""
    return (
        not at
        or found[at - 1].form != "word"
        or before in _AROUND_AN_ARTICLE
        or before in _NO_RATE
        or _lower(found, at + 1) not in _TIME_UNITS
    )


_NO_RATE = frozenset(
    "is are was be take takes took have has had get need with without on at from and or of to if when not only just".split()
)


def _lower(found: list[Piece], at: int) -> str:
    return found[at].text.lower() if at < len(found) else ""


def _number(found: list[Piece], at: int) -> tuple[float | str, int] | None:
    piece = found[at]
    if piece.number is not None:
        if isinstance(piece.number, str):
            return piece.number, at + 1
        number = piece.number * _SUFFIXES.get(piece.suffix, 1.0)
        if at + 1 < len(found) and (scale := _SCALES.get(found[at + 1].text.lower())):
            return number * scale, at + 2
        if at + 1 < len(found) and found[at + 1].form == "fraction" and found[at + 1].number in {0.5, 0.25, 0.75}:
            return number + float(found[at + 1].number or 0), at + 2
        return number, at + 1
    return _spelled(found, at)


def _spelled(found: list[Piece], at: int) -> tuple[float, int] | None:
    """A number in words; `one` alone, which is mostly no number, counts before a unit of time."""
    words = [piece.text.lower() for piece in found[at : at + 12]]
    ordinal = _early_ordinal(found, at, words)
    if ordinal is not None:
        return ordinal, at + 1
    number, end = _counted(words)
    if not end:
        return None
    if words[end : end + 3] == ["and", "a", "half"]:
        return number + 0.5, at + end + 3
    if number == end == 1 and (not words[1:] or words[1].removesuffix("s") not in _UNITS):
        return None
    return number, at + end


_LEVELS = frozenset("floor level year month week quarter tier line stage".split())


def _early_ordinal(found: list[Piece], at: int, words: list[str]) -> float | None:
    """`second` where it is no unit of time, and `first` of a floor, a year, ..."""
    before = _lower(found, at - 1) if at else ""
    if words[0] == "second" and before not in {"a", "per", "each", "every", "half"}:
        return 2.0 if not at or found[at - 1].number is None else None
    return 1.0 if words[0] == "first" and _LEVELS & set(words[1:2]) else None


def _counted(words: list[str]) -> tuple[float, int]:
    """The number that words begin with, and how many of them it takes."""
    total, current, end = 0.0, 0.0, 0
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in _ONES or word in _TENS:
            current += _ONES.get(word, 0) + _TENS.get(word, 0)
        elif word in _SCALES and (end or (index == 1 and words[0] == "a")):
            current = max(current, 1.0) * _SCALES[word]
            if _SCALES[word] > _SCALES["hundred"]:
                total, current = total + current, 0.0
        elif word in _ORDINALS and (not end or current % 10 == 0):
            return total + current + _ORDINALS[word], index + 1
        elif _goes_on(word, following, begun=end, hundreds=current + total >= _SCALES["hundred"]):
            continue
        else:
            break
        end = index + 1
    return total + current, end


def _goes_on(word: str, following: str, *, begun: int, hundreds: bool) -> bool:
    """Whether a number goes on behind a word that is none: twenty-five, two hundred and five, a thousand."""
    if word == "a":
        return not begun and following in _SCALES
    is_number = following in _ONES or following in _TENS
    return begun > 0 and is_number and (word == "-" or (word == "and" and hundreds))
