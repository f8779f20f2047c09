"""Draws a trace for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rich.cells import cell_len, set_cell_size

from ken.domain.trace import Scalar, Span, Trace
from ken.telemetry.prices import money
from ken.text.normalise import printable

Style = Literal["plain", "strong", "faint", "good", "doubtful", "bad", "bar"]
Piece = tuple[Style, str]

_ANSI: dict[Style, str] = {
    "strong": "\x1b[1m",
    "faint": "\x1b[2m",
    "good": "\x1b[32m",
    "doubtful": "\x1b[33m",
    "bad": "\x1b[31m",
    "bar": "\x1b[36m",
}
_RESET = "\x1b[0m"
_OUTCOMES: dict[str, Style] = {
    "answered": "good",
    "finished": "good",
    "abstained": "doubtful",
    "refused": "doubtful",
    "asked_back": "doubtful",
    "failed": "bad",
}
_NO_QUESTIONS = frozenset({"sync", "external"})
"""Kinds of traces in which nobody asked and nothing was answered."""
_QUESTION_LINES = 3
_INDENT = "    "
"""Before what is told of a span, behind the span's own."""
_WIDE = 100
"""Cells from which bars and what stands beside them have the same room."""
_MS_CELLS = 11
_LEAST_NOTE = 12
_SECONDS_FROM_MS = 10_000


def waterfall(trace: Trace, width: int, *, color: bool, ascii_only: bool = False, full: bool = False) -> str:
    """Draw a trace: what it came to, a bar for each span, and the passages that were looked at.

    With `full`, names are whole, and a span's id and all its attributes stand below its bar, indented as it is; else as many of
    them beside it as there is room for. No line is wider than `width` cells (60 and more look well). Stored text is escaped: none
    of it reaches the terminal as a control character.
    `ascii_only` keeps to ASCII, for terminals that speak no UTF-8.
    """
    pen = _Pen(width, color, ascii_only, full)
    parts = [_header(trace, pen) if trace.kind not in _NO_QUESTIONS else _work_header(trace, pen), _bars(trace, pen)]
    if trace.kind not in _NO_QUESTIONS:
        parts.append(_passages(trace, pen))
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Pen:
    """Fits pieces of text into a line, and colours them."""

    width: int
    color: bool
    ascii_only: bool
    full: bool

    def text(self, stored: str) -> str:
        """Make stored text safe to show."""
        safe = printable(stored)
        return safe.encode("ascii", "replace").decode() if self.ascii_only else safe

    def cut(self, text: str, cells: int, *, tail: bool = False) -> str:
        """Shorten a text to some cells, keeping its head, or its tail."""
        if cell_len(text) <= cells:
            return text
        mark = "..." if self.ascii_only else "…"
        room = max(0, cells - cell_len(mark))
        if tail:
            while cell_len(text) > room:
                text = text[1:]
            return set_cell_size(mark + text, cells).rstrip()
        return set_cell_size(set_cell_size(text, room).rstrip() + mark, cells).rstrip()

    def line(self, *pieces: Piece) -> str:
        """Join pieces into one line of at most the width, without blanks at its end."""
        fitted: list[Piece] = []
        left = self.width
        for style, text in pieces:
            fitted.append((style, self.cut(text, left)))
            left -= cell_len(fitted[-1][1])
        while fitted and not fitted[-1][1].strip():
            fitted.pop()
        drawn = [self._drawn(style, text) for style, text in fitted[:-1]]
        return "".join([*drawn, *(self._drawn(style, text.rstrip()) for style, text in fitted[-1:])])

    def _drawn(self, style: Style, text: str) -> str:
        code = _ANSI.get(style) if self.color else None
        return f"{code}{text}{_RESET}" if code and text.strip() else text

    def facts(self, facts: Iterable[Piece]) -> list[str]:
        """Set facts side by side, as many to a line as fit."""
        between = " | " if self.ascii_only else " · "
        lines: list[list[Piece]] = [[]]
        used = 0
        for style, text in facts:
            needed = cell_len(text) + (cell_len(between) if lines[-1] else 0)
            if lines[-1] and used + needed > self.width:
                lines.append([])
                used, needed = 0, cell_len(text)
            if lines[-1]:
                lines[-1].append(("faint", between))
            lines[-1].append((style, text))
            used += needed
        return [self.line(*pieces) for pieces in lines]

    def paragraph(self, text: str, lines: int, *, style: Style = "strong") -> list[str]:
        """Break a text into lines at its blanks, and cut it where it needs more than so many."""
        broken: list[str] = []
        rest = text
        while rest and len(broken) < lines - 1 and cell_len(rest) > self.width:
            head = set_cell_size(rest, self.width)
            at = head.rfind(" ")
            at = at if at > 0 else len(head.rstrip())
            broken.append(rest[:at])
            rest = rest[at:].lstrip()
        return [self.line((style, line)) for line in (*broken, rest)]


def _header(trace: Trace, pen: _Pen) -> list[str]:
    began = datetime.fromtimestamp(trace.started_at, UTC)
    shown = "nothing shown" if trace.ttft_ms is None else f"first text after {_ms(trace.ttft_ms)}"
    facts: list[Piece] = [
        (_OUTCOMES.get(trace.outcome, "plain"), pen.text(trace.outcome) + (" (cached)" if trace.cached else "")),
        ("plain", pen.text(trace.model) or "no model"),
        ("plain", _ms(trace.ms)),
        ("plain", shown),
        ("plain", f"{trace.input_tokens:,} tokens in, {trace.output_tokens:,} out"),
        ("plain", f"cost {money(trace.cost_micros)}" + (" (estimated)" if _is_estimated(trace) else "")),
        ("plain", f"confidence {trace.confidence:.2f}"),
    ]
    if trace.failed_checks:
        facts.append(("bad", f"failed checks: {pen.text(', '.join(trace.failed_checks))}"))
    origin: list[Piece] = [
        ("faint", f"trace {pen.text(trace.id)}"),
        ("faint", f"{began:%Y-%m-%d %H:%M:%S} UTC"),
        ("faint", f"asked by {pen.text(trace.principal)}"),
        ("faint", f"release {pen.text(trace.release) or 'none'}"),
        ("faint", f"corpus version {trace.corpus_version}"),
    ]
    if trace.task_type:
        origin.append(("faint", f"task {pen.text(trace.task_type)}"))
    if pen.full and trace.parent_span_id is not None:
        origin.append(("faint", f"below the caller's span {pen.text(trace.parent_span_id)}"))
    error = pen.paragraph(pen.text(trace.error), _QUESTION_LINES, style="bad") if trace.error else []
    return [*pen.paragraph(pen.text(trace.question), _QUESTION_LINES), *pen.facts(facts), *error, *pen.facts(origin)]


def _work_header(trace: Trace, pen: _Pen) -> list[str]:
    """Of a sync, or of other services' spans: what it is and what it came to, and nothing of an answer."""
    began = datetime.fromtimestamp(trace.started_at, UTC)
    count = f"{len(trace.spans):,} span{'s' * (len(trace.spans) != 1)}"
    facts: list[Piece] = [
        (_OUTCOMES.get(trace.outcome, "plain"), pen.text(trace.outcome)),
        ("plain", _ms(trace.ms)),
        ("plain", count),
    ]
    origin: list[Piece] = [("faint", f"trace {pen.text(trace.id)}"), ("faint", f"{began:%Y-%m-%d %H:%M:%S} UTC")]
    if trace.kind == "external":
        services = sorted({span.service for span in trace.spans if span.service})
        title = f"Spans of {', '.join(services)}" if services else "Spans of other services"
        origin.append(("faint", f"sent by {pen.text(trace.principal)}"))
    else:
        title = trace.question
        facts.append(("plain", f"{trace.input_tokens:,} tokens embedded"))
        facts.append(("plain", f"cost {money(trace.cost_micros)}"))
        origin.append(("faint", f"corpus version {trace.corpus_version}"))
    error = pen.paragraph(pen.text(trace.error), _QUESTION_LINES, style="bad") if trace.error else []
    return [*pen.paragraph(pen.text(title), _QUESTION_LINES), *pen.facts(facts), *error, *pen.facts(origin)]


def _is_estimated(trace: Trace) -> bool:
    """Whether a provider didn't say what a call used."""
    return any(span.name == "call" and dict(span.attributes).get("estimated") is True for span in trace.spans)


def _bars(trace: Trace, pen: _Pen) -> list[str]:
    ordered = _ordered(trace.spans)
    if not ordered:
        return [pen.line(("faint", "no spans were kept"))]
    began = min(span.started_at for span, _ in ordered)
    took = max(max(span.ended_at for span, _ in ordered) - began, 1e-9)
    names = ["  " * depth + _named(span, pen) for span, depth in ordered]
    known = {span.id: span for span, _ in ordered}
    widest = max(cell_len(name) for name in names)
    name_cells = min(widest, max(12, (pen.width - _MS_CELLS) // 2 if pen.full else pen.width * 2 // 5))
    left = pen.width - name_cells - _MS_CELLS - 2
    bar_cells = max(8, left if pen.full else left // 2 if pen.width >= _WIDE else left // 3)
    note_cells = pen.width - name_cells - bar_cells - _MS_CELLS - 4
    lines: list[str] = []
    for (span, depth), name in zip(ordered, names, strict=True):
        start = (span.started_at - began) / took
        bar = _bar(start, span.ms / 1000 / took, cells=bar_cells, ascii_only=pen.ascii_only)
        bad = span.status == "error"
        pieces: list[Piece] = [
            ("bad" if bad else "plain", set_cell_size(pen.cut(name, name_cells), name_cells) + " "),
            ("bad" if bad else "bar", bar + " "),
            ("plain", f"{_ms(span.ms):>{_MS_CELLS}}"),
        ]
        style: Style = "bad" if bad else "faint"
        told = [*_links(span, known, pen), *_facts(span, pen)]
        if note_cells >= _LEAST_NOTE and not pen.full:
            pieces.append((style, "  " + pen.cut(" ".join(told), note_cells)))
        if pen.full and cell_len(name) > name_cells:
            # A name that is too long for the column has lines of its own, above its bar.
            lines += _indented(_named(span, pen), pen, "bad" if bad else "plain", indent="  " * depth)
            pieces[0] = ("plain", " " * (name_cells + 1))
        lines.append(pen.line(*pieces))
        if pen.full:
            indent = "  " * depth + _INDENT
            for fact in (*_ids(span, known, pen), *told):
                lines += _indented(fact, pen, style, indent=indent)
    return lines


def _named(span: Span, pen: _Pen) -> str:
    """A span's name, with the service that sent it where that isn't Ken."""
    name = pen.text(span.name)
    return f"{name} [{pen.text(span.service)}]" if span.service else name


def _links(span: Span, known: Mapping[str, Span], pen: _Pen) -> list[str]:
    """What a span points at, by name where that is in the trace."""
    arrow = "->" if pen.ascii_only else "→"
    told: list[str] = []
    for link in span.links:
        other = known.get(link.span_id)
        what = f"{pen.text(other.name)} {link.span_id}" if other else f"{link.trace_id}/{link.span_id}"
        told.append(f"{arrow} {what}" + (f" ({pen.text(link.reason)})" if link.reason else ""))
    return told


def _ids(span: Span, known: Mapping[str, Span], pen: _Pen) -> list[str]:
    """A span's id, and its parent's where that is none of the trace: the caller's, or one that was lost."""
    told = [f"span={pen.text(span.id)}"]
    if span.parent_id is not None and span.parent_id not in known:
        told.append(f"parent={pen.text(span.parent_id)} (not in this trace)")
    return told


def _indented(text: str, pen: _Pen, style: Style, *, indent: str) -> list[str]:
    """A fact on lines of its own, however long it is."""
    indent = indent[: pen.width // 2]
    room = max(1, pen.width - len(indent))
    lines: list[str] = []
    rest = text
    while rest:
        # A blank that a wide character leaves at the end is none of the text's.
        head = set_cell_size(rest, room).rstrip() if cell_len(rest) > room else rest
        head = head if rest.startswith(head) and head else rest[:1]
        if len(head) < len(rest) and (blank := head.rfind(" ")) > len(head) // 2:
            head = head[:blank]
        lines.append(pen.line(("plain", indent), (style, head)))
        rest = rest[len(head) :].lstrip()
    return lines


def _ordered(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Spans in the order of a tree walk, with their depth; one whose parent is missing, or that is its own ancestor, stands at the top."""
    known = {span.id for span in spans}
    children: defaultdict[str | None, list[Span]] = defaultdict(list)
    by_time = sorted(spans, key=lambda span: span.started_at)
    for span in by_time:
        children[span.parent_id if span.parent_id in known else None].append(span)
    walk: list[tuple[Span, int]] = []
    seen: set[int] = set()
    # What no walk from the top reaches goes round in a circle: others may say so of their spans.
    for top in (*children[None], *by_time):
        waiting = [(top, 0)]
        while waiting:
            span, depth = waiting.pop()
            if id(span) in seen:
                continue
            seen.add(id(span))
            walk.append((span, depth))
            waiting.extend((child, depth + 1) for child in reversed(children[span.id]))
    return walk


def _bar(start: float, share: float, *, cells: int, ascii_only: bool) -> str:
    full, thin = ("#", "|") if ascii_only else ("█", "▏")
    first = min(int(start * cells), cells - 1)
    length = min(round(share * cells), cells - first)
    return (" " * first + (full * length or thin)).ljust(cells)


def _facts(span: Span, pen: _Pen) -> list[str]:
    """A span's attributes, an error first."""
    ordered = sorted(span.attributes, key=lambda pair: pair[0] != "error")
    return [f"{pen.text(key)}={pen.text(_value(value))}" for key, value in ordered]


def _value(value: Scalar) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return {True: "yes", False: "no", None: "none"}[value] if value is None or isinstance(value, bool) else str(value)


def _passages(trace: Trace, pen: _Pen) -> list[str]:
    evidence = trace.evidence
    if not evidence:
        return [pen.line(("faint", "no passages were looked at"))]
    lines = [pen.line(("faint", "      relevance     BM25   cosine  passage"))]
    for rank, passage in enumerate(evidence, start=1):
        mark = ("*" if pen.ascii_only else "●") if passage.cited else " "
        figures = f"{rank:>3} {mark} {passage.relevance:>9.3f} {passage.lexical:>8.2f} {passage.dense:>8.3f}  "
        where = pen.cut(pen.text(passage.passage_id), max(1, pen.width - cell_len(figures)), tail=True)
        lines.append(pen.line(("good" if passage.cited else "plain", figures + where)))
    cited = sum(passage.cited for passage in evidence)
    lines.append(pen.line(("faint", f"{cited} of {len(evidence)} cited ({'*' if pen.ascii_only else '●'})")))
    if found := trace.retrieved:
        used = "" if found.utilisation is None else f", utilisation {found.utilisation:.0%}"
        relevance = f"relevance {found.mean_relevance:.2f} in the mean, {found.least_relevance:.2f} at least"
        lines.append(pen.line(("faint", relevance + used)))
    return lines


def _ms(ms: float) -> str:
    return f"{ms / 1000:,.2f} s" if ms >= _SECONDS_FROM_MS else f"{ms:,.1f} ms"
