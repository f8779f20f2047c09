"""The cross-encoder behind an endpoint against a real server: both forms of the wire, every way to fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.errors import ModelError, ModelInterrupted, ModelRefused
from ken.gateway.reranking import GatewayReranker
from ken.models.protocols import RerankPassage
from ken.models.rerank_endpoint import EndpointScores
from ken.models.reranking import RerankEndpoint, RerankRequest
from tests.models.embedding_server import EmbeddingServer, answers

KEY = "sk-planted-0123456789abcdef"
PASSAGES = [RerankPassage(7, "The ferry leaves at six."), RerankPassage(3, "The bakery opens."), RerankPassage(5, "Ä")]
TEXTS = [passage.text for passage in PASSAGES]


@pytest.fixture
async def server() -> AsyncGenerator[EmbeddingServer]:
    started = EmbeddingServer()
    await started.start()
    yield started
    await started.stop()


async def scores(server: EmbeddingServer, *, times: int = 1, timeout_s: float = 3.0) -> list[float]:
    endpoint = RerankEndpoint(base_url=server.url, model="bge", api_key=KEY, timeout_s=timeout_s)
    wire = EndpointScores(endpoint)
    reranker = GatewayReranker(wire, endpoint, close=wire.aclose)
    try:
        assert (await reranker.score("When?", [])).shape == (0,)
        for _ in range(times - 1):
            await reranker.score("When?", PASSAGES)
        return (await reranker.score("When?", PASSAGES)).tolist()
    finally:
        await reranker.aclose()


async def test_the_common_form(server: EmbeddingServer) -> None:
    """Question, documents and how many of them go out in one request; scores come back to their passages."""
    assert await scores(server) == pytest.approx([0, 1 / 3, 2 / 3])
    assert server.bodies == [{"model": "bge", "query": "When?", "documents": TEXTS, "top_n": 3}]
    assert server.paths == ["/v1/rerank"]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_the_bare_form(server: EmbeddingServer) -> None:
    """A server that wants `texts` gets them, from then on at once, and its list of scores is understood."""
    server.replies = [answers({"error": "missing field `texts` at line 1 column 40", "error_type": "Validation"}, 422)]
    server.always = answers([{"index": 1, "score": 0.9}, {"index": 0, "score": -2.5}, {"index": 2, "score": 0}])
    assert await scores(server, times=2) == pytest.approx([-2.5, 0.9, 0.0])
    bare = {"query": "When?", "texts": TEXTS, "truncate": True}
    assert [sorted(body) for body in server.bodies] == [["documents", "model", "query", "top_n"], *[sorted(bare)] * 2]
    assert server.bodies[1] == bare


@pytest.mark.parametrize(
    ("told", "usage", "units"),
    [
        ({"usage": {"total_tokens": 38}}, Usage(38), None),
        ({"meta": {"billed_units": {"search_units": 1}}}, None, 1),
        ({"meta": {"billed_units": {"search_units": -3}}}, None, None),
        ({"meta": {"billed_units": {"input_tokens": 10**20}}}, None, None),
        ({"meta": {"billed_units": {"input_tokens": 21, "search_units": 2}}}, Usage(21), 2),
        ({}, None, None),
    ],
)
async def test_what_is_billed_is_told(
    server: EmbeddingServer, told: dict[str, object], usage: Usage | None, units: int | None
) -> None:
    """Tokens as Jina and vLLM tell them, searches as Cohere does; where nothing is told, nothing is made up."""
    server.always = answers({"results": [{"index": 0, "relevance_score": 0.5}], **told})
    wire = EndpointScores(RerankEndpoint(base_url=server.url, model="bge"))
    request = RerankRequest(question="When?", documents=("one",), deadline=Deadline.after(3))
    (delta,) = [delta async for delta in wire.stream(request)]
    await wire.aclose()
    assert (delta.usage, delta.search_units) == (usage, units)


def results(*scored: tuple[object, object]) -> Any:  # noqa: ANN401 - a reply
    return answers({"results": [{"index": index, "relevance_score": score} for index, score in scored]})


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (answers({"message": f"invalid api token {KEY}"}, 401), ModelRefused, "api_key_env"),
        (answers({"error": "texts too long"}, 413), ModelRefused, "answered 413"),
        (answers(b"<html>hello</html>"), ModelInterrupted, "not answer with JSON"),
        (answers({"data": []}), ModelInterrupted, "not answer with scores"),
        (results((0, 0.5), (1, 0.4)), ModelInterrupted, "scored 2 of 3"),
        (results((0, 0.5), (0, 0.4), (1, 0.4)), ModelInterrupted, "scored 2 of 3"),
        (results((0, 0.5), (-1, 0.4), (1, 0.4)), ModelInterrupted, "not answer with scores"),
        (results((0, 0.5), (3, 0.4), (1, 0.4)), ModelInterrupted, "not answer with scores"),
        (results((0, None), (1, 0.4), (2, 0.4)), ModelInterrupted, "scored 2 of 3"),
        (
            answers(b'[{"index":0,"score":NaN},{"index":1,"score":1},{"index":2,"score":1}]'),
            ModelInterrupted,
            "scored 2",
        ),
    ],
)
async def test_every_failure_is_plain(server: EmbeddingServer, told: Any, kind: type[ModelError], words: str) -> None:  # noqa: ANN401 - a reply
    """An error names the reranker, its place and a remedy, and never the key."""
    server.always = told
    with pytest.raises(kind) as raised:
        await scores(server)
    message = str(raised.value)
    assert message.startswith(f"The reranker 'bge' at {server.url} ")
    assert words in message
    assert KEY not in message


async def test_one_that_is_late_is_not_waited_for(server: EmbeddingServer) -> None:
    """The time is for all tries together."""
    server.pause_s = 5.0
    with pytest.raises(ModelInterrupted, match="sent nothing in time"):
        await scores(server, timeout_s=0.2)
