"""A session with an IMAP server, with what the standard library's client says translated into Ken's errors and values."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from ken.errors import SourceDenied, SourceDown, SourceError, SourceMisbehaves, Unreadable

_Reply = bytes | tuple[bytes, bytes]
"""A line of an answer, or one with the literal that follows it."""

_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
_LISTED = re.compile(rb'\((?P<flags>[^)]*)\) (?:"(?P<delimiter>\\?.)"|NIL) (?P<name>.*)', re.DOTALL)
_BUSY = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]|too many|try again|temporar", re.IGNORECASE)
_BYE = re.compile(r"\* BYE\b")
_SHIFTED = re.compile(r"&([^-]*)-")
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLogin:
    """Who we are to the server."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapLimits:
    """How much is read, and for how long the server may be silent."""

    timeout_s: float = 30
    max_bytes: int = 50_000_000
    """Of one message."""
    max_messages: int = 1_000_000
    """Of one folder."""
    batch: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapFolder:
    """A folder as the server describes it when it is examined."""

    uidvalidity: int
    uidnext: int
    """The lowest UID that a new message may get; 0 where the server doesn't say."""
    exists: int


class ImapSession:
    """One connection, made when it is needed. Blocks; used by one thread at a time."""

    def __init__(
        self, host: str, *, port: int, login: ImapLogin, security: str, ca_file: Path | None, limits: ImapLimits
    ) -> None:
        self._host, self._port = host, port
        self._login = login
        self._security = security
        self._ca_file = ca_file
        self._limits = limits
        self._client: _Bounded | None = None
        self._examined: tuple[str, ImapFolder] | None = None
        self._delimiter: str | None = None

    def folder_names(self, wanted: tuple[str, ...]) -> list[str]:
        """The names of the wanted folders, those of all that hold messages for `*`."""
        client = self._connected()
        pattern = "*" if "*" in wanted else _quoted(wanted[0])
        data = self._told(lambda: client.list('""', pattern), "list its folders")
        named: list[str] = []
        for entry in data:
            found = _LISTED.match(b" ".join(entry) if isinstance(entry, tuple) else entry)
            if found is None:
                continue
            if found["delimiter"]:
                self._delimiter = found["delimiter"][-1:].decode("ascii", errors="replace")
            if b"\\noselect" not in found["flags"].lower() and b"\\nonexistent" not in found["flags"].lower():
                named.append(_unquoted(entry[1] if isinstance(entry, tuple) else found["name"]))
        return sorted(set(named)) if "*" in wanted else list(dict.fromkeys(wanted))

    def parts(self, name: str) -> list[str]:
        """The folder and those around it, outermost first."""
        return name.split(self._delimiter) if self._delimiter else [name]

    def examined(self, name: str) -> ImapFolder:
        """The folder, examined now if it is not the current one."""
        if self._client is not None and self._examined is not None and self._examined[0] == name:
            return self._examined[1]
        return self.examine(name)

    def examine(self, name: str) -> ImapFolder:
        """Make it the current folder, for reading only. Raises SourceMisbehaves where there is no such folder."""
        client = self._connected()
        self._examined = None
        told = self._told(
            lambda: client.select(_quoted(name), readonly=True), f"open the folder {name!r}: check `folders`"
        )
        values = {key: cast("list[object]", client.response(key)[1]) for key in ("UIDVALIDITY", "UIDNEXT")}
        folder = ImapFolder(
            uidvalidity=_number(values["UIDVALIDITY"]), uidnext=_number(values["UIDNEXT"]), exists=_number(told)
        )
        if not folder.uidvalidity:
            raise SourceMisbehaves(
                f"{self._host!r} gives no UIDVALIDITY for {name!r}, without which messages have no names."
            )
        if folder.exists > self._limits.max_messages:
            raise SourceMisbehaves(
                f"The folder {name!r} has {folder.exists:,} messages; at most {self._limits.max_messages:,} are listed: divide it."
            )
        self._examined = (name, folder)
        return folder

    def all_messages(self, folder: ImapFolder) -> Iterator[list[tuple[int, int]]]:
        """UID and size in bytes of each message of the current folder, in batches.

        By sequence numbers, which have no holes; they can't shift meanwhile, as a server may not tell of deletions in a FETCH
        (RFC 3501, section 7.4.1).
        """
        client = self._connected()
        for first in range(1, folder.exists + 1, self._limits.batch):
            last = min(first + self._limits.batch - 1, folder.exists)
            data = self._told(
                lambda first=first, last=last: client.fetch(f"{first}:{last}", "(UID RFC822.SIZE)"), "list its messages"
            )
            yield _uids_and_sizes(data)

    def since(self, uid: int) -> Iterator[list[tuple[int, int]]]:
        """The same of the messages whose UID is `uid` or above."""
        client = self._connected()
        data = self._told(lambda: client.uid("FETCH", f"{uid}:*", "(UID RFC822.SIZE)"), "list its new messages")
        # `*` is the last message, also where its UID is lower.
        found = [entry for entry in _uids_and_sizes(data) if entry[0] >= uid]
        for first in range(0, len(found), self._limits.batch):
            yield found[first : first + self._limits.batch]

    def message(self, uid: int) -> bytes | None:
        """The bytes of a message of the current folder; None where it is gone. Raises Unreadable over the limit."""
        client = self._connected()
        most = self._limits.max_bytes
        data = self._told(lambda: client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{most + 1}>)"), "read a message")
        for entry in data:
            if isinstance(entry, tuple) and b"BODY[" in entry[0].upper():
                if len(entry[1]) > most:
                    raise Unreadable(f"The message has more than {most / 1e6:,g} MB, which is the most that is read.")
                return entry[1]
        return None

    def close(self) -> None:
        """Log out, if there is a session."""
        client, self._client = self._client, None
        self._examined = None
        if client is not None:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()
            _shut(client)  # a logout that failed leaves the socket open

    def _connected(self) -> _Bounded:
        if self._client is None:
            self._client = self._opened()
        return self._client

    def _opened(self) -> _Bounded:
        """A new session, logged in."""
        try:
            context = ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise SourceDenied(
                f"The certificates in {str(self._ca_file)!r} can't be read: {error.strerror}."
            ) from error
        client: _Bounded | None = None
        try:
            client = self._reached(context)
            client.most = 2 * self._limits.max_bytes + 1_000_000
            self._log_in(client)
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            _shut(client)
            raise self._failure(error, "let us in") from error
        except SourceError:
            _shut(client)
            raise
        return client

    def _reached(self, context: ssl.SSLContext) -> _Bounded:
        if self._security == "tls":
            return _SecureClient(self._host, self._port, ssl_context=context, timeout=self._limits.timeout_s)
        client = _Client(self._host, self._port, timeout=self._limits.timeout_s)
        if self._security != "starttls":
            return client
        try:
            if "STARTTLS" not in client.capabilities:
                raise SourceMisbehaves(f"The mail server {self._host!r} doesn't offer STARTTLS: use `tls`.")
            client.starttls(context)
        except (imaplib.IMAP4.error, OSError, ValueError, SourceError):
            _shut(client)
            raise
        return client

    def _log_in(self, client: _Bounded) -> None:
        user, password = self._login.user, self._login.password
        try:
            if "AUTH=PLAIN" in client.capabilities:
                client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                client.login(user, password)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeError) as error:
            said = self._shown(error)
            if _BUSY.search(said):
                raise SourceDown(
                    f"The mail server {self._host!r} is busy: it is tried again later. It said: {said}"
                ) from error
            raise SourceDenied(
                f"The mail server {self._host!r} doesn't let {user!r} in: check the user and the password. It said: {said}"
            ) from error

    def _told(self, ask: Callable[[], tuple[str, Sequence[object]]], what: str) -> list[_Reply]:
        """What the server answers, without what it has nothing to say of. Raises for a refusal, and for what is no IMAP."""
        try:
            status, data = ask()
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            self._client, client = None, self._client
            _shut(client)
            raise self._failure(error, what) from error
        if status != "OK":
            said = self._shown(*data)
            kind = SourceDown if _BUSY.search(said) else SourceMisbehaves
            raise kind(f"The mail server {self._host!r} doesn't {what}. It said: {said}")
        return [cast("_Reply", entry) for entry in data if isinstance(entry, bytes | tuple)]

    def _failure(self, error: Exception, what: str) -> SourceError:
        said = self._shown(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return SourceMisbehaves(
                f"The certificate of the mail server {self._host!r} is not trusted: give its authority's as `ca_file`. {said}"
            )
        is_cut = isinstance(error, imaplib.IMAP4.abort | OSError) and not isinstance(error, ssl.SSLError)
        if (is_cut and "unexpected" not in said) or _BYE.search(said):
            return SourceDown(f"The mail server {self._host!r} can't be reached: it is tried again later. {said}")
        return SourceMisbehaves(
            f"The mail server {self._host!r} doesn't {what}, or doesn't speak IMAP. It said: {said}"
        )

    def _shown(self, *said: object) -> str:
        words = " ".join(one.decode("utf-8", errors="replace") if isinstance(one, bytes) else str(one) for one in said)
        return " ".join(words.replace(self._login.password, "***").split())[:_SHOWN]


class _Bounded(imaplib.IMAP4):
    """A client that takes no answer that is larger than it asked for."""

    most = 100_000_000

    def read(self, size: int) -> bytes:
        """A literal of so many bytes."""
        if size > self.most:
            raise self.abort(f"it sends {size:,} bytes at once")
        return super().read(size)


class _Client(_Bounded):
    """Without encryption, or with what STARTTLS makes of it."""


class _SecureClient(_Bounded, imaplib.IMAP4_SSL):
    """Encrypted from the start."""


def _shut(client: _Bounded | None) -> None:
    if client is not None:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            client.shutdown()


def _uids_and_sizes(data: list[_Reply]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for entry in data:
        line = entry if isinstance(entry, bytes) else b""
        uid, size = _UID.search(line), _SIZE.search(line)
        if uid and size:
            found.append((int(uid[1]), int(size[1])))
    return found


def _number(data: Sequence[object]) -> int:
    first = data[0] if data else None
    return int(first) if isinstance(first, bytes) and first.isdigit() else 0


def _quoted(name: str) -> str:
    """A folder's name as the wire has it: modified UTF-7 (RFC 3501, section 5.1.3) in quotation marks."""
    shifted = re.sub(r"[^\x20-\x7e]+|&", lambda found: "&-" if found[0] == "&" else _shifted(found[0]), name)
    return '"' + shifted.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shifted(text: str) -> str:
    encoded = base64.b64encode(text.encode("utf-16-be")).decode("ascii").rstrip("=")
    return f"&{encoded.replace('/', ',')}-"


def _unquoted(name: bytes) -> str:
    """A folder's name as people know it."""
    text = name.decode("utf-8", errors="replace")
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return _SHIFTED.sub(lambda found: _unshifted(found[1]), text)


def _unshifted(encoded: str) -> str:
    if not encoded:
        return "&"
    try:
        padded = encoded.replace(",", "/") + "=" * (-len(encoded) % 4)
        return base64.b64decode(padded, validate=True).decode("utf-16-be")
    except ValueError:
        return f"&{encoded}-"
