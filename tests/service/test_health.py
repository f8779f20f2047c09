"""Liveness, readiness, the API's description, and the headers on all of them."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest

from ken import errors
from ken.errors import KenError
from ken.service.app import build
from ken.service.errors import STATUS, named, status_of
from ken.settings import load
from ken.text.thesaurus import thesaurus
from ken.wiring import open_home
from tests.service.corpus import QUESTION, copy
from tests.service.serving import Served, serving


def test_a_running_ken_is_alive_and_ready(client: httpx.Client) -> None:
    """Both checks are open to everybody, and readiness names each part."""
    headers = {"host": "ken.example"}
    assert client.get("/healthz", headers=headers).json() == {"status": "ok"}
    ready = client.get("/readyz", headers=headers)
    assert ready.status_code == 200
    assert ready.json() == {"status": "ok", "database": "ok", "embedder": "ok", "index": "ok"}


def test_what_is_read_once_is_read_before_anybody_asks(tmp_path: Path) -> None:
    """A Ken that has started reads its thesaurus by itself; the first answer's trace says what settling took, and of what."""
    thesaurus.cache_clear()
    with serving(copy(tmp_path / "home"), cache=True) as served, served.client() as client:
        give_up = time.monotonic() + 10
        while not thesaurus.cache_info().currsize and time.monotonic() < give_up:
            time.sleep(0.01)
        assert thesaurus.cache_info().currsize == 1
        trace_id = client.post("/api/ask?stream=false", json={"question": QUESTION}).json()["trace_id"]
        spans = client.get(f"/api/traces/{trace_id}").json()["spans"]
    [settled] = [span for span in spans if span["name"] == "settle"]
    assert settled["attributes"]["cache_ms"] > 0
    assert 0 < settled["attributes"]["checks_ms"] + settled["attributes"]["cache_ms"] <= settled["ms"] + 1


async def _readiness_without_its_database(home: Path) -> httpx.Response:
    ken = await open_home(load(home))
    ken.store.database.close()  # whose open connections would still see the old pages
    (home / "ken.db").write_bytes(b"no database at all")
    try:
        transport = httpx.ASGITransport(build(ken))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/readyz")
    finally:
        await ken.aclose()


def test_a_ken_without_its_database_is_not_ready(served: Served, home: Path) -> None:
    """Readiness is 503 and names the part that is broken; liveness doesn't care."""
    response = served.run(_readiness_without_its_database(home))
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "StorageError"}


@pytest.mark.parametrize("path", ["/", "/docs", "/documents/harbour/office.md", "/assets/none.css", "/api/collections"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    """No script but our own files, no frame, no sniffing, no referrer."""
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


def test_data_is_not_cached_by_browsers(client: httpx.Client) -> None:
    """What the API answers stays out of every cache."""
    assert client.get("/api/documents").headers["cache-control"] == "no-store"


def test_the_description_covers_every_path(client: httpx.Client) -> None:
    """/openapi.json describes the API, and nothing of the console."""
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/ask", "/v1/chat/completions", "/api/documents/{document_id}", "/healthz"} <= set(paths)
    assert not any(path.startswith(("/assets", "/c/")) or path == "/" for path in paths)


def _all_errors(root: type[KenError] = KenError) -> list[type[KenError]]:
    return [root, *(each for child in root.__subclasses__() for each in _all_errors(child))]


def test_every_error_has_the_status_that_the_tree_states() -> None:
    """The table agrees with the drawing in ken.errors: a class has its own status, or its nearest ancestor's."""
    drawing = errors.__doc__ or ""
    stated = dict(re.findall(r"(\w+) .*\(HTTP (\d+)\)", drawing))
    assert len(stated) > 8
    for name, status in stated.items():
        assert status_of(named(name, "x")) == int(status), name
    for kind in _all_errors():
        assert 400 <= status_of(named(kind.__name__, "x")) < 600
    assert {kind.__name__ for kind in STATUS} - {"KenError"} == set(stated)


async def _unforeseen(served: Served) -> tuple[httpx.Response, httpx.Response]:
    app = build(served.ken)

    @app.get("/api/planted")
    async def planted() -> None:
        raise ZeroDivisionError("the key was ken-SECRETSECRET")

    app.router.routes.insert(0, app.router.routes.pop())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get("/api/planted"), await client.get("/api/collections")


def test_the_unforeseen_is_told_by_its_trace_id(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets 500 and a trace id, the log the traceback under it, and neither a secret."""
    failed, after = served.run(_unforeseen(served))
    assert failed.status_code == 500
    error = failed.json()["error"]
    assert error["trace_id"] in error["message"]
    assert "ZeroDivisionError" not in failed.text
    assert failed.headers["x-content-type-options"] == "nosniff"
    assert error["trace_id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "SECRETSECRET" not in caplog.text
    assert after.status_code == 200
