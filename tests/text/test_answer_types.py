"""What kind of thing a question asks for, and whether a text holds one."""

from __future__ import annotations

import pytest

from ken.text.answer_types import expected


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How long is parental leave?", "duration"),
        ("How many weeks of leave do I get?", "duration"),
        ("After how many hours is the pager silent?", "duration"),
        ("How much notice do I have to give?", "duration"),
        ("How much does a berth cost?", "money"),
        ("How much do we get paid for on-call?", "money"),
        ("How many berths are there?", "count"),
        ("What percentage is matched?", "count"),
        ("Which version of Python is used?", "version"),
        ("What IP addresses does the gateway use?", "address"),
        ("What is the e-mail address of the harbour master?", "e-mail"),
        ("What is the phone number of security?", "number"),
        ("Which port does the relay listen on?", "port"),
        ("When is the lamp lit?", "time"),
        ("What day is payday?", "time"),
        ("Which room is the lost property in?", "place"),
    ],
)
def test_the_kind_that_is_asked_for_is_known(question: str, name: str) -> None:
    """In any case of letters."""
    for form in (question, question.upper(), question.lower()):
        kind = expected(form)
        assert kind is not None
        assert kind.name == name


@pytest.mark.parametrize(
    "question",
    ["Who leads an incident?", "Why is the sky dark?", "How do I change the bulb?", "Is petrol sold?", "", "TW-4022"],
)
def test_most_questions_ask_for_no_particular_kind(question: str) -> None:
    """Who, why, how to, yes or no."""
    assert expected(question) is None


@pytest.mark.parametrize(
    ("question", "given", "not_given"),
    [
        (
            "How long is it?",
            ["It takes 6 weeks.", "Within a day.", "Immediately.", "90 s"],
            ["It is red.", "Ask Nora."],
        ),
        ("How much does it cost?", ["EUR 12", "It costs $5.", "22 euros", "It is free."], ["It is 12 metres long."]),
        ("How many are there?", ["There are twelve.", "Up to 8 people.", "5%"], ["There are many.", "SEV-3", "page-2"]),
        ("Which version is it?", ["Use 3.11.", "v2"], ["Use the newest."]),
        ("Which IP addresses?", ["10.1.2.3"], ["10.1.2", "port 80"]),
        ("Which e-mail is it?", ["Write to a@example.com."], ["Write to Nora."]),
        ("What is the phone number?", ["Ring 4444.", "x12"], ["Ring Nora."]),
        ("Which port is it?", ["Port 443."], ["The usual one."]),
        ("What time is it?", ["On Monday.", "At 9.", "Before lunch."], ["Nora knows."]),
        ("Which room is it?", ["On the second floor.", "Room B", "#harbour"], ["At Nora's."]),
    ],
)
def test_a_text_holds_the_kind_or_not(question: str, given: list[str], not_given: list[str]) -> None:
    """What stands on the right topic without the kind of thing asked for is a near miss."""
    kind = expected(question)
    assert kind is not None
    assert [text for text in given if not kind.is_in(text)] == []
    assert [text for text in not_given if kind.is_in(text)] == []


def test_every_number_word_up_to_a_hundred_counts() -> None:
    """An amount in words is an amount, teens and tens included."""
    kind = expected("How many buoys are there?")
    assert kind is not None
    assert all(
        kind.is_in(f"There are {word} buoys.") for word in ("thirteen", "fourteen", "nineteen", "seventy", "eighty")
    )
    assert not kind.is_in("There are some buoys.")
