"""Conversations over HTTP: kept whole, asked anew, stopped, shared; a reader sees what that reader may read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ken.knowledge.pushing import Said
from tests.service.corpus import BEYOND, OPENING, QUESTION, copy
from tests.service.events import ask
from tests.service.serving import Served, serving
from tests.service.test_hang_up import eventually

WAGE = "How much does the crane driver earn in a month?"
PERMIT = "permits/dredging.md"
ASKED_PERMIT = "Who signs the dredging permit of the marina?"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Ken of one's own, as documents come and go here."""
    with serving(copy(tmp_path_factory.mktemp("shared") / "home")) as ken:
        yield ken


@pytest.fixture
def clerk(shared: Served) -> Iterator[httpx.Client]:
    with shared.client(shared.clerk) as client:
        yield client


@pytest.fixture
def nobody(shared: Served) -> Iterator[httpx.Client]:
    with shared.client(shared.nobody) as client:
        yield client


def push(served: Served, text: str, *groups: str) -> None:
    said = Said(groups=frozenset(groups))
    served.run(served.ken.library.put(PERMIT, f"# Dredging\n\n{text}\n".encode(), said=said))


def shared_with(client: httpx.Client, conversation: str, *groups: str) -> str:
    made = client.post("/api/shares", json={"conversation_id": conversation, "groups": list(groups)})
    assert made.status_code == 201
    return made.json()["id"]


def test_a_kept_answer_is_shown_as_it_was(clerk: httpx.Client) -> None:
    """A conversation read again has the answer whole, an abstention with its nearest documents, and one's own thumb."""
    answer = ask(clerk, QUESTION)[-1][1]
    beyond = ask(clerk, BEYOND, conversation_id=answer["conversation_id"])[-1][1]
    word = {"trace_id": answer["trace_id"], "helpful": False, "reason": "Last year's."}
    assert clerk.post("/api/feedback", json=word).status_code == 204
    turns = clerk.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
    assert turns[1]["answer"] == answer
    assert turns[1]["said"] == {"helpful": False, "reason": "Last year's."}
    assert turns[3]["answer"] == beyond
    assert turns[3]["said"] is None


def test_a_reader_gets_no_word_of_a_closed_document(clerk: httpx.Client, nobody: httpx.Client) -> None:
    """Who may not read the wages reads the opening hours in the same conversation, and the owner's name; traces are the owner's."""
    conversation = ask(clerk, QUESTION)[-1][1]["conversation_id"]
    assert ask(clerk, WAGE, conversation_id=conversation)[-1][1]["outcome"] == "answered"
    link = shared_with(clerk, conversation, "everyone")
    reply = nobody.get(f"/api/shares/{link}")
    read = reply.json()
    assert read["owner"] == "clerk"
    assert [turn["role"] for turn in read["turns"]] == ["user", "assistant"] * 2
    assert OPENING in read["turns"][1]["content"]
    assert read["turns"][1]["answer"]["citations"]
    assert "withheld" in read["turns"][3]["content"]
    assert not any(word in reply.text for word in ("3,400", "wages.md", "2,900"))
    assert all(turn["trace_id"] is None for turn in read["turns"])
    assert "3,400" in clerk.get(f"/api/shares/{link}").text


def test_a_shared_answer_follows_its_document(shared: Served, clerk: httpx.Client, nobody: httpx.Client) -> None:
    """Closed after it was shared, the document closes the turn at once; deleted, it withdraws it, for its owner too."""
    push(shared, "The dredging permit of the marina is signed by the pilot Quellmar.", "everyone")
    answer = ask(clerk, ASKED_PERMIT)[-1][1]
    assert "Quellmar" in answer["text"]
    link = shared_with(clerk, answer["conversation_id"], "everyone")
    assert "Quellmar" in nobody.get(f"/api/shares/{link}").text
    push(shared, "The dredging permit of the marina is signed by the pilot Quellmar.", "office")
    assert "Quellmar" not in nobody.get(f"/api/shares/{link}").text
    assert "Quellmar" in clerk.get(f"/api/shares/{link}").text
    shared.run(shared.ken.library.delete(PERMIT))
    for client in (nobody, clerk):
        assert "Quellmar" not in client.get(f"/api/shares/{link}").text
    assert "withdrawn" in clerk.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"][1]["content"]


def test_shares_are_listed_and_ended(clerk: httpx.Client, nobody: httpx.Client) -> None:
    """The owner sees what is shared with whom and ends it; who isn't in the groups finds nothing there."""
    conversation = ask(clerk, QUESTION)[-1][1]["conversation_id"]
    link = shared_with(clerk, conversation, "office")
    assert nobody.get(f"/api/shares/{link}").status_code == 404
    listed = clerk.get("/api/shares", params={"conversation_id": conversation}).json()["shares"]
    assert [(each["id"], each["groups"], each["title"]) for each in listed] == [(link, ["office"], QUESTION)]
    assert nobody.get("/api/shares").json()["shares"] == []
    assert nobody.delete(f"/api/shares/{link}").status_code == 404
    assert clerk.delete(f"/api/shares/{link}").status_code == 204
    assert clerk.get(f"/api/shares/{link}").status_code == 404


@pytest.mark.parametrize("body", [{"groups": []}, {"groups": ["a,b"]}, {"groups": "everyone"}, {}])
def test_a_share_that_cannot_be_is_refused(clerk: httpx.Client, body: dict[str, object]) -> None:
    """Without a group, with one that can't be, and without a list."""
    conversation = clerk.post("/api/conversations", json={"title": "t"}).json()["id"]
    assert clerk.post("/api/shares", json={"conversation_id": conversation, **body}).status_code == 400


def test_a_question_is_asked_anew_from_where_it_stood(clerk: httpx.Client) -> None:
    """What followed is gone from the conversation; its traces stay on record."""
    first = ask(clerk, QUESTION)[-1][1]
    conversation = first["conversation_id"]
    second = ask(clerk, WAGE, conversation_id=conversation)[-1][1]
    ask(clerk, BEYOND, conversation_id=conversation)
    again = {"conversation_id": conversation, "instead_of": second["trace_id"]}
    edited = ask(clerk, "How much does the night watch earn?", **again)[-1][1]
    turns = clerk.get(f"/api/conversations/{conversation}").json()["turns"]
    assert [turn["trace_id"] for turn in turns] == [first["trace_id"]] * 2 + [edited["trace_id"]] * 2
    assert clerk.get(f"/api/traces/{second['trace_id']}").json()["question"] == WAGE
    assert clerk.post("/api/ask", json={"question": "x", **again}).status_code == 404
    assert clerk.post("/api/ask", json={"question": "x", "instead_of": second["trace_id"]}).status_code == 400


def test_a_stopped_answer_is_kept_as_far_as_it_came(clerk: httpx.Client) -> None:
    """Its conversation is named before the first event; read again, it has what was shown, and says that it was stopped."""
    with clerk.stream("POST", "/api/ask", json={"question": QUESTION, "model": "stuck"}) as response:
        conversation = response.headers["x-ken-conversation-id"]
        trace = response.headers["x-ken-trace-id"]
        assert any(OPENING[-10:] in line for line in response.iter_lines())
    path = f"/api/conversations/{conversation}"
    assert eventually(lambda: len(clerk.get(path).json()["turns"]) == 2)
    kept = clerk.get(path).json()["turns"][1]
    assert OPENING[:20] in kept["content"]
    assert (kept["answer"]["outcome"], kept["trace_id"]) == ("failed", trace)
    assert kept["answer"]["notices"] == ["This answer was stopped before its end."]


def test_another_answer_can_be_wanted(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the cache would give the last one again, `fresh` has it made anew."""
    with serving(copy(tmp_path_factory.mktemp("fresh") / "home"), cache=True, models=()) as ken, ken.client() as client:
        cached = [ask(client, QUESTION, **more)[-1][1]["cached"] for more in ({}, {}, {"fresh": True}, {})]
    assert cached == [False, True, False, True]


def test_conversations_are_searched(clerk: httpx.Client, nobody: httpx.Client) -> None:
    """By a word of an answer, with the words around it; by nobody else."""
    ask(clerk, WAGE)
    found = clerk.get("/api/conversations", params={"q": "3,400 euros"}).json()["conversations"]
    assert "3,400 euros" in found[0]["found"]
    assert nobody.get("/api/conversations", params={"q": "3,400 euros"}).json()["conversations"] == []
    assert clerk.get("/api/conversations", params={"q": "a b c d e f g h i"}).status_code == 400
