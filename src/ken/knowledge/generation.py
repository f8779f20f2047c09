"""An index generation: the immutable, memory-mapped arrays that one version of the corpus is searched with.

A sync builds the next generation in a folder of its own beside the present one and then moves a pointer in the
database. A reader that is at work keeps its arrays; nothing is ever changed in place, so that a crash leaves either
generation whole, and nothing of a deleted document stays in a generation built after it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.errors import StorageError
from ken.knowledge import lexicon
from ken.knowledge.catalogue import Allowed, Catalogue
from ken.knowledge.index import Asked, Candidates, Index, Quote
from ken.knowledge.lexical import TERM_DTYPE, LexicalIndex, build
from ken.knowledge.lexicon import Lexicon
from ken.storage.documents import Documents, Snapshot

Number = TypeVar("Number", bound=np.generic)

_MANIFEST = "manifest.json"
_HEADER_BYTES = 128
"""Of an .npy file: one that is no longer holds no numbers."""

FORMAT = 7
"""Part of a generation's name: another layout of the arrays is another generation."""


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
    windows: NDArray[np.float32]
    """Shape (w, dimensions), L2-normalised."""
    window_bounds: NDArray[np.int64]
    """Shape (n + 1,): windows of row i are [window_bounds[i], window_bounds[i + 1]); at least one."""
    sentences: NDArray[np.int8]
    """Shape (s, dimensions): unit vectors times 127."""
    sentence_bounds: NDArray[np.int64]
    """Shape (n + 1,)."""
    sentence_spans: NDArray[np.int32]
    """Shape (s, 3): start and end in the document's text, and 1 for a line of code."""
    texts: NDArray[np.uint8]
    """UTF-8 of a JSON array for each passage: start, end, heading path, page, tokens, text."""
    text_bounds: NDArray[np.int64]
    """Shape (n + 1,), in bytes."""
    quotes: NDArray[np.uint8]
    """UTF-8 of every sentence as quoted, one after the other."""
    quote_bounds: NDArray[np.int64]
    """Shape (s + 1,), in bytes."""
    sentence_terms: NDArray[np.uint64]
    """Term hashes, sentence after sentence."""
    sentence_term_bounds: NDArray[np.int64]
    """Shape (s + 1,): terms of sentence i are [sentence_term_bounds[i], sentence_term_bounds[i + 1]); at least one."""
    _masks: dict[Hashable, NDArray[np.bool_]] = field(default_factory=dict[Hashable, NDArray[np.bool_]], compare=False)

    @property
    def size(self) -> int:
        """How many passages there are."""
        return len(self.document)

    def candidates(self, asked: Asked, allowed: Allowed, *, depth: int) -> Candidates:
        """As `Index.candidates`."""
        mask = self._rows(allowed)
        if not mask.any():
            return self._read(np.empty(0, dtype=np.int64), asked, np.empty(0, dtype=np.float32), allowed)
        lexical = self.lexical.scores(asked.terms)
        lexical[~mask] = 0.0
        dense = np.maximum.reduceat(self.windows @ asked.vector, self.window_bounds[:-1])
        dense[~mask] = -1.0
        rows = np.union1d(_top(lexical, depth, above=0.0), _top(dense, depth, above=-1.0))
        return self._read(rows, asked, dense[rows], allowed)

    def passages(self, rows: Sequence[int]) -> list[tuple[Passage, tuple[Quote, ...]] | None]:
        """As `Index.passages`."""
        return [(self.passage(row), self._quotes(row)) for row in rows]

    def passage(self, row: int) -> Passage:
        """The passage of a row."""
        document = self.catalogue.documents[int(self.document[row])]
        stored = json.loads(bytes(self.texts[self.text_bounds[row] : self.text_bounds[row + 1]]))
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
        return bytes(self.quotes[self.quote_bounds[sentence] : self.quote_bounds[sentence + 1]]).decode()

    def _quotes(self, row: int) -> tuple[Quote, ...]:
        first, last = int(self.sentence_bounds[row]), int(self.sentence_bounds[row + 1])
        spans = self.sentence_spans[first:last].tolist()
        return tuple(
            Quote(start, end, self.quote(sentence), is_code=bool(code))
            for sentence, (start, end, code) in enumerate(spans, start=first)
        )

    def _rows(self, allowed: Allowed) -> NDArray[np.bool_]:
        """Shape (n,): the passages of the documents that are allowed."""
        mask = self._masks.get(allowed.key)
        if mask is None:
            if len(self._masks) >= 256:  # noqa: PLR2004 - a bound on memory, not a tuned number
                self._masks.clear()
            mask = self._masks[allowed.key] = allowed.documents[self.document]
        return mask

    def _read(self, rows: NDArray[np.int64], asked: Asked, dense: NDArray[np.float32], allowed: Allowed) -> Candidates:
        picked, bounds = ranges(self.sentence_bounds, rows)
        held, held_bounds = ranges(self.sentence_term_bounds, picked)
        scores, worths = self.lexical.term_scores(asked.terms, rows)
        collections = np.unique(self.catalogue.collections[allowed.documents])
        return Candidates(
            rows=rows,
            documents=self.document[rows],
            rarity=self.lexical.rarity(asked.terms, collections),
            term_scores=scores,
            term_worths=worths,
            dense=dense,
            sentence_bounds=bounds,
            sentences=self.sentences[picked],
            sentence_term_bounds=held_bounds,
            sentence_terms=self.sentence_terms[held],
        )


def ranges(bounds: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every index of [bounds[r], bounds[r + 1]) for each row r, one after the other; and where each row's begin."""
    counts = bounds[rows + 1] - bounds[rows]
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(bounds[rows] - ends[:-1], counts) + np.arange(ends[-1]), ends


def _top(scores: NDArray[np.float32], count: int, *, above: float) -> NDArray[np.int64]:
    """Rows of the highest scores that lie above a floor."""
    kept = np.flatnonzero(scores > above)
    return kept if len(kept) <= count else kept[np.argpartition(-scores[kept], count)[:count]]


@dataclass(frozen=True, slots=True)
class Generations:
    """The embedded store's indexes: one folder each below `folder`."""

    folder: Path
    store: Documents
    dimensions: int

    def build(self, name: str, versions: Mapping[str, str]) -> None:
        """As `Indexes.build`."""
        write(self.folder, name, versions=versions, store=self.store, dimensions=self.dimensions)

    def load(self, snapshot: Snapshot, *, comparable: frozenset[str]) -> Generation | None:
        """As `Indexes.load`."""
        return load(self.folder, snapshot, comparable=comparable)

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


def write(folder: Path, name: str, *, versions: Mapping[str, str], store: Documents, dimensions: int) -> None:
    """Build generation `name` over `versions` (document id -> version) below `folder`, unless it is there and whole.

    Raises StorageError.
    """
    ordered = sorted(versions.items())
    if _is_whole(folder / name, ordered):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
        try:
            sizes: dict[str, int] = {}
            for array_name, array in _arrays(store, dict(ordered), dimensions):
                with (temporary / f"{array_name}.npy").open("wb") as file:
                    np.save(file, array)
                    file.flush()
                    os.fsync(file.fileno())
                    sizes[array_name] = file.tell()
            (temporary / _MANIFEST).write_text(json.dumps({"documents": ordered, "bytes": sizes}), encoding="utf-8")
            discard(folder, name)
            temporary.rename(folder / name)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        if _is_whole(folder / name, ordered):  # somebody else was quicker
            return
        reason = error.strerror or "the disk took only a part of it"  # numpy has no more to say
        raise StorageError(
            f"The index can't be written to {str(folder)!r}: {reason}. Free space there, then sync again."
        ) from error


def discard(folder: Path, name: str) -> None:
    """Delete a generation, or whatever bears its name; what resists stays for the next sync.

    Arrays still mapped by a reader stay readable to it.
    """
    place = folder / name
    with suppress(OSError):
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()


def _is_whole(place: Path, versions: Sequence[tuple[str, str]]) -> bool:
    """Whether the generation at `place` is of these versions, in this order, and no file of it was cut short."""
    try:
        manifest: object = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        match manifest:
            case {"documents": list(listed), "bytes": dict(sizes)}:
                return listed == [list(version) for version in versions] and all(
                    (place / f"{name}.npy").stat().st_size == size for name, size in sizes.items()
                )
            case _:
                return False
    except (OSError, ValueError):
        return False


def _arrays(
    store: Documents, versions: Mapping[str, str], dimensions: int
) -> Iterator[tuple[str, NDArray[np.generic]]]:
    passages: list[NDArray[np.void]] = []
    document: list[NDArray[np.int32]] = []
    ordinal: list[NDArray[np.int32]] = []
    for index, (spans, data) in enumerate(store.features("terms", versions)):
        counts = np.frombuffer(spans, dtype=np.int32)
        passages.extend(np.split(np.frombuffer(data, dtype=TERM_DTYPE), np.cumsum(counts)[:-1]) if len(counts) else [])
        document.append(np.full(len(counts), index, dtype=np.int32))
        ordinal.append(np.arange(len(counts), dtype=np.int32))
    owners = _joined(document, np.int32)
    lexical = build(passages, _collections(versions)[owners])
    for name, array in lexicon.build(store.features("lexicon", versions)).items():
        yield f"lexicon_{name}", array
    yield "lexical_terms", lexical.terms
    yield "lexical_bounds", lexical.bounds
    yield "lexical_rows", lexical.rows
    yield "lexical_weights", lexical.weights
    first = np.cumsum([0, *(len(part) for part in document)])
    yield "document", _joined(document, np.int32)
    yield "ordinal", _joined(ordinal, np.int32)
    for kind, width, stored, kept in (("windows", 3, np.float16, np.float32), ("sentences", 4, np.int8, np.int8)):
        rows: list[NDArray[np.int32]] = []
        spans_found: list[NDArray[np.int32]] = []
        vectors: list[NDArray[np.generic]] = []
        for index, (spans, data) in enumerate(store.features(kind, versions)):
            of_document = np.frombuffer(spans, dtype=np.int32).reshape(-1, width)
            rows.append(of_document[:, 0] + np.int32(first[index]))
            spans_found.append(of_document[:, 1:])
            vectors.append(np.frombuffer(data, dtype=stored).reshape(-1, dimensions).astype(kept))
        yield kind, np.concatenate(vectors) if vectors else np.empty((0, dimensions), dtype=kept)
        counts = np.bincount(_joined(rows, np.int32), minlength=int(first[-1]))
        yield f"{kind}_bounds", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        if kind == "sentences":
            yield "sentence_spans", np.concatenate(spans_found) if spans_found else np.empty((0, 3), dtype=np.int32)

    stored = [_packed(passage) for group in store.passages_by_version(versions) for passage in group]
    yield "texts", np.frombuffer(b"".join(stored), dtype=np.uint8)
    yield "text_bounds", np.cumsum([0, *(len(text) for text in stored)]).astype(np.int64)
    lengths: list[NDArray[np.int32]] = []
    letters: list[NDArray[np.uint8]] = []
    for spans, data in store.features("quotes", versions):
        lengths.append(np.frombuffer(spans, dtype=np.int32))
        letters.append(np.frombuffer(data, dtype=np.uint8))
    yield "quotes", np.concatenate(letters) if letters else np.empty(0, dtype=np.uint8)
    yield "quote_bounds", np.concatenate([[0], np.cumsum(_joined(lengths, np.int32))]).astype(np.int64)
    counted: list[NDArray[np.int32]] = []
    hashes: list[NDArray[np.uint64]] = []
    for spans, data in store.features("sentence_terms", versions):
        counted.append(np.frombuffer(spans, dtype=np.int32))
        hashes.append(np.frombuffer(data, dtype=np.uint64))
    yield "sentence_terms", np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
    yield "sentence_term_bounds", np.concatenate([[0], np.cumsum(_joined(counted, np.int32))]).astype(np.int64)


def _collections(document_ids: Iterable[str]) -> NDArray[np.int32]:
    """The number of each document's collection, in the order in which they first come."""
    numbers: dict[str, int] = {}
    names = (document_id.partition("/")[0] for document_id in document_ids)
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int32)


def _packed(passage: Passage) -> bytes:
    values = (
        passage.start,
        passage.end,
        passage.heading_path,
        passage.page,
        passage.tokens,
        passage.text,
        passage.header,
    )
    return json.dumps(values, ensure_ascii=False).encode()


def _joined(parts: list[NDArray[np.int32]], dtype: type[np.int32]) -> NDArray[np.int32]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def load(folder: Path, snapshot: Snapshot, *, comparable: Collection[str]) -> Generation | None:
    """Map the generation of a snapshot; None where it is missing or damaged, or isn't of these document versions.

    `comparable` are the ids of the documents that are in it: their vectors can be compared.
    """
    place = folder / snapshot.generation
    documents = tuple(document for document in snapshot.documents if document.id in comparable)
    if not snapshot.generation or not _is_whole(place, [(document.id, document.version) for document in documents]):
        return None
    try:
        lexical = LexicalIndex(
            terms=_array(place, "lexical_terms", np.uint64),
            bounds=_array(place, "lexical_bounds", np.int64),
            rows=_array(place, "lexical_rows", np.int32),
            weights=_array(place, "lexical_weights", np.float32),
            collections=_collections([document.id for document in documents])[_array(place, "document", np.int32)],
        )
        return Generation(
            name=snapshot.generation,
            corpus_version=snapshot.corpus_version,
            catalogue=Catalogue(
                documents, tuple(document for document in snapshot.documents if document.id not in comparable)
            ),
            document=_array(place, "document", np.int32),
            ordinal=_array(place, "ordinal", np.int32),
            lexical=lexical,
            lexicon=_lexicon(place),
            windows=_array(place, "windows", np.float32),
            window_bounds=_array(place, "windows_bounds", np.int64),
            sentences=_array(place, "sentences", np.int8),
            sentence_bounds=_array(place, "sentences_bounds", np.int64),
            sentence_spans=_array(place, "sentence_spans", np.int32),
            texts=_array(place, "texts", np.uint8),
            text_bounds=_array(place, "text_bounds", np.int64),
            quotes=_array(place, "quotes", np.uint8),
            quote_bounds=_array(place, "quote_bounds", np.int64),
            sentence_terms=_array(place, "sentence_terms", np.uint64),
            sentence_term_bounds=_array(place, "sentence_term_bounds", np.int64),
        )
    except (OSError, ValueError, EOFError):
        return None


def _lexicon(place: Path) -> Lexicon:
    def read(name: str, dtype: type[Number]) -> NDArray[Number]:
        return _array(place, f"lexicon_{name}", dtype)

    return Lexicon.of(read)


def _array(place: Path, name: str, dtype: type[Number]) -> NDArray[Number]:
    """Map an array; numpy can't map an empty one, so that is read."""
    path = place / f"{name}.npy"
    loaded = np.load(path, mmap_mode="r" if path.stat().st_size > _HEADER_BYTES else None)
    return np.asarray(loaded, dtype=dtype)


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
        write(Path(folder), index.name, versions=versions, store=store, dimensions=dimensions)
        made = load(Path(folder), Snapshot(index.corpus_version, index.name, documents), comparable=frozenset(versions))
        if made is None:
            raise StorageError(f"The arrays of {collection!r} can't be read back from {folder!r}. Check that disk.")
        yield made
