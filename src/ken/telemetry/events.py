"""Structured events as JSON lines: into files of a folder, or onto a stream.

One line an event, in the order of writing; every line is written whole by one call, so that processes of one home can share a
file. Nothing here raises: an event that can't be written is lost, and counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from ken.domain.trace import Scalar
from ken.text.redaction import RedactionPolicy, redact

EventValue = Scalar | Sequence[str] | Mapping[str, float] | Mapping[str, int]

FOLDER = "events"
"""In the home."""

_NAME = re.compile(r"ken-(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.jsonl")
_DAY_S = 86_400.0
_PARTS = 10
"""A file is closed at a tenth of the bound, so that the oldest tenth can go."""
_LONGEST = 2_000
"""Characters of a text in an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBounds:
    """How much is kept of the events."""

    keep_s: float = 30 * _DAY_S
    max_bytes: int = 1_000_000_000


class Lines(Protocol):
    """Where lines go."""

    def append(self, lines: str) -> None:
        """Write whole lines. Raises OSError."""
        ...


class EventLog:
    """Writes events; for any thread. `lost` counts those that could not be written."""

    def __init__(
        self, lines: Lines | None, *, policy: RedactionPolicy = "secrets", clock: Callable[[], float] = time.time
    ) -> None:
        self.written = 0
        self.lost = 0
        self._lines = lines
        self._policy: RedactionPolicy = policy
        self._clock = clock
        self._lock = threading.Lock()

    def emit(self, kind: str, *, trace_id: str = "", at: float | None = None, **facts: EventValue) -> None:
        """Write one event: what happened (`alert.firing`), to which trace, when (seconds since the epoch; None: now), and its facts."""
        self.write([Event(kind=kind, at=self._clock() if at is None else at, trace_id=trace_id, facts=facts)])

    def write(self, events: Sequence[Event]) -> None:
        """Write several, together."""
        if self._lines is None or not events:
            return
        lines = [line for each in events if (line := self._line(each))]
        try:
            with self._lock:
                self._lines.append("".join(lines))
        except (OSError, ValueError):  # a full disk, a folder that can't be made, a stream that was closed
            lines = []
        with self._lock:
            self.written += len(lines)
            self.lost += len(events) - len(lines)

    def _line(self, event: Event) -> str:
        """One event as a line; empty where it can't be one."""
        try:
            return f"{event.json(self._policy)}\n"
        except (
            ValueError,
            OverflowError,
            OSError,
            TypeError,
        ):  # a number that JSON hasn't, a time beyond all calendars
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    kind: str
    at: float
    """Seconds since the epoch."""
    facts: Mapping[str, EventValue]
    trace_id: str = ""
    is_redacted: bool = False
    """Its texts have been looked through already."""

    def json(self, policy: RedactionPolicy) -> str:
        """One line, without its end: `time` as of RFC 3339 in UTC, `type`, `trace_id` where there is one, then the facts."""
        moment = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head: dict[str, object] = {"time": moment, "type": self.kind}
        if self.trace_id:
            head["trace_id"] = self.trace_id
        texts = str if self.is_redacted else partial(redact, policy=policy)
        facts = {name: _shown(value, texts) for name, value in self.facts.items() if value is not None}
        return json.dumps(head | facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _shown(value: EventValue, texts: Callable[[str], str]) -> object:
    match value:
        case str():
            return texts(value)[:_LONGEST]
        case float():
            return round(value, 3)
        case bool() | int() | None:
            return value
        case Mapping():
            return {name: round(each, 3) for name, each in value.items()}
        case _:
            return [texts(each)[:_LONGEST] for each in value]


class Stdout:
    """Standard output."""

    def append(self, lines: str) -> None:
        """Write lines."""
        sys.stdout.write(lines)
        sys.stdout.flush()


class EventFiles:
    """`ken-YYYY-MM-DD.jsonl` in a folder, a file a day (UTC), and `.1`, `.2`, ... where one grows too long.

    When a file is begun, those go that are too old, and the oldest while all together are too large. By their names' dates, so
    that a clock that is set back removes nothing; one that is set far forward does, for a while, as they then are old.
    """

    def __init__(
        self, folder: Path, bounds: EventBounds | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.folder = folder
        self._bounds = EventBounds() if bounds is None else bounds
        self._clock = clock
        self._day = ""
        self._part = 0
        self._file = -1

    def append(self, lines: str) -> None:
        """Write lines to the file of the day. Raises OSError."""
        data = lines.encode("utf-8", "replace")
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        if day != self._day or self._file < 0:
            self._open(day, part=self._last_part(day))
        if os.fstat(self._file).st_size + len(data) > self._bounds.max_bytes // _PARTS:
            self._open(day, part=self._part + 1)
        while data:  # a disk that fills up takes part of it
            data = data[os.write(self._file, data) :]

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def size(self) -> int:
        """The bytes of all event files."""
        return sum(size for _, _, size in self._all())

    def _open(self, day: str, *, part: int) -> None:
        self.close()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"ken-{day}.jsonl" if part == 0 else f"ken-{day}.{part}.jsonl"
        self._file = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._day, self._part = day, part
        self._tidy()

    def _last_part(self, day: str) -> int:
        return max((part for (each, part), _, _ in self._all() if each == day), default=0)

    def _tidy(self) -> None:
        oldest = datetime.fromtimestamp(max(0.0, self._clock() - self._bounds.keep_s), UTC).date().isoformat()
        kept = sorted(self._all())
        total = sum(size for _, _, size in kept)
        for (day, part), path, size in kept:
            is_open = (day, part) == (self._day, self._part)
            if not is_open and (day < oldest or total > self._bounds.max_bytes - self._bounds.max_bytes // _PARTS):
                with contextlib.suppress(FileNotFoundError):  # another process of this home was faster
                    path.unlink()
                total -= size

    def _all(self) -> list[tuple[tuple[str, int], Path, int]]:
        """Day and part, place and size of each file."""
        if not self.folder.is_dir():
            return []
        found: list[tuple[tuple[str, int], Path, int]] = []
        for path in self.folder.iterdir():
            named = _NAME.fullmatch(path.name)
            if named is not None:
                with contextlib.suppress(FileNotFoundError):
                    found.append(((named[1], int(named[2] or 0)), path, path.stat().st_size))
        return found
