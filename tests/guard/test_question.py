"""The rail for questions refuses orders to Ken, and lets questions about such things pass."""

from __future__ import annotations

import pytest

from ken.guard.question import screen
from tests.guard.questions import HARMLESS, REFUSED

ATTACKS = [(rule, question) for rule, questions in REFUSED.items() for question in questions]


def hidden(text: str, *, between: str) -> str:
    """The text with something invisible between its letters."""
    return between.join(text)


def full_width(text: str) -> str:
    """ASCII letters in their full-width forms."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


@pytest.mark.parametrize(("rule", "question"), ATTACKS)
def test_an_order_to_ken_is_refused(rule: str, question: str) -> None:
    """The rule that refuses is the one that is named, and the message says what Ken does instead."""
    refusal = screen(question)
    assert refusal is not None
    assert refusal.rule == rule
    assert refusal.message.endswith("Ask me something that they hold.")


@pytest.mark.parametrize("question", HARMLESS)
def test_a_harmless_look_alike_passes(question: str) -> None:
    """A question about rules, prompts, restrictions and links is a question."""
    assert screen(question) is None


@pytest.mark.parametrize(("rule", "question"), ATTACKS)
def test_letter_forms_hide_nothing(rule: str, question: str) -> None:
    """Full-width letters, zero-width and soft-hyphen characters, accents, capitals and line breaks change nothing."""
    refusals = [screen(form) for form in disguised(question)]
    assert [refusal and refusal.rule for refusal in refusals] == [rule] * len(refusals)


def disguised(question: str) -> list[str]:
    """The question in seven disguises."""
    return [
        full_width(question),
        hidden(question, between="\u200b"),
        hidden(question, between="\u00ad"),
        hidden(question, between="\u2060"),
        question.replace("e", "é").replace("o", "ö"),
        question.upper().replace("HTTPS", "https"),
        question.replace(" ", " \n\t"),
    ]
