"""Which chunker a plan asks for."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.from_thread
import numpy as np
from numpy.typing import NDArray

from ken.knowledge.chunkers import fixed, semantic, sentence, sliding, structural
from ken.knowledge.chunkers.chunker import Chunker, Chunking
from ken.knowledge.chunkers.fixed import Fixed
from ken.knowledge.chunkers.semantic import Semantic
from ken.knowledge.chunkers.sentence import BySentence
from ken.knowledge.chunkers.sliding import Sliding
from ken.knowledge.chunkers.structural import Structural
from ken.models.protocols import Embedder, TokenCounter


def chunker(plan: Chunking, *, tokens: TokenCounter, embedder: Embedder) -> Chunker:
    """What cuts by this plan. It is to be called in a worker thread of the event loop that the embedder runs in."""

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        return anyio.from_thread.run(embedder.embed, texts)

    match plan.chunker:
        case "structural":
            return Structural(plan, tokens)
        case "fixed":
            return Fixed(plan, tokens)
        case "sentence":
            return BySentence(plan, tokens)
        case "sliding":
            return Sliding(plan, tokens)
        case "semantic":
            return Semantic(plan, tokens, vectors)


def lineage(plan: Chunking) -> str:
    """Names everything that decides where passages are cut."""
    return f"{_VERSIONS[plan.chunker]} {plan}"


_VERSIONS = {
    "structural": structural.VERSION,
    "fixed": fixed.VERSION,
    "sentence": sentence.VERSION,
    "sliding": sliding.VERSION,
    "semantic": semantic.VERSION,
}
