"""Documents, their passages and features: what is served, what is current, and staging what comes.

*Served* is the corpus version in use, which readers see; *current* is the newest one, which syncs build on. They differ
while an operator holds an older one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from ken.domain.document import Document, Lineage, Passage
from ken.errors import StorageError
from ken.storage.database import Database
from ken.storage.schema import documents, features, home, memberships, passages

_BATCH = 500
"""Keys asked for in one statement: far below SQLite's limit of 32,766 parameters."""
_TEXTS = 50
"""Texts held at once."""

_SHOWN = (
    *(column for column in documents.c if column.name not in {"text", "own_groups"}),
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
class Staged:
    """A parsed version on its way in."""

    document: Document
    text: str
    passages: tuple[Passage, ...]
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The served corpus at one moment; documents by id."""

    corpus_version: int
    generation: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Readable:
    """How many documents of a collection have these groups."""

    collection: str
    groups: frozenset[str]
    documents: int


class Documents:
    """The aggregate. A version is staged first; `Snapshots.commit` makes a set of versions current in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def served(self) -> tuple[int, str]:
        """The corpus version in use and the name of its index; the name is empty where none has been built."""
        # Asked twice for each question: one statement, past SQLAlchemy's compiler.
        query = "SELECT key, value FROM home WHERE key IN ('corpus_version', 'index_generation')"
        with self._database.read() as connection:
            found = {str(row.key): str(row.value) for row in connection.exec_driver_sql(query)}
        return int(found.get("corpus_version", 0)), found.get("index_generation", "")

    def snapshot(self) -> Snapshot:
        """The corpus version in use, its index and its documents, as of one moment."""
        query = sa.select(*_SHOWN).select_from(_members()).where(is_member(CONTENT)).order_by(documents.c.id)
        with self._database.read() as connection:
            facts = read_facts(connection)
            found = connection.execute(query).all()
        return Snapshot(
            int(facts.get("corpus_version", 0)),
            facts.get("index_generation", ""),
            tuple(_document(row) for row in found),
        )

    def readable(self) -> tuple[Readable, ...]:
        """The documents in use, counted by collection and by who may read them."""
        columns = (documents.c.collection, documents.c.groups)
        query = (
            sa.select(*columns, sa.func.count()).select_from(_members()).where(is_member(CONTENT)).group_by(*columns)
        )
        with self._database.read() as connection:
            return tuple(Readable(row[0], frozenset(row[1]), row[2]) for row in connection.execute(query))

    def all_versions(self) -> dict[str, str]:
        """Version of every current document, by id."""
        query = sa.select(documents.c.id, documents.c.version).where(documents.c.current).order_by(documents.c.id)
        with self._database.read() as connection:
            return {row.id: row.version for row in connection.execute(query)}

    def versions(self, source: str) -> dict[str, str]:
        """Current version of each document of a source, by document id."""
        query = sa.select(documents.c.id, documents.c.version).where(documents.c.source == source, documents.c.current)
        with self._database.read() as connection:
            return {row.id: row.version for row in connection.execute(query)}

    def owners(self) -> dict[str, str]:
        """The source of every current document, by id."""
        query = sa.select(documents.c.id, documents.c.source).where(documents.c.current)
        with self._database.read() as connection:
            return {row.id: row.source for row in connection.execute(query)}

    def owner(self, document_id: str) -> str | None:
        """The source of a current document, or None where there is no such document."""
        query = sa.select(documents.c.source).where(documents.c.id == document_id, documents.c.current)
        with self._database.read() as connection:
            return connection.scalar(query)

    def is_at_hand(self, document_id: str, version: str, *, source: str) -> bool:
        """Whether this version need not be made: an interrupted sync of this source staged it, or a snapshot keeps it."""
        query = sa.select(documents.c.id).where(
            documents.c.id == document_id,
            documents.c.version == version,
            documents.c.source == source,
        )
        with self._database.read() as connection:
            return connection.scalar(query) is not None

    def with_content(self, document_id: str, content: str, *, but: str) -> str | None:
        """A version of a document other than `but`, made or staged before, whose name begins with `content`; else None."""
        query = sa.select(documents.c.version).where(
            documents.c.id == document_id,
            documents.c.version.startswith(content, autoescape=True),
            documents.c.version != but,
        )
        with self._database.read() as connection:
            return connection.scalar(query.limit(1))

    def size(self, document_id: str, *, version: str) -> int:
        """How many passages a version has, served or not."""
        query = sa.select(documents.c.passages).where(documents.c.id == document_id, documents.c.version == version)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def stage(self, staged: Staged) -> None:
        """Write a version that is not current yet; what an interrupted sync left under its name is replaced."""
        document = staged.document
        name = {"document_id": document.id, "version": document.version}
        with self._database.write() as connection:
            purge(connection, [(document.id, document.version)])
            connection.execute(sa.insert(documents).values(**_document_row(staged), current=False, staged=True))
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
                    "header": passage.header,
                }
                for passage in staged.passages
            ]
            if rows:
                connection.execute(sa.insert(passages), rows)
            connection.execute(
                sa.insert(features),
                [{**name, "kind": part.kind, "spans": part.spans, "data": part.data} for part in staged.features],
            )

    def stage_again(self, document: Document, text: str, *, of: str) -> None:
        """Stage a version that differs from the version `of` in what is said about it, and not in what was made of it."""
        with self._database.write() as connection:
            purge(connection, [(document.id, document.version)])
            row = _document_row(Staged(document=document, text=text, passages=(), features=()))
            connection.execute(sa.insert(documents).values(**row, current=False, staged=True))
            for table in (passages, features):
                columns = [column for column in table.c if column.name != "version"]
                copied = sa.select(*columns, sa.literal(document.version)).where(
                    table.c.document_id == document.id, table.c.version == of
                )
                names = [*(column.name for column in columns), "version"]
                connection.execute(sa.insert(table).from_select(names, copied))

    def get(self, document_id: str, version: str) -> Document | None:
        """A version of a document, in whatever state it is, or None."""
        query = sa.select(*_SHOWN).where(documents.c.id == document_id, documents.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _document(row)

    def groups(self, versions: Mapping[str, str]) -> dict[str, frozenset[str]]:
        """Who may read each of `versions` (document id -> version), by id, in whatever state they are."""
        key = sa.tuple_(documents.c.id, documents.c.version)
        wanted = list(versions.items())
        found: dict[str, frozenset[str]] = {}
        with self._database.read() as connection:
            for at in range(0, len(wanted), _BATCH):
                query = sa.select(documents.c.id, documents.c.groups).where(key.in_(wanted[at : at + _BATCH]))
                found |= {row.id: frozenset(row.groups) for row in connection.execute(query)}
        return found

    def beginning_with(self, prefix: str) -> frozenset[tuple[str, str]]:
        """Every document version (id, version) of this prefix, in whatever state it is."""
        query = sa.select(documents.c.id, documents.c.version)
        with self._database.read() as connection:
            found = connection.execute(query.where(documents.c.version.startswith(prefix, autoescape=True)))
            return frozenset((row.id, row.version) for row in found)

    def newest(self, document_id: str) -> Document | None:
        """A current document, served or not, or None."""
        query = sa.select(*_SHOWN).where(documents.c.id == document_id, documents.c.current)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _document(row)

    def text(self, document_id: str) -> str:
        """The parsed text of a served document; empty where there is none."""
        query = (
            sa.select(documents.c.text).select_from(_members()).where(documents.c.id == document_id, is_member(CONTENT))
        )
        with self._database.read() as connection:
            return connection.scalar(query) or ""

    def text_of_content(self, document_id: str, *, content: int) -> str | None:
        """The parsed text that a document has in a content; None where it isn't in it."""
        of_content = is_member(sa.literal(content))
        query = sa.select(documents.c.text).select_from(_members()).where(documents.c.id == document_id, of_content)
        with self._database.read() as connection:
            return connection.scalar(query)

    def passages_of(self, document_id: str) -> tuple[Passage, ...]:
        """Passages of a served document, in order."""
        same = sa.and_(passages.c.document_id == documents.c.id, passages.c.version == documents.c.version)
        query = (
            sa.select(passages)
            .select_from(_members().join(passages, same))
            .where(documents.c.id == document_id, is_member(CONTENT))
            .order_by(passages.c.ordinal)
        )
        with self._database.read() as connection:
            return tuple(passage_of(row) for row in connection.execute(query))

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
                    found[row.document_id, row.version].append(passage_of(row))
                yield from found.values()

    def texts(self, versions: Mapping[str, str]) -> Iterator[str]:
        """The parsed text of each of `versions` (document id -> version), in that order; empty where it is gone meanwhile."""
        key = sa.tuple_(documents.c.id, documents.c.version)
        wanted = list(versions.items())
        with self._database.read() as connection:
            for at in range(0, len(wanted), _TEXTS):
                batch = wanted[at : at + _TEXTS]
                query = sa.select(documents.c.id, documents.c.text).where(key.in_(batch))
                found = {row.id: row.text for row in connection.execute(query)}
                yield from (found.get(document_id, "") for document_id, _ in batch)

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


CONTENT = sa.select(sa.cast(home.c.value, sa.Integer)).where(home.c.key == "content").scalar_subquery()
"""The content in use."""


def is_member(content: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a membership holds for a content."""
    return sa.and_(memberships.c.first <= content, sa.or_(memberships.c.last.is_(None), memberships.c.last >= content))


def _members() -> sa.Join:
    same = sa.and_(memberships.c.document_id == documents.c.id, memberships.c.version == documents.c.version)
    return documents.join(memberships, same)


def read_facts(connection: sa.Connection) -> dict[str, str]:
    """The single facts of a home."""
    return {row.key: row.value for row in connection.execute(sa.select(home))}


def remember(connection: sa.Connection, facts: Mapping[str, str | None]) -> None:
    """Write single facts of a home; None forgets one."""
    connection.execute(sa.delete(home).where(home.c.key.in_(facts)))
    told = [{"key": key, "value": value} for key, value in facts.items() if value is not None]
    if told:
        connection.execute(sa.insert(home), told)


def purge(connection: sa.Connection, versions: Iterable[tuple[str, str]]) -> None:
    """Delete document versions with all that was made of them."""
    rows = [{"of": document_id, "at": version} for document_id, version in versions]
    if not rows:
        return
    of, at = sa.bindparam("of"), sa.bindparam("at")
    for table in (features, passages):
        connection.execute(sa.delete(table).where(table.c.document_id == of, table.c.version == at), rows)
    connection.execute(sa.delete(documents).where(documents.c.id == of, documents.c.version == at), rows)


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
        "own_groups": sorted(document.groups),
        "owner": document.owner,
        "effective": document.effective,
        "review_by": document.review_by,
        "supersedes": document.supersedes,
        "superseded_by": None,
        "modified": document.modified,
        "url": document.url,
        "lineage": asdict(document.lineage),
        "warnings": list(document.warnings),
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
        modified=row.modified,
        url=row.url,
        lineage=Lineage(**row.lineage),
        warnings=tuple(row.warnings),
    )


def passage_of(row: sa.Row[tuple[object, ...]]) -> Passage:
    """A passage of a row of its table."""
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
        header=row.header,
    )
