"""What every chunker promises, and what each of them alone does."""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Sequence
from itertools import pairwise

import anyio.to_thread
import numpy as np
import pytest
from numpy.typing import NDArray

from ken.domain.document import ParsedDocument
from ken.errors import InvalidInput
from ken.knowledge.chunkers.choice import chunker
from ken.knowledge.chunkers.chunker import MOST_OVERLAP, Chunker, ChunkerName, Chunking, Piece
from ken.knowledge.chunkers.fixed import Fixed
from ken.knowledge.chunkers.semantic import Semantic
from ken.knowledge.chunkers.sentence import BySentence
from ken.knowledge.chunkers.sliding import Sliding
from ken.knowledge.chunkers.structural import Structural
from ken.text.markup import plain
from ken.text.tables import header_span
from tests.architecture.tree import PROJECT
from tests.knowledge.homes import opened
from tests.knowledge.test_chunking import Words, handbook, markdown, prose

TOPICS = ("tide", "lamp", "bread", "ledger", "winch")
OTHERS: tuple[ChunkerName, ...] = ("fixed", "sentence", "sliding", "semantic")


def by_topic(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors that say which of the topics a text names most."""
    counts = np.array([[1e-3, *(text.lower().count(topic) for topic in TOPICS)] for text in texts], np.float32)
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def made(name: ChunkerName, **sizes: float) -> Chunker:
    """A chunker with a tokenizer and vectors that need no model."""
    plan = Chunking.sized(name, **sizes)  # pyright: ignore[reportArgumentType]
    match name:
        case "structural":
            return Structural(plan, Words())
        case "fixed":
            return Fixed(plan, Words())
        case "sentence":
            return BySentence(plan, Words())
        case "sliding":
            return Sliding(plan, Words())
        case "semantic":
            return Semantic(plan, Words(), by_topic)


def read(parsed: ParsedDocument, piece: Piece) -> str:
    return plain(piece.reading(parsed.text), parsed.markup)


def assert_sound(parsed: ParsedDocument, pieces: Sequence[Piece]) -> None:
    """Order, coverage, nothing empty, rows whole and below their header, headings in force."""
    covered = 0
    for piece in pieces:
        assert not parsed.text[covered : piece.start].strip()
        assert parsed.text[piece.start : piece.end].strip()
        covered = max(covered, piece.end)
    assert not parsed.text[covered:].strip()
    for before, after in pairwise(pieces):
        assert before.start < after.start
        assert before.end < after.end
    for block in (block for block in parsed.blocks if block.kind == "table"):
        header = header_span(parsed.text, block)
        for edge in (edge for piece in pieces for edge in (piece.start, piece.end)):
            if block.start < edge < block.end:
                assert "\n" in (parsed.text[edge - 1], parsed.text[edge])
        for piece in pieces:
            is_inside = header is not None and header[1] < piece.start < block.end
            assert (piece.header == header) or not is_inside
    titles = [
        (block.start, block.level, plain(parsed.text[block.start : block.end], parsed.markup))
        for block in parsed.blocks
        if block.kind == "heading"
    ]
    for piece in pieces:
        places = [start for start, _, title in titles if title in piece.heading_path]
        assert places == sorted(places)
        assert all(start < piece.end for start in places)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("seed", range(4))
def test_random_documents_are_cut_soundly(name: ChunkerName, seed: int) -> None:
    """Whatever the chunker, its size and its overlap."""
    parsed = markdown(handbook(random.Random(seed)))
    for tokens, overlap in ((60, 0.0), (200, 0.1), (400, min(0.5, MOST_OVERLAP[name]))):
        assert_sound(parsed, made(name, tokens=tokens, overlap=overlap).cut(parsed))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("source", ["word " * 20_000, "e\u0301👩\u200d🚀" * 8_000, "水位が上がる。" * 3_000])
def test_a_unit_larger_than_a_passage_is_cut(name: ChunkerName, source: str) -> None:
    """At white space where there is some, else between characters, and never between one and its marks."""
    parsed = markdown(source)
    pieces = made(name, tokens=400).cut(parsed)
    assert_sound(parsed, pieces)
    assert len(pieces) > 5
    assert all(len(Words().offsets(read(parsed, piece))) <= 700 for piece in pieces)
    assert all(parsed.text[piece.start] not in "\u0301\u200d" for piece in pieces)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("source", ["# a\n", "| a |\n", "x. ", "```\n"])
def test_large_monotonous_documents_are_cut_in_good_time(name: ChunkerName, source: str) -> None:
    """Tens of thousands of headings, points or rows take seconds, and nothing is lost."""
    began = time.process_time()
    parsed = markdown(source * 12_000)
    assert_no_loss(parsed, made(name).cut(parsed))
    assert time.process_time() - began < 15


def assert_no_loss(parsed: ParsedDocument, pieces: Sequence[Piece]) -> None:
    covered = 0
    for piece in pieces:
        assert covered <= piece.end
        assert not parsed.text[covered : piece.start].strip()
        covered = piece.end
    assert not parsed.text[covered:].strip()


@pytest.mark.parametrize("name", ["structural", *OTHERS])
def test_an_empty_document_has_no_passages(name: ChunkerName) -> None:
    """Front matter alone is nothing to find."""
    assert made(name).cut(markdown("---\ntitle: x\n---\n")) == ()


@pytest.mark.parametrize("name", ["fixed", "sentence", "sliding"])
def test_a_passage_that_begins_inside_a_table_repeats_its_header(name: ChunkerName) -> None:
    """It is read below the header; its own span begins at the row."""
    rows = "\n".join(f"| {number} | {prose(random.Random(number), 1)} |" for number in range(120))
    parsed = markdown(f"# T\n\nIt begins here.\n\n| Number | What |\n|---|---|\n{rows}\n\nIt ends here.")
    pieces = made(name, tokens=200).cut(parsed)
    assert len(pieces) > 5
    assert all(read(parsed, piece).startswith("Number · What") for piece in pieces[1:-1])
    assert all(parsed.text[piece.start] == "|" for piece in pieces[1:-1])


def test_the_default_cuts_where_it_always_did() -> None:
    """Byte for byte: an upgrade makes nobody's passages anew."""
    digest = hashlib.sha256()
    for file in sorted((PROJECT / "examples" / "handbook").rglob("*.md")):
        for piece in Structural(Chunking(), Words()).cut(markdown(file.read_text("utf-8"))):
            values = [piece.start, piece.end, piece.heading_path, piece.page, piece.header]
            digest.update(json.dumps(values).encode())
    assert digest.hexdigest()[:16] == "9be9df53d192f032"
    assert str(Chunking()) == "Chunking(target_tokens=400, max_tokens=500, overlap=0.15, min_tokens=100)"
    assert Chunking.sized() == Chunking()


def test_fixed_passages_have_so_many_tokens() -> None:
    """And before them as much of the one before as the overlap says."""
    parsed = markdown(prose(random.Random(1), 300))
    pieces = made("fixed", tokens=100, overlap=0.2).cut(parsed)
    sizes = [Words().count(parsed.text[piece.start : piece.end]) for piece in pieces]
    assert all(110 <= size <= 120 for size in sizes[:-1])
    for before, after in pairwise(pieces):
        assert 10 <= Words().count(parsed.text[after.start : before.end]) <= 20


def test_marks_do_not_make_passages_shorter() -> None:
    """Size is of the plain text: the same sentences with links in them fill as many passages."""
    bare = "The keeper lights the lamp at dusk. " * 200
    linked = "The [keeper](https://example.org/people/the-keeper?of=lights) lights the **lamp** at dusk. " * 200
    counts = [len(made("fixed", tokens=100).cut(markdown(source))) for source in (bare, linked)]
    assert counts[0] == counts[1]


def test_a_sliding_window_shows_each_sentence_several_times() -> None:
    """A window of so many tokens begins every quarter of it."""
    parsed = markdown(prose(random.Random(2), 300))
    pieces = made("sliding", tokens=200, overlap=0.75).cut(parsed)
    steps = [Words().count(parsed.text[before.start : after.start]) for before, after in pairwise(pieces)]
    assert all(45 <= step <= 60 for step in steps[:-1])
    middle = len(parsed.text) // 2
    assert sum(piece.start <= middle < piece.end for piece in pieces) == 4


def test_sentences_are_kept_whole() -> None:
    """A passage ends with a sentence, holds no more than it may, and repeats whole ones."""
    parsed = markdown("# T\n\n" + prose(random.Random(3), 200))
    pieces = made("sentence", tokens=150).cut(parsed)
    assert all(parsed.text[piece.end - 1] == "." for piece in pieces)
    assert all(Words().count(parsed.text[piece.start : piece.end]) <= 150 for piece in pieces)
    assert all(re.match(r"[A-Z]", parsed.text[piece.start]) for piece in pieces[1:])
    assert any(after.start < before.end for before, after in pairwise(pieces))


def test_a_heading_is_never_last() -> None:
    """It goes with what follows it, if that is a sentence or a block of code as large as a passage."""
    code = "```\n" + "gauge --at tide\n" * 200 + "```"
    parsed = markdown(
        "\n\n".join(f"## Part {n}\n\n{prose(random.Random(n), n)}\n\n### Run\n\n{code}" for n in range(9))
    )
    for name in ("sentence", "semantic"):
        for piece in made(name, tokens=100).cut(parsed):
            assert not parsed.text[piece.start : piece.end].rsplit("\n", 1)[-1].startswith("#")


def test_the_semantic_chunker_cuts_where_the_topic_shifts() -> None:
    """Not where a passage is full: five topics of unlike length make five passages."""
    parts = [
        " ".join(f"The {topic} is number {number}." for number in range(30 + 3 * place))
        for place, topic in enumerate(TOPICS)
    ]
    parsed = markdown(" ".join(parts))
    pieces = made("semantic", tokens=300).cut(parsed)
    assert_sound(parsed, pieces)
    assert [parsed.text[piece.start : piece.end] for piece in pieces] == parts


def test_semantic_passages_keep_their_bounds() -> None:
    """One topic alone is cut, too, and no shift makes a passage of a few words."""
    long = made("semantic", tokens=100).cut(markdown("The tide rises again. " * 300))
    assert len(long) > 10
    shifting = " ".join(f"The {TOPICS[number % 5]} is here." for number in range(400))
    parsed = markdown(shifting)
    sizes = [Words().count(parsed.text[p.start : p.end]) for p in made("semantic", tokens=100).cut(parsed)]
    assert all(25 <= size <= 125 for size in sizes)


async def test_the_embedder_at_hand_says_where_topics_shift(home: object) -> None:
    """Two subjects in one paragraph are told apart by the vectors that the search uses."""
    ferry = (
        "The ferry sails at dawn. Passengers board at the pier. The crossing takes an hour. Tickets are sold on deck. "
    )
    bread = "Knead the dough well. Rye flour needs more water. Bake the loaf until brown. Let the bread cool on a rack."
    async with opened(home) as ken:  # pyright: ignore[reportArgumentType]
        embedder = ken.library.ingest.embedder
        plan = Chunking.sized("semantic", tokens=40)
        cutter = chunker(plan, tokens=ken.library.ingest.tokens, embedder=embedder)
        parsed = markdown(ferry + bread)
        pieces = await anyio.to_thread.run_sync(cutter.cut, parsed)
    assert parsed.text.index("Knead") in [piece.start for piece in pieces]


def test_plans_that_cannot_work_are_refused() -> None:
    """By name, with what may be given."""
    for name, sizes, words in (
        ("structural", {"overlap": 0.3}, "0 to 0.2"),
        ("fixed", {"overlap": 0.6}, "0 to 0.5"),
        ("sliding", {"overlap": 0.95}, "0 to 0.9"),
        ("fixed", {"tokens": 5}, "20 to 2000"),
        ("fixed", {"tokens": 5000}, "20 to 2000"),
        ("paragraph", {}, "structural, fixed"),
    ):
        with pytest.raises(InvalidInput, match=words):
            Chunking.sized(name, **sizes)  # pyright: ignore[reportArgumentType]
