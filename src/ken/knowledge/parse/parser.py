"""The door to parsing: reading one file, here or in a process of its own.

Most formats are read by large libraries in files that strangers may have written. `IsolatedParser` gives them to a worker
process that has no environment, little memory and little time, and that is replaced when it fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import IO, Self, cast

from ken.domain.document import ParsedDocument
from ken.errors import InvalidSetting, Unreadable
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, media_type, remedy, usual_suffixes
from ken.knowledge.parse.ocr import PAGE_LIMIT_S, Recogniser, is_installed
from ken.knowledge.parse.wire import ANSWER, READY, REQUEST, Outcome, document_from_json

MAX_FILE_MB = 50
_MEGABYTE = 1_000_000
_PDF = "application/pdf"
_MOST_ANSWERED = 512 * _MEGABYTE
_START_LIMIT_S = 60.0


def parse(
    data: bytes, *, name: str, max_file_mb: float = MAX_FILE_MB, recogniser: Recogniser | None = None
) -> ParsedDocument:
    """Parse a file in this process. `name` says the format and stands in messages and titles; nothing is opened by it.

    A `recogniser` reads the pages of PDF files that have no text. Raises Unreadable with the file, the reason and the remedy.
    """
    kind = _admitted(data, name, max_file_mb)
    read = BY_MEDIA_TYPE[kind].parser()
    if recogniser is not None and kind == _PDF:
        read = partial(cast("Callable[..., ParsedDocument]", read), recogniser=recogniser)
    return read(data, name=name)


def _admitted(data: bytes, name: str, max_file_mb: float) -> str:
    """The media type of a file that may be parsed."""
    kind = media_type(name)
    if kind is None and (told := remedy(name)):
        raise Unreadable(f"{name!r} is {told}.")
    if kind is None:
        raise Unreadable(f"{name!r} is of no known format: Ken reads {usual_suffixes()}.")
    if len(data) > max_file_mb * _MEGABYTE:
        size = len(data) / _MEGABYTE
        raise Unreadable(
            f"{name!r} has {size:,.1f} MB; at most {max_file_mb:,g} MB are read: split it or raise `max_file_mb`."
        )
    return kind


class IsolatedParser:
    """Parses files in a worker process, but for Markdown and plain text, which are read in this one.

    A context manager. The worker starts with the first file that needs it and is reused; a file that goes over the memory
    or time limit, or brings it down, raises Unreadable, and the next file gets a new worker. Calls from several threads
    take turns. With `ocr`, pages of PDF files without text are read by text recognition, which has more memory, and a
    time limit for each page; None is True where the extra `ocr` is installed, and True raises InvalidSetting where it isn't.
    """

    def __init__(
        self,
        *,
        max_file_mb: float = MAX_FILE_MB,
        memory_mb: int = 1_024,
        time_limit_s: float = 30.0,
        ocr: bool | None = None,
    ) -> None:
        if ocr and not is_installed():
            raise InvalidSetting("Text recognition needs the extra `ocr`: pip install 'ken[ocr]', or switch it off.")
        self._max_file_mb = max_file_mb
        self._memory_mb = memory_mb
        self._time_limit_s = time_limit_s
        self._ocr = is_installed() if ocr is None else ocr
        self._worker: _Worker | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker, if there is one."""
        with self._turn:
            self._end_worker()

    def parse(self, data: bytes, *, name: str) -> ParsedDocument:
        """Parse a file. Raises Unreadable with the file, the reason and the remedy."""
        kind = _admitted(data, name, self._max_file_mb)
        if not BY_MEDIA_TYPE[kind].is_isolated:
            return BY_MEDIA_TYPE[kind].parser()(data, name=name)
        with self._turn:
            is_used = self._worker is not None
            outcome, payload = self._asked(data, name)
            if is_used and outcome in {Outcome.MEMORY, Outcome.CRASH}:
                # What earlier files left behind in the worker must not decide over this one.
                outcome, payload = self._asked(data, name)
        match outcome:
            case Outcome.PARSED:
                return document_from_json(json.loads(payload))
            case Outcome.UNREADABLE:
                reason = payload.decode()
            case Outcome.TIME:
                reason = f"{name!r} took longer than {self._time_limit_s:g} s to parse: split it or simplify it."
                if self._ocr and kind == _PDF:
                    reason = f"{reason} A scanned page may take {PAGE_LIMIT_S:g} s."
            case Outcome.MEMORY:
                reason = f"{name!r} needs more than {self._memory_mb:,} MB of memory to parse: split it or simplify it."
            case Outcome.CRASH | Outcome.WORKING:  # the second is no end
                reason = (
                    f"{name!r} brought the parser down: it is broken, or needs far more than {self._memory_mb:,} MB of memory. "
                    f"Save it again with another program, or split it."
                )
        raise Unreadable(reason)

    def _asked(self, data: bytes, name: str) -> tuple[Outcome, bytes]:
        if self._worker is None:
            self._worker = _Worker(name, memory_mb=self._memory_mb, time_limit_s=self._time_limit_s, ocr=self._ocr)
        outcome, payload = self._worker.ask(data, name)
        if outcome not in {Outcome.PARSED, Outcome.UNREADABLE}:
            self._end_worker()
        return outcome, payload

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


class _Worker:
    """A running worker process, ready for files."""

    def __init__(self, name: str, *, memory_mb: int, time_limit_s: float, ocr: bool) -> None:
        self._time_limit_s = time_limit_s
        command = [sys.executable, "-P", "-m", "ken.knowledge.parse.worker", str(memory_mb), str(time_limit_s)]
        command += ["ocr"] if ocr else []
        # Keys and passwords live in the environment; the worker gets none of it.
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - both are pipes
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        with _Watch(self._process, _START_LIMIT_S):
            greeting = self._from.read(len(READY))
        if greeting != READY:
            self.end()
            raise Unreadable(
                f"{name!r} was not parsed: the parser's process did not start. Try again; if it stays so, reinstall."
            )

    def ask(self, data: bytes, name: str) -> tuple[Outcome, bytes]:
        """Send a file and wait for the answer."""
        encoded = name.encode("utf-8", errors="replace")
        with _Watch(self._process, self._time_limit_s) as watch:
            try:
                self._to.write(REQUEST.pack(len(encoded), len(data)))
                self._to.write(encoded)
                self._to.write(data)
                self._to.flush()
                outcome, length = self._answer()
                while outcome == Outcome.WORKING:
                    watch.restart(PAGE_LIMIT_S)
                    outcome, length = self._answer()
                payload = self._from.read(length) if length <= _MOST_ANSWERED else b""
            except OSError:
                return (Outcome.TIME if watch.has_fired else Outcome.CRASH), b""
        if watch.has_fired:
            return Outcome.TIME, b""
        return (Outcome(outcome), payload) if len(payload) == length else (Outcome.CRASH, b"")

    def _answer(self) -> tuple[int, int]:
        header = self._from.read(ANSWER.size)
        return ANSWER.unpack(header) if len(header) == ANSWER.size else (Outcome.CRASH, 0)

    def end(self) -> None:
        """Kill the process and give its resources back."""
        self._process.kill()
        with contextlib.suppress(OSError):  # what was buffered for the process that has just been killed
            self._to.close()
        self._from.close()
        self._process.wait()


class _Watch:
    """Kills a process when the time is up."""

    def __init__(self, process: subprocess.Popen[bytes], limit_s: float) -> None:
        self.has_fired = False
        self._process = process
        self._timer = threading.Timer(limit_s, self._fire)

    def restart(self, limit_s: float) -> None:
        """Count anew from now."""
        self._timer.cancel()
        self._timer = threading.Timer(limit_s, self._fire)
        self._timer.start()

    def _fire(self) -> None:
        self.has_fired = True
        self._process.kill()

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
