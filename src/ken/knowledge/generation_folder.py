"""The folder of a generation: filled from what the database has of each document version, whole or not there at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.errors import StorageError
from ken.knowledge import graph, lexicon
from ken.knowledge.arrays import ArrayFolder, MappedFolder, Number
from ken.knowledge.dense import quantised
from ken.knowledge.late import WORD_DIMENSIONS
from ken.knowledge.lexical import TERM_DTYPE, Batch, build
from ken.storage.documents import Documents

MANIFEST = "manifest.json"
GRAPH = "graph.usearch"
_BATCH_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes into a generation."""

    versions: Mapping[str, str]
    """Document id -> version, by id."""
    store: Documents
    dimensions: int
    graph_from: int
    """Windows from which on there is a graph."""
    first_pass: int | None = None
    """So many first numbers of a vector are scored before whole vectors are; None: all of them are."""


def write(folder: Path, name: str, *, contents: Contents) -> None:
    """Make generation `name` below `folder`, unless it is there and whole. Raises StorageError."""
    ordered = list(contents.versions.items())
    if checksum(folder / name, ordered) is not None:
        return
    try:
        with _in_place_of(folder, name) as place:
            output = ArrayFolder(place)
            _fill(output, contents)
            made = _write_graph(output, folder, contents)
            manifest = {"documents": ordered, "bytes": output.sizes, "graph": made}
            (place / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    except OSError as error:
        if checksum(folder / name, ordered) is not None:  # somebody else was quicker
            return
        reason = error.strerror or "the disk took only a part of it"
        raise StorageError(
            f"The index can't be written to {str(folder)!r}: {reason}. Free space there, then sync again."
        ) from error


@contextmanager
def _in_place_of(folder: Path, name: str) -> Generator[Path]:
    """Lend a new folder, which takes the name when everything is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        yield temporary
        discard(folder, name)
        temporary.rename(folder / name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


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


def checksum(place: Path, versions: Sequence[tuple[str, str]]) -> int | None:
    """The checksum of a generation's graph, 0 where it has none.

    None where the generation isn't of these versions, in this order, or a file of it was cut short.
    """
    try:
        manifest: object = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        match manifest:
            case {"documents": list(listed), "bytes": dict(sizes), "graph": int(made)}:
                is_whole = listed == [list(version) for version in versions] and all(
                    (place / name).stat().st_size == size for name, size in sizes.items()
                )
                return made if is_whole else None
            case _:
                return None
    except (OSError, ValueError):
        return None


def collection_numbers(document_ids: Iterable[str]) -> NDArray[np.int32]:
    """The number of each document's collection, in the order in which they first come."""
    numbers: dict[str, int] = {}
    names = (document_id.partition("/")[0] for document_id in document_ids)
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int32)


def _fill(output: ArrayFolder, contents: Contents) -> None:
    """Write everything but the graph; no more than a few documents are held at a time."""
    store, versions = contents.store, contents.versions
    passages = np.array([len(spans) // 4 for spans, _ in store.features("terms", versions)], dtype=np.int64)
    document = np.repeat(np.arange(len(passages), dtype=np.int32), passages)
    first = np.concatenate([[0], np.cumsum(passages)]).astype(np.int64)
    output.write("document", document)
    output.write("ordinal", (np.arange(len(document)) - first[document]).astype(np.int32))
    _fill_lexical(output, contents, collection_numbers(versions)[document])
    for name, array in lexicon.build(store.features("lexicon", versions)).items():
        output.write(f"lexicon_{name}", array)
    _fill_windows(output, contents, first)
    _fill_sentences(output, contents, first)
    _fill_words(output, contents)
    with output.column("texts", np.uint8) as texts:
        lengths: list[int] = []
        for group in store.passages_by_version(versions):
            stored = [_packed(passage) for passage in group]
            lengths.extend(map(len, stored))
            texts.append(np.frombuffer(b"".join(stored), dtype=np.uint8))
    output.write("text_bounds", _bounds(np.array(lengths, dtype=np.int64)))
    for kind, bounds, stored_as in (
        ("quotes", "quote_bounds", np.uint8),
        ("sentence_terms", "sentence_term_bounds", np.uint64),
    ):
        counts: list[NDArray[np.int32]] = []
        with output.column(kind, stored_as) as column:
            for spans, data in store.features(kind, versions):
                counts.append(np.frombuffer(spans, dtype=np.int32))
                column.append(np.frombuffer(data, dtype=stored_as))
        output.write(bounds, _bounds(_joined(counts)))


def _fill_lexical(output: ArrayFolder, contents: Contents, collections: NDArray[np.int32]) -> None:
    def batches() -> Iterator[Batch]:
        counts: list[bytes] = []
        terms: list[bytes] = []
        held = 0
        for spans, data in contents.store.features("terms", contents.versions):
            counts.append(spans)
            terms.append(data)
            held += len(data)
            if held > _BATCH_BYTES:
                yield np.frombuffer(b"".join(counts), dtype=np.int32), np.frombuffer(b"".join(terms), dtype=TERM_DTYPE)
                counts, terms, held = [], [], 0
        yield np.frombuffer(b"".join(counts), dtype=np.int32), np.frombuffer(b"".join(terms), dtype=TERM_DTYPE)

    def blank(name: str, dtype: type[Number], *, length: int) -> NDArray[Number]:
        return output.blank(f"lexical_{name}", dtype, length=length)

    lexical = build(batches, collections, blank=blank)
    output.write("lexical_terms", lexical.terms)
    output.write("lexical_bounds", lexical.bounds)
    del lexical
    output.settle("lexical_rows.npy")
    output.settle("lexical_weights.npy")


def _fill_windows(output: ArrayFolder, contents: Contents, first: NDArray[np.int64]) -> None:
    width = (contents.dimensions,)
    scored = contents.first_pass or contents.dimensions
    rows: list[NDArray[np.int64]] = []
    scales: list[NDArray[np.float32]] = []
    with (
        output.column("windows", np.float16, shape=width) as windows,
        output.column("vectors", np.int8, shape=(scored,)) as vectors,
    ):
        for index, (spans, data) in enumerate(contents.store.features("windows", contents.versions)):
            rows.append(np.frombuffer(spans, dtype=np.int32).reshape(-1, 3)[:, 0] + first[index])
            exact = np.frombuffer(data, dtype=np.float16).reshape(-1, *width)
            windows.append(exact)
            beginnings = exact[:, :scored].astype(np.float32)
            rounded, scale = quantised(beginnings)
            vectors.append(rounded)
            # A beginning is no longer of unit length.
            scales.append(scale / np.maximum(np.linalg.norm(beginnings, axis=1), np.float32(1e-6)))
    output.write("scales", np.concatenate(scales) if scales else np.empty(0, dtype=np.float32))
    output.write("window_bounds", _bounds(np.bincount(_joined(rows), minlength=int(first[-1]))))


def _fill_sentences(output: ArrayFolder, contents: Contents, first: NDArray[np.int64]) -> None:
    rows: list[NDArray[np.int64]] = []
    with (
        output.column("sentences", np.int8, shape=(contents.dimensions,)) as sentences,
        output.column("sentence_spans", np.int32, shape=(3,)) as places,
    ):
        for index, (spans, data) in enumerate(contents.store.features("sentences", contents.versions)):
            of_document = np.frombuffer(spans, dtype=np.int32).reshape(-1, 4)
            rows.append(of_document[:, 0] + first[index])
            places.append(of_document[:, 1:])
            sentences.append(np.frombuffer(data, dtype=np.int8).reshape(-1, contents.dimensions))
    output.write("sentence_bounds", _bounds(np.bincount(_joined(rows), minlength=int(first[-1]))))


def _fill_words(output: ArrayFolder, contents: Contents) -> None:
    """Write nothing where the embedder tells nothing of single words."""
    counts = [np.frombuffer(spans, dtype=np.int32) for spans, _ in contents.store.features("words", contents.versions)]
    bounds = _bounds(_joined(counts))
    if bounds[-1]:
        output.write("word_bounds", bounds)
        with output.column("words", np.int8, shape=(WORD_DIMENSIONS,)) as words:
            for _, data in contents.store.features("words", contents.versions):
                words.append(np.frombuffer(data, dtype=np.int8).reshape(-1, WORD_DIMENSIONS))


def _write_graph(output: ArrayFolder, folder: Path, contents: Contents) -> int:
    """Write the graph over the windows, and return its checksum; 0 where there are too few for one."""
    written = MappedFolder(output.place)
    vectors = written.array("vectors", np.int8)
    if not len(vectors) or len(vectors) < contents.graph_from:
        return 0
    made = None
    for place in _with_graph(folder):
        with suppress(
            OSError, ValueError, EOFError, RuntimeError
        ):  # it is being deleted, or damaged: there is another way
            made = _taken_over(place, written, contents)
            break
    index, windows = made or graph.built(vectors)
    output.write("graph_windows", windows)
    made_sum = graph.saved(index, output.place / GRAPH)
    output.settle(GRAPH)
    return made_sum


def _with_graph(folder: Path) -> list[Path]:
    """The generations that have a graph, the newest first."""
    places = [place for place in folder.iterdir() if (place / GRAPH).is_file() and (place / MANIFEST).is_file()]
    return sorted(places, key=lambda place: place.stat().st_mtime, reverse=True)


def _taken_over(place: Path, written: MappedFolder, contents: Contents) -> graph.Made | None:
    """The graph of another generation, brought up to date; None where a new one is better."""
    listed = [
        (document_id, version)
        for document_id, version in json.loads((place / MANIFEST).read_text("utf-8"))["documents"]
    ]
    sum_of_it = checksum(place, listed)
    old = MappedFolder(place)
    vectors = written.array("vectors", np.int8)
    if not sum_of_it or old.array("vectors", np.int8).shape[1:] != vectors.shape[1:]:
        return None
    places = {version: at for at, version in enumerate(contents.versions.items())}
    now = np.array([places.get(version, graph.NONE) for version in listed], dtype=np.int64)
    before, after = (_windows_of_documents(each, len(count)) for each, count in ((old, listed), (written, places)))
    stays = np.flatnonzero(now != graph.NONE)
    moved = np.full(int(before[-1]), graph.NONE, dtype=np.int32)
    counts = np.diff(before)[stays]
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    moved[np.repeat(before[stays], counts) + within] = np.repeat(after[now[stays]], counts) + within
    windows = old.array("graph_windows", np.int32)
    return graph.taken_over(place / GRAPH, windows, moved=moved, vectors=vectors, checksum=sum_of_it)


def _windows_of_documents(arrays: MappedFolder, documents: int) -> NDArray[np.int64]:
    """Shape (documents + 1,): windows of document i are [bounds[i], bounds[i + 1])."""
    first = np.searchsorted(arrays.array("document", np.int32), np.arange(documents + 1))
    return arrays.array("window_bounds", np.int64)[first]


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


def _bounds(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _joined(parts: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, dtype=np.int64)
