"""One line on stderr that says what a question is passing through; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

_WIDTH = 76


class Ticker:
    """Shows the stages that are done, with their milliseconds, and takes the line away when the answer begins."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_on = sys.stderr.isatty() and not is_quiet
        self._done: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def started(self, stage: str) -> None:
        """A stage began."""
        self._draw(f"{stage}…")

    def finished(self, stage: str, ms: float) -> None:
        """A stage ended."""
        self._done.append(f"{stage} {ms:.0f} ms")
        self._draw("")

    def stop(self) -> None:
        """Take the line away, for good."""
        if self._is_on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._is_on = False

    def _draw(self, running: str) -> None:
        if self._is_on:
            line = " · ".join([*self._done, running] if running else self._done)
            sys.stderr.write(f"\r\x1b[K\x1b[2m{line[-_WIDTH:]}\x1b[0m")
            sys.stderr.flush()
