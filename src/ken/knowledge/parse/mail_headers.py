"""The headers of a message as text: encoded words, raw bytes, addresses, dates."""

from __future__ import annotations

import base64
import binascii
import codecs
import datetime as dt
import email.utils
import quopri
import re
from collections.abc import Iterator
from email.message import Message

from ken.knowledge.parse.decoding import clean

LONGEST_HEADER = 1_000
"""Characters that are shown of one."""

_MOST_READ = 20 * LONGEST_HEADER
_MOST_ADDRESSES = 25
_WORD = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{1,20})?\?([bBqQ])\?([^?\s]{0,400})\?=")
_TEXT_ENCODING = re.compile(r"utf[-_]?\d|cp\d|iso8859|koi8|shift_jis|euc|gb|big5|mac-|iso2022|hz|johab|ascii|latin")


def header(message: Message, name: str) -> str:
    """The text of a header on one line; empty where there is none."""
    return decoded(next(_raw(message, name), ""))[:LONGEST_HEADER]


def addresses(message: Message, name: str) -> str:
    """The names and addresses of a header; they are decoded after they were parted, as a name may hold commas."""
    found = [
        (decoded(person), decoded(address))
        for person, address in email.utils.getaddresses([raw[:_MOST_READ] for raw in _raw(message, name)])
    ]
    shown = [f"{person} <{address}>" if person and address else person or address for person, address in found]
    shown = [one for one in shown if one] or [header(message, name)]
    more = len(shown) - _MOST_ADDRESSES
    return ", ".join(shown[:_MOST_ADDRESSES]) + (f" and {more} more" if more > 0 else "")


def sent_at(message: Message) -> dt.datetime | None:
    """When it was sent, in UTC."""
    for name in ("Date", "Resent-Date"):
        try:
            found = email.utils.parsedate_to_datetime(header(message, name))
            return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def text_encoding(named: str | None) -> str | None:
    """The codec of a charset, if Python has it and it gives text; Latin-1 is read as its Windows superset, as mail programs do.

    None for unknown ones and for ASCII, which says nothing about the bytes above it.
    """
    try:
        found = codecs.lookup(named).name if named else ""
    except (LookupError, ValueError):
        return None
    if found == "iso8859-1":
        return "cp1252"
    return found if found != "ascii" and _TEXT_ENCODING.match(found) else None


def decoded(raw: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047); neighbours in one charset may share a character."""
    # Bytes that are not ASCII come as surrogates: most often they are UTF-8.
    source = raw[:_MOST_READ].encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")
    pieces: list[str] = []
    held, held_charset, place = b"", "", 0
    for word in _WORD.finditer(source):
        gap = source[place : word.start()]
        charset = word[1].lower()
        if gap.strip() or charset != held_charset:
            pieces += [_shown(held, held_charset), "" if held and not gap.strip() else gap]
            held, held_charset = b"", charset
        held += _bytes(word[2].lower(), word[3])
        place = word.end()
    pieces += [_shown(held, held_charset), source[place:]]
    return " ".join(clean("".join(pieces))[0].split())


def _raw(message: Message, name: str) -> Iterator[str]:
    """The values of a header as they came; other ways to ask lose what is neither ASCII nor encoded."""
    return (str(value) for key, value in message.raw_items() if key.lower() == name.lower())


def _bytes(encoding: str, text: str) -> bytes:
    if encoding == "q":
        return quopri.decodestring(text.encode("utf-8"), header=True)
    try:
        return base64.b64decode(text.encode("utf-8") + b"==")
    except binascii.Error:
        return text.encode("utf-8")


def _shown(data: bytes, charset: str) -> str:
    encoding = text_encoding(charset)
    if encoding is None:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("cp1252", errors="replace")
    return data.decode(encoding, errors="replace")
