"""What a document says about itself, from front matter, meta elements or document properties alike.

Nothing here raises: a value that can't be used gives a warning and counts as absent, but for `groups`, where a value that
can't be used closes the document to all but operators.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from ken.domain.document import Block, Markup, Metadata, ParsedDocument
from ken.knowledge.parse.decoding import clean
from ken.text.markup import plain

OPERATORS_ONLY = frozenset({"operators"})
"""The groups of a document whose own `groups` can't be read."""

Value = str | tuple[str, ...] | None
"""A scalar, a list of scalars, or None for anything else."""

_KEYS = frozenset(
    "title owner owner_slack owners groups effective effective_date last_reviewed_on review_by supersedes".split()
)
_NOTHING = frozenset({"", "~", "null", "none"})
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_GROUP = re.compile(r"[^\W_][\w .@:/+-]{0,99}")
_MOST_GROUPS = 100
_LONGEST = 300
_INDEX_NAMES = frozenset({"index", "_index", "readme"})
_SUFFIXES = re.compile(
    r"(?:\.html)?\.(?:md|markdown|html?|txt|text|pdf|docx|pptx|xlsx|rst|adoc|asciidoc|csv|tsv|json|jsonl|ndjson|eml)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stated:
    """Metadata as read, with a warning for each value that could not be used."""

    metadata: Metadata = field(default_factory=Metadata)
    warnings: tuple[str, ...] = ()


def stated(values: Iterable[tuple[str, Value]]) -> Stated:
    """Read `values`; keys count in any case, with `-`, blank or `_`; unknown ones are ignored."""
    found: dict[str, Value] = {}
    warnings: list[str] = []
    for key, value in values:
        name = re.sub(r"[\s-]+", "_", key.strip().lower())
        if name in found:
            warnings.append(f"{name} is given twice; the first counts.")
            found[name] = None if name == "groups" else found[name]
        elif name in _KEYS:
            found[name] = value
    date_of = {
        key: _date(key, found, warnings) for key in ("effective", "effective_date", "last_reviewed_on", "review_by")
    }
    metadata = Metadata(
        title=_line("title", found, warnings),
        owner=_line("owner", found, warnings)
        or _line("owner_slack", found, warnings)
        or _line("owners", found, warnings),
        groups=_groups(found, warnings),
        effective=date_of["effective"] or date_of["effective_date"] or date_of["last_reviewed_on"],
        review_by=date_of["review_by"],
        supersedes=_line("supersedes", found, warnings),
    )
    return Stated(metadata, tuple(warnings))


def keyword_values(keywords: str) -> list[tuple[str, Value]]:
    """The values in a keywords property of the form `groups: finance, legal; effective: 2026-02-01`."""
    pairs = (part.partition(":") for part in keywords.split(";"))
    return [(key, value.strip()) for key, colon, value in pairs if colon]


def closed(told: Stated, reason: str) -> Stated:
    """`told`, open to operators only, because of `reason`."""
    return Stated(replace(told.metadata, groups=OPERATORS_ONLY), (*told.warnings, reason))


def assembled(text: str, blocks: tuple[Block, ...], *, markup: Markup, told: Stated, name: str) -> ParsedDocument:
    """The parsed document; a missing title is taken from the first level-1 heading, else from the file's name."""
    title = told.metadata.title
    if title is None:
        headings = (plain(text[b.start : b.end], markup) for b in blocks if b.kind == "heading" and b.level == 1)
        title = next(filter(None, headings), "")[:_LONGEST] or readable_name(name)
    warnings = told.warnings if blocks else (*told.warnings, "The file holds no text.")
    return ParsedDocument(
        text=text, blocks=blocks, markup=markup, metadata=replace(told.metadata, title=title), warnings=warnings
    )


def readable_name(name: str) -> str:
    """A title made of a file's name: `people/remote-work_2023.html.md` gives `Remote work 2023`."""
    path = PurePosixPath(name.replace("\\", "/"))
    stem = _SUFFIXES.sub("", path.name)
    if stem.lower() in _INDEX_NAMES and path.parent.name:
        stem = path.parent.name
    words = " ".join(clean(re.sub(r"[-_\s]+", " ", stem))[0].split())
    return (words[:1].upper() + words[1:])[:_LONGEST] or name


def _line(key: str, found: dict[str, Value], warnings: list[str]) -> str | None:
    """A one-line value; a list is joined with commas."""
    value = found.get(key, "")
    if value is None:
        warnings.append(f"{key} is not a text; it is ignored.")
        return None
    line = " ".join(clean(value if isinstance(value, str) else ", ".join(value))[0].split())
    return None if line.lower() in _NOTHING else line[:_LONGEST]


def _date(key: str, found: dict[str, Value], warnings: list[str]) -> str | None:
    value = found.get(key, "")
    if isinstance(value, str):
        if value.strip().lower() in _NOTHING:
            return None
        if match := _DATE.fullmatch(value.strip()):
            try:
                return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()
            except ValueError:
                pass
    shown = value[:40] if isinstance(value, str) else "a list or mapping"
    warnings.append(f"{key} is {clean(shown)[0]!r}, which is no date of the form 2026-02-01; it is ignored.")
    return None


def _groups(found: dict[str, Value], warnings: list[str]) -> frozenset[str] | None:
    if "groups" not in found:
        return None
    value = found["groups"]
    names = re.split(r"[,;]", value) if isinstance(value, str) else value or ()
    cleaned = [name.strip() for name in names]
    if isinstance(value, str):
        cleaned = [name for name in cleaned if name]
    usable = [name for name in cleaned if _GROUP.fullmatch(name) and name.lower() not in _NOTHING]
    if usable and len(usable) == len(cleaned) <= _MOST_GROUPS:
        return frozenset(usable)
    warnings.append("groups is not a list of group names; until that is mended only operators may see the document.")
    return OPERATORS_ONLY
