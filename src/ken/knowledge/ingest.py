"""One file on its way in: bytes become a staged document version."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import anyio.to_thread
import numpy as np

from ken.domain.document import Document, ParsedDocument, Passage
from ken.errors import Unreadable
from ken.knowledge.chunking import Chunking, Piece, chunk
from ken.knowledge.features import Features, compute
from ken.knowledge.parse.formats import SUPPORTED
from ken.knowledge.parse.parser import IsolatedParser
from ken.models.protocols import Embedder, TokenCounter
from ken.storage.documents import Documents, Feature, Staged
from ken.text.markup import plain

_CODE_VERSION = 1
"""Raised when parsing, chunking or analysing changes, so that the next sync takes every document anew."""
_FEATURES_VERSION = 2
"""Raised when the bytes of features change their meaning, so that nobody reads the old ones."""
_PREFIX = 8


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
        """The version that these bytes have in a source with these default groups: 64 hex digits.

        Eight for the vector space, eight for the index configuration, the rest for both groups and bytes.
        """
        digest = hashlib.sha256(f"{self.configuration}\n{sorted(default_groups)}\n".encode())
        digest.update(data)
        return self._prefix + digest.hexdigest()[2 * _PREFIX :]

    def is_comparable(self, version: str) -> bool:
        """Whether the vectors of a version lie in this embedder's space, and its features are of this layout."""
        return version[:_PREFIX] == self._prefix[:_PREFIX]

    def is_up_to_date(self, version: str) -> bool:
        """Whether a version was made with this index configuration."""
        return version[: 2 * _PREFIX] == self._prefix

    @property
    def _prefix(self) -> str:
        space = f"{_FEATURES_VERSION} {self.embedder.name} {self.embedder.dimensions}"
        return "".join(hashlib.sha256(name.encode()).hexdigest()[:_PREFIX] for name in (space, self.configuration))

    async def stage(
        self, document_id: str, data: bytes, *, source: str, default_groups: frozenset[str]
    ) -> tuple[Document, tuple[str, ...]]:
        """Stage one document; return it with the parser's warnings. Raises Unreadable, ModelError, StorageError."""
        collection, _, path = document_id.partition("/")
        parsed = await anyio.to_thread.run_sync(partial(self.parser.parse, data, name=path))
        pieces = await anyio.to_thread.run_sync(partial(chunk, parsed, self.tokens, plan=self.plan))
        if not pieces:
            raise Unreadable(f"{path!r} holds no text. Remove it, or put text into it.")
        title = parsed.metadata.title or PurePosixPath(path).stem
        features = await compute(parsed, title, pieces=pieces, embedder=self.embedder, tokens=self.tokens)
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
            passages=tuple(self._passage(document, parsed, ordinal, piece) for ordinal, piece in enumerate(pieces)),
            features=_features(features),
        )
        await anyio.to_thread.run_sync(self.store.stage, staged)
        return document, parsed.warnings

    def _passage(self, document: Document, parsed: ParsedDocument, ordinal: int, piece: Piece) -> Passage:
        text = parsed.text[piece.start : piece.end]
        return Passage(
            document_id=document.id,
            version=document.version,
            ordinal=ordinal,
            start=piece.start,
            end=piece.end,
            heading_path=piece.heading_path,
            page=piece.page,
            text=text,
            tokens=self.tokens.count(plain(text, parsed.markup)),
        )


def _packed(texts: Sequence[str]) -> tuple[bytes, bytes]:
    """Length in bytes of each text (int32), and their UTF-8, one after the other."""
    encoded = [text.encode() for text in texts]
    return np.array([len(text) for text in encoded], dtype=np.int32).tobytes(), b"".join(encoded)


def _features(found: Features) -> tuple[Feature, ...]:
    return (
        Feature("terms", found.term_counts.tobytes(), found.terms.tobytes()),
        Feature("windows", found.window_spans.tobytes(), found.windows.tobytes()),
        Feature("sentences", found.sentence_spans.tobytes(), found.sentences.tobytes()),
        Feature("quotes", *_packed(found.sentence_texts)),
        Feature("sentence_terms", found.sentence_term_counts.tobytes(), found.sentence_terms.tobytes()),
    )
