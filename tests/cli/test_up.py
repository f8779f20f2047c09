"""`ken up`: a server that says where it is, ends cleanly, and explains why it can't begin."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time

import httpx
import pytest

from tests.cli.running import free_port, port_of, up
from tests.cli.terminal import Terminal
from tests.service.corpus import OPENING, QUESTION


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(filled: Terminal, number: signal.Signals) -> None:
    """It prints address, collections and questions to try, answers, and ends with 0 without a traceback."""
    with up(filled) as (process, address):
        with httpx.Client(base_url=address, trust_env=False, timeout=20) as client:
            assert OPENING in client.post("/api/ask?stream=false", json={"question": QUESTION}).json()["text"]
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "harbour (4 documents)" in told
        assert "Try" in told
        assert "Ken has ended." in told
        assert "Traceback" not in told


def test_what_is_being_answered_is_finished_first(filled: Terminal) -> None:
    """SIGTERM in mid-request: the answer still arrives whole."""
    with up(filled) as (process, address), socket.create_connection(("127.0.0.1", port_of(address))) as slow:
        body = json.dumps({"question": QUESTION}).encode()
        lines = [
            "POST /api/ask?stream=false HTTP/1.1",
            "host: localhost",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "",
            "",
        ]
        slow.sendall("\r\n".join(lines).encode() + body[:10])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        slow.sendall(body[10:])
        received = b""
        while piece := slow.recv(65536):
            received += piece
        assert OPENING.encode() in received
        assert process.wait(20) == 0


def test_a_taken_port_is_explained(filled: Terminal) -> None:
    """2: who listens there, and what to do; before anything is loaded."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def refuse() -> None:
            listener.accept()[0].close()

        threading.Thread(target=refuse, daemon=True).start()
        done = filled.ken("up", "--port", str(port), code=2)
        assert f"Another program listens on port {port}" in done.stderr
        assert f"ken up --port {port + 1}" in done.stderr
    with up(filled) as (_, address):
        done = filled.ken("up", "--port", address.rpartition(":")[2], code=2)
        assert "Another Ken listens on" in done.stderr


def test_an_address_of_another_machine_is_explained(filled: Terminal) -> None:
    """2, and one line."""
    done = filled.ken("up", "--host", "192.0.2.1", "--port", str(free_port()), code=2)
    assert "192.0.2.1" in done.stderr
    assert done.stderr.count("\n") == 1


def test_on_the_network_it_says_that_keys_are_needed(filled: Terminal) -> None:
    """Without a key nobody is let in, this machine neither; with one everybody is."""
    key = filled.ken("keys", "create", "network").stdout.strip()
    with up(filled, "--host", "0.0.0.0") as (process, address):  # noqa: S104 - the case under test
        local = address.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - the case under test
        with httpx.Client(base_url=local, trust_env=False) as client:
            assert client.get("/api/collections").status_code == 401
            assert client.get("/api/collections", headers={"authorization": f"Bearer {key}"}).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert "ken keys create" in process.communicate(timeout=20)[1]


def test_who_listens_for_changes_does_not_keep_it_from_ending(filled: Terminal) -> None:
    """SIGTERM ends the stream whole and the server at once, though the listener would have stayed for ever."""
    with up(filled) as (process, address), httpx.Client(base_url=address, trust_env=False, timeout=20) as client:
        with client.stream("GET", "/api/live") as response:
            lines = response.iter_lines()
            assert next(lines) == "event: ready"
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert "event: error" not in list(lines)
        assert process.wait(20) == 0
        assert time.monotonic() - began < 10, "it waited for the listener"
