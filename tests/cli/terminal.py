"""The `ken` command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs commands on one home."""

    home: Path

    def ken(self, *arguments: str, stdin: bytes = b"", code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code must be `code`, and it must not show a traceback."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, check=False, timeout=50, env=self.environment()
        )
        out, told = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in out + told, told
        assert code is None or done.returncode == code, f"exit code {done.returncode}\n{out}\n{told}"
        return subprocess.CompletedProcess(done.args, done.returncode, out, told)

    def command(self, *arguments: str) -> list[str]:
        """The command line, with this home before the command."""
        return [sys.executable, "-m", "ken", "--home", str(self.home), *arguments]

    @staticmethod
    def environment() -> dict[str, str]:
        """The test's own environment: warnings are errors in the command, too."""
        return {**os.environ, "PYTHONWARNINGS": "error"}
