"""One document on its way in: bytes become a staged document version."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import get_args

import anyio.to_thread
import numpy as np

import ken
from ken.domain.document import Block, BlockKind, Document, Lineage, Metadata, ParsedDocument, Passage
from ken.errors import NotFound, Unreadable
from ken.knowledge import lexicon
from ken.knowledge.chunkers.choice import chunker, lineage
from ken.knowledge.chunkers.chunker import Chunking, Piece
from ken.knowledge.features import VERSION as FEATURES_VERSION
from ken.knowledge.features import Features, compute
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, media_type
from ken.knowledge.parse.parser import IsolatedParser
from ken.knowledge.permissions import Policy, narrowed
from ken.models.protocols import Embedder, TokenCounter
from ken.storage.documents import Documents, Feature, Staged

_PARSERS_VERSION = 2
"""Raised when parsing changes, so that the next sync takes every document anew."""
MOST_CHARACTERS = 5_000_000
"""Of one document, some 2,000 pages: more would take memory and minutes that belong to the questions of others."""
_PREFIX = 8
_CONTENT = 2 * _PREFIX + 32
"""Hex digits of a version that say what its passages were made of, and how."""
_BLOCK_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
"""Their numbers are stored: new kinds come at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A document as it comes from a source."""

    document_id: str
    """`collection/path`."""
    data: bytes
    source: str
    policy: Policy = field(default_factory=Policy)
    said: frozenset[str] | None = None
    """Who may read it, by the source; None where the source says nothing."""
    about: Metadata = field(default_factory=Metadata)
    """What the source knows of it."""
    url: str | None = None
    kind: str | None = None
    """Media type, where the path's suffix does not say it."""

    @property
    def path(self) -> str:
        """Its place in the collection."""
        return self.document_id.partition("/")[2]

    @property
    def media_type(self) -> str:
        """What it is read as. Raises Unreadable."""
        found = self.kind or media_type(self.path)
        if found is None or found not in BY_MEDIA_TYPE:
            what = repr(found) if found else "a file of no known suffix"
            raise Unreadable(
                f"{self.path!r} is {what}, which Ken does not read. docs/guides/documents.md lists what it reads."
            )
        return found


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
        """Names everything besides a document itself that shapes its passages; the embedder shapes their vectors alone."""
        return f"{_PARSERS_VERSION} {lineage(self.plan)}"

    def version(self, arrival: Arrival) -> str:
        """The version that a document will have: 64 hex digits, as `Document.version` says."""
        content = hashlib.sha256(f"{self.configuration}\n{arrival.media_type}\n{arrival.about.title}\n".encode())
        content.update(arrival.data)
        about = arrival.about
        said = [
            sorted(arrival.policy.default_groups),
            _listed(arrival.policy.of(arrival.path)),
            _listed(arrival.said),
            [arrival.url, about.owner, about.effective, about.review_by, about.supersedes, about.modified],
        ]
        attributes = hashlib.sha256(json.dumps(said).encode())
        return self._prefix + content.hexdigest()[: _CONTENT - 2 * _PREFIX] + attributes.hexdigest()[:16]

    def is_comparable(self, version: str) -> bool:
        """Whether the vectors of a version lie in this embedder's space, and its features are of this layout."""
        return version[:_PREFIX] == self._prefix[:_PREFIX]

    def is_up_to_date(self, version: str) -> bool:
        """Whether a version was made with this index configuration."""
        return version[: 2 * _PREFIX] == self._prefix

    def are_up_to_date(self, versions: Iterable[str]) -> bool:
        """Whether all of many versions were made with this index configuration."""
        return {version[: 2 * _PREFIX] for version in versions} <= {self._prefix}

    def is_cut_alike(self, version: str) -> bool:
        """Whether a version's passages are cut as this configuration says, whatever its vectors are."""
        return version[_PREFIX : 2 * _PREFIX] == self._prefix[_PREFIX:]

    @property
    def space(self) -> str:
        """Names the space of this embedder's vectors, and the layout of features: what versions begin with."""
        space = f"{FEATURES_VERSION} {self.embedder.name} {self.embedder.dimensions}"
        return hashlib.sha256(space.encode()).hexdigest()[:_PREFIX]

    def counterpart(self, version: str) -> str:
        """The version with the same passages in this embedder's space."""
        return self.space + version[_PREFIX:]

    @property
    def _prefix(self) -> str:
        return self.space + hashlib.sha256(self.configuration.encode()).hexdigest()[:_PREFIX]

    async def stage(self, arrival: Arrival) -> Document:
        """Stage one document; its `warnings` say what had to be mended. Raises Unreadable, ModelError, StorageError."""
        kind = BY_MEDIA_TYPE[arrival.media_type]
        name = arrival.path if media_type(arrival.path) == kind.media_type else arrival.path + kind.suffixes[0]
        parsed = await anyio.to_thread.run_sync(partial(self.parser.parse, arrival.data, name=name))
        version = self.version(arrival)
        alike = partial(self.store.with_content, arrival.document_id, version[:_CONTENT], but=version)
        known = await anyio.to_thread.run_sync(alike)
        if known is not None:
            passages = await anyio.to_thread.run_sync(partial(self.store.size, arrival.document_id, version=known))
            document = self._document(arrival, parsed, version, passages=passages)
            await anyio.to_thread.run_sync(partial(self.store.stage_again, document, parsed.text, of=known))
            return document
        if len(parsed.text) > MOST_CHARACTERS:
            raise Unreadable(
                f"{arrival.path!r} holds {len(parsed.text) / 1e6:.1f} million characters of text; at most "
                f"{MOST_CHARACTERS / 1e6:.0f} million are read. Split it."
            )
        cutter = chunker(self.plan, tokens=self.tokens, embedder=self.embedder)
        pieces = await anyio.to_thread.run_sync(cutter.cut, parsed)
        if not pieces:
            raise Unreadable(f"{arrival.path!r} holds no text. Remove it, or put text into it.")
        document = self._document(arrival, parsed, version, passages=len(pieces))
        await self._stage(document, parsed, pieces)
        return document

    async def cut_again(self, base: Document, parsed: ParsedDocument) -> str:
        """Stage a document of another home, cut and embedded as this one does it; return its version's name.

        Raises Unreadable (nothing is left to cut), ModelError, StorageError.
        """
        cutter = chunker(self.plan, tokens=self.tokens, embedder=self.embedder)
        pieces = await anyio.to_thread.run_sync(cutter.cut, parsed)
        if not pieces:
            raise Unreadable(f"{base.id!r} holds no text. Remove it, or put text into it.")
        made = self._prefix + base.version[2 * _PREFIX :]
        origin = replace(base.lineage, chunker=lineage(self.plan), embedder=self.embedder.name, ken=ken.__version__)
        await self._stage(replace(base, version=made, passages=len(pieces), lineage=origin), parsed, pieces)
        return made

    async def parsed(self, document: Document) -> ParsedDocument:
        """A document as it was parsed, from what is stored of it. Raises StorageError."""
        stored = await anyio.to_thread.run_sync(self._stored, document.id, document.version)
        return ParsedDocument(text=stored.text, blocks=stored.blocks, markup=document.markup)

    async def _stage(self, document: Document, parsed: ParsedDocument, pieces: Sequence[Piece]) -> None:
        features = await compute(
            parsed,
            document.title,
            pieces=pieces,
            embedder=self.embedder,
            tokens=self.tokens,
            prefix=self.plan.prefix,
        )
        staged = Staged(
            document=document,
            text=parsed.text,
            passages=_passages(document, parsed, pieces=pieces, features=features),
            features=_features(features, parsed.blocks),
        )
        await anyio.to_thread.run_sync(self.store.stage, staged)

    async def embed_again(self, document_id: str, version: str) -> str:
        """Stage the counterpart of a version, from what is stored of it; return its name.

        Its passages are the same, span for span; their vectors are this embedder's. Raises NotFound, ModelError, StorageError.
        """
        made = self.counterpart(version)
        if await anyio.to_thread.run_sync(self.store.get, document_id, made) is not None:
            return made
        base = await anyio.to_thread.run_sync(self.store.get, document_id, version)
        if base is None:
            raise NotFound(f"{document_id!r} changed while it was embedded anew. Try again.")
        document = replace(
            base, version=made, lineage=replace(base.lineage, embedder=self.embedder.name, ken=ken.__version__)
        )
        alike = partial(self.store.with_content, document_id, made[:_CONTENT], but=made)
        known = await anyio.to_thread.run_sync(alike)
        if known is not None:
            await anyio.to_thread.run_sync(self._stage_as, document, known)
            return made
        stored = await anyio.to_thread.run_sync(self._stored, document_id, version)
        parsed = ParsedDocument(text=stored.text, blocks=stored.blocks, markup=base.markup)
        await self._stage(document, parsed, stored.pieces)
        return made

    def _stored(self, document_id: str, version: str) -> _Stored:
        key = {document_id: version}
        (text,), (passages,) = self.store.texts(key), self.store.passages_by_version(key)
        ((spans, _),) = self.store.features("blocks", key)
        pieces = tuple(
            Piece(
                start=passage.start,
                end=passage.end,
                heading_path=passage.heading_path,
                page=passage.page,
                header=_header_span(text, passage),
            )
            for passage in passages
        )
        return _Stored(text=text, blocks=_unpacked(spans), pieces=pieces)

    async def narrow(self, document_id: str, allowed: frozenset[str]) -> str | None:
        """Stage the current version anew for those of its readers that `allowed` lets be; None where these are all.

        It differs from every version that is made of a document, so that the next one that can be read takes its place.
        """
        document = await anyio.to_thread.run_sync(self.store.newest, document_id)
        groups = narrowed(document.groups, allowed) if document is not None else None
        if document is None or groups is None or groups == document.groups:
            return None
        attributes = hashlib.sha256(json.dumps([document.version, sorted(groups)]).encode()).hexdigest()[:16]
        closed = replace(document, version=document.version[:_CONTENT] + attributes, groups=groups)
        await anyio.to_thread.run_sync(self._stage_as, closed, document.version)
        return closed.version

    def _stage_as(self, document: Document, of: str) -> None:
        (text,) = self.store.texts({document.id: of})
        self.store.stage_again(document, text, of=of)

    def _document(self, arrival: Arrival, parsed: ParsedDocument, version: str, *, passages: int) -> Document:
        own, about = parsed.metadata, arrival.about
        ruled = narrowed(arrival.said, arrival.policy.of(arrival.path))
        groups = narrowed(ruled, own.groups)
        warnings = parsed.warnings
        if groups is not None and not groups and ruled and own.groups:
            remark = (
                f"It names the groups {', '.join(sorted(own.groups))}, where {', '.join(sorted(ruled))} may read it: "
                "nobody but operators can. Name a group of both."
            )
            warnings = (*warnings, remark)
        return Document(
            id=arrival.document_id,
            collection=arrival.document_id.partition("/")[0],
            path=arrival.path,
            source=arrival.source,
            title=about.title or own.title or PurePosixPath(arrival.path).stem,
            version=version,
            media_type=arrival.media_type,
            markup=parsed.markup,
            groups=arrival.policy.default_groups if groups is None else groups,
            owner=own.owner or about.owner,
            effective=own.effective or about.effective,
            review_by=own.review_by or about.review_by,
            supersedes=own.supersedes or about.supersedes,
            superseded_by=None,
            characters=len(parsed.text),
            passages=passages,
            synced_at=time.time(),
            modified=own.modified or about.modified,
            url=arrival.url,
            lineage=Lineage(
                parser=f"{BY_MEDIA_TYPE[arrival.media_type].function} {_PARSERS_VERSION}",
                chunker=lineage(self.plan),
                features=str(FEATURES_VERSION),
                embedder=self.embedder.name,
                ken=ken.__version__,
            ),
            warnings=warnings,
        )


def _passages(
    document: Document, parsed: ParsedDocument, *, pieces: Sequence[Piece], features: Features
) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            document_id=document.id,
            version=document.version,
            ordinal=ordinal,
            start=piece.start,
            end=piece.end,
            heading_path=piece.heading_path,
            page=piece.page,
            text=parsed.text[piece.start : piece.end],
            tokens=int(features.tokens[ordinal]),
            header=parsed.text[slice(*piece.header)] if piece.header else "",
        )
        for ordinal, piece in enumerate(pieces)
    )


def space_of(version: str) -> str:
    """What a version says of the space of its vectors."""
    return version[:_PREFIX]


def of_any_space(version: str) -> str:
    """What a version says of a document whatever it was embedded with."""
    return version[_PREFIX:]


def _listed(groups: frozenset[str] | None) -> list[str] | None:
    return None if groups is None else sorted(groups)


def _packed(texts: Sequence[str]) -> tuple[bytes, bytes]:
    """Length in bytes of each text (int32), and their UTF-8, one after the other."""
    encoded = [text.encode() for text in texts]
    return np.array([len(text) for text in encoded], dtype=np.int32).tobytes(), b"".join(encoded)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What a version's vectors are computed from."""

    text: str
    blocks: tuple[Block, ...]
    pieces: tuple[Piece, ...]


def _header_span(text: str, passage: Passage) -> tuple[int, int] | None:
    """Where the header stands that a passage repeats: above it, and read the same wherever it stands."""
    start = text.rfind(passage.header, 0, passage.start) if passage.header else -1
    return None if start < 0 else (start, start + len(passage.header))


def _unpacked(spans: bytes) -> tuple[Block, ...]:
    return tuple(
        Block(kind=_BLOCK_KINDS[kind], start=start, end=end, level=level, page=page or None)
        for kind, start, end, level, page in np.frombuffer(spans, dtype=np.int32).reshape(-1, 5).tolist()
    )


def _features(found: Features, blocks: Sequence[Block]) -> tuple[Feature, ...]:
    rows = [(_BLOCK_KINDS.index(each.kind), each.start, each.end, each.level, each.page or 0) for each in blocks]
    return (
        Feature("blocks", np.array(rows, dtype=np.int32).tobytes(), b""),
        Feature("terms", found.term_counts.tobytes(), found.terms.tobytes()),
        Feature("windows", found.window_spans.tobytes(), found.windows.tobytes()),
        Feature("sentences", found.sentence_spans.tobytes(), found.sentences.tobytes()),
        Feature("quotes", *_packed(found.sentence_texts)),
        Feature("sentence_terms", found.sentence_term_counts.tobytes(), found.sentence_terms.tobytes()),
        Feature("words", found.word_counts.tobytes(), found.word_vectors.tobytes()),
        Feature("lexicon", *lexicon.pack(found.words, found.definitions)),
    )
