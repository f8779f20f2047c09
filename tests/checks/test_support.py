"""Whether passages support a sentence: words, names, numbers, units and denials."""

from __future__ import annotations

import pytest

from ken.checks.support import SUPPORTED, best_support, support

LEAVE = (
    "Full-time staff get 25 days of paid leave a year.",
    "Up to 5 unused days may be carried over until 31 March.",
    "Leave may not be taken in the first month, unless Nora Vint agrees.",
    "The allowance is £1,200 and is paid at 07:30 on the first Monday.",
    "You can't bring dogs into the office.",
    "A request must not, without the approval of the team lead, exceed ten days.",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Full-time staff get 25 days of paid leave a year.",
        "full-time staff get 25 days of paid leave",
        "Staff who work full-time get 25 paid days of leave each year.",
        "Up to five unused days may be carried over until 31 March.",
        "You may not take leave in the first month.",
        "Leave can't be taken in the first month.",
        "The allowance is 1200 pounds.",
        "The allowance is paid at 7:30 on Monday.",
        "Dogs can not be brought into the office.",
        "No, you can't bring dogs.",
        "Without approval a request must not exceed 10 days.",
        "Up to 5 days may be carried over, no later than 31 March.",
    ],
)
def test_what_the_passage_says_is_supported(sentence: str) -> None:
    """Its own words, other forms of them, numbers spelled or in digits, contractions and idioms with "no"."""
    assert support(sentence, *LEAVE) >= SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "Full-time staff get 52 days of paid leave a year.",
        "Full-time staff get 31 days of paid leave a year.",
        "Full-time staff get 1 day of paid leave a year.",
        "Up to 25 unused days may be carried over until 5 March.",
        "Leave may be taken in the first month.",
        "Unused days may not be carried over.",
        "Full-time staff get no paid leave.",
        "Full-time staff don't get 25 days of paid leave a year.",
        "You can bring dogs into the office.",
        "The allowance is €1,200.",
        "The allowance is 1,200 %.",
        "Leave may not be taken in the first month, unless Adam Vint agrees.",
        "Cats chase mice in the garden at night.",
        "",
        "It is.",
    ],
)
def test_what_the_passage_does_not_say_is_not(sentence: str) -> None:
    """Another number, a number of another thing, another unit, another name, an added or a lost "not", or nothing at all."""
    assert support(sentence, *LEAVE) < SUPPORTED


def test_a_quotation_is_supported_in_full() -> None:
    """A sentence that stands there word for word counts 1, also inside a longer one."""
    assert support("25 days of paid leave", *LEAVE) == 1.0
    assert best_support(LEAVE[3], LEAVE).index == 3
    assert best_support(LEAVE[3].rstrip("."), LEAVE).score == 1.0


def test_the_best_piece_is_found() -> None:
    """The piece that says most of the sentence by itself, and none where nothing fits."""
    found = best_support("Unused days may be carried over until 31 March.", LEAVE)
    assert (found.index, found.score) == (1, 1.0)
    assert best_support("Cats chase 9 mice.", LEAVE).index == -1
    assert best_support("Anything at all.", ()).index == -1


def test_a_part_of_a_denial_is_no_support() -> None:
    """Words cut out of a sentence that denies them don't support their opposite."""
    assert support("Bring dogs into the office.", *LEAVE) < SUPPORTED


ROW = "Region: EU · Limit: 40 days · Approval: by the manager"


@pytest.mark.parametrize(
    "claim", [f"{ROW}.", "In the EU region the limit is 40 days.", "The EU limit needs approval by the manager."]
)
def test_a_table_row_supports_what_it_says_under_its_columns(claim: str) -> None:
    """The names of the columns belong to their cells: one row is one statement."""
    assert support(claim, ROW) >= SUPPORTED


@pytest.mark.parametrize(
    "claim",
    ["In the EU region the limit is 60 days.", "In the Asia region the limit is 40 days.", "There is no limit."],
)
def test_a_table_row_does_not_support_what_another_row_may_say(claim: str) -> None:
    """Another number, another name, or a denial."""
    assert support(claim, ROW) < SUPPORTED
