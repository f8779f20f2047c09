from __future__ import annotations

from datetime import date

import pytest

from ken.domain.usage import Usage
from ken.errors import InvalidSetting
from ken.telemetry.prices import Price, Prices, money

PRICES = Prices.shipped()


def test_a_cost_is_tokens_times_price() -> None:
    """By hand: 1,000 in at $2.50 and 200 out at $10.00 a million come to $0.0045."""
    assert PRICES.cost_micros("gpt-4o", Usage(1_000, 200)) == 4_500
    assert PRICES.cost_micros("gpt-4o-mini", Usage(1_000_000, 1_000_000)) == 750_000


@pytest.mark.parametrize(
    ("usage", "micros"), [(Usage(0, 0), 0), (Usage(1, 0), 1), (Usage(6, 0), 1), (Usage(7, 0), 2), (Usage(3, 1), 2)]
)
def test_a_cost_is_rounded_up_once(usage: Usage, micros: int) -> None:
    """0.15 and 0.60 millionths a token: parts of a millionth are summed first, then rounded up; nothing costs nothing."""
    assert PRICES.cost_micros("gpt-4o-mini", usage) == micros


def test_large_sums_are_exact() -> None:
    """A cost beyond what a float holds exactly is right to the millionth."""
    usage = Usage(9_007_199_254_740_993, 1)
    assert PRICES.cost_micros("gpt-4.1", usage) == 9_007_199_254_740_993 * 2 + 8


@pytest.mark.parametrize("model", ["extractive", "extractive-2", "scripted", "scripted-slow"])
def test_what_runs_inside_ken_costs_nothing(model: str) -> None:
    """The extractive reader and scripted models cost 0, which is known, not unknown."""
    assert PRICES.cost_micros(model, Usage(1_000_000, 1_000_000)) == 0


@pytest.mark.parametrize("model", ["", "llama3", "gpt-4o-audio-preview", "gpt-4o-2024-05-13", "my-gpt-4o", "GPT-4O"])
def test_an_unlisted_model_costs_unknown(model: str) -> None:
    """A model that merely resembles a listed one has no price: None, never 0 or a guess."""
    assert PRICES.cost_micros(model, Usage(1, 1)) is None


def test_an_operators_own_prices_come_first() -> None:
    """They change a listed price, add a model, may use a pattern, and leave the others."""
    own = Prices.shipped({"gpt-4o": Price(input=1, output=1), "llama*": Price(input=0, output=2_000_000)})
    assert own.of("gpt-4o") == Price(input=1, output=1)
    assert own.cost_micros("llama3.3", Usage(5, 5)) == 10
    assert own.of("gpt-4o-mini") == PRICES.of("gpt-4o-mini")
    with pytest.raises(InvalidSetting, match=r"'llama3'.*below 0"):
        Prices.shipped({"llama3": Price(input=-1, output=0)})


def test_the_shipped_list_is_sound() -> None:
    """It has a date and a currency, a dozen hosted models, no name twice, and output never cheaper than input."""
    assert date.fromisoformat(PRICES.version).year >= 2026
    assert PRICES.currency == "USD"
    names = [name for name, _ in PRICES.entries]
    assert len(names) == len(set(names))
    assert sum(price.input > 0 for _, price in PRICES.entries) >= 12
    assert all(0 <= price.input <= price.output <= 100_000_000 for _, price in PRICES.entries)


@pytest.mark.parametrize(
    ("micros", "written"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (1, "$0.000001"),
        (4_500, "$0.004500"),
        (999_999, "$0.999999"),
        (1_000_000, "$1.00"),
        (1_234_567_890, "$1,234.57"),
        (1_005_000, "$1.01"),
    ],
)
def test_money_is_written_for_people(micros: int | None, written: str) -> None:
    """Small sums in full, larger ones to the cent, and an unknown one as unknown."""
    assert money(micros) == written


def test_money_of_another_currency_says_so() -> None:
    """Only dollars get the dollar sign."""
    assert money(1_500_000, "EUR") == "EUR 1.50"
