"""A folder on this machine as a source: its files, found without leaving it."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ken.errors import InvalidInput, Unreadable

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file of a folder source."""

    path: str
    """Relative to the folder, with `/`; bytes that aren't UTF-8 are replaced by U+FFFD."""
    location: Path
    """Where it lies; of a link, where it leads."""
    size: int
    """Bytes."""


def list_files(folder: Path, suffixes: Collection[str]) -> list[FolderFile | tuple[str, str]]:
    """The files with one of `suffixes` below `folder`, sorted by path; for what can't be looked at, (path, reason).

    Hidden files and folders are passed over. Links are followed to files and folders inside `folder` only; each folder
    is entered once, by its own name where it can be, so that a link that leads back to itself ends. Raises InvalidInput
    where there is no such folder, or it can't be read.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InvalidInput(f"{str(folder)!r} {what}. Name the folder that holds the documents.")
    found = _Walk(Path(os.path.realpath(folder)), frozenset(suffixes)).files()
    return sorted(found, key=lambda entry: entry.path if isinstance(entry, FolderFile) else entry[0])


def read_file(file: FolderFile, *, max_bytes: int) -> bytes:
    """The bytes of a file. Raises Unreadable, naming the reason and the remedy."""
    if file.size > max_bytes:
        raise Unreadable(
            f"{file.path!r} is {file.size / 1e6:.1f} MB; at most {max_bytes / 1e6:.0f} MB are read. "
            "Split it, or raise `max_file_mb` in ken.toml."
        )
    try:
        # Since it was listed it may have become a link out of the folder, or a pipe that nobody writes to.
        descriptor = os.open(file.location, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as opened:  # noqa: PTH123 - a descriptor has no path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable(f"{file.path!r} is no longer a regular file. Sync again.")
            data = opened.read(max_bytes + 1)
    except OSError as error:
        raise Unreadable(
            f"{file.path!r} can't be read: {error.strerror}. Give this user the right to read it."
        ) from error
    if len(data) > max_bytes:
        raise Unreadable(f"{file.path!r} grew over {max_bytes / 1e6:.0f} MB while it was read. Sync again.")
    return data


@dataclass(slots=True)
class _Walk:
    """One walk below a folder. Links wait until all else has been seen: a folder keeps its own name."""

    root: Path
    suffixes: frozenset[str]
    folders: list[Path] = field(default_factory=list[Path])
    links: list[Path] = field(default_factory=list[Path])
    entered: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def files(self) -> Iterator[FolderFile | tuple[str, str]]:
        self.folders.append(self.root)
        while self.folders or self.links:
            is_link = not self.folders
            place = self.links.pop(0) if is_link else self.folders.pop()
            try:
                yield from self._followed(place) if is_link else self._inside(place)
            except OSError as error:
                if place == self.root:
                    raise InvalidInput(
                        f"The folder {str(place)!r} can't be read: {error.strerror}. Give this user the right to read it."
                    ) from error
                yield self._shown(place), f"It can't be read: {error.strerror}. Give this user the right to read it."

    def _inside(self, folder: Path) -> Iterator[FolderFile | tuple[str, str]]:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in self.entered:
            return
        self.entered.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            if not name.startswith(".") and name not in _SKIPPED_FOLDERS:
                try:
                    yield from self._one(folder / name)
                except OSError as error:
                    yield self._shown(folder / name), f"It can't be looked at: {error.strerror}."

    def _one(self, place: Path) -> Iterator[FolderFile | tuple[str, str]]:
        status = place.lstat()
        if stat.S_ISLNK(status.st_mode):
            self.links.append(place)
        elif stat.S_ISDIR(status.st_mode):
            self.folders.append(place)
        elif self._is_wanted(place):
            yield self._file(place, place, status)

    def _followed(self, link: Path) -> Iterator[FolderFile | tuple[str, str]]:
        target = Path(os.path.realpath(link))
        if not target.is_relative_to(self.root):
            if self._is_wanted(link) or target.is_dir():
                yield (
                    self._shown(link),
                    "It is a link that leads out of the folder. Put what it leads to there instead.",
                )
            return
        try:
            status = target.stat()
        except OSError as error:
            if self._is_wanted(link):
                yield self._shown(link), f"It is a link that leads nowhere: {error.strerror}. Mend it, or delete it."
            return
        if stat.S_ISDIR(status.st_mode):
            self.folders.append(link)
        elif self._is_wanted(link):
            yield self._file(link, target, status)

    def _is_wanted(self, place: Path) -> bool:
        return place.suffix.lower() in self.suffixes

    def _file(self, place: Path, location: Path, status: os.stat_result) -> FolderFile | tuple[str, str]:
        if not stat.S_ISREG(status.st_mode):
            return self._shown(place), "It is not a regular file. Put a file there, or give it another suffix."
        return FolderFile(self._shown(place), location, status.st_size)

    def _shown(self, place: Path) -> str:
        relative = place.relative_to(self.root).as_posix()
        return os.fsencode(relative).decode("utf-8", errors="replace")
