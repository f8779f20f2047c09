"""Mailbox files (mbox, RFC 4155) as a source: one file, or all in a folder. Each message is a document, `.eml`.

A message is named by its Message-ID, not by its place, so that it stays the same document when others are deleted before it.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from ken.errors import SourceDenied, SourceDown, SourceError, SourceMisbehaves, Unreadable
from ken.knowledge.sources.path_part import path_part
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted

MAX_BYTES = 50_000_000

_START = re.compile(rb"From \S.*\d\d:\d\d")
_QUOTED_START = re.compile(rb"^>(>*From )", re.MULTILINE)
_MESSAGE_ID = re.compile(rb"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(\S{1,400})")
# Mail programs write into these whether a message was read; it stays the same message.
_MARKS = re.compile(
    rb"(?im)^(?:x-)?(?:status|mozilla-status2?|mozilla-keys|keywords|uid|imap|imapbase):.*(?:\r?\n[ \t].*)*\r?\n"
)
_SUFFIXES = frozenset({"", ".mbox", ".mbx"})
_LINE = 65_536
_BATCH = 200
_KEY = re.compile(r"(\d{1,18}):(\d{1,12}):([0-9a-f]{64}):(.+)", re.DOTALL)


class MboxConnector:
    """The messages of mailbox files. Every listing is whole; a stamp is a digest of the message without its status."""

    def __init__(self, place: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._place = place
        self._max_bytes = max_bytes

    @property
    def location(self) -> str:
        """The path of the file or folder."""
        return str(self._place)

    @property
    def concurrency(self) -> int:
        """Messages are read each by its own."""
        return 4

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List every message of every box. A box that can't be read is reported, and what Ken has of it stays."""
        del cursor
        for box, name in await asyncio.to_thread(self._boxes):
            listing = self._messages(box, name)
            while batch := await asyncio.to_thread(_some, listing):
                for change in batch:
                    yield change
        yield Complete()

    async def fetch(self, listed: Listed) -> Fetched:
        """The message, if it still stands where it was listed."""
        return Fetched(data=await asyncio.to_thread(self._read, listed))

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None: mailboxes know no readers."""
        del listed
        return None

    async def aclose(self) -> None:
        """Nothing is held."""

    def _boxes(self) -> list[tuple[Path, str]]:
        """Each mailbox file with its name in paths."""
        if not self._place.is_dir():
            return [(self._place, _box_name(Path(self._place.name)))]
        found: list[tuple[Path, str]] = []
        for folder, folders, files in os.walk(self._place, onerror=_refused):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = Path(folder) / name
                if path.suffix.lower() in _SUFFIXES and not name.startswith(".") and not path.is_symlink():
                    found.append((path, _box_name(path.relative_to(self._place))))
        return found

    def _messages(self, box: Path, name: str) -> Iterator[Change]:
        seen: dict[str, str] = {}
        key = _key_of(box, self._place)
        if not _is_text(key):
            yield Unlisted(name, "Its name is not UTF-8. Rename it.")
            return
        try:
            for message in self._split(box):
                if message.length > self._max_bytes:
                    most = self._max_bytes / 1e6
                    reason = f"It has {message.length / 1e6:,.1f} MB; at most {most:,g} MB are read."
                    yield Unlisted(f"{name}/at {message.start}.eml", reason)
                    continue
                path = f"{name}/{message.identity()}.eml"
                digest = message.digest
                if seen.get(path) == digest:
                    continue
                if path in seen:
                    path = f"{name}/{message.identity()}-{digest[:12]}.eml"
                seen[path] = digest
                yield Listed(
                    path=path,
                    key=f"{message.start}:{message.length}:{digest}:{key}",
                    stamp=digest,
                    is_digest=True,
                    size=message.length,
                )
        except SourceError as error:
            if box == self._place:
                raise
            yield Unlisted(name, str(error), is_foreign=isinstance(error, SourceMisbehaves))

    def _split(self, box: Path) -> Iterator[_Message]:
        """The messages of a box, read line by line."""
        with _opened(box) as stream:
            message: _Message | None = None
            place, is_after_blank = 0, True
            while line := stream.readline(_LINE):
                is_start = is_after_blank and _START.match(line) is not None
                if is_start:
                    if message is not None:
                        yield message.ended()
                    message = _Message(place + len(line))
                elif message is None and line.strip():
                    raise SourceMisbehaves(
                        f"{str(box)!r} is no mailbox: it does not begin with 'From '. Export as mbox."
                    )
                elif message is not None:
                    message.take(line)
                place += len(line)
                is_after_blank = line in {b"\n", b"\r\n"}
            if message is not None:
                yield message.ended()

    def _read(self, listed: Listed) -> bytes:
        found = _KEY.fullmatch(listed.key)
        if found is None or int(found[2]) > self._max_bytes:
            raise Unreadable(f"{listed.path!r} has no key of a message: sync again.")
        box = self._place if found[4] == "." else self._place / found[4]
        if not box.resolve().is_relative_to(self._place.resolve()):
            raise Unreadable(f"{listed.path!r} lies outside of the mailboxes: sync again.")
        with _opened(box) as stream:
            stream.seek(int(found[1]))
            data = stream.read(int(found[2]))
        message, lines = _Message(0), io.BytesIO(data)
        while line := lines.readline(_LINE):
            message.take(line)
        if message.ended().digest != found[3]:
            raise Unreadable(f"{listed.path!r} is no longer where it was in the mailbox: sync again.")
        return _QUOTED_START.sub(rb"\1", data)


def _key_of(box: Path, place: Path) -> str:
    """The box relative to the source, `.` for the source itself."""
    return "." if box == place else box.relative_to(place).as_posix()


class _Message:
    """A message while it is read: where it is, its headers, and a digest of what it says."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.length = 0
        self._head = bytearray()
        self._is_head = True
        # The blank line that ended what was read so far: the last one of a message belongs to the box.
        self._blank = b""
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """64 hex digits, which no mail program's marks change."""
        return self._digest.hexdigest()

    def take(self, line: bytes) -> None:
        """Read a line."""
        if self._blank:
            self._add(self._blank)
            self._blank = b""
        if line in {b"\n", b"\r\n"}:
            self._blank = line
        else:
            self._add(line)

    def ended(self) -> _Message:
        """The message, all read."""
        if self._is_head:
            self._close_head()
        return self

    def identity(self) -> str:
        """32 hex digits of its Message-ID, or of its head where it has none."""
        found = _MESSAGE_ID.search(bytes(self._head))
        return hashlib.sha256(found[1] if found else _MARKS.sub(b"", bytes(self._head))).hexdigest()[:32]

    def _add(self, line: bytes) -> None:
        self.length += len(line)
        if not self._is_head:
            self._digest.update(line)
        elif line in {b"\n", b"\r\n"}:
            self._close_head()
        elif len(self._head) < _LINE * 16:
            self._head += line

    def _close_head(self) -> None:
        self._is_head = False
        self._digest.update(_MARKS.sub(b"", bytes(self._head)))


def _some(listing: Iterator[Change]) -> list[Change]:
    return [change for _, change in zip(range(_BATCH), listing, strict=False)]


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _box_name(path: Path) -> str:
    parts = [*path.parts[:-1], path.stem if path.suffix.lower() in _SUFFIXES else path.name]
    return "/".join(path_part(part) for part in parts)


def _opened(box: Path) -> IO[bytes]:
    """The box, open for reading. Raises as a connector does."""
    try:
        descriptor = os.open(box, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise SourceDown(f"The mailbox {str(box)!r} does not exist: check its path.") from error
    except OSError as error:
        raise SourceDenied(f"The mailbox {str(box)!r} can't be read: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceDenied(f"The mailbox {str(box)!r} is no regular file: name a file in the mbox format.")
    return os.fdopen(descriptor, "rb", buffering=1 << 20)


def _refused(error: OSError) -> None:
    raise SourceDenied(f"The folder {str(error.filename)!r} can't be read: {error.strerror}.") from error
