"""JSON: objects become headings and `key: value` points, arrays of like objects tables, long texts paragraphs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from ken.domain.document import Metadata, ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.block_writer import BlockWriter
from ken.knowledge.parse.decoding import clean, decode
from ken.knowledge.parse.metadata import Stated, assembled, readable_name
from ken.knowledge.parse.rows import MOST_CHARACTERS, MOST_COLUMNS, Rows

_DEEPEST = 100
_TOO_DEEP = f"it is nested deeper than {_DEEPEST} levels"
_DEEPEST_HEADING = 6
_LONGEST_LINE = 400
_LONGEST_SHOWN = 60
_MOST_BROKEN = 0.5
_LIKE = 0.6
_MOST_VALUES = 50_000
_MOST_KEYS_OF_A_SMALL = 4
_FEWEST_ROWS = 2
_NAMES = ("title", "name", "label", "id", "key", "slug", "question", "path", "code")
_SUFFIX = re.compile(r"\.(?:json|jsonl|ndjson)$", re.IGNORECASE)
_GENERATED = frozenset({"package-lock.json", "composer.lock.json", "npm-shrinkwrap.json"})

Json = str | list["Json"] | dict[str, "Json"]
"""A value; numbers, true, false and null are the text that they are written as."""


def parse_json(data: bytes, *, name: str) -> ParsedDocument:
    """Parse JSON. Raises Unreadable for what is none, with line and column, and for over 100 levels."""
    text, warnings = decode(data, name=name)
    if name.replace("\\", "/").rpartition("/")[2].lower() in _GENERATED:
        raise Unreadable(f"{name!r} is written by a program for a program: leave it out of the source.")
    reader = _Reader()
    try:
        value = reader.read(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} in line {error.lineno:,}, column {error.colno:,}"
        raise Unreadable(f"{name!r} is not JSON: {reason}. Mend it, or give it the suffix of its format.") from error
    except RecursionError as error:
        raise _too_deep(name) from error
    return _document(name, value, [*warnings, *reader.warnings()])


def parse_json_lines(data: bytes, *, name: str) -> ParsedDocument:
    """Parse JSON Lines. Lines that are no JSON are left out with a warning; where most are, raises Unreadable."""
    text, warnings = decode(data, name=name)
    reader = _Reader()
    values: list[Json] = []
    broken: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                values.append(reader.read(line))
            except json.JSONDecodeError as error:
                broken.append(f"{error.msg} in line {number:,}, column {error.colno:,}")
            except RecursionError as error:
                raise _too_deep(name) from error
    if len(broken) > _MOST_BROKEN * (len(values) + len(broken)):
        raise Unreadable(f"{name!r} is not JSON Lines: {broken[0]}. Write one JSON value in each line.")
    if broken:
        warnings.append(f"{len(broken):,} lines are not JSON and were left out: {broken[0]}.")
    return _document(name, values, [*warnings, *reader.warnings()])


def _too_deep(name: str) -> Unreadable:
    return Unreadable(f"{name!r} can't be read: {_TOO_DEEP}. Split it into files of what people ask about.")


@dataclass(slots=True)
class _Reader:
    """Reads values, and counts what JSON does not allow or does not settle."""

    repeated: list[str] = field(default_factory=list[str])
    constants: int = 0

    def read(self, text: str) -> Json:
        # Numbers stay as they are written: they may have any number of digits.
        return cast(
            "Json",
            json.loads(
                text,
                parse_int=str,
                parse_float=str,
                parse_constant=self._constant,
                object_pairs_hook=self._object,
                strict=False,
            ),
        )

    def warnings(self) -> Iterator[str]:
        if self.repeated:
            yield (
                f"{len(self.repeated):,} keys are given twice in one object, such as "
                f"{clean(self.repeated[0])[0][:_LONGEST_SHOWN]!r}; all values were taken."
            )
        if self.constants:
            yield f"{self.constants:,} values are NaN or infinite, which JSON has no words for; they were taken as they are."

    def _constant(self, written: str) -> str:
        self.constants += 1
        return written

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, Json]:
        found = {key: _scalar(value) for key, value in pairs}
        if len(found) < len(pairs):
            found = {}
            seen: Counter[str] = Counter()
            for key, value in pairs:
                seen[key] += 1
                if seen[key] > 1:
                    self.repeated.append(key)
                found[key if seen[key] == 1 else f"{key} ({seen[key]})"] = _scalar(value)
        return found


def _scalar(value: object) -> Json:
    """true, false and null as text; whatever else is one of ours already."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return cast("Json", value)


def _document(name: str, value: Json, warnings: list[str]) -> ParsedDocument:
    writer = BlockWriter()
    writing = _Writing(name, writer)
    writing.value("", _scalar(value), depth=1, level=1)
    title = _title(value) or readable_name(_SUFFIX.sub("", name))
    if writing.is_cut:
        warnings.append(
            f"Only the first {writing.taken:,} values were taken: split the file into files of what people ask about."
        )
    told = Stated(Metadata(title=title), tuple(warnings))
    return assembled(writer.text(), tuple(writer.blocks), markup="markdown", told=told, name=name)


def _title(value: Json) -> str | None:
    if isinstance(value, dict):
        for key in ("title", "name"):
            found = value.get(key)
            if isinstance(found, str) and 0 < len(found.strip()) <= _LONGEST_SHOWN:
                return " ".join(clean(found)[0].split()) or None
    return None


@dataclass(slots=True)
class _Writing:
    """Writes a value under the heading of its key."""

    name: str
    writer: BlockWriter
    taken: int = 0
    is_cut: bool = False

    def value(self, key: str, value: Json, *, depth: int, level: int) -> None:
        """`key` names the value, as its path below the last heading, which has `level`; `depth` is how deep it is nested."""
        if depth > _DEEPEST:
            raise _too_deep(self.name)
        if self.writer.length > MOST_CHARACTERS or self.taken > _MOST_VALUES:
            self.is_cut = True
            return
        self.taken += 1
        if isinstance(value, dict):
            self._object(key, value, depth, level)
        elif isinstance(value, list):
            self._array(key, value, depth, level)
        else:
            self._text(key, value)

    def _object(self, key: str, value: dict[str, Json], depth: int, level: int) -> None:
        path, level = (key, level) if _is_small(value) else self._headed(key, level)
        if not value and key:
            self.writer.point(f"{key}: empty")
        # What stands in the object itself comes before the parts that get headings of their own.
        for name, part in sorted(value.items(), key=lambda each: _rank(each[1])):
            self.value(_joined(path, name), part, depth=depth + 1, level=level)

    def _array(self, key: str, values: list[Json], depth: int, level: int) -> None:
        values = [_scalar(each) for each in values]
        if not values:
            if key:
                self.writer.point(f"{key}: empty")
        elif all(isinstance(each, str) for each in values):
            self._texts(key, cast("list[str]", values))
        elif columns := _columns(flat := [_flattened(each) for each in values]):
            self._table(key, columns, cast("list[dict[str, Json]]", flat), level)
        else:
            path, level = self._headed(key, level)
            for number, each in sorted(enumerate(values, start=1), key=lambda each: _rank(each[1])):
                self.value(_named(path, each, number), each, depth=depth + 1, level=level)

    def _headed(self, key: str, level: int) -> tuple[str, int]:
        """Write the heading for `key` where headings go so deep; return the path and level that its parts go on with."""
        if not key or level == _DEEPEST_HEADING:
            return key, level
        self.writer.heading(key[-_LONGEST_LINE:], level + 1)
        return "", level + 1

    def _table(self, key: str, columns: list[str], values: list[dict[str, Json]], level: int) -> None:
        _, level = self._headed(key, level)
        rows = Rows(columns, ([_cell(value.get(column, "")) for column in columns] for value in values), level + 1)
        rows.write(self.writer)
        self.taken += rows.written
        self.is_cut = self.is_cut or rows.is_cut

    def _texts(self, key: str, values: list[str]) -> None:
        line = ", ".join(values)
        if key and len(line) <= _LONGEST_LINE and "\n" not in line:
            self.writer.point(f"{key}: {line}")
            return
        if key:
            self.writer.paragraph(f"{key}:")
        for value in values:
            self.writer.point(value)

    def _text(self, key: str, value: str) -> None:
        if len(value) <= _LONGEST_LINE and "\n" not in value.strip():
            self.writer.point(f"{key}: {value}" if key else value)
            return
        if key:
            self.writer.paragraph(f"{key}:")
        for paragraph in re.split(r"\n\s*\n", value.replace("\r\n", "\n")):
            self.writer.paragraph(paragraph)


def _is_plain(value: Json) -> bool:
    if not value or isinstance(value, str):
        return True
    return isinstance(value, list) and not any(isinstance(each, list | dict) for each in value)


def _is_small(value: dict[str, Json]) -> bool:
    """Whether an object is written as points with dotted keys, without a heading."""
    return len(value) <= _MOST_KEYS_OF_A_SMALL and all(map(_is_plain, value.values()))


def _rank(value: Json) -> int:
    """What gets no heading of its own comes first, lest it stand below another's."""
    if isinstance(value, dict) and value:
        return 1 if _is_small(value) else 2
    return 0 if _is_plain(value) else 2


def _flattened(value: Json) -> Json:
    """An object whose inner objects, one level down, give their keys to it: `owner.name`."""
    if not isinstance(value, dict) or not any(isinstance(part, dict) for part in value.values()):
        return value
    flat: dict[str, Json] = {}
    for key, part in value.items():
        if isinstance(part, dict) and part:
            flat |= {f"{key}.{inner}": each for inner, each in part.items()}
        else:
            flat[key] = part
    return flat


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name or '""'


def _named(path: str, value: Json, number: int) -> str:
    """A name for an element of an array: what it calls itself, else its number."""
    if isinstance(value, dict):
        for key in _NAMES:
            found = value.get(key)
            if isinstance(found, str) and 0 < len(found.strip()) <= _LONGEST_SHOWN * 2:
                return _joined(path, found) if path else found
    return f"{path}[{number}]" if path else str(number)


def _columns(values: Sequence[Json]) -> list[str]:
    """The columns of a table that holds `values`; empty unless they are objects with mostly the same keys and flat values."""
    if len(values) < _FEWEST_ROWS:
        return []
    keys: Counter[str] = Counter()
    for value in values:
        if not isinstance(value, dict) or not all(map(_is_flat, value.values())):
            return []
        keys.update(value.keys())
        if len(keys) > MOST_COLUMNS:
            return []
    filled = sum(keys.values())
    return list(keys) if keys and filled >= _LIKE * len(keys) * len(values) else []


def _is_flat(value: Json) -> bool:
    """Whether the value fits into a cell: a text, or a short list of texts."""
    if isinstance(value, str) or not value:
        return True
    return isinstance(value, list) and _is_plain(value) and sum(map(len, _scalars(value))) < _LONGEST_LINE


def _scalars(values: list[Json]) -> list[str]:
    return [text for each in values if isinstance(text := _scalar(each), str)]


def _cell(value: Json) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(_scalars(value)) if isinstance(value, list) else ""
