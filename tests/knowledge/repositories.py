"""Git repositories for tests, made with the git command, and served over HTTP as sites serve them."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Tester"), ("EMAIL", "tester@example.org"), ("DATE", "2026-02-01T10:00:00Z"))
}


class Repository:
    """A repository with a working tree, that lets partial clones be made of it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "uploadpack.allowFilter", "true")

    @property
    def url(self) -> str:
        """Its `file://` address."""
        return self.place.as_uri()

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.place), "GIT_CONFIG_NOSYSTEM": "1", **_AUTHOR}
        command = ["git", "-C", str(self.place), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, files: dict[str, str | bytes | None], *, message: str = "change") -> str:
        """Write files (None deletes) and commit them; the commit's id."""
        for name, content in files.items():
            path = self.place / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


@dataclass
class Site:
    """A site that serves repositories below a folder by git's own HTTP protocol, to those who know `token`."""

    root: Path
    token: str | None = None
    failure: int | None = None
    """A status to answer everything with."""
    requests: list[str] = field(default_factory=list)
    url: str = ""


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[Site]:
    """Serve the site on loopback."""

    async def answer(request: web.Request) -> web.Response:
        site.requests.append(f"{request.method} {request.path_qs}")
        if site.failure is not None:
            headers = {"Location": f"{site.url}/elsewhere"} if site.failure < 400 else {}
            return web.Response(status=site.failure, headers=headers)
        if site.token is not None:
            _, _, given = request.headers.get("Authorization", "").partition("Basic ")
            if base64.b64decode(given).decode().partition(":")[2] != site.token:
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        return await from_backend(site, request)

    app = web.Application(client_max_size=100_000_000)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    site.url = f"http://{host}:{port}"
    try:
        yield site
    finally:
        await runner.cleanup()


async def from_backend(site: Site, request: web.Request) -> web.Response:
    """What git itself answers."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(site.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    pipe = asyncio.subprocess.PIPE
    backend = await asyncio.create_subprocess_exec("git", "http-backend", stdin=pipe, stdout=pipe, env=environment)
    told, _ = await backend.communicate(await request.read())
    head, _, body = told.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=headers, body=body)
