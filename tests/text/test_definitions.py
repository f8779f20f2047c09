"""What texts say stands for what, and how many slips lie between two words."""

from __future__ import annotations

import random
from time import perf_counter

import pytest

from ken.text.definitions import Definition, definitions
from ken.text.edits import distances


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Ask your Contracting Officer's Representative (COR) first.", "COR", "Contracting Officer's Representative"),
        ("Ask your COR (Contracting Officer's Representative) first.", "COR", "Contracting Officer's Representative"),
        ("The CORs (Contracting Officer Representatives) sign.", "COR", "Contracting Officer Representatives"),
        ("The Office of Personnel Management (OPM) decides.", "OPM", "Office of Personnel Management"),
        ("in the Technology Transformation Services (TTS)", "TTS", "Technology Transformation Services"),
        ("an emulsified polymer (EMP)", "EMP", "emulsified polymer"),
        ("NTE stands for not to exceed, as in NTE date.", "NTE", "not to exceed"),
        ("WGI: Within-Grade Increase, a raise", "WGI", "Within-Grade Increase"),
        ("Acronym: PTA · Meaning: Privacy Threshold Analysis", "PTA", "Privacy Threshold Analysis"),
        ("Leave without pay, abbreviated as LWOP, is rare.", "LWOP", "Leave without pay"),
    ],
)
def test_an_acronym_is_found_with_its_long_form(text: str, short: str, long: str) -> None:
    """Beside a parenthesis either way round, in a glossary's line or row, and in words."""
    assert Definition("acronym", short, long) in definitions(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bring your passport (or ID) along.",
        "It opens at nine (see below) and closes at five (Fridays: four).",
        "The list (A, B, C) is long.",
        "Systems: clusters, base services, build and rollout automation (CI/CD).",
        "Error: the file is missing (EOF).",
        "",
    ],
)
def test_other_parentheses_define_nothing(text: str) -> None:
    """What isn't made of the letters, or is a list, is no long form."""
    assert definitions(text) == []


def test_another_name_is_found() -> None:
    """Both names, without what the sentence goes on with."""
    assert Definition("name", "Harbour House", "Ringwood") in definitions(
        "We meet in Ringwood (formerly known as Harbour House)."
    )


def test_any_text_takes_time_in_proportion() -> None:
    """A page of opening parentheses, of capitals or of one word."""
    for text in (
        "(LF " * 50_000,
        "ABC (" * 40_000,
        "A" * 200_000,
        "also known as " * 15_000,
        "long form (LF) " * 13_000,
    ):
        started = perf_counter()
        definitions(text)
        assert perf_counter() - started < 5


@pytest.mark.parametrize(
    ("word", "other", "edits"),
    [
        ("leave", "leaev", 1),
        ("berth", "brth", 1),
        ("berth", "berrth", 1),
        ("berth", "barth", 1),
        ("ca", "abc", 3),
        ("a", "a", 0),
    ],
)
def test_slips_are_counted(word: str, other: str, edits: int) -> None:
    """A letter left out, put in, changed, or two swapped; no letter is edited twice."""
    assert distances(word, [other]).tolist() == [edits]


def test_many_words_are_measured_as_each_alone() -> None:
    """Words of different lengths side by side give what the table of the textbook gives for each."""
    dice = random.Random(4)
    words = ["".join(dice.choices("abc", k=dice.randint(1, 7))) for _ in range(60)]
    for word in words[:12]:
        assert distances(word, words).tolist() == [textbook(word, other) for other in words]


def textbook(one: str, other: str) -> int:
    """Optimal string alignment, cell by cell."""
    table = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            )
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]
