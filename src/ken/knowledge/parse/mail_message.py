"""A message (RFC 5322, MIME) becomes Markdown: its subject, who wrote it to whom and when, its text, and its attachments.

The text is the plain one where there is one, else the HTML. Attachments in formats that Ken reads follow under their names;
all others are named in the warnings.
"""

from __future__ import annotations

import codecs
import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message

from ken.domain.document import Block, ParsedDocument
from ken.errors import Unreadable
from ken.knowledge.parse.decoding import clean, decode, refuse_empty
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, media_type
from ken.knowledge.parse.mail_body import write_body, write_plain
from ken.knowledge.parse.mail_headers import addresses, decoded, header, sent_at, text_encoding
from ken.knowledge.parse.markdown import markdown_blocks
from ken.knowledge.parse.markdown_writer import MarkdownWriter, escaped
from ken.knowledge.parse.metadata import Stated, assembled, stated
from ken.text.markup import plain

MOST_ATTACHMENTS = 50
"""Read of one message, those of attached messages among them."""
MOST_ATTACHMENT_BYTES = 25_000_000
DEEPEST = 3
"""Messages within messages."""

_MOST_NAMED = 20
_HEADERS = ("From", "Subject", "Date", "To", "Message-ID", "Received", "Return-Path", "Sender", "MIME-Version")
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})
_CIPHERS = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SILENT = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_MESSAGE = "message/rfc822"


def parse_mail(data: bytes, *, name: str) -> ParsedDocument:
    """Parse a message. Raises Unreadable where it is empty, no message, encrypted, or nests without end."""
    refuse_empty(data, name=name)
    reader = _Reader(name)
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
        about = reader.message(message, depth=0)
    except RecursionError as error:
        raise Unreadable(f"{name!r} nests its parts too deeply to be a message of people's: it was refused.") from error
    text, _ = clean(reader.text())
    told = Stated(about.metadata, (*about.warnings, *reader.said()))
    return assembled(text, markdown_blocks(text), markup="markdown", told=told, name=name)


@dataclass(slots=True)
class _Parts:
    """What a message is made of."""

    texts: list[Message] = field(default_factory=list[Message])
    attachments: list[Message] = field(default_factory=list[Message])


@dataclass(slots=True)
class _Reader:
    name: str
    written: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    unread: list[str] = field(default_factory=list[str])
    attachments: int = 0

    def text(self) -> str:
        return "\n\n".join(piece.strip("\n") for piece in self.written if piece.strip()) + "\n"

    def said(self) -> Iterator[str]:
        """Warnings, and the names of what was not read."""
        yield from self.warnings
        for name in self.unread[:_MOST_NAMED]:
            yield f"The attachment {name} was not read."
        if len(self.unread) > _MOST_NAMED:
            yield f"{len(self.unread) - _MOST_NAMED} more attachments were not read."

    def message(self, message: Message, *, depth: int, called: str = "") -> Stated:
        """Write a message that stands under the name `called`, `depth` messages deep, and return what it says of itself."""
        if not any(name in message for name in _HEADERS):
            raise Unreadable(
                f"{self.name!r} is no message: it has none of the headers of one. Save it as .eml in a mail program."
            )
        if message.get_content_type() in _ENCRYPTED | _CIPHERS and _is_cipher(message):
            raise Unreadable(f"{self.name!r} is encrypted: save it decrypted, if it may be read.")
        level = 1 + depth
        subject = header(message, "Subject")
        date = sent_at(message)
        if depth == 0:
            self.written.append(f"# {escaped(subject or 'Message')}")
        elif subject and subject != called:
            self.written.append(f"{'#' * min(6, level + 1)} {escaped(subject)}")
        self.written.append(_head(message, date))
        parts = _Parts()
        _sort(message, parts)
        for part in parts.texts:
            self._text(part, level=level)
        for part in parts.attachments:
            self._attachment(part, depth=depth)
        about = stated([("title", subject), ("effective", date.date().isoformat() if date else "")])
        return Stated(replace(about.metadata, modified=about.metadata.effective), about.warnings)

    def _text(self, part: Message, *, level: int) -> None:
        data = _bytes(part)
        if not data.strip():
            return
        charset = text_encoding(part.get_content_charset())
        if part.get_content_type() == "text/html":
            self._html(data, charset, level=level)
            return
        text, mended = decode(data, name=self.name, declared=charset)
        self.warnings += mended
        writer = MarkdownWriter()
        is_flowed = str(part.get_param("format") or "").lower() == "flowed"
        joins_closely = str(part.get_param("delsp") or "").lower() == "yes"
        write_body(text, writer, is_flowed=is_flowed, joins_closely=joins_closely)
        self.written.append(writer.text())

    def _html(self, data: bytes, charset: str | None, *, level: int) -> None:
        if charset is not None:
            data = codecs.BOM_UTF8 + data.decode(charset, errors="replace").encode("utf-8", errors="replace")
        try:
            parsed = BY_MEDIA_TYPE["text/html"].parser()(data, name=self.name)
        except Unreadable as error:
            self.warnings.append(str(error))
            return
        self.warnings += parsed.warnings if parsed.blocks else ()
        self.written.append(_lowered(parsed, level))

    def _attachment(self, part: Message, *, depth: int) -> None:
        if part.get_content_type() in _SILENT:
            return
        name = _attachment_name(part)
        kind = media_type(name) or _declared_kind(part)
        if part.get_content_type() == _MESSAGE:
            self._nested(part, name, depth=depth)
        elif kind is None:
            self.unread.append(f"{name!r} ({part.get_content_type()})")
        elif self.attachments >= MOST_ATTACHMENTS:
            self.unread.append(f"{name!r} (more than {MOST_ATTACHMENTS})")
        else:
            self._file(_bytes(part), name, kind=kind, depth=depth)

    def _file(self, data: bytes, name: str, *, kind: str, depth: int) -> None:
        if len(data) > MOST_ATTACHMENT_BYTES:
            self.unread.append(f"{name!r} ({len(data) / 1e6:,.1f} MB; at most {MOST_ATTACHMENT_BYTES / 1e6:,g})")
            return
        self.attachments += 1
        if kind == _MESSAGE:
            self._inner(email.message_from_bytes(data, policy=email.policy.compat32), name, depth=depth)
            return
        try:
            parsed = BY_MEDIA_TYPE[kind].parser()(data, name=name)
        except Unreadable as error:
            self.unread.append(f"{name!r} ({error})")
            return
        self.warnings += [f"{name!r}: {warning}" for warning in parsed.warnings]
        self._begin(name, depth=depth)
        self.written.append(_lowered(parsed, depth + 2))

    def _nested(self, part: Message, name: str, *, depth: int) -> None:
        if inner := _children(part):
            self.attachments += 1
            self._inner(inner[0], name, depth=depth)
        else:
            self.unread.append(f"{name!r} (a message that can't be taken apart)")

    def _inner(self, message: Message, name: str, *, depth: int) -> None:
        if depth + 1 > DEEPEST or self.attachments > MOST_ATTACHMENTS:
            self.unread.append(f"{name!r} (a message more than {DEEPEST} deep, or one of more than {MOST_ATTACHMENTS})")
            return
        place = len(self.written)
        self._begin(name, depth=depth)
        try:
            self.message(message, depth=depth + 1, called=name)
        except Unreadable as error:
            del self.written[place:]
            self.unread.append(f"{name!r} ({error})")

    def _begin(self, name: str, *, depth: int) -> None:
        self.written.append(f"{'#' * min(6, depth + 2)} Attachment: {escaped(name)}")


def _is_cipher(part: Message) -> bool:
    return str(part.get_param("smime-type") or "").lower() not in {"signed-data", "certs-only"}


def _sort(message: Message, parts: _Parts) -> None:
    """Sort the leaves below a message into its text and its attachments, in their order."""
    stack = [message]
    while stack:
        part = stack.pop()
        kind = part.get_content_type()
        children = _children(part)
        if kind != _MESSAGE and children:
            if kind == "multipart/alternative":
                children = [_best(children)]
            stack.extend(reversed(children))
        elif kind in {"text/plain", "text/html"} and not _is_file(part):
            parts.texts.append(part)
        elif not (part.is_multipart() and kind != _MESSAGE) and not _is_inline_picture(part):
            parts.attachments.append(part)


def _children(part: Message) -> list[Message]:
    # Asked for text, Python would decode it by whatever codec the message names.
    payload = part.get_payload() if part.is_multipart() else []
    return [child for child in payload if isinstance(child, Message)]


def _best(alternatives: list[Message]) -> Message:
    """The plain text if it says anything, else the last that holds HTML, else the last (RFC 2046, section 5.1.4)."""
    for kind in ("text/plain", "text/html"):
        for part in reversed(alternatives):
            leaves = [leaf for leaf in part.walk() if leaf.get_content_type() == kind and not _is_file(leaf)]
            if any(_bytes(leaf).strip() for leaf in leaves):
                return part
    return alternatives[-1]


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _is_inline_picture(part: Message) -> bool:
    return (
        part.get_content_maintype() == "image"
        and "Content-ID" in part
        and part.get_content_disposition() != "attachment"
    )


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _head(message: Message, date: dt.datetime | None) -> str:
    """Who wrote it, when and to whom, a line each."""
    values = [
        ("From", addresses(message, "From")),
        ("Date", f"{date:%Y-%m-%d %H:%M} UTC" if date else header(message, "Date")),
        ("To", addresses(message, "To")),
        ("Cc", addresses(message, "Cc")),
    ]
    return "  \n".join(f"**{name}:** {escaped(value)}" for name, value in values if value)


def _attachment_name(part: Message) -> str:
    """Its file name, without folders; made of its kind where it has none."""
    given = " ".join(decoded(part.get_filename("")).replace("\\", "/").rpartition("/")[2].split())
    if given:
        return given[:200]
    if part.get_content_type() == _MESSAGE:
        inner = next(iter(_children(part)), part)
        return header(inner, "Subject")[:200] or "message"
    kind = _declared_kind(part)
    return f"attachment{BY_MEDIA_TYPE[kind].suffixes[0]}" if kind else "attachment"


def _declared_kind(part: Message) -> str | None:
    kind = part.get_content_type()
    return kind if kind in BY_MEDIA_TYPE and BY_MEDIA_TYPE[kind].suffixes else None


def _lowered(parsed: ParsedDocument, level: int) -> str:
    """The document as Markdown whose headings stand below `level`."""
    if parsed.markup == "plain":
        writer = MarkdownWriter()
        write_plain(parsed.text, writer, heading_level=level)
        return writer.text()
    pieces: list[str] = []
    place = 0
    for block in parsed.blocks:
        if block.kind == "heading":
            pieces += [parsed.text[place : block.start], _heading(parsed, block, level)]
            place = block.end
    return "".join([*pieces, parsed.text[place:]])


def _heading(parsed: ParsedDocument, block: Block, level: int) -> str:
    source = parsed.text[block.start : block.end]
    bare = source.lstrip("#").strip() if source.startswith("#") else escaped(plain(source, "markdown"))
    return f"{'#' * min(6, block.level + level)} {bare}"
