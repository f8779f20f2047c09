"""The tables of a search index inside PostgreSQL: postings, vectors (pgvector) and what ranking reads of passages.

Rows belong to document versions, and an index is a set of these: so a sync adds what is new, and nothing of what stays is
written again. The tables are made when they are first needed, beside the migrated ones: their vectors' width is the
embedder's. BM25F is worked out by the query, from the counts of each field; knowledge/lexical.py holds the formula.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.storage.database import Database
from ken.storage.documents import passage_of
from ken.storage.schema import passages as passage_table

EXACT_WINDOWS = 20_000
"""Up to so many vectors that may be read are compared one by one; of more, pgvector's HNSW graph finds the nearest."""
_EF_SEARCH = 200
_WINDOWS_A_PASSAGE = 2
"""Nearest windows asked for, for each passage that is wanted: several may be of one passage."""
_BUILDING = 0x6B656E01
"""The advisory lock of whoever makes tables or an index."""

_TABLES = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS index_collections (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS index_documents (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document_id text NOT NULL, version text NOT NULL,
  collection integer NOT NULL REFERENCES index_collections, passages integer NOT NULL, windows integer NOT NULL,
  body_length bigint NOT NULL, heading_length bigint NOT NULL, title_length bigint NOT NULL,
  UNIQUE (document_id, version));
CREATE TABLE IF NOT EXISTS index_passages (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document integer NOT NULL REFERENCES index_documents ON DELETE CASCADE, ordinal integer NOT NULL,
  sentence_spans bytea NOT NULL, sentences bytea NOT NULL, sentence_term_counts bytea NOT NULL,
  sentence_terms bytea NOT NULL, quote_lengths bytea NOT NULL, quotes bytea NOT NULL,
  UNIQUE (document, ordinal));
CREATE TABLE IF NOT EXISTS index_postings (
  term bigint NOT NULL, passage bigint NOT NULL,
  document integer NOT NULL REFERENCES index_documents ON DELETE CASCADE, collection integer NOT NULL,
  body integer NOT NULL, heading integer NOT NULL, title integer NOT NULL,
  body_length integer NOT NULL, heading_length integer NOT NULL, title_length integer NOT NULL,
  PRIMARY KEY (term, passage)
    INCLUDE (document, collection, body, heading, title, body_length, heading_length, title_length));
CREATE INDEX IF NOT EXISTS index_postings_by_document ON index_postings (document);
CREATE TABLE IF NOT EXISTS index_names (
  name text PRIMARY KEY, documents integer NOT NULL);
CREATE TABLE IF NOT EXISTS index_members (
  name text NOT NULL REFERENCES index_names ON DELETE CASCADE,
  document integer NOT NULL REFERENCES index_documents ON DELETE CASCADE,
  PRIMARY KEY (name, document));
CREATE INDEX IF NOT EXISTS index_members_by_document ON index_members (document);
CREATE TABLE IF NOT EXISTS index_arrays (
  index_name text NOT NULL REFERENCES index_names ON DELETE CASCADE, name text NOT NULL, data bytea NOT NULL,
  PRIMARY KEY (index_name, name));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedPassage:
    """A passage as the tables take it; arrays as knowledge/features.py makes them."""

    postings: NDArray[np.void]
    """Fields `term` (uint64), `body`, `heading`, `title`."""
    windows: NDArray[np.float16]
    """Shape (w, dimensions)."""
    sentence_spans: bytes
    sentences: bytes
    sentence_term_counts: bytes
    sentence_terms: bytes
    quote_lengths: bytes
    quotes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedVersion:
    """A document version with its passages, in order."""

    document_id: str
    version: str
    passages: tuple[IndexedPassage, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A document version of an index."""

    id: int
    document_id: str
    collection: int
    passages: int
    windows: int
    lengths: tuple[int, int, int]
    """Terms of all its passages, in body, headings and title."""


@dataclass(frozen=True, slots=True)
class Bm25f:
    """The constants of the formula: k1, and for each of the three fields its weight and its length normalisation b."""

    k1: float
    weights: tuple[float, float, float]
    b: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Terms to score passages by: row i is a term in a collection, with its slot in the question and what it is worth."""

    terms: NDArray[np.uint64]
    collections: NDArray[np.int32]
    slots: NDArray[np.int32]
    worths: NDArray[np.float64]
    rarities: NDArray[np.float64]
    averages: Mapping[int, tuple[float, float, float]]
    """By collection: the average length of each field, never 0."""
    formula: Bm25f

    def parameters(self) -> dict[str, object]:
        """As the statements below name them."""
        fields = ("body", "heading", "title")
        return {
            "terms": self.terms.view(np.int64).tolist(),
            "collections": self.collections.tolist(),
            "slots": self.slots.tolist(),
            "worths": self.worths.tolist(),
            "gains": (self.worths * self.rarities).tolist(),
            "of": list(self.averages),
            **{f"average_{name}": [each[i] for each in self.averages.values()] for i, name in enumerate(fields)},
            **{f"w_{name}": self.formula.weights[i] for i, name in enumerate(fields)},
            **{f"b_{name}": self.formula.b[i] for i, name in enumerate(fields)},
            "k1": self.formula.k1,
        }


_SCORED = """
SELECT p.passage, a.slot, max(a.worth) AS worth, max(a.gain * f.tf * (:k1 + 1) / (:k1 + f.tf)) AS score
FROM unnest(CAST(:terms AS bigint[]), CAST(:collections AS integer[]), CAST(:slots AS integer[]),
            CAST(:worths AS float8[]), CAST(:gains AS float8[])) AS a (term, collection, slot, worth, gain)
JOIN index_postings p ON p.term = a.term AND p.collection = a.collection
JOIN unnest(CAST(:of AS integer[]), CAST(:average_body AS float8[]), CAST(:average_heading AS float8[]),
            CAST(:average_title AS float8[])) AS v (collection, body, heading, title) ON v.collection = p.collection
CROSS JOIN LATERAL (SELECT
    :w_body * p.body / (1 - :b_body + :b_body * p.body_length / v.body)
  + :w_heading * p.heading / (1 - :b_heading + :b_heading * p.heading_length / v.heading)
  + :w_title * p.title / (1 - :b_title + :b_title * p.title_length / v.title) AS tf) f
"""
"""What each term of a question adds to each passage; knowledge/lexical.py has the formula and its source."""
_BEST = f"""
SELECT passage FROM ({_SCORED} WHERE {{within}} GROUP BY p.passage, a.slot) AS scored
GROUP BY passage ORDER BY sum(score) DESC, passage LIMIT :depth
"""  # noqa: S608 - of the text above
_OF_PASSAGES = f"{_SCORED} WHERE p.passage = ANY(CAST(:passages AS bigint[])) GROUP BY p.passage, a.slot"


@dataclass(frozen=True, slots=True)
class PassageTables:
    """The statements. Methods raise StorageError."""

    database: Database
    dimensions: int
    exact_windows: int = EXACT_WINDOWS

    def prepare(self) -> None:
        """Make what is not there yet; the extension `vector` has to be installed on the server."""
        with self._building() as connection:
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {self._windows} (passage bigint NOT NULL, "
                "document integer NOT NULL REFERENCES index_documents ON DELETE CASCADE, "
                f"vector halfvec({self.dimensions}) NOT NULL)"
            )
            for column in ("document", "passage"):
                connection.exec_driver_sql(
                    f"CREATE INDEX IF NOT EXISTS {self._windows}_by_{column} ON {self._windows} ({column})"
                )

    def holds(self, name: str, documents: int) -> bool:
        """Whether an index is there, whole."""
        query = sa.text(
            "SELECT n.documents = :documents AND count(m.document) = :documents FROM index_names n "
            "LEFT JOIN index_members m ON m.name = n.name WHERE n.name = :name GROUP BY n.name, n.documents"
        )
        with self.database.read() as connection:
            return bool(connection.scalar(query, {"name": name, "documents": documents}))

    def missing(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Those of `versions` (document id -> version) that no index has yet."""
        query = sa.text(
            "SELECT a.document_id FROM unnest(CAST(:ids AS text[]), CAST(:versions AS text[])) AS a (document_id, version) "
            "WHERE NOT EXISTS (SELECT FROM index_documents d WHERE d.document_id = a.document_id AND d.version = a.version)"
        )
        with self.database.read() as connection:
            names = connection.scalars(query, {"ids": list(versions), "versions": list(versions.values())}).all()
        return {name: versions[name] for name in names}

    def add(self, versions: Iterable[IndexedVersion]) -> None:
        """Take document versions; one that somebody else took meanwhile is passed over."""
        with self._building() as connection:
            for version in versions:
                self._add(connection, version)

    def finish(self, name: str, versions: Mapping[str, str], arrays: Mapping[str, bytes]) -> None:
        """Name the index over versions that were all taken before."""
        members = sa.text(
            "INSERT INTO index_members (name, document) SELECT :name, d.id FROM unnest(CAST(:ids AS text[]), "
            "CAST(:versions AS text[])) AS a (document_id, version) "
            "JOIN index_documents d ON d.document_id = a.document_id AND d.version = a.version"
        )
        with self._building() as connection:
            connection.execute(sa.text("DELETE FROM index_names WHERE name = :name"), {"name": name})
            connection.execute(
                sa.text("INSERT INTO index_names (name, documents) VALUES (:name, :documents)"),
                {"name": name, "documents": len(versions)},
            )
            connection.execute(members, {"name": name, "ids": list(versions), "versions": list(versions.values())})
            for array, data in arrays.items():
                connection.execute(
                    sa.text("INSERT INTO index_arrays (index_name, name, data) VALUES (:index, :name, :data)"),
                    {"index": name, "name": array, "data": data},
                )
            windows = connection.scalar(sa.text("SELECT sum(windows) FROM index_documents")) or 0
            if windows > self.exact_windows:
                connection.exec_driver_sql(
                    f"CREATE INDEX IF NOT EXISTS {self._windows}_nearest ON {self._windows} "
                    "USING hnsw (vector halfvec_ip_ops) WITH (m = 16, ef_construction = 100)"
                )

    def discard(self, name: str) -> None:
        """Forget an index; its passages stay for others until `keep`."""
        with self._building() as connection:
            connection.execute(sa.text("DELETE FROM index_names WHERE name = :name"), {"name": name})

    def keep(self, names: Iterable[str]) -> None:
        """Delete every index but these, and the document versions that none of them has."""
        with self._building() as connection:
            connection.execute(
                sa.text("DELETE FROM index_names WHERE name <> ALL(CAST(:names AS text[]))"), {"names": list(names)}
            )
            connection.exec_driver_sql(
                "DELETE FROM index_documents d WHERE NOT EXISTS (SELECT FROM index_members m WHERE m.document = d.id)"
            )

    def members(self, name: str) -> list[Member]:
        """The document versions of an index, by document id."""
        query = sa.text(
            "SELECT d.id, d.document_id, d.collection, d.passages, d.windows, d.body_length, d.heading_length, "
            "d.title_length FROM index_members m JOIN index_documents d ON d.id = m.document WHERE m.name = :name"
        )
        with self.database.read() as connection:
            rows = connection.execute(query, {"name": name}).all()
        # Sorted here: the database's collation may have another order than the catalogue.
        return sorted(
            (Member(row[0], row[1], row[2], row[3], row[4], (row[5], row[6], row[7])) for row in rows),
            key=lambda member: member.document_id,
        )

    def array(self, name: str, array: str) -> bytes:
        """One of the arrays that `finish` was given; empty where the index is gone."""
        query = sa.text("SELECT data FROM index_arrays WHERE index_name = :index AND name = :name")
        with self.database.read() as connection:
            return connection.scalar(query, {"index": name, "name": array}) or b""

    def frequencies(self, name: str, terms: NDArray[np.uint64]) -> dict[tuple[int, int], int]:
        """How many passages of an index hold a term, by term hash and collection."""
        query = sa.text(
            "SELECT p.term, p.collection, count(*) FROM index_postings p WHERE p.term = ANY(CAST(:terms AS bigint[])) "
            "AND p.document IN (SELECT document FROM index_members WHERE name = :name) GROUP BY p.term, p.collection"
        )
        with self.database.read() as connection:
            rows = connection.execute(query, {"terms": terms.view(np.int64).tolist(), "name": name}).all()
        return {(int(np.int64(row[0]).view(np.uint64)), row[1]): row[2] for row in rows}

    def best_by_terms(self, name: str, wanted: Wanted, documents: Sequence[int] | None, *, depth: int) -> list[int]:
        """The passages with the highest BM25F score in these documents, or in all of the index."""
        if not len(wanted.terms):
            return []
        within, parameters = _within("p.document", name, documents)
        query = sa.text(_BEST.format(within=within))
        with self.database.read() as connection:
            return list(connection.scalars(query, {**wanted.parameters(), **parameters, "depth": depth}).all())

    def nearest(
        self, name: str, vector: NDArray[np.float32], documents: Sequence[int] | None, *, windows: int, depth: int
    ) -> list[int]:
        """The passages nearest by cosine in these documents (None: all of the index), which have `windows` vectors."""
        within, parameters = _within("document", name, documents)
        parameters |= {"vector": _literal(vector), "windows": depth * _WINDOWS_A_PASSAGE}
        source = self._windows
        prelude = ""
        if windows <= self.exact_windows:  # materialized, so that no graph is asked
            prelude = f"WITH readable AS MATERIALIZED (SELECT passage, vector FROM {source} WHERE {within}) "  # noqa: S608
            source, within = "readable", "true"
        query = sa.text(
            f"{prelude}SELECT passage FROM {source} WHERE {within} "  # noqa: S608 - names of tables and columns, made here
            f"ORDER BY vector <#> CAST(:vector AS halfvec({self.dimensions})) LIMIT :windows"
        )
        with self.database.read() as connection:
            # Goes on through the graph until enough is found that the filter lets through.
            connection.exec_driver_sql("SET LOCAL hnsw.iterative_scan = strict_order")
            connection.exec_driver_sql(f"SET LOCAL hnsw.ef_search = {_EF_SEARCH}")
            found = connection.scalars(query, parameters).all()
        return list(dict.fromkeys(found))[:depth]

    def scores(
        self, wanted: Wanted, vector: NDArray[np.float32], passages: Sequence[int]
    ) -> tuple[list[tuple[int, int, float, float]], dict[int, float]]:
        """Of a few passages: (passage, slot, worth, score) of each term that they hold, and their best cosine."""
        near = sa.text(
            f"SELECT passage, max(-(vector <#> CAST(:vector AS halfvec({self.dimensions})))) FROM {self._windows} "  # noqa: S608
            "WHERE passage = ANY(CAST(:passages AS bigint[])) GROUP BY passage"
        )
        with self.database.read() as connection:
            held = (
                connection.execute(sa.text(_OF_PASSAGES), {**wanted.parameters(), "passages": list(passages)}).all()
                if len(wanted.terms)
                else []
            )
            cosines = connection.execute(near, {"vector": _literal(vector), "passages": list(passages)}).all()
        return [(row[0], row[1], row[2], row[3]) for row in held], {row[0]: row[1] for row in cosines}

    def read(self, passages: Sequence[int]) -> list[sa.Row[Any]]:
        """What ranking reads of a few passages: id, document, ordinal and the bytes of their sentences."""
        query = sa.text(
            "SELECT id, document, ordinal, sentences, sentence_term_counts, sentence_terms FROM index_passages "
            "WHERE id = ANY(CAST(:passages AS bigint[]))"
        )
        with self.database.read() as connection:
            return list(connection.execute(query, {"passages": list(passages)}).all())

    def texts(self, passages: Sequence[int]) -> dict[int, tuple[Passage, bytes, bytes, bytes]]:
        """A few passages with the spans, the lengths and the texts of their sentences; without those deleted meanwhile."""
        query = sa.text(
            "SELECT i.id, i.sentence_spans, i.quote_lengths, i.quotes, p.* FROM index_passages i "
            "JOIN index_documents d ON d.id = i.document "
            "JOIN passages p ON p.document_id = d.document_id AND p.version = d.version AND p.ordinal = i.ordinal "
            "WHERE i.id = ANY(CAST(:passages AS bigint[]))"
        ).columns(*(sa.column(name) for name in ("id", "sentence_spans", "quote_lengths", "quotes")), *passage_table.c)
        with self.database.read() as connection:
            rows = connection.execute(query, {"passages": list(passages)}).all()
        return {row.id: (passage_of(row), row.sentence_spans, row.quote_lengths, row.quotes) for row in rows}

    @property
    def _windows(self) -> str:
        return f"index_windows_{int(self.dimensions)}"

    @contextmanager
    def _building(self) -> Generator[sa.Connection]:
        with self.database.write() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # a graph over a million vectors takes minutes
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _BUILDING})
            yield connection

    def _add(self, connection: sa.Connection, version: IndexedVersion) -> None:
        lengths = np.array(
            [[int(each.postings[name].sum()) for name in ("body", "heading", "title")] for each in version.passages],
            dtype=np.int64,
        ).reshape(-1, 3)
        name = version.document_id.partition("/")[0]
        connection.execute(
            sa.text("INSERT INTO index_collections (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": name}
        )
        collection = connection.scalar(sa.text("SELECT id FROM index_collections WHERE name = :name"), {"name": name})
        document = connection.scalar(
            sa.text(
                "INSERT INTO index_documents (document_id, version, collection, passages, windows, body_length, "
                "heading_length, title_length) VALUES (:id, :version, :collection, :passages, :windows, :body, :heading, "
                ":title) ON CONFLICT DO NOTHING RETURNING id"
            ),
            {
                "id": version.document_id,
                "version": version.version,
                "collection": collection,
                "passages": len(version.passages),
                "windows": sum(len(each.windows) for each in version.passages),
                **dict(zip(("body", "heading", "title"), lengths.sum(axis=0).tolist(), strict=True)),
            },
        )
        if document is None:
            return
        insert = sa.text(
            "INSERT INTO index_passages (document, ordinal, sentence_spans, sentences, sentence_term_counts, "
            "sentence_terms, quote_lengths, quotes) VALUES (:document, :ordinal, :sentence_spans, :sentences, "
            ":sentence_term_counts, :sentence_terms, :quote_lengths, :quotes) RETURNING id"
        )
        kept = ("sentence_spans", "sentences", "sentence_term_counts", "sentence_terms", "quote_lengths", "quotes")
        cursor = connection.connection.cursor()
        ids: list[int] = [
            connection.scalar(
                insert, {"document": document, "ordinal": ordinal, **{name: getattr(each, name) for name in kept}}
            )
            or 0
            for ordinal, each in enumerate(version.passages)
        ]
        columns = "term, passage, document, collection, body, heading, title, body_length, heading_length, title_length"
        with cursor.copy(f"COPY index_postings ({columns}) FROM STDIN") as copy:
            for passage, each, (body, heading, title) in zip(ids, version.passages, lengths.tolist(), strict=True):
                terms = each.postings["term"].view(np.int64).tolist()
                counts = zip(*(each.postings[name].tolist() for name in ("body", "heading", "title")), strict=True)
                for term, (in_body, in_heading, in_title) in zip(terms, counts, strict=True):
                    copy.write_row(
                        (term, passage, document, collection, in_body, in_heading, in_title, body, heading, title)
                    )
        with cursor.copy(f"COPY {self._windows} (passage, document, vector) FROM STDIN") as copy:
            for passage, each in zip(ids, version.passages, strict=True):
                for vector in each.windows:
                    copy.write_row((passage, document, _literal(vector)))


def _literal(vector: NDArray[np.floating[Any]]) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(map(str, vector.tolist()))}]"


def _within(column: str, name: str, documents: Sequence[int] | None) -> tuple[str, dict[str, object]]:
    """A condition on a column that holds a document, with its parameters."""
    if documents is None:
        return f"{column} IN (SELECT document FROM index_members WHERE name = :name)", {"name": name}  # noqa: S608
    return f"{column} = ANY(CAST(:documents AS integer[]))", {"documents": list(documents)}
