"""The filter language, read: what isn't in it is refused with the place and a way out."""

from __future__ import annotations

import pytest

from ken.domain.where import DEEPEST, LONGEST, MOST_TESTS, NAMES, Comparison, names_in, parsed
from ken.errors import InvalidInput
from ken.storage.where_sql import COLUMNS, INDEXED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retreive.ms > 500", r"character 1 \('retreive.ms'\).*Did you mean 'retrieve.ms'"),
        ("ms > 5 and qualty < 3", r"character 12 \('qualty'\).*'quality'"),
        ("", "is empty"),
        ("   ", "is empty"),
        ("ms", "has to be compared"),
        ("ms >", "at its end: a value of 'ms'"),
        ("ms > 5 and", "at its end: a name"),
        ("ms > 5 ms < 3", r"character 8 \('ms'\): `and`, `or`"),
        ("(ms > 5", r"at its end: `\)` was expected"),
        ("ms > 5)", r"character 7 \('\)'\)"),
        ("ms ! 5", "character 4"),
        ("error = 'open", "quotation mark may be missing"),
        ("ms > nan", "'nan' is no value of 'ms': a duration"),
        ("ms > inf", "no value"),
        ("ms > 1e999", "no value"),
        ("ms > 0x10", "no value"),
        ("ms > 5\0", "no value"),
        ("quality < good", "a number was expected"),
        ("outcome = faild", "it is one of answered.*Did you mean 'failed'"),
        ("task_type > lookup", "'task_type' can't be compared so"),
        ("ms contains 5", "'ms' can't be compared so"),
        ("escalated > 1", "use = or !="),
        ("escalated = perhaps", "true or false"),
        ("started > yesterday", "a time was expected"),
        ("started > 2026-13-45", "a time was expected"),
        ("task_type in ()", "a value of 'task_type'"),
        ("task_type in (a b)", r"`\)` was expected"),
        ("task_type = 'a\0b'", "no value"),
        ("quality is 3", "`known` or `unknown` was expected"),
        ("ms > 5; drop table traces", "no value of 'ms'"),
        ("1 = 1", "a name was expected"),
        ("'ms' > 5", "a name was expected"),
        (f"model = '{'x' * 301}'", "up to 300 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    """Every message names the place, what was found there, and what would do."""
    with pytest.raises(InvalidInput, match=said):
        parsed(text, now=0.0)


def test_length_depth_and_number_have_bounds() -> None:
    """A filter at a bound is read; one beyond is refused, and none takes the stack down."""
    parsed("(" * DEEPEST + "ms > 1" + ")" * DEEPEST, now=0.0)
    parsed(" or ".join(["ms > 1"] * MOST_TESTS), now=0.0)
    for text in (
        "(" * (DEEPEST + 1) + "ms > 1" + ")" * (DEEPEST + 1),
        "not " * 400 + "escalated",
        "(" * LONGEST,
        " or ".join(["ms > 1"] * (MOST_TESTS + 1)),
        f"tier in ({', '.join(['a'] * 101)})",
        "a" * (LONGEST + 1),
    ):
        with pytest.raises(InvalidInput, match="The filter"):
            parsed(text, now=0.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ms > 2.5s", 2_500.0),
        ("ms > 3min", 180_000.0),
        ("cost > $0.01", 10_000),
        ("cost > 1.5", 1_500_000),
        ("tokens.input > 8k", 8_000),
        ("relevance < 40%", 0.4),
        ("started > -24h", 1_000_000.0 - 86_400),
        ("started > 1970-01-02", 86_400.0),
        ("started > 1970-01-02T01:00+01:00", 86_400.0),
        ("LATENCY >= 5", 5.0),
        (r"model = 'a\'b'", "a'b"),
    ],
)
def test_values_have_units(text: str, value: float | str) -> None:
    """Durations come as milliseconds, money as millionths, shares of 1, times as seconds since the epoch, in UTC unless told."""
    condition = parsed(text, now=1_000_000.0)
    assert isinstance(condition, Comparison)
    assert condition.value == pytest.approx(value) if isinstance(value, float) else condition.value == value


def test_every_name_has_a_column() -> None:
    """What can be asked for can be answered, and what is said to be indexed is among it."""
    assert set(COLUMNS) == set(NAMES)
    assert set(NAMES) >= INDEXED
    assert [name.name for name in names_in(parsed("ms > 1 and (tier = a or not quality is known)", now=0.0))] == [
        "ms",
        "tier",
        "quality",
    ]
