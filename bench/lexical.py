"""Ken's lexical index beside tantivy, in one run: building it, and OR queries with and without a group filter.

    python bench/lexical.py --peer-python PEER/bin/python [--data DIR]

100,000 passages, each of six pieces of 20 words drawn (seeded) from the four handbooks, a title, and one of 100 groups.
The queries are the questions of the handbooks; each engine makes its own terms of them and returns the best 80. The
filter allows 10 of the groups. tantivy needs an environment of its own:

    python -m venv PEER && PEER/bin/pip install tantivy

Both run in one thread and take turns. Without --peer-python only Ken's figures are printed.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from ken.evals.cases import load_cases
from ken.knowledge.index import Term
from ken.knowledge.lexical import TERM_DTYPE, LexicalIndex, build, term_hash
from ken.text.tokens import terms
from rig.handbooks import COLLECTIONS, OWN_QUESTIONS, add_data, found, machine

PASSAGES = 100_000
PIECE = 20
PIECES = 6
GROUPS = 100
ALLOWED = 10
BEST = 80
SAMPLE = 2000

PEER = """
import importlib.metadata, json, sys, time
import tantivy
builder = tantivy.SchemaBuilder()
for name, tokenizer in (("body", "en_stem"), ("title", "en_stem"), ("group", "raw")):
    builder.add_text_field(name, stored=False, tokenizer_name=tokenizer)
builder.add_unsigned_field("row", stored=True, fast=True)
schema = builder.build()
order = json.load(open(sys.argv[1]))
start = time.perf_counter()
index = tantivy.Index(schema)
writer = index.writer(heap_size=500_000_000, num_threads=1)
for row, (title, body, group) in enumerate(order["passages"]):
    document = tantivy.Document()
    document.add_text("title", title)
    document.add_text("body", body)
    document.add_text("group", f"g{group}")
    document.add_unsigned("row", row)
    writer.add_document(document)
writer.commit()
writer.wait_merging_threads()
index.reload()
print(json.dumps([f"tantivy {importlib.metadata.version('tantivy')}", time.perf_counter() - start]), flush=True)
searcher = index.searcher()
wanted = tantivy.Query.term_set_query(schema, "group", [f"g{group}" for group in range(order["allowed"])])
for line in sys.stdin:
    filtered, times = json.loads(line), []
    for text in order["queries"]:
        start = time.perf_counter()
        query, _ = index.parse_query_lenient(text, ["body", "title"])
        if filtered:
            both = [(tantivy.Occur.Must, query), (tantivy.Occur.Must, wanted)]
            query = tantivy.Query.boolean_query(both)
        searcher.search(query, order["best"])
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps(times), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Titles, bodies and groups of the passages, and the questions."""

    titles: list[str]
    pieces: list[str]
    drawn: NDArray[np.int64]
    """Shape (n, 6): the pieces of each passage."""
    groups: NDArray[np.int64]
    """Shape (n,)."""
    queries: list[str]

    def body(self, row: int) -> str:
        """The text of a passage."""
        return " ".join(self.pieces[i] for i in self.drawn[row])


def corpus(data: Path, count: int) -> Corpus:
    """Cut the handbooks into pieces and shuffle them into passages; the same ones at every run."""
    paths = [path for name in COLLECTIONS for path in sorted((data / "kb" / name).rglob("*.md"))]
    words = [word for path in paths for word in path.read_text("utf-8").split()]
    pieces = [" ".join(words[i : i + PIECE]) for i in range(0, len(words), PIECE)]
    generator = random.Random(7)
    titles = [" ".join(generator.choice(pieces).split()[:4]) for _ in range(count)]
    draw = np.random.default_rng(7)
    cases = [*load_cases(data / "questions" / "dev.jsonl"), *load_cases(OWN_QUESTIONS)]
    return Corpus(
        titles=titles,
        pieces=pieces,
        drawn=draw.integers(len(pieces), size=(count, PIECES)),
        groups=draw.integers(GROUPS, size=count),
        queries=[case.question for case in cases],
    )


def counted(body: Counter[str], title: Counter[str]) -> NDArray[np.void]:
    """The terms of one passage, as they lie in Ken's database."""
    names = list(dict.fromkeys([*body, *title]))
    array = np.zeros(len(names), dtype=TERM_DTYPE)
    array["term"] = [term_hash(name) for name in names]
    array["body"] = [body[name] for name in names]
    array["title"] = [title[name] for name in names]
    return array


def analysed(texts: Corpus) -> tuple[list[NDArray[np.void]], float]:
    """The terms of every passage, and the seconds that analysing all of them takes, from a sample of 2,000.

    The terms of a piece are worked out once: what is wanted of the rest is the index over them.
    """
    sample = range(min(SAMPLE, len(texts.titles)))
    bodies = [texts.body(row) for row in sample]
    started = time.perf_counter()
    for row in sample:
        counted(Counter(terms(bodies[row])), Counter(terms(texts.titles[row])))
    seconds = (time.perf_counter() - started) / len(sample) * len(texts.titles)
    of_piece = [terms(piece) for piece in texts.pieces]
    arrays = [
        counted(Counter(term for i in drawn for term in of_piece[i]), Counter(terms(title)))
        for drawn, title in zip(texts.drawn, texts.titles, strict=True)
    ]
    return arrays, seconds


def search(index: LexicalIndex, text: str, *, readable: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """The best 80 rows, best first, as an index finds them and ranking takes them."""
    asked = [Term(term) for term in dict.fromkeys(terms(text))]
    rows = index.best(asked, np.ones(index.size, np.bool_) if readable is None else readable, depth=BEST)
    scores, _ = index.term_scores(asked, rows)
    return rows[np.argsort(-scores.sum(axis=1))]


def ours(index: LexicalIndex, queries: Sequence[str], *, readable: NDArray[np.bool_] | None) -> list[float]:
    """Milliseconds of each query."""
    times: list[float] = []
    for text in queries:
        started = time.perf_counter()
        search(index, text, readable=readable)
        times.append((time.perf_counter() - started) * 1000)
    return times


class Tantivy:
    """tantivy in an interpreter of its own, idle between orders."""

    def __init__(self, python: Path, texts: Corpus) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as order:
            passages = [(title, texts.body(row), int(texts.groups[row])) for row, title in enumerate(texts.titles)]
            json.dump({"passages": passages, "queries": texts.queries, "allowed": ALLOWED, "best": BEST}, order)
            order.flush()
            self._process = subprocess.Popen(
                [str(python), "-c", PEER, order.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self.name, self.build_s = cast("tuple[str, float]", tuple(self._read()))

    def search(self, *, filtered: bool) -> list[float]:
        """Milliseconds of each query."""
        orders = cast("IO[str]", self._process.stdin)
        orders.write(json.dumps(filtered) + "\n")
        orders.flush()
        return cast("list[float]", self._read())

    def close(self) -> None:
        """End the interpreter."""
        self._process.communicate()

    def _read(self) -> list[object]:
        line = cast("IO[str]", self._process.stdout).readline()
        assert line, "the peer ended: is tantivy installed there?"
        return json.loads(line)


def shown(rounds: Sequence[Sequence[float]]) -> str:
    """p50 and p99, each the median over the rounds, as a cell."""
    p50, p99 = np.median([np.percentile(times, [50, 99]) for times in rounds], axis=0)
    return f"{p50:.2f} / {p99:.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data(parser)
    parser.add_argument("--peer-python", type=Path, help="the interpreter of an environment with tantivy")
    parser.add_argument("--passages", type=int, default=PASSAGES)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if not found(given.data):
        return
    texts = corpus(given.data, given.passages)
    arrays, analysis_s = analysed(texts)
    batch = (np.array([len(each) for each in arrays], dtype=np.int32), np.concatenate(arrays))
    builds: list[float] = []
    for _ in range(3):
        started = time.perf_counter()
        index = build(lambda: [batch], np.zeros(len(arrays), np.int32))
        builds.append(time.perf_counter() - started)
    peer = Tantivy(given.peer_python, texts) if given.peer_python else None
    readable = texts.groups < ALLOWED
    rows: dict[str, list[list[float]]] = {}
    for _ in range(given.rounds):
        for filtered in (False, True):
            rows.setdefault(f"ken {filtered}", []).append(
                ours(index, texts.queries, readable=readable if filtered else None)
            )
            if peer:
                rows.setdefault(f"peer {filtered}", []).append(peer.search(filtered=filtered))
    print(f"{given.passages} passages, {len(texts.queries)} queries, {given.rounds} rounds; {machine()}\n")
    print("| index | analysis | build | OR query p50 / p99 ms | with group filter p50 / p99 ms |")
    print("|---|---:|---:|---:|---:|")
    cells = f"{shown(rows['ken False'])} | {shown(rows['ken True'])}"
    print(f"| Ken (BM25F) | {analysis_s:.1f} s | {statistics.median(builds):.1f} s | {cells} |")
    if peer:
        cells = f"{shown(rows['peer False'])} | {shown(rows['peer True'])}"
        print(f"| {peer.name} | in the build | {peer.build_s:.1f} s | {cells} |")
        peer.close()
    else:
        print("\nWithout the peer: name an interpreter that has tantivy with --peer-python.")


if __name__ == "__main__":
    main()
