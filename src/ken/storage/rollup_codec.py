"""How rollups are written: a short head of names and numbers, then the sketches, which a reader takes out one by one."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from ken.domain.rollup import AT, Cell, Dimensions, Tally
from ken.domain.sketch import Sketch

_LEVEL = 1
_HEAD_BYTES = 4
_REMEMBERED = 3_000
"""Rows that stay opened: some 10 kB each, once they were asked for."""
_ASSUMED = (
    b'{"c":{"questions":1,"answered":1,"success_yes":1,"success_no":1,"abstained":1,"cache_asked":1,"cache_hits":1,'
    b'"attempts":1,"calls@generate|":1,"tokens_in@generate|":100,"tokens_out@generate|":10,"spent@generate|":10,'
    b'"topics@":1},"p":{},"s":{"ms":32,"ttft_ms":32,"queue_ms":32,"context_tokens":32,"input_tokens":32,'
    b'"output_tokens":32,"cost_micros":32,"relevance":32,"mean_relevance":32,"least_relevance":32,"utilisation":32,'
    b'"tokens_per_s@generate|":32,"stage_ms@intake":32,"stage_ms@screen":32,"stage_ms@classify":32,"stage_ms@recall":32,'
    b'"stage_ms@retrieve":32,"stage_ms@embed":32,"stage_ms@assemble":32,"stage_ms@route":32,"stage_ms@generate":32,'
    b'"stage_ms@verify":32,"stage_ms@settle":32}}\0\0\0\0\0\0\0\0'
)
"""What most rows say: given to the compressor, so that it isn't kept in each of them."""

Head = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was asked for of one row: numbers, stored sketches and greatest values, by name."""

    counts: dict[str, int]
    sketches: dict[str, bytes]
    peaks: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Row:
    """Each figure with its name, what the name begins with, and its value."""

    counts: list[tuple[str, str, int]]
    sketches: list[tuple[str, str, bytes]]
    peaks: list[tuple[str, str, float]]


def packed(tally: Tally) -> bytes:
    """As a row keeps it."""
    return _squeezed(_laid_out([tally], [{}]))


def unpacked(data: bytes) -> Tally:
    """What `packed` wrote."""
    (head,), body = _opened(data)
    return _tally(head, body, 0)


def chosen(data: bytes, names: Collection[str]) -> Figures:
    """Of a row, the figures with these names, whatever they are of."""
    row = _remembered(data)
    return Figures(
        {name: count for name, base, count in row.counts if base in names},
        {name: sketch for name, base, sketch in row.sketches if base in names},
        {name: value for name, base, value in row.peaks if base in names},
    )


def packed_cells(cells: Sequence[Cell]) -> bytes:
    """Many cells as one value."""
    about: list[dict[str, object]] = [{"at": cell.start, "of": list(cell.dimensions)} for cell in cells]
    return _squeezed(_laid_out([cell.tally for cell in cells], about))


def unpacked_cells(data: bytes) -> list[Cell]:
    """What `packed_cells` wrote."""
    heads, body = _opened(data)
    cells: list[Cell] = []
    at = 0
    for head in heads:
        about = cast("dict[str, object]", head)
        cells.append(
            Cell(cast("int", about["at"]), Dimensions(*cast("list[str]", about["of"])), _tally(head, body, at))
        )
        at += sum(head["s"].values())
    return cells


def _laid_out(tallies: Sequence[Tally], about: Sequence[dict[str, object]]) -> bytes:
    heads: list[dict[str, object]] = []
    bodies: list[bytes] = []
    for tally, more in zip(tallies, about, strict=True):
        written = {name: sketch.to_bytes() for name, sketch in tally.sketches.items()}
        lengths = {name: len(data) for name, data in written.items()}
        heads.append({"c": tally.counts, "p": tally.peaks, "s": lengths, **more})
        bodies += written.values()
    head = json.dumps(heads, separators=(",", ":")).encode()
    return b"".join((len(head).to_bytes(_HEAD_BYTES, "little"), head, *bodies))


def _squeezed(data: bytes) -> bytes:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -12, 5, zlib.Z_DEFAULT_STRATEGY, _ASSUMED)
    return compressor.compress(data) + compressor.flush()


def _opened(data: bytes) -> tuple[list[Head], bytes]:
    plain = zlib.decompressobj(-12, _ASSUMED).decompress(data)
    end = _HEAD_BYTES + int.from_bytes(plain[:_HEAD_BYTES], "little")
    return json.loads(plain[_HEAD_BYTES:end]), plain[end:]


@lru_cache(maxsize=_REMEMBERED)
def _remembered(data: bytes) -> _Row:
    """A row taken apart: who looks at a view looks at it again, and most of its rows are of hours that are over."""
    (head,), body = _opened(data)
    sketches: list[tuple[str, str, bytes]] = []
    at = 0
    for name, length in head["s"].items():
        sketches.append((sys.intern(name), _base(name), body[at : at + length]))
        at += length
    return _Row(
        [(sys.intern(name), _base(name), count) for name, count in head["c"].items()],
        sketches,
        [(sys.intern(name), _base(name), value) for name, value in head["p"].items()],
    )


def _base(name: str) -> str:
    return sys.intern(name.partition(AT)[0])


def _tally(head: Head, body: bytes, at: int) -> Tally:
    sketches: dict[str, Sketch] = {}
    for name, length in head["s"].items():
        sketches[name] = Sketch.from_bytes(body[at : at + length])
        at += length
    return Tally(dict(head["c"]), sketches, dict(head["p"]))
