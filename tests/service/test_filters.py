"""Filters at the doors: what a question is narrowed to, wherever it comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.corpus import QUESTION, copy
from tests.service.serving import serving

OFFICE = "harbour/office.md"


def paths(client: httpx.Client, **narrowed: str) -> set[str]:
    """The documents that a search finds."""
    response = client.get("/api/search", params={"q": QUESTION, "limit": 50, **narrowed})
    assert response.status_code == 200, response.text
    return {each["document"]["path"] for each in response.json()["evidence"]}


def asked(client: httpx.Client, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - a request's own
    """The answer to the question."""
    response = client.post("/api/ask", params={"stream": "false"}, json={"question": QUESTION, **body})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_search_is_narrowed(client: httpx.Client) -> None:
    """By owner in whatever case, by type, by the day from which a document holds."""
    assert paths(client, owner="harbour MASTER") == {"office.md"}
    assert paths(client, type="txt") == {"fuel.txt"}
    assert paths(client, effective_from="2020-01-01") == {"office.md"}
    assert paths(client, effective_to="2019-12-31") == set()


@pytest.mark.parametrize(
    ("name", "value"), [("type", "papyrus"), ("modified_from", "last week"), ("effective_to", "2026-13-01")]
)
def test_what_is_no_filter_is_refused(client: httpx.Client, name: str, value: str) -> None:
    """400, naming the parameter and what was wrong with it."""
    response = client.get("/api/search", params={"q": QUESTION, name: value})
    assert response.status_code == 400
    assert value in response.json()["error"]["message"]
    filters = {"types" if name == "type" else name: [value] if name == "type" else value}
    assert client.post("/api/ask", json={"question": QUESTION, "filters": filters}).status_code == 400


def test_a_question_is_narrowed(client: httpx.Client) -> None:
    """An answer rests on documents that the filters let through, or there is none."""
    answer = asked(client, filters={"owners": ["Harbour master"], "types": ["md"]})
    assert {each["document_id"] for each in answer["citations"]} == {OFFICE}
    nothing = asked(client, filters={"types": ["pdf"]})
    assert nothing["outcome"] == "abstained"
    assert "none has the collection, owner, type and dates" in nothing["notices"][0]


def test_an_openai_client_narrows_by_metadata(client: httpx.Client) -> None:
    """Keys that begin with `ken_` are read; what else there is stays the client's own, and is named."""
    body = {"model": "ken", "messages": [{"role": "user", "content": QUESTION}]}
    narrowed = client.post("/v1/chat/completions", json=body | {"metadata": {"ken_type": "pdf,txt", "run": "7"}}).json()
    assert narrowed["ken"]["outcome"] == "abstained"
    assert any("metadata.run" in notice for notice in narrowed["ken"]["notices"])
    whole = client.post("/v1/chat/completions", json=body | {"metadata": {"ken_collection": "harbour"}}).json()
    assert whole["ken"]["citations"][0]["document_id"] == OFFICE
    assert not any("metadata" in notice for notice in whole["ken"]["notices"])
    bad = client.post("/v1/chat/completions", json=body | {"metadata": {"ken_modified_to": "soon"}})
    assert bad.status_code == 400


def test_an_answer_is_not_given_again_under_another_filter(tmp_path: Path) -> None:
    """What is kept is kept for the filters that it was asked with."""
    with serving(copy(tmp_path / "home"), cache=True) as served, served.client() as client:
        narrowed: dict[str, Any] = {"model": "extractive", "filters": {"owners": ["Harbour master"]}}
        assert not asked(client, **narrowed)["cached"]
        assert asked(client, **narrowed)["cached"]
        assert asked(client, model="extractive", filters={"types": ["txt"]})["outcome"] == "abstained"
