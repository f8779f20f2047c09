"""An index generation: the immutable, memory-mapped arrays that one version of the corpus is searched with.

A sync builds the next generation in a folder of its own beside the present one and then moves a pointer in the
database. A reader that is at work keeps its arrays; nothing is ever changed in place, so that a crash leaves either
generation whole, and nothing of a deleted document stays in a generation built after it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Generator, Hashable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.errors import StorageError
from ken.knowledge import generation_folder, graph
from ken.knowledge.arrays import MappedFolder, Number, Rows, ranges
from ken.knowledge.catalogue import Allowed, Catalogue
from ken.knowledge.dense import GRAPH_FROM, DenseIndex
from ken.knowledge.generation_folder import Contents, collection_numbers, discard
from ken.knowledge.index import Asked, Candidates, Index, Quote
from ken.knowledge.late import PassageWords
from ken.knowledge.lexical import LexicalIndex
from ken.knowledge.lexicon import Lexicon
from ken.storage.documents import Documents, Snapshot

FORMAT = 8
"""Part of a generation's name: another layout of the arrays is another generation."""
_SEEN_BYTES = 32 << 20
"""Of the sets of passages that were allowed to somebody; each takes a byte a passage."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The arrays of one corpus version. Row i of n is one passage; rows of a document stand together."""

    name: str
    corpus_version: int
    catalogue: Catalogue
    document: NDArray[np.int32]
    """Shape (n,): index into the catalogue's documents."""
    ordinal: NDArray[np.int32]
    """Shape (n,): the passage's place in its document."""
    lexical: LexicalIndex
    lexicon: Lexicon
    dense: DenseIndex
    sentences: Rows[np.int8]
    """Shape (s, dimensions): unit vectors times 127."""
    sentence_bounds: NDArray[np.int64]
    """Shape (n + 1,)."""
    sentence_spans: Rows[np.int32]
    """Shape (s, 3): start and end in the document's text, and 1 for a line of code."""
    texts: Rows[np.uint8]
    """UTF-8 of a JSON array for each passage: start, end, heading path, page, tokens, text."""
    text_bounds: NDArray[np.int64]
    """Shape (n + 1,), in bytes."""
    quotes: Rows[np.uint8]
    """UTF-8 of every sentence as quoted, one after the other."""
    quote_bounds: Rows[np.int64]
    """Shape (s + 1,), in bytes."""
    sentence_terms: Rows[np.uint64]
    """Term hashes, sentence after sentence."""
    sentence_term_bounds: NDArray[np.int64]
    """Shape (s + 1,): terms of sentence i are [sentence_term_bounds[i], sentence_term_bounds[i + 1]); at least one."""
    words: Words | None
    """None where the embedder tells nothing of single words."""
    _seen: dict[Hashable, _Seen] = field(default_factory=dict[Hashable, "_Seen"], compare=False)

    @property
    def size(self) -> int:
        """How many passages there are."""
        return len(self.document)

    def candidates(self, asked: Asked, allowed: Allowed, *, depth: int) -> Candidates:
        """As `Index.candidates`."""
        seen = self._rows(allowed)
        lexical = self.lexical.best(asked.terms, seen.rows, depth=depth)
        dense, cosines = self.dense.best(asked.vector, seen.rows, depth=depth)
        others = np.setdiff1d(lexical, dense)
        rows = np.concatenate([dense, others])
        order = np.argsort(rows)
        cosines = np.concatenate([cosines, self.dense.cosines(asked.vector, others)])
        return self._read(rows[order], asked, seen, cosines[order])

    def passages(self, rows: Sequence[int]) -> list[tuple[Passage, tuple[Quote, ...]] | None]:
        """As `Index.passages`."""
        return [(self.passage(row), self._quotes(row)) for row in rows]

    def passage(self, row: int) -> Passage:
        """The passage of a row."""
        document = self.catalogue.documents[int(self.document[row])]
        stored = json.loads(self.texts[int(self.text_bounds[row]) : int(self.text_bounds[row + 1])].tobytes())
        start, end, heading_path, page, tokens, text, header = stored
        return Passage(
            document_id=document.id,
            version=document.version,
            ordinal=int(self.ordinal[row]),
            start=start,
            end=end,
            heading_path=tuple(heading_path),
            page=page,
            text=text,
            tokens=tokens,
            header=header,
        )

    def quote(self, sentence: int) -> str:
        """The text of a sentence without marks, white space folded."""
        first, last = self.quote_bounds[sentence : sentence + 2].tolist()
        return self.quotes[first:last].tobytes().decode()

    def _quotes(self, row: int) -> tuple[Quote, ...]:
        first, last = int(self.sentence_bounds[row]), int(self.sentence_bounds[row + 1])
        bounds = self.quote_bounds[first : last + 1]
        quoted = self.quotes[int(bounds[0]) : int(bounds[-1])].tobytes()
        places = (bounds - bounds[0]).tolist()
        spans = self.sentence_spans[first:last].tolist()
        return tuple(
            Quote(start, end, quoted[places[at] : places[at + 1]].decode(), is_code=bool(code))
            for at, (start, end, code) in enumerate(spans)
        )

    def _rows(self, allowed: Allowed) -> _Seen:
        seen = self._seen.get(allowed.key)
        if seen is None:
            if (len(self._seen) + 1) * self.size > _SEEN_BYTES:
                self._seen.clear()
            collections = np.unique(self.catalogue.collections[allowed.documents])
            seen = self._seen[allowed.key] = _Seen(allowed.documents[self.document], collections)
        return seen

    def _read(self, rows: NDArray[np.int64], asked: Asked, seen: _Seen, cosines: NDArray[np.float32]) -> Candidates:
        first, last = self.sentence_bounds[rows], self.sentence_bounds[rows + 1]
        picked, bounds = ranges(self.sentence_bounds, rows)
        terms = self.sentence_terms.gather(self.sentence_term_bounds[first], self.sentence_term_bounds[last])
        counts = self.sentence_term_bounds[picked + 1] - self.sentence_term_bounds[picked]
        scores, worths = self.lexical.term_scores(asked.terms, rows)
        return Candidates(
            rows=rows,
            documents=self.document[rows],
            rarity=self.lexical.rarity(asked.terms, seen.collections),
            term_scores=scores,
            term_worths=worths,
            dense=cosines,
            sentence_bounds=bounds,
            sentences=self.sentences.gather(first, last),
            sentence_term_bounds=_bounds(counts),
            sentence_terms=terms,
            words=PassageWords.none(len(rows)) if self.words is None else self.words.of(rows),
        )


def _bounds(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The distinct words of every passage."""

    vectors: Rows[np.int8]
    """Shape (w, WORD_DIMENSIONS): unit vectors times 127."""
    bounds: NDArray[np.int64]
    """Shape (n + 1,)."""

    def of(self, rows: NDArray[np.int64]) -> PassageWords:
        """Those of a few passages."""
        first, last = self.bounds[rows], self.bounds[rows + 1]
        return PassageWords(_bounds(last - first), self.vectors.gather(first, last))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a question may see of a generation."""

    rows: NDArray[np.bool_]
    """Shape (n,)."""
    collections: NDArray[np.int32]
    """Those of which a document is among it."""


@dataclass(frozen=True, slots=True)
class Generations:
    """The embedded store's indexes: one folder each below `folder`."""

    folder: Path
    store: Documents
    dimensions: int
    graph_from: int = GRAPH_FROM
    """Windows from which on a generation has a graph."""
    first_pass: int | None = None
    """So many first numbers of a vector are scored before whole vectors are; None: all of them are."""

    def build(self, name: str, versions: Mapping[str, str]) -> None:
        """As `Indexes.build`."""
        contents = Contents(
            versions=dict(sorted(versions.items())),
            store=self.store,
            dimensions=self.dimensions,
            graph_from=self.graph_from,
            first_pass=self.first_pass,
        )
        generation_folder.write(self.folder, name, contents=contents)

    def load(self, snapshot: Snapshot, *, comparable: frozenset[str]) -> Generation | None:
        """As `Indexes.load`; one that was made for another first pass is none."""
        found = load(self.folder, snapshot, comparable=comparable)
        if found is None or not len(found.dense.vectors):
            return found
        return found if found.dense.vectors.shape[1] == (self.first_pass or self.dimensions) else None

    def discard(self, name: str) -> None:
        """As `Indexes.discard`. Arrays still mapped by a reader stay readable to it."""
        discard(self.folder, name)

    def keep(self, names: frozenset[str]) -> None:
        """As `Indexes.keep`."""
        if self.folder.is_dir():
            for place in self.folder.iterdir():
                if place.name not in names:
                    discard(self.folder, place.name)


def generation_name(versions: Mapping[str, str], configuration: str) -> str:
    """The name of the index over these document versions: equal exactly when the arrays are."""
    digest = hashlib.sha256(f"{FORMAT}\n{configuration}\n".encode())
    for document_id in sorted(versions):
        digest.update(f"{document_id}\0{versions[document_id]}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:20]


def load(folder: Path, snapshot: Snapshot, *, comparable: Collection[str]) -> Generation | None:
    """Map the generation of a snapshot; None where it is missing or damaged, or isn't of these document versions.

    `comparable` are the ids of the documents that are in it: their vectors can be compared.
    """
    place = folder / snapshot.generation
    documents = tuple(document for document in snapshot.documents if document.id in comparable)
    ordered = [(document.id, document.version) for document in documents]
    checksum = generation_folder.checksum(place, ordered) if snapshot.generation else None
    if checksum is None:
        return None
    arrays = MappedFolder(place)
    try:
        of_rows = arrays.array("document", np.int32)
        collections = collection_numbers(document.id for document in documents)[of_rows]
        left_out = tuple(document for document in snapshot.documents if document.id not in comparable)
        return Generation(
            name=snapshot.generation,
            corpus_version=snapshot.corpus_version,
            catalogue=Catalogue(documents, left_out),
            document=of_rows,
            ordinal=arrays.array("ordinal", np.int32),
            lexical=LexicalIndex(
                terms=arrays.array("lexical_terms", np.uint64),
                bounds=arrays.array("lexical_bounds", np.int64),
                rows=arrays.array("lexical_rows", np.int32),
                weights=arrays.array("lexical_weights", np.float32),
                collections=collections,
                sizes=np.bincount(collections),
            ),
            lexicon=_lexicon(arrays),
            dense=_dense(arrays, checksum),
            sentences=arrays.rows("sentences", np.int8),
            sentence_bounds=arrays.array("sentence_bounds", np.int64),
            sentence_spans=arrays.rows("sentence_spans", np.int32),
            texts=arrays.rows("texts", np.uint8),
            text_bounds=arrays.array("text_bounds", np.int64),
            quotes=arrays.rows("quotes", np.uint8),
            quote_bounds=arrays.rows("quote_bounds", np.int64),
            sentence_terms=arrays.rows("sentence_terms", np.uint64),
            sentence_term_bounds=arrays.array("sentence_term_bounds", np.int64),
            words=_words(arrays),
        )
    except (OSError, ValueError, EOFError, RuntimeError):  # RuntimeError: usearch, of a graph
        return None


def _words(arrays: MappedFolder) -> Words | None:
    if not (arrays.place / "words.npy").exists():
        return None
    return Words(arrays.rows("words", np.int8), arrays.array("word_bounds", np.int64))


def _dense(arrays: MappedFolder, checksum: int) -> DenseIndex:
    found = None
    if checksum:
        windows = arrays.array("graph_windows", np.int32)
        found = graph.mapped(arrays.place / generation_folder.GRAPH, windows, checksum=checksum)
    return DenseIndex(
        vectors=arrays.rows("vectors", np.int8) if found else arrays.array("vectors", np.int8),
        scales=arrays.array("scales", np.float32),
        windows=arrays.rows("windows", np.float16),
        bounds=arrays.array("window_bounds", np.int64),
        graph=found,
    )


def _lexicon(arrays: MappedFolder) -> Lexicon:
    def read(name: str, dtype: type[Number]) -> NDArray[Number]:
        return arrays.array(f"lexicon_{name}", dtype)

    return Lexicon.of(read)


@contextmanager
def arrays_of(index: Index, collection: str, *, store: Documents, dimensions: int) -> Generator[Generation]:
    """Lend the arrays of a collection, for work that reads all of it: those at hand, or a copy made for this.

    Raises StorageError.
    """
    if isinstance(index, Generation):
        yield index
        return
    documents = tuple(document for document in index.catalogue.documents if document.collection == collection)
    versions = {document.id: document.version for document in documents}
    with tempfile.TemporaryDirectory(prefix="ken-arrays-") as folder:
        made_for_this = Generations(Path(folder), store, dimensions)
        made_for_this.build(index.name, versions)
        made = load(Path(folder), Snapshot(index.corpus_version, index.name, documents), comparable=frozenset(versions))
        if made is None:
            raise StorageError(f"The arrays of {collection!r} can't be read back from {folder!r}. Check that disk.")
        yield made
