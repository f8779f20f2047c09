"""Which files can be read, by suffix, and by what: one line a format."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, cast

from ken.domain.document import ParsedDocument
from ken.knowledge.parse.languages import NAMES, SUFFIXES


class ParseFile(Protocol):
    """Bytes become a document. Raises Unreadable, naming `name`, the reason and the remedy."""

    def __call__(self, data: bytes, *, name: str) -> ParsedDocument:
        """`name` says the format and stands in messages and titles; nothing is opened by it."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format that Ken reads."""

    media_type: str
    suffixes: tuple[str, ...]
    """Lower case; the first is the usual one."""
    module: str
    """In this package; loaded when the first such file comes, since some take long to load."""
    function: str
    is_isolated: bool = True
    """Whether a worker process with limits reads it; False for what our own few lines read in linear time."""
    names: tuple[str, ...] = ()
    """Whole names of files that have no suffix, lower case: `readme`."""

    def parser(self) -> ParseFile:
        """The function that reads it."""
        return cast("ParseFile", getattr(importlib.import_module(f"ken.knowledge.parse.{self.module}"), self.function))


_PLAIN_NAMES = tuple(
    "readme license licence copying notice authors contributors changelog changes history news todo".split()
)
_OFFICE = "application/vnd.openxmlformats-officedocument"

FORMATS = (
    Format("text/markdown", (".md", ".markdown"), "markdown", "parse_markdown", is_isolated=False),
    Format("text/plain", (".txt", ".text"), "plaintext", "parse_plaintext", is_isolated=False, names=_PLAIN_NAMES),
    Format("text/html", (".html", ".htm"), "html", "parse_html"),
    Format("application/pdf", (".pdf",), "pdf", "parse_pdf"),
    Format(f"{_OFFICE}.wordprocessingml.document", (".docx",), "docx", "parse_docx"),
    Format(f"{_OFFICE}.spreadsheetml.sheet", (".xlsx",), "xlsx", "parse_xlsx"),
    Format(f"{_OFFICE}.presentationml.presentation", (".pptx",), "pptx", "parse_pptx"),
    Format("text/x-rst", (".rst",), "rst", "parse_rst"),
    Format("text/asciidoc", (".adoc", ".asciidoc"), "asciidoc", "parse_asciidoc"),
    Format("text/csv", (".csv",), "csv", "parse_csv"),
    Format("text/tab-separated-values", (".tsv",), "csv", "parse_csv"),
    Format("application/json", (".json",), "json", "parse_json"),
    Format("application/x-ndjson", (".jsonl", ".ndjson"), "json", "parse_json_lines"),
    Format("message/rfc822", (".eml",), "mail_message", "parse_mail"),
    Format("text/x-source-code", SUFFIXES, "source_code", "parse_source_code", names=NAMES),
)

SUPPORTED: Mapping[str, str] = MappingProxyType(
    {suffix: each.media_type for each in FORMATS for suffix in each.suffixes}
)
"""Suffix (lower case) to media type. The last suffix counts: `page.html.md` is Markdown."""

BY_MEDIA_TYPE: Mapping[str, Format] = MappingProxyType({each.media_type: each for each in FORMATS})

NAMED: Mapping[str, str] = MappingProxyType({name: each.media_type for each in FORMATS for name in each.names})
"""Whole name of a file without a suffix (lower case) to media type."""

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        ".doc": "a Word file older than 2007: save it as .docx",
        ".xls": "an Excel file older than 2007: save it as .xlsx",
        ".xlsb": "a binary Excel workbook: save it as .xlsx",
        ".ppt": "a PowerPoint file older than 2007: save it as .pptx",
        ".odt": "an OpenDocument text: save it as .docx or .pdf",
        ".ods": "an OpenDocument spreadsheet: save it as .xlsx or .csv",
        ".odp": "an OpenDocument presentation: save it as .pptx or .pdf",
        ".rtf": "rich text: save it as .docx or .pdf",
    }
)
"""By suffix: what people have that Ken does not read, and what to do with it."""


def media_type(name: str) -> str | None:
    """The media type of a file by its name, or None where Ken does not read such files."""
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return SUPPORTED.get(os.path.splitext(last)[1]) or NAMED.get(last)  # noqa: PTH122 - names are not paths of this machine


def remedy(name: str) -> str | None:
    """What to do with a file of a format in `REMEDIES`, or None for any other file."""
    return REMEDIES.get(os.path.splitext(name)[1].lower())  # noqa: PTH122 - names are not paths of this machine


def usual_suffixes() -> str:
    """One for each format: source code alone has sixty."""
    return ", ".join(each.suffixes[0] for each in FORMATS)
