from __future__ import annotations

from datetime import date, datetime

import pytest

from ken.domain.usage import Usage
from ken.errors import InvalidSetting
from ken.telemetry.prices import Price, Prices, money

PRICES = Prices.shipped()
NOW = datetime.fromisoformat("2026-11-22T12:00:00+00:00").timestamp()


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


@pytest.mark.parametrize("model", ["", "llama3", "gpt-4o-audio-preview", "gpt-4o-2024-05", "my-gpt-4o", "GPT-4O"])
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
    """It has a date and a currency, dozens of hosted models, no price twice, and no output cheaper than input."""
    assert date.fromisoformat(PRICES.version).year >= 2026
    assert PRICES.currency == "USD"
    names = [(entry.pattern, entry.since) for entry in PRICES.entries]
    assert len(names) == len(set(names))
    prices = [entry.price for entry in PRICES.entries]
    assert sum((price.input or 0) > 0 for price in prices) >= 40
    for price in prices:
        assert (price.search is None) != (price.input is None)
        assert 0 <= (price.cache_read or 0) <= (price.input or 0) <= (price.output or 100_000_000) <= 100_000_000
        assert (price.cache_write or price.input or 0) >= (price.input or 0)


def test_a_call_costs_what_held_on_its_day() -> None:
    """By hand, o3: $10 a million tokens until 9 June 2025 and $2 from the 10th on; unknown before it was sold."""
    days = {"2025-04-15": None, "2025-04-16": 10_000_000, "2025-06-09": 10_000_000, "2025-06-10": 2_000_000}
    for day, micros in days.items():
        noon = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
        assert PRICES.cost_micros("o3", Usage(1_000_000, 0), at=noon) == micros
        assert PRICES.tariff("fast", "o3").cost_micros(Usage(1_000_000, 0), at=noon) == micros


def test_cached_parts_of_a_prompt_have_their_own_prices() -> None:
    """By hand: 1,000 in of which 600 were read at a tenth and 300 written at five quarters; 50 out, thoughts among them."""
    usage = Usage(1_000, 50, cache_read_tokens=600, cache_write_tokens=300, reasoning_tokens=40)
    assert PRICES.cost_micros("claude-haiku-4-5", usage) == 100 + 60 + 375 + 250
    # Where a list has no price for them, they cost what other input does.
    assert PRICES.cost_micros("gpt-4-turbo", Usage(1_000, 0, cache_read_tokens=600)) == 10_000


def test_embedders_are_paid_for_input_and_rerankers_by_the_search() -> None:
    """By hand: a million tokens of text-embedding-3-small cost $0.02, a search with rerank-v3.5 $0.002."""
    assert PRICES.cost_micros("text-embedding-3-small", Usage(1_000_000, 0)) == 20_000
    assert PRICES.cost_micros("rerank-v3.5", Usage(90_000, 0), searches=3) == 6_000


def test_what_has_no_price_is_unknown_also_beside_what_has() -> None:
    """An embedder that suddenly writes is not free: there is no price for what it writes."""
    assert PRICES.cost_micros("text-embedding-3-small", Usage(1_000, 1)) is None


def test_a_tariff_knows_a_model_by_its_own_price_then_by_what_its_endpoint_calls_it() -> None:
    """Then, where neither is listed, by the model that the provider says has answered."""
    prices = Prices.shipped({"light": Price(input=7, output=7)})
    million = Usage(1_000_000, 0)
    assert prices.tariff("light", "gpt-4o-mini").cost_micros(million, at=NOW) == 7
    assert prices.tariff("heavy", "gpt-4o-mini").cost_micros(million, at=NOW) == 150_000
    router = prices.tariff("auto", "router/auto")
    assert router.cost_micros(million, at=NOW) is None
    assert router.cost_micros(million, at=NOW, answered_by="gpt-4o-mini") == 150_000


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
