"""Documents, their passages and features; what is current, what is staged, and the corpus version."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from ken.domain.document import Document, Passage
from ken.errors import StorageError
from ken.storage.database import Database
from ken.storage.schema import documents, failures, features, home, passages, sources

_BATCH = 500
"""Keys asked for in one statement: far below SQLite's limit of 32,766 parameters."""

_SHOWN = (
    *(column for column in documents.c if column.name != "text"),
    sa.func.length(documents.c.text).label("characters"),
)
"""A document without its text."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One kind of index input of a document version, as bytes; knowledge/features.py knows what they mean."""

    kind: str
    spans: bytes
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where documents come from. Times are seconds since the epoch."""

    id: str
    kind: str
    location: str
    collection: str
    default_groups: frozenset[str]
    synced_at: float | None = None
    documents: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    """Path and reason of each file that the last sync could not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A parsed version on its way in."""

    document: Document
    text: str
    passages: tuple[Passage, ...]
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The corpus at one moment; documents by id."""

    corpus_version: int
    generation: str
    documents: tuple[Document, ...]


class Documents:
    """The aggregate. A version is staged first; `commit` makes a set of versions current in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> tuple[int, str]:
        """The corpus version and the name of its index; the name is empty where none has been built."""
        # Asked twice for each question: one statement, past SQLAlchemy's compiler.
        query = "SELECT key, value FROM home WHERE key IN ('corpus_version', 'index_generation')"
        with self._database.read() as connection:
            found = {str(row.key): str(row.value) for row in connection.exec_driver_sql(query)}
        return int(found.get("corpus_version", 0)), found.get("index_generation", "")

    def snapshot(self) -> Snapshot:
        """The corpus version, its index and its documents, as of one moment."""
        with self._database.read() as connection:
            found = connection.execute(sa.select(*_SHOWN).where(documents.c.current).order_by(documents.c.id)).all()
            return Snapshot(_version(connection), _generation(connection), tuple(_document(row) for row in found))

    def all_versions(self) -> dict[str, str]:
        """Current version of every document, by id."""
        query = sa.select(documents.c.id, documents.c.version).where(documents.c.current).order_by(documents.c.id)
        with self._database.read() as connection:
            return {row.id: row.version for row in connection.execute(query)}

    def versions(self, source: str) -> dict[str, str]:
        """Current version of each document of a source, by document id."""
        query = sa.select(documents.c.id, documents.c.version).where(documents.c.source == source, documents.c.current)
        with self._database.read() as connection:
            return {row.id: row.version for row in connection.execute(query)}

    def source_of(self, document_id: str) -> str | None:
        """The source of a current document, or None where there is no such document."""
        query = sa.select(documents.c.source).where(documents.c.id == document_id, documents.c.current)
        with self._database.read() as connection:
            return connection.scalar(query)

    def is_staged(self, document_id: str, version: str, *, source: str) -> bool:
        """Whether an earlier, interrupted sync of this source left this version ready."""
        query = sa.select(documents.c.id).where(
            documents.c.id == document_id,
            documents.c.version == version,
            documents.c.source == source,
            ~documents.c.current,
        )
        with self._database.read() as connection:
            return connection.scalar(query) is not None

    def stage(self, staged: Staged) -> None:
        """Write a version that is not current yet; what an interrupted sync left under its name is replaced."""
        document = staged.document
        name = {"document_id": document.id, "version": document.version}
        with self._database.write() as connection:
            _purge(connection, [(document.id, document.version)])
            connection.execute(sa.insert(documents).values(**_document_row(staged), current=False))
            rows = [
                {
                    **name,
                    "ordinal": passage.ordinal,
                    "start": passage.start,
                    "end": passage.end,
                    "heading_path": list(passage.heading_path),
                    "page": passage.page,
                    "text": passage.text,
                    "tokens": passage.tokens,
                }
                for passage in staged.passages
            ]
            if rows:
                connection.execute(sa.insert(passages), rows)
            connection.execute(
                sa.insert(features),
                [{**name, "kind": part.kind, "spans": part.spans, "data": part.data} for part in staged.features],
            )

    def commit(self, source: Source, chosen: Mapping[str, str], *, generation: str) -> int:
        """Make `chosen` (document id -> version) the documents of a source; return the corpus version.

        Documents and versions that are not chosen are deleted with everything that hangs from them, staged ones too.
        `generation` names the index that was built for the corpus as it will be. One transaction: a crash leaves the
        corpus as it was before or as it is after.
        """
        with self._database.write() as connection:
            own = sa.select(documents.c.id, documents.c.version, documents.c.current).where(
                documents.c.source == source.id
            )
            rows = connection.execute(own).all()
            gone = [(row.id, row.version) for row in rows if chosen.get(row.id) != row.version]
            arriving = [(row.id, row.version) for row in rows if not row.current and chosen.get(row.id) == row.version]
            changed = arriving or any(row.current and chosen.get(row.id) != row.version for row in rows)
            _purge(connection, gone)
            for document_id, version in arriving:
                connection.execute(
                    sa.update(documents)
                    .where(documents.c.id == document_id, documents.c.version == version)
                    .values(current=True, synced_at=time.time())
                )
            _record_source(connection, source)
            _set(connection, "index_generation", generation)
            if changed:
                _relink(connection)
                _set(connection, "corpus_version", str(_version(connection) + 1))
            return _version(connection)

    def repoint(self, corpus_version: int, *, generation: str) -> bool:
        """Name the index of a corpus version after it was built anew; False where the corpus has moved on meanwhile."""
        with self._database.write() as connection:
            is_current = _version(connection) == corpus_version
            if is_current:
                _set(connection, "index_generation", generation)
        return is_current

    def sources(self) -> tuple[Source, ...]:
        """Every source with its document count and the failures of its last sync."""
        with self._database.read() as connection:
            current = sa.select(documents.c.source, sa.func.count()).where(documents.c.current)
            counts = {source: int(count) for source, count in connection.execute(current.group_by(documents.c.source))}
            failed: dict[str, list[tuple[str, str]]] = {}
            for row in connection.execute(sa.select(failures).order_by(failures.c.path)):
                failed.setdefault(row.source, []).append((row.path, row.reason))
            return tuple(
                Source(
                    id=row.id,
                    kind=row.kind,
                    location=row.location,
                    collection=row.collection,
                    default_groups=frozenset(row.default_groups),
                    synced_at=row.synced_at,
                    documents=counts.get(row.id, 0),
                    failures=tuple(failed.get(row.id, ())),
                )
                for row in connection.execute(sa.select(sources).order_by(sources.c.id))
            )

    def get(self, document_id: str) -> Document | None:
        """A current document, or None."""
        query = sa.select(*_SHOWN).where(documents.c.id == document_id, documents.c.current)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _document(row)

    def text(self, document_id: str) -> str:
        """The parsed text of a current document; empty where there is none."""
        query = sa.select(documents.c.text).where(documents.c.id == document_id, documents.c.current)
        with self._database.read() as connection:
            return connection.scalar(query) or ""

    def passages_of(self, document_id: str) -> tuple[Passage, ...]:
        """Passages of a current document, in order."""
        query = (
            sa.select(passages)
            .join(documents, _same_version())
            .where(documents.c.id == document_id, documents.c.current)
            .order_by(passages.c.ordinal)
        )
        with self._database.read() as connection:
            return tuple(_passage(row) for row in connection.execute(query))

    def passages_by_version(self, versions: Mapping[str, str]) -> Iterator[list[Passage]]:
        """The passages of each of `versions` (document id -> version), in that order, each in reading order."""
        key = sa.tuple_(passages.c.document_id, passages.c.version)
        wanted = list(versions.items())
        with self._database.read() as connection:
            for at in range(0, len(wanted), _BATCH):
                batch = wanted[at : at + _BATCH]
                query = sa.select(passages).where(key.in_(batch)).order_by(passages.c.document_id, passages.c.ordinal)
                found: dict[tuple[str, str], list[Passage]] = {name: [] for name in batch}
                for row in connection.execute(query):
                    found[row.document_id, row.version].append(_passage(row))
                yield from found.values()

    def features(self, kind: str, versions: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
        """Spans and data of one kind for each of `versions` (document id -> version), in that order.

        Raises StorageError where a version is no longer there: a sync has taken it away meanwhile.
        """
        key = sa.tuple_(features.c.document_id, features.c.version)
        wanted = list(versions.items())
        with self._database.read() as connection:
            for at in range(0, len(wanted), _BATCH):
                batch = wanted[at : at + _BATCH]
                query = sa.select(features).where(key.in_(batch), features.c.kind == kind)
                found = {(row.document_id, row.version): (row.spans, row.data) for row in connection.execute(query)}
                if len(found) < len(batch):
                    raise StorageError("Documents changed while their index was built. Try again.")
                for name in batch:
                    yield found[name]


def _same_version() -> sa.ColumnElement[bool]:
    return sa.and_(documents.c.id == passages.c.document_id, documents.c.version == passages.c.version)


def _purge(connection: sa.Connection, versions: Iterable[tuple[str, str]]) -> None:
    for document_id, version in versions:
        for table in (features, passages):
            connection.execute(sa.delete(table).where(table.c.document_id == document_id, table.c.version == version))
        connection.execute(sa.delete(documents).where(documents.c.id == document_id, documents.c.version == version))


def _record_source(connection: sa.Connection, source: Source) -> None:
    connection.execute(sa.delete(failures).where(failures.c.source == source.id))
    connection.execute(sa.delete(sources).where(sources.c.id == source.id))
    now = time.time()
    connection.execute(
        sa.insert(sources).values(
            id=source.id,
            kind=source.kind,
            location=source.location,
            collection=source.collection,
            default_groups=sorted(source.default_groups),
            synced_at=now,
        )
    )
    reasons: dict[str, str] = {}
    for path, reason in source.failures:  # two files may look the same by name, and both have failed
        reasons[path] = f"{reasons[path]} {reason}" if path in reasons else reason
    rows = [{"source": source.id, "path": path, "reason": reason, "at": now} for path, reason in reasons.items()]
    if rows:
        connection.execute(sa.insert(failures), rows)


def _relink(connection: sa.Connection) -> None:
    """Work out which documents are superseded: `supersedes` is a path from the collection's root or the document's folder."""
    connection.execute(sa.update(documents).where(documents.c.superseded_by.is_not(None)).values(superseded_by=None))
    query = (
        sa.select(documents.c.id, documents.c.collection, documents.c.path, documents.c.supersedes)
        .where(documents.c.current, documents.c.supersedes.is_not(None))
        .order_by(documents.c.id)
    )
    for row in connection.execute(query).all():
        named = row.supersedes.lstrip("/")
        places = (named, posixpath.join(posixpath.dirname(row.path), named))
        targets = [f"{row.collection}/{posixpath.normpath(place)}" for place in places]
        connection.execute(
            sa.update(documents)
            .where(documents.c.id.in_(targets), documents.c.id != row.id, documents.c.current)
            .values(superseded_by=row.id)
        )


def _version(connection: sa.Connection) -> int:
    value = connection.scalar(sa.select(home.c.value).where(home.c.key == "corpus_version"))
    return int(value) if value is not None else 0


def _generation(connection: sa.Connection) -> str:
    return connection.scalar(sa.select(home.c.value).where(home.c.key == "index_generation")) or ""


def _set(connection: sa.Connection, key: str, value: str) -> None:
    connection.execute(sa.delete(home).where(home.c.key == key))
    connection.execute(sa.insert(home).values(key=key, value=value))


def _document_row(staged: Staged) -> dict[str, object]:
    document = staged.document
    return {
        "id": document.id,
        "version": document.version,
        "collection": document.collection,
        "path": document.path,
        "source": document.source,
        "title": document.title,
        "media_type": document.media_type,
        "markup": document.markup,
        "groups": sorted(document.groups),
        "owner": document.owner,
        "effective": document.effective,
        "review_by": document.review_by,
        "supersedes": document.supersedes,
        "superseded_by": None,
        "text": staged.text,
        "passages": document.passages,
        "synced_at": document.synced_at,
    }


def _document(row: sa.Row[tuple[object, ...]]) -> Document:
    return Document(
        id=row.id,
        collection=row.collection,
        path=row.path,
        source=row.source,
        title=row.title,
        version=row.version,
        media_type=row.media_type,
        markup=row.markup,
        groups=frozenset(row.groups),
        owner=row.owner,
        effective=row.effective,
        review_by=row.review_by,
        supersedes=row.supersedes,
        superseded_by=row.superseded_by,
        characters=row.characters,
        passages=row.passages,
        synced_at=row.synced_at,
    )


def _passage(row: sa.Row[tuple[object, ...]]) -> Passage:
    return Passage(
        document_id=row.document_id,
        version=row.version,
        ordinal=row.ordinal,
        start=row.start,
        end=row.end,
        heading_path=tuple(row.heading_path),
        page=row.page,
        text=row.text,
        tokens=row.tokens,
    )
