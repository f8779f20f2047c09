"""The parts of an Office file, read with limits: such a file is a ZIP archive, and archives can be bombs.

Open Packaging Conventions: ISO/IEC 29500-2. Relations that lead out of the file are never followed.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from ken.errors import Unreadable

MOST_ENTRIES = 5_000
MOST_BYTES = 300_000_000
"""Of all parts together, uncompressed, as declared; what is read is held to what was declared."""
MOST_BYTES_OF_A_PART = 100_000_000
HIGHEST_RATIO = 500
_SMALL = 5_000_000

COMPOUND = b"\xd0\xcf\x11\xe0"
"""How Office files older than 2007 begin, and those with a password."""
_BLOCK = 65_536
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_TRANSITIONAL = rb"http://schemas.openxmlformats.org/\1/2006/\2"
"""The names of the standard's strict variant become those of the other one."""
_OLD_PROGRAMS = (
    ("EncryptedPackage", "is protected by a password: save it without one."),
    ("WordDocument", "is a Word file older than 2007: save it as .docx."),
    ("Workbook", "is an Excel file older than 2007: save it as .xlsx."),
    ("PowerPoint Document", "is a PowerPoint file older than 2007: save it as .pptx."),
)


class _DoctypeFound(Exception):
    """Part of an XML file that only attacks have: entities are declared there."""


class Enough(Exception):
    """Raised by a target of `OfficeArchive.feed` that wants no more of the part."""


class Target(Protocol):
    """Takes the elements of a part as they come; tags are `{namespace}name`."""

    def start(self, tag: str, attributes: dict[str, str], /) -> None:
        """An element begins."""
        ...

    def end(self, tag: str, /) -> None:
        """An element ends."""
        ...

    def data(self, text: str, /) -> None:
        """Text inside the element that began last; it may come in pieces."""
        ...


class _Builder(TreeBuilder):
    """Builds trees, and stops at a document type before anything in it is read."""

    def doctype(self, *declared: str | None) -> None:
        raise _DoctypeFound(*declared)


class _Guarded:
    """Hands elements on to a target, and stops at a document type."""

    def __init__(self, target: Target) -> None:
        self.start, self.end, self.data = target.start, target.end, target.data

    def doctype(self, *declared: str | None) -> None:
        raise _DoctypeFound(*declared)

    def close(self) -> None:
        """End of the part."""


@dataclass(frozen=True, slots=True)
class Relation:
    """One part's link to another of the same file."""

    kind: str
    """The last part of its type, as in `slideLayout`."""
    part: str


class OfficeArchive:
    """The XML parts of an Office file, by name. Raises Unreadable for what is no such file, encrypted, broken or a bomb."""

    def __init__(self, data: bytes, *, name: str, suffix: str) -> None:
        self.name = name
        if data.startswith(COMPOUND):
            raise Unreadable(f"{name!r} {_told_by(data) or f'is encrypted, or older than 2007: save it as {suffix}.'}")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
            raise self._broken(f"it is no ZIP archive ({error})") from error
        self._refuse_bombs()

    def xml(self, part: str) -> Element | None:
        """The root of the part, or None where there is no such part."""
        info = self._find(part)
        if info is None:
            return None
        # Without a document type there are no entities, and without these nothing expands and nothing is fetched.
        parser = XMLParser(target=_Builder())  # noqa: S314
        with self._refusing(part):
            parser.feed(_STRICT.sub(_TRANSITIONAL, self._read(info)))
            return parser.close()

    def feed(self, part: str, target: Target) -> None:
        """Hand the part on to `target` piece by piece, until its end or `Enough`; nothing where there is no such part."""
        info = self._find(part)
        if info is None:
            return
        parser = XMLParser(target=_Guarded(target))  # noqa: S314 - as above
        with self._refusing(part):
            try:
                for block in self._blocks(info):
                    parser.feed(_STRICT.sub(_TRANSITIONAL, block))
                parser.close()
            except Enough:
                pass

    def relations(self, part: str) -> dict[str, Relation]:
        """The parts that `part` leads to, by relation id; those outside of the file are left out."""
        folder, _, file = part.rpartition("/")
        root = self.xml(f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels")
        found: dict[str, Relation] = {}
        for relation in () if root is None else root.iter(_RELATION):
            target = relation.get("Target", "")
            if relation.get("TargetMode", "Internal") == "Internal" and target:
                path = target if target.startswith("/") else f"{folder}/{target}"
                kind = relation.get("Type", "").rpartition("/")[2]
                found[relation.get("Id", "")] = Relation(kind, posixpath.normpath(path).lstrip("/"))
        return found

    def main_part(self, default: str) -> str:
        """The name of the part that everything begins with."""
        for relation in self.relations("").values():
            if relation.kind == "officeDocument":
                return relation.part
        return default

    def _find(self, part: str) -> zipfile.ZipInfo | None:
        try:
            return self._archive.getinfo(part)
        except KeyError:
            return None

    def _refuse_bombs(self) -> None:
        entries = self._archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise self._bomb(f"it has {len(entries):,} entries; at most {MOST_ENTRIES:,}")
        total = sum(entry.file_size for entry in entries)
        if total > MOST_BYTES:
            raise self._bomb(f"it unpacks to {total:,} bytes; at most {MOST_BYTES:,}")
        for entry in entries:
            if entry.file_size > _SMALL and entry.file_size > HIGHEST_RATIO * max(1, entry.compress_size):
                raise self._bomb(f"{entry.filename!r} is compressed more than {HIGHEST_RATIO} times")

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        return b"".join(self._blocks(info, most=MOST_BYTES_OF_A_PART))

    def _blocks(self, info: zipfile.ZipInfo, *, most: int = MOST_BYTES) -> Iterator[bytes]:
        most = min(info.file_size, most)
        if info.flag_bits & 1:
            raise Unreadable(f"{self.name!r} is protected by a password: save it without one.")
        left = most
        with self._archive.open(info) as stream:
            while block := stream.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise self._bomb(f"{info.filename!r} unpacks to more than was declared or {most:,} bytes")
                yield block

    @contextmanager
    def _refusing(self, part: str) -> Generator[None]:
        """Translate what unpacking and reading XML raise."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise self._broken(f"{part} can't be unpacked ({error})") from error
        except ParseError as error:
            raise self._broken(f"{part} is not XML ({error})") from error
        except _DoctypeFound as error:
            raise Unreadable(
                f"{self.name!r} declares a document type in {part}, which no Office program does: it was refused."
            ) from error

    def _broken(self, reason: str) -> Unreadable:
        return Unreadable(f"{self.name!r} is broken: {reason}. Open it in an office program and save it again.")

    def _bomb(self, reason: str) -> Unreadable:
        return Unreadable(f"{self.name!r} was refused: {reason}. Save it again, with smaller pictures or in parts.")


def _told_by(data: bytes) -> str:
    """What the streams of a compound file say about it."""
    return next((reason for stream, reason in _OLD_PROGRAMS if stream.encode("utf-16-le") in data), "")
