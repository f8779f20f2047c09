"""Asking from the terminal, and looking back."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ken.cli.output import shown
from tests.cli.terminal import Terminal
from tests.service.corpus import BEYOND, OPENING, QUESTION


def test_an_answer_is_printed_with_its_sources(filled: Terminal) -> None:
    """Text and sources on stdout, what goes with them on stderr."""
    done = filled.ken("ask", QUESTION)
    answer, _, sources = done.stdout.partition("\n\n")
    assert OPENING in answer
    assert "[1] Harbour office" in sources
    assert "harbour/office.md#p" in sources
    assert f"“{OPENING}" in sources
    assert "as of 1 January 2020; Harbour master; review was due on 31 December 2021" in sources
    assert "ken trace latest" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_answer_as_json(filled: Terminal) -> None:
    """The whole answer, and nothing else on stdout."""
    answer = json.loads(filled.ken("ask", "--json", QUESTION).stdout)
    assert answer["outcome"] == "answered"
    assert answer["citations"][0]["document_id"] == "harbour/office.md"


def test_beyond_my_ken_is_an_exit_code(filled: Terminal) -> None:
    """3: a script can tell an abstention from an answer and from a failure."""
    assert "beyond my ken" in filled.ken("ask", BEYOND, code=3).stdout


@pytest.mark.parametrize("question", ["", "\x01\x02\x03\x04", "x" * 8001])
def test_a_question_that_is_none_is_bad_input(filled: Terminal, question: str) -> None:
    """2, and one line on stderr."""
    done = filled.ken("ask", question, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("ken: ")
    assert done.stderr.count("\n") == 1


def test_a_question_from_stdin(filled: Terminal) -> None:
    """`-` reads the question; bytes that are no text are bad input."""
    assert OPENING in filled.ken("ask", "-", stdin=QUESTION.encode()).stdout
    filled.ken("ask", "-", stdin=b"\x00\x01\x02\xff" * 50, code=2)


def test_an_unknown_model_is_a_failure(filled: Terminal) -> None:
    """1, with the models there are."""
    assert "extractive" in filled.ken("ask", QUESTION, "--model", "gpt-9", code=1).stderr


def test_a_conversation_goes_on(filled: Terminal) -> None:
    """`new` begins one and names it; its id goes on with it."""
    begun = filled.ken("ask", QUESTION, "--conversation", "new")
    conversation = begun.stderr.split()[1]
    assert "09:00" in filled.ken("ask", "And on Saturdays?", "--conversation", conversation).stdout


def test_a_collection_narrows_the_question(filled: Terminal) -> None:
    """Another collection holds no answer."""
    assert OPENING not in filled.ken("ask", QUESTION, "--collection", "elsewhere", code=3).stdout


def test_the_latest_trace_is_drawn(filled: Terminal) -> None:
    """A bar for each stage and the passages looked at; as JSON with attributes by name."""
    asked = json.loads(filled.ken("ask", "--json", "Is petrol sold?", code=None).stdout)
    drawn = filled.ken("trace", "latest").stdout
    assert "Is petrol sold?" in drawn
    assert "retrieve" in drawn
    assert asked["trace_id"] in drawn
    trace = json.loads(filled.ken("trace", asked["trace_id"], "--json").stdout)
    assert trace["id"] == asked["trace_id"]
    assert isinstance(trace["spans"][0]["attributes"], dict)


def test_an_unknown_trace_is_a_plain_line(filled: Terminal) -> None:
    """1, and the id that was asked for."""
    done = filled.ken("trace", "f" * 32, code=1)
    assert done.stderr == f"ken: There is no trace '{'f' * 32}'.\n"


def test_an_empty_home_says_what_to_do(empty: Terminal) -> None:
    """Without documents every question is beyond its ken, and the remedy is named."""
    assert "ken sync" in empty.ken("ask", QUESTION, code=3).stderr
    assert "You have not asked" not in empty.ken("trace").stderr


def test_the_home_may_stand_after_the_command(filled: Terminal) -> None:
    """`--home` works in both places; the later one wins."""
    command = [sys.executable, "-m", "ken", "--home", "/nonexistent", "ask", QUESTION, "--home", str(filled.home)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=50, text=True)
    assert done.returncode == 0, done.stderr
    assert OPENING in done.stdout


def test_control_characters_do_not_reach_a_terminal() -> None:
    """On a terminal, escape sequences in a document's text are shown as text; a program gets the text itself."""
    hostile = "a\x1b[2Jb\u202ec\nd"
    assert shown(hostile, to_terminal=True) == "a\\x1b[2Jb\\u202ec\nd"
    assert shown(hostile, to_terminal=False) == hostile
