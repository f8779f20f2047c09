"""Searching from the terminal."""

from __future__ import annotations

import json

import pytest

from tests.cli.terminal import Terminal
from tests.service.corpus import OPENING, QUESTION


def test_the_nearest_passages_with_their_best_sentences(filled: Terminal) -> None:
    """Rank, relevance, title and headings, place, and the sentence that comes nearest; no colour when piped."""
    done = filled.ken("search", QUESTION)
    first = done.stdout.splitlines()[:3]
    assert first[0].split()[0] == "1"
    assert 0 < float(first[0].split()[1]) <= 1
    assert first[0].endswith("Harbour office")
    assert first[1].strip() == "harbour/office.md#p0"
    assert OPENING in first[2]
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_a_search_explains_itself_on_one_screen(filled: Terminal) -> None:
    """What was looked at and searched for; for each passage its scores with its place in each list, and what each word adds."""
    done = filled.ken("search", "--explain", "when does the harbuor office open")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("4 documents · ")
    assert all(stage in lines[1] for stage in ("plan ", "embed ", "rank "))
    assert lines[2] == "searched for “harbour” instead of “harbuor”"
    at = next(number for number, line in enumerate(lines) if line.startswith("  1  "))
    assert "harbour/office.md#p0" in lines[at]
    assert all(f"{score} " in lines[at + 1] for score in ("BM25", "dense", "sentence", "words", "fused"))
    assert "#1" in lines[at + 1]
    assert lines[at + 2].strip().startswith("holds ")
    assert "office " in lines[at + 2]
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 120


def test_a_correction_is_told_without_being_asked(filled: Terminal) -> None:
    """On stderr: what stands on stdout was not found for what was written."""
    assert (
        "Searched for “harbour” instead of “harbuor”."
        in filled.ken("search", "when does the harbuor office open").stderr
    )


def test_a_search_as_json(filled: Terminal) -> None:
    """The scores, the reasons and the plan, and nothing else on stdout."""
    found = json.loads(filled.ken("search", "--json", "--limit", "2", QUESTION).stdout)
    assert len(found["evidence"]) == 2
    assert found["evidence"][0]["document"]["id"] == "harbour/office.md"
    reasons = found["evidence"][0]["reasons"]
    assert sum(score for _, score in reasons["terms"]) == pytest.approx(found["evidence"][0]["lexical"], rel=1e-3)
    assert found["explained"]["asked"] == QUESTION


def test_the_record_tells_how_good_what_was_found_was(filled: Terminal) -> None:
    """By task type; with JSON, beside the week before."""
    filled.ken("ask", QUESTION)
    told = filled.ken("trace", "--retrieval").stdout.splitlines()
    task, questions, relevance, *_ = next(line for line in told if line.startswith("lookup")).split("\t")
    assert (task, int(questions) > 0, 0 < float(relevance) <= 1) == ("lookup", True, True)
    assert json.loads(filled.ken("trace", "--retrieval", "--json").stdout)["before"] == []


def test_nothing_found_says_why(filled: Terminal, empty: Terminal) -> None:
    """3: no documents are left by what was asked to be searched; a search that comes near nothing says that. 2: there is no home."""
    assert "There is no home" in empty.ken("search", QUESTION, code=2).stderr
    told = filled.ken("search", QUESTION, "--collection", "attic", code=3)
    assert told.stdout == ""
    assert "You may read 4 documents; none in “attic” has" in told.stderr
    assert "No passage comes near this" in filled.ken("search", "Which telescope did Galileo use?").stderr


@pytest.mark.parametrize("question", ["", "?!…", "⛵😀", "\x01\x02\x03\x04", "x" * 8001])
def test_what_is_no_question_is_bad_input(filled: Terminal, question: str) -> None:
    """2, and one line on stderr."""
    done = filled.ken("search", question, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("ken: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["ask", "search"])
def test_what_looks_like_an_order_is_text(filled: Terminal, command: str) -> None:
    """Regular expressions, SQL and half characters are looked for; nothing in them is obeyed."""
    order = b"^(a+)+$ '; DROP TABLE passages; -- \xed\xa0\x80 \x1b[2J %s <b>harbour office</b>"
    done = filled.ken(command, "-", stdin=order, code=None)
    assert done.returncode in {0, 3}
    assert "\x1b" not in done.stdout + done.stderr


def test_bytes_that_are_no_text_are_bad_input(filled: Terminal) -> None:
    """From stdin as well: NUL bytes are refused."""
    assert filled.ken("search", "-", stdin=b"\x00\x01\x02\xff" * 50, code=2).stdout == ""


def test_a_search_and_a_question_are_narrowed(filled: Terminal) -> None:
    """By the options that both commands have; what is no date is bad input."""
    narrowed = ("--type", "txt", "--type", "md", "--owner", "harbour master", "--effective-from", "2020-01-01")
    assert "harbour/office.md" in filled.ken("search", QUESTION, *narrowed).stdout
    assert "harbour/office.md" in filled.ken("ask", QUESTION, *narrowed).stdout
    filled.ken("search", QUESTION, "--effective-to", "2019-12-31", code=3)
    assert "'soon'" in filled.ken("ask", QUESTION, "--modified-from", "soon", code=2).stderr
