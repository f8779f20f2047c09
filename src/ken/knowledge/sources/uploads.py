"""The files of uploaded documents: kept as they came, to be read anew when parsing changes, and for backups."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ken.errors import Conflict, InvalidInput, StorageError


def check_place(uploads: Path, document_id: str) -> None:
    """Raise where no file can lie at an id: a part is too long, or one file would have to lie inside another.

    Raises Conflict, InvalidInput.
    """
    place = uploads / document_id
    try:
        if place.is_dir():
            raise Conflict(f"{document_id!r} is a folder of other uploads. Choose another id.")
        for parent in place.parents[: len(place.parts) - len(uploads.parts) - 1]:
            if parent.is_file():
                raise Conflict(f"{str(parent.relative_to(uploads))!r} is an upload, and no folder. Choose another id.")
        place.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # ValueError: characters that no file name can hold
        raise InvalidInput(
            f"{document_id!r} can't be kept as a file: {error}. Choose a shorter, plainer id."
        ) from error


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
        for parent in place.parents[: len(place.parts) - len(uploads.parts) - 1]:
            with suppress(OSError):  # not empty
                parent.rmdir()
    except OSError as error:
        raise StorageError(f"The upload can't be deleted at {str(place)!r}: {error.strerror}.") from error
