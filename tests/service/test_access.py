"""Who gets in, and what each may see and do."""

from __future__ import annotations

import http.client
from dataclasses import replace

import httpx
import pytest
from starlette.types import ASGIApp

from ken.service.app import build
from tests.service.serving import Served

PATHS = [
    "/api/documents",
    "/api/documents/harbour/office.md",
    "/api/collections",
    "/api/search?q=crane",
    "/api/traces",
    "/api/conversations",
    "/v1/models",
    "/no/such/path",
]


def status(served: Served, path: str, headers: list[tuple[str, str]]) -> int:
    """The status of a GET with exactly these headers."""
    port = int(served.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    with connection.getresponse() as response:
        response.read()
        connection.close()
        return response.status


def asked_in_process(served: Served, app: ASGIApp, *, peer: str) -> httpx.Response:
    """The answer to a keyless GET from a peer of this address."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            return await client.get("/api/collections")

    return served.run(ask())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "LOCALHOST:1", "[::1]", "[::1]:8000"])
def test_this_machine_needs_no_key(served: Served, host: str) -> None:
    """A request of this machine, by any of its names, is the local operator's."""
    assert status(served, "/api/collections", [("host", host)]) == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        [("host", "evil.example")],
        [("host", "evil.example:8000")],
        [("host", "localhost.evil.example")],
        [("host", "localhost"), ("x-forwarded-for", "127.0.0.1")],
        [("host", "localhost"), ("x-forwarded-host", "localhost")],
        [("host", "localhost"), ("forwarded", "for=127.0.0.1")],
        [("host", "localhost"), ("x-real-ip", "127.0.0.1")],
        [("host", "localhost"), ("via", "1.1 proxy")],
        [("host", "localhost"), ("origin", "http://evil.example")],
        [("host", "localhost"), ("origin", "http://localhost:3000")],
        [("host", "localhost"), ("origin", "null")],
        [("host", "localhost"), ("sec-fetch-site", "cross-site")],
        [("host", "localhost"), ("sec-fetch-site", "same-site")],
        [("host", "localhost"), ("authorization", "Bearer ken-wrong")],
        [("host", "localhost"), ("authorization", "Bearer ")],
        [("host", "localhost"), ("authorization", "Basic a2VuOmtlbg==")],
        [("host", "localhost"), ("authorization", "Bearer local"), ("authorization", "Bearer local")],
    ],
)
def test_strangers_stay_outside(served: Served, path: str, headers: list[tuple[str, str]]) -> None:
    """Another host's name, a proxy's trace, another origin or a wrong key: nothing is shown, on any path."""
    assert status(served, path, headers) == 401


def test_the_same_origin_is_let_in(served: Served) -> None:
    """The page's own requests carry its origin."""
    port = served.url.rpartition(":")[2]
    headers = [("host", f"localhost:{port}"), ("origin", f"http://localhost:{port}"), ("sec-fetch-site", "same-origin")]
    assert status(served, "/api/collections", headers) == 200


def test_a_peer_from_elsewhere_needs_a_key(served: Served) -> None:
    """The peer's address counts, whatever the Host says."""
    app = build(served.ken)
    assert asked_in_process(served, app, peer="192.0.2.7").status_code == 401
    assert asked_in_process(served, app, peer="::ffff:192.0.2.7").status_code == 401
    assert asked_in_process(served, app, peer="::ffff:127.0.0.1").status_code == 200


def test_a_ken_on_the_network_asks_everybody_for_a_key(served: Served) -> None:
    """Served on another address than loopback, this machine needs a key, too."""
    settings = served.ken.settings.model_copy(update={"host": "0.0.0.0"})  # noqa: S104 - the case under test
    refused = asked_in_process(served, build(replace(served.ken, settings=settings)), peer="127.0.0.1")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "ken keys create" in refused.json()["error"]["message"]


def test_a_key_works_from_anywhere(served: Served) -> None:
    """With a key, host, origin and proxy don't matter."""
    headers = [("host", "ken.example"), ("x-forwarded-for", "192.0.2.7"), ("authorization", f"Bearer {served.nobody}")]
    assert status(served, "/api/collections", headers) == 200


def test_a_revoked_key_is_refused(served: Served) -> None:
    """Revocation takes effect at once in the same process."""
    key, secret = served.ken.keys.create("soon gone", [])
    with served.client(secret) as client:
        assert client.get("/api/collections").status_code == 200
        served.ken.keys.revoke(key.id)
        assert client.get("/api/collections").status_code == 401


def test_groups_decide_what_is_seen(served: Served) -> None:
    """A document of a group is there for the group and for operators, and absent for everybody else, on every path."""
    for key, sees in ((served.nobody, False), (served.clerk, True), (served.operator, True)):
        with served.client(key) as client:
            listed = {each["id"] for each in client.get("/api/documents").json()["documents"]}
            found = client.get("/api/search", params={"q": "what does the crane driver earn a month"}).json()
            paths = {each["document"]["id"] for each in found["evidence"]}
            answer = client.post("/api/ask?stream=false", json={"question": "What does the crane driver earn a month?"})
            assert ("harbour/wages.md" in listed) is sees
            assert ("harbour/wages.md" in paths) is sees
            assert (client.get("/api/documents/harbour/wages.md").status_code == 200) is sees
            assert ("3,400" in answer.text) is sees


def test_only_operators_change_documents(served: Served) -> None:
    """Upload and deletion take the group `operators`."""
    with served.client(served.clerk) as client:
        refused = client.put("/api/documents/notes/a.md", content=b"# A\n")
        assert refused.status_code == 403
        assert "operators" in refused.json()["error"]["message"]
        assert client.delete("/api/documents/notes/a.md").status_code == 403


def test_traces_and_conversations_are_ones_own(served: Served) -> None:
    """Another principal's trace and conversation look as if they didn't exist; an operator sees the trace."""
    with served.client(served.clerk) as clerk, served.client(served.nobody) as nobody:
        answer = clerk.post("/api/ask?stream=false", json={"question": "When is the fuel station open?"}).json()
        trace, conversation = answer["trace_id"], answer["conversation_id"]
        assert clerk.get(f"/api/traces/{trace}").status_code == 200
        assert nobody.get(f"/api/traces/{trace}").status_code == 404
        assert nobody.get(f"/api/conversations/{conversation}").status_code == 404
        assert nobody.delete(f"/api/conversations/{conversation}").status_code == 404
        follow_up = {"question": "And on Sunday?", "conversation_id": conversation}
        assert nobody.post("/api/ask", json=follow_up).status_code == 404
        assert nobody.post("/api/feedback", json={"trace_id": trace, "helpful": True}).status_code == 404
    with served.client(served.operator) as operator:
        assert operator.get(f"/api/traces/{trace}").status_code == 200
        assert operator.get(f"/api/conversations/{conversation}").status_code == 404
