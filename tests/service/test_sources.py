"""Sources, syncs, snapshots and pushing over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.service.corpus import copy
from tests.service.serving import Served, serving

BUOYS = "# Buoys\n\nThe harbour has eleven mooring buoys.\n"
TABLES = """
[[sources]]
name = "papers"
kind = "folder"
path = "{folder}"
every = "6h"
rules = [{{ path = "closed/*", groups = ["office"] }}]

[[sources]]
name = "watched"
kind = "folder"
path = "{watched}"
watch = true

[[sources]]
name = "wiki"
kind = "notion"
token_env = "NOTION_TOKEN_THAT_IS_NOT_SET"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def with_sources(place: Path) -> Iterator[Served]:
    """A served home whose ken.toml names sources."""
    for name in ("folder", "watched"):
        (place / name / "closed").mkdir(parents=True)
    (place / "folder" / "buoys.md").write_text(BUOYS)
    (place / "folder" / "torn.pdf").write_text("torn")
    (place / "folder" / "photo.jpg").write_text("none")
    home = copy(place / "home")
    (home / "ken.toml").write_text(TABLES.format(folder=place / "folder", watched=place / "watched"))
    with serving(home) as served:
        yield served


@pytest.fixture
def operator(with_sources: Served) -> Iterator[httpx.Client]:
    with with_sources.client(with_sources.operator) as client:
        yield client


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def synced(client: httpx.Client, source: str) -> dict[str, object]:
    """Sync a source over HTTP and wait for its end."""
    before = len(client.get("/api/syncs", params={"source": source}).json())
    eventually(lambda: client.post("/api/syncs", json={"source": source}).status_code == 202)
    eventually(lambda: len(client.get("/api/syncs", params={"source": source}).json()) > before)
    eventually(lambda: client.get("/api/syncs", params={"source": source}).json()[0]["state"] != "running")
    return client.get("/api/syncs", params={"source": source}).json()[0]


def test_a_sync_tells_how_it_went(operator: httpx.Client) -> None:
    """Asked for over HTTP, it says what it did; the source, what is due; each document, its state and why."""
    last = synced(operator, "papers")
    assert (last["state"], last["failed"], last["skipped"], last["done"], last["total"]) == ("finished", 1, 1, 2, 2)
    source = next(each for each in operator.get("/api/sources").json() if each["id"] == "papers")
    assert (source["documents"], source["not_taken"], source["problem"], source["is_running"]) == (1, 1, "", False)
    assert source["next_sync"] > time.time() + 3600
    assert (source["schedule"], source["is_named"], source["default_groups"]) == ("every 6h", True, ["everyone"])
    told = operator.get("/api/sources/papers/documents").json()
    listed = told["documents"]
    assert told["counts"] == {"current": 1, "failed": 1, "skipped": 1}
    assert {each["path"]: each["state"] for each in listed} == {
        "buoys.md": "current", "photo.jpg": "skipped", "torn.pdf": "failed"
    }  # fmt: skip
    (torn,) = operator.get("/api/sources/papers/documents", params={"state": "failed"}).json()["documents"]
    assert "torn.pdf" in torn["reason"]
    assert torn["next_try"] > time.time()
    first = operator.get("/api/sources/papers/documents", params={"limit": 2}).json()
    second = operator.get("/api/sources/papers/documents", params={"limit": 2, "after": first["next"]}).json()
    assert [each["path"] for each in first["documents"] + second["documents"]] == ["buoys.md", "photo.jpg", "torn.pdf"]
    assert second["next"] is None


def test_only_operators_see_sources(with_sources: Served) -> None:
    """Names and paths of documents that one may not read stand there."""
    with with_sources.client(with_sources.clerk) as client:
        for path in ("/api/sources", "/api/syncs", "/api/sources/papers/documents", "/api/index"):
            assert client.get(path).status_code == 403
        assert client.post("/api/syncs", json={"source": "papers"}).status_code == 403
        assert client.post("/api/index/use", json={}).status_code == 403
        assert client.put("/api/collections/notes/documents/a.md", content=b"# A\n").status_code == 403


def test_a_source_that_was_never_synced_is_listed(operator: httpx.Client, place: Path) -> None:
    """As soon as ken.toml names it, so that it can be synced."""
    file = place / "home" / "ken.toml"
    before = file.read_text()
    file.write_text(before + '[[sources]]\nname = "later"\nkind = "folder"\npath = "elsewhere"\ncron = "0 4 * * *"\n')
    (later,) = (each for each in operator.get("/api/sources").json() if each["id"] == "later")
    assert (later["kind"], later["synced_at"], later["schedule"]) == ("folder", None, "cron 0 4 * * *")
    file.write_text("sources = 7")
    assert "papers" in {each["id"] for each in operator.get("/api/sources").json() if each["is_named"]}
    file.write_text(before)


def test_a_source_that_lacks_its_secret_says_so(operator: httpx.Client) -> None:
    """Nothing else is touched by it, and its status names the variable."""
    operator.post("/api/syncs", json={"source": "wiki"}).raise_for_status()
    eventually(lambda: any(each["id"] == "wiki" for each in operator.get("/api/sources").json()))
    (wiki,) = (each for each in operator.get("/api/sources").json() if each["id"] == "wiki")
    assert "NOTION_TOKEN_THAT_IS_NOT_SET" in wiki["problem"]
    assert operator.post("/api/syncs", json={"source": "nowhere"}).status_code == 404


def test_a_watched_folder_is_synced_when_it_changes(operator: httpx.Client, place: Path) -> None:
    """A new file is found without anybody asking; rules of the table hold."""
    (place / "watched" / "crane.md").write_text("# Crane\n\nThe new crane is painted orange.\n")
    eventually(lambda: operator.get("/api/documents/watched%2Fcrane.md").status_code == 200)
    (place / "watched" / "crane.md").write_text("# Crane\n\nThe new crane is painted green.\n")
    eventually(lambda: "green" in operator.get("/api/documents/watched%2Fcrane.md").json()["text"])
    assert operator.get("/api/syncs", params={"source": "watched"}).json()[0]["changed"] == 1


def test_a_source_is_deleted_with_its_documents(operator: httpx.Client, place: Path) -> None:
    """For ever; the next sync of ken.toml's table brings it back."""
    synced(operator, "papers")
    assert operator.delete("/api/sources/papers").status_code == 204
    assert operator.get("/api/documents/papers%2Fbuoys.md").status_code == 404
    assert operator.delete("/api/sources/papers").status_code == 404
    (place / "folder" / "closed" / "wages.md").write_text("# Wages\n\nThe diver earns 5,000 euros.\n")
    synced(operator, "papers")
    assert operator.get("/api/documents/papers%2Fclosed%2Fwages.md").json()["document"]["groups"] == ["office"]


def test_pushed_documents_and_what_is_said_of_them(operator: httpx.Client, with_sources: Served) -> None:
    """Any name will do where the type is said; title, address, dates and groups come with it; the lineage is told."""
    at = "/api/collections/tickets/documents/4711"
    query = {"title": "Printer jams", "url": "https://desk.example/4711", "groups": "office", "modified": "2026-03-02"}
    markdown = {"content-type": "text/markdown; charset=utf-8"}
    made = operator.put(at, params=query, headers=markdown, content=b"The printer on pier 3 jams in the cold.\n")
    assert made.status_code == 200, made.text
    document = made.json()
    assert (document["title"], document["url"], document["modified"], document["groups"]) == (
        "Printer jams", "https://desk.example/4711", "2026-03-02", ["office"]
    )  # fmt: skip
    opened = operator.get("/api/documents/tickets/4711").json()
    assert opened["source"] == "uploads:tickets"
    assert "parse_markdown" in opened["lineage"]["parser"]
    with with_sources.client(with_sources.nobody) as nobody:
        assert nobody.get("/api/documents/tickets/4711").status_code == 404
    untold = operator.put("/api/collections/tickets/documents/4712", content=b"What am I?")
    assert untold.status_code == 400
    assert "suffix" in untold.json()["error"]["message"]
    assert operator.put(at, params={"modified": "yesterday"}, headers=markdown, content=b"x").status_code == 400
    assert operator.delete(at).status_code == 204
    assert operator.get("/api/documents/tickets/4711").status_code == 404


def test_many_pushes_at_once_share_commits(operator: httpx.Client) -> None:
    """All of them are there when they are answered, in fewer corpus versions than pushes."""
    before = operator.get("/api/index").json()[0]["corpus_version"]

    def push(number: int) -> int:
        content = f"# Note {number}\n\nNote number {number} is about buoys.\n".encode()
        return operator.put(f"/api/collections/notes/documents/{number}.md", content=content).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(push, range(16))) == {200}
    assert len(operator.get("/api/documents", params={"collection": "notes"}).json()["documents"]) == 16
    assert operator.get("/api/index").json()[0]["corpus_version"] - before < 16


def test_corpus_versions_are_listed_compared_and_switched(operator: httpx.Client) -> None:
    """What was changed by a push is undone by using the version before, and done again by the newest."""
    operator.put("/api/collections/notes/documents/tide.md", content=b"# Tide\n\nThe tide turns at noon.\n")
    old = operator.get("/api/index").json()[0]["corpus_version"]
    operator.put("/api/collections/notes/documents/tide.md", content=b"# Tide\n\nThe tide turns at dusk.\n")
    new = operator.get("/api/index").json()[0]["corpus_version"]
    found = operator.get("/api/index/difference", params={"old": old, "new": new}).json()
    assert found == {"added": [], "changed": ["notes/tide.md"], "removed": []}
    both = {"document": "notes/tide.md", "old": old, "new": new}
    texts = operator.get("/api/index/texts", params=both).json()
    assert ("noon" in texts["old"], "dusk" in texts["new"]) == (True, True)
    absent = operator.get("/api/index/texts", params=both | {"document": "notes/none.md"}).json()
    assert (absent["old"], absent["new"]) == (None, None)
    used = operator.post("/api/index/use", json={"corpus_version": old}).json()
    assert used["content"] == old
    assert "noon" in operator.get("/api/documents/notes/tide.md").json()["text"]
    operator.post("/api/index/use", json={"corpus_version": None}).raise_for_status()
    assert "dusk" in operator.get("/api/documents/notes/tide.md").json()["text"]
    assert operator.post("/api/index/use", json={"corpus_version": 9999}).status_code == 404


def test_ken_toml_is_followed_without_a_restart(with_sources: Served, operator: httpx.Client, place: Path) -> None:
    """A rule that was narrowed holds in the next sync, a table that was taken out is synced no more, a new one is known."""
    file = place / "home" / "ken.toml"
    before = file.read_text()
    (place / "folder" / "buoys.md").write_text(BUOYS)
    synced(operator, "papers")
    with with_sources.client(with_sources.nobody) as nobody:
        assert nobody.get("/api/documents/papers%2Fbuoys.md").status_code == 200
        file.write_text(before.replace('path = "closed/*"', 'path = "*"').replace('"watched"\nkind', '"seen"\nkind', 1))
        (place / "folder" / "crane.md").write_text("# Crane\n\nThe crane is booked.\n")

        def is_closed() -> bool:  # a sync that was under way had read the old rules
            synced(operator, "papers")
            return nobody.get("/api/documents/papers%2Fbuoys.md").status_code == 404

        eventually(is_closed)
    eventually(lambda: operator.post("/api/syncs", json={"source": "watched"}).status_code == 404)
    eventually(lambda: any(each["id"] == "seen" for each in operator.get("/api/sources").json()))
    file.write_text(before)
