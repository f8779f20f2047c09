"""What a mock model's name says, and what is said to a name that can't be read."""

from __future__ import annotations

import pytest

from ken.errors import InvalidInput
from ken.mock.behaviour import Behaviour, Fault, parse


def test_a_name_sets_the_behaviour() -> None:
    """Each word sets its part; what isn't named keeps its default."""
    assert parse("mocksmall-ttft50-itl5-len40-cut12x1-seed3-usageeach-afterdate-idtrial.1") == Behaviour(
        family="mocksmall",
        ttft=50,
        itl=5,
        len=40,
        seed=3,
        usage="each",
        afterdate=True,
        faults=(Fault("cut", 12, calls=1),),
    )


def test_faults_take_turns() -> None:
    """Faults with a count use up their calls in the order of the name; one without a count takes the rest."""
    kinds = [fault and (fault.kind, fault.at) for fault in map(parse("mock-500x2-cut12x1").fault, range(1, 6))]
    assert kinds == [("status", 500), ("status", 500), ("cut", 12), None, None]
    assert parse("mock-empty-500x1").fault(99) == Fault("empty")


def test_a_share_of_the_calls_fails() -> None:
    """About so many percent fail, and the same ones in each run."""
    failed = [number for number in range(1, 1001) if parse("mock-503p30").fault(number)]
    assert 250 < len(failed) < 350
    assert failed != [number for number in range(1, 1001) if parse("mock-503p30-seed1").fault(number)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt-4o", "begins with one of mock, mocksmall"),
        ("", "begins with one of"),
        ("mock-fast", "'fast' in the model's name 'mock-fast' is no word"),
        ("mock-ttft", "'ttft' in"),
        ("mock-cutx1", "'cutx1' in"),
        ("mock-len40x2", "'len40x2' in"),
        ("mock-600", "600 in the model's name 'mock-600' is no status"),
        ("mock-len99999999999", "too large"),
    ],
)
def test_a_wrong_name_is_explained(name: str, words: str) -> None:
    """The error names the word that can't be read."""
    with pytest.raises(InvalidInput, match="model") as raised:
        parse(name)
    assert words in str(raised.value)
