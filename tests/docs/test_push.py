"""The page on pushing documents, followed with curl against a running Ken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest

from tests.architecture.tree import PROJECT
from tests.docs.following import Reader, in_shell
from tests.docs.guide import section
from tests.knowledge.homes import fresh
from tests.service.serving import Served, serving

PAGE = "docs/guides/sources/push.md"
TICKET = "# Printer jams\n\nThe printer on pier 3 jams in the cold.\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[Served]:
    with serving(fresh(tmp_path_factory.mktemp("push") / "home", made)) as running:
        yield running


async def test_a_document_is_pushed_read_and_deleted(served: Served, tmp_path: Path) -> None:
    """By the page's own commands, with the key that it makes; the answer shows what the page shows."""
    key = (await Reader(served.ken.settings.home).ken(*section(PAGE, "Push, replace, delete").commands[0])).out.strip()
    (tmp_path / "ticket.md").write_text(TICKET, encoding="utf-8")
    put, get, delete = [
        line.replace("http://127.0.0.1:8000", served.url)
        for line in section(PAGE, "Push, replace, delete").shell.splitlines()
        if line.startswith("curl ")
    ]
    curl = partial(in_shell, key=key, place=tmp_path)
    await anyio.to_thread.run_sync(curl, put)
    assert json.loads(await anyio.to_thread.run_sync(curl, get))["document"]["groups"] == ["support"]
    asked = await Reader(served.ken.settings.home).ken("ask", "Which printer jams in the cold?")
    assert shown() in asked.out
    await anyio.to_thread.run_sync(curl, delete)
    with served.client(key) as client:
        assert client.get("/api/documents/tickets/4711").status_code == 404


def test_refusals_are_those_of_the_page(served: Served) -> None:
    """Each status with the words that stand beside it."""
    place = "/api/collections/tickets/documents"
    markdown = {"content-type": "text/markdown"}
    with served.client(served.nobody) as client:
        assert client.put(f"{place}/1", headers=markdown, content=TICKET).status_code == 403
    with served.client(served.operator) as client:
        refused = [
            client.put(f"{place}/1", content=TICKET),
            client.put(f"{place}/1", headers=markdown, content=b" "),
        ]
    page = (PROJECT / PAGE).read_text("utf-8")
    assert [each.status_code for each in refused] == [400, 422]
    for each in refused:
        words = re.findall(rf"^\| {each.status_code} \| `(.+?)` \|", page, re.MULTILINE)
        assert words
        assert words[0] in each.json()["error"]["message"]


def shown() -> str:
    """What the page shows of an answer."""
    text = (PROJECT / PAGE).read_text("utf-8").partition("```text\n")[2]
    return text.partition("```")[0].strip()
