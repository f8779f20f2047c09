"""Document versions with vectors and nothing much else, in a real database: what an index of many windows is built from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document, Passage
from ken.knowledge import lexicon
from ken.knowledge.dense import quantised
from ken.knowledge.lexical import TERM_DTYPE, term_hash
from ken.storage.documents import Documents, Feature, Snapshot, Staged

DIMENSIONS = 48
PASSAGES = 10
"""Of each document; every third passage has two windows."""
WINDOWS = PASSAGES + PASSAGES // 3
GROUPS = 20
_CENTRES = np.random.default_rng(0).normal(size=(150, DIMENSIONS))


@cache
def windows_of(content: int) -> NDArray[np.float16]:
    """Shape (WINDOWS, DIMENSIONS): the same for one content at every run; they lie in clusters, as texts do."""
    draw = np.random.default_rng((1, content))
    vectors = _CENTRES[draw.integers(len(_CENTRES), size=WINDOWS)] + draw.normal(size=(WINDOWS, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def vector_bytes(content: int) -> list[bytes]:
    """Every form in which an index holds the vectors of a content."""
    exact = windows_of(content)
    return [row.tobytes() for each in (exact, quantised(exact.astype(np.float32))[0]) for row in each]


def questions(count: int) -> NDArray[np.float32]:
    """Shape (count, DIMENSIONS): vectors near those of some contents."""
    draw = np.random.default_rng(2)
    near = np.stack([windows_of(int(content))[0] for content in draw.integers(300, size=count)]).astype(np.float32)
    vectors = near + draw.normal(size=near.shape).astype(np.float32) * np.float32(0.08)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def stage(store: Documents, members: Mapping[str, int]) -> None:
    """Put documents (id -> content) into the database."""
    for document_id, content in members.items():
        store.stage(_staged(document_id, content))


def versions_of(members: Mapping[str, int]) -> dict[str, str]:
    """Document id -> version."""
    return {document_id: str(content) for document_id, content in sorted(members.items())}


def snapshot(members: Mapping[str, int], name: str) -> Snapshot:
    """These documents, as served from the index `name`."""
    return Snapshot(1, name, tuple(_document(document_id, content) for document_id, content in sorted(members.items())))


def group_of(document_id: str) -> str:
    """The group that may read a document."""
    return f"group-{int(document_id[-7:-3]) % GROUPS}"


def _document(document_id: str, content: int) -> Document:
    collection, _, path = document_id.partition("/")
    return Document(
        id=document_id,
        collection=collection,
        path=path,
        source="test",
        title=path,
        version=str(content),
        media_type="text/plain",
        markup="plain",
        groups=frozenset({group_of(document_id)}),
        owner=None,
        effective=None,
        review_by=None,
        supersedes=None,
        superseded_by=None,
        characters=PASSAGES,
        passages=PASSAGES,
        synced_at=0.0,
    )


def _staged(document_id: str, content: int) -> Staged:
    document = _document(document_id, content)
    passages = tuple(
        Passage(
            document_id=document_id,
            version=document.version,
            ordinal=ordinal,
            start=ordinal,
            end=ordinal + 1,
            heading_path=(),
            page=None,
            text="x",
            tokens=1,
        )
        for ordinal in range(PASSAGES)
    )
    owners = np.sort([*range(PASSAGES), *range(0, 3 * (PASSAGES // 3), 3)])
    spans = np.zeros((WINDOWS, 3), dtype=np.int32)
    spans[:, 0] = owners
    ones = np.ones(PASSAGES, dtype=np.int32)
    terms = np.zeros(PASSAGES, dtype=TERM_DTYPE)
    terms["term"], terms["body"] = term_hash(f"word{content % 7}"), 1
    sentences = np.zeros((PASSAGES, 4), dtype=np.int32)
    sentences[:, 0] = np.arange(PASSAGES)
    features = {
        "terms": (ones, terms),
        "windows": (spans, windows_of(content)),
        "sentences": (sentences, np.ones((PASSAGES, DIMENSIONS), dtype=np.int8)),
        "quotes": (ones, np.full(PASSAGES, ord("x"), dtype=np.uint8)),
        "sentence_terms": (ones, terms["term"]),
        "words": (0 * ones, np.empty(0, dtype=np.int8)),
    }
    blobs = [*_blobs(features.items()), Feature("lexicon", *lexicon.pack([], []))]
    return Staged(document=document, text="x" * PASSAGES, passages=passages, features=tuple(blobs))


def _blobs(features: Iterable[tuple[str, tuple[NDArray[np.generic], NDArray[np.generic]]]]) -> list[Feature]:
    return [Feature(kind, spans.tobytes(), np.ascontiguousarray(data).tobytes()) for kind, (spans, data) in features]
