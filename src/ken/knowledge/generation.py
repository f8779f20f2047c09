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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document
from ken.domain.principal import Principal
from ken.errors import StorageError
from ken.knowledge.lexical import TERM_DTYPE, LexicalIndex, build
from ken.storage.documents import Documents

Number = TypeVar("Number", bound=np.generic)

_HEADER_BYTES = 128
"""Of an .npy file: one that is no longer holds no numbers."""

FORMAT = 1
"""Part of a generation's name: another layout of the arrays is another generation."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The arrays of one corpus version. Row i of n is one passage; rows of a document stand together."""

    name: str
    corpus_version: int
    documents: tuple[Document, ...]
    document: NDArray[np.int32]
    """Shape (n,): index into `documents`."""
    ordinal: NDArray[np.int32]
    """Shape (n,): the passage's place in its document."""
    lexical: LexicalIndex
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
    sentence_terms: NDArray[np.uint64]
    """Term hashes, sentence after sentence."""
    sentence_term_bounds: NDArray[np.int64]
    """Shape (s + 1,): terms of sentence i are [sentence_term_bounds[i], sentence_term_bounds[i + 1]); at least one."""
    _masks: dict[tuple[str, frozenset[str] | None], NDArray[np.bool_]] = field(default_factory=dict, compare=False)

    @property
    def size(self) -> int:
        """How many passages there are."""
        return len(self.document)

    def readable(self, principal: Principal, collections: frozenset[str] | None) -> NDArray[np.bool_]:
        """Shape (n,): which passages this principal may see in these collections."""
        key = (principal.scope, collections)
        mask = self._masks.get(key)
        if mask is None:
            allowed = np.array(
                [
                    principal.may_read(document.groups) and (collections is None or document.collection in collections)
                    for document in self.documents
                ],
                dtype=np.bool_,
            )
            mask = allowed[self.document] if self.size else np.zeros(0, dtype=np.bool_)
            if len(self._masks) >= 256:  # noqa: PLR2004 - a bound on memory, not a tuned number
                self._masks.clear()
            self._masks[key] = mask
        return mask


def generation_name(versions: Mapping[str, str], configuration: str) -> str:
    """The name of the index over these document versions: equal exactly when the arrays are."""
    digest = hashlib.sha256(f"{FORMAT}\n{configuration}\n".encode())
    for document_id in sorted(versions):
        digest.update(f"{document_id}\0{versions[document_id]}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:20]


def write(folder: Path, name: str, versions: Mapping[str, str], store: Documents, *, dimensions: int) -> None:
    """Build generation `name` over `versions` (document id -> version) below `folder`. Raises StorageError."""
    if (folder / name).is_dir():
        return
    ordered = {document_id: versions[document_id] for document_id in sorted(versions)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
        for array_name, array in _arrays(store, ordered, dimensions):
            with (temporary / f"{array_name}.npy").open("wb") as file:
                np.save(file, array)
                file.flush()
                os.fsync(file.fileno())
        (temporary / "documents.json").write_text(json.dumps(list(ordered)), encoding="utf-8")
        temporary.rename(folder / name)
    except OSError as error:
        raise StorageError(
            f"The index can't be written to {str(folder)!r}: {error.strerror}. Free space there, then sync again."
        ) from error


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
    lexical = build(passages)
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

    counted: list[NDArray[np.int32]] = []
    hashes: list[NDArray[np.uint64]] = []
    for spans, data in store.features("sentence_terms", versions):
        counted.append(np.frombuffer(spans, dtype=np.int32))
        hashes.append(np.frombuffer(data, dtype=np.uint64))
    yield "sentence_terms", np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
    yield "sentence_term_bounds", np.concatenate([[0], np.cumsum(_joined(counted, np.int32))]).astype(np.int64)


def _joined(parts: list[NDArray[np.int32]], dtype: type[np.int32]) -> NDArray[np.int32]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def load(folder: Path, name: str, corpus_version: int, documents: tuple[Document, ...]) -> Generation | None:
    """Map generation `name`; None where it isn't there, or isn't of these documents (a later sync is about to be seen)."""
    place = folder / name
    try:
        listed: object = json.loads((place / "documents.json").read_text(encoding="utf-8"))
        if listed != [document.id for document in documents]:
            return None

        lexical = LexicalIndex(
            terms=_array(place, "lexical_terms", np.uint64),
            bounds=_array(place, "lexical_bounds", np.int64),
            rows=_array(place, "lexical_rows", np.int32),
            weights=_array(place, "lexical_weights", np.float32),
            size=len(_array(place, "document", np.int32)),
        )
        return Generation(
            name=name,
            corpus_version=corpus_version,
            documents=documents,
            document=_array(place, "document", np.int32),
            ordinal=_array(place, "ordinal", np.int32),
            lexical=lexical,
            windows=_array(place, "windows", np.float32),
            window_bounds=_array(place, "windows_bounds", np.int64),
            sentences=_array(place, "sentences", np.int8),
            sentence_bounds=_array(place, "sentences_bounds", np.int64),
            sentence_spans=_array(place, "sentence_spans", np.int32),
            sentence_terms=_array(place, "sentence_terms", np.uint64),
            sentence_term_bounds=_array(place, "sentence_term_bounds", np.int64),
        )
    except (OSError, ValueError):
        return None


def _array(place: Path, name: str, dtype: type[Number]) -> NDArray[Number]:
    """Map an array; numpy can't map an empty one, so that is read."""
    path = place / f"{name}.npy"
    loaded = np.load(path, mmap_mode="r" if path.stat().st_size > _HEADER_BYTES else None)
    return np.asarray(loaded, dtype=dtype)


def remove_others(folder: Path, name: str) -> None:
    """Delete every generation but `name`, and what crashes left behind. Arrays still mapped by a reader stay readable to it."""
    if folder.is_dir():
        for place in folder.iterdir():
            if place.name != name:
                shutil.rmtree(place, ignore_errors=True)
