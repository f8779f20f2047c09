"""Searching over HTTP: what is found, why, and what any text comes to."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from ken.domain.principal import LOCAL_OPERATOR
from tests.service.corpus import QUESTION
from tests.service.serving import Served


def search(client: httpx.Client, question: str, **more: str) -> dict[str, Any]:
    """What a search found."""
    response = client.get("/api/search", params={"q": question, **more})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_search_explains_each_passage_when_asked(client: httpx.Client) -> None:
    """What each term adds makes up the lexical score, and each list that has the passage says at what place."""
    found = search(client, "when does the harbuor office open", explain="true")
    assert found["explained"]["corrections"] == [{"written": "harbuor", "searched": "harbour", "distance": 1}]
    assert found["notices"] == ["Searched for “harbour” instead of “harbuor”."]
    assert set(found["timings_ms"]) >= {"plan", "embed", "rank", "load"}
    first = found["evidence"][0]
    assert first["document"]["id"] == "harbour/office.md"
    assert sum(first["reasons"]["terms"].values()) == pytest.approx(first["lexical"], rel=1e-3)
    assert set(first["reasons"]["terms"]) == set(first["matched_terms"])
    assert first["reasons"]["ranks"]["lexical"] == 1
    assert first["reasons"]["rerank"] is None
    assert first["reasons"]["interaction"] > 0.5
    assert -1 <= first["reasons"]["sentence"] <= 1


def test_a_search_does_not_explain_unasked(client: httpx.Client) -> None:
    """The plain answer stays small."""
    found = search(client, QUESTION)
    assert found["explained"] is None
    assert all(each["reasons"] is None for each in found["evidence"])


def test_a_search_tells_how_many_documents_it_looked_at(served: Served, client: httpx.Client) -> None:
    """Those that the asker may read, and those of them that are left; nothing left, and nothing near, say why."""
    assert search(client, QUESTION)["readable"] == 4
    assert search(client, QUESTION)["notices"] == []
    with served.client(served.nobody) as nobody:
        counted = search(nobody, QUESTION)
    assert (counted["readable"], counted["allowed"]) == (3, 3)
    attic = search(client, QUESTION, collection="attic")
    assert (attic["readable"], attic["allowed"], attic["evidence"]) == (4, 0, [])
    assert "none in “attic” has" in attic["notices"][0]
    assert "No passage comes near this" in search(client, "Which telescope did Galileo use?")["notices"][0]


@pytest.mark.parametrize(
    "question",
    [
        "Wann öffnet das Hafenbüro an Werktagen?",
        "港の事務所は何時に開きますか",
        "the",
        r"^(a+)+$|.*\bharbour(?=office)[[:alpha:]]{1,1000}",
        '\'; DROP TABLE passages; -- " OR 1=1 NEAR(a*) {"$ne": null} %s %(x)s ${jndi:ldap://x}',
        "<script>alert(1)</script> ../../etc/passwd \x1b[2J",
        "\u202eecffo ruobrah\u202c \u200b",
        "harbour " * 1000,
    ],
    ids=["german", "japanese", "stop-word", "regex", "injection", "markup", "bidi", "long"],
)
def test_any_text_finds_something_or_nothing(client: httpx.Client, question: str) -> None:
    """Plain results, whatever the text: nothing in it is a command to what searches."""
    found = search(client, question[:8000])
    assert all(0 <= each["relevance"] <= 1 for each in found["evidence"])


@pytest.mark.parametrize("question", ["", " \t ", "?!…", "⛵ 😀 👩‍👩‍👧‍👦", "a\x00b", "\x01\x02\x03\x04", "x" * 8001])
def test_what_is_no_question_is_refused(client: httpx.Client, question: str) -> None:
    """400, in plain words, the same as for a question that is asked."""
    response = client.get("/api/search", params={"q": question})
    assert response.status_code == 400
    message = response.json()["error"]["message"]
    assert message.startswith("The question ")
    asked = client.post("/api/ask", json={"question": question})
    assert asked.json()["error"]["message"] == message


def test_half_a_character_in_an_address_is_no_fault(client: httpx.Client) -> None:
    """Bytes that are no UTF-8 are read as what stands for them."""
    response = client.get("/api/search?q=harbour%20%ED%A0%80%FF%20office")
    assert response.status_code == 200
    assert response.json()["evidence"][0]["document"]["id"] == "harbour/office.md"


def test_time_grows_with_the_length_of_a_question_and_no_faster(served: Served) -> None:
    """5,000 words of text take no longer than a long question many times over: nothing in it is quadratic."""
    words = " ".join(f"w{number} harbour office opens" for number in range(1250))
    corpus = served.run(served.ken.library.corpus())
    plans: list[float] = []
    for size in (len(words) // 8, len(words)):
        started = time.perf_counter()
        served.run(corpus.search(words[:size], LOCAL_OPERATOR))
        plans.append(time.perf_counter() - started)
    assert plans[1] < 60 * max(plans[0], 0.02)
