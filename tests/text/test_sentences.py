from __future__ import annotations

import time

import pytest

from ken.domain.document import Block, BlockKind, Markup, ParsedDocument
from ken.text.markup import plain
from ken.text.sentences import MOST_CHARACTERS_QUOTED, quotable_pieces, quotable_spans, sentence_spans


def sentences(text: str, markup: Markup = "markdown") -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, (0, len(text)), markup=markup)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Use e.g. Purser, i.e. the app.",
        "The U.S. Government pays approx. 5.5 %.",
        "Dr. J. R. Smith vs. Prof. Ames.",
        "See No. 5 and Fig. 3 for 1.000,50 euros.",
        "Version 2.0.1 reads config.yaml from https://x.example/a.b?c=d.",
        "It closes at 5 p.m. Eastern time.",
        "He said (not loudly. Nobody heard it.) and left.",
        "Wait... and then go on.",
        '"Really?" he asked.',
        "Run `a. B` now.",
        "See [the page. It is long.](http://x.example/a.b) first.",
        "Written by Acme Inc. Press in May.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(sentence: str) -> None:
    """Abbreviations, numbers, names, initials, URLs, code and brackets hold full stops of their own."""
    assert sentences(f"{sentence} Next one.") == [sentence, "Next one."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Is it? Yes! No.", ["Is it?", "Yes!", "No."]),
        ("He left at 5 p.m. Then she left.", ["He left at 5 p.m.", "Then she left."]),
        ("Is it allowed? No. Ask first.", ["Is it allowed?", "No.", "Ask first."]),
        ("**Bold end.** Next. (Whole one.) Last.", ["**Bold end.**", "Next.", "(Whole one.)", "Last."]),
        (
            "Plan B. The end. He works at Acme Inc. The firm pays.",
            ["Plan B.", "The end.", "He works at Acme Inc.", "The firm pays."],
        ),
        ("Fact.[^1] Other fact.[2] More.", ["Fact.[^1]", "Other fact.[2]", "More."]),
        ("Done. `kubectl get` works. 3 remain.", ["Done.", "`kubectl get` works.", "3 remain."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("One  \ntwo<br>three", ["One", "two<br>", "three"]),
        ("هل هذا مسموح؟ نعم. اسأل أولا.", ["هل هذا مسموح؟", "نعم.", "اسأل أولا."]),
    ],
)
def test_sentences_end_where_a_reader_sees_their_end(text: str, expected: list[str]) -> None:
    """Stops with closing marks, hard breaks and wide stops end sentences."""
    assert sentences(text) == expected


def test_wrapped_lines_of_plain_text_are_one_sentence() -> None:
    """A line's end is no sentence's end, even with blanks before it."""
    assert sentences("one two  \nthree. Four", "plain") == ["one two  \nthree.", "Four"]


def test_sentences_cover_all_but_white_space() -> None:
    """Nothing of the text is lost between two sentences."""
    text = "A b. C d? E (f. G) h! " * 50 + "last"
    spans = sentence_spans(text, (3, len(text)), markup="markdown")
    inside = set().union(*(range(*span) for span in spans))
    assert all(index in inside or text[index].isspace() for index in range(3, len(text)))
    assert spans == sorted(spans)


def document(*blocks: tuple[BlockKind, str], markup: Markup = "markdown") -> ParsedDocument:
    text, placed = "", []
    for kind, source in blocks:
        placed.append(Block(kind=kind, start=len(text), end=len(text) + len(source), level=1))
        text += source + "\n\n"
    return ParsedDocument(text=text, blocks=tuple(placed), markup=markup)


def test_each_kind_of_block_has_its_own_pieces() -> None:
    """Sentences of prose, points without marks, rows without header and rule, code lines without fences; no headings."""
    parsed = document(
        ("heading", "# Title. Here"),
        ("paragraph", "One **a**. Two."),
        ("list_item", "1. [ ] Point one. More."),
        ("table", "| What | Limit |\n|---|---|\n| Taxi | EUR 30 |\n| Bike | EUR 0.20 |"),
        ("code", "```sh\nls *.log \\\n  --all\n\ncat `x`\n```"),
        ("quote", "> said\n> so"),
    )
    texts = [piece.text for piece in quotable_pieces(parsed, start=0, end=len(parsed.text))]
    assert texts == [
        "One a.", "Two.", "Point one.", "More.", "What: Taxi · Limit: EUR 30", "What: Bike · Limit: EUR 0.20",
        "ls *.log \\ --all", "cat `x`", "said so",
    ]  # fmt: skip


def test_pieces_without_words_are_left_out() -> None:
    """Tags, template tags and rules quote nothing."""
    parsed = document(
        ("paragraph", "<div class='x'>\n</div>"), ("paragraph", '{% include "a.html" %}'), ("table", "|---|\n|---|")
    )
    assert quotable_pieces(parsed, start=0, end=len(parsed.text)) == ()


def test_a_table_with_numbers_in_its_first_row_keeps_it() -> None:
    """Such a row names no columns but holds data."""
    parsed = document(("table", "| Since | 2020 |\n|---|---|\n| Owner | Jane |"))
    assert [piece.text for piece in quotable_pieces(parsed, start=0, end=len(parsed.text))] == [
        "Since · 2020",
        "Owner · Jane",
    ]


def test_a_row_is_quoted_with_the_names_of_its_columns() -> None:
    """Also where the passage begins below the header; the span is that of the row; empty cells say nothing."""
    table = (
        "| **Region** | How long? |   | Sick `days` |\n|:---|:--:|---|---|\n| EU | 40 \\| 50 | x | |\n| US | - | y |\n"
    )
    parsed = document(("table", table))
    below = table.index("| EU")
    pieces = quotable_pieces(parsed, start=below, end=len(table))
    assert [piece.text for piece in pieces] == ["Region: EU · How long: 40 | 50 · x", "Region: US · How long: - · y"]
    assert [parsed.text[piece.start : piece.end] for piece in pieces] == table.splitlines()[2:]


def test_a_row_without_outer_pipes_has_the_same_cells() -> None:
    """And a series of years names columns, where one number alone is data."""
    parsed = document(("table", "Leave | 2023 | 2024\n--- | --- | ---\nAnnual | 28 | 30"))
    assert [piece.text for piece in quotable_pieces(parsed, start=0, end=len(parsed.text))] == [
        "Leave: Annual · 2023: 28 · 2024: 30"
    ]


@pytest.mark.parametrize(
    "table",
    ["| a | b |\n|---|---|", "| a | b |\n| c | d |", f"| {'prose ' * 70} | b |\n|---|---|\n| c | d |", "| x |\n"],
)
def test_a_first_row_that_names_nothing_is_quoted_as_it_is(table: str) -> None:
    """No row under it, no rule, or prose that is laid out as a table."""
    first, *_ = quotable_pieces(document(("table", table)), start=0, end=len(table))
    assert first.text == plain(table.splitlines()[0], "markdown")


def test_pieces_stay_between_the_offsets() -> None:
    """A passage that begins inside a block is quoted from where it begins."""
    parsed = document(("paragraph", "One is here. Two is here. Three is here."), ("paragraph", "Four."))
    spans = quotable_spans(parsed, start=13, end=25)
    assert [parsed.text[start:end] for start, end in spans] == ["Two is here."]


def test_a_very_long_sentence_is_quoted_in_parts() -> None:
    """No piece is longer than the limit, and the parts hold every word."""
    parsed = document(("paragraph", "word " * 2_000))
    pieces = quotable_pieces(parsed, start=0, end=len(parsed.text))
    assert all(piece.end - piece.start <= MOST_CHARACTERS_QUOTED for piece in pieces)
    assert sum(piece.text.count("word") for piece in pieces) == 2_000


@pytest.mark.parametrize("source", ["a. B ", "(", "[a", "`a ", ". ", ".)", "<a", "  \n", " ", "x", "\n", "x. (a", "\\"])
def test_hostile_input_takes_linear_time(source: str) -> None:
    """A hundred thousand openings that never close are read in a moment."""
    began = time.process_time()
    sentences(source * 100_000)
    assert time.process_time() - began < 5
