"""A folder on this machine as a source: its files, found without leaving it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ken.errors import InvalidInput, Unreadable

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file of a folder source."""

    path: str
    """Relative to the folder, with `/`; bytes that aren't UTF-8 are replaced by U+FFFD."""
    location: Path
    size: int
    """Bytes."""


def list_files(folder: Path, suffixes: Collection[str]) -> Iterator[FolderFile | tuple[str, str]]:
    """Yield the files with one of `suffixes` below `folder`, sorted by path; for what can't be looked at, (path, reason).

    Hidden files and folders are passed over. Links are followed to files and folders inside `folder` only, each folder
    is entered once, so that a link that leads back to itself ends. Raises InvalidInput where there is no such folder.
    """
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {str(folder)!r}. Give `ken sync` a folder that exists.")
    root = Path(os.path.realpath(folder))
    if not os.access(root, os.R_OK | os.X_OK):
        raise InvalidInput(f"The folder {str(folder)!r} can't be read. Give this user the right to read it.")
    yield from _walk(root, root, {_identity(root)}, suffixes)


def read_file(file: FolderFile, *, max_bytes: int) -> bytes:
    """The bytes of a file. Raises Unreadable, naming the reason and the remedy."""
    if file.size > max_bytes:
        raise Unreadable(
            f"{file.path!r} is {file.size / 1e6:.0f} MB; at most {max_bytes / 1e6:.0f} MB are read. "
            "Split it, or raise `max_file_mb` in ken.toml."
        )
    try:
        with file.location.open("rb") as opened:
            data = opened.read(max_bytes + 1)
    except OSError as error:
        raise Unreadable(
            f"{file.path!r} can't be read: {error.strerror}. Give this user the right to read it."
        ) from error
    if len(data) > max_bytes:
        raise Unreadable(f"{file.path!r} grew over {max_bytes / 1e6:.0f} MB while it was read. Sync again.")
    return data


def _walk(
    folder: Path, root: Path, entered: set[tuple[int, int]], suffixes: Collection[str]
) -> Iterator[FolderFile | tuple[str, str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _shown(folder, root), f"The folder can't be read: {error.strerror}. Give this user the right to read it."
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED_FOLDERS:
            continue
        place = Path(entry.path)
        try:
            target = Path(os.path.realpath(entry.path)) if entry.is_symlink() else place
            if not target.is_relative_to(root):
                continue
            if target.is_dir():
                identity = _identity(target)
                if identity not in entered:
                    entered.add(identity)
                    yield from _walk(place, root, entered, suffixes)
            elif target.is_file() and place.suffix.lower() in suffixes:
                yield FolderFile(_shown(place, root), place, target.stat().st_size)
        except OSError as error:
            yield _shown(place, root), f"It can't be looked at: {error.strerror}."


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _shown(place: Path, root: Path) -> str:
    relative = place.relative_to(root).as_posix()
    return os.fsencode(relative).decode("utf-8", errors="replace")
