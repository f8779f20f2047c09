"""A folder on this machine as a source: its files, found without leaving it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio.to_thread

from ken.errors import InvalidInput, Unreadable
from ken.knowledge.parse.formats import media_type, remedy
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})
_HASHED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file of a folder source."""

    path: str
    """Relative to the folder, with `/`; bytes that aren't UTF-8 are replaced by U+FFFD."""
    location: Path
    """Where it lies; of a link, where it leads."""
    size: int
    """Bytes."""


class FolderConnector:
    """Everything below a folder. Files are known by their content: what a file says of its time counts for nothing."""

    concurrency = 3
    """Files are parsed and cut while others are embedded."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.location = str(folder)
        self._folder = folder
        self._max_bytes = max_bytes
        self._files: dict[str, FolderFile] = {}

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List everything. Raises InvalidInput where there is no such folder, or it can't be read."""
        _ = cursor
        found = await anyio.to_thread.run_sync(list_files, self._folder)
        twice: set[str] = set()
        for at in range(0, len(found), _HASHED_AT_ONCE):
            for entry in await anyio.to_thread.run_sync(self._stamped, found[at : at + _HASHED_AT_ONCE]):
                if isinstance(entry, Listed) and entry.path in twice:
                    yield Unlisted(entry.path, "Another file's name reads the same without its odd bytes. Rename one.")
                else:
                    twice.add(entry.path)
                    yield entry
        yield Complete()

    async def fetch(self, listed: Listed) -> Fetched:
        """Read one file. Raises Unreadable."""
        file = self._files[listed.path]
        return Fetched(data=await anyio.to_thread.run_sync(partial(read_file, file, max_bytes=self._max_bytes)))

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None: who may read a document stands in its front matter or in the operator's rules, not in file modes."""
        _ = listed

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _stamped(self, found: list[FolderFile | Unlisted]) -> list[Listed | Unlisted]:
        stamped: list[Listed | Unlisted] = []
        for entry in found:
            if isinstance(entry, Unlisted):
                stamped.append(entry)
                continue
            try:
                data = read_file(entry, max_bytes=self._max_bytes)
            except Unreadable as error:
                stamped.append(Unlisted(entry.path, str(error)))
                continue
            self._files.setdefault(entry.path, entry)
            digest = hashlib.sha256(data).hexdigest()
            stamped.append(Listed(path=entry.path, stamp=digest, is_digest=True, size=len(data)))
        return stamped


def list_files(folder: Path) -> list[FolderFile | Unlisted]:
    """The files below `folder`, sorted by path, and what can't be taken.

    Hidden files and folders are passed over. Links are followed to files and folders inside `folder` only; each folder
    is entered once, by its own name where it can be, so that a link that leads back to itself ends. Raises InvalidInput
    where there is no such folder, or it can't be read.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InvalidInput(f"{str(folder)!r} {what}. Name the folder that holds the documents.")
    return sorted(_Walk(Path(os.path.realpath(folder))).files(), key=lambda entry: entry.path)


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
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable(f"{file.path!r} is no longer a regular file. Sync again.")
            # Room is made for what is asked for: the limit at once would cost more than reading a small file.
            data = opened.read(min(status.st_size, max_bytes) + 1)
            if len(data) > status.st_size:
                data += opened.read(max_bytes + 1 - len(data))
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
    folders: list[Path] = field(default_factory=list[Path])
    links: list[Path] = field(default_factory=list[Path])
    entered: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def files(self) -> Iterator[FolderFile | Unlisted]:
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
                reason = f"It can't be read: {error.strerror}. Give this user the right to read it."
                yield Unlisted(self._shown(place), reason)

    def _inside(self, folder: Path) -> Iterator[FolderFile | Unlisted]:
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
                    yield Unlisted(self._shown(folder / name), f"It can't be looked at: {error.strerror}.")

    def _one(self, place: Path) -> Iterator[FolderFile | Unlisted]:
        status = place.lstat()
        if stat.S_ISLNK(status.st_mode):
            self.links.append(place)
        elif stat.S_ISDIR(status.st_mode):
            self.folders.append(place)
        else:
            yield self._file(place, place, status)

    def _followed(self, link: Path) -> Iterator[FolderFile | Unlisted]:
        target = Path(os.path.realpath(link))
        if not target.is_relative_to(self.root):
            if _is_wanted(link) or target.is_dir():
                reason = "It is a link that leads out of the folder. Put what it leads to there instead."
                yield Unlisted(self._shown(link), reason)
            return
        try:
            status = target.stat()
        except OSError as error:
            if _is_wanted(link):
                reason = f"It is a link that leads nowhere: {error.strerror}. Mend it, or delete it."
                yield Unlisted(self._shown(link), reason)
            return
        if stat.S_ISDIR(status.st_mode):
            self.folders.append(link)
        else:
            yield self._file(link, target, status)

    def _file(self, place: Path, location: Path, status: os.stat_result) -> FolderFile | Unlisted:
        if not _is_wanted(place):
            reason = remedy(place.name) or f"Ken does not read {place.suffix or 'files without a suffix'}."
            return Unlisted(self._shown(place), reason, is_foreign=True)
        if not stat.S_ISREG(status.st_mode):
            return Unlisted(
                self._shown(place), "It is not a regular file. Put a file there, or give it another suffix."
            )
        return FolderFile(self._shown(place), location, status.st_size)

    def _shown(self, place: Path) -> str:
        relative = place.relative_to(self.root).as_posix()
        return os.fsencode(relative).decode("utf-8", errors="replace")


def _is_wanted(place: Path) -> bool:
    return media_type(place.name) is not None
