"""Whether the figures of an answer stand in the passages that it was made from, or in the question.

`1,000` and `1000`, `12 %` and `twelve percent`, `half an hour` and `30 minutes` are the same. Nearly every answer is settled
by its digits alone; only a sentence whose digits aren't found is read in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

from ken.checks.heuristics.answered import Answered, Finding
from ken.checks.heuristics.prose import folded, sentence_at, words_of
from ken.checks.heuristics.standards import Standards
from ken.text.quantities import Quantity, pieces, quantities

_RUN = re.compile(r"\d(?<![\[\d]\d)[\d.,'\u00a0\u202f ]*")
"""Digits with whatever may divide them, markers of citations left out: quick to find, and taken apart by _FIGURE."""
_FIGURE = re.compile(r"(?<!\d)\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+){0,5}")
_GROUPED = re.compile(r"\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?:[.,]\d+)?")
_SEPARATORS = re.compile(r"[,'\u00a0\u202f ]")
_DIGITS = re.compile(r"\d+")
_SPELLED = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
} | {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
    "once": 1, "twice": 2, "double": 2, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "january": 1, "february": 2, "march": 3, "april": 4,
    "may": 5, "june": 6, "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12, "half": 0.5,
    "quarter": 0.25,
}  # fmt: skip
_MEASURED = frozenset(
    "minute minutes hour hours day days week weeks month months year years percent euro euros dollar dollars pounds gb mb tb "
    "working business calendar people times".split()
)
_WORTH_READING = frozenset(_SPELLED) - frozenset(
    "one first second third once double may march half quarter zero hundred thousand million".split()
)
"""Number words that mean a number wherever they stand before what is measured."""
_NEAR = 120
_MOST_READ = 24
"""Figures whose sentences are read in full."""
_CLOSE = 1e-6


def figures(answered: Answered, standards: Standards) -> Finding:
    """A figure that neither the passages nor the question has."""
    _ = standards
    if not answered.is_given or not answered.passages:
        return None
    strange = islice(_strange(answered), _MOST_READ)
    missing = [figure for figure, sentence in strange if not _is_meant(figure, sentence, answered)]
    return f"has figures that no passage has: {', '.join(dict.fromkeys(missing))}" if missing else ""


def _strange(answered: Answered) -> Iterator[tuple[str, str]]:
    """The figures whose digits are in no passage, each with its sentence."""
    text = answered.head
    known = frozenset[str]().union(*(_digits_of(each) for each in _sources(answered)))
    for figure, start in _figures_in(text):
        if figure in known:
            continue
        end = start + len(figure)
        if known.isdisjoint(_forms(figure)) and not _is_list_number(text, (start, end)):
            yield figure, _around(text, (start, start + len(figure)))
    for word in sorted(words_of(text) & _WORTH_READING):
        if f"{_SPELLED[word]:g}" not in known:
            yield from ((word, _around(text, match.span())) for match in _counting(word).finditer(folded(text)))


@lru_cache(maxsize=64)
def _counting(word: str) -> re.Pattern[str]:
    """The word before something that is measured. It begins with its own letters, which is what makes it quick to find."""
    return re.compile(rf"{word}(?<!\w{word})[ -](?:{'|'.join(sorted(_MEASURED))})\b")


def _around(text: str, span: tuple[int, int]) -> str:
    """The sentence of a figure, or what of it is near: its unit stands there."""
    start, end = span
    begin = max(0, start - _NEAR)
    return sentence_at(text[begin : end + _NEAR], (start - begin, end - begin))


def _figures_in(text: str) -> Iterator[tuple[str, int]]:
    """The figures of a text with their places."""
    for run in _RUN.finditer(text):
        start, found = run.start(), run.group()
        if found.isdecimal():
            yield found, start
        else:
            yield from ((match.group(), start + match.start()) for match in _FIGURE.finditer(found))


def _is_list_number(text: str, span: tuple[int, int]) -> bool:
    start, end = span
    line = text.rfind("\n", 0, start) + 1
    return text[end : end + 1] in {".", ")"} and not text[line:start].strip(" \t>*")


def _sources(answered: Answered) -> Iterator[str]:
    for given in answered.passages:
        yield given.text
        if given.about:
            yield given.about
    yield answered.question
    if answered.standalone != answered.question:
        yield answered.standalone


@lru_cache(maxsize=2_048)
def _digits_of(text: str) -> frozenset[str]:
    """All forms of all figures of a text, those in words among them."""
    found = {form for figure, _ in _figures_in(text) for form in _forms(figure)}
    found |= {digits.lstrip("0") or "0" for digits in _DIGITS.findall(text)}
    return frozenset(found)


@lru_cache(maxsize=4_096)
def _forms(figure: str) -> frozenset[str]:
    """What a figure may be written as: `1,000` is 1000, `3.10` is a version or 3.1, `1.000` is 1000 in some languages."""
    forms = {figure, figure.lstrip("0") or "0"}
    plain = _SEPARATORS.sub("", figure)
    if _GROUPED.fullmatch(figure):
        forms.add(plain)
        forms.add(re.sub(r"\D", "", figure))
    for written in (plain, figure.replace(",", ".")):
        if written.replace(".", "", 1).isdecimal():
            forms.add(f"{float(written):.10g}")
    return frozenset(forms)


def _is_meant(figure: str, sentence: str, answered: Answered) -> bool:
    """Whether a passage has the same in another unit or in words; and where the sentence can't be read, that is taken for granted."""
    if any(not _forms(figure).isdisjoint(_spelled_of(source)) for source in _sources(answered)):
        return True
    wanted = [each for each in quantities(pieces(sentence)) if figure.lower() in each.text.lower()]
    if not wanted:
        return False
    have = [each for source in _sources(answered) for each in _quantities_of(source)]
    return all(_stands_in(each, have) for each in wanted)


@lru_cache(maxsize=256)
def _spelled_of(text: str) -> frozenset[str]:
    """The numbers that a text has in words, one by one."""
    return frozenset(f"{_SPELLED[word]:g}" for word in words_of(text) & _SPELLED.keys())


def _stands_in(wanted: Quantity, have: Iterable[Quantity]) -> bool:
    return any(_is_same(wanted.value, each.value) and _may_be_same(wanted.kind, each.kind) for each in have)


def _may_be_same(one: str, other: str) -> bool:
    return (
        one == other or "number" in {one, other} or one.removeprefix("every, in ") == other.removeprefix("every, in ")
    )


def _is_same(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return str(one) == str(other)
    return abs(one - other) <= _CLOSE * max(1.0, abs(one))


@lru_cache(maxsize=256)
def _quantities_of(text: str) -> tuple[Quantity, ...]:
    return tuple(quantities(pieces(text)))
