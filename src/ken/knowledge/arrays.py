"""Arrays in files: written piece by piece, mapped into memory, and let go of."""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Number = TypeVar("Number", bound=np.generic)

_ZEROS = 1 << 20


class Column:
    """An array on its way into a file; rows are appended.

    numpy leaves room in a header for the longest number of rows.
    """

    def __init__(self, file: BinaryIO, dtype: DTypeLike, *, shape: tuple[int, ...]) -> None:
        self._file = file
        self._dtype = np.dtype(dtype)
        self._shape = shape
        self.length = 0
        self._write_header()

    def append(self, rows: NDArray[np.generic]) -> None:
        """Add rows of the column's type."""
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data.cast("B") if rows.size else b"")
        self.length += len(rows)

    def finish(self) -> None:
        """Say in the header how many rows there are."""
        self._file.seek(0)
        self._write_header()

    def _write_header(self) -> None:
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.length, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


@dataclass(frozen=True, slots=True)
class ArrayFolder:
    """A folder that is being filled with arrays; each file is on the disk when its method returns. Raises OSError."""

    place: Path
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes of each file, by its name."""

    @contextmanager
    def column(self, name: str, dtype: DTypeLike, *, shape: tuple[int, ...] = ()) -> Generator[Column]:
        """An array whose rows have this shape, to be appended to."""
        with (self.place / f"{name}.npy").open("wb") as file:
            column = Column(file, dtype, shape=shape)
            yield column
            column.finish()
        self.settle(f"{name}.npy")

    def write(self, name: str, array: NDArray[np.generic]) -> None:
        """A whole array."""
        with self.column(name, array.dtype, shape=array.shape[1:]) as column:
            column.append(array)

    def blank(self, name: str, dtype: type[Number], *, length: int) -> NDArray[Number]:
        """An array of shape (length,) to be written to in any order; `settle` it then."""
        # Filled with zeros first: a disk that is full says so here, and kills whoever writes to a mapping.
        with self.column(name, dtype) as column:
            for start in range(0, length, _ZEROS):
                column.append(np.zeros(min(_ZEROS, length - start), dtype=dtype))
        if not length:
            return np.empty(0, dtype=dtype)
        mapped = np.lib.format.open_memmap(self.place / f"{name}.npy", mode="r+")
        return np.asarray(mapped, dtype=dtype)

    def settle(self, file_name: str) -> None:
        """Take a file that was written here into the sizes, once the disk has it."""
        with (self.place / file_name).open("rb+") as file:
            os.fsync(file.fileno())
        self.sizes[file_name] = (self.place / file_name).stat().st_size


class Rows(Generic[Number]):
    """An array of which a few rows are read here and there, each time from its file.

    Mapped, it would grow into memory: for each row that is touched, the system maps the 64 kilobytes around it.
    """

    def __init__(self, path: Path, dtype: type[Number]) -> None:
        self.shape, self._begin = _checked(path, dtype)
        self._dtype = np.dtype(dtype)
        self._row = int(np.prod(self.shape[1:], dtype=np.int64)) * self._dtype.itemsize
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Number]:
        start, stop, _ = rows.indices(len(self))
        return self.gather(np.array([start]), np.array([max(start, stop)]))

    def gather(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[Number]:
        """The rows of [starts[i], stops[i]) for each i, one after the other. Raises OSError where the file is cut short."""
        found = np.empty((int((stops - starts).sum()), *self.shape[1:]), dtype=self._dtype)
        if not found.size:
            return found
        # Ranges that touch are read at once.
        begins = np.flatnonzero(np.concatenate([[True], starts[1:] != stops[:-1]]))
        first, last = starts[begins], stops[np.append(begins[1:] - 1, len(stops) - 1)]
        room = found.data.cast("B")
        at = 0
        for start, size in zip((first * self._row).tolist(), ((last - first) * self._row).tolist(), strict=True):
            if os.preadv(self._descriptor, [room[at : at + size]], self._begin + start) != size:
                raise OSError(0, "An array of the index was cut short while it was read")
            at += size
        return found


@dataclass(frozen=True, slots=True)
class MappedFolder:
    """A folder of arrays. Methods raise OSError, ValueError or EOFError where a file isn't the array that is asked for."""

    place: Path

    def array(self, name: str, dtype: type[Number]) -> NDArray[Number]:
        """Map an array."""
        path = self.place / f"{name}.npy"
        shape, begin = _checked(path, dtype)
        count = int(np.prod(shape, dtype=np.int64))
        if not count:  # nothing can't be mapped
            return np.empty(shape, dtype=dtype)
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.frombuffer(mapped, dtype=dtype, count=count, offset=begin).reshape(shape)

    def rows(self, name: str, dtype: type[Number]) -> Rows[Number]:
        """Open an array of which a few rows are wanted at a time."""
        return Rows(self.place / f"{name}.npy", dtype)


def _checked(path: Path, dtype: type[np.generic]) -> tuple[tuple[int, ...], int]:
    """The shape of the array in a file, and where its numbers begin."""
    with path.open("rb") as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{str(path)!r} is no array of version 1.0.")
        shape, _, stored = np.lib.format.read_array_header_1_0(file)
        begin = file.tell()
    if stored != np.dtype(dtype):
        raise ValueError(f"{str(path)!r} holds {stored}, not {np.dtype(dtype)}.")
    if path.stat().st_size != begin + stored.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"{str(path)!r} doesn't hold {shape} numbers.")
    return shape, begin


def ranges(bounds: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every index of [bounds[r], bounds[r + 1]) for each row r, one after the other; and where each row's begin."""
    counts = bounds[rows + 1] - bounds[rows]
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.repeat(bounds[rows] - ends[:-1], counts) + np.arange(ends[-1]), ends


class Best:
    """The highest of many scores, as they come; what equals the lowest that is kept comes too late."""

    def __init__(self, count: int, *, above: float) -> None:
        self._count = count
        self._floor = np.float32(above)
        self.rows: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.scores: NDArray[np.float32] = np.empty(0, dtype=np.float32)

    def take(self, scores: NDArray[np.float32], rows: NDArray[np.int64] | int) -> None:
        """Consider scores with their rows, or with the row of the first one."""
        kept = np.flatnonzero(scores > self._floor)
        if not len(kept):
            return
        self.rows = np.concatenate([self.rows, kept + rows if isinstance(rows, int) else rows[kept]])
        self.scores = np.concatenate([self.scores, scores[kept]])
        if len(self.rows) > self._count:
            best = np.argpartition(-self.scores, self._count - 1)[: self._count]
            self.rows, self.scores = self.rows[best], self.scores[best]
        if len(self.rows) == self._count:
            self._floor = self.scores.min()
