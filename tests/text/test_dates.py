"""Dates as people write them, and the time that a question asks about."""

from __future__ import annotations

import pytest

from ken.text.dates import asked_period, long_date

TODAY = "2026-11-22"


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("What was the carry-over rule in 2023?", "2023-01-01", "2023-12-31"),
        ("What did the policy say on 5 May 2024?", "2024-05-05", "2024-05-05"),
        ("Which limit held as of 2025-06-30?", "2025-06-30", "2025-06-30"),
        ("How much was a taxi in March 2025?", "2025-03-01", "2025-03-31"),
        ("What was the limit before March?", None, "2026-02-28"),
        ("What was the limit before December?", None, "2025-11-30"),
        ("What was the limit until 2024?", None, "2023-12-31"),
        ("Where do I find the 2024 leave policy?", "2024-01-01", "2024-12-31"),
        ("How many days did we get last year?", "2025-01-01", "2025-12-31"),
        ("How many days did we get two years ago?", "2024-01-01", "2024-12-31"),
        ("What was our previous travel policy?", None, None),
        ("What did the limit used to be?", None, None),
        ("How did the annual leave rules change?", None, None),
    ],
)
def test_questions_about_the_past(question: str, start: str | None, end: str | None) -> None:
    """Years, months, days, "before", "last year" and "the previous policy" name a time that is over."""
    period = asked_period(question, TODAY)
    assert period is not None
    assert (period.start, period.end, period.is_past) == (start, end, True)


@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("How many days of leave will I have in 2027?", "2027-01-01"),
        ("What is the limit from 1 March 2027 on?", "2027-03-01"),
        ("Which limit holds from next year on?", "2027-01-01"),
    ],
)
def test_questions_about_the_future(question: str, start: str) -> None:
    """A time that has not begun is one to come."""
    period = asked_period(question, TODAY)
    assert period is not None
    assert (period.start, period.is_past) == (start, False)


@pytest.mark.parametrize(
    "question",
    [
        "How many days of leave do I have?",
        "How many unused days can I take over into next year?",
        "How old must a driver be?",
        "What is the budget in 2026?",
        "How do I change my password?",
        "May I work from home?",
        "What is the last day of the month for invoices?",
        "Who may sign before an order goes out?",
        "How many metres is station 2023 above the sea?",
    ],
)
def test_questions_about_now(question: str) -> None:
    """The current year, other uses of the same words and questions without a time are about what holds today."""
    assert asked_period(question, TODAY) is None


def test_a_date_that_does_not_exist_is_no_time() -> None:
    """The thirtieth of February is passed over, in a question and in a document."""
    assert asked_period("What held on 30 February 2024?", TODAY) is None
    assert long_date("2024-02-30") == "2024-02-30"
    assert long_date("2026-03-01") == "1 March 2026"
