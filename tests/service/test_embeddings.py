"""Embeddings at OpenAI's door, through OpenAI's own client."""

from __future__ import annotations

import numpy as np
import openai
import pytest

from ken.mock.serving import running_in_thread
from tests.service.door import Door
from tests.service.serving import serving

TEXTS = ["The crane lifts boats.", "A berth costs 14 euros a night.", "The crane lifts boats."]


def test_texts_become_vectors(door: Door) -> None:
    """One text or several, in their order; as base64, which the client asks for by itself, and as numbers."""
    with door.openai() as client:
        packed = client.embeddings.create(model="ken", input=TEXTS)
        plain = client.embeddings.create(model="ken", input=TEXTS, encoding_format="float")
        alone = client.embeddings.create(model="ken", input=TEXTS[1])
    vectors = np.array([each.embedding for each in packed.data])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3)
    assert np.allclose(vectors, np.array([each.embedding for each in plain.data]), atol=1e-6)
    assert np.allclose(vectors[0], vectors[2], atol=1e-6)
    assert np.allclose(vectors[1], alone.data[0].embedding, atol=0.05)
    assert [each.index for each in packed.data] == [0, 1, 2]
    assert packed.usage.prompt_tokens > alone.usage.prompt_tokens > 4


def test_the_embedder_has_a_name_and_its_own_length(door: Door) -> None:
    """It is listed, and may be called by it; another length, another model and an empty text are refused by name."""
    with door.openai() as client:
        listed = [model.id for model in client.models.list()]
        name = next(each for each in listed if "MiniLM" in each or "minilm" in each.lower())
        length = len(client.embeddings.create(model=name, input="a berth").data[0].embedding)
        assert len(client.embeddings.create(model=name, input="a berth", dimensions=length).data[0].embedding) == length
        for wrong, param in (
            ({"dimensions": length // 2}, "dimensions"),
            ({"input": ""}, "input"),
            ({"input": []}, "input"),
        ):
            with pytest.raises(openai.BadRequestError) as caught:
                client.embeddings.create(**{"model": name, "input": "a berth"} | wrong)
            assert caught.value.param == param
        with pytest.raises(openai.NotFoundError) as unknown:
            client.embeddings.create(model="ada", input="a berth")
    assert unknown.value.code == "model_not_found"


def test_an_endpoints_vectors_are_metered_for_the_caller(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With an embedder behind an endpoint, usage is the provider's, and the books say whose call it was."""
    home = tmp_path_factory.mktemp("embedding") / "home"
    with (
        running_in_thread() as mock,
        serving(home, embedder={"base_url": mock.url, "model": "mock-dim16"}, models=()) as served,
        openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.clerk, max_retries=0) as client,
    ):
        found = client.embeddings.create(model="mock-dim16", input=TEXTS, extra_headers={"x-ken-priority": "offline"})
        entry = mock.ledger.entries("mock-dim16")[-1]
        assert len(found.data[0].embedding) == 16
        assert found.usage.prompt_tokens == entry.input_tokens
        served.run(served.ken.providers.stacks.books.flush())
        assert any(
            cost.of.startswith("key-")
            for cost in served.ken.providers.stacks.books.ledger.costs("principal", since=0, until=1e12)
        )
