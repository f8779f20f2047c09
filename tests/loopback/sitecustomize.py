"""Nothing that the tests start may reach beyond this machine: every Python process of a test run loads this file.

The tests' own process loads it through tests/conftest.py; child processes find it on PYTHONPATH, by its name. An audit
hook sees each `connect`, `sendto` and name look-up before the system does, whichever library asks.
"""

from __future__ import annotations

import ipaddress
import sys

attempts: list[str] = []
"""What this process tried to reach, oldest first; a test that leaves anything here has failed."""


class BeyondLoopback(RuntimeError):
    """A test tried to reach another machine. Not an OSError, so that no code under test takes it for a lost server."""


def is_local(host: object) -> bool:
    """Say whether `host`, as socket functions take it, is this machine."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name.lower() in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def guard(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse socket events that name another machine; every other event passes."""
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if not isinstance(address, tuple) or not isinstance(address[0], (str, bytes)):
            return  # a Unix socket's path, or a family without hosts
        host = address[0]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if not is_local(host):
        attempts.append(f"{event} {host!r}")
        message = f"{event} to another machine, {host!r}: tests stay on this one; start a server on 127.0.0.1 instead"
        raise BeyondLoopback(message)


sys.addaudithook(guard)
