"""`ken gateway`: explaining a question, where questions went, and when a machine of one's own pays."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ken.cli.main import app
from ken.errors import InvalidInput
from ken.gateway.breakeven import Load, Machine, break_even
from tests.assistant.corpus import QUESTION, copy

LOAD = Load(input_tokens=4_000_000, output_tokens=300_000, input_price=2_500_000, output_price=10_000_000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose tiers are all the reader: nothing leaves this process."""
    place = copy(tmp_path_factory.mktemp("gateway") / "home")
    (place / "ken.toml").write_text('[tiers.tier-1]\nmodels = ["extractive"]\n', encoding="utf-8")
    return place


def ken(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--home", str(home), *arguments])


def test_one_is_told_what_would_happen(home: Path) -> None:
    """Line by line: what was found, how difficult it is and why, the tier, its models, and the bounds."""
    told = ken(home, "gateway", "explain", QUESTION).output
    for label in (
        "question",
        "task type",
        "budget",
        "cache",
        "search",
        "prompt",
        "difficulty",
        "route",
        "models",
        "answer",
    ):
        assert f"\n{label}" in f"\n{told}", told
    assert "tier-1: difficulty 0." in told
    assert "1. extractive, window 8,192, cost $0.00" in told
    named = ken(home, "gateway", "explain", QUESTION, "--model", "extractive").output
    assert "extractive: asked for" in named
    assert "without a model: Hello!" in ken(home, "gateway", "explain", "Hello!").output


def test_one_is_told_where_questions_went(home: Path) -> None:
    """After a question there is a line of its task and tier; before, how to come by one."""
    assert "[tiers.NAME]" in ken(home, "gateway", "routes").output
    ken(home, "ask", QUESTION)
    assert ken(home, "gateway", "routes").output.split("\n")[0] == "lookup\ttier-1\t1\t$0.00\t0.0%"


def test_a_machine_pays_from_some_load_on() -> None:
    """Where the provider's bill comes up to its cost; twice as busy, it carries twice as much; free tokens never pay for one."""
    machine = Machine(month_micros=900_000_000, tokens_per_s=2500, busy=0.3)
    result = break_even(LOAD, machine)
    assert result.tokens_a_day is not None
    assert (result.pays, result.fits, result.machines) == (False, True, 1)
    scale = result.tokens_a_day / LOAD.tokens
    there = Load(
        input_tokens=LOAD.input_tokens * scale * 1.01,
        output_tokens=LOAD.output_tokens * scale * 1.01,
        input_price=LOAD.input_price,
        output_price=LOAD.output_price,
    )
    assert break_even(there, machine).pays
    assert not break_even(LOAD, Machine(month_micros=900_000_000, tokens_per_s=10, busy=0.3)).fits
    assert break_even(LOAD, Machine(month_micros=900_000_000, tokens_per_s=10, busy=0.3)).machines == 17
    free = Load(input_tokens=1e6, output_tokens=1e6, input_price=0, output_price=0)
    assert break_even(free, machine).tokens_a_day is None


def test_the_sum_is_told(home: Path) -> None:
    """From given tokens and the price list; what can't be summed up is said."""
    told = ken(home, "gateway", "breakeven", "gpt-4o", "--machine", "900,2500", "--tokens", "4000000,300000").output
    assert "cheaper today           the provider" in told
    assert "tokens a day\n" in told
    for arguments, why in (
        (("gpt-4o", "--machine", "900"), "two numbers above 0"),
        (("gpt-4o", "--machine", "900,0"), "two numbers above 0"),
        (("gpt-4o", "--machine", "900,nan"), "two numbers above 0"),
        (("mystery", "--machine", "900,10", "--tokens", "1,1"), "What 'mystery' costs is unknown"),
        (("gpt-4o", "--machine", "900,10"), "no tokens on record"),
    ):
        refused = ken(home, "gateway", "breakeven", *arguments)
        assert isinstance(refused.exception, InvalidInput), refused.output
        assert why in str(refused.exception)
