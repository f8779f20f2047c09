"""Charts and diagrams of Office files as words: a chart is a table of its series, SmartArt a list of its points.

DrawingML: ISO/IEC 29500-1, 21.2 (charts) and 21.4 (diagrams).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ken.knowledge.parse.decoding import clean
from ken.knowledge.parse.pptx_shapes import A
from ken.knowledge.parse.xlsx_numbers import GENERAL, shown

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"

_MOST_POINTS = 500
_MOST_SERIES = 50
_DEEPEST = 6


@dataclass(slots=True)
class Chart:
    """What a chart tells."""

    title: str = ""
    header: list[str] = field(default_factory=list[str])
    rows: list[list[str]] = field(default_factory=list[list[str]])
    is_cut: bool = False


def chart_of(root: Element) -> Chart:
    """The title, and the values of each series by category, as the file has stored them."""
    chart = Chart(_words(root.find(f"{CHART}chart/{CHART}title")))
    series = list(root.iter(f"{CHART}ser"))
    chart.is_cut = len(series) > _MOST_SERIES
    categories: dict[int, str] = {}
    columns: list[dict[int, str]] = []
    for each in series[:_MOST_SERIES]:
        chart.header.append(_name(each))
        columns.append(_points(_first(each, "val", "yVal")))
        categories = _points(_first(each, "cat", "xVal")) | categories
    numbers = sorted(set(categories).union(*columns))
    chart.is_cut = chart.is_cut or len(numbers) > _MOST_POINTS
    for number in numbers[:_MOST_POINTS]:
        values = [column.get(number, "") for column in columns]
        if any(values):
            chart.rows.append([categories.get(number, str(number + 1)), *values])
    axis = next((node for tag in ("catAx", "dateAx", "valAx") for node in root.iter(f"{CHART}{tag}")), None)
    chart.header.insert(0, "" if axis is None else _words(axis.find(f"{CHART}title")))
    return chart


def diagram_of(root: Element) -> list[tuple[int, str]]:
    """The points of a SmartArt graphic with their depth, 0 the outermost, parents before children."""
    texts: dict[str, str] = {}
    top = ""
    for point in root.iterfind(f"{DIAGRAM}ptLst/{DIAGRAM}pt"):
        if point.get("type") == "doc":
            top = point.get("modelId", "")
        elif point.get("type", "node") in {"node", "asst"}:
            texts[point.get("modelId", "")] = _words(point.find(f"{DIAGRAM}t"))
    children: dict[str, list[tuple[int, str]]] = {}
    for link in root.iterfind(f"{DIAGRAM}cxnLst/{DIAGRAM}cxn"):
        if link.get("type", "parOf") == "parOf":
            order = link.get("srcOrd", "0")
            place = int(order) if order.isdecimal() and len(order) < len(str(_MOST_POINTS)) + 3 else 0
            children.setdefault(link.get("srcId", ""), []).append((place, link.get("destId", "")))
    found: list[tuple[int, str]] = []
    seen = {top}
    stack = [(0, child) for _, child in sorted(children.get(top, []), reverse=True)]
    while stack:
        depth, point_id = stack.pop()
        if point_id in seen:
            continue
        seen.add(point_id)
        if texts.get(point_id):
            found.append((depth, texts[point_id]))
        deeper = min(depth + bool(texts.get(point_id)), _DEEPEST)
        stack.extend((deeper, child) for _, child in sorted(children.get(point_id, []), reverse=True))
    return found + [(0, text) for point_id, text in texts.items() if point_id not in seen and text]


def _words(node: Element | None) -> str:
    return "" if node is None else _line("".join(_runs(node)))


def _runs(node: Element) -> list[str]:
    parts: list[str] = []
    for paragraph in node.iter(f"{A}p"):
        parts.extend(text.text or "" for text in paragraph.iter(f"{A}t"))
        parts.append(" ")
    return parts or [value.text or "" for value in node.iter(f"{CHART}v")]


def _name(series: Element) -> str:
    given = series.find(f"{CHART}tx")
    return "" if given is None else _line(" ".join(value.text or "" for value in given.iter(f"{CHART}v")))


def _first(series: Element, *tags: str) -> Element | None:
    return next((found for tag in tags if (found := series.find(f"{CHART}{tag}")) is not None), None)


def _points(values: Element | None) -> dict[int, str]:
    if values is None:
        return {}
    levels = next(values.iter(f"{CHART}lvl"), None)
    code = next((each.text or GENERAL for each in values.iter(f"{CHART}formatCode")), "")
    found: dict[int, str] = {}
    for point in (values if levels is None else levels).iter(f"{CHART}pt"):
        index, text = point.get("idx", ""), point.findtext(f"{CHART}v") or ""
        if index.isdecimal() and len(index) < len(str(_MOST_POINTS)) + 3:
            found[int(index)] = _line(shown(text, point.get("formatCode", code)) if code else text)
    return found


def _line(text: str) -> str:
    return " ".join(clean(text)[0].split())
