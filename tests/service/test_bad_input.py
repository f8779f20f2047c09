"""What can't be used is refused in plain words, in the shape of its door, and never with a traceback."""

from __future__ import annotations

import http.client
import json

import httpx
import pytest

from tests.service.corpus import QUESTION
from tests.service.events import ask
from tests.service.serving import Served

DEEP = "[" * 100_000 + "]" * 100_000


def refused(response: httpx.Response, status: int = 400) -> str:
    """The message of a refusal, once its form is seen to be right."""
    assert response.status_code == status, response.text
    assert "Traceback" not in response.text
    assert "pydantic" not in response.text
    error = response.json()["error"]
    keys = {"type", "message", "param", "code"} if "/v1/" in str(response.url) else {"kind", "message", "trace_id"}
    assert set(error) == keys
    assert error["message"]
    return str(error["message"])


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions", "/api/feedback", "/api/conversations"])
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe\x00", b"\x00" * 100, b'{"question": ', DEEP.encode()],
    ids=["empty", "open", "list", "null", "string", "not-utf8", "nul", "cut", "deep"],
)
def test_broken_bodies(client: httpx.Client, path: str, content: bytes) -> None:
    """Broken JSON and JSON of another kind are 400."""
    assert refused(client.post(path, content=content, headers={"content-type": "application/json"}))


def test_another_content_type_is_refused(client: httpx.Client) -> None:
    """A form of another site can't send JSON as plain text."""
    body = json.dumps({"question": QUESTION})
    message = refused(client.post("/api/ask", content=body, headers={"content-type": "text/plain"}))
    assert "application/json" in message


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "question"),
        ({"question": 5}, "question"),
        ({"question": None}, "question"),
        ({"question": ["a"]}, "question"),
        ({"question": "a", "colections": ["x"]}, "colections"),
        ({"question": "a", "collections": "harbour"}, "collections"),
        ({"question": "a", "collections": [1]}, "collections[0]"),
        ({"question": "a", "model": 1}, "model"),
    ],
)
def test_a_wrong_field_is_named(client: httpx.Client, body: dict[str, object], named: str) -> None:
    """The message names the field that is wrong."""
    assert f"`{named}`" in refused(client.post("/api/ask", json=body))


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        (None, "messages"),
        ([], "messages"),
        ("hello", "messages"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": ""}], "messages[0].content"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([{"role": "tool", "content": "x"}], "messages[0].role"),
        ([{"role": "assistant", "content": "x"}], "messages"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
            "messages[0].content[0].type",
        ),
    ],
)
def test_a_wrong_message_is_named(client: httpx.Client, messages: object, named: str) -> None:
    """OpenAI's shape names the parameter, too."""
    response = client.post("/v1/chat/completions", json={"model": "ken", "messages": messages})
    assert f"`{named}`" in refused(response)
    assert response.json()["error"]["param"] == named


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   \n\t ",
        "\u0000",
        "\x01\x02\x03\x04\x05",
        "?!…",
        "⛵ 😀 👩‍👩‍👧‍👦",
        "x" * 8001,
        "harbour " * 5_000,
        "x" * 900_000,
    ],
)
def test_a_question_that_is_none_is_refused(client: httpx.Client, question: str) -> None:
    """Empty, binary and overlong questions are 400 at both doors, also where a stream was asked for."""
    assert refused(client.post("/api/ask", json={"question": question}))
    body = {"model": "ken", "stream": True, "messages": [{"role": "user", "content": question}]}
    assert refused(client.post("/v1/chat/completions", json=body))


def test_half_a_surrogate_pair_is_refused(client: httpx.Client) -> None:
    """Text that no encoding can write is 400."""
    body = b'{"question": "a \\ud800 b"}'
    assert "Unicode" in refused(client.post("/api/ask", content=body, headers={"content-type": "application/json"}))


@pytest.mark.parametrize(
    "question",
    [
        "متى يفتح مكتب الميناء؟",
        "⛵ 👩‍👩‍👧‍👦 harbour office? 🕢",
        "כמה עולה רציף?",
        "Wann öffnet das Hafenbüro?",
        "the",
        r"^(a+)+$|.*\bharbour(?=office)[[:alpha:]]{1,1000}",
        '\'; DROP TABLE passages; -- " OR 1=1 NEAR(a*) {"$ne": null} %s ${jndi:ldap://x}',
        "a" * 8000,
        ("harbour office " * 534)[:8000],
    ],
)
def test_any_text_is_a_question(client: httpx.Client, question: str) -> None:
    """Right-to-left text, emoji and one long word get an answer or an abstention, with spans that fit."""
    answer = ask(client, question)[-1][1]
    assert answer["outcome"] in {"answered", "abstained"}
    for citation in answer["citations"]:
        assert 0 <= citation["answer_start"] < citation["answer_end"] <= len(answer["text"])


def test_a_body_over_the_limit_is_refused(client: httpx.Client) -> None:
    """More than 1 MB is 413, announced or not; where images may come, more than 20 MB."""
    body = json.dumps({"question": "x" * 1_100_000}).encode()
    headers = {"content-type": "application/json"}
    assert "1 MB" in refused(client.post("/api/ask", content=body, headers=headers), 413)
    pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
    refused(client.post("/api/feedback", content=pieces, headers=headers), 413)
    assert "20 MB" in refused(client.post("/v1/embeddings", content=bytes(20_000_001), headers=headers), 413)


def test_a_lie_about_the_length_is_refused(served: Served) -> None:
    """A gigabyte that was announced is refused before it is sent."""
    for path in ("/api/documents/a/b.md", "/api/ask"):
        connection = http.client.HTTPConnection("127.0.0.1", int(served.url.rpartition(":")[2]), timeout=10)
        connection.putrequest("PUT" if "documents" in path else "POST", path)
        connection.putheader("content-length", "1000000000")
        connection.endheaders()
        with connection.getresponse() as response:
            assert response.status == 413
            assert "MB" in json.load(response)["error"]["message"]
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/api/ask", 405),
        ("POST", "/api/traces", 405),
        ("DELETE", "/v1/models", 405),
        ("GET", "/api/documents/harbour/none.md", 404),
        ("GET", "/api/documents/", 404),
        ("GET", "/api/documents/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/api/traces/none", 404),
        ("GET", "/api/conversations/none", 404),
        ("GET", "/api/documents?limit=0", 400),
        ("GET", "/api/documents?limit=many", 400),
        ("GET", "/api/traces?before=yesterday", 400),
        ("GET", "/api/traces?outcome=splendid", 400),
        ("GET", "/api/search", 400),
        ("GET", "/api/search?q=%20", 400),
        ("GET", "/api/conversations?limit=501", 400),
    ],
)
def test_wrong_paths_and_queries(client: httpx.Client, method: str, path: str, status: int) -> None:
    """Unknown paths, wrong methods and queries out of range are told in the shape of their door."""
    response = client.request(method, path)
    refused(response, status)
    assert status != 405 or response.headers["allow"]
