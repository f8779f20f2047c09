from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from rich.cells import cell_len

from ken.domain.trace import Link, Span, Trace, TracedPassage
from ken.telemetry.waterfall import waterfall
from tests.storage.samples import a_trace

EVIL = "a\x1b]0;owned\x07b\x1b[2J\x9b31m\r\nc\u202egnp.exe\u2066\u200b\x00\x7f\ud800日本語🎉"
ANSI = re.compile(r"\x1b\[\d+m")


def span(
    number: int, name: str, *, parent: int | None = 1, start: float = 0.0, end: float = 1.0, **more: object
) -> Span:
    return Span(
        id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=name,
        started_at=1000 + start,
        ended_at=1000 + end,
        **more,  # type: ignore[arg-type]
    )


def passages(count: int) -> tuple[TracedPassage, ...]:
    return tuple(
        TracedPassage(
            passage_id=f"handbook/{'deep/' * number}leave.md#p{number}",
            document_id="d",
            version="v",
            relevance=0.5,
            lexical=123.456,
            dense=-0.25,
            cited=number == 1,
        )
        for number in range(count)
    )


TRACE = a_trace(
    question="What is the notice period in the probation time, and who has to keep it?",
    model="gpt-4o-mini",
    cost_micros=1250,
    ms=1000.0,
    ttft_ms=800.0,
    spans=(
        span(1, "question", parent=None),
        span(2, "retrieve", end=0.5, attributes=(("candidates", 41), ("best", 0.98765))),
        span(3, "embed", parent=2, end=0.25),
        span(4, "generate", start=0.5, status="error", attributes=(("model", "m"), ("error", "ModelRefused"))),
    ),
    evidence=passages(3),
)
HOSTILE = replace(
    TRACE,
    question=EVIL * 20,
    model=EVIL,
    release=EVIL,
    principal=EVIL,
    outcome=EVIL,
    error=EVIL,
    task_type=EVIL,
    spans=(span(1, EVIL, parent=None, attributes=((EVIL, EVIL), ("日本語" * 30, 1))), span(2, "日本語" * 20)),
    evidence=(replace(TRACE.evidence[0], passage_id=EVIL * 9), replace(TRACE.evidence[1], passage_id="日本語" * 50)),
)
BARE = replace(TRACE, question="", model="", spans=(), evidence=(), ttft_ms=None, cost_micros=None, release="")


@pytest.mark.parametrize("trace", [TRACE, HOSTILE, BARE])
@pytest.mark.parametrize("width", [20, 60, 61, 79, 80, 120, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_the_terminal(trace: Trace, width: int, ascii_only: bool) -> None:  # noqa: FBT001 # a parameter
    """In any terminal, of any text, wide characters included, with colour as without."""
    plain = waterfall(trace, width, color=False, ascii_only=ascii_only)
    coloured = waterfall(trace, width, color=True, ascii_only=ascii_only)
    assert max(cell_len(line) for line in plain.splitlines()) <= width
    assert ANSI.sub("", coloured) == plain


def test_it_says_what_the_question_came_to() -> None:
    """Question, outcome, model, times, tokens, money, confidence, release, corpus version and id are there."""
    text = waterfall(TRACE, 100, color=False)
    for fact in (
        TRACE.question,
        "answered · gpt-4o-mini · 1,000.0 ms · first text after 800.0 ms",
        "12 tokens in, 3 out",
        "cost $0.001250",
        "confidence 0.75",
        "1970-01-01 00:16:41 UTC",
        "release r1",
        "corpus version 1",
        f"trace {TRACE.id}",
        "asked by ada",
    ):
        assert fact in text
    bare = waterfall(replace(BARE, error="ModelRefused: 401", cached=True), 100, color=False)
    for fact in ("no model", "nothing shown", "cost unknown", "release none", "ModelRefused: 401", "(cached)"):
        assert fact in bare
    assert "no spans" in bare
    assert "no passages" in bare


def test_failed_checks_are_named() -> None:
    """Rules that found a fault stand with the facts; without one, nothing is said of checks."""
    assert "failed checks: length, figure" in waterfall(
        replace(TRACE, failed_checks=("length", "figure")), 100, color=False
    )
    assert "failed checks" not in waterfall(TRACE, 100, color=False)


def test_bars_stand_where_and_as_long_as_the_spans_did() -> None:
    """The root's bar is whole; a half is half as long; a later one begins where the earlier ends."""
    lines = {line.split()[0]: line for line in waterfall(TRACE, 100, color=False).splitlines() if "█" in line}
    cells = {name: [place for place, cell in enumerate(line) if cell == "█"] for name, line in lines.items()}
    whole = len(cells["question"])
    assert abs(len(cells["retrieve"]) - whole / 2) <= 1
    assert abs(len(cells["embed"]) - whole / 4) <= 1
    assert cells["retrieve"][0] == cells["embed"][0] == cells["question"][0]
    assert abs(cells["generate"][0] - (cells["retrieve"][-1] + 1)) <= 1
    assert cells["generate"][-1] == cells["question"][-1]


def test_spans_are_indented_as_a_tree_with_their_facts() -> None:
    """Children stand below their parent, two cells to the right, with time and attributes, an error first."""
    lines = waterfall(TRACE, 120, color=False).splitlines()
    names = [re.match(r" *\w+", line).group() for line in lines if "█" in line]  # type: ignore[union-attr]
    assert names == ["question", "  retrieve", "    embed", "  generate"]
    assert "500.0 ms  candidates=41 best=0.988" in next(line for line in lines if "retrieve" in line)
    assert "500.0 ms  error=ModelRefused model=m" in next(line for line in lines if "generate" in line)


def test_a_span_without_its_parent_is_still_shown() -> None:
    """A span whose parent was lost stands at the top, and a span too short for a bar has a mark."""
    trace = replace(TRACE, spans=(span(1, "question", parent=None), span(7, "lost", parent=99, start=0.5, end=0.5)))
    line = next(line for line in waterfall(trace, 80, color=False).splitlines() if line.startswith("lost"))
    assert "▏" in line
    assert "0.0 ms" in line


def test_a_deep_tree_is_drawn() -> None:
    """Thousands of nested spans are drawn, each cut to the width."""
    spans = [span(number, "s", parent=number - 1 or None) for number in range(1, 3000)]
    text = waterfall(replace(TRACE, spans=tuple(spans)), 60, color=False)
    assert text.count("█\x20") > 2900
    assert max(map(cell_len, text.splitlines())) <= 60


def test_passages_are_listed_with_scores_and_the_cited_marked() -> None:
    """Each has its rank, relevance and scores; a long id keeps its end, which tells passages apart."""
    lines = waterfall(replace(TRACE, evidence=passages(20)), 60, color=False).splitlines()
    first = next(line for line in lines if line.startswith("  1 "))
    assert first.split() == ["1", "0.500", "123.46", "-0.250", "handbook/leave.md#p0"]
    assert [line[4] for line in lines if re.match(r" +\d+ [● ] ", line)] == [" ", "●", *[" "] * 18]
    assert next(line for line in lines if line.startswith(" 20 ")).endswith("leave.md#p19")
    assert lines[-2] == "1 of 20 cited (●)"
    assert lines[-1] == "relevance 0.50 in the mean, 0.50 at least, utilisation 5%"


def test_stored_text_never_reaches_the_terminal_as_control() -> None:
    """Escapes, C1 controls, carriage returns, direction marks and invisible characters are shown, not obeyed."""
    text = waterfall(HOSTILE, 200, color=False)
    wild = {character for character in text if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert wild == {"\n"}
    assert r"\x1b]0;owned\x07b\x1b[2J\x9b31m c\u202egnp.exe\u2066\u200b\x00\x7f\ud800" in text
    text.encode()


def test_ascii_stays_ascii() -> None:
    """For a terminal without UTF-8 everything is ASCII, and bars and marks are still told apart."""
    text = waterfall(HOSTILE, 100, color=True, ascii_only=True)
    assert text.isascii()
    plain = waterfall(TRACE, 100, color=False, ascii_only=True)
    assert plain.isascii()
    assert plain.count("#") > 50
    assert "  2 *" in plain


def test_colour_marks_outcome_and_errors() -> None:
    """With colour a failed span is red and the outcome has its own; without there is no escape at all."""
    coloured = waterfall(TRACE, 100, color=True)
    assert "\x1b[32manswered\x1b[0m" in coloured
    assert re.search(r"\x1b\[31m  generate", coloured)
    assert "\x1b" not in waterfall(TRACE, 100, color=False)


TOLD = replace(
    TRACE,
    spans=(
        *TRACE.spans,
        span(5, "call", parent=4, start=0.6, attributes=(("tool_calls", "t1"),)),
        span(
            6,
            "execute_tool tide",
            parent=4,
            start=0.7,
            service="tides",
            attributes=(("gen_ai.tool.call.id", "t1"), ("long", "ebb and flow " * 40 + "the end")),
            links=(Link(TRACE.id, f"{5:016x}", "asked for"), Link("f" * 32, "e" * 16)),
        ),
    ),
)


def test_a_service_and_what_asked_for_it_are_named() -> None:
    """A span of another service has its name beside its own; a link says what it points at, by name where that is in the trace."""
    drawn = waterfall(TOLD, 120, color=False, full=True)
    assert "execute_tool tide [tides]" in drawn
    assert f"→ call {5:016x} (asked for)" in drawn
    assert f"→ {'f' * 32}/{'e' * 16}" in drawn


def test_in_full_names_are_whole_and_facts_stand_below_their_span() -> None:
    """On a narrow terminal, too; with ids, and with the caller's span that the trace goes on from."""
    named = replace(
        TOLD.spans[-1], name="execute_tool tide of the outer harbour at noon", service="tide-tables.harbour"
    )
    drawn = waterfall(
        replace(TOLD, spans=(*TOLD.spans[:-1], named), parent_span_id="c" * 16), 80, color=False, full=True
    )
    assert "    execute_tool tide of the outer harbour at noon [tide-tables.harbour]\n" in drawn
    assert f"\n        span={6:016x}\n" in drawn
    assert f"\n      span={2:016x}\n" in drawn
    assert f"below the caller's span {'c' * 16}" in drawn
    lost = replace(TRACE, spans=(span(7, "lost", parent=99),))
    assert f"parent={99:016x} (not in this trace)" in waterfall(lost, 80, color=False, full=True)


def test_eighty_columns_have_room_for_a_service_and_a_figure() -> None:
    """Neither the name of who sent a span nor the first of its attributes is cut."""
    lines = waterfall(TOLD, 80, color=False).splitlines()
    assert any("execute_tool tide [tides] " in line for line in lines)
    assert "tool_calls=t1" in next(line for line in lines if "    call" in line)
    assert "candidates=41" in next(line for line in lines if "  retrieve" in line)


def test_what_nobody_asked_is_not_drawn_as_an_answer() -> None:
    """Other services' spans have their services and their number, a sync what it embedded; no model, no confidence, no passages."""
    spans = (span(1, "plan", parent=None, service="planner"), span(2, "fetch", service="crawler"))
    other = replace(BARE, kind="external", outcome="finished", spans=spans, question="", answer="")
    sync = replace(other, kind="sync", question="Sync of handbook")
    drawn = [waterfall(each, 100, color=False) for each in (other, sync)]
    assert "Spans of crawler, planner" in drawn[0]
    assert "finished · 1,000.0 ms · 2 spans" in drawn[0]
    assert "Sync of handbook" in drawn[1]
    for each in drawn:
        for word in ("answered", "no model", "confidence", "passages", "asked by", "no longer kept"):
            assert word not in each
    assert "· 1 span\n" in waterfall(replace(other, spans=spans[:1]), 100, color=False)


def test_in_full_nothing_is_cut() -> None:
    """Every attribute is there to its last word, on lines that are no wider than asked for."""
    drawn = waterfall(TOLD, 70, color=False, full=True)
    assert max(cell_len(line) for line in drawn.splitlines()) <= 70
    assert " ".join(drawn.split()).count("ebb and flow") == 40
    assert "the end" in drawn
    assert "the end" not in waterfall(TOLD, 70, color=False)


@pytest.mark.parametrize("width", [20, 61, 200])
def test_in_full_hostile_text_is_harmless_too(width: int) -> None:
    """No control character reaches the terminal, and no line is too wide."""
    drawn = waterfall(HOSTILE, width, color=False, full=True)
    assert all(unicodedata.category(letter) not in {"Cc", "Cf", "Cs"} for letter in drawn.replace("\n", ""))
    assert max(cell_len(line) for line in drawn.splitlines()) <= width


def test_spans_that_go_round_in_a_circle_are_drawn_once() -> None:
    """Two spans that name each other as parent, as others may send them, both stand there."""
    spans = (
        span(1, "question", parent=None),
        span(7, "chicken", parent=8),
        span(8, "egg", parent=7),
        span(9, "self", parent=9),
    )
    drawn = waterfall(replace(TRACE, spans=spans), 80, color=False)
    assert [drawn.count(name) for name in ("chicken", "egg", "self")] == [1, 1, 1]
