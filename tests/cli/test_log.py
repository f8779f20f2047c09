"""The log: what can't be written down stops nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import logging, pathlib, sys, threading
from ken.cli.log import log_to
log_to(pathlib.Path(sys.argv[1]), aloud=True)
done = []
def work():
    logging.getLogger("ken.books").error("The books can't be written.")
    done.append(True)
thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.exit(0 if done else 1)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_thread_that_logs_outlives_a_full_disk(tmp_path: Path) -> None:
    """Stderr is a file on a full disk: whoever has something to say goes on, and the home's log has it."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", CODE, str(tmp_path)], stderr=full, check=False, timeout=30)
    assert done.returncode == 0
    assert "can't be written" in (tmp_path / "logs" / "ken.log").read_text("utf-8")
