"""Bytes become text: encodings, newlines, control characters."""

from __future__ import annotations

import codecs
import re

from ken.errors import Unreadable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive or an Office file"),
    (b"\xd0\xcf\x11\xe0", "an old or encrypted Office file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x7fELF", "a program"),
)
_SAMPLE = 65_536
_STRAY = 4
_MOST_NULS = 0.001
_MOST_CONTROLS = 0.02
_CONTROL_BYTES = bytes([*range(9), *range(14, 27), *range(28, 32), 127])
# Form feeds and vertical tabs part lines; whatever else is no text at all.
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def decode(data: bytes, *, name: str, declared: str | None = None) -> tuple[str, list[str]]:
    """The text of `data` with LF newlines and no control characters, and what had to be mended.

    The order: byte-order mark, `declared` encoding, UTF-8, Windows-1252. Raises Unreadable for an empty file and for
    binary content.
    """
    refuse_empty(data, name=name)
    text, warnings = _decoded(data, name, declared)
    text, removed = clean(text)
    if removed:
        warnings.append(f"{removed} control characters were left out.")
    return text, warnings


def refuse_empty(data: bytes, *, name: str) -> None:
    """Raise Unreadable where `data` holds nothing but white space."""
    if not data[:_SAMPLE].strip() and not data.strip():
        raise Unreadable(f"{name!r} is empty: give it text, or delete it.")


def clean(text: str) -> tuple[str, int]:
    """`text` with LF newlines and without control characters, and how many of these were removed."""
    return _CONTROLS.subn("", _BREAKS.sub("\n", text))


def _decoded(data: bytes, name: str, declared: str | None) -> tuple[str, list[str]]:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _replaced(data[len(mark) :], encoding)
    _refuse_binary(data, name)
    try:
        return data.decode("utf-8" if declared is None else declared), []
    except (UnicodeDecodeError, LookupError):
        pass
    text, warnings = _replaced(data, "utf-8")
    bad = text.count("\ufffd")
    if not bad:
        return text, []
    good = sum(1 for character in text[:_SAMPLE] if character > "\x7f") - bad
    if good > bad:
        return text, warnings
    return data.decode("cp1252", errors="replace"), ["The bytes are not UTF-8; they were read as Windows-1252."]


def _replaced(data: bytes, encoding: str) -> tuple[str, list[str]]:
    text = data.decode(encoding, errors="replace")
    bad = text.count("\ufffd")
    return text, [f"{bad} characters could not be decoded as {encoding.upper()} and read \ufffd."] if bad else []


def _refuse_binary(data: bytes, name: str) -> None:
    remedy = "give it the suffix of its format, or save it as UTF-8 text."
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise Unreadable(f"{name!r} is {what} and not text: {remedy}")
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROL_BYTES))
    if controls > _STRAY and (sample.count(0) > _MOST_NULS * len(sample) or controls > _MOST_CONTROLS * len(sample)):
        raise Unreadable(f"{name!r} is binary and not text: {remedy}")
