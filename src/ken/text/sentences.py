"""Sentence segmentation, and the pieces of a document that an answer may quote.

Rules instead of a model: a full stop ends a sentence unless what stands before or after it says otherwise. Spans are
half-open character offsets into the text that was given, without surrounding white space.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from ken.domain.document import Block, Markup, ParsedDocument
from ken.text.markup import plain
from ken.text.tables import column_names, header_span, row_text

Span = tuple[int, int]

MOST_CHARACTERS_QUOTED = 1_200
"""A longer sentence is quoted in parts, cut at white space."""

_STOP = re.compile(
    r"""
      (?P<stop>(?<![.!?…؟۔।])[.!?…؟۔।]+) (?P<closers>(?:["'”’»)\]}*_`]|\[\^?\w{1,20}\])*) (?P<gap>\s+)
    | (?P<wide>(?<![。！？])[。！？]+["'”’」』）)]*) \s*
    | (?P<break>(?:(?<![ ])[ ]{2,20}|\\)\n\s* | <(?:br|p)\s*/?>\s* | </(?:p|li|td|th|tr|div|h[1-6])>\s* | \n[ \t>]*\n\s*)
    """,
    re.VERBOSE,
)
# Inside of these no sentence ends: code, links, URLs, tags, short parentheses.
_WHOLE = re.compile(
    r"(?P<t>`{1,3})(?!`).{1,400}?(?P=t)|!?\[[^\[\]]{0,400}\](?:\([^()\s]{0,600}(?:\s[^()]{0,200})?\))?|\([^()]{0,300}\)"
    r"|<[a-zA-Z/][^<>]{0,600}>|\{[{%].{0,300}?[}%]\}|https?://[^\s<>()\[\]]+",
    re.DOTALL,
)
_OPENERS = re.compile(r"[\"'“‘«(\[*_<{~]*(?P<code>`*)(?P<word>[\w'’-]*)")
_WORD_BEFORE = re.compile(r"[^\s()\[\]{}\"“”‘«»*`<>]*\Z")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
_ORDINAL = re.compile(r"[\W_]*(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})")
_LIST_MARK = re.compile(r"(?:[ \t>]*(?:[-*+•‣◦▪–]|\d{1,9}[.)]|[A-Za-z][.)])[ \t]+)+(?:\[[ xX]\][ \t]+)?")
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})")

_BLANK_LINE = 2  # newlines

_TITLES = frozenset("dr mr mrs ms mx prof messrs gen gov sen rep capt cmdr lt sgt hon rev mt".split())
_NEVER_LAST = _TITLES | frozenset("e.g i.e eg ie vs viz cf approx ca esp incl excl resp dept".split())
_BEFORE_NUMBERS = frozenset(
    "no nos nr fig figs eq eqs sec sect art ch vol p pp para ext tel ref app ver v max min".split()
)
_MONTHS = frozenset("jan feb mar apr jun jul aug sep sept oct nov dec".split())
_BEFORE_NAMES = frozenset("inc ltd co corp llc jr sr bros plc al st ave ph.d m.d d.c u.s u.k u.n e.u u.s.a".split())
_CLOCK = frozenset("a.m p.m".split())
_AFTER_CLOCK = frozenset(
    "eastern central mountain pacific local monday tuesday wednesday thursday friday saturday sunday on to and or".split()
)
_STARTERS = frozenset(
    "the a an this that these those it its he she they we you i if in on at for to from when where while after before because "
    "although however but and or so as all any each every some no not there here what who why how is are do does please see "
    "your our their his her my most many both since until once during with without under by then also only ask use contact "
    "send make add go read".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotable:
    """A sentence, list point, table row or code line inside one block."""

    start: int
    end: int
    text: str
    """Without marks, white space folded; code as it is written, and a table row with the names of its columns."""
    is_code: bool = False


def sentence_spans(text: str, span: Span, *, markup: Markup) -> list[Span]:
    """The sentences of that span of `text`, which is prose of one block, in order and without gaps but white space."""
    start, end = span
    spans: list[Span] = []
    whole = _whole_ranges(text, start, end)
    first = start
    for match in _STOP.finditer(text, start, end):
        if match.end() >= end or _inside(whole, match):
            continue
        if match["stop"] is None:
            if match["break"] is not None and markup == "plain" and match["break"].count("\n") < _BLANK_LINE:
                continue
        elif not _ends_sentence(text, first, match):
            continue
        cut = match.start("gap") if match["stop"] is not None else match.end()
        _append(spans, text, first, cut)
        first = match.end()
    _append(spans, text, first, end)
    return spans


def quotable_pieces(parsed: ParsedDocument, *, start: int, end: int) -> tuple[Quotable, ...]:
    """What may be quoted of `parsed.text[start:end]`, in order. Each piece lies inside one block.

    Headings, code fences, rules between table rows and the header row of a table are no pieces, and neither is what has
    no letter or digit once its marks are gone.
    """
    pieces: list[Quotable] = []
    first = max(0, bisect_right(parsed.blocks, start, key=lambda block: block.start) - 1)
    for block in parsed.blocks[first:]:
        if block.start >= end:
            break
        span = max(start, block.start), min(end, block.end)
        if span[0] < span[1] and block.kind != "heading":
            is_code = block.kind == "code"
            for piece, reading in _pieces(parsed, block, span):
                if any(map(str.isalnum, reading)):
                    pieces.append(Quotable(start=piece[0], end=piece[1], text=reading, is_code=is_code))
    return tuple(pieces)


def quotable_spans(parsed: ParsedDocument, *, start: int, end: int) -> tuple[Span, ...]:
    """The spans of `quotable_pieces`."""
    return tuple((piece.start, piece.end) for piece in quotable_pieces(parsed, start=start, end=end))


def row_spans(text: str, span: Span) -> list[Span]:
    """The non-blank lines of that span of `text`."""
    start, end = span
    spans: list[Span] = []
    while start < end:
        newline = text.find("\n", start, end)
        stop = end if newline < 0 else newline
        _append(spans, text, start, stop)
        start = stop + 1
    return spans


def _pieces(parsed: ParsedDocument, block: Block, span: Span) -> Iterator[tuple[Span, str]]:
    """Each piece of a block with how it reads."""
    text, markup = parsed.text, parsed.markup
    match block.kind:
        case "code":
            for line in _commands(text, block, span):
                yield line, plain(text[slice(*line)], "plain")
        case "table":
            yield from _rows(parsed, block, span)
        case _:
            start, end = span
            if start == block.start and (mark := _LIST_MARK.match(text, start, end)) and block.kind == "list_item":
                start = mark.end()
            for sentence in sentence_spans(text, (start, end), markup=markup):
                for part in _in_parts(text, sentence):
                    yield part, plain(text[slice(*part)], markup)


def _rows(parsed: ParsedDocument, table: Block, span: Span) -> Iterator[tuple[Span, str]]:
    """The rows of a table; those that name the columns are in the others."""
    text, markup = parsed.text, parsed.markup
    header = header_span(text, table) if markup == "markdown" else None
    names = column_names(text, header, markup=markup) if header else ()
    for row in row_spans(text, span):
        if not (names and header and row[0] < header[1]):
            yield row, row_text(text[slice(*row)], names, markup=markup)


def _commands(text: str, block: Block, span: Span) -> Iterator[Span]:
    """The lines of a code block without its fences; lines that a backslash continues stay together."""
    lines = row_spans(text, span)
    if fence := _FENCE.match(text, block.start, block.end):
        if lines and lines[0][0] <= fence.start(1) <= lines[0][1]:
            del lines[0]
        if lines and not text[slice(*lines[-1])].strip(" \t>" + fence[1][0]):
            del lines[-1]
    begun: int | None = None
    for start, end in lines:
        begun = start if begun is None else begun
        if text[end - 1] != "\\":
            yield from _in_parts(text, (begun, end))
            begun = None
    if begun is not None:
        yield begun, lines[-1][1]


def _in_parts(text: str, span: Span) -> Iterator[Span]:
    start, end = span
    while end - start > MOST_CHARACTERS_QUOTED:
        limit = start + MOST_CHARACTERS_QUOTED
        cut = max(text.rfind(" ", start + MOST_CHARACTERS_QUOTED // 2, limit), text.rfind("\n", start, limit))
        cut = limit if cut <= start else cut
        yield start, cut
        start = cut + (text[cut : cut + 1].isspace())
    if start < end:
        yield start, end


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    end -= len(piece) - len(piece.rstrip())
    if start < end:
        spans.append((start, end))


def _whole_ranges(text: str, start: int, end: int) -> tuple[list[int], list[int]]:
    matches = [match.span() for match in _WHOLE.finditer(text, start, end)]
    return [span[0] for span in matches], [span[1] for span in matches]


def _inside(whole: tuple[list[int], list[int]], match: re.Match[str]) -> bool:
    """Whether the stop lies in a range that goes on after it and its closing marks."""
    if match["break"] is not None and match["break"].startswith("<"):
        return False
    index = bisect_right(whole[0], match.start()) - 1
    closed = match.end("closers") if match["stop"] is not None else match.end()
    return index >= 0 and whole[0][index] < match.start() and closed < whole[1][index]


def _ends_sentence(text: str, first: int, match: re.Match[str]) -> bool:
    stop = match["stop"]
    follows = _OPENERS.match(text, match.end())
    word, is_code = (follows["word"], bool(follows["code"])) if follows else ("", False)
    if word[:1].islower() and not is_code and not any(map(str.isupper, word)):
        return stop[-1] == "?" and not match["closers"]
    if stop != ".":
        return True
    before = _WORD_BEFORE.search(text, max(first, match.start() - 40), match.start())
    return not _is_abbreviation(before[0] if before else "", word, head=text[first : min(match.start(), first + 8)])


def _is_abbreviation(before: str, word: str, *, head: str) -> bool:
    """Whether the full stop between `before` and `word` belongs to `before`; `head` is how the sentence begins."""
    lower = before.lower()
    if _ORDINAL.fullmatch(head) or lower in _NEVER_LAST:
        return True
    if lower in _BEFORE_NUMBERS or lower in _MONTHS:
        return word[:1].isdigit()
    if lower in _CLOCK:
        return word.lower() in _AFTER_CLOCK or (len(word) > 1 and word.isupper())
    if lower in _BEFORE_NAMES or (_INITIALS.fullmatch(before) and before != "I"):
        return bool(word) and word.lower() not in _STARTERS
    return False
