"""The JSON files of a Slack export, from its ZIP archive or from the folder that it was unpacked to, read with limits."""

from __future__ import annotations

import json
import os
import stat
import struct
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from ken.errors import SourceDenied, SourceDown, SourceMisbehaves, Unreadable

MOST_FILES = 1_000_000
MOST_BYTES_OF_A_FILE = 200_000_000
HIGHEST_RATIO = 300
_SMALL = 1_000_000
_LISTS = ("channels.json", "groups.json", "dms.json", "mpims.json")


class ExportFiles(Protocol):
    """Files by their names in the export, with `/` between parts."""

    def names(self) -> list[str]:
        """All names that end in `.json`, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of one. Raises Unreadable where it is too large, broken or gone."""
        ...

    def close(self) -> None:
        """Let go of the archive."""
        ...


def opened_export(place: Path) -> ExportFiles:
    """The export at `place`. Raises SourceDown, SourceDenied and SourceMisbehaves for what is none or can't be read."""
    try:
        files = _Folder(place) if place.is_dir() else _Archive(place)
    except FileNotFoundError as error:
        raise SourceDown(f"The Slack export {str(place)!r} does not exist: check its path.") from error
    except PermissionError as error:
        raise SourceDenied(f"The Slack export {str(place)!r} can't be read: give this user the right to.") from error
    except (zipfile.BadZipFile, OSError, struct.error, NotImplementedError, ValueError) as error:
        raise SourceMisbehaves(f"{str(place)!r} is no ZIP archive ({error}): name the file that Slack gave.") from error
    top = _top(files.names())
    if top is None:
        files.close()
        raise SourceMisbehaves(f"{str(place)!r} is no Slack export: it has none of {', '.join(_LISTS)}.")
    return _Below(files, top) if top else files


def parsed(data: bytes, name: str) -> object:
    """The JSON value in a file. Raises Unreadable where it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name!r} is not JSON ({str(error)[:100]}): export again.") from error


def _top(names: list[str]) -> str | None:
    """The folder in which the lists of channels lie, with a `/` at its end; empty where that is the export itself."""
    found = [name.rpartition("/")[0] for name in names if name.rpartition("/")[2] in _LISTS]
    shallowest = min(found, key=lambda folder: folder.count("/") if folder else -1, default=None)
    return f"{shallowest}/" if shallowest else shallowest


class _Below:
    """The files below a folder of an export."""

    def __init__(self, files: ExportFiles, top: str) -> None:
        self._files = files
        self._top = top

    def names(self) -> list[str]:
        return [name.removeprefix(self._top) for name in self._files.names() if name.startswith(self._top)]

    def read(self, name: str) -> bytes:
        return self._files.read(self._top + name)

    def close(self) -> None:
        self._files.close()


class _Archive:
    """Nothing is unpacked to the disk, so that names in the archive lead nowhere."""

    def __init__(self, place: Path) -> None:
        self._archive = zipfile.ZipFile(place)
        # The archive's one file handle is moved by each read.
        self._turn = threading.Lock()
        entries = self._archive.infolist()
        if len(entries) > MOST_FILES:
            self._archive.close()
            raise SourceMisbehaves(f"{str(place)!r} has {len(entries):,} files; at most {MOST_FILES:,} are read.")

    def names(self) -> list[str]:
        return sorted({name for name in self._archive.namelist() if name.endswith(".json")})

    def read(self, name: str) -> bytes:
        with self._turn:
            return self._read(name)

    def _read(self, name: str) -> bytes:
        try:
            entry = self._archive.getinfo(name)
        except KeyError as error:
            raise Unreadable(f"{name!r} is not in the export any more: sync again.") from error
        if entry.flag_bits & 1:
            raise Unreadable(f"{name!r} is encrypted: export without a password.")
        most = min(entry.file_size, MOST_BYTES_OF_A_FILE)
        if entry.file_size > _SMALL and entry.file_size > HIGHEST_RATIO * max(1, entry.compress_size):
            raise Unreadable(f"{name!r} is compressed more than {HIGHEST_RATIO} times: no export of Slack's is.")
        try:
            with self._archive.open(entry) as stream:
                data = stream.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise Unreadable(f"{name!r} can't be unpacked ({error}): export again.") from error
        if len(data) > most:
            raise Unreadable(f"{name!r} unpacks to more than it says, or than {MOST_BYTES_OF_A_FILE / 1e6:,.0f} MB.")
        return data

    def close(self) -> None:
        self._archive.close()


def _refused(error: OSError) -> None:
    raise SourceDenied(f"{str(error.filename)!r} in the Slack export can't be read: {error.strerror}.") from error


class _Folder:
    """Links are not followed."""

    def __init__(self, place: Path) -> None:
        self._place = place.resolve()

    def names(self) -> list[str]:
        found: list[str] = []
        for folder, folders, files in os.walk(self._place, onerror=_refused):
            folders.sort()
            inside = Path(folder).relative_to(self._place)
            found += [(inside / name).as_posix() for name in files if name.endswith(".json")]
            if len(found) > MOST_FILES:
                raise SourceMisbehaves(f"{str(self._place)!r} has more than {MOST_FILES:,} files: it is no export.")
        return sorted(found)

    def read(self, name: str) -> bytes:
        path = self._place / name
        try:
            if not path.parent.resolve().is_relative_to(self._place):
                raise Unreadable(f"{name!r} leads out of the export: put the file itself there.")
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise Unreadable(f"{name!r} is no file: put the file of the export there.")
                data = stream.read(MOST_BYTES_OF_A_FILE + 1)
        except OSError as error:
            raise Unreadable(f"{name!r} can't be read: {error.strerror}.") from error
        if len(data) > MOST_BYTES_OF_A_FILE:
            raise Unreadable(f"{name!r} has more than {MOST_BYTES_OF_A_FILE / 1e6:,.0f} MB: no export of Slack's has.")
        return data

    def close(self) -> None:
        pass
