"""The files that documents were read from, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ken.settings import load
from ken.wiring import open_home
from tests.service.corpus import FILES, write
from tests.service.serving import Served, serving

PAGE = b"<!doctype html><title>Tides</title><h1>Tides</h1><p>High water is at noon.</p><script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that tests may change."""
    return write(tmp_path_factory.mktemp("originals") / "harbour")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """A Ken that was synced from that folder."""

    async def sync() -> None:
        ken = await open_home(load(folder.parent / "home"))
        try:
            await ken.library.sync_folder(folder, collection="harbour")
        finally:
            await ken.aclose()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, sync()).result()
    with serving(folder.parent / "home") as ken:
        yield ken


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """The local operator."""
    with served.client() as opened:
        yield opened


def test_the_file_of_a_folder_comes_as_it_is(client: httpx.Client) -> None:
    """Byte by byte, as an attachment that nothing in it can use to run."""
    answer = client.get("/api/originals/harbour/crane.md")
    assert answer.status_code == 200
    assert answer.content == FILES["crane.md"].encode()
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="crane.md"')
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_may_not_read_the_document_gets_no_file(served: Served) -> None:
    """The wages look as if they weren't there."""
    with served.client(served.nobody) as client:
        refused = client.get("/api/originals/harbour/wages.md")
        unknown = client.get("/api/originals/harbour/nothing.md")
    assert refused.status_code == unknown.status_code == 404
    assert refused.json()["error"]["message"].replace("wages", "nothing") == unknown.json()["error"]["message"]


@pytest.mark.parametrize("name", ["../home/ken.db", "%2e%2e/home/ken.db", "harbour/../../home/ken.db", "/etc/passwd"])
def test_nothing_but_documents_is_sent(client: httpx.Client, name: str) -> None:
    """A path is the name of a document, and leads nowhere else."""
    assert client.get(f"/api/originals/{name}").status_code == 404


def test_a_file_that_changed_is_not_sent(client: httpx.Client, folder: Path) -> None:
    """Nobody has read the new one yet, nor said who may."""
    before = (folder / "fuel.txt").read_bytes()
    (folder / "fuel.txt").write_text("The new prices are secret.\n", encoding="utf-8")
    changed = client.get("/api/originals/harbour/fuel.txt")
    (folder / "fuel.txt").unlink()
    gone = client.get("/api/originals/harbour/fuel.txt")
    (folder / "fuel.txt").write_bytes(before)
    assert changed.status_code == gone.status_code == 404
    assert "has changed since" in changed.json()["error"]["message"]
    assert "no longer where it was" in gone.json()["error"]["message"]
    assert client.get("/api/originals/harbour/fuel.txt").headers["content-type"].startswith("text/plain")


def test_a_link_out_of_the_folder_is_not_followed(client: httpx.Client, folder: Path) -> None:
    """Not even to a file of the same content."""
    original = folder / "office.md"
    outside = folder.parent / "office.md"
    original.rename(outside)
    original.symlink_to(outside)
    linked = client.get("/api/originals/harbour/office.md")
    original.unlink()
    outside.rename(original)
    assert linked.status_code == 404
    assert client.get("/api/originals/harbour/office.md").status_code == 200


def test_a_pushed_page_is_bytes_to_be_kept(client: httpx.Client) -> None:
    """HTML that was pushed is never a page of Ken's, whatever its name holds."""
    name = 'tides "é".html'
    assert client.put(f"/api/documents/notes/{name}", content=PAGE).status_code == 200
    answer = client.get(f"/api/originals/notes/{name}")
    assert answer.content == PAGE
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"tides ___.html\"; filename*=UTF-8''tides%20%22%C3%A9%22.html"
    )


def test_what_was_said_of_a_pushed_file_counts(client: httpx.Client) -> None:
    """A document that was pushed with its own type and dates has its file too; once deleted, it is gone."""
    told = {"media_type": "text/plain", "title": "Note", "effective": "2026-01-01"}
    pushed = client.put(
        "/api/collections/notes/documents/note",
        params={key: value for key, value in told.items() if key != "media_type"},
        content=b"The bell rings at six.",
        headers={"content-type": told["media_type"]},
    )
    assert pushed.status_code == 200, pushed.text
    assert client.get("/api/originals/notes/note").content == b"The bell rings at six."
    assert client.delete("/api/documents/notes/note").status_code == 204
    assert client.get("/api/originals/notes/note").status_code == 404
