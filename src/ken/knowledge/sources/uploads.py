"""The files of uploaded documents: kept as they came, to be read anew when parsing changes, and for backups."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ken.errors import Conflict, InvalidInput, StorageError
from ken.knowledge.sources.folder import FolderFile, read_file

_LONGEST_ID = 1_000
_LONGEST_NAME = 255
"""Bytes: what file systems take."""


class Originals(Protocol):
    """The files of pushed documents, by document id: in a folder, or in the database that replicas share."""

    def place(self, collection: str) -> str:
        """Where the files of a collection are, for people."""
        ...

    def check(self, document_id: str) -> None:
        """Raise where no file can be kept under an id: Conflict, InvalidInput."""
        ...

    def holds(self, document_id: str) -> bool:
        """Whether there is a file of this document."""
        ...

    def keep(self, document_id: str, *, data: bytes) -> None:
        """Write a file, or replace it, in one step. Raises StorageError."""
        ...

    def read(self, document_id: str, *, max_bytes: int) -> bytes:
        """The bytes of a file. Raises Unreadable."""
        ...

    def remove(self, document_id: str) -> None:
        """Delete a file, if it is there. Raises StorageError."""
        ...

    def remove_all(self, collection: str) -> None:
        """Delete the files of a collection. Raises StorageError."""
        ...

    def ids(self) -> Iterator[str]:
        """The documents that have a file, by id."""
        ...


def check_length(document_id: str) -> None:
    """Raise InvalidInput where no file system takes an id as a path."""
    try:
        encoded = document_id.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{document_id!r} can't be a file's name. Choose a plainer id.") from None
    if len(encoded) > _LONGEST_ID or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
        raise InvalidInput(
            f"The id {document_id[:80]!r}... is too long: at most {_LONGEST_ID} bytes, {_LONGEST_NAME} between two `/`."
        )


class FolderOriginals:
    """The files of pushed documents in a folder of the home, where a backup finds them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, collection: str) -> str:
        """The collection's folder."""
        return str(self._folder / collection)

    def check(self, document_id: str) -> None:
        """Raise Conflict where one file would have to lie inside another."""
        place = self._folder / document_id
        if place.is_dir():
            raise Conflict(f"{document_id!r} is a folder of other uploads. Choose another id.")
        for parent in self._folders(place):
            if parent.is_file():
                raise Conflict(
                    f"{str(parent.relative_to(self._folder))!r} is an upload, and no folder. Choose another id."
                )

    def holds(self, document_id: str) -> bool:
        """As promised by `Originals`."""
        try:
            return (self._folder / document_id).is_file()
        except OSError:  # no file can have such a name
            return False

    def keep(self, document_id: str, *, data: bytes) -> None:
        """As promised by `Originals`."""
        place = self._folder / document_id
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".")
            try:
                with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
                    file.write(data)
                    file.flush()
                    os.fsync(descriptor)
                Path(temporary).replace(place)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StorageError(f"The upload can't be kept at {str(place)!r}: {error.strerror}.") from error

    def read(self, document_id: str, *, max_bytes: int) -> bytes:
        """As promised by `Originals`."""
        return read_file(FolderFile(document_id, self._folder / document_id, 0), max_bytes=max_bytes)

    def remove(self, document_id: str) -> None:
        """Delete a file, and the folders that it leaves empty: their names are its name. Raises StorageError."""
        place = self._folder / document_id
        try:
            place.unlink(missing_ok=True)
            for parent in self._folders(place):
                with suppress(OSError):  # not empty
                    parent.rmdir()
        except OSError as error:
            raise StorageError(f"The upload can't be deleted at {str(place)!r}: {error.strerror}.") from error

    def remove_all(self, collection: str) -> None:
        """As promised by `Originals`."""
        for document_id in list(self.ids()):
            if document_id.startswith(f"{collection}/"):
                self.remove(document_id)

    def ids(self) -> Iterator[str]:
        """As promised by `Originals`."""
        for file in sorted(self._folder.rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield file.relative_to(self._folder).as_posix()

    def _folders(self, place: Path) -> list[Path]:
        """The folders of a file below the folder, the innermost first."""
        return [each for each in place.parents if each.is_relative_to(self._folder) and each != self._folder]
