"""How the console's files are sent: to everybody, compressed, kept by browsers as long as they hold, and nothing beside them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ken.service.pages import PAGES
from tests.service.corpus import copy
from tests.service.serving import Served, serving

SCRIPT = b"export const answer = 42;\n" * 200
FORMS = {None: SCRIPT, "gzip": gzip.compress(SCRIPT, mtime=0), "br": b"brotli, as far as this test can tell"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build leaves behind, in small."""
    made = tmp_path_factory.mktemp("built")
    (made / "assets").mkdir()
    (made / "index.html").write_text(
        '<!doctype html><script type="module" src="/assets/main-1a2b3c4d.js"></script>', "utf-8"
    )
    (made / "assets" / "main-1a2b3c4d.js").write_bytes(SCRIPT)
    (made / "assets" / "main-1a2b3c4d.js.gz").write_bytes(FORMS["gzip"])
    (made / "assets" / "main-1a2b3c4d.js.br").write_bytes(FORMS["br"])
    (made.parent / "beside.txt").write_text("not of the console", "utf-8")
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Served]:
    """A Ken that wants keys from everybody, with that console."""
    home = copy(tmp_path_factory.mktemp("files") / "home")
    with serving(home, console=folder, host="0.0.0.0") as ken:  # noqa: S104 - the rig listens on loopback
        yield ken


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with served.client() as opened:
        yield opened


@pytest.mark.parametrize("path", [path.replace("{document_id:path}", "a/b.md") for path in PAGES])
def test_every_page_is_the_same_document_and_needs_no_key(client: httpx.Client, path: str) -> None:
    """It holds nobody's data; browsers ask each time whether it is still the same."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert "/assets/main-1a2b3c4d.js" in answer.text
    assert client.head(path).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None), ("", None)],
)
def test_a_script_comes_in_the_smallest_form_that_is_taken(served: Served, accepted: str, coding: str | None) -> None:
    """And is kept for good, as its name changes with what is in it; caches between tell the forms apart."""
    with httpx.stream(
        "GET", f"{served.url}/assets/main-1a2b3c4d.js", headers={"accept-encoding": accepted}, trust_env=False
    ) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert sent == FORMS[coding]


@pytest.mark.parametrize(
    "path",
    ["/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/..%2f..%2fbeside.txt", "/assets//etc/passwd"],
)
def test_no_path_leads_out_of_the_folder(client: httpx.Client, path: str) -> None:
    """Dots and slashes in any spelling."""
    assert client.get(path).status_code in {401, 404}


def test_a_ken_without_a_built_console_says_how_to_build_it(tmp_path: Path) -> None:
    """In words, on every page; the API works all the same."""
    with serving(copy(tmp_path / "home"), console=tmp_path / "none") as ken, ken.client() as client:
        page = client.get("/")
        assert page.status_code == 503
        assert "make up" in page.text
        assert client.get("/assets/main.js").status_code == 404
        assert client.get("/api/collections").status_code == 200
