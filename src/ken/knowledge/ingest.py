"""One file on its way in: bytes become a staged document version."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import anyio.to_thread

from ken.domain.document import Document, ParsedDocument, Passage
from ken.errors import Unreadable
from ken.knowledge.chunking import Chunking, Piece, chunk
from ken.knowledge.features import Features, compute
from ken.knowledge.parse.parser import SUPPORTED, IsolatedParser
from ken.models.protocols import Embedder, TokenCounter
from ken.storage.documents import Documents, Feature, Staged

_CODE_VERSION = 1
"""Raised when parsing, chunking or analysing changes, so that the next sync takes every document anew."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """Parses, cuts, embeds and stages documents with one index configuration."""

    store: Documents
    parser: IsolatedParser
    embedder: Embedder
    tokens: TokenCounter
    plan: Chunking

    @property
    def configuration(self) -> str:
        """Names everything besides a file's bytes that shapes its version."""
        return f"{_CODE_VERSION} {self.plan} {self.embedder.name}"

    def version(self, data: bytes, default_groups: frozenset[str]) -> str:
        """The version that these bytes have in a source with these default groups: hex SHA-256."""
        digest = hashlib.sha256(f"{self.configuration}\n{sorted(default_groups)}\n".encode())
        digest.update(data)
        return digest.hexdigest()

    async def stage(
        self, document_id: str, data: bytes, *, source: str, default_groups: frozenset[str]
    ) -> tuple[Document, tuple[str, ...]]:
        """Stage one document; return it with the parser's warnings. Raises Unreadable, ModelError, StorageError."""
        collection, _, path = document_id.partition("/")
        parsed = await anyio.to_thread.run_sync(partial(self.parser.parse, data, name=path))
        pieces = await anyio.to_thread.run_sync(chunk, parsed, self.tokens, self.plan)
        if not pieces:
            raise Unreadable(f"{path!r} holds no text. Remove it, or put text into it.")
        title = parsed.metadata.title or PurePosixPath(path).stem
        features = await compute(parsed, title, pieces, self.embedder, self.tokens)
        version = self.version(data, default_groups)
        document = Document(
            id=document_id,
            collection=collection,
            path=path,
            source=source,
            title=title,
            version=version,
            media_type=SUPPORTED[PurePosixPath(path).suffix.lower()],
            markup=parsed.markup,
            groups=parsed.metadata.groups if parsed.metadata.groups is not None else default_groups,
            owner=parsed.metadata.owner,
            effective=parsed.metadata.effective,
            review_by=parsed.metadata.review_by,
            supersedes=parsed.metadata.supersedes,
            superseded_by=None,
            characters=len(parsed.text),
            passages=len(pieces),
            synced_at=time.time(),
        )
        staged = Staged(
            document=document,
            text=parsed.text,
            passages=tuple(_passage(document, parsed, ordinal, piece) for ordinal, piece in enumerate(pieces)),
            features=_features(features),
        )
        await anyio.to_thread.run_sync(self.store.stage, staged)
        return document, parsed.warnings


def _passage(document: Document, parsed: ParsedDocument, ordinal: int, piece: Piece) -> Passage:
    return Passage(
        document_id=document.id,
        version=document.version,
        ordinal=ordinal,
        start=piece.start,
        end=piece.end,
        heading_path=piece.heading_path,
        page=piece.page,
        text=parsed.text[piece.start : piece.end],
    )


def _features(found: Features) -> tuple[Feature, ...]:
    return (
        Feature("terms", found.term_counts.tobytes(), found.terms.tobytes()),
        Feature("windows", found.window_spans.tobytes(), found.windows.tobytes()),
        Feature("sentences", found.sentence_spans.tobytes(), found.sentences.tobytes()),
        Feature("sentence_terms", found.sentence_term_counts.tobytes(), found.sentence_terms.tobytes()),
    )
