"""A mailbox on a server as a source, by IMAP4rev1 (RFC 3501). Each message is a document, `.eml`.

Folders are examined, not selected, and messages peeked at, so that nothing is marked as read. A message is named by its
folder, the folder's UIDVALIDITY and its UID, which together never name another one (section 2.3.1.1).
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from ken.errors import InvalidInput, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.imap_session import ImapFolder, ImapLimits, ImapLogin, ImapSession
from ken.knowledge.sources.path_part import path_part
from ken.knowledge.sources.source import Change, Complete, Fetched, Listed, Unlisted

Security = Literal["tls", "starttls", "none"]

_PORTS: dict[Security, int] = {"tls": 993, "starttls": 143, "none": 143}
_KEY = re.compile(r"(\d{1,10})\.(\d{1,10})\.(.+)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a folder was like at a listing: with the same three, it holds the same messages."""

    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(slots=True)
class _Plan:
    """What a listing has to do."""

    is_whole: bool
    folders: dict[str, _Seen] = field(default_factory=dict[str, _Seen])


class ImapConnector:
    """The messages in folders of a mailbox; `*` among the folders stands for all of them.

    The connection is encrypted and its certificate checked, by `ca_file` where the server's authority is one's own; without
    encryption only this machine is spoken to. Raises InvalidInput for what can't be used.
    """

    def __init__(
        self,
        host: str,
        *,
        login: ImapLogin,
        folders: tuple[str, ...] = ("INBOX",),
        port: int | None = None,
        security: Security = "tls",
        ca_file: Path | None = None,
        limits: ImapLimits | None = None,
    ) -> None:
        if not _HOST.fullmatch(host):
            raise InvalidInput(f"{host!r} is no name of a mail server.")
        if not folders or any(not folder or re.search(r"[\x00-\x1f\x7f]", folder) for folder in folders):
            raise InvalidInput("The folders of a mailbox are named by printable characters: name at least one.")
        if security == "none" and not _is_this_machine(host):
            raise InvalidInput(
                f"The password would go to {host!r} for everybody on the way to read: use tls or starttls."
            )
        self._host, self._port = host, port or _PORTS[security]
        self._folders = folders
        self._limits = limits or ImapLimits()
        self._turn = threading.Lock()
        self._session = ImapSession(
            host, port=self._port, login=login, security=security, ca_file=ca_file, limits=self._limits
        )

    @property
    def location(self) -> str:
        """The server and the folders."""
        return f"imap://{self._host}:{self._port} {', '.join(self._folders)}"

    @property
    def concurrency(self) -> int:
        """One connection, one message at a time."""
        return 1

    async def changes(self, cursor: str | None) -> AsyncIterator[Change]:
        """List all messages; only new ones where the folders' counts since `cursor` show that none was deleted."""
        plan = await asyncio.to_thread(self._planned, cursor)
        since = {} if plan.is_whole else self._read_cursor(cursor)
        for name, seen in plan.folders.items():
            first = since[name].uidnext if name in since else 1
            listing = self._messages(name, seen, first)
            while (batch := await asyncio.to_thread(self._next, listing)) is not None:
                for change in batch:
                    yield change
        yield Complete(cursor=self._written_cursor(plan.folders), is_whole=plan.is_whole)

    async def fetch(self, listed: Listed) -> Fetched:
        """One message, unmarked. A connection that was lost is made anew once."""
        return Fetched(data=await asyncio.to_thread(self._read, listed))

    async def permissions(self, listed: Listed) -> frozenset[str] | None:
        """None: mailboxes know no readers."""
        del listed
        return None

    async def aclose(self) -> None:
        """Log out."""
        await asyncio.to_thread(self._close)

    def _planned(self, cursor: str | None) -> _Plan:
        """Look at each folder, and find out whether listing what is new is enough."""
        with self._turn:
            self._session.close()
            since = self._read_cursor(cursor)
            found: dict[str, _Seen] = {}
            news = 0
            for name in self._session.folder_names(self._folders):
                folder = self._session.examine(name)
                found[name] = _Seen(uidvalidity=folder.uidvalidity, uidnext=folder.uidnext, exists=folder.exists)
                news += self._is_grown(since.get(name), folder)
            return _Plan(is_whole=news != len(found) or found.keys() != since.keys(), folders=found)

    def _is_grown(self, before: _Seen | None, folder: ImapFolder) -> bool:
        """Whether the folder has all that it had, and perhaps more."""
        if before is None or before.uidvalidity != folder.uidvalidity or not folder.uidnext:
            return False
        if before.uidnext == folder.uidnext:
            return before.exists == folder.exists
        added = sum(len(batch) for batch in self._session.since(before.uidnext))
        return before.exists + added == folder.exists

    def _messages(self, name: str, seen: _Seen, first: int) -> Iterator[list[Change]]:
        folder = self._session.examine(name)
        if folder.uidvalidity != seen.uidvalidity:
            raise SourceMisbehaves(f"The folder {name!r} was made anew while it was listed: sync again.")
        batches = self._session.all_messages(folder) if first == 1 else self._session.since(first)
        place = "/".join(path_part(part) or "%20" for part in self._session.parts(name))
        for batch in batches:
            changes: list[Change] = []
            for uid, size in batch:
                path = f"{place}/{folder.uidvalidity}-{uid}.eml"
                if size > self._limits.max_bytes:
                    most = self._limits.max_bytes / 1e6
                    changes.append(Unlisted(path, f"It has {size / 1e6:,.1f} MB; at most {most:,g} MB are read."))
                else:
                    stamp = f"{folder.uidvalidity}.{uid}"
                    changes.append(Listed(path=path, key=f"{stamp}.{name}", stamp=stamp, size=size))
            yield changes

    def _next(self, listing: Iterator[list[Change]]) -> list[Change] | None:
        with self._turn:
            return next(listing, None)

    def _read(self, listed: Listed) -> bytes:
        found = _KEY.fullmatch(listed.key)
        if found is None:
            raise Unreadable(f"{listed.path!r} has no key of a message: sync again.")
        with self._turn:
            try:
                data = self._message(int(found[1]), int(found[2]), found[3])
            except SourceDown:
                self._session.close()
                data = self._message(int(found[1]), int(found[2]), found[3])
        if data is None:
            raise Unreadable(f"{listed.path!r} is not in the mailbox any more: sync again.")
        return data

    def _message(self, uidvalidity: int, uid: int, name: str) -> bytes | None:
        if self._session.examined(name).uidvalidity != uidvalidity:
            return None
        return self._session.message(uid)

    def _close(self) -> None:
        with self._turn:
            self._session.close()

    def _fingerprint(self) -> str:
        decided = [self._host, self._port, self._folders, self._limits.max_bytes]
        return hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:16]

    def _written_cursor(self, folders: dict[str, _Seen]) -> str:
        counts = {name: [seen.uidvalidity, seen.uidnext, seen.exists] for name, seen in folders.items()}
        return json.dumps({"of": self._fingerprint(), "folders": counts}, ensure_ascii=False)

    def _read_cursor(self, cursor: str | None) -> dict[str, _Seen]:
        """The folders of a cursor that this connector wrote with the same settings; none of any other."""
        try:
            told = cast("object", json.loads(cursor or "{}"))
        except ValueError:
            return {}
        if not isinstance(told, dict) or cast("dict[str, object]", told).get("of") != self._fingerprint():
            return {}
        counts = cast("dict[str, dict[str, list[int]]]", told)["folders"]
        return {
            name: _Seen(uidvalidity=validity, uidnext=following, exists=exists)
            for name, (validity, following, exists) in counts.items()
        }


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
