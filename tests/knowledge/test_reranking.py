"""A cross-encoder at work in a search: it decides the order, and nothing depends on it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from ken.domain.answer import Question
from ken.domain.document import SearchResult
from ken.domain.events import Notice
from ken.domain.principal import LOCAL_OPERATOR
from tests.knowledge.homes import OPERATOR, PAPERS, opened, sync
from tests.models.embedding_server import EmbeddingServer, answers

QUESTION = "When does the ferry to the island leave?"
OLD = "# Fares\n\nThe ferry to the island costs four crowns.\n"
NEW = "---\nsupersedes: fares-of-old.md\n---\n# Fares\n\nThe ferry to the island costs five crowns.\n"


@pytest.fixture
async def server() -> AsyncGenerator[EmbeddingServer]:
    started = EmbeddingServer()
    await started.start()
    yield started
    await started.stop()


def wants(home: Path, server: EmbeddingServer, more: str = "") -> None:
    """Name the server in ken.toml."""
    (home / "ken.toml").write_text(f'[reranker]\nbase_url = "{server.url}"\nmodel = "bge"\ntimeout_s = 3.0\n{more}\n')


def order(result: SearchResult) -> list[str]:
    return [each.document.path for each in result.evidence]


async def test_it_decides_the_order_and_not_the_relevance(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """Passages come in its order with their scores; the relevance that there was goes down the new order."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        plain = await ken.library.search(QUESTION, OPERATOR)
    wants(home, server)
    async with opened(home) as ken:
        result = await ken.library.search(QUESTION, OPERATOR)
        assert order(result) == order(plain)[::-1]
        assert [each.relevance for each in result.evidence] == pytest.approx(
            [each.relevance for each in plain.evidence]
        )
        assert [each.reasons.rerank for each in result.evidence] == pytest.approx([2 / 3, 1 / 3, 0])
        assert result.notices == ()
        assert "rerank" in dict(result.timings_ms)
        assert "rerank" not in dict(plain.timings_ms)
        (body,) = server.bodies
        assert (body["query"], body["top_n"], len(body["documents"])) == (QUESTION, 3, 3)
        assert body["documents"][0] == "Ferry. Ferry The ferry to the island leaves at 06:40 every morning."
        assert order(await ken.library.search(QUESTION, OPERATOR, limit=1)) == order(result)[:1]
    wants(home, server, "candidates = 2")
    async with opened(home) as ken:
        first, second, third = order(plain)
        assert order(await ken.library.search(QUESTION, OPERATOR)) == [second, first, third]


async def test_without_it_the_order_of_the_search_stands(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """One that refuses, babbles, is late or is gone costs its order; the answer says so."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        plain = await ken.library.search(QUESTION, OPERATOR)
    wants(home, server)
    async with opened(home) as ken:
        for told in (answers({"error": "out of memory"}, 500), answers(b"<html>"), answers({"results": []})):
            server.always = told
            result = await ken.library.search(QUESTION, OPERATOR)
            assert order(result) == order(plain)
            assert {each.reasons.rerank for each in result.evidence} == {None}
            (notice,) = result.notices
            assert notice.startswith("The passages stand in the order of the search. The reranker 'bge' at ")
        server.always, server.pause_s = None, 5.0
        assert "took too long" in (await ken.library.search(QUESTION, OPERATOR)).notices[0]
        await server.stop()
        events = [event async for event in ken.examinee.answer(Question(text=QUESTION, principal=LOCAL_OPERATOR))]
        told_to_people = [event.text for event in events if isinstance(event, Notice)]
        assert any("The passages stand in the order of the search" in text for text in told_to_people)


async def test_what_was_superseded_stays_below(home: Path, folder: Path, server: EmbeddingServer) -> None:
    """A reranker reads no dates: the old rule that it likes best doesn't come before the new one."""
    wants(home, server)
    async with opened(home) as ken:
        await sync(ken, folder, {"fares.md": NEW, "fares-of-old.md": OLD})
        server.always = answers(
            {"results": [{"index": 0, "relevance_score": 0.1}, {"index": 1, "relevance_score": 0.9}]}
        )
        result = await ken.library.search("What does the ferry to the island cost?", OPERATOR)
        assert order(result) == ["fares.md", "fares-of-old.md"]
        assert server.bodies[-1]["documents"][1].endswith("costs four crowns.")


async def test_the_best_passages_can_be_read_anew(home: Path, folder: Path) -> None:
    """With `reread` their order is that of late interaction over whole vectors; relevance goes down it as it did before."""
    async with opened(home) as ken:
        await sync(ken, folder, PAPERS)
        plain = await ken.library.search(QUESTION, OPERATOR)
    (home / "ken.toml").write_text("[search]\nreread = 10\n")
    async with opened(home) as ken:
        result = await ken.library.search(QUESTION, OPERATOR)
    scores = [each.reasons.rerank for each in result.evidence]
    assert all(score is not None and -1 <= score <= 1 for score in scores)
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert len(set(scores)) > 1
    assert [each.relevance for each in result.evidence] == pytest.approx([each.relevance for each in plain.evidence])
    assert result.notices == ()
