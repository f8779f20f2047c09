from __future__ import annotations

import random
import re
import time
from bisect import bisect_left, bisect_right
from itertools import pairwise

import pytest

from ken.domain.document import ParsedDocument
from ken.errors import InvalidInput
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.chunkers.structural import Structural
from ken.knowledge.parse.parser import parse
from ken.text.markup import plain

PLAN = Chunking()
WORDS = ["tide", "gauge", "water", "level", "the", "of", "measures"]


class Words:
    """Counts words and marks; a real tokenizer for tests of what chunking does with counts."""

    _TOKEN = re.compile(r"\w{1,8}|[^\w\s]")

    def __init__(self) -> None:
        self.characters = 0

    def count(self, text: str) -> int:
        """Tokens in `text`."""
        self.characters += len(text)
        return len(self._TOKEN.findall(text))

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """The span of each token."""
        return [match.span() for match in self._TOKEN.finditer(text)]


def markdown(source: str) -> ParsedDocument:
    return parse(source.encode(), name="a.md")


def pieces_of(source: str, plan: Chunking = PLAN) -> tuple[ParsedDocument, tuple[Piece, ...]]:
    parsed = markdown(source)
    pieces = Structural(plan, Words()).cut(parsed)
    assert_sound(parsed, pieces)
    return parsed, pieces


def assert_sound(parsed: ParsedDocument, pieces: tuple[Piece, ...]) -> None:
    """What holds for every document: order, coverage, and no cut inside code."""
    covered = 0
    for piece in pieces:
        assert not parsed.text[covered : piece.start].strip()
        assert piece.start < piece.end
        assert not parsed.text[piece.end - 1].isspace()
        covered = max(covered, piece.end)
    assert not parsed.text[covered:].strip()
    for before, after in pairwise(pieces):
        assert before.start < after.start
        assert before.end < after.end
    edges = sorted({edge for piece in pieces for edge in (piece.start, piece.end)})
    for block in parsed.blocks:
        if block.kind == "code":
            assert bisect_left(edges, block.end) - bisect_right(edges, block.start) == 0


def size(parsed: ParsedDocument, piece: Piece) -> int:
    return Words().count(plain(parsed.text[piece.start : piece.end], parsed.markup))


def text(parsed: ParsedDocument, piece: Piece) -> str:
    return parsed.text[piece.start : piece.end]


def prose(chance: random.Random, sentences: int) -> str:
    def sentence() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randrange(6, 24))).capitalize() + "."

    return " ".join(sentence() for _ in range(sentences))


def handbook(chance: random.Random) -> str:
    """A document of headings, paragraphs, lists, tables and code, at random."""
    parts = ["# Title\n"]
    for number in range(chance.randrange(4, 20)):
        parts.append(f"{'#' * chance.choice([1, 2, 2, 3, 3, 4])} Section {number}\n")
        for _ in range(chance.randrange(4)):
            match chance.choice(["prose", "prose", "list", "table", "code"]):
                case "prose":
                    parts.append(prose(chance, chance.randrange(1, 12)) + "\n")
                case "list":
                    parts.append("These apply:\n")
                    parts.append(
                        "\n".join(f"- {prose(chance, chance.randrange(1, 3))}" for _ in range(chance.randrange(2, 15)))
                        + "\n"
                    )
                case "table":
                    rows = "\n".join(f"| {number} | {prose(chance, 1)} |" for number in range(chance.randrange(2, 30)))
                    parts.append(f"| a | b |\n|---|---|\n{rows}\n")
                case _:
                    parts.append("```sh\n" + "\n".join(["ls -l x.y"] * chance.randrange(1, 60)) + "\n```\n")
    return "\n".join(parts)


@pytest.mark.parametrize("seed", range(25))
def test_random_documents_are_cut_soundly(seed: int) -> None:
    """Nothing is lost, order is kept, code is whole, rows and sentences are whole, headings are never last."""
    parsed, pieces = pieces_of(handbook(random.Random(seed)))
    ends = {match.end() for match in re.finditer(r"[.:`|\d]$", parsed.text, re.MULTILINE)}
    ends |= {match.start() for match in re.finditer(r"(?<=\.) ", parsed.text)}
    for piece in pieces[:-1]:
        assert piece.end in ends, text(parsed, piece)[-80:]
        assert not text(parsed, piece).rsplit("\n", 1)[-1].startswith("#")
    for piece in pieces:
        assert parsed.text[piece.start - 1 : piece.start].strip() == ""


@pytest.mark.parametrize("seed", range(10))
def test_sizes_are_near_the_target(seed: int) -> None:
    """Long prose gives passages of 300 to 500 tokens, the last one excepted."""
    parsed, pieces = pieces_of("# T\n\n" + prose(random.Random(seed), 300))
    sizes = [size(parsed, piece) for piece in pieces]
    assert len(sizes) > 5
    assert all(300 <= tokens <= 500 for tokens in sizes[:-1])


@pytest.mark.parametrize("seed", range(10))
def test_overlap_is_a_tenth_to_a_fifth_in_whole_sentences(seed: int) -> None:
    """Each passage of one section repeats the end of the one before it, but where one sentence is more than a fifth."""
    parsed, pieces = pieces_of("# T\n\n" + prose(random.Random(seed), 200))
    for before, after in pairwise(pieces):
        if after.start > before.end:
            last = text(parsed, before).rsplit(". ", 1)[-1]
            assert Words().count(last) > 0.2 * (Words().count(last) + size(parsed, after))
            continue
        repeated = parsed.text[after.start : before.end]
        assert 0.1 <= Words().count(repeated) / size(parsed, after) <= 0.2
        assert repeated[0].isupper()
        assert repeated.endswith(".")


def test_overlap_can_be_turned_off() -> None:
    """With 0, passages follow each other."""
    _, pieces = pieces_of(prose(random.Random(1), 200), Chunking(overlap=0))
    assert all(before.end <= after.start for before, after in pairwise(pieces))


def test_a_section_of_level_1_or_2_starts_a_passage_without_overlap() -> None:
    """Once the passage before it has half the target."""
    chance = random.Random(3)
    source = "\n\n".join(f"## Part {number}\n\n{prose(chance, 20)}" for number in range(5))
    parsed, pieces = pieces_of(source)
    assert [text(parsed, piece).split("\n")[0] for piece in pieces] == [f"## Part {number}" for number in range(5)]
    assert all(before.end < after.start for before, after in pairwise(pieces))


def test_short_sections_are_merged() -> None:
    """Ten sections of a sentence or two make few passages, and none is tiny."""
    chance = random.Random(4)
    parsed, pieces = pieces_of(
        "# T\n\n" + "\n\n".join(f"## Part {number}\n\n{prose(chance, 4)}" for number in range(12))
    )
    sizes = [size(parsed, piece) for piece in pieces]
    assert 2 <= len(pieces) <= 4
    assert min(sizes) >= PLAN.min_tokens


def test_a_tiny_section_at_the_end_joins_the_one_before() -> None:
    """A passage of a few words would be found for the wrong questions."""
    chance = random.Random(5)
    parsed, pieces = pieces_of(f"## Long\n\n{prose(chance, 20)}\n\n## See also\n\nThe other page.")
    assert len(pieces) == 1
    assert text(parsed, pieces[0]).endswith("The other page.")


def test_heading_paths_are_those_of_what_is_new() -> None:
    """Outermost first, without marks; what is repeated does not count."""
    chance = random.Random(6)
    sections = ["# The *guide*", "## A\n\n### A1", "### A2 `x_y`", "## B"]
    source = "\n\n".join(f"{headings}\n\n{prose(chance, 22)}" for headings in sections)
    parsed, pieces = pieces_of(source)
    assert [piece.heading_path for piece in pieces] == [
        ("The guide",),
        ("The guide", "A", "A1"),
        ("The guide", "A", "A2 x_y"),
        ("The guide", "B"),
    ]
    assert not text(parsed, pieces[2]).startswith("#")  # it begins with the end of A1


def test_a_code_block_is_never_cut() -> None:
    """A long one makes a long passage."""
    code = "```\n" + "\n".join(f"command --number {number}" for number in range(400)) + "\n```"
    parsed, pieces = pieces_of(f"# T\n\nRun this:\n\n{code}\n\nDone. " + prose(random.Random(8), 40))
    assert sum("command --number 0\n" in text(parsed, piece) for piece in pieces) == 1
    assert all(("number 0\n" in text(parsed, piece)) == ("number 399" in text(parsed, piece)) for piece in pieces)


def test_a_long_table_is_cut_between_rows() -> None:
    """And its header stays with its first rows."""
    rows = [f"| {number} | {prose(random.Random(number), 1)} |" for number in range(150)]
    parsed, pieces = pieces_of("# T\n\n| Number | What |\n|---|---|\n" + "\n".join(rows))
    assert len(pieces) > 3
    assert all(text(parsed, piece).endswith("|") for piece in pieces)
    assert all(text(parsed, piece).startswith("|") for piece in pieces[1:])
    assert rows[0] in text(parsed, pieces[0])


def test_a_passage_that_begins_inside_a_table_repeats_its_header() -> None:
    """It is read below the header and counted with it; its own span begins at the row. Others repeat nothing."""
    header = "| Number | What it is about |\n|---|---|"
    rows = [f"| {number} | {prose(random.Random(number), 1)} |" for number in range(150)]
    parsed, pieces = pieces_of(f"# T\n\nIt begins here.\n\n{header}\n" + "\n".join(rows) + "\n\nIt ends here.")
    assert pieces[0].header is None
    assert len(pieces) > 3
    for piece in pieces[1:]:
        assert piece.header is not None
        assert parsed.text[slice(*piece.header)] == header
        assert piece.reading(parsed.text) == f"{header}\n{text(parsed, piece)}"
        assert text(parsed, piece).split("\n")[0] in rows
        assert Words().count(plain(piece.reading(parsed.text), "markdown")) <= PLAN.max_tokens


def test_a_first_row_as_long_as_a_passage_is_not_repeated() -> None:
    """Nor is one without a rule below it."""
    rows = "\n".join(f"| {number} | {prose(random.Random(number), 1)} |" for number in range(80))
    for source in (
        f"| a | {prose(random.Random(1), 20)} |\n|---|---|\n{rows}",
        "\n".join(f"> | {n}" for n in range(900)),
    ):
        _, pieces = pieces_of(source)
        assert len(pieces) > 1
        assert all(piece.header is None for piece in pieces)


def procedure(steps: int, words: int) -> str:
    """Numbered steps, each with a paragraph of so many words and a command."""
    body = " ".join(["tide"] * words)
    return "\n\n".join(
        f"{n}. Step {n}:\n\n   {body}.\n\n   ```sh\n   gauge --at {n}\n   ```" for n in range(1, steps + 1)
    )


@pytest.mark.parametrize("before", range(4, 40, 3))
def test_a_procedure_that_fits_stays_whole(before: int) -> None:
    """Whatever stands before and after it: no passage ends between its first step and its last command."""
    steps = procedure(8, 35)
    chance = random.Random(before)
    source = f"# T\n\n{prose(chance, before)}\n\nDo this:\n\n{steps}\n\n{prose(chance, 30)}"
    parsed, pieces = pieces_of(source)
    assert 300 < Words().count(plain(steps, "markdown")) <= PLAN.max_tokens
    assert sum(steps in text(parsed, piece) for piece in pieces) == 1


def test_a_procedure_that_does_not_fit_is_cut_between_steps() -> None:
    """A step keeps its paragraphs and commands."""
    parsed, pieces = pieces_of(f"# T\n\n{procedure(30, 60)}")
    assert len(pieces) > 4
    for piece in pieces[1:]:
        assert re.match(r"\d+\. Step", text(parsed, piece))
    assert all(text(parsed, piece).endswith("```") for piece in pieces)


@pytest.mark.parametrize("between", ["```sh\ntide --low\n```", "The tide is low now.", "> The tide is low."])
def test_what_stands_at_the_margin_between_two_steps_belongs_to_the_procedure(between: str) -> None:
    """Where the next number goes on."""
    steps = "\n\n".join(f"{number}. {' '.join(['tide'] * 60)}.\n\n{between}" for number in range(1, 6)) + "\n\n6. End."
    parsed, pieces = pieces_of(f"# T\n\n{prose(random.Random(2), 25)}\n\n{steps}\n\n{prose(random.Random(3), 30)}")
    assert sum(steps in text(parsed, piece) for piece in pieces) == 1


def test_a_lead_in_stays_with_its_list() -> None:
    """Whatever the cut before it would gain."""
    for filler in range(14, 40):
        source = f"# T\n\n{prose(random.Random(9), filler)}\n\nThese are needed:\n\n- a pen\n- ink"
        parsed, pieces = pieces_of(source)
        assert not any(text(parsed, piece).endswith("needed:") for piece in pieces)
        assert any("needed:\n\n- a pen" in text(parsed, piece) for piece in pieces)


def test_one_line_of_a_megabyte_is_cut() -> None:
    """Without a full stop the cuts are at white space, without white space anywhere but inside a grapheme."""
    for source in ("word " * 200_000, "x" * 1_000_000, "e\u0301👩\u200d🚀" * 100_000):
        parsed, pieces = pieces_of(source)
        assert all(size(parsed, piece) <= PLAN.max_tokens for piece in pieces)
        assert len(pieces) > 10
        assert all(parsed.text[piece.start] not in "\u0301\u200d" for piece in pieces)


def test_scripts_of_all_directions_are_cut_in_sentences() -> None:
    """Emoji and right-to-left text are text."""
    parsed, pieces = pieces_of("# שלום 🚀\n\n" + "זה משפט ארוך על המים 🌊 והגאות. هذه جملة عن المد والجزر؟ " * 120)
    assert len(pieces) > 2
    assert all(text(parsed, piece)[-1] in ".؟" for piece in pieces)
    assert pieces[-1].heading_path == ("שלום 🚀",)


def test_newlines_of_any_system_give_the_same_passages() -> None:
    """CRLF is LF."""
    source = handbook(random.Random(10))
    unix, windows = markdown(source), parse(source.replace("\n", "\r\n").encode(), name="a.md")
    assert Structural(PLAN, Words()).cut(unix) == Structural(PLAN, Words()).cut(windows)


def test_rules_and_link_definitions_are_kept() -> None:
    """What is in no block goes with its neighbours and makes no passage of its own."""
    source = "[a]: https://x.example/\n\n# T\n\nSee [a].\n\n***\n\n[b]: https://y.example/\n"
    parsed, pieces = pieces_of(source)
    assert [text(parsed, piece) for piece in pieces] == [source.strip()]


def test_pages_are_those_of_what_is_new() -> None:
    """Where the format has pages."""
    parsed = markdown("Text.")
    assert Structural(PLAN, Words()).cut(parsed)[0].page is None


@pytest.mark.parametrize("source", ["# a\n", "- x\n", "| a |\n", "x. ", "```\n", "> ", "#\n\n", "[a]: b/c\n", "***\n"])
def test_large_monotonous_documents_are_cut_in_good_time(source: str) -> None:
    """Tens of thousands of headings, points or rows take seconds, and nothing is lost."""
    began = time.process_time()
    pieces_of(source * 30_000)
    assert time.process_time() - began < 15


def test_tokens_are_counted_once() -> None:
    """Counting is the dear part: the tokenizer sees each character about once."""
    parsed = markdown("\n".join(handbook(random.Random(seed)) for seed in range(40)))
    words = Words()
    Structural(PLAN, words).cut(parsed)
    assert words.characters < 2.2 * len(parsed.text)


def test_an_empty_document_has_no_passages() -> None:
    """Front matter alone is nothing to find."""
    assert Structural(PLAN, Words()).cut(markdown("---\ntitle: x\n---\n")) == ()


def test_plans_that_cannot_work_are_refused() -> None:
    """Sizes have an order, and overlap has a limit."""
    for wrong in ({"target_tokens": 600}, {"min_tokens": 0}, {"overlap": 0.5}, {"max_tokens": 300}):
        with pytest.raises(InvalidInput):
            Chunking(**wrong)
