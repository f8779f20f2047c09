"""The `ken` command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cli.forking import can_fork, run

TIMEOUT_S = 50.0


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs commands on one home."""

    home: Path

    def ken(self, *arguments: str, stdin: bytes = b"", code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code must be `code`, and it must not show a traceback."""
        command, environment = self.command(*arguments), self.environment()
        if can_fork(environment):
            ended, *written = run(command[3:], environment, stdin=stdin, timeout_s=TIMEOUT_S)
        else:
            done = subprocess.run(
                command, input=stdin, capture_output=True, check=False, timeout=TIMEOUT_S, env=environment
            )
            ended, *written = done.returncode, done.stdout, done.stderr
        out, told = (each.decode() for each in written)
        assert "Traceback" not in out + told, told
        assert code is None or ended == code, f"exit code {ended}\n{out}\n{told}"
        return subprocess.CompletedProcess(command, ended, out, told)

    def command(self, *arguments: str) -> list[str]:
        """The command line, with this home before the command."""
        return [sys.executable, "-m", "ken", "--home", str(self.home), *arguments]

    @staticmethod
    def environment() -> dict[str, str]:
        """The test's own environment: warnings are errors in the command, too."""
        return {**os.environ, "PYTHONWARNINGS": "error"}
