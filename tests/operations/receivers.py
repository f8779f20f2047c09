"""Who gets messages in tests: an HTTP server and a mail server, on real sockets."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Posted:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """What was posted."""
        return json.loads(self.body)


@dataclass(slots=True)
class WebServer:
    """Answers with these statuses in turn, the last one for ever; 0: never answers."""

    statuses: list[int] = field(default_factory=lambda: [200])
    got: list[Posted] = field(default_factory=list[Posted])
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {"": line.decode()}
                while (told := (await reader.readline()).decode().strip()) != "":
                    name, _, value = told.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.got.append(Posted(headers, body))
                status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
                if status == 0:
                    await reader.read()
                    return
                location = "location: http://127.0.0.1:9/\r\n" if 300 <= status < 400 else ""
                writer.write(f"HTTP/1.1 {status} Said\r\n{location}content-length: 3\r\n\r\nno.".encode())
                await writer.drain()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def web_server(*statuses: int) -> AsyncGenerator[WebServer]:
    """Serve until the end of the block."""
    served = WebServer(list(statuses) or [200])
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield served
    finally:
        server.close()


@dataclass(slots=True)
class MailServer:
    """Takes mail (RFC 5321), after STARTTLS and a login where it has a certificate."""

    tls: ssl.SSLContext | None = None
    code: int = 250
    """What it answers to a mail."""
    port: int = 0
    logins: list[str] = field(default_factory=list[str])
    mails: list[str] = field(default_factory=list[str])
    to: list[str] = field(default_factory=list[str])
    secured: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""

        async def say(told: str) -> None:
            writer.write(f"{told}\r\n".encode())
            await writer.drain()

        try:
            await say("220 here")
            while line := (await reader.readline()).decode().strip():
                match line.split()[0].upper():
                    case "EHLO":
                        last = "250 AUTH PLAIN" if self.tls is None or self.secured else "250 STARTTLS"
                        await say(f"250-here\r\n{last}")
                    case "STARTTLS":
                        await say("220 go on")
                        assert self.tls is not None
                        await writer.start_tls(self.tls)
                        self.secured = True
                    case "AUTH":
                        self.logins.append(line.split()[-1])
                        await say("235 welcome")
                    case "RCPT":
                        self.to.append(line.partition("<")[2].rstrip(">"))
                        await say("250 ok")
                    case "DATA":
                        await say("354 go on")
                        self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                        await say(f"{self.code} done")
                    case "QUIT":
                        await say("221 bye")
                        return
                    case _:
                        await say("250 ok")
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def mail_server(*, tls: ssl.SSLContext | None = None, code: int = 250) -> AsyncGenerator[MailServer]:
    """Serve until the end of the block."""
    served = MailServer(tls, code)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
