"""Snapshots: which document versions each corpus version has, which one is in use, and for how long old ones are kept.

A corpus version is a number that is given once and never again. Its documents are those of its *content*: the number
that the sync gave which made them so; a switch to an older snapshot makes a new corpus version with the old content.
Memberships are intervals of contents, so that a sync writes as much as it changes, however many documents there are.
What was deleted, and who may read a document, is no part of a snapshot: both hold in all of them at once.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from ken.errors import NotFound, StorageError
from ken.storage.answers import Retiring, retire
from ken.storage.database import Database
from ken.storage.documents import is_member, purge, read_facts, remember
from ken.storage.embedders import arrived, coming_space
from ken.storage.schema import documents, listings, memberships, snapshots

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how long old versions are kept: at most this many snapshots, none that is older than this."""

    snapshots: int = 5
    """The one in use and the newest count, and are kept whatever their age."""
    days: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRow:
    """A corpus version that can be used."""

    corpus_version: int
    content: int
    """The corpus version that first had these documents."""
    made_at: float
    """Seconds since the epoch."""
    source: str
    """The source whose sync made it; empty for a switch."""
    generation: str
    """Names its index; empty where it has to be built again."""
    documents: int
    added: int
    changed: int
    deleted: int
    is_in_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is served and what syncs build on."""

    corpus_version: int
    content: int
    generation: str
    head: int
    """The newest content."""
    is_held: bool
    """Whether an operator chose the content, so that syncs don't move it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a sync of one source makes current."""

    source: str
    chosen: Mapping[str, str]
    """Document id -> version, of all its documents."""
    generation: str
    """The index of the corpus as it will be."""
    held_generation: str = ""
    """The index of the held content without what is deleted now; empty where nothing is held or nothing of it deleted."""
    spares_s: float = 0.0
    """What was staged so many seconds ago or less, and isn't chosen, is somebody else's who will commit it in a moment."""
    drops: frozenset[str] = frozenset()
    """Documents of which nothing that was staged is spared: they are deleted, current or not."""
    retiring: Retiring = field(default_factory=Retiring)
    """The cached answers that what arrives could better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Every current document version that begins with `old` gives way to the one that differs in beginning with `new`."""

    old: str
    new: str
    embedder: str
    """Whose vectors the new ones have."""
    generation: str
    """The index over them."""


class Snapshots:
    """The aggregate."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def use(self) -> Use:
        """What is in use."""
        with self._database.read() as connection:
            return _use(connection)

    def listed(self) -> tuple[SnapshotRow, ...]:
        """Every snapshot that is kept, the newest first."""
        with self._database.read() as connection:
            served = _use(connection).corpus_version
            rows = connection.execute(sa.select(snapshots).order_by(snapshots.c.corpus_version.desc())).mappings().all()
        return tuple(SnapshotRow(**row, is_in_use=row["corpus_version"] == served) for row in rows)

    def get(self, corpus_version: int) -> SnapshotRow:
        """One snapshot. Raises NotFound."""
        for row in self.listed():
            if row.corpus_version == corpus_version:
                return row
        raise NotFound(
            f"There is no corpus version {corpus_version} any more. `ken index list` shows those that are kept."
        )

    def members(self, content: int) -> dict[str, str]:
        """The documents of a content: id -> version, by id."""
        query = sa.select(memberships.c.document_id, memberships.c.version)
        with self._database.read() as connection:
            found = connection.execute(query.where(is_member(sa.literal(content))).order_by(memberships.c.document_id))
            return {row.document_id: row.version for row in found}

    def generations(self) -> frozenset[str]:
        """Names of the indexes that some snapshot still needs."""
        with self._database.read() as connection:
            return frozenset(connection.scalars(sa.select(snapshots.c.generation).where(snapshots.c.generation != "")))

    def commit(self, change: Change, retention: Retention) -> int:
        """Make a source's chosen versions current; return the corpus version that is in use then.

        A document of the source that is not chosen is deleted with every version of it; a version that gave way to
        another one stays for the snapshots that have it, as long as `retention` keeps them; what is staged and not
        chosen is deleted. One transaction: a crash leaves the corpus as it was before or as it is after.
        """
        with self._database.write() as connection:
            before = _use(connection)
            own = sa.select(
                documents.c.id, documents.c.version, documents.c.current, documents.c.staged, documents.c.synced_at
            )
            rows = connection.execute(own.where(documents.c.source == change.source)).all()
            current = {row.id: row.version for row in rows if row.current}
            arriving = {name: version for name, version in change.chosen.items() if current.get(name) != version}
            gone = current.keys() - change.chosen.keys()
            horizon = time.time() - change.spares_s
            coming = coming_space(read_facts(connection))
            stale = (
                row
                for row in rows
                if row.staged
                and (row.synced_at <= horizon or row.id in change.drops)
                and not (coming and row.version.startswith(coming) and row.id not in change.drops)
            )
            purge(connection, [(row.id, row.version) for row in stale if arriving.get(row.id) != row.version])
            if arriving or gone:
                number = _next(connection)
                has_narrowed = _replace(connection, arriving, content=number, source=change.source)
                _delete(connection, gone)
                _relink(connection)
                counts = {
                    "added": len(arriving.keys() - current.keys()),
                    "changed": len(arriving.keys() & current.keys()),
                    "deleted": len(gone),
                }
                remember(connection, {"head": str(number)})
                _insert(
                    connection, number, content=number, generation=change.generation, source=change.source, **counts
                )
                if not before.is_held:
                    _serve(connection, number, content=number, generation=change.generation)
                elif change.held_generation or has_narrowed:
                    # The number moves with every change that readers can see: answers and traces rest on that.
                    number = _next(connection)
                    held = change.held_generation or before.generation
                    _insert(connection, number, content=before.content, generation=held)
                    _serve(connection, number, content=before.content, generation=held)
                retire(connection, change.retiring)
            elif not before.is_held and before.generation != change.generation:
                _repoint(connection, before.corpus_version, change.generation)
            _prune(connection, retention)
            return _use(connection).corpus_version

    def exchange(self, exchange: Exchange, retention: Retention) -> int:
        """Put the counterpart of every current version in its place; return the corpus version that is in use then.

        One transaction. What was staged and has no place any more is deleted. Raises StorageError where a counterpart
        is missing: its document changed meanwhile.
        """
        with self._database.write() as connection:
            before = _use(connection)
            width = len(exchange.old)
            is_of = {
                name: sa.func.substr(documents.c.version, 1, width) == name for name in (exchange.old, exchange.new)
            }
            versions = sa.select(documents.c.id, documents.c.version)
            old = {
                row.id: row.version
                for row in connection.execute(versions.where(documents.c.current, is_of[exchange.old]))
            }
            made = {tuple(row) for row in connection.execute(versions.where(is_of[exchange.new]))}
            new = {name: exchange.new + version[width:] for name, version in old.items()}
            if not made.issuperset(new.items()):
                raise StorageError("Documents changed while they were embedded anew. Try again.")
            number = _next(connection)
            _take_places(connection, old, new, content=number)
            # Or the next sync would read every document again to find it unchanged.
            known = sa.update(listings).where(sa.func.substr(listings.c.version, 1, width) == exchange.old)
            of_new = sa.literal(exchange.new).concat(sa.func.substr(listings.c.version, width + 1))
            connection.execute(known.values(version=of_new))
            remember(connection, {"head": str(number), **arrived(exchange.embedder)})
            _relink(connection)
            _insert(connection, number, content=number, generation=exchange.generation, source=exchange.embedder)
            if not before.is_held:
                _serve(connection, number, content=number, generation=exchange.generation)
            retire(connection, Retiring())
            rest = versions.where(documents.c.staged, is_of[exchange.new])
            purge(connection, [(row.id, row.version) for row in connection.execute(rest).all()])
            _prune(connection, retention)
            return _use(connection).corpus_version

    def switch(self, content: int, *, generation: str, hold: bool, retiring: Retiring | None = None) -> int:
        """Serve a content from now on under a new corpus version, which is returned; `retiring` is as a change's.

        With `hold`, syncs go on without being served, until the newest content is used again. Raises NotFound.
        """
        with self._database.write() as connection:
            before = _use(connection)
            if (before.content, before.generation, before.is_held) == (content, generation, hold):
                return before.corpus_version
            known = connection.scalar(
                sa.select(snapshots.c.corpus_version).where(snapshots.c.content == content).limit(1)
            )
            if known is None:
                raise NotFound(
                    f"There is no corpus version {content} any more. `ken index list` shows those that are kept."
                )
            number = _next(connection)
            _insert(connection, number, content=content, generation=generation)
            _serve(connection, number, content=content, generation=generation)
            remember(connection, {"held": "1" if hold else ""})
            retire(connection, retiring or Retiring())
            return number

    def repoint(self, corpus_version: int, *, generation: str) -> bool:
        """Name the index of a corpus version after it was built anew; False where that one is no longer in use."""
        with self._database.write() as connection:
            is_served = _use(connection).corpus_version == corpus_version
            if is_served:
                _repoint(connection, corpus_version, generation)
        return is_served

    def prune(self, retention: Retention) -> None:
        """Forget the snapshots that `retention` no longer keeps, with the versions that only they have."""
        with self._database.write() as connection:
            _prune(connection, retention)


def _use(connection: sa.Connection) -> Use:
    facts = read_facts(connection)
    return Use(
        corpus_version=int(facts.get("corpus_version", 0)),
        content=int(facts.get("content", 0)),
        generation=facts.get("index_generation", ""),
        head=int(facts.get("head", 0)),
        is_held=bool(facts.get("held")),
    )


def _next(connection: sa.Connection) -> int:
    facts = read_facts(connection)
    number = int(facts.get("last_version", 0)) + 1
    remember(connection, {"last_version": str(number)})
    return number


def _serve(connection: sa.Connection, corpus_version: int, *, content: int, generation: str) -> None:
    remember(
        connection,
        {"corpus_version": str(corpus_version), "content": str(content), "index_generation": generation},
    )


def _repoint(connection: sa.Connection, corpus_version: int, generation: str) -> None:
    remember(connection, {"index_generation": generation})
    connection.execute(
        sa.update(snapshots).where(snapshots.c.corpus_version == corpus_version).values(generation=generation)
    )


def _insert(
    connection: sa.Connection, corpus_version: int, *, content: int, generation: str, source: str = "", **counts: int
) -> None:
    members = sa.select(sa.func.count()).select_from(memberships).where(is_member(sa.literal(content)))
    connection.execute(
        sa.insert(snapshots).values(
            corpus_version=corpus_version,
            content=content,
            made_at=time.time(),
            generation=generation,
            source=source,
            documents=connection.scalar(members),
            **({"added": 0, "changed": 0, "deleted": 0} | counts),
        )
    )


def _replace(connection: sa.Connection, arriving: Mapping[str, str], *, content: int, source: str) -> bool:
    """Make versions current in place of those that are; whether other people may read some old versions now.

    Who may read a document now may read its old versions, and nobody else.
    """
    if not arriving:
        return False
    # Many rows a statement: over a network, one statement for each document would take minutes.
    rows = [{"document": document_id, "chosen": version} for document_id, version in arriving.items()]
    own, chosen = documents.c.id == sa.bindparam("document"), documents.c.version == sa.bindparam("chosen")
    connection.execute(sa.update(documents).where(own, documents.c.current).values(current=False), rows)
    ends = sa.update(memberships).where(
        memberships.c.document_id == sa.bindparam("document"), memberships.c.last.is_(None)
    )
    connection.execute(ends.values(last=content - 1), rows)
    arrived = {"current": True, "staged": False, "synced_at": time.time(), "source": source}
    # A version that comes back from a snapshot had other groups there: those of the version after it.
    own_groups = sa.func.coalesce(documents.c.own_groups, documents.c.groups)
    connection.execute(sa.update(documents).where(own, chosen).values(**arrived, groups=own_groups), rows)
    now = documents.alias("now")
    groups = sa.select(now.c.groups).where(now.c.id == documents.c.id, now.c.current).scalar_subquery()
    others = sa.update(documents).where(own, ~documents.c.current, documents.c.groups != groups)
    regrouped = connection.execute(others.values(groups=groups), rows).rowcount
    connection.execute(
        sa.insert(memberships),
        [
            {"document_id": document_id, "version": version, "first": content}
            for document_id, version in arriving.items()
        ],
    )
    return regrouped > 0


def _take_places(connection: sa.Connection, old: Mapping[str, str], new: Mapping[str, str], *, content: int) -> None:
    """Make the versions `new` current in place of `old`, of the same documents."""
    if not old:
        return
    own = sa.and_(documents.c.id == sa.bindparam("of"), documents.c.version == sa.bindparam("at"))
    replaced = [{"of": name, "at": version} for name, version in old.items()]
    arriving = [{"of": name, "at": version} for name, version in new.items()]
    connection.execute(sa.update(documents).where(own).values(current=False), replaced)
    own_groups = sa.func.coalesce(documents.c.own_groups, documents.c.groups)
    connection.execute(sa.update(documents).where(own).values(current=True, staged=False, groups=own_groups), arriving)
    open_ended = sa.and_(memberships.c.document_id == sa.bindparam("of"), memberships.c.last.is_(None))
    connection.execute(
        sa.update(memberships).where(open_ended).values(last=content - 1), [{"of": name} for name in old]
    )
    rows = [{"document_id": name, "version": version, "first": content} for name, version in new.items()]
    connection.execute(sa.insert(memberships), rows)


def _delete(connection: sa.Connection, gone: Collection[str]) -> None:
    """Delete documents from every snapshot; the indexes that hold them have to be built again."""
    for document_id in gone:
        spans = connection.execute(sa.select(memberships).where(memberships.c.document_id == document_id)).all()
        for span in spans:
            held = sa.and_(
                snapshots.c.content >= span.first, sa.true() if span.last is None else snapshots.c.content <= span.last
            )
            connection.execute(
                sa.update(snapshots).where(held).values(generation="", documents=snapshots.c.documents - 1)
            )
        connection.execute(sa.delete(memberships).where(memberships.c.document_id == document_id))
        versions = sa.select(documents.c.id, documents.c.version).where(documents.c.id == document_id)
        purge(connection, [(row.id, row.version) for row in connection.execute(versions).all()])


def _prune(connection: sa.Connection, retention: Retention) -> None:
    in_use = _use(connection)
    rows = connection.execute(
        sa.select(snapshots.c.corpus_version, snapshots.c.content, snapshots.c.made_at).order_by(
            snapshots.c.corpus_version.desc()
        )
    ).all()
    horizon = time.time() - retention.days * _DAY_S
    contents = {in_use.content, in_use.head}
    for row in rows:
        # A switch back is no further content: going to and fro must not push out what one may want to go to.
        if row.content == row.corpus_version and len(contents) < retention.snapshots and row.made_at >= horizon:
            contents.add(row.content)
    kept = {row.corpus_version for row in rows if row.content in contents}
    if len(kept) == len(rows):
        return
    connection.execute(sa.delete(snapshots).where(snapshots.c.corpus_version.not_in(kept)))
    covered = sa.exists().where(snapshots.c.content >= memberships.c.first, snapshots.c.content <= memberships.c.last)
    connection.execute(sa.delete(memberships).where(memberships.c.last.is_not(None), ~covered))
    has_place = sa.exists().where(
        memberships.c.document_id == documents.c.id, memberships.c.version == documents.c.version
    )
    idle = sa.select(documents.c.id, documents.c.version).where(~documents.c.current, ~documents.c.staged, ~has_place)
    purge(connection, [(row.id, row.version) for row in connection.execute(idle).all()])


def _relink(connection: sa.Connection) -> None:
    """Work out which documents are superseded: `supersedes` is a path from the collection's root or the document's folder."""
    connection.execute(
        sa.update(documents)
        .where(documents.c.superseded_by.is_not(None), documents.c.current)
        .values(superseded_by=None)
    )
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
