"""Footprint and start: `ken up`, memory, syncs of the four handbooks, and what a default install weighs.

    python bench/startup.py [--data DIR] [--rounds 5]

The install is measured where this runs: the packages that pyproject.toml asks for, and what they ask for, without
extras, by the files that each lists. Without the data only that is printed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ken.evals.cases import load_cases
from ken.models.weights import PACKAGE
from rig.handbooks import COLLECTIONS, OWN_QUESTIONS, PROJECT, add_data, found, machine, sync
from rig.server import ASK, client, serving

QUESTIONS = 100


def installed() -> tuple[dict[str, float], float]:
    """Megabytes of each package of a default install (not Ken's own), and of the embedder's weights."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [Requirement(each) for each in project["dependencies"]]
    sizes: dict[str, float] = {}
    looked_at: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            name = canonicalize_name(wanted.name)
            if (name, extra) in looked_at:
                continue
            looked_at.add((name, extra))
            sizes[name] = megabytes(name)
            asked = [Requirement(each) for each in metadata.requires(name) or []]
            waiting += [each for each in asked if each.marker is None or each.marker.evaluate({"extra": extra})]
    return sizes, megabytes(PACKAGE)


def megabytes(name: str) -> float:
    """The files that an installed package lists, without compiled bytecode."""
    files = [Path(str(file.locate())) for file in metadata.files(name) or [] if file.suffix != ".pyc"]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def print_install() -> None:
    """One row, and the heaviest packages."""
    sizes, weights = installed()
    heaviest = sorted(sizes, key=lambda name: -sizes[name])[:5]
    print("| packages | MB | embedder's weights MB | the heaviest |\n|---:|---:|---:|---|")
    named = ", ".join(f"{name} {sizes[name]:.0f}" for name in heaviest)
    print(f"| {len(sizes)} | {sum(sizes.values()):.0f} | {weights:.0f} | {named} |\n", flush=True)


def print_syncs(folders: Path, home: Path) -> None:
    """Whole commands: the start of Python, opening the home and closing it are in the seconds."""
    print("| sync of the four handbooks | seconds | documents | passages |\n|---|---:|---:|---:|")
    changed = next(path for path in sorted((folders / COLLECTIONS[0]).rglob("*.md")) if path.stat().st_size > 1000)
    for name in ("first, into an empty home", "again, nothing changed", "again, one file changed"):
        if name.endswith("one file changed"):
            with changed.open("a", encoding="utf-8") as file:
                file.write("\n\nThis sentence was added.\n")
        started = time.perf_counter()
        reports = [sync(home, folders / collection) for collection in COLLECTIONS]
        seconds = time.perf_counter() - started
        taken = sum(report["added"] + report["changed"] for report in reports)
        passages = sum(report["passages"] for report in reports)
        print(f"| {name} (four commands) | {seconds:.1f} | {taken} | {passages} |", flush=True)
    with changed.open("a", encoding="utf-8") as file:
        file.write("\n\nAnd one more.\n")
    started = time.perf_counter()
    sync(home, folders / COLLECTIONS[0])
    print(f"| one file changed, its collection alone | {time.perf_counter() - started:.1f} | 1 | |", flush=True)


def print_start(home: Path, rounds: int) -> None:
    """The median over the rounds; memory is of the last one."""
    questions = [case.question for case in load_cases(OWN_QUESTIONS)[:QUESTIONS]]
    ready: list[float] = []
    for number in range(rounds):
        with serving(home) as server:
            ready.append(server.ready_s)
            if number < rounds - 1:
                continue
            time.sleep(1)
            idle, idle_own = server.resident_mb()
            before = server.cpu_s()
            time.sleep(5)
            idle_cpu = (server.cpu_s() - before) / 5
            with client(server) as asking:
                for question in questions:
                    asking.ask(question, door=ASK)
            after, after_own = server.resident_mb()
    print("\n| `ken up` on a loaded home | |\n|---|---:|")
    print(f"| to the first 200 of /readyz, median of {rounds} | {statistics.median(ready):.2f} s |")
    print(f"| slowest of {rounds} | {max(ready):.2f} s |")
    print(f"| resident memory when ready | {idle:.0f} MB ({idle_own:.0f} without mapped files) |")
    print(f"| after {QUESTIONS} questions | {after:.0f} MB ({after_own:.0f} without mapped files) |")
    print(f"| processor while idle | {idle_cpu:.1%} of a core |")
    print(f"| the home on disk | {on_disk(home):.0f} MB |")


def on_disk(home: Path) -> float:
    """Megabytes of all files."""
    return sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"{machine()}\n")
    print_install()
    if not found(given.data):
        return
    with tempfile.TemporaryDirectory(prefix="ken-bench-") as temporary:
        folders, home = Path(temporary) / "kb", Path(temporary) / "home"
        shutil.copytree(given.data / "kb", folders)
        print_syncs(folders, home)
        print_start(home, given.rounds)
    print(f"\nAt the end: {machine()}")


if __name__ == "__main__":
    main()
