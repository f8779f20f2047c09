"""An embedder that remembers gives the same vectors, and asks for each text once."""

from __future__ import annotations

import numpy as np
import pytest

from ken.models.protocols import ContextualEmbedder
from ken.models.remembering_embedder import remembering
from ken.wiring import Ken
from tests.knowledge.homes import Counting

TEXTS = ["The lamp is lit.", "A watch lasts 6 hours.", "The lamp is lit."]
PARTS = [[(0, 8), (9, 16)], [(0, 7)], [(0, 16)]]


@pytest.mark.parametrize("room", [10_000_000, 2000, 0])
async def test_vectors_are_those_of_the_embedder(ken: Ken, room: int) -> None:
    """Bit for bit, the first time and again, with a memory of any size."""
    own = ken.library.ingest.embedder
    assert isinstance(own, ContextualEmbedder)
    other = remembering(own, most_bytes=room)
    assert isinstance(other, ContextualEmbedder)
    for _ in range(2):
        assert np.array_equal(await other.embed(TEXTS), await own.embed(TEXTS))
        assert np.array_equal(await other.embed_question(TEXTS[0]), await own.embed_question(TEXTS[0]))
        for mine, theirs in zip(
            await other.embed_parts(TEXTS, PARTS), await own.embed_parts(TEXTS, PARTS), strict=True
        ):
            assert np.array_equal(mine, theirs)
    assert (await other.embed([])).shape == (0, own.dimensions)


async def test_a_text_is_embedded_once(ken: Ken) -> None:
    """Alone, or with the same parts in it; other parts are another question."""
    counting = Counting(ken.library.ingest.embedder)
    other = remembering(counting)
    assert isinstance(other, ContextualEmbedder)
    for _ in range(2):
        await other.embed(TEXTS)
    assert counting.texts == TEXTS[:2]
    for _ in range(2):
        await other.embed_parts(TEXTS, PARTS)
    assert counting.texts == [*TEXTS[:2], *TEXTS]
