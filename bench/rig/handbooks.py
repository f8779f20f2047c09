"""The four handbooks and their questions: where they lie, and a home that holds them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
COLLECTIONS = ("alert-runbooks", "hr-handbook", "incident-response", "platform-manual")
OWN_QUESTIONS = PROJECT / "bench" / "questions" / "kb.jsonl"
DEFAULT = PROJECT.parent / "shared" / "data"


def add_data(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark be told where its data lies."""
    parser.add_argument("--data", type=Path, default=DEFAULT, help="the folder with kb/ and questions/")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark be told where its data and a loaded home lie."""
    add_data(parser)
    parser.add_argument("--home", type=Path, help="keep the loaded home there, and use it again")


def found(data: Path) -> bool:
    """Whether the data is there; where it isn't, say how to get it."""
    wanted = [data / "kb" / name for name in COLLECTIONS] + [data / "questions" / "dev.jsonl"]
    missing = [path for path in wanted if not path.exists()]
    if missing:
        names = ", ".join(path.relative_to(data).as_posix() for path in missing)
        print(
            f"Not measured: the data folder lacks {names}. bench/README.md names the public repositories to take the "
            "handbooks from; name the folder with --data DIR."
        )
    return not missing


@contextmanager
def loaded_home(data: Path, home: Path | None) -> Generator[Path]:
    """Yield a home that holds the four handbooks: the given one, or a temporary one."""
    with tempfile.TemporaryDirectory(prefix="ken-bench-") as temporary:
        place = home or Path(temporary) / "home"
        for name in COLLECTIONS:
            sync(place, data / "kb" / name)
        yield place


def sync(home: Path, folder: Path) -> dict[str, Any]:
    """`ken sync` of one folder into the collection of its name; the report."""
    return json.loads(ken(home, "sync", str(folder), "--collection", folder.name, "--json"))


def ken(home: Path, *arguments: str) -> str:
    """Run the `ken` command on a home; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "ken", "--home", str(home), *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return done.stdout


def machine() -> str:
    """What it was measured on, and how busy that was."""
    cpus = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in cpus if line.startswith("model name")), "unknown")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, {model}, Python {sys.version.split()[0]}; load average {load}"
