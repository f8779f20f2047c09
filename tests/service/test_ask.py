"""Ken's own door: questions, events, conversations, feedback, traces."""

from __future__ import annotations

import secrets

import httpx
import pytest

from ken.domain.events import STAGES
from tests.service.corpus import BEYOND, OPENING, QUESTION
from tests.service.events import ask
from tests.service.serving import Served


def test_events_tell_the_whole_story(client: httpx.Client) -> None:
    """Stages in their order, tokens that make up the text, citations, and the answer last."""
    events = ask(client, QUESTION)
    names = [name for name, _ in events]
    assert names[-1] == "answer"
    assert set(names) <= {"stage", "token", "citation", "notice", "answer"}
    finished = [data["stage"] for name, data in events if name == "stage" and data["state"] == "finished"]
    assert finished == [stage for stage in STAGES if stage in finished]
    assert {"intake", "retrieve", "settle"} <= set(finished)
    answer = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "token") == answer["text"]
    assert "07:30" in answer["text"]
    assert answer["outcome"] == "answered"
    assert [data for name, data in events if name == "citation"] == answer["citations"] != []


def test_a_citation_points_at_the_words_that_support_it(client: httpx.Client) -> None:
    """Its span, cut from the document's text, is the quote; its sentence stands in the answer."""
    answer = client.post("/api/ask?stream=false", json={"question": QUESTION}).json()
    citation = answer["citations"][0]
    document = client.get(f"/api/documents/{citation['document_id']}").json()
    assert OPENING in document["text"][citation["start"] : citation["end"]]
    assert citation["version"] == document["document"]["version"]
    assert citation["passage_id"] in {passage["id"] for passage in document["passages"]}
    assert "07:30" in answer["text"][citation["answer_start"] : citation["answer_end"]]


def test_beyond_the_documents_is_said(client: httpx.Client) -> None:
    """An abstention has no citations and names the nearest documents that there are."""
    answer = ask(client, BEYOND)[-1][1]
    assert answer["outcome"] == "abstained"
    assert answer["citations"] == []
    assert "beyond my ken" in answer["text"]


@pytest.mark.parametrize("options", [{"params": {"stream": "false"}}, {"headers": {"accept": "application/json"}}])
def test_one_json_object_on_request(client: httpx.Client, options: dict[str, dict[str, str]]) -> None:
    """Without streaming the answer is one object."""
    response = client.post("/api/ask", json={"question": QUESTION}, **options)  # pyright: ignore[reportArgumentType]
    assert response.status_code == 200
    assert response.json()["outcome"] == "answered"


def test_a_conversation_goes_on(client: httpx.Client) -> None:
    """The first question makes a conversation and its title; a follow-up sees what was said and is appended."""
    first = ask(client, "What does a berth cost for a boat of up to 8 metres?")[-1][1]
    conversation = first["conversation_id"]
    second = ask(client, "And over 8 metres?", conversation_id=conversation)[-1][1]
    assert second["conversation_id"] == conversation
    kept = client.get(f"/api/conversations/{conversation}").json()
    assert kept["title"] == "What does a berth cost for a boat of up to 8 metres?"
    assert [turn["role"] for turn in kept["turns"]] == ["user", "assistant", "user", "assistant"]
    assert kept["turns"][3]["content"] == second["text"]
    assert kept["turns"][3]["trace_id"] == second["trace_id"]
    assert kept["turns"][2]["content"] == "And over 8 metres?"


def test_conversations_are_listed_renamed_and_deleted(client: httpx.Client) -> None:
    """The last used stands first; a deleted one is gone."""
    made = client.post("/api/conversations", json={"title": "Plans"})
    assert made.status_code == 201
    conversation = made.json()["id"]
    page = client.get("/api/conversations", params={"limit": 1}).json()
    assert page["conversations"][0]["id"] == conversation
    assert (
        client.patch(f"/api/conversations/{conversation}", json={"title": "Other plans"}).json()["title"]
        == "Other plans"
    )
    assert client.delete(f"/api/conversations/{conversation}").status_code == 204
    assert client.get(f"/api/conversations/{conversation}").status_code == 404
    assert client.patch(f"/api/conversations/{conversation}", json={"title": "x"}).status_code == 404


def test_pages_of_conversations_meet(client: httpx.Client) -> None:
    """Each page begins where the one before it ended."""
    ids = {client.post("/api/conversations", json={"title": f"page {number}"}).json()["id"] for number in range(3)}
    seen: list[str] = []
    before: str | None = None
    while True:
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = client.get("/api/conversations", params=query).json()
        seen += [each["id"] for each in page["conversations"]]
        before = page["before"]
        if before is None:
            break
    assert len(seen) == len(set(seen))
    assert ids <= set(seen)


def test_a_question_that_fails_leaves_no_conversation(client: httpx.Client) -> None:
    """A bad question leaves no empty conversation behind."""
    before = client.get("/api/conversations", params={"limit": 500}).json()["conversations"]
    assert client.post("/api/ask", json={"question": "   "}).status_code == 400
    assert client.get("/api/conversations", params={"limit": 500}).json()["conversations"] == before


def test_the_callers_trace_id_is_taken_over(client: httpx.Client) -> None:
    """A W3C traceparent names the trace; a second question under it gets an id of its own."""
    trace = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    first = client.post("/api/ask?stream=false", json={"question": QUESTION}, headers=headers).json()
    assert first["trace_id"] == trace
    assert client.get(f"/api/traces/{trace}").json()["question"] == QUESTION
    second = client.post("/api/ask?stream=false", json={"question": QUESTION}, headers=headers).json()
    assert second["trace_id"] != trace


@pytest.mark.parametrize("header", ["", "00-xyz", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"])
def test_a_malformed_traceparent_is_ignored(client: httpx.Client, header: str) -> None:
    """The question is answered under an id of Ken's own."""
    answer = client.post("/api/ask?stream=false", json={"question": QUESTION}, headers={"traceparent": header}).json()
    assert len(answer["trace_id"]) == 32
    assert answer["trace_id"] not in {"0" * 32, "1" * 32}


def test_a_trace_shows_spans_passages_and_feedback(client: httpx.Client) -> None:
    """A trace can be read as soon as its answer is there, and holds what was said of it."""
    answer = ask(client, QUESTION)[-1][1]
    for helpful, reason in ((True, ""), (False, "The door was locked.")):
        given = {"trace_id": answer["trace_id"], "helpful": helpful, "reason": reason}
        assert client.post("/api/feedback", json=given).status_code == 204
    trace = client.get(f"/api/traces/{answer['trace_id']}").json()
    assert {"retrieve", "settle"} <= {span["name"] for span in trace["spans"]}
    assert all(span["ms"] >= 0 and isinstance(span["attributes"], dict) for span in trace["spans"])
    assert any(passage["cited"] for passage in trace["evidence"]) or trace["cached"]
    assert [(each["helpful"], each["reason"]) for each in trace["feedback"]] == [(False, "The door was locked.")]
    listed = client.get("/api/traces", params={"limit": 1}).json()
    assert listed["traces"][0]["id"] == answer["trace_id"]


def test_traces_are_paged_newest_first(client: httpx.Client) -> None:
    """Two pages hold different traces, the second ones older."""
    for question in ("When is the crane inspected?", "Is petrol sold?"):
        client.post("/api/ask?stream=false", json={"question": question})
    first = client.get("/api/traces", params={"limit": 1}).json()
    second = client.get("/api/traces", params={"limit": 1, "before": first["before"]}).json()
    assert first["traces"][0]["question"] == "Is petrol sold?"
    assert second["traces"][0]["question"] == "When is the crane inspected?"


def test_feedback_on_nothing_is_refused(client: httpx.Client) -> None:
    """A trace that doesn't exist can't be spoken of."""
    response = client.post("/api/feedback", json={"trace_id": "f" * 32, "helpful": True})
    assert response.status_code == 404
    assert "f" * 32 in response.json()["error"]["message"]


def test_a_collection_filter_is_obeyed(client: httpx.Client) -> None:
    """A question to a collection that holds nothing is beyond Ken's ken."""
    assert ask(client, QUESTION, collections=["elsewhere"])[-1][1]["outcome"] == "abstained"
    assert ask(client, QUESTION, collections=["harbour"])[-1][1]["outcome"] == "answered"


def test_a_named_model_answers(client: httpx.Client) -> None:
    """The model asked for writes the answer, verified and cited."""
    answer = ask(client, QUESTION, model="steady")[-1][1]
    assert answer["model"] == "steady"
    assert OPENING in answer["text"]
    assert answer["usage"] == {"input_tokens": 200, "output_tokens": 20, "estimated": False}
    assert answer["citations"]


def test_an_unknown_model_is_named(client: httpx.Client) -> None:
    """The refusal lists the models there are."""
    response = client.post("/api/ask", json={"question": QUESTION, "model": "gpt-9"})
    assert response.status_code == 404
    assert "gpt-9" in response.json()["error"]["message"]
    assert "extractive" in response.json()["error"]["message"]


def test_an_answer_whose_model_fails_is_kept_as_far_as_it_went(served: Served) -> None:
    """What was verified stays, and a notice says that it breaks off."""
    with served.client() as client:
        events = ask(client, QUESTION, model="broken")
    shown = "".join(data["text"] for name, data in events if name == "token")
    assert OPENING in shown
    name, data = events[-1]
    assert name == "answer"
    assert data["text"] == shown
    assert "breaks off" in data["notices"][0]
