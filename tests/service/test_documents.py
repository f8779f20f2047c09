"""Documents and search over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fpdf import FPDF

from tests.service.events import ask
from tests.service.serving import Served

NOTE = b"# Mooring buoys\n\nThe harbour has eleven mooring buoys, numbered from the pier outwards.\n"


def test_collections_count_what_is_readable(served: Served) -> None:
    """An operator counts all documents, nobody in particular one less."""
    for key, count in ((served.operator, 4), (served.nobody, 3)):
        with served.client(key) as client:
            assert {"name": "harbour", "documents": count} in client.get("/api/collections").json()


def test_documents_are_paged_by_id(client: httpx.Client) -> None:
    """Pages follow each other in the order of the ids."""
    query = {"collection": "harbour", "limit": "3"}
    first = client.get("/api/documents", params=query).json()
    second = client.get("/api/documents", params=query | {"after": first["next"]}).json()
    ids = [each["id"] for each in first["documents"] + second["documents"]]
    assert ids == sorted(ids)
    assert len(ids) == 4
    assert second["next"] is None


def test_a_document_has_text_and_passages(client: httpx.Client) -> None:
    """Each passage is a piece of the text; ids with odd characters are found."""
    opened = client.get("/api/documents/harbour%2Foffice.md").json()
    assert opened["document"]["owner"] == "Harbour master"
    assert opened["document"]["groups"] == ["everyone"]
    for passage in opened["passages"]:
        assert opened["text"][passage["start"] : passage["end"]] == passage["text"]


def test_upload_replace_and_delete(client: httpx.Client) -> None:
    """What is uploaded can be asked at once, what replaces it is asked instead, what is deleted is gone."""
    question = "How many mooring buoys does the harbour have?"
    made = client.put("/api/documents/notes/buoys.md", content=NOTE)
    assert made.status_code == 200
    assert made.json()["title"] == "Mooring buoys"
    assert "eleven" in ask(client, question)[-1][1]["text"]
    client.put("/api/documents/notes/buoys.md", content=NOTE.replace(b"eleven", b"fourteen"))
    assert "fourteen" in ask(client, question)[-1][1]["text"]
    assert client.delete("/api/documents/notes/buoys.md").status_code == 204
    assert client.get("/api/documents/notes/buoys.md").status_code == 404
    assert "fourteen" not in ask(client, question)[-1][1]["text"]
    assert client.delete("/api/documents/notes/buoys.md").status_code == 404


@pytest.mark.parametrize("how", ["query", "header"])
def test_an_upload_names_its_groups(served: Served, client: httpx.Client, how: str) -> None:
    """Only the groups named at the upload may read the document."""
    options = {"params": {"groups": "office, divers"}} if how == "query" else {"headers": {"x-ken-groups": "office"}}
    made = client.put("/api/documents/notes/secret.md", content=NOTE, **options)
    assert "office" in made.json()["groups"]
    with served.client(served.nobody) as nobody, served.client(served.clerk) as clerk:
        assert nobody.get("/api/documents/notes/secret.md").status_code == 404
        assert clerk.get("/api/documents/notes/secret.md").status_code == 200
    client.delete("/api/documents/notes/secret.md")


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("notes/a.exe", b"MZ", 400),
        ("a.md", NOTE, 400),
        ("notes/../../a.md", NOTE, 400),
        ("harbour/office.md", NOTE, 409),
        ("notes/broken.pdf", b"%PDF-1.4 nothing", 422),
        ("notes/large.md", b"x" * 1_000_001, 413),
    ],
)
def test_an_upload_that_cannot_be_taken_is_refused(
    client: httpx.Client, path: str, content: bytes, status: int
) -> None:
    """Format, id, source, content and size are checked, each with its own status."""
    response = client.put(f"/api/documents/{path.replace('..', '%2e%2e')}", content=content)
    assert response.status_code == status, response.text
    assert response.json()["error"]["message"]


def test_an_endless_upload_is_cut_off(client: httpx.Client) -> None:
    """A body without a length is refused once it is over the limit, long before its end."""
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 65536
            yield b"x" * 65536

    try:
        status = client.put("/api/documents/notes/endless.md", content=pieces()).status_code
    except httpx.WriteError:
        status = 413
    assert status == 413
    assert sent < 60_000_000


def test_a_document_of_a_folder_is_deleted_there(client: httpx.Client) -> None:
    """The API can't delete what the next sync would bring back, and says what to do."""
    response = client.delete("/api/documents/harbour/fuel.txt")
    assert response.status_code == 409
    assert "sync" in response.json()["error"]["message"]


def test_search_says_why(client: httpx.Client) -> None:
    """Passages come best first, with scores, the terms they share with the question, and a reason."""
    found = client.get("/api/search", params={"q": "crane wind Beaufort", "limit": "3"}).json()
    first = found["evidence"][0]
    assert first["document"]["id"] == "harbour/crane.md"
    assert "crane" in first["matched_terms"]
    assert "crane" in first["why"]
    assert first["lexical"] > 0
    scores = [each["relevance"] for each in found["evidence"]]
    assert len(scores) <= 3
    assert found["timings_ms"]
    other = client.get("/api/search", params={"q": "crane", "collection": "elsewhere"}).json()
    assert other["evidence"] == []


def test_a_citation_names_the_page_of_its_own_words(client: httpx.Client) -> None:
    """Not the one on which its passage begins: a short page and the next one may be one passage."""
    paper = FPDF()
    paper.set_title("Pilot boats")
    paper.set_font("Helvetica", size=11)
    for line in ("The pilot boat is painted orange.", "The harbour keeps its spare anchors in shed 9."):
        paper.add_page()
        paper.multi_cell(0, 5, line)
    assert client.put("/api/documents/pilots/boats.pdf", content=bytes(paper.output())).status_code == 200
    (passage,) = client.get("/api/documents/pilots/boats.pdf").json()["passages"]
    assert passage["page"] == 1
    questions = {"What colour is the pilot boat painted?": 1, "In which shed are the spare anchors of the harbour?": 2}
    for question, number in questions.items():
        asked = {"question": question, "collections": ["pilots"]}
        answer = client.post("/api/ask?stream=false", json=asked).json()
        assert answer["citations"][0]["page"] == number, answer["text"]
    assert client.delete("/api/documents/pilots/boats.pdf").status_code == 204
