"""The embedder behind an endpoint against a real server: what goes out, every shape of answer, every way to fail."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import pytest

from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.errors import EmbedderChanged, ModelError, ModelInterrupted, ModelRefused, ModelUnavailable
from ken.gateway.embedding import GatewayEmbedder, measured
from ken.models.embedding import EmbedderEndpoint, EmbedRequest
from ken.models.openai_embedder import EndpointEmbeddings
from tests.models.embedding_server import EmbeddingServer, answers, vector_of

KEY = "sk-planted-0123456789abcdef"


class Blanks:
    """A token counter for which a word is a token."""

    def count(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Where words stand, in a text whose words are parted by one blank."""
        spans: list[tuple[int, int]] = []
        for word in text.split(" "):
            start = spans[-1][1] + 1 if spans else 0
            spans.append((start, start + len(word)))
        return spans


@pytest.fixture
async def server() -> AsyncGenerator[EmbeddingServer]:
    started = EmbeddingServer()
    await started.start()
    yield started
    await started.stop()


def embedder_at(url: str, length: int = 48, **more: Any) -> GatewayEmbedder:  # noqa: ANN401 - the endpoint's own
    given = {"question_s": 3.0, "timeout_s": 3.0, "patience_s": 3.0, "api_key": KEY, **more}
    endpoint = EmbedderEndpoint(base_url=url, model="m-1", **given)
    wire = EndpointEmbeddings(endpoint)
    return GatewayEmbedder(wire, endpoint, dimensions=length, tokens=Blanks(), close=wire.aclose)


async def embedded(embedder: GatewayEmbedder, texts: list[str]) -> np.ndarray:
    try:
        return await embedder.embed(texts)
    finally:
        await embedder.aclose()


def unit(text: str, dimensions: int = 48) -> np.ndarray:
    vector = vector_of(text, dimensions, 0)
    return vector / np.linalg.norm(vector)


async def test_what_goes_out_and_what_comes_back(server: EmbeddingServer) -> None:
    """Texts go out in batches with their prefixes and the key in its header; unit vectors come back in their order."""
    embedder = embedder_at(f"{server.url}/", 16, dimensions=16, batch_size=2, passage_prefix="p: ", query_prefix="q: ")
    vectors = await embedder.embed(["Häfen 👋", "", "the pier"])
    question = await embedder.embed_question("which \ud800 pier")
    await embedder.aclose()
    common = {"model": "m-1", "encoding_format": "base64", "dimensions": 16}
    sent = sorted(server.bodies, key=lambda body: str(body["input"]))
    assert sent == [
        {**common, "input": ["p: Häfen 👋", "p: "]},
        {**common, "input": ["p: the pier"]},
        {**common, "input": ["q: which ? pier"]},
    ]
    assert {each["Authorization"] for each in server.headers} == {f"Bearer {KEY}"}
    assert set(server.paths) == {"/v1/embeddings"}
    assert vectors.dtype == question.dtype == np.float32
    wanted = [unit(text, 16) for text in ("p: Häfen 👋", "p: ", "p: the pier")]
    assert np.allclose(vectors, wanted, atol=1e-6)
    assert np.allclose(question, unit("q: which ? pier", 16), atol=1e-6)
    assert KEY not in repr(embedder) + repr(embedder._endpoint)


async def test_numbers_instead_of_base64(server: EmbeddingServer) -> None:
    """A server that knows no `encoding_format` is asked without it from then on, and one that ignores it is understood."""
    server.is_base64 = False
    server.replies = [answers({"error": {"message": "Unknown parameter: 'encoding_format'."}}, 400)]
    embedder = embedder_at(server.url)
    assert np.allclose(await embedder.embed(["the pier"]), [unit("the pier")], atol=1e-6)
    await embedder.embed(["the pier"])
    await embedder.aclose()
    assert [("encoding_format" in body) for body in server.bodies] == [True, False, False]
    assert np.allclose(await embedded(embedder_at(server.url), ["the pier"]), [unit("the pier")], atol=1e-6)


async def test_a_text_over_the_window_is_cut(server: EmbeddingServer) -> None:
    """What the model can't read is left out by Ken's own count, with a tenth to spare, prefix included."""
    await embedded(embedder_at(server.url, max_tokens=64, passage_prefix="p: "), [" ".join(["word"] * 100), "short"])
    long, short = server.texts
    assert (len(long.split()), short) == (57, "p: short")
    assert long.startswith("p: word")


def data(*vectors: object, **more: object) -> dict[str, Any]:
    """An answer with these embeddings."""
    return {"data": [{"index": index, "embedding": vector, **more} for index, vector in enumerate(vectors)]}


SHORT = [1.0] * 47
GOOD = [1.0] * 48


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 12, "total_tokens": 12}, Usage(12)),
        ({"total_tokens": 9}, Usage(9)),
        ({"prompt_tokens": -1}, None),
        ({"prompt_tokens": "many"}, None),
        (None, None),
    ],
)
async def test_what_it_has_read_is_told(server: EmbeddingServer, told: object, usage: Usage | None) -> None:
    """The endpoint's own count goes along with the vectors; where it gives none, none is made up."""
    server.always = answers({**data(GOOD), "usage": told, "model": "m-1-0613"})
    wire = EndpointEmbeddings(EmbedderEndpoint(base_url=server.url, model="m-1"))
    request = EmbedRequest(texts=("one",), deadline=Deadline.after(3))
    (delta,) = [delta async for delta in wire.stream(request)]
    await wire.aclose()
    assert (delta.usage, delta.response_model, wire.name) == (usage, "m-1-0613", "m-1")


async def test_one_attempt_is_one_request(server: EmbeddingServer) -> None:
    """The wire asks once; asking again is the gateway's, which is told what it has to know for that."""
    server.always = answers({"error": {"message": "slow down"}}, 429, **{"Retry-After": "7"})
    with pytest.raises(ModelRefused) as raised:
        await embedded(embedder_at(server.url), ["one"])
    assert (raised.value.status, raised.value.retry_after_s, len(server.bodies)) == (429, 7.0, 1)


async def test_azure_has_its_own_address_and_header(server: EmbeddingServer) -> None:
    """The version stands in the address, the key in `api-key`."""
    url = server.url.replace("/v1", "/openai/deployments/small")
    await embedded(embedder_at(url, is_azure=True, api_version="2024-10-21"), ["one"])
    assert server.paths == ["/openai/deployments/small/embeddings?api-version=2024-10-21"]
    assert server.headers[0]["api-key"] == KEY
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (answers({"error": {"message": f"Incorrect API key provided: {KEY}."}}, 401), ModelRefused, "api_key_env"),
        (answers({"error": "model 'm-1' not found"}, 404), ModelRefused, "`model` or `base_url`"),
        (answers({"detail": [{"msg": "maximum context length is 512 tokens"}]}, 400), ModelRefused, "context length"),
        (answers({}, 429, **{"Retry-After": "3600"}), ModelRefused, "raise the limit"),
        (answers(b"<html><h1>500</h1></html>", 500), ModelRefused, "answered 500: 500"),
        (answers(b"<html>hello</html>", **{"Content-Type": "text/html"}), ModelInterrupted, "not answer with JSON"),
        (answers([1, 2]), ModelInterrupted, "not answer with vectors"),
        (answers(data(GOOD)), ModelInterrupted, "sent 2 texts and answered with 1"),
        (answers(data(GOOD, GOOD, GOOD)), ModelInterrupted, "sent 2 texts and answered with 3"),
        (answers({"data": [{"index": 1, "embedding": GOOD}] * 2}), ModelInterrupted, "sent 2 texts"),
        (answers(data(GOOD, SHORT)), ModelInterrupted, "several lengths"),
        (answers(data(GOOD, [0.0] * 48)), ModelInterrupted, "points nowhere"),
        (answers(b'{"data": [{"embedding": [NaN]}, {"embedding": [1]}]}'), ModelInterrupted, "points nowhere"),
        (answers(data(GOOD, [1e300] * 48)), ModelInterrupted, "points nowhere"),
        (answers(data(GOOD, "no base64")), ModelInterrupted, "not answer with vectors"),
        (answers(data(GOOD, [[1.0]])), ModelInterrupted, "not answer with vectors"),
        (answers(data(SHORT, SHORT)), EmbedderChanged, "47 numbers, where those of the documents have 48"),
    ],
)
async def test_every_failure_is_plain(server: EmbeddingServer, told: Any, kind: type[ModelError], words: str) -> None:  # noqa: ANN401 - a reply
    """An error names the embedder, its place and a remedy, and never the key."""
    server.always = told
    with pytest.raises(kind) as raised:
        await embedded(embedder_at(server.url, patience_s=1.5), ["one", "two"])
    message = str(raised.value)
    assert type(raised.value) is kind
    assert message.startswith(f"The embedder 'm-1' at {server.url} ")
    assert words in message
    assert KEY not in message
    assert message.rstrip(".").count(". ") >= 1, f"no remedy: {message}"


async def test_nothing_there_or_nothing_in_time(server: EmbeddingServer) -> None:
    """A closed port and a server that doesn't answer end in an error after the time that a question has."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        embedder = embedder_at(url, question_s=0.3)
        with pytest.raises(ModelUnavailable, match="can't be reached"):
            await embedder.embed_question("Where?")
        await embedder.aclose()
    server.pause_s = 5.0
    embedder = embedder_at(server.url, question_s=0.3)
    with pytest.raises(ModelInterrupted, match="sent nothing in time"):
        await embedder.embed_question("Where?")
    await embedder.aclose()


async def test_the_space_is_named_by_what_makes_vectors(server: EmbeddingServer) -> None:
    """Another address, key or query prefix is the same space; another model, length, revision or passage prefix isn't."""

    def name(**more: Any) -> str:  # noqa: ANN401 - the endpoint's own
        return EmbedderEndpoint(**{"base_url": server.url, "model": "m-1", **more}).name

    assert {name(), name(base_url="http://elsewhere.example/v1"), name(api_key=KEY), name(query_prefix="q: ")} == {
        name()
    }
    others = [name(model="m-2"), name(dimensions=16), name(revision="2"), name(passage_prefix="p: ")]
    assert len({name(), *others}) == 5
    endpoint = EmbedderEndpoint(base_url=server.url, model="m-1", passage_prefix="p: ")
    wire = EndpointEmbeddings(endpoint)
    vector = await measured(wire, endpoint, text="the pier")
    await wire.aclose()
    assert np.allclose(vector, unit("p: the pier"), atol=1e-6)
