"""Bodies that came while a site was listed, kept on the disk until they are fetched, in a file without a name.

What has no name leaves nothing behind, however the process ends.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import IO


class Spool:
    """Keeps bodies by key, up to `max_bytes` in all. What isn't kept has to be asked for again."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    def keep(self, key: str, data: bytes) -> None:
        """Keep a body, unless there is no room, or no room on the disk."""
        if self._end + len(data) > self._max_bytes:
            return
        with suppress(OSError):
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="ken-")  # noqa: SIM115 - lives as long as the listing
            self._file.seek(self._end)
            self._file.write(data)
            self._file.flush()
            self._places[key] = self._end, len(data)
            self._end += len(data)

    def take(self, key: str) -> bytes | None:
        """A body, once; None where it wasn't kept."""
        place = self._places.pop(key, None)
        if place is None or self._file is None:
            return None
        data = os.pread(self._file.fileno(), place[1], place[0])
        return data if len(data) == place[1] else None

    def clear(self) -> None:
        """Forget everything, and give the room back."""
        self._places.clear()
        self._end = 0
        if self._file is not None:
            self._file.close()
            self._file = None
