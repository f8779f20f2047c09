"""A small IMAP server on loopback for tests: what RFC 3501 says of reading, and the ways in which servers fail."""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

USER, PASSWORD = "ann", 'pa"ss\\word'


@dataclass
class Folder:
    """A folder's messages by UID."""

    messages: dict[int, bytes] = field(default_factory=dict[int, bytes])
    uidvalidity: int = 7
    uidnext: int = 1
    seen: set[int] = field(default_factory=set[int])

    def add(self, message: bytes) -> int:
        """A new message comes in."""
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.messages[uid] = message
        return uid


@dataclass
class ImapServer:
    """What the server has, what it was told, and how it shall fail."""

    folders: dict[str, Folder] = field(default_factory=dict[str, Folder])
    """By their names on the wire."""
    port: int = 0
    commands: list[str] = field(default_factory=list[str])
    greeting: bytes = b"* OK ready\r\n"
    capabilities: str = "IMAP4rev1"
    login_refusal: str | None = None
    drops: int = 0
    """How many times the connection is cut in the middle of a message."""
    silent_on: str | None = None
    """A command that is never answered."""
    huge_literal: bool = False
    context: ssl.SSLContext | None = None


@asynccontextmanager
async def serving_imap(server: ImapServer, *, is_tls: bool = False) -> AsyncIterator[ImapServer]:
    """Serve on loopback; with `is_tls` encrypted from the start."""
    sessions: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        try:
            await _Session(server, reader, writer).run()
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            sessions.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server.context if is_tls else None)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for session in list(sessions):
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await listener.wait_closed()


def self_signed(place: Path) -> tuple[ssl.SSLContext, Path]:
    """The context of a server with a fresh certificate for 127.0.0.1, and that certificate's file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.fail("no openssl: install the command, which makes the certificate of this test")
    key, certificate = place / "key.pem", place / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1".split()
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *made, *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


class _Session:
    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._folder: Folder | None = None
        self._is_in = False

    async def run(self) -> None:
        self._writer.write(self._server.greeting)
        while line := await self._reader.readline():
            tag, _, command = line.decode().rstrip("\r\n").partition(" ")
            self._server.commands.append(re.sub(r"^(LOGIN \S+) .*", r"\1 ***", command))
            if self._server.silent_on and command.startswith(self._server.silent_on):
                await asyncio.sleep(60)
            answer = await self._answered(command)
            self._send(f"{tag} {answer}")
            await self._writer.drain()
            if command == "STARTTLS":
                assert self._server.context is not None
                await self._writer.start_tls(self._server.context)
            if command == "LOGOUT":
                return

    def _send(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())

    async def _answered(self, command: str) -> str:
        verb, _, rest = command.partition(" ")
        match verb:
            case "CAPABILITY":
                self._send(f"* CAPABILITY {self._server.capabilities}")
            case "STARTTLS" | "NOOP":
                pass
            case "LOGOUT":
                self._send("* BYE see you")
            case "LOGIN":
                return self._logged_in(rest)
            case "AUTHENTICATE":
                return await self._authenticated()
            case _ if self._is_in:
                return self._served(command)
            case _:
                return "BAD log in first"
        return "OK done"

    def _served(self, command: str) -> str:
        verb, _, rest = command.partition(" ")
        match verb:
            case "LIST":
                for name in self._server.folders:
                    self._send(f'* LIST (\\HasNoChildren) "/" "{name}"')
                self._send('* LIST (\\Noselect) "/" "Shared"')
            case "EXAMINE" | "SELECT":
                return self._opened(rest.strip('"'))
            case "FETCH" | "UID" if self._folder is not None:
                return self._fetched(command, self._folder)
            case _:
                return "BAD what?"
        return "OK done"

    def _logged_in(self, rest: str) -> str:
        if self._server.login_refusal is not None:
            return f"NO {self._server.login_refusal}"
        user, _, password = rest.partition(" ")
        password = re.sub(r"\\(.)", r"\1", password[1:-1])
        self._is_in = (user, password) == (USER, PASSWORD)
        return "OK welcome" if self._is_in else "NO [AUTHENTICATIONFAILED] wrong"

    async def _authenticated(self) -> str:
        self._send("+ ")
        await self._reader.readline()
        self._is_in = True
        return "OK welcome"

    def _opened(self, name: str) -> str:
        self._folder = self._server.folders.get(name)
        if self._folder is None:
            return "NO no such folder"
        self._send(f"* {len(self._folder.messages)} EXISTS")
        self._send(f"* OK [UIDVALIDITY {self._folder.uidvalidity}] valid")
        self._send(f"* OK [UIDNEXT {self._folder.uidnext}] next")
        return "OK [READ-ONLY] opened"

    def _fetched(self, command: str, folder: Folder) -> str:
        found = re.fullmatch(r"(UID )?FETCH (\d+)(?::(\d+|\*))? \((.*)\)", command)
        if found is None:
            return "BAD what?"
        uids = sorted(folder.messages)
        numbers = {uid: number for number, uid in enumerate(uids, start=1)}
        first, last = int(found[2]), found[3] or found[2]
        if found[1]:
            most = max(uids, default=0) if last == "*" else int(last)
            low, high = sorted((first, most)) if last == "*" else (first, most)
            wanted = [uid for uid in uids if low <= uid <= high]
        else:
            wanted = uids[first - 1 : int(last)]
        for uid in wanted:
            if "BODY" in found[4]:
                self._message(folder, uid, numbers[uid], found[4])
            else:
                self._send(f"* {numbers[uid]} FETCH (UID {uid} RFC822.SIZE {len(folder.messages[uid])})")
        return "OK fetched"

    def _message(self, folder: Folder, uid: int, number: int, asked: str) -> None:
        if "PEEK" not in asked:
            folder.seen.add(uid)
        most = re.search(r"<0\.(\d+)>", asked)
        body = folder.messages[uid][: int(most[1]) if most else None]
        size = 10**12 if self._server.huge_literal else len(body)
        self._writer.write(f"* {number} FETCH (UID {uid} BODY[]<0> {{{size}}}\r\n".encode())
        if self._server.drops:
            self._server.drops -= 1
            self._writer.write(body[: len(body) // 2])
            self._writer.close()
            message = "cut on purpose"
            raise ConnectionError(message)
        self._writer.write(body + b")\r\n")
