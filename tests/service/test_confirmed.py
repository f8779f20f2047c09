"""A confirmed answer is one more way to its passages, for whoever may read the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ken.domain.answer import Answer, Citation, Question
from ken.domain.principal import Principal
from ken.domain.trace import About, Feedback, Origin
from ken.search_settings import SearchSettings
from ken.settings import load
from ken.telemetry.tracing import TraceBuilder
from ken.wiring import open_home
from tests.service.events import ask
from tests.service.serving import Served, serving

PAGES = {
    "kettle.md": "# Kettle\n\nThe kettle in the tea kitchen is descaled with vinegar every Friday by the night watch.\n",
    "descaling.md": "# Descaling\n\nDescaling means to take lime out of a machine. Lime comes from hard water.\n",
    "vault.md": "---\ngroups: [office]\n---\n\n# Vault\n\nThe vault of the harbour is opened by two people with two keys.\n",
}
QUESTION = "Who descales the kettle in the tea kitchen?"
NEAR = "Who is it that descales the tea kitchen kettle?"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A Ken that learns from confirmed answers."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _sync(tmp_path)).result()
    with serving(tmp_path / "home", search=SearchSettings(confirmed=True)) as ken:
        yield ken


async def _sync(place: Path) -> None:
    (place / "pages").mkdir(exist_ok=True)
    for name, text in PAGES.items():
        (place / "pages" / name).write_text(text, encoding="utf-8")
    ken = await open_home(load(place / "home"))
    try:
        await ken.library.sync_folder(place / "pages", collection="pages")
    finally:
        await ken.aclose()


def _order(client: httpx.Client, question: str) -> list[str]:
    found = client.get("/api/search", params={"q": question}).json()["evidence"]
    assert [each["relevance"] for each in found] == sorted((each["relevance"] for each in found), reverse=True)
    return [each["document"]["path"] for each in found]


def _confirm(served: Served, question: str, *, page: str, quote: str, helpful: bool = True) -> None:
    """Put on record that the clerk asked this, and was helped (or not) by an answer that quotes a page."""
    clerk = next(key.id for key in served.ken.keys.list() if key.name == "clerk")
    citation = Citation(
        number=1,
        answer_start=0,
        answer_end=1,
        document_id=f"pages/{page}",
        document_title=page,
        passage_id=f"pages/{page}#p0",
        version="v",
        start=0,
        end=1,
        quote=quote,
        support=1.0,
    )
    trace = TraceBuilder(Origin(trace_id="0" * 31 + "1")).finish(
        Question(text=question, principal=Principal(clerk)),
        Answer(trace_id="0" * 31 + "1", text="There.", outcome="answered", citations=(citation,)),
        about=About(corpus_version=1_000),
    )
    served.ken.recorder.record(trace)
    assert served.ken.recorder.flush()
    said = Feedback(trace_id=trace.id, principal=clerk, helpful=helpful, reason="", at=time.time())
    served.ken.feedback.put(said)


def test_a_confirmed_answer_lifts_its_passages(served: Served) -> None:
    """For a near question of the same scope: the search finds the same, in another order, until the thumb is taken back."""
    with served.client(served.clerk) as clerk, served.client(served.nobody) as nobody:
        before = _order(clerk, QUESTION)
        assert before[0] == "kettle.md"
        _confirm(served, NEAR, page="descaling.md", quote="Lime comes from hard water.")
        assert _order(clerk, QUESTION) == ["descaling.md", *(path for path in before if path != "descaling.md")]
        assert _order(nobody, QUESTION)[0] == "kettle.md"
        assert _order(clerk, "How is the vault of the harbour opened?")[0] == "vault.md"
        _confirm(served, NEAR, page="descaling.md", quote="Lime comes from hard water.", helpful=False)
        assert _order(clerk, QUESTION) == before


def test_a_passage_that_says_something_else_now_is_not_lifted(served: Served, tmp_path: Path) -> None:
    """What was confirmed has to stand there still; with its document it is gone for good."""
    with served.client(served.clerk) as clerk:
        _confirm(served, NEAR, page="descaling.md", quote="Lime comes from hard water.")
        assert _order(clerk, QUESTION)[0] == "descaling.md"
        (tmp_path / "pages" / "descaling.md").write_text(
            "# Descaling\n\nDescaling takes lime out of a machine.\n", "utf-8"
        )
        served.run(served.ken.library.sync_folder(tmp_path / "pages", collection="pages"))
        assert _order(clerk, QUESTION)[0] == "kettle.md"
    served.run(served.ken.library.remove_source(served.run(served.ken.library.status())[0].id))
    confirmed = served.ken.library.confirmed
    assert confirmed is not None
    assert confirmed.book.all() == ()


def test_a_confirmed_answer_opens_nothing(served: Served) -> None:
    """Who may not read a page doesn't find it, whatever was said of an answer from it."""
    _confirm(served, "Who opens the vault of the harbour?", page="vault.md", quote="two people with two keys")
    with served.client(served.nobody) as nobody:
        assert "vault.md" not in _order(nobody, "Who opens the vault of the harbour?")


def test_a_thumb_on_the_page_counts(served: Served) -> None:
    """The door that people use: ask, say that it helped."""
    with served.client(served.clerk) as clerk:
        trace_id = ask(clerk, QUESTION)[-1][1]["trace_id"]
        clerk.post("/api/feedback", json={"trace_id": trace_id, "helpful": True})
    confirmed = served.ken.library.confirmed
    assert confirmed is not None
    [known] = confirmed.book.all()
    assert known.question == QUESTION
    assert known.quotes[0][0] == "pages/kettle.md"
