"""An index inside PostgreSQL: the second store behind knowledge/index.py, for several replicas over one database.

Terms, features and formula are those of the embedded store; what ranking reads comes from storage/passage_tables.py.
Document names, and statistics of each collection, are held in memory by each replica.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.knowledge import lexicon
from ken.knowledge.catalogue import Allowed, Catalogue
from ken.knowledge.index import Asked, Candidates, Quote, Term
from ken.knowledge.late import WORD_DIMENSIONS, PassageWords
from ken.knowledge.lexical import FIELDS, K1, TERM_DTYPE, term_hash
from ken.knowledge.lexicon import Lexicon
from ken.storage.documents import Documents, Snapshot
from ken.storage.passage_tables import Bm25f, IndexedPassage, IndexedVersion, Member, PassageTables, Wanted

Number = TypeVar("Number", bound=np.generic)

_AT_ONCE = 20
"""Document versions written in one transaction: others want to write, too."""
_REMEMBERED_TERMS = 20_000
_FORMULA = Bm25f(
    k1=K1,
    weights=(FIELDS[0][1], FIELDS[1][1], FIELDS[2][1]),
    b=(FIELDS[0][2], FIELDS[1][2], FIELDS[2][2]),
)


@dataclass(frozen=True, slots=True)
class _Collection:
    """Passages of a collection, and the average length of each field."""

    passages: int
    averages: tuple[float, float, float]


@dataclass(eq=False)
class PostgresIndex:
    """One corpus version in the tables. Rows are the ids of passages there."""

    name: str
    corpus_version: int
    catalogue: Catalogue
    tables: PassageTables
    members: tuple[Member, ...]
    """In the order of the catalogue's documents."""
    _frequencies: dict[int, dict[int, int]] = field(default_factory=dict[int, dict[int, int]], compare=False)
    """By term hash: in how many passages of each collection it stands."""

    def __post_init__(self) -> None:
        self._ids = np.array([member.id for member in self.members], dtype=np.int32)
        self._places = {member.id: place for place, member in enumerate(self.members)}
        self._windows = np.array([member.windows for member in self.members], dtype=np.int64)
        sums: dict[int, NDArray[np.int64]] = {}
        for member in self.members:
            sums.setdefault(member.collection, np.zeros(4, dtype=np.int64))
            sums[member.collection] += (member.passages, *member.lengths)
        self._collections = {
            collection: _Collection(int(each[0]), _averages(each)) for collection, each in sums.items()
        }
        self._of_collection = np.array([member.collection for member in self.members], dtype=np.int32)

    @property
    def size(self) -> int:
        """How many passages there are."""
        return sum(member.passages for member in self.members)

    @property
    def lexicon(self) -> Lexicon:
        """As `Index.lexicon`."""
        return self._lexicon

    @cached_property
    def _lexicon(self) -> Lexicon:
        def read(name: str, dtype: type[Number]) -> NDArray[Number]:
            return np.frombuffer(self.tables.array(self.name, name), dtype=dtype)

        return Lexicon.of(read)

    def candidates(self, asked: Asked, allowed: Allowed, *, depth: int) -> Candidates:
        """As `Index.candidates`."""
        chosen = allowed.documents
        documents = None if chosen.all() else self._ids[chosen].tolist()
        collections = np.unique(self._of_collection[chosen]).tolist()
        frequencies = self._counted(asked.terms)
        wanted = self._wanted(asked.terms, collections, frequencies)
        windows = int(self._windows[chosen].sum())
        found = {
            *self.tables.best_by_terms(self.name, wanted, documents=documents, depth=depth),
            *self.tables.nearest(self.name, asked.vector, documents=documents, windows=windows, depth=depth),
        }
        rows = sorted((self._places[row.document], row.ordinal, row.id, row) for row in self.tables.read(sorted(found)))
        ids = [each[2] for each in rows]
        held, cosines = self.tables.scores(wanted, asked.vector, passages=ids)
        at = {passage: place for place, passage in enumerate(ids)}
        scores = np.zeros((len(ids), len(asked.terms)), dtype=np.float32)
        worths = np.zeros_like(scores)
        for passage, slot, worth, score in held:
            scores[at[passage], slot], worths[at[passage], slot] = score, worth
        counts = [np.frombuffer(row.sentence_term_counts, dtype=np.int32) for *_, row in rows]
        vectors = [np.frombuffer(row.sentences, dtype=np.int8) for *_, row in rows]
        terms = [np.frombuffer(row.sentence_terms, dtype=np.uint64) for *_, row in rows]
        words = [np.frombuffer(row.words, dtype=np.int8).reshape(-1, WORD_DIMENSIONS) for *_, row in rows]
        return Candidates(
            rows=np.array(ids, dtype=np.int64),
            documents=np.array([each[0] for each in rows], dtype=np.int32),
            rarity=self._rarity(asked.terms, collections, frequencies),
            term_scores=scores,
            term_worths=worths,
            dense=np.array([cosines.get(passage, -1.0) for passage in ids], dtype=np.float32),
            sentence_bounds=_bounds([len(each) for each in counts]),
            sentences=_joined(vectors, np.int8).reshape(-1, self.tables.dimensions),
            sentence_term_bounds=_bounds(_joined(counts, np.int32)),
            sentence_terms=_joined(terms, np.uint64),
            words=PassageWords(
                _bounds([len(each) for each in words]), _joined(words, np.int8).reshape(-1, WORD_DIMENSIONS)
            ),
        )

    def passages(self, rows: Sequence[int]) -> list[tuple[Passage, tuple[Quote, ...]] | None]:
        """As `Index.passages`."""
        found = self.tables.texts(rows)
        return [None if row not in found else (found[row][0], _quotes(*found[row][1:])) for row in rows]

    def _counted(self, terms: Sequence[Term]) -> dict[int, dict[int, int]]:
        """In how many passages of each collection each hash stands, for the terms and what counts for them."""
        names = {term_hash(name) for term in terms for name in (term.name, *(other for other, _ in term.others))}
        unknown = names - self._frequencies.keys()
        if unknown:
            if len(self._frequencies) > _REMEMBERED_TERMS:
                self._frequencies.clear()
            counted: dict[int, dict[int, int]] = {name: {} for name in unknown}
            found = self.tables.frequencies(self.name, np.array(sorted(unknown), dtype=np.uint64))
            for (name, collection), count in found.items():
                counted[name][collection] = count
            self._frequencies.update(counted)
        return {name: self._frequencies.get(name, {}) for name in names}

    def _wanted(
        self, terms: Sequence[Term], collections: Sequence[int], frequencies: Mapping[int, Mapping[int, int]]
    ) -> Wanted:
        rows = [
            (name, collection, slot, worth, _idf(frequencies[name][collection], self._collections[collection].passages))
            for slot, term in enumerate(terms)
            for name, worth in ((term_hash(other), worth) for other, worth in ((term.name, 1.0), *term.others))
            for collection in collections
            if frequencies[name].get(collection)
        ]
        return Wanted(
            terms=np.array([row[0] for row in rows], dtype=np.uint64),
            collections=np.array([row[1] for row in rows], dtype=np.int32),
            slots=np.array([row[2] for row in rows], dtype=np.int32),
            worths=np.array([row[3] for row in rows], dtype=np.float64),
            rarities=np.array([row[4] for row in rows], dtype=np.float64),
            averages={collection: self._collections[collection].averages for collection in collections},
            formula=_FORMULA,
        )

    def _rarity(
        self, terms: Sequence[Term], collections: Sequence[int], frequencies: Mapping[int, Mapping[int, int]]
    ) -> NDArray[np.float32]:
        """As `LexicalIndex.rarity`."""
        size = sum(self._collections[collection].passages for collection in collections)

        def frequency(name: str) -> int:
            counted = frequencies[term_hash(name)]
            return sum(counted.get(collection, 0) for collection in collections)

        held = [frequency(term.name) or max((frequency(name) for name, _ in term.others), default=0) for term in terms]
        return np.array([_idf(each, size) for each in held], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class PostgresIndexes:
    """The indexes of a home that lives in PostgreSQL."""

    tables: PassageTables
    store: Documents

    def build(self, name: str, versions: Mapping[str, str]) -> None:
        """As `Indexes.build`: takes the versions that no index has yet."""
        self.tables.prepare()
        if self.tables.holds(name, len(versions)):
            return
        missing = sorted(self.tables.missing(versions).items())
        for first in range(0, len(missing), _AT_ONCE):
            batch = dict(missing[first : first + _AT_ONCE])
            self.tables.add(_indexed(self.store, batch, self.tables.dimensions))
        ordered = dict(sorted(versions.items()))
        arrays = lexicon.build(self.store.features("lexicon", ordered))
        self.tables.finish(name, ordered, arrays={array: values.tobytes() for array, values in arrays.items()})

    def load(self, snapshot: Snapshot, *, comparable: frozenset[str]) -> PostgresIndex | None:
        """As `Indexes.load`."""
        self.tables.prepare()
        documents = tuple(document for document in snapshot.documents if document.id in comparable)
        if not snapshot.generation or not self.tables.holds(snapshot.generation, len(documents)):
            return None
        members = self.tables.members(snapshot.generation)
        if [member.document_id for member in members] != [document.id for document in documents]:
            return None
        left_out = tuple(document for document in snapshot.documents if document.id not in comparable)
        return PostgresIndex(
            name=snapshot.generation,
            corpus_version=snapshot.corpus_version,
            catalogue=Catalogue(documents, left_out),
            tables=self.tables,
            members=tuple(members),
        )

    def discard(self, name: str) -> None:
        """As `Indexes.discard`."""
        self.tables.discard(name)

    def keep(self, names: frozenset[str]) -> None:
        """As `Indexes.keep`."""
        self.tables.keep(sorted(names))


def _indexed(store: Documents, versions: Mapping[str, str], dimensions: int) -> Iterator[IndexedVersion]:
    """Document versions as the tables take them, from the features that were made of them."""
    kinds = ("terms", "windows", "sentences", "quotes", "sentence_terms", "words")
    columns = zip(*(store.features(kind, versions) for kind in kinds), strict=True)
    for (document_id, version), (terms, windows, sentences, quotes, sentence_terms, words) in zip(
        versions.items(), columns, strict=True
    ):
        counts = np.frombuffer(terms[0], dtype=np.int32)
        postings = np.split(np.frombuffer(terms[1], dtype=TERM_DTYPE), np.cumsum(counts)[:-1])
        of_window = np.frombuffer(windows[0], dtype=np.int32).reshape(-1, 3)[:, 0]
        vectors = np.frombuffer(windows[1], dtype=np.float16).reshape(-1, dimensions)
        spans = np.frombuffer(sentences[0], dtype=np.int32).reshape(-1, 4)
        of_sentences = np.frombuffer(sentences[1], dtype=np.int8).reshape(-1, dimensions)
        letter_bounds = _bounds(np.frombuffer(quotes[0], dtype=np.int32))
        hash_bounds = _bounds(np.frombuffer(sentence_terms[0], dtype=np.int32))
        word_bounds = WORD_DIMENSIONS * _bounds(np.frombuffer(words[0], dtype=np.int32))
        passages: list[IndexedPassage] = []
        for ordinal in range(len(counts)):
            first, last = np.searchsorted(spans[:, 0], [ordinal, ordinal + 1]).tolist()
            passages.append(
                IndexedPassage(
                    postings=postings[ordinal],
                    windows=vectors[of_window == ordinal],
                    sentence_spans=spans[first:last, 1:].tobytes(),
                    sentences=of_sentences[first:last].tobytes(),
                    sentence_term_counts=np.diff(hash_bounds[first : last + 1]).astype(np.int32).tobytes(),
                    sentence_terms=sentence_terms[1][8 * hash_bounds[first] : 8 * hash_bounds[last]],
                    quote_lengths=np.diff(letter_bounds[first : last + 1]).astype(np.int32).tobytes(),
                    quotes=quotes[1][letter_bounds[first] : letter_bounds[last]],
                    words=words[1][word_bounds[ordinal] : word_bounds[ordinal + 1]],
                )
            )
        yield IndexedVersion(document_id=document_id, version=version, passages=tuple(passages))


def _quotes(spans: bytes, lengths: bytes, letters: bytes) -> tuple[Quote, ...]:
    bounds = _bounds(np.frombuffer(lengths, dtype=np.int32)).tolist()
    return tuple(
        Quote(start, end, letters[bounds[i] : bounds[i + 1]].decode(), is_code=bool(code))
        for i, (start, end, code) in enumerate(np.frombuffer(spans, dtype=np.int32).reshape(-1, 3).tolist())
    )


def _averages(sums: NDArray[np.int64]) -> tuple[float, float, float]:
    body, heading, title = (float(each) / max(int(sums[0]), 1) or 1.0 for each in sums[1:])
    return body, heading, title


def _idf(frequency: int, size: int) -> float:
    return math.log1p((size - frequency + 0.5) / (frequency + 0.5))


def _bounds(counts: Sequence[int] | NDArray[np.int32]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))]).astype(np.int64)


def _joined(parts: Sequence[NDArray[Number]], dtype: type[Number]) -> NDArray[Number]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)
