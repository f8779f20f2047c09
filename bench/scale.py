"""Search at 10,000, 100,000 and 1,000,000 passages: time, memory, recall, what a sync costs, and peers in the same run.

    python bench/scale.py [--folder DIR] [--data DIR] [--home DIR] [--haystack-python PEER/bin/python]
                          [--faiss-python PEER/bin/python]

The corpora are synthetic (bench/rig/synthetic.py) and built by Ken's own code, each once: what is in --folder already is
measured as it is (7 GB for the largest one, 14 GB while a sync runs beside it). The questions are real ones, embedded by
the real embedder. Every size is measured in a process of its own, of which memory is read after the questions; a
principal's share of the passages is given by groups. The peers get the same vectors, texts and questions:

    python -m venv PEER && PEER/bin/pip install haystack-ai
    python -m venv PEER && PEER/bin/pip install faiss-cpu
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ken.domain.document import Document
from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.evals.cases import load_cases
from ken.knowledge import generation_folder
from ken.knowledge.corpus import Corpus
from ken.knowledge.generation import Generation, Generations, generation_name
from ken.knowledge.options import SearchOptions
from ken.models.minilm import DIMENSIONS, MiniLM
from ken.storage.documents import Documents, Snapshot
from rig.curves import Line, svg
from rig.handbooks import OWN_QUESTIONS, PROJECT, add_options, found, loaded_home, machine
from rig.synthetic import GROUPS, PASSAGES, Synthetic, Vocabulary, documents

SIZES = (10_000, 100_000, 1_000_000)
QUESTIONS = 200
CHECKED = 50
"""Questions of which recall is measured."""
SHARES = {"all": None, "50 %": 50, "10 %": 10, "1 %": 1}
CHANGED = 100
"""Documents that a sync changes."""
MIDDLE = 0.5, 0.95
HAYSTACK_MOST = 100_000
HAYSTACK_QUESTIONS = 4

FAISS = """
import json, sys, time, numpy, faiss
order = json.load(open(sys.argv[1]))
faiss.omp_set_num_threads(1)
vectors, asked = numpy.load(order["vectors"], mmap_mode="r"), numpy.load(order["questions"])
index = faiss.IndexFlatIP(vectors.shape[1])
for at in range(0, len(vectors), 50000):
    index.add(numpy.ascontiguousarray(vectors[at : at + 50000], dtype="float32"))
times = []
for one in asked[: order["count"]]:
    start = time.perf_counter()
    index.search(one[None], 80)
    times.append((time.perf_counter() - start) * 1000)
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps([f"faiss {faiss.__version__} flat, dense alone", times, pages * 4096]))
"""

HAYSTACK = """
import json, sys, time, numpy
from importlib.metadata import version
from haystack import Document
from haystack.components.joiners import DocumentJoiner
from haystack.document_stores.in_memory import InMemoryDocumentStore
order = json.load(open(sys.argv[1]))
vectors, asked = numpy.load(order["vectors"], mmap_mode="r"), numpy.load(order["questions"])
store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
with open(order["texts"], encoding="utf-8") as texts:
    store.write_documents([Document(content=text, embedding=vector.astype("float32").tolist()) for text, vector in zip(texts, vectors)])
join, times = DocumentJoiner(join_mode="reciprocal_rank_fusion"), []
for text, one in list(zip(order["asked"], asked))[: order["count"]]:
    start = time.perf_counter()
    lists = [store.bm25_retrieval(text, top_k=80), store.embedding_retrieval(one.tolist(), top_k=80)]
    join.run(documents=lists)
    times.append((time.perf_counter() - start) * 1000)
pages = int(open("/proc/self/statm").read().split()[1])
print(json.dumps([f"haystack {version('haystack-ai')} in memory, hybrid", times, pages * 4096]))
"""


@dataclass(frozen=True, slots=True)
class Timed:
    """Of one kind of question, milliseconds."""

    p50: float
    p95: float
    steps: dict[str, float]
    """p50 of each step."""
    recall: float
    """Of the exact ten passages by the dense list, in the ten that the index gives; 1 where not measured."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one size."""

    passages: int
    build_s: float
    graph_s: float
    disk: int
    load_s: float
    resident: int
    """Bytes after the questions, beyond what the process had before it opened the index."""
    process: int
    """Bytes of the whole process then."""
    shares: dict[str, Timed]
    beside: Timed
    commit_s: float
    """The next index, with CHANGED documents of another version."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another engine at one size."""

    name: str
    passages: int
    p50: float
    p95: float
    resident: int


def store_of(home: Path, data: Path) -> Synthetic:
    """The synthetic store, from the words and vectors of a loaded home."""
    index = max((home / "index").iterdir(), key=lambda place: place.stat().st_mtime)
    windows = np.load(index / "windows.npy").astype(np.float32)
    sentences = np.load(index / "sentences.npy").astype(np.float32)
    real = np.concatenate([windows, sentences / np.maximum(np.linalg.norm(sentences, axis=1, keepdims=True), 1e-6)])
    return Synthetic(Vocabulary.of(data / "kb"), real)


def snapshot(members: tuple[Document, ...]) -> Snapshot:
    """A corpus version of these documents."""
    return Snapshot(1, generation_name({one.id: one.version for one in members}, "scale"), members)


def build(given: argparse.Namespace, members: tuple[Document, ...]) -> tuple[float, float]:
    """Build the index over documents, unless it is there; seconds of all of it, and of its graph."""
    of_graph: list[float] = []
    whole = generation_folder._write_graph  # noqa: SLF001 - timed by itself

    def timed(*arguments: Any) -> int:  # noqa: ANN401 - those of what it stands for
        begun = time.perf_counter()
        made = whole(*arguments)
        of_graph.append(time.perf_counter() - begun)
        return made

    generation_folder._write_graph = timed  # noqa: SLF001
    indexes = Generations(given.folder, cast("Documents", store_of(given.home, given.data)), DIMENSIONS)
    started = time.perf_counter()
    indexes.build(snapshot(members).generation, {one.id: one.version for one in members})
    generation_folder._write_graph = whole  # noqa: SLF001
    return time.perf_counter() - started, sum(of_graph)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def measure(given: argparse.Namespace, size: int) -> Measured:
    """Everything about one size."""
    threadpool_limits(limits=1, user_api="blas")
    texts = questions(given.data)
    model = MiniLM(given.home / "models", threads=1)
    vectors = model.embed_now(texts)
    members = documents(size // PASSAGES)
    comparable = frozenset(one.id for one in members)
    gc.collect()
    before = resident()
    started = time.perf_counter()
    index = Generations(given.folder, cast("Documents", None), DIMENSIONS).load(
        snapshot(members), comparable=comparable
    )
    load_s = time.perf_counter() - started
    assert index is not None

    async def embed(text: str) -> NDArray[np.float32]:
        return await model.embed_question(text)

    corpus = Corpus(index, model, embed, SearchOptions())
    asyncio.run(ask(corpus, texts[:20], who=LOCAL_OPERATOR))
    timed = {name: asyncio.run(ask(corpus, texts, who=principal(share))) for name, share in SHARES.items()}
    after = resident()
    recalls = recall(index, vectors[:CHECKED])
    made = json.loads((given.folder / f"built-{size}.json").read_text("utf-8"))
    commit_s, beside = sync_beside(given, members, corpus=corpus, texts=texts)
    place = given.folder / index.name
    return Measured(
        passages=index.size,
        build_s=made[0],
        graph_s=made[1],
        disk=sum(path.stat().st_size for path in place.iterdir()),
        load_s=load_s,
        resident=after - before,
        process=after,
        shares={name: spread(times, recalls[name]) for name, times in timed.items()},
        beside=spread(beside, 1.0),
        commit_s=commit_s,
    )


Times = list[dict[str, float]]
"""For each question the milliseconds of each step, and "whole"."""


async def ask(corpus: Corpus, texts: Sequence[str], *, who: Principal) -> Times:
    """Search for each question."""
    times: Times = []
    for text in texts:
        begun = time.perf_counter()
        result = await corpus.search(text, who)
        times.append({"whole": (time.perf_counter() - begun) * 1000, **dict(result.timings_ms)})
    return times


def spread(times: Times, recalled: float) -> Timed:
    """The middle and the end of some times."""
    p50, p95 = np.quantile([one["whole"] for one in times], MIDDLE)
    steps = {name: float(np.median([one[name] for one in times])) for name in times[0] if name != "whole"}
    return Timed(float(p50), float(p95), steps, recalled)


def principal(share: int | None) -> Principal:
    """Somebody who may see so many percent of the documents; all of them for None."""
    if share is None:
        return LOCAL_OPERATOR
    return Principal("reader", frozenset(f"group-{number}" for number in range(share * GROUPS // 100)))


def recall(index: Generation, vectors: NDArray[np.float32]) -> dict[str, float]:
    """For each share, how many of the ten closest passages the index finds: those by a product of all windows at float16."""
    scores = np.empty((len(vectors), index.size), dtype=np.float32)
    dense = index.dense
    for first in range(0, index.size, 50_000):
        bounds = dense.bounds[first : first + 50_001]
        products = dense.windows[bounds[0] : bounds[-1]].astype(np.float32) @ vectors.T
        scores[:, first : first + 50_000] = np.maximum.reduceat(products, bounds[:-1] - bounds[0], axis=0).T
    found: dict[str, float] = {}
    for name, share in SHARES.items():
        allowed = index.catalogue.allowed(principal(share), None).documents[index.document]
        held: list[float] = []
        for vector, every in zip(vectors, scores, strict=True):
            rows = np.flatnonzero(allowed)
            exact = rows[np.argpartition(-every[rows], 10)[:10]]
            held.append(len(np.intersect1d(exact, dense.best(vector, allowed, depth=80)[0][:10])) / 10)
        found[name] = float(np.mean(held))
    return found


def sync_beside(
    given: argparse.Namespace, members: tuple[Document, ...], *, corpus: Corpus, texts: Sequence[str]
) -> tuple[float, Times]:
    """Write the next index in a process of its own, as `ken sync` does, and ask meanwhile; its seconds, and the answers'."""
    command = [sys.executable, __file__, *options(given), "--next", str(len(members))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()  # it begins to write
    times: Times = []
    stop = threading.Event()
    threading.Thread(target=lambda: (process.wait(), stop.set())).start()
    while not stop.is_set() and len(times) < QUESTIONS:
        times += asyncio.run(ask(corpus, texts[len(times) % len(texts) :][:5], who=LOCAL_OPERATOR))
    return float(process.stdout.read()), times


def write_next(given: argparse.Namespace, count: int) -> None:
    """Write the index that comes after a sync which changed some documents, and take it away again."""
    members = documents(count, changed=CHANGED)
    print("begun", flush=True)
    seconds, _ = build(given, members)
    generation_folder.discard(given.folder, snapshot(members).generation)
    print(seconds)


def questions(data: Path) -> list[str]:
    """The questions of the handbooks."""
    cases = [*load_cases(data / "questions" / "dev.jsonl"), *load_cases(OWN_QUESTIONS)]
    return [case.question for case in cases][:QUESTIONS]


def peers(given: argparse.Namespace, size: int) -> list[Peer]:
    """The other engines, over the same vectors and texts."""
    members = documents(size // PASSAGES)
    place = given.folder / snapshot(members).generation
    vectors = MiniLM(given.home / "models", threads=1).embed_now(questions(given.data))
    measured: list[Peer] = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        asked, texts = Path(folder) / "asked.npy", Path(folder) / "texts"
        np.save(asked, vectors)
        order = {"vectors": str(place / "windows.npy"), "questions": str(asked), "asked": questions(given.data)}
        if given.faiss_python:
            measured.append(peer(given.faiss_python, FAISS, order=order | {"count": QUESTIONS // 4}, size=size))
        if given.haystack_python and size <= HAYSTACK_MOST:
            stored = store_of(given.home, given.data).passages_by_version({one.id: one.version for one in members})
            with texts.open("w", encoding="utf-8") as file:
                file.writelines(f"{passage.text}\n" for group in stored for passage in group)
            order |= {"texts": str(texts), "count": HAYSTACK_QUESTIONS}
            measured.append(peer(given.haystack_python, HAYSTACK, order=order, size=size))
    return measured


def peer(python: Path, program: str, *, order: dict[str, Any], size: int) -> Peer:
    """Run another engine in its own environment."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(order, file)
        file.flush()
        done = subprocess.run(
            [str(python), "-c", program, file.name],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    assert not done.returncode, f"{python} ended with {done.returncode}: is the engine installed there?"
    name, times, size_of = json.loads(done.stdout.splitlines()[-1])
    p50, p95 = np.quantile(times, MIDDLE)
    return Peer(name, size, float(p50), float(p95), int(size_of))


def options(given: argparse.Namespace) -> list[str]:
    """The command line of a process that this one starts."""
    return ["--folder", str(given.folder), "--data", str(given.data), "--home", str(given.home)]


def started(given: argparse.Namespace, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a process of this program's own prints."""
    command = [sys.executable, __file__, *options(given), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(rows: Sequence[Measured], others: Sequence[Peer]) -> str:
    """The figures as Markdown."""
    lines = [
        "| passages | may see | p50 ms | p95 ms | of it embedding | recall@10 of the dense list |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        shares = {**row.shares, "all, a sync beside": row.beside}
        for name, timed in shares.items():
            recalled = "" if "sync" in name else f"{timed.recall:.3f}"
            lines.append(
                f"| {row.passages:,} | {name} | {timed.p50:.1f} | {timed.p95:.1f} | {timed.steps['embed']:.1f} | {recalled} |"
            )
    lines += [
        "",
        "| passages | resident, bytes a passage | MB of the process | disk, bytes a passage | build s | of it graph s | sync s | load s |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row.passages:,} | {row.resident / row.passages:,.0f} | {row.process / 1e6:,.0f} | {row.disk / row.passages:,.0f} "
            f"| {row.build_s:.1f} | {row.graph_s:.1f} | {row.commit_s:.1f} | {row.load_s:.2f} |"
        )
    if others:
        lines += [
            "",
            "| peer, without embedding | passages | p50 ms | p95 ms | MB of the process |",
            "|---|---:|---:|---:|---:|",
        ]
        lines += [
            f"| {one.name} | {one.passages:,} | {one.p50:.1f} | {one.p95:.1f} | {one.resident / 1e6:,.0f} |"
            for one in others
        ]
    return "\n".join(lines)


def charts(rows: Sequence[Measured], others: Sequence[Peer]) -> str:
    """Time, memory and disk along the size."""
    times: dict[str, Line] = {"Ken, p50": [(row.passages, row.shares["all"].p50) for row in rows]}
    times |= {"Ken, p95": [(row.passages, row.shares["all"].p95) for row in rows]}
    times |= {"Ken, may see 1 %": [(row.passages, row.shares["1 %"].p50) for row in rows]}
    memory: dict[str, Line] = {"Ken": [(row.passages, row.process / 1e6) for row in rows]}
    for name in dict.fromkeys(one.name for one in others):
        of_peer = [one for one in others if one.name == name]
        short = name.partition(" ")[0]
        times[f"{short}, p50"] = [(one.passages, one.p50) for one in of_peer]
        memory[short] = [(one.passages, one.resident / 1e6) for one in of_peer]
    files: dict[str, Line] = {"disk, MB": [(row.passages, row.disk / 1e6) for row in rows]}
    files["build, s"] = [(row.passages, row.build_s) for row in rows]
    files["a sync's index, s"] = [(row.passages, row.commit_s) for row in rows]
    sizes = [row.passages for row in rows]
    aims = {
        "A question, ms": [(size, 12.0) for size in sizes if size <= SIZES[1]]
        + [(size, 30.0) for size in sizes if size > SIZES[1]],
        "Memory of the process, MB": [(size, size * 1.6e-3) for size in sizes],
    }
    named = {"A question, ms": times, "Memory of the process, MB": memory, "The index": files}
    return svg(named, aims=aims)


def main() -> None:
    """Build what is missing, measure every size, print the tables and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--folder", type=Path, help="keep the corpora there, and use them again")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--haystack-python", type=Path, help="the interpreter of an environment with haystack-ai")
    parser.add_argument("--faiss-python", type=Path, help="the interpreter of an environment with faiss-cpu")
    parser.add_argument("--plot", type=Path, default=PROJECT / "bench" / "scale.svg")
    parser.add_argument("--only-build", action="store_true", help="build the corpora and end")
    for inner in ("--build", "--measure", "--peers", "--next"):
        parser.add_argument(inner, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.next:
        write_next(given, given.next)
    elif given.build:
        print(json.dumps(build(given, documents(given.build // PASSAGES))))
    elif given.measure:
        print(json.dumps(asdict(measure(given, given.measure))))
    elif given.peers:
        print(json.dumps([asdict(one) for one in peers(given, given.peers)]))
    elif found(given.data):
        of_home = nullcontext(given.home) if is_loaded(given.home) else loaded_home(given.data, given.home)
        of_folder = nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory(prefix="ken-bench-")
        with of_home as home, of_folder as folder:
            given.home, given.folder = home, Path(folder)
            run(given)


def is_loaded(home: Path | None) -> bool:
    """Whether a home has an index: of any version, it has words and vectors."""
    return home is not None and (home / "index").is_dir() and any((home / "index").iterdir())


def run(given: argparse.Namespace) -> None:
    """Everything, one process after the other."""
    given.folder.mkdir(parents=True, exist_ok=True)
    for size in given.sizes:
        made = given.folder / f"built-{size}.json"
        if not made.exists():
            made.write_text(json.dumps(started(given, "--build", str(size))), encoding="utf-8")
            print(f"built {size:,}: {made.read_text('utf-8')}", flush=True)
    if given.only_build:
        return
    rows: list[Measured] = []
    others: list[Peer] = []
    asked = [f"--haystack-python={given.haystack_python}"] * bool(given.haystack_python)
    asked += [f"--faiss-python={given.faiss_python}"] * bool(given.faiss_python)
    for size in given.sizes:
        read = started(given, "--measure", str(size))
        shares = {name: Timed(**timed) for name, timed in read.pop("shares").items()}
        rows.append(Measured(shares=shares, beside=Timed(**read.pop("beside")), **read))
        others += [Peer(**one) for one in started(given, "--peers", str(size), *asked)]
        print(f"measured {size:,}: {rows[-1].shares}", file=sys.stderr, flush=True)
    print(f"{len(questions(given.data))} questions; {machine()}\n\n{table(rows, others)}")
    given.plot.write_text(charts(rows, others), encoding="utf-8")


if __name__ == "__main__":
    main()
