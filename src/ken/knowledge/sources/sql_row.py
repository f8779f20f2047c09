"""A row of a query becomes a document: its id a path, its columns Markdown, the rest what is known about it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from ken.domain.document import Metadata
from ken.errors import Unreadable
from ken.knowledge.parse.markdown_writer import escaped
from ken.knowledge.sources.path_part import path_part

_LONGEST_ID = 200
_LONGEST_LINE = 200
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlColumns:
    """Which columns of a query are what."""

    id: str
    """Names the row for ever: a primary key."""
    text: tuple[str, ...]
    """What is read. One is the document's body as it stands; of several, each stands under its name."""
    title: str | None = None
    """Without it, the id."""
    groups: str | None = None
    """Who may read the row: names with commas between them, a JSON list or an array. NULL and none: operators only."""
    url: str | None = None
    modified: str | None = None
    """A date or time, or text that begins with an ISO 8601 date."""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, without those that are not given."""
        return tuple(
            name for name in (self.id, *self.text, self.title, self.groups, self.url, self.modified) if name is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRow:
    """A row as a document."""

    id: str
    text: str
    """Markdown. It begins with a heading, so that nothing in the row is taken for front matter."""
    about: Metadata
    groups: frozenset[str] | None
    url: str | None

    @property
    def path(self) -> str:
        """The id as a file's name."""
        return f"{path_part(self.id)}.md"

    def digest(self) -> str:
        """Changes with whatever of the row Ken keeps."""
        groups = None if self.groups is None else sorted(self.groups)
        told = [self.text, self.about.title, self.about.modified, groups, self.url]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def row_id(value: object) -> str:
    """The id in a column. Raises Unreadable for NULL, binary, an empty text and one over 200 characters."""
    remedy = "Let the query give every row an id of its own, a number or a short text."
    if value is None:
        raise Unreadable(f"A row's id is NULL. {remedy}")
    if isinstance(value, bytes | bytearray | memoryview | list | dict):
        raise Unreadable(f"A row's id is of the type {type(cast('object', value)).__name__}. {remedy}")
    key = str(value)
    if not key.strip() or len(key) > _LONGEST_ID:
        raise Unreadable(f"A row's id has {len(key)} characters, or nothing but blanks: {key[:40]!r}. {remedy}")
    return key


def document_row(values: Mapping[str, object], columns: SqlColumns) -> SqlRow:
    """The row as a document. Raises Unreadable where its id can't be used or it has no text."""
    key = row_id(values[columns.id])
    title = " ".join(_text(values[columns.title]).split())[:_LONGEST_TITLE] if columns.title else ""
    parts = [(name, _text(values[name]).strip()) for name in columns.text]
    filled = [(name, text) for name, text in parts if text]
    if not filled:
        raise Unreadable("The row has no text: its text columns are NULL or empty.")
    heading = f"# {escaped(title or key)}"
    body = filled[0][1] if len(columns.text) == 1 else _sections(filled)
    modified = _date(values[columns.modified]) if columns.modified else None
    return SqlRow(
        id=key,
        text=f"{heading}\n\n{body}\n",
        about=Metadata(title=title or None, modified=modified),
        groups=_groups(values[columns.groups]) if columns.groups else None,
        url=_text(values[columns.url]).strip() or None if columns.url else None,
    )


def _sections(filled: Iterable[tuple[str, str]]) -> str:
    """Short values as lines of `**column:** value`, long ones under a heading, in the order of the columns."""
    blocks: list[str] = []
    has_heading = False
    for name, text in filled:
        label = escaped(" ".join(name.replace("_", " ").split()))
        if len(text) > _LONGEST_LINE or "\n" in text:
            blocks.append(f"## {label[:1].upper()}{label[1:]}\n\n{text}")
            has_heading = True
        elif has_heading:
            blocks.append(f"## {label[:1].upper()}{label[1:]}\n\n{escaped(text)}")
        else:
            blocks.append(f"**{label}:** {escaped(text)}")
    return "\n\n".join(blocks)


def _text(value: object) -> str:
    """A value as people write it; binary is no text."""
    match value:
        case None | bytes() | bytearray() | memoryview():
            return ""
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case list() | tuple():
            return ", ".join(_text(part) for part in cast("Iterable[object]", value))
        case _:
            return str(value).replace("\x00", "").replace("\r\n", "\n")


def _groups(value: object) -> frozenset[str]:
    """The groups in a column; none where they can't be told, so that nobody reads what isn't surely theirs."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return frozenset()
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple | set | frozenset):
        return frozenset()
    names = [name.strip() if isinstance(name, str) else "" for name in cast("Iterable[object]", value)]
    return frozenset(name for name in names if name)


def _date(value: object) -> str | None:
    """The calendar date, of a moment with a time zone that in UTC."""
    if isinstance(value, dt.datetime):
        return (value.astimezone(dt.UTC) if value.tzinfo else value).date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        return None
