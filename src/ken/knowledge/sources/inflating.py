"""Compressed bytes, opened up to a limit: a few of them can stand for gigabytes."""

from __future__ import annotations

import zlib

_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15
_DEFLATE_METHOD = 8
_PIECE = 65_536


class TooMuch(Exception):
    """More came out than the limit."""


class Inflater:
    """Opens gzip and deflate (RFC 1950 to 1952, also several members in a row) piece by piece.

    `feed` raises TooMuch over `max_bytes` in all, and zlib.error for what is not compressed so.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._left = max_bytes
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._is_begun = False

    @property
    def is_finished(self) -> bool:
        """Whether the bytes so far end where a member ends."""
        return self._stream.eof or not self._is_begun

    def feed(self, data: bytes) -> bytes:
        """What the next bytes hold."""
        opened = bytearray()
        while data:
            if not self._is_begun:
                self._is_begun = True
                # Some servers send "deflate" without the envelope of zlib, whose first byte names the method.
                if data[:1] != b"\x1f" and data[0] & 0xF != _DEFLATE_METHOD:
                    self._stream = zlib.decompressobj(_RAW_DEFLATE)
            elif self._stream.eof:
                if not data.strip(b"\0"):  # padding
                    break
                self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            piece = self._stream.decompress(data, self._left + 1)
            self._left -= len(piece)
            if self._left < 0:
                raise TooMuch
            opened += piece
            data = self._stream.unused_data
        return bytes(opened)


def inflated(data: bytes, *, max_bytes: int) -> bytes:
    """The whole of what gzip or deflate holds. Raises TooMuch; zlib.error, also where it is cut short."""
    inflater = Inflater(max_bytes=max_bytes)
    opened = b"".join(inflater.feed(data[start : start + _PIECE]) for start in range(0, len(data), _PIECE))
    if not inflater.is_finished:
        raise zlib.error("it is cut short")
    return opened
