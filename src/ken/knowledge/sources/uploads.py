"""The files of uploaded documents: kept as they came, to be read anew when parsing changes, and for backups."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ken.errors import Conflict, InvalidInput, StorageError

_LONGEST_ID = 1_000
_LONGEST_NAME = 255
"""Bytes: what file systems take."""


def check_place(uploads: Path, document_id: str) -> None:
    """Raise where no file can lie at an id: a part is too long, or one file would have to lie inside another.

    Raises Conflict, InvalidInput.
    """
    try:
        encoded = document_id.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{document_id!r} can't be a file's name. Choose a plainer id.") from None
    if len(encoded) > _LONGEST_ID or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
        raise InvalidInput(
            f"The id {document_id[:80]!r}... is too long: at most {_LONGEST_ID} bytes, {_LONGEST_NAME} between two `/`."
        )
    place = uploads / document_id
    if place.is_dir():
        raise Conflict(f"{document_id!r} is a folder of other uploads. Choose another id.")
    for parent in _folders(uploads, place):
        if parent.is_file():
            raise Conflict(f"{str(parent.relative_to(uploads))!r} is an upload, and no folder. Choose another id.")


def keep(uploads: Path, document_id: str, *, data: bytes) -> None:
    """Write an upload's file, or replace it, in one step. Raises StorageError."""
    place = uploads / document_id
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


def remove(uploads: Path, document_id: str) -> None:
    """Delete an upload's file, and the folders that it leaves empty: their names are its name. Raises StorageError."""
    place = uploads / document_id
    try:
        place.unlink(missing_ok=True)
        for parent in _folders(uploads, place):
            with suppress(OSError):  # not empty
                parent.rmdir()
    except OSError as error:
        raise StorageError(f"The upload can't be deleted at {str(place)!r}: {error.strerror}.") from error


def _folders(uploads: Path, place: Path) -> list[Path]:
    """The folders of a file below `uploads`, the innermost first."""
    return [parent for parent in place.parents if parent.is_relative_to(uploads) and parent != uploads]
