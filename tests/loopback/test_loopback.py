"""The guard itself: it must refuse what it is there to refuse, in this process and in its children."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.loopback import sitecustomize as loopback

DOCUMENTATION_ADDRESS = "192.0.2.1"  # RFC 5737: never routed


def test_a_connection_to_another_machine_is_refused() -> None:
    """Connecting beyond loopback raises before a packet leaves, and is remembered."""
    with socket.socket() as plug, pytest.raises(loopback.BeyondLoopback, match="another machine"):
        plug.connect((DOCUMENTATION_ADDRESS, 80))
    assert loopback.attempts == ["socket.connect '192.0.2.1'"]
    loopback.attempts.clear()


def test_a_name_of_another_machine_is_not_looked_up() -> None:
    """A look-up would tell a name server what the tests do, so it is refused too."""
    with pytest.raises(loopback.BeyondLoopback, match="another machine"):
        socket.getaddrinfo("ken.example", 443)
    loopback.attempts.clear()


def test_a_datagram_to_another_machine_is_refused() -> None:
    """Datagrams need no connection, and are refused as connections are."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug,
        pytest.raises(loopback.BeyondLoopback, match="another machine"),
    ):
        plug.sendto(b"x", (DOCUMENTATION_ADDRESS, 9))
    loopback.attempts.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", b"localhost", "0.0.0.0", "", None])  # noqa: S104 - is_local is asked about it, nothing listens
def test_this_machine_is_local(host: str | bytes | None) -> None:
    """Every way to write this machine passes."""
    assert loopback.is_local(host)


def test_a_server_on_loopback_is_reached() -> None:
    """The guard does not stand in the way of real servers on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as plug:
        assert plug.getpeername() == server.getsockname()


def test_child_processes_are_guarded() -> None:
    """A Python process that a test starts is refused in the same way."""
    code = f"import socket; socket.create_connection(({DOCUMENTATION_ADDRESS!r}, 80), timeout=1)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert "BeyondLoopback" in child.stderr
