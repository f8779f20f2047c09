"""The parts of a DOCX file, read with limits: an Office file is a ZIP archive, and such archives can be bombs."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from ken.errors import Unreadable

MOST_ENTRIES = 5_000
MOST_BYTES = 300_000_000
"""Of all parts together, uncompressed, as declared; what is read is held to what was declared."""
MOST_BYTES_OF_A_PART = 100_000_000
HIGHEST_RATIO = 500
_SMALL = 5_000_000

_ENCRYPTED = b"\xd0\xcf\x11\xe0"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_DEFAULT_DOCUMENT = "word/document.xml"


class _DoctypeFound(Exception):
    """Part of an XML file that only attacks have: entities are declared there."""


class _Builder(TreeBuilder):
    """Builds trees, and stops at a document type before anything in it is read."""

    def doctype(self, *declared: str | None) -> None:
        raise _DoctypeFound(*declared)


class DocxArchive:
    """The XML parts of a DOCX file, by name. Raises Unreadable for what is no such file, encrypted, broken or a bomb."""

    def __init__(self, data: bytes, *, name: str) -> None:
        self.name = name
        if data.startswith(_ENCRYPTED):
            raise Unreadable(
                f"{name!r} is encrypted, or a Word file older than 2007: save it as .docx without a password."
            )
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
            raise self._broken(f"it is no ZIP archive ({error})") from error
        self._refuse_bombs()

    def xml(self, part: str) -> Element | None:
        """The root of the part, or None where there is no such part."""
        try:
            info = self.archive.getinfo(part)
        except KeyError:
            return None
        # Without a document type there are no entities, and without these nothing expands and nothing is fetched.
        parser = XMLParser(target=_Builder())  # noqa: S314
        try:
            parser.feed(self._read(info))
            return parser.close()
        except ParseError as error:
            raise self._broken(f"{part} is not XML ({error})") from error
        except _DoctypeFound as error:
            raise Unreadable(
                f"{self.name!r} declares a document type in {part}, which no Office program does: it was refused."
            ) from error

    def document_part(self) -> str:
        """The name of the part that holds the text."""
        relations = self.xml("_rels/.rels")
        for relation in () if relations is None else relations.iter(_RELATIONS):
            if relation.get("Type", "").endswith("/officeDocument"):
                return posixpath.normpath(relation.get("Target", _DEFAULT_DOCUMENT).lstrip("/"))
        return _DEFAULT_DOCUMENT

    def _refuse_bombs(self) -> None:
        entries = self.archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise self._bomb(f"it has {len(entries):,} entries; at most {MOST_ENTRIES:,}")
        total = sum(entry.file_size for entry in entries)
        if total > MOST_BYTES:
            raise self._bomb(f"it unpacks to {total:,} bytes; at most {MOST_BYTES:,}")
        for entry in entries:
            if entry.file_size > _SMALL and entry.file_size > HIGHEST_RATIO * max(1, entry.compress_size):
                raise self._bomb(f"{entry.filename!r} is compressed more than {HIGHEST_RATIO} times")

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        if info.flag_bits & 1:
            raise Unreadable(f"{self.name!r} is encrypted: save it without a password.")
        try:
            with self.archive.open(info) as stream:
                content = stream.read(min(info.file_size, MOST_BYTES_OF_A_PART) + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise self._broken(f"{info.filename} can't be unpacked ({error})") from error
        if len(content) > min(info.file_size, MOST_BYTES_OF_A_PART):
            raise self._bomb(f"{info.filename!r} unpacks to more than was declared or {MOST_BYTES_OF_A_PART:,} bytes")
        return content

    def _broken(self, reason: str) -> Unreadable:
        return Unreadable(f"{self.name!r} is broken: {reason}. Open it in a word processor and save it again.")

    def _bomb(self, reason: str) -> Unreadable:
        return Unreadable(f"{self.name!r} was refused: {reason}. Save it again, with smaller pictures or in parts.")
