from __future__ import annotations

import unicodedata

import pytest

from ken.text.normalise import normalise_question, printable


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("What is KEN?", "what is ken"),
        ("  what\tis\n ken ?! ", "what is ken"),
        ("ｗｈａｔ ｉｓ ken？", "what is ken"),
        ("Straße…", "strasse"),
        ("ﬁnance № 5", "finance no 5"),
        ("e\u0301clair", "éclair"),
        ("C++", "c++"),
        ("was ist „Ken“?", "was ist „ken"),
        ("?", ""),
        ("", ""),
    ],
)
def test_a_question_is_folded_to_what_it_asks(text: str, normal: str) -> None:
    """Forms, case, white space and punctuation at the end go; what tells questions apart stays."""
    assert normalise_question(text) == normal


def test_folding_twice_changes_nothing_more() -> None:
    """Every character of Unicode's first plane is folded for good at once."""
    for code in range(0x10000):
        once = normalise_question(f"a{chr(code)}b {chr(code)}")
        assert normalise_question(once) == once


def test_whatever_is_printable_is_one_safe_line() -> None:
    """No character of any plane gets through that could move the cursor, hide text or turn its direction."""
    for code in range(0, 0x110000, 7):
        shown = printable(f"a{chr(code)}b").replace(" ", "")
        assert {unicodedata.category(character)[0] for character in shown} <= {"L", "M", "N", "P", "S"}
    assert printable("a\x1b[31m\u202e\x85b\n\n c\u2028d\U000e0001") == r"a\x1b[31m\u202e b c d\U000e0001"
    assert printable("Äußerung 日本語 🎉") == "Äußerung 日本語 🎉"
