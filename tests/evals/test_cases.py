"""Question files: what is read, and what is said of a line that can't be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ken.domain.answer import Message
from ken.errors import InvalidCases
from ken.evals.cases import load_cases

GOOD = '{"id": "1", "question": "When?", "kind": "lookup"}'


def write(folder: Path, text: str | bytes) -> Path:
    """A question file."""
    file = folder / "questions.jsonl"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_a_case_is_read_whole(tmp_path: Path) -> None:
    """Gold, facts, history and collection; unknown keys and blank lines are passed over."""
    case = {
        "id": "a",
        "question": "And then?",
        "kind": "followup",
        "collection": "light",
        "gold": [{"path": "light/lamp.md", "evidence": "The lamp"}],
        "facts": ["noon"],
        "answer": "At noon.",
        "history": [{"user": "When?", "assistant": "Now."}, {"user": "Why?"}],
        "pair": "b",
    }
    (read, other) = load_cases(write(tmp_path, f"\n{json.dumps(case)}\n\n{GOOD}\n"))
    assert (read.id, read.gold[0].path, read.facts, read.collection) == ("a", "light/lamp.md", ("noon",), "light")
    assert read.messages == (Message("user", "When?"), Message("assistant", "Now."), Message("user", "Why?"))
    assert (other.collection, other.gold, other.messages) == ("all", (), ())


@pytest.mark.parametrize(
    ("kind", "wants"),
    [("lookup", False), ("false_premise", False), ("unanswerable", True), ("out_of_scope", True), ("injection", True)],
)
def test_what_should_be_abstained_from_is_known_by_its_kind(tmp_path: Path, kind: str, wants: bool) -> None:  # noqa: FBT001
    """Three kinds have no answer in the documents; for all others an abstention is wrong."""
    (case,) = load_cases(write(tmp_path, GOOD.replace("lookup", kind)))
    assert case.wants_abstention is wants


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{GOOD}\nnonsense", ["line 2", "JSON"]),
        (f"{GOOD}\n[1]", ["line 2", "the line"]),
        (f'{GOOD}\n\n{{"id": "2", "kind": "lookup"}}', ["line 3", "question"]),
        ('{"id": "2", "question": 7, "kind": "lookup"}', ["line 1", "question", "string"]),
        ('{"id": "2", "question": "x", "kind": "lookup", "gold": [{"path": "a"}]}', ["line 1", "gold.0.evidence"]),
        ('{"id": "2", "question": "x", "kind": "lookup", "facts": "x"}', ["line 1", "facts"]),
        (f"{GOOD}\n{GOOD}", ["line 2", "'1'", "twice"]),
        ("\n\n", ["no cases"]),
        ("", ["no cases"]),
        (b"\xff\xfe", ["can't be read"]),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, wanted: list[str]) -> None:
    """InvalidCases with the file, the line, and what is wrong there."""
    file = write(tmp_path, text)
    with pytest.raises(InvalidCases) as raised:
        load_cases(file)
    assert all(words in str(raised.value) for words in [str(file), *wanted]), str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """So is a folder."""
    for place in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InvalidCases, match="can't be read"):
            load_cases(place)
