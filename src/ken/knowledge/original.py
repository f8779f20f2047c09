"""The file that a document was read from, where Ken can still have exactly that one: pushed files, and folders on this machine.

A file that was changed since, or moved, isn't the document that the asker may read: who may read it, nobody has said yet.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ken.domain.document import Document
from ken.errors import NotFound, Unreadable
from ken.knowledge.ingest import Arrival, Ingest
from ken.knowledge.pushing import PUSHED, Said
from ken.knowledge.sources.folder import FolderFile, read_file
from ken.knowledge.sources.uploads import Originals
from ken.storage.sources import Listing, Source, Sources

FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalFiles:
    """Finds the files of a home's documents. Who may read a document is asked before."""

    sources: Sources
    originals: Originals
    ingest: Ingest
    max_bytes: int

    def read(self, document: Document) -> bytes:
        """The bytes that this version was read from. Raises NotFound where they can't be had any more, or are another version's."""
        source = self.sources.get(document.source)
        listing = self.sources.listing(document.source, document.path)
        if source is None or listing is None:
            raise _gone(document, "its source is no longer known")
        try:
            if source.kind == PUSHED:
                return self._pushed(document, source, listing)
            if source.kind == FOLDER:
                return self._in_folder(document, source, listing)
        except (Unreadable, OSError, ValueError):  # no file can have such a name, it is gone, or it is too large by now
            raise _gone(document, "the file is no longer where it was") from None
        raise _gone(document, f"Ken keeps no files of {source.kind} sources")

    def _pushed(self, document: Document, source: Source, listing: Listing) -> bytes:
        data = self.originals.read(document.id, max_bytes=self.max_bytes)
        said = Said(groups=listing.groups, **(listing.about or {}))
        arrival = Arrival(
            document_id=document.id,
            data=data,
            source=source.id,
            said=said.groups,
            about=said.about,
            url=said.url,
            kind=said.media_type,
        )
        if self.ingest.version(arrival) != document.version:
            raise _gone(document, "the file has changed since")
        return data

    def _in_folder(self, document: Document, source: Source, listing: Listing) -> bytes:
        root = Path(os.path.realpath(source.location))
        place = Path(os.path.realpath(root / document.path))
        if not place.is_relative_to(root):
            raise _gone(document, "the file now lies outside its folder")
        data = read_file(FolderFile(document.path, place, place.stat().st_size), max_bytes=self.max_bytes)
        if listing.version != document.version or listing.stamp != hashlib.sha256(data).hexdigest():
            raise _gone(document, "the file has changed since")
        return data


def _gone(document: Document, why: str) -> NotFound:
    return NotFound(f"The original of {document.id!r} can't be had: {why}. Its text is here as it was read.")
