"""Which chunker a plan asks for."""

from __future__ import annotations

from ken.knowledge.chunkers import structural
from ken.knowledge.chunkers.chunker import Chunker, Chunking
from ken.knowledge.chunkers.structural import Structural
from ken.models.protocols import Embedder, TokenCounter

_VERSIONS = {"structural": structural.VERSION}


def chunker(plan: Chunking, *, tokens: TokenCounter, embedder: Embedder) -> Chunker:
    """What cuts by this plan."""
    return Structural(plan, tokens)


def lineage(plan: Chunking) -> str:
    """Names everything that decides where passages are cut."""
    return f"{_VERSIONS[plan.chunker]} {plan}"
