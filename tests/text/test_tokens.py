"""The analyser: which terms a text gives to the lexical index."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer

from ken.text.tokens import STOP_WORDS, stem, terms, words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Keepers' lamps", ["Keepers", "lamps"]),
        ("the keeper's lamp, the keeper’s lens", ["the", "keeper", "lamp", "the", "keeper", "lens"]),
        ("don't", ["don"]),
        ("snake_case and kebab-case", ["snake", "case", "and", "kebab", "case"]),
        ("Überprüfung naïve 日本", ["Überprüfung", "naïve", "日本"]),
        ("7:30 1,200", ["7", "30", "1", "200"]),
        ("  …!? ", []),
        ("", []),
    ],
)
def test_words_are_as_written(text: str, wanted: list[str]) -> None:
    """In order, without possessive endings and punctuation, in any script."""
    assert words(text) == wanted


@pytest.mark.parametrize(
    ("one", "other"), [("booking", "booked"), ("policies", "policy"), ("carried", "carries"), ("lamps", "lamp")]
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    """Porter2: what a question says in one form, a document may say in another."""
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("How do I book the leave?", ["book", "leav"]),
        ("SEV-3", ["sev", "3", "sev-3"]),
        ("nora@example.com", ["nora", "exampl", "com", "nora@example.com"]),
        ("max_file_mb", ["max", "file", "mb", "max_file_mb"]),
        ("a/b.txt v1.2.3", ["b", "txt", "v1", "2", "3", "a/b.txt", "v1.2.3"]),
        ("camelCase HTTPServer", ["camelcas", "camel", "case", "httpserver", "http", "server"]),
        ("NASA", ["nasa"]),
        ("lamp lamp", ["lamp", "lamp"]),
        ("the and of", []),
        ("x" * 200, ["x" * 64]),
    ],
)
def test_terms_hold_stems_parts_and_joined_names(text: str, wanted: list[str]) -> None:
    """Each word's stem, the parts of camelCase, names joined by punctuation; stop words give nothing, repeats stay."""
    assert sorted(terms(text)) == sorted(wanted)


def test_a_question_and_a_document_are_analysed_alike() -> None:
    """Case, form and typography don't keep them apart."""
    assert set(terms("RESETTING the keeper’s lamps")) == set(terms("reset Keeper's lamp"))


def test_question_words_are_no_topic() -> None:
    """They shape the answer; the search looks for what is asked about."""
    assert {"what", "when", "how", "who", "why", "which"} <= STOP_WORDS
    assert terms("What is it, and why?") == []


def test_threads_do_not_spoil_each_others_stems() -> None:
    """A search analyses its question while a sync analyses documents."""
    chance = random.Random(1)
    endings = ("ing", "ed", "ly", "ational", "fulness", "ization", "ies", "ement")
    shares = [
        ["".join(chance.choices("abcdefghilmnorstuvy", k=8)) + chance.choice(endings) for _ in range(1_000)]
        for _ in range(4)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda share: [stem(word) for word in share], shares))
    finally:
        sys.setswitchinterval(interval)
    alone = snowballstemmer.stemmer("english")
    assert found == [[alone.stemWord(word) for word in share] for share in shares]
