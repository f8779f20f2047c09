"""Text recognition (OCR) of scanned pages, with the extra `ocr`: pages are drawn by PDFium and read by PP-OCR models.

The models come inside the extra's packages and run on this machine; nothing is downloaded, and nothing leaves it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.pdf_lines import Cell, CellLine, Line, width

PAGE_LIMIT_S = 120.0
"""For one page, the loading of the models included; a page of text takes about 10 s of one core."""
EXTRA_MEMORY_MB = 3_072
"""Address space beyond what other parsing may take; 1.3 GB of it were used at the most."""
MOST_PAGES = 200
"""Of one file."""

_PACKAGES = ("rapidocr", "pypdfium2")
_THREADS = 2
_DOTS_A_POINT = 150 / 72
_LONGEST_SIDE = 2_600  # dots; larger pages are drawn smaller
_SURE = 0.5
_LEADING = 0.15
"""How far the boxes reach below the base line, by the size of the font."""
_FEWEST_CHARACTERS = 6
"""Shorter texts don't tell the size of their font."""
_SIZES = ((0.87, 0.8), (1.13, 1.0), (1.6, 1.4), (2.4, 2.0), (float("inf"), 3.0))
"""Up to which ratio to the usual size a size counts as which: what is estimated must not make a heading level each."""


def is_installed() -> bool:
    """Whether the extra `ocr` is there."""
    return all(importlib.util.find_spec(package) is not None for package in _PACKAGES)


class _Picture(Protocol):
    def to_numpy(self) -> object: ...


class _Page(Protocol):
    def get_size(self) -> tuple[float, float]: ...
    def render(self, *, scale: float) -> _Picture: ...


class _Found(Protocol):
    """What RapidOCR returns; all three are None where it finds nothing."""

    boxes: Sequence[Sequence[Sequence[float]]] | None
    """For each text its four corners in dots, from the top left."""
    txts: Sequence[str] | None
    scores: Sequence[float] | None


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that was found, in dots from the top left."""

    text: str
    x: float
    end: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def size(self) -> float:
        """Of its font, by how wide the text is: the boxes' heights tell little."""
        return (self.end - self.x) / max(0.1, width(self.text, 1.0))

    @property
    def may_be_heading(self) -> bool:
        """False for what is too short to tell its size by, and for the rest of a sentence."""
        is_rest = self.text[:1].islower() or self.text.endswith((".", ",", ";"))
        return len(self.text) >= _FEWEST_CHARACTERS and not is_rest


class Recogniser:
    """Reads pages of PDF files as pictures. `on_page` is called before each: a sign of life, as pages take seconds."""

    def __init__(self, on_page: Callable[[], None] = lambda: None) -> None:
        self._on_page = on_page
        self._engine: Callable[..., _Found] | None = None

    def lines(self, data: bytes, numbers: Sequence[int]) -> dict[int, list[Line]]:
        """The lines of those pages (1-based) on which some are found; a page that can't be drawn is left out."""
        pdfium = importlib.import_module("pypdfium2")
        try:
            file = pdfium.PdfDocument(data)
        except pdfium.PdfiumError:
            return {}
        found: dict[int, list[Line]] = {}
        for number in numbers[:MOST_PAGES]:
            self._on_page()
            try:
                page = cast("_Page", file[number - 1])
                height = page.get_size()[1]
                scale = min(_DOTS_A_POINT, _LONGEST_SIDE / max(*page.get_size(), 1.0))
                picture = page.render(scale=scale).to_numpy()
            except pdfium.PdfiumError:
                continue
            if texts := self._texts(picture):
                found[number] = _lines(texts, number, scale=scale, height=height)
        return found

    def _texts(self, picture: object) -> list[_Text]:
        if self._engine is None:
            self._engine = _engine()
        found = self._engine(picture, use_cls=False)
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        return [
            _Text(text, *_extent([corner[0] for corner in box]), *_extent([corner[1] for corner in box]))
            for box, words, score in zip(found.boxes, found.txts, found.scores, strict=True)
            if score >= _SURE and (text := " ".join(clean(words)[0].split()))
        ]


def _engine() -> Callable[..., _Found]:
    rapidocr = importlib.import_module("rapidocr")
    parameters = {"EngineConfig.onnxruntime.intra_op_num_threads": _THREADS, "Global.log_level": "critical"}
    return cast("Callable[..., _Found]", rapidocr.RapidOCR(params=parameters))


def _extent(values: list[float]) -> tuple[float, float]:
    return float(min(values)), float(max(values))


def _lines(texts: list[_Text], number: int, *, scale: float, height: float) -> list[Line]:
    """The texts as lines with cells, in points from the bottom left; sizes that hardly differ become one."""
    sizes = sorted(text.size for text in texts if len(text.text) >= _FEWEST_CHARACTERS) or [texts[0].size]
    usual = max(1.0, sizes[len(sizes) // 2])
    body = round(2 * usual / scale) / 2 or 1.0
    lines: list[Line] = []
    for row in _rows(texts):
        told = [text.size / usual for text in row if text.may_be_heading]
        ratio = min(told, default=1.0)
        size = body * next(counted for most, counted in _SIZES if ratio <= most)
        y = height - (max(text.bottom for text in row) - _LEADING * usual) / scale
        cells: list[Cell] = []
        for text in row:
            x, end = text.x / scale, text.end / scale
            if cells and x - cells[-1].end <= 1.8 * size:
                cells[-1].lines[-1].text += f" {text.text}"
                cells[-1].end = end
            else:
                cells.append(Cell(x, end, [CellLine(y, text.text)]))
        lines.append(Line(y, size, is_bold=False, page=number, cells=cells, bottom=y, cell_y=y))
    return lines


def _rows(texts: list[_Text]) -> list[list[_Text]]:
    """Texts at one height together, from the left; the rows from the top."""
    rows: list[list[_Text]] = []
    for text in sorted(texts, key=lambda text: text.top + text.bottom):
        last = rows[-1][-1] if rows else None
        if last and min(last.bottom, text.bottom) - max(last.top, text.top) > 0.5 * min(last.height, text.height):
            rows[-1].append(text)
        else:
            rows.append([text])
    return [sorted(row, key=lambda text: text.x) for row in rows]
