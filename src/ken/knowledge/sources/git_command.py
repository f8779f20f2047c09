"""Runs the git command for a source: without prompts, hooks, other people's settings or protocols, each call with a time limit.

Whatever git is told stands in its environment or in argument lists, never in a shell's line; secrets stand in its
environment alone, where only this user can see them.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import shlex
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ken.errors import KenError, SourceDenied, SourceDown, SourceError, SourceMisbehaves, StorageError
from ken.knowledge.sources.git_address import GitAddress

_MOST_OUTPUT = 512_000_000
_LONGEST_SHOWN = 300
_TOKEN_USERS = {"bitbucket.org": "x-token-auth"}
_USUAL_USER = "x-access-token"

# What git says, in the order in which it is looked for: the first match decides.
_DENIED = re.compile(
    r"authentication failed|could not read (username|password)|terminal prompts disabled|error: 40[13]|permission denied"
    r"|access denied|host key verification failed|dubious ownership|not allowed to|invalid credentials",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"repository .*not found|does not (appear to be a git repository|exist)|error: 404|not found:|is not a git repo",
    re.IGNORECASE,
)
_NO_REF = re.compile(r"couldn't find remote ref|no such remote ref|not our ref|invalid refspec", re.IGNORECASE)
_MOVED = re.compile(r"redirect|error: 30\d", re.IGNORECASE)
_FULL = re.compile(r"no space left|disk quota", re.IGNORECASE)
_DOWN = re.compile(
    r"could ?n[o']t resolve host|failed to connect|connection (refused|reset|timed out|closed)|couldn't connect"
    r"|operation timed out|operation too slow|early eof|unexpected disconnect|hung up|error: (429|5\d\d)|network is unreachable"
    r"|unable to access",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAccess:
    """How a repository lets us in."""

    token: str | None = field(default=None, repr=False)
    """For https: an access token or password."""
    user: str | None = None
    """The user name that goes with the token, where the site wants a particular one."""
    ssh_key: Path | None = None
    """A private key without passphrase; without it, the keys of the user that runs Ken."""
    allow_local: bool = False
    """Whether repositories in folders of this machine may be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLimits:
    """How much of a repository is taken, and how long git may take for it."""

    max_bytes: int = 50_000_000
    """Of one file."""
    fetch_s: float = 600
    """Seconds for each exchange with the repository."""
    read_s: float = 60
    """Seconds for each look into what was fetched."""


class CloneBroken(Exception):
    """Git failed for no reason that the repository gave; what was fetched before may be broken."""


class GitCommand:
    """Git in the bare repository `folder`, for the repository at `address`."""

    def __init__(self, folder: Path, *, address: GitAddress, access: GitAccess, limits: GitLimits) -> None:
        self._folder = folder
        self._address = address
        self._access = access
        self._limits = limits

    async def look(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git says about what was fetched; it reaches for no network. Raises CloneBroken, SourceDown and StorageError."""
        return await self._run(arguments, given, limit_s=self._limits.read_s, is_online=False)

    async def fetch(self, *arguments: str, given: bytes = b"") -> bytes:
        """Let git talk to the repository. Raises as a connector does, and CloneBroken."""
        return await self._run(arguments, given, limit_s=self._limits.fetch_s, is_online=True)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """A git that answers on pipes until it is ended, and reaches for no network."""
        return await self._started(arguments, is_online=False, complaints=asyncio.subprocess.DEVNULL)

    async def _run(self, arguments: Sequence[str], given: bytes, *, limit_s: float, is_online: bool) -> bytes:
        process = await self._started(arguments, is_online=is_online)
        try:
            async with asyncio.timeout(limit_s):
                told, complaints = await process.communicate(given)
        except TimeoutError as error:
            raise SourceDown(
                f"git took longer than {limit_s:g} s over {self._address.url!r}: try again later, or raise its time limit."
            ) from error
        finally:
            await end(process)
        if process.returncode != 0:
            raise self._failure(complaints.decode("utf-8", errors="replace"))
        if len(told) > _MOST_OUTPUT:
            raise SourceMisbehaves(f"{self._address.url!r} holds more files than can be listed: name a folder of it.")
        return told

    async def _started(
        self, arguments: Sequence[str], *, is_online: bool, complaints: int = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        git = shutil.which("git")
        if git is None:
            raise SourceDown(
                "The command git is not on this machine, and git repositories are read by it: install git."
            )
        try:
            return await asyncio.create_subprocess_exec(
                git,
                "--git-dir=.",
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
                cwd=self._folder,
                env=self._environment(git, is_online=is_online),
                start_new_session=True,
            )
        except OSError as error:
            raise StorageError(f"git can't be started in {str(self._folder)!r}: {error.strerror}.") from error

    def _environment(self, git: str, *, is_online: bool) -> dict[str, str]:
        """All that git gets to know. Its own home keeps it from reading passwords that lie in the user's."""
        protocols = ["https", "ssh", "http", "git", *(["file"] if self._access.allow_local else [])]
        environment = {
            "PATH": os.pathsep.join([str(Path(git).parent), os.defpath]),
            "HOME": str(self._folder),
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": ":".join(protocols) if is_online else "none",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_SSH_COMMAND": self._ssh(),
        }
        settings = _SETTINGS | (self._secret() if is_online else {})
        environment["GIT_CONFIG_COUNT"] = str(len(settings))
        for number, (key, value) in enumerate(settings.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return environment

    def _ssh(self) -> str:
        command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "ForwardAgent=no"]
        if self._access.ssh_key is not None:
            command += ["-o", "IdentitiesOnly=yes", "-i", str(self._access.ssh_key)]
        return shlex.join(command)

    def _secret(self) -> dict[str, str]:
        if self._access.token is None or not self._address.protocol.startswith("http"):
            return {}
        return {f"http.{self._address.url}.extraHeader": f"Authorization: Basic {self._credentials()}"}

    def _credentials(self) -> str:
        user = self._access.user or self._address.user or _TOKEN_USERS.get(self._address.host, _USUAL_USER)
        return base64.b64encode(f"{user}:{self._access.token}".encode()).decode()

    def _failure(self, complaints: str) -> KenError | CloneBroken:
        lines = [
            line.strip() for line in complaints.splitlines() if line.strip().startswith(("fatal", "error", "remote"))
        ]
        said = self._without_secrets(" ".join(lines) or " ".join(complaints.split()))[:_LONGEST_SHOWN]
        where = repr(self._address.url)
        if _FULL.search(complaints):
            return StorageError(f"There is no room left for what git fetches from {where}: free some, and sync again.")
        for pattern, kind, reason in _REASONS:
            if pattern.search(complaints):
                return kind(f"{reason.format(where=where)} Git said: {said}")
        return CloneBroken(f"git failed over {where}. It said: {said or 'nothing'}")

    def _without_secrets(self, text: str) -> str:
        for secret in (self._access.token, self._credentials() if self._access.token else None):
            if secret:
                text = text.replace(secret, "***")
        return text


_REASONS: tuple[tuple[re.Pattern[str], type[SourceError], str], ...] = (
    (_NO_REF, SourceMisbehaves, "{where} has no such branch, tag or commit: check `ref`."),
    (_DENIED, SourceDenied, "{where} doesn't let us in: check the token or key, and that it may read there."),
    (_MISSING, SourceDenied, "There is no repository at {where}, or not for us: check the address and the token."),
    (_MOVED, SourceMisbehaves, "{where} leads to another address, which is not followed: give the new one."),
    (_DOWN, SourceDown, "{where} can't be reached: it is tried again later."),
)

_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
}


async def end(process: asyncio.subprocess.Process) -> None:
    """End git and whatever it has started, if it still runs, and let go of its pipes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
