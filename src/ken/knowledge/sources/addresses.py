"""Which addresses a source may lead to: public ones, and those that the operator allowed by name.

A page, a feed or a redirect names the next address, so whoever writes those would otherwise choose what Ken's machine
asks of its own network: its metadata service, its neighbours' consoles, itself. A host that is written as an address
is judged before it is asked; a name is judged by what it resolves to, at the moment of connecting, so that a name that
changes its answer between the two gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from ken.errors import InvalidInput, SourceMisbehaves

_SPELLED = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""An address in its final spelling (RFC 3986): it is sent as it is, since a signature may cover it."""
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_SHOWN_CHARS = 300

_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What `is_global` lets pass, or lets pass in some versions of Python.
_SPECIAL = tuple(
    ipaddress.ip_network(written)
    for written in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # Azure's platform services
        "192.0.0.0/24",  # 192.0.0.192 is Oracle's metadata service
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "2001::/23",  # Teredo and its neighbours carry other addresses
        "2001:db8::/32",
        "2002::/16",  # so does 6to4
        "3fff::/20",
    )
)


def is_public(written: str) -> bool:
    """Whether an IP address is one of the open internet. Of an address that carries another (mapped, NAT64), that one counts."""
    address = ipaddress.ip_address(written)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)


def parsed(address: str, *, relative_to: URL | None = None) -> URL:
    """The parts of an http or https address, as they will be connected to. Raises SourceMisbehaves for anything else."""
    try:
        url = URL(address, encoded=_SPELLED.fullmatch(address) is not None)
        if relative_to is not None:
            url = relative_to.join(url)
        host, _ = url.raw_host, url.port  # read here, since they are judged only when they are read
    except ValueError as error:
        raise SourceMisbehaves(f"{address[:_SHOWN_CHARS]!r} is no web address: {error}.") from error
    if url.scheme not in {"http", "https"}:
        raise SourceMisbehaves(
            f"{address[:_SHOWN_CHARS]!r} is not an http or https address: sources are read over these alone."
        )
    if not host or "%" in host:
        raise SourceMisbehaves(f"{address[:_SHOWN_CHARS]!r} names no host. Mend the address.")
    if url.raw_user is not None or url.raw_password is not None:
        raise SourceMisbehaves(
            f"The address of {host!r} holds a user name or password. Leave it out, and give the key as a key."
        )
    return url


def shown(url: URL) -> str:
    """An address for messages: without its query, where keys may stand."""
    return str(url.with_query(None).with_fragment(None))[:_SHOWN_CHARS]


def origin(url: URL) -> tuple[str, str, int]:
    """Scheme, host and port: who a secret was meant for."""
    return url.scheme, _folded(url.raw_host or ""), url.port or 0


class HostRules:
    """Which hosts may be asked: every public one, and those in `allowed_hosts` ("host" or "host:port") wherever they are.

    Raises InvalidInput for an entry that is no host.
    """

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self._allowed = frozenset(_entry(written) for written in allowed_hosts)

    def is_allowed(self, host: str, port: int) -> bool:
        """Whether the operator named it."""
        name = _folded(host)
        return (name, None) in self._allowed or (name, port) in self._allowed

    def check(self, url: URL) -> None:
        """Raise SourceMisbehaves where the host is written as an address that must not be asked."""
        host, port = url.raw_host or "", url.port or 0
        if self.is_allowed(host, port):
            return
        name = _folded(host)
        try:
            ipaddress.ip_address(name)
        except ValueError:
            # Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1; no name of the internet ends in a number.
            if _NUMBER.fullmatch(name.rpartition(".")[2]):
                raise SourceMisbehaves(f"{host!r} is an address in an odd notation. Write it as a.b.c.d.") from None
        else:
            self.check_address(name, host, port=port)

    def check_address(self, address: str, host: str, *, port: int) -> None:
        """Raise SourceMisbehaves where `host` leads to an address that must not be asked."""
        if not self.is_allowed(host, port) and not is_public(address):
            where = "" if address == host else f" ({address})"
            raise SourceMisbehaves(
                f"{host!r}{where} lies in a private or local network, where a source must not lead. "
                f"If it is meant, name {host!r} in `allow_hosts` of the source."
            )


class GuardedResolver(AbstractResolver):
    """Turns names into addresses and refuses those that must not be asked, each time that a connection is made.

    A name that has one such address among others is refused whole.
    """

    def __init__(self, rules: HostRules, names: AbstractResolver | None = None) -> None:
        self._rules = rules
        self._names = names or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises SourceMisbehaves, and OSError where it has none."""
        try:
            found = await self._names.resolve(host, port, family)
        except UnicodeError as error:  # a label that is empty or too long
            raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is no name of a host") from error
        for each in found:
            self._rules.check_address(each["host"], host, port=port)
        return found

    async def close(self) -> None:
        """Let go of the resolver inside."""
        await self._names.close()


def _folded(host: str) -> str:
    name = host.rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _entry(written: str) -> tuple[str, int | None]:
    try:
        bare = f"[{written}]" if written.count(":") > 1 and not written.startswith("[") else written
        url = URL(f"//{bare}")
    except ValueError:
        url = URL()
    if not url.raw_host or url.raw_path not in {"", "/"} or url.raw_user is not None:
        raise InvalidInput(f"{written!r} in `allow_hosts` is no host. Write a name or address, or host:port.")
    return _folded(url.raw_host), url.explicit_port
