from __future__ import annotations

import math
import random

import pytest

from ken.domain.sketch import ALPHA, MOST_BINS, Sketch, Spread
from ken.errors import InvalidInput

SHARES = (0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


def drawn(kind: str, size: int = 5_000) -> list[float]:
    dice = random.Random(kind)
    draw = {
        "uniform": lambda: dice.uniform(0, 1),
        "latencies": lambda: dice.lognormvariate(6, 1.2),
        "heavy tail": lambda: dice.paretovariate(1.1),
        "scores": lambda: float(dice.randint(1, 5)),
        "both signs": lambda: dice.gauss(0, 100),
        "mostly nothing": lambda: dice.choice((0.0, 0.0, 0.0, dice.uniform(1, 9))),
    }[kind]
    return [draw() for _ in range(size)]


@pytest.mark.parametrize("kind", ["uniform", "latencies", "heavy tail", "scores", "both signs", "mostly nothing"])
def test_quantiles_are_within_the_relative_error(kind: str) -> None:
    """Every quantile lies within one hundredth of the value of that rank, whatever the values are."""
    values = drawn(kind)
    sketch, ordered = sketch_of(values), sorted(values)
    for share in SHARES:
        exact = ordered[math.floor(share * (len(ordered) - 1))]
        spread = Spread([sketch_of(values[:70]).to_bytes(), sketch_of(values[70:]).to_bytes()])
        assert Spread([sketch.to_bytes()]).quantile(share) == spread.quantile(share) == sketch.quantile(share)
        assert sketch.quantile(share) == pytest.approx(exact, rel=ALPHA * 1.0001, abs=1e-9)
    assert sketch.mean == pytest.approx(sum(values) / len(values))


def test_merging_is_associative_and_the_same_as_adding() -> None:
    """However parts are put together, in memory or as stored, the whole is the sketch of all values."""
    parts = [sketch_of(drawn(kind, 700)) for kind in ("latencies", "heavy tail", "both signs")]
    left, right, pair = Sketch(), Sketch(), Sketch()
    for part in parts:
        left.merge(part)
    pair.merge(parts[2])
    pair.merge(parts[1])
    right.merge(pair)
    right.merge(parts[0])
    everything = sketch_of([v for kind in ("latencies", "heavy tail", "both signs") for v in drawn(kind, 700)])
    assert left == right == everything == Sketch.pooled(part.to_bytes() for part in parts)


def test_what_is_taken_back_was_never_there() -> None:
    """A score that is corrected leaves no mark of what it was."""
    sketch, wrong = sketch_of([3.0, 4.0]), sketch_of([3.0])
    sketch.merge(wrong, -1)
    assert sketch == sketch_of([4.0])
    change = Sketch()
    change.merge(wrong, -1)
    assert Sketch.pooled((sketch_of([3.0, 4.0]).to_bytes(), change.to_bytes())) == sketch_of([4.0])


def test_a_stored_sketch_is_small_and_reads_the_same() -> None:
    """Thirty-two bytes for one value; counts of any size come back."""
    assert len(sketch_of([812.5]).to_bytes()) == 32
    for times in (1, 1_000, 100_000, 3_000_000_000):
        sketch = Sketch()
        sketch.add(5.0, times)
        sketch.add(-7.0, times)
        sketch.add(0.0, times)
        assert Sketch.from_bytes(sketch.to_bytes()) == sketch


def test_bins_are_bounded_and_the_lowest_collapse() -> None:
    """Values that lie very far apart cost no more than so many bins, and high quantiles stay right."""
    values = [10.0 ** (exponent / 10) for exponent in range(-80, 2_000)]
    sketch = sketch_of(values)
    assert len(sketch.to_bytes()) < 100 + 3 * MOST_BINS
    assert sketch.count == len(values)
    assert sketch.quantile(0.99) == pytest.approx(sorted(values)[math.floor(0.99 * (len(values) - 1))], rel=0.011)


def test_nothing_has_no_quantile() -> None:
    """An empty sketch says nothing, and not 0."""
    assert Sketch().quantile(0.5) is None
    assert Spread([]).quantile(0.5) is None
    assert Spread([Sketch().to_bytes()]).quantile(0.5) is None
    assert Sketch().mean is None
    assert not Sketch()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    """One such value would spoil every sum."""
    with pytest.raises(InvalidInput, match="finite"):
        Sketch().add(value)


def test_counts_above_a_limit() -> None:
    """How many of the values are greater than a limit."""
    sketch = sketch_of([-3.0, 0.0, 1.0, 10.0, 100.0])
    assert (sketch.above(50), sketch.above(5), sketch.above(-1)) == (1, 2, 4)
