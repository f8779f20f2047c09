"""Embedders and rerankers behind endpoints, called through the gateway: for whom, how often, and until when."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import numpy as np
import pytest

from ken.domain.call import CallContext, Purpose
from ken.domain.deadline import Deadline
from ken.errors import ModelInterrupted, ModelRefused
from ken.gateway.embedding import Embeddings, GatewayEmbedder, within
from ken.gateway.reranking import GatewayReranker
from ken.gateway.retry import Retry, RetryRules
from ken.gateway.vitals import Vital
from ken.models.embedding import EmbedDelta, EmbedderEndpoint, EmbedRequest
from ken.models.openai_embedder import EndpointEmbeddings
from ken.models.protocols import RerankPassage
from ken.models.rerank_endpoint import EndpointScores
from ken.models.reranking import RerankEndpoint
from tests.models.embedding_server import EmbeddingServer, answers, cuts_off
from tests.models.test_openai_embedder import Blanks, unit

MATE = CallContext(purpose=Purpose(principal="mate", stage="retrieve"))
RULES = RetryRules(backoff_s=0.02, least_s=0.0)


@pytest.fixture
async def server() -> AsyncGenerator[EmbeddingServer]:
    started = EmbeddingServer()
    await started.start()
    yield started
    await started.stop()


class Listening:
    """A wrapper of the seam that keeps for whom the dependency behind it is called."""

    def __init__(self, inner: Embeddings) -> None:
        self.name = inner.name
        self._inner = inner
        self.requests: list[EmbedRequest] = []
        self.ended = 0
        """Streams that were read to their end."""

    async def stream(self, request: EmbedRequest) -> AsyncGenerator[EmbedDelta]:
        """As the dependency behind it."""
        self.requests.append(request)
        async for delta in self._inner.stream(request):
            yield delta
        self.ended += 1


def embedder(
    embeddings: Embeddings, endpoint: EmbedderEndpoint, close: Callable[[], Awaitable[None]]
) -> GatewayEmbedder:
    return GatewayEmbedder(embeddings, endpoint, dimensions=48, tokens=Blanks(), close=close)


async def test_what_passes_is_tried_again(server: EmbeddingServer) -> None:
    """A connection that is cut and a 429 are waited out, as long as `Retry-After` says; each batch on its own."""
    server.replies = [cuts_off(), answers({}, 429, **{"Retry-After": "0.1"})]
    endpoint = EmbedderEndpoint(base_url=server.url, model="m-1", timeout_s=3.0)
    wire = EndpointEmbeddings(endpoint)
    vital = Vital("m-1")
    vectors = await embedder(Retry(wire, rules=RULES, vital=vital), endpoint, wire.aclose).embed(["the pier"])
    await wire.aclose()
    assert np.allclose(vectors, [unit("the pier")], atol=1e-6)
    assert len(server.bodies) == 3
    assert vital.retries == {"connection": 1, "429": 1}


async def test_the_wrong_key_is_not_tried_again(server: EmbeddingServer) -> None:
    """What another attempt can't change is said at once."""
    server.always = answers({"error": {"message": "no"}}, 401)
    endpoint = EmbedderEndpoint(base_url=server.url, model="m-1")
    wire = EndpointEmbeddings(endpoint)
    with pytest.raises(ModelRefused):
        await embedder(Retry(wire, rules=RULES, vital=Vital("m-1")), endpoint, wire.aclose).embed_question("Where?")
    await wire.aclose()
    assert len(server.bodies) == 1


async def test_a_call_is_for_whom_the_caller_says(server: EmbeddingServer) -> None:
    """Inside of `within` it is for that context, in every batch; outside, and after it, for a sync, each time anew."""
    endpoint = EmbedderEndpoint(base_url=server.url, model="m-1", batch_size=1)
    wire = EndpointEmbeddings(endpoint)
    heard = Listening(wire)
    asked = embedder(heard, endpoint, wire.aclose)
    with within(MATE):
        await asked.embed(["one", "two"])
        await asked.embed_question("three")
    await asked.embed_question("four")
    await asked.embed_question("five")
    await wire.aclose()
    contexts = [request.context for request in heard.requests]
    assert all(context is MATE for context in contexts[:3])
    assert [(context.purpose.stage, context.purpose.is_offline) for context in contexts[3:]] == [("sync", True)] * 2
    assert contexts[3].account is not contexts[4].account
    assert heard.ended == len(contexts)  # none was abandoned


async def test_the_deadline_of_a_question_is_its_embedders(server: EmbeddingServer) -> None:
    """What the table allows is cut to the time that the question has left."""
    server.pause_s = 5.0
    endpoint = EmbedderEndpoint(base_url=server.url, model="m-1", question_s=60.0)
    wire = EndpointEmbeddings(endpoint)
    began = time.monotonic()
    with within(MATE, Deadline.after(0.2)), pytest.raises(ModelInterrupted, match="in time"):
        await embedder(wire, endpoint, wire.aclose).embed_question("Where?")
    await wire.aclose()
    assert time.monotonic() - began < 4


async def test_a_reranker_is_asked_again_within_its_time(server: EmbeddingServer) -> None:
    """A 503 is tried again; where the endpoint asks to wait longer than a question can, its error stands."""
    server.replies = [answers({}, 503), answers({}, 503, **{"Retry-After": "30"})]
    endpoint = RerankEndpoint(base_url=server.url, model="bge", timeout_s=5.0)
    wire = EndpointScores(endpoint)
    reranker = GatewayReranker(Retry(wire, rules=RULES, vital=Vital("bge")), endpoint, close=wire.aclose)
    with pytest.raises(ModelRefused, match="503"):
        await reranker.score("When?", [RerankPassage(0, "one"), RerankPassage(1, "two")])
    assert len(server.bodies) == 2
    assert (await reranker.score("When?", [RerankPassage(0, "one"), RerankPassage(1, "two")])).tolist() == [0, 0.5]
    await reranker.aclose()
