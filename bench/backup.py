"""What a backup under load costs those who ask meanwhile, and how long it takes.

    python bench/backup.py [--data DIR] [--home HOME] [--clients 4] [--seconds 20]

A `ken up` with the four handbooks (640 documents), the extractive reader, no answer cache; so many clients ask one question after the
other. First without, then while `ken backup` is run again and again. Then one backup is restored.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from pathlib import Path

from ken.evals.cases import load_cases
from ken.operations.load.asking import Target
from ken.operations.load.figures import Step
from ken.operations.load.mix import Mix
from ken.operations.load.run import Plan, load
from rig.handbooks import OWN_QUESTIONS, add_options, found, ken, loaded_home, machine
from rig.server import Server, serving


def measured(server: Server, *, clients: int, seconds: float) -> Step:
    """The figures of one step."""
    questions = [case.question for case in load_cases(OWN_QUESTIONS) if not case.history]
    plan = Plan(steps=(float(clients),), seconds=seconds, warm_up_s=3.0, traces=0)
    target = Target(f"http://127.0.0.1:{server.port}")
    report = asyncio.run(load(target, questions, plan=plan, mix=Mix(popularity=0.0), told=lambda _: None))
    return report.steps[0]


class Backups(threading.Thread):
    """Makes backups one after the other, each by the command, until it is told to end."""

    def __init__(self, home: Path, file: Path) -> None:
        super().__init__()
        self._home, self._file = home, file
        self.ending = threading.Event()
        self.took: list[float] = []
        """Seconds of each."""

    def run(self) -> None:
        """Do so."""
        while not self.ending.is_set():
            began = time.perf_counter()
            ken(self._home, "backup", str(self._file), "--replace")
            self.took.append(time.perf_counter() - began)


def row(name: str, step: Step) -> str:
    """A row of the table."""
    assert step.ms is not None
    return f"| {name} | {step.rate:.1f} | {step.ms.p50:.0f} | {step.ms.p95:.0f} | {step.ms.p99:.0f} | {sum(step.errors.values())} |"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    print(machine())
    if not found(given.data):
        return
    with loaded_home(given.data, given.home) as home, tempfile.TemporaryDirectory(prefix="ken-bench-") as folder:
        file = Path(folder) / "b.zip"
        backups = Backups(home, file)
        with serving(home, settings={"KEN_CACHE": "false"}) as server:
            print("| | answers a second | p50 ms | p95 ms | p99 ms | errors |\n|---|---:|---:|---:|---:|---:|")
            print(row("nothing beside", measured(server, clients=given.clients, seconds=given.seconds)), flush=True)
            backups.start()
            print(row("backups beside", measured(server, clients=given.clients, seconds=given.seconds)), flush=True)
            backups.ending.set()
            backups.join()
        began = time.perf_counter()
        ken(home, "restore", str(file), "--home", str(Path(folder) / "again"))
        print(
            f"{len(backups.took)} backups, {statistics.median(backups.took):.1f} s each (median), "
            f"{file.stat().st_size / 1e6:.1f} MB of a database of {(home / 'ken.db').stat().st_size / 1e6:.1f} MB; "
            f"a restore in {time.perf_counter() - began:.1f} s"
        )


if __name__ == "__main__":
    main()
