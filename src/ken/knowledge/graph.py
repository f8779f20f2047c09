"""A graph over many vectors, searched for the nearest ones: HNSW (Malkov and Yashunin, 2018), by usearch.

Vectors have keys that stay theirs from one generation to the next, so that the next one takes the graph over and only
adds what is new. What is removed from such a graph keeps its bytes in the file, compacted or not, until another vector
takes its place; so something always does: what is new, or else the copy of a vector that stays.
"""

from __future__ import annotations

import os
import threading
import zlib
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from usearch.index import Index

_CONNECTIVITY = 16
_EXPANSION_ADD = 64
_MOST_SPARE = 0.25
"""Of a graph's keys, those that stand for no window: with more it is built anew."""
_BLOCK = 1 << 22

Made = tuple["Index", NDArray[np.int32]]
"""A graph, and the window of each of its keys."""

NONE = -1
"""The window of a key that stands for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A graph in a mapped file."""

    index: Index
    windows: NDArray[np.int32]
    """Shape (keys,): the window of each key, or NONE."""
    _searching: threading.Lock = field(default_factory=threading.Lock)

    def nearest(self, question: NDArray[np.int8], count: int) -> NDArray[np.int64]:
        """About `count` windows near a vector of shape (dimensions,), the nearest first; more of them takes longer, and misses less."""
        with self._searching:  # usearch gives each of its threads a place of its own, and all of ours the first one
            keys = self.index.search(question, min(count, len(self.windows)), threads=1).keys
        windows = self.windows[np.asarray(keys, dtype=np.int64)].astype(np.int64)
        return windows[windows != NONE]


def mapped(path: Path, windows: NDArray[np.int32], *, checksum: int) -> Graph:
    """The graph in a file. Raises OSError; ValueError where the file is not what was written: its links are followed blindly."""
    _check(path, checksum)
    index = _index_class().restore(path, view=True, enable_key_lookups=False)
    if index is None:
        raise ValueError(f"{str(path)!r} holds no graph.")
    return Graph(index, windows)


def built(vectors: NDArray[np.int8]) -> Made:
    """A new graph over vectors of shape (w, dimensions), and the window of each key."""
    index = _index_class()(
        ndim=vectors.shape[1],
        metric="cos",
        dtype="i8",
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        enable_key_lookups=False,
    )
    windows = np.arange(len(vectors), dtype=np.int32)
    _add(index, windows.astype(np.int64), vectors)
    return index, windows


def taken_over(
    path: Path, windows: NDArray[np.int32], *, moved: NDArray[np.int32], vectors: NDArray[np.int8], checksum: int
) -> Made | None:
    """The graph of the generation before, brought up to date, and the window of each key; None where a new one is better.

    `windows` are those of its keys, `moved` says where each of its windows is in `vectors` now, or NONE.
    Raises as `mapped` does.
    """
    _check(path, checksum)
    now = np.where(windows == NONE, np.int32(NONE), moved[np.maximum(windows, 0)])
    is_new = np.ones(len(vectors), dtype=np.bool_)
    is_new[now[now != NONE]] = False
    new = np.flatnonzero(is_new)
    gone = np.flatnonzero((windows != NONE) & (now == NONE))
    spare = np.flatnonzero(windows == NONE)
    if len(gone) + len(spare) - len(new) > _MOST_SPARE * len(windows) or len(new) > len(vectors) // 2:
        return None
    index = _index_class().restore(path, enable_key_lookups=True)
    if index is None:
        return None
    freed = np.concatenate([gone, spare[: max(0, len(new) - len(gone))]])
    if len(freed):
        index.remove(freed)
    keys = np.concatenate([freed, np.arange(len(windows), len(windows) + max(0, len(new) - len(freed)))])
    # Beyond what is new, copies of what stays, from all over the corpus.
    copied = np.linspace(0, len(vectors) - 1, len(keys) - len(new)).astype(np.int64)
    _add(index, keys, vectors[np.concatenate([new, copied])])
    after = np.concatenate([now, np.full(len(keys) - len(freed), NONE, dtype=np.int32)])
    after[keys[: len(new)]] = new
    return index, after


def saved(index: Index, path: Path) -> int:
    """Write a graph; its checksum. Raises OSError."""
    try:
        index.save(str(path))
    except RuntimeError as error:  # usearch has no other one for a full disk
        raise OSError(0, str(error)) from error
    return _checksum(path)


def _add(index: Index, keys: NDArray[np.int64], vectors: NDArray[np.int8]) -> None:
    if len(keys):
        # One core is left to whoever asks meanwhile.
        index.add(keys, vectors, threads=max(1, (os.cpu_count() or 1) - 1))


def _index_class() -> type[Index]:
    """The class of usearch's index, loaded where there is a graph.

    The library puts its symbols where all libraries see them, and ONNX Runtime crashes when it is loaded after that.
    """
    import_module("onnxruntime")
    from usearch.index import Index  # noqa: PLC0415

    return Index


def _check(path: Path, checksum: int) -> None:
    if _checksum(path) != checksum:
        raise ValueError(f"{str(path)!r} is damaged.")


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum or 1  # 0 says that there is no graph
