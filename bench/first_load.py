"""First load of the four handbooks beside haystack's indexing pipeline, in one run; and a sync that finds nothing changed.

    python bench/first_load.py --peer-python PEER/bin/python [--data DIR] [--rounds 3] [--documents 10000]

Ken is one `ken sync` of the folder into a fresh home: passages, lexical and vector index, sentences, everything that a
question needs, on disk and committed. The peer is the indexing pipeline of haystack's documentation with each part's
defaults (MarkdownToDocument, DocumentCleaner, DocumentSplitter, SentenceTransformersDocumentEmbedder, DocumentWriter
into an InMemoryDocumentStore). Both get the same files, weights and number of threads, and take turns. Its environment:

    python -m venv PEER && PEER/bin/pip install haystack-ai sentence-transformers-haystack torch markdown-it-py mdit_plain

"Work" is what each counts itself, without starting Python and loading the model; "command" is the whole process, whose
processor seconds are those of all its children, too. Then --documents short documents are made and loaded, and the same
folder is synced again. Without --peer-python only Ken's figures are printed; without the data only the second half.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ken.models.weights import find_model
from rig.handbooks import add_data, found, machine

THREADS = 2
WORDS = (
    "harbour tide gauge water level berth pilot crane ship cargo permit office manager form request limit day week hour "
    "month report safety light buoy channel depth wind signal radio"
).split()

PEER = """
import importlib.metadata, json, sys, time
import torch
torch.set_num_threads(int(sys.argv[2]))
from haystack import Pipeline
from haystack.components.converters import MarkdownToDocument
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersDocumentEmbedder
pipeline = Pipeline()
writer = DocumentWriter(InMemoryDocumentStore(), policy=DuplicatePolicy.OVERWRITE)
embedder = SentenceTransformersDocumentEmbedder(model=sys.argv[1], progress_bar=False)
embedder.warm_up()
parts = [MarkdownToDocument(progress_bar=False), DocumentCleaner(), DocumentSplitter(), embedder, writer]
for number, part in enumerate(parts):
    pipeline.add_component(str(number), part)
    if number:
        pipeline.connect(str(number - 1), str(number))
files = json.load(sys.stdin)
start = time.perf_counter()
written = pipeline.run({"0": {"sources": files}})["4"]["documents_written"]
seconds = time.perf_counter() - start
names = ("haystack-ai", "sentence-transformers", "torch")
versions = [f"{name} {importlib.metadata.version(name)}" for name in names]
print(json.dumps({"seconds": seconds, "passages": written, "versions": versions}))
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One load: seconds by its own clock, of the whole command, and of processors; and what it says of itself."""

    work_s: float
    command_s: float
    cpu_s: float
    said: dict[str, Any]


def measured(command: Sequence[str], given: str = "") -> Load:
    """Run a command that ends with a JSON object; what it took."""
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "KEN_THREADS": str(THREADS),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not done.returncode, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    print(f"{command[0]}: {said['seconds']:.1f} s of work in {seconds:.1f} s", file=sys.stderr, flush=True)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Load(float(said["seconds"]), seconds, cpu, said)


def ours(folder: Path, home: Path) -> Load:
    """`ken sync` of a folder into a home."""
    command = [
        sys.executable,
        "-m",
        "ken",
        "--home",
        str(home),
        "sync",
        str(folder),
        "--collection",
        folder.name,
        "--json",
    ]
    return measured(command)


def ours_afresh(folder: Path) -> Load:
    """`ken sync` of a folder into a home that is not there yet."""
    with tempfile.TemporaryDirectory(prefix="ken-bench-") as temporary:
        return ours(folder, Path(temporary) / "home")


def peers(python: Path, folder: Path) -> Load:
    """Haystack's pipeline over the same files."""
    files = [str(path) for path in sorted(folder.rglob("*.md"))]
    return measured([str(python), "-c", PEER, str(find_model().weights.parent), str(THREADS)], json.dumps(files))


def print_first_load(folder: Path, python: Path | None, *, rounds: int) -> None:
    """Medians over the rounds, and the ratios of neighbouring runs."""
    files = sum(1 for _ in folder.rglob("*.md"))
    loads = [[ours_afresh(folder), *([peers(python, folder)] if python else [])] for _ in range(rounds)]
    names = ["Ken", *([", ".join(loads[0][1].said["versions"])] if python else [])]
    print(f"| first load of {files} files | passages | files/s, work | files/s, command | processor s |")
    print("|---|---:|---:|---:|---:|")
    clocks: tuple[Callable[[Load], float], ...] = (
        lambda load: load.work_s,
        lambda load: load.command_s,
        lambda load: load.cpu_s,
    )
    for number, name in enumerate(names):
        work, command, cpu = (statistics.median(clock(pair[number]) for pair in loads) for clock in clocks)
        passages = loads[0][number].said["passages"]
        print(f"| {name} | {passages} | {files / work:.1f} | {files / command:.1f} | {cpu:.0f} |")
    if python:
        ratios = [[clock(pair[1]) / clock(pair[0]) for pair in loads] for clock in clocks]
        cells = (f"{statistics.median(ratio):.2f} ({min(ratio):.2f} – {max(ratio):.2f})" for ratio in ratios)
        print(f"| ratio, median (least – most) of {rounds} | | {' | '.join(cells)} |")
    else:
        print("\nWithout the peer: name an interpreter that has haystack with --peer-python.")


def write_documents(folder: Path, count: int) -> None:
    """Short Markdown documents, each of its own words, a hundred to a folder."""
    chance = random.Random(20)
    for number in range(count):
        place = folder / f"{number // 100:03}" / f"{number:05}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        sentences = (" ".join(chance.choices(WORDS, k=8)).capitalize() + f" {number}." for _ in range(2))
        place.write_text(f"# Note {number}\n\n{' '.join(sentences)}\n", "utf-8")


def print_unchanged(count: int, rounds: int) -> None:
    """The first load of many small documents, and syncs that find them as they were."""
    with tempfile.TemporaryDirectory(prefix="ken-bench-") as temporary:
        folder, home = Path(temporary) / "notes", Path(temporary) / "home"
        write_documents(folder, count)
        first = ours(folder, home)
        again = [ours(folder, home) for _ in range(rounds)]
    assert all(load.said["unchanged"] == count for load in again), again
    print(
        f"\n| {count} short documents | documents/s, work | documents/s, command | processor s |\n|---|---:|---:|---:|"
    )
    for name, loads in (("first load", [first]), (f"again, nothing changed (median of {rounds})", again)):
        work, command = (
            statistics.median(value) for value in zip(*((load.work_s, load.command_s) for load in loads), strict=True)
        )
        cpu = statistics.median(load.cpu_s for load in loads)
        print(f"| {name} | {count / work:.0f} | {count / command:.0f} | {cpu:.1f} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    parser.add_argument("--peer-python", type=Path, help="the interpreter of an environment with haystack")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--documents", type=int, default=10_000, help="of the sync that finds nothing changed; 0 for none"
    )
    given = parser.parse_args()
    print(f"{machine()}\n", flush=True)
    if found(given.data):
        print_first_load(given.data / "kb", given.peer_python, rounds=given.rounds)
    if given.documents:
        print_unchanged(given.documents, given.rounds)
    print(f"\nAt the end: {machine()}")


if __name__ == "__main__":
    main()
