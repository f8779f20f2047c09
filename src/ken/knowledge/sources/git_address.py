"""Where a git repository is: its address as git takes it, and the pages of its files on the sites that people know."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from ken.errors import InvalidInput

PROTOCOLS = ("https", "ssh", "http", "git", "file")
"""What a repository may be reached by; `ext` and other helpers that run commands are not among them."""

_LIKE_SCP = re.compile(r"(?:(?P<user>[\w.+-]+)@)?(?P<host>[A-Za-z0-9][\w.-]*):(?P<path>(?![:/]{2})[^\s].*)")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_WIKI = ".wiki"
_LOCAL_NAMES = frozenset({"localhost"})


@dataclass(frozen=True, slots=True)
class GitAddress:
    """The address of a repository, without secrets."""

    url: str
    """As git takes it."""
    protocol: str
    host: str
    path: str
    """Of the repository on its host, without slashes at its ends and without `.git`."""
    user: str | None = None

    @property
    def is_private(self) -> bool:
        """Whether what is sent there can't be read on its way: encrypted, or never leaving this machine."""
        return self.protocol in {"https", "ssh", "file"} or _is_this_machine(self.host)

    def page(self, path: str, *, ref: str) -> str | None:
        """Where people read the file: on GitHub, GitLab and Bitbucket, and their wikis; None elsewhere."""
        site = next((site for site in _SITES if site in self.host.split(".")), None)
        if site is None or self.protocol == "file":
            return None
        is_wiki = self.path.endswith(_WIKI)
        project = f"https://{self.host}/{quote(self.path.removesuffix(_WIKI))}"
        if is_wiki:
            return f"{project}/{_WIKIS[site]}/{quote(path.rpartition('.')[0] or path)}" if site in _WIKIS else None
        return f"{project}/{_SITES[site]}/{quote(ref)}/{quote(path)}"


_SITES = {"github": "blob", "gitlab": "-/blob", "bitbucket": "src"}
_WIKIS = {"github": "wiki", "gitlab": "-/wikis"}


def git_address(url: str) -> GitAddress:
    """Read `https://...`, `ssh://...`, `user@host:path`, `file://...` or a path of this machine.

    Raises InvalidInput for other protocols, for addresses that git would take for an option, and for passwords in them.
    """
    if not url or url.startswith("-") or _UNSAFE.search(url):
        raise InvalidInput(
            f"{url!r} is no address of a git repository: write one as in 'https://example.org/team/docs.git'."
        )
    if "://" not in url and (scp := _LIKE_SCP.fullmatch(url)):
        return GitAddress(url, "ssh", scp["host"].lower(), _bare(scp["path"]), scp["user"])
    if "://" not in url:
        return GitAddress(Path(url).resolve().as_uri(), "file", "", _bare(str(Path(url).resolve())))
    protocol = url.partition("://")[0].lower()
    if protocol not in PROTOCOLS:
        raise InvalidInput(f"{protocol!r} is no way to reach a git repository: use {', '.join(PROTOCOLS)}.")
    try:
        parts = urlsplit(url)
        host, password, port = (parts.hostname or "").lower(), parts.password, parts.port
    except ValueError as error:
        raise InvalidInput(f"The address of the git repository can't be read: {error}.") from error
    if password is not None:
        raise InvalidInput(
            f"The address of the git repository on {host!r} holds a password: take it out, and give it as a token."
        )
    if protocol != "file" and (not host or host.startswith("-") or port == 0):
        raise InvalidInput(f"{url!r} names no host: write one as in 'https://example.org/team/docs.git'.")
    return GitAddress(url, protocol, host, _bare(parts.path), parts.username)


def _bare(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in _LOCAL_NAMES
