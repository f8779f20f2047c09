"""The semantic cache beside gptcache on pairs of questions: true paraphrases, and traps that differ in one thing.

    python bench/cache_pairs.py [--peer-python PEER/bin/python] [--part report] [--show]

Each pair of bench/questions/pairs.jsonl is a cache of one question that is asked another; both caches are given the same
MiniLM vectors. A hit on a paraphrase is true, one on a trap false. Then all first questions lie in one cache and all second
ones are asked: what is found there may be another pair's, which nobody has labelled, so it is counted apart. Last, 100,000
entries are looked up in, without the embedding. gptcache decides by its SearchDistanceEvaluation over faiss and SQLite:

    python -m venv PEER && PEER/bin/pip install gptcache faiss-cpu

Without --peer-python only Ken's figures are printed. `--show` prints each pair that was told wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ken.gateway.cache.agreement import agree, read
from ken.gateway.cache.sameness import Meaning, Sameness
from ken.gateway.cache.vectors import QuestionVectors
from ken.models.minilm import MiniLM
from ken.settings import load
from rig.handbooks import PROJECT, machine

PAIRS = PROJECT / "bench" / "questions" / "pairs.jsonl"
THRESHOLD = 0.93
THRESHOLDS = (0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)
PEER_THRESHOLDS = tuple(round(0.6 + step * 0.005, 3) for step in range(80))
HIT_RATES = (0.95, 0.9, 0.8)
LEAST_COSINE = 0.35
LOOKED_AT = 8
ENTRIES = 100_000
LOOKUPS = 300

PEER = """
import importlib.metadata, json, logging, sys, tempfile, time
import numpy as np
logging.disable(logging.CRITICAL)
from gptcache import Cache, Config
from gptcache.adapter.api import get, put
from gptcache.manager import manager_factory
from gptcache.processor.pre import get_prompt
from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation
order = json.load(open(sys.argv[1]))
vectors = dict(zip(order["texts"], np.load(sys.argv[2])))
def cache():
    made = Cache()
    folder = tempfile.mkdtemp(dir=sys.argv[3])
    manager = manager_factory("sqlite,faiss", data_dir=folder, vector_params={"dimension": 384})
    made.init(pre_embedding_func=get_prompt, embedding_func=lambda text, **_: vectors[text], data_manager=manager,
              similarity_evaluation=SearchDistanceEvaluation(), config=Config(similarity_threshold=0.8))
    return made
def highest(asked, made):
    low, high = 0, len(order["thresholds"])
    while low < high:
        middle = (low + high) // 2
        made.config.similarity_threshold = order["thresholds"][middle]
        if get(asked, cache_obj=made) is None:
            high = middle
        else:
            low = middle + 1
    return order["thresholds"][low - 1] if low else 0.0
print(json.dumps(importlib.metadata.version("gptcache")), flush=True)
alone = []
for a, b in order["pairs"]:
    made = cache()
    put(a, a, cache_obj=made)
    alone.append(highest(b, made))
print(json.dumps(alone), flush=True)
print("pairs done", time.perf_counter(), file=sys.stderr, flush=True)
full = cache()
texts = order["entries"]
stored = np.load(sys.argv[4])
vectors.update({text: stored[row] for row, text in enumerate(texts)})
full.data_manager.import_data(texts, texts, [stored[row] for row in range(len(texts))], [None] * len(texts))
times = []
for asked in order["lookups"]:
    started = time.perf_counter()
    get(asked, cache_obj=full)
    times.append((time.perf_counter() - started) * 1000)
print(json.dumps(times), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, and whether the answer to one answers the other."""

    a: str
    b: str
    kind: str
    same: bool


def pairs_of(part: str) -> list[Pair]:
    """The pairs of one half."""
    rows = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]
    return [Pair(row["a"], row["b"], row["kind"], row["same"]) for row in rows if row["part"] == part]


async def read_all(texts: Sequence[str]) -> dict[str, Meaning]:
    """Each question as the cache keeps it."""
    sameness = Sameness(MiniLM(load(None).home / "models"))
    return {text: await sameness.read(text) for text in texts}


def curve(
    name: str, pairs: Sequence[Pair], *, is_hit: Callable[[int, float], bool], thresholds: Sequence[float]
) -> None:
    """Print hit rate against the false share of hits, the better half of precision and recall."""
    print(f"\n| {name}: threshold | hit rate of paraphrases | false among hits | share |\n|---|---:|---:|---:|")
    for threshold in thresholds:
        hits = [pair for index, pair in enumerate(pairs) if is_hit(index, threshold)]
        true = sum(pair.same for pair in hits)
        false = len(hits) - true
        rate = true / sum(pair.same for pair in pairs)
        print(f"| {threshold:.3f} | {rate:.3f} | {false} of {len(hits)} | {100 * false / max(1, len(hits)):.1f} % |")


def by_kind(pairs: Sequence[Pair], columns: dict[str, Sequence[bool]]) -> None:
    """Print which share of each kind was told right."""
    print("\n| kind | pairs |" + "".join(f" {name} |" for name in columns) + "\n|---|---:|" + "---:|" * len(columns))
    kinds = Counter(pair.kind for pair in pairs)
    for kind, count in sorted(kinds.items(), key=lambda found: (found[0] != "paraphrase", found[0])):
        cells = []
        for hits in columns.values():
            right = sum(hit == pair.same for pair, hit in zip(pairs, hits, strict=True) if pair.kind == kind)
            cells.append(f" {100 * right / count:.1f} % |")
        print(f"| {kind if kind == 'paraphrase' else kind + ', refused'} | {count} |" + "".join(cells))


def in_one_cache(pairs: Sequence[Pair], kept: dict[str, Meaning], *, show: bool) -> None:
    """Print what is found where all first questions lie in one cache."""
    entries = list(dict.fromkeys(pair.a for pair in pairs))
    known = {(pair.a, pair.b): pair.same for pair in pairs} | {(pair.b, pair.a): pair.same for pair in pairs}
    vectors = QuestionVectors(threading.Lock(), graph_from=ENTRIES + 1)
    for row, text in enumerate(entries):
        vectors.add(row, "all", vector=kept[text].vector)
    counts: Counter[str] = Counter()
    for pair in pairs:
        found = look_up(kept[pair.b], vectors, entries=[kept[text] for text in entries])
        if found is None:
            counts["paraphrases missed" if pair.same else "traps that found nothing"] += 1
            continue
        same = known.get((entries[found], pair.b), True if entries[found] == pair.b else None)
        outcome = {True: "true", False: "false", None: "another pair's"}[same]
        counts[f"{'paraphrases' if pair.same else 'traps'}: {outcome}"] += 1
        if show and same is None:
            print(f"another pair's: {pair.b} <- {entries[found]}")
    print(f"\nAll {len(entries)} first questions in one cache, each second one asked: {dict(sorted(counts.items()))}")


def look_up(asked: Meaning, vectors: QuestionVectors, *, entries: Sequence[Meaning]) -> int | None:
    """The entry whose answer is given; None for none."""
    near = vectors.near("all", asked.vector, least=LEAST_COSINE, limit=LOOKED_AT)
    similarities = Sameness.similarity(asked, [entries[row] for row in near])
    for place in np.argsort(-similarities, kind="stable"):
        if similarities[place] < THRESHOLD:
            break
        if agree(asked.asked, entries[near[place]].asked) is None:
            return near[place]
    return None


def many(kept: dict[str, Meaning]) -> tuple[list[str], np.ndarray, list[Meaning]]:
    """100,000 entries: questions with vectors of their neighbourhood, so that each lookup finds as many as it looks at."""
    texts = sorted(kept)
    draw = np.random.default_rng(5)
    chosen = draw.integers(len(texts), size=ENTRIES)
    noise = draw.normal(size=(ENTRIES, 384)).astype(np.float32) * 0.02
    vectors = np.stack([kept[texts[row]].vector for row in chosen]) + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (
        [f"{texts[row]} [{number}]" for number, row in enumerate(chosen)],
        vectors,
        [kept[texts[row]] for row in chosen],
    )


def timed(kept: dict[str, Meaning], vectors: np.ndarray, *, entries: Sequence[Meaning], asked: Sequence[str]) -> None:
    """Print what a lookup takes, and what comparing one candidate takes of it."""
    index = QuestionVectors(threading.Lock(), graph_from=ENTRIES + 1)
    for row in range(len(vectors)):
        index.add(row, "all", vector=vectors[row])
    whole, alone = [], []
    for text in asked:
        started = time.perf_counter()
        look_up(kept[text], index, entries=entries)
        whole.append((time.perf_counter() - started) * 1000)
        other = entries[len(whole)]
        started = time.perf_counter()
        Sameness.similarity(kept[text], [other])
        agree(kept[text].asked, other.asked)
        alone.append((time.perf_counter() - started) * 1000)
    read.cache_clear()
    started = time.perf_counter()
    for text in asked:
        read(text)
    reading = (time.perf_counter() - started) * 1000 / len(asked)
    print(f"\nKen, {len(vectors)} entries, without the embedding: {spread(whole)}")
    print(
        f"of which one candidate (similarity and agreement): {spread(alone)}; reading a question, once: {reading:.2f} ms"
    )


def spread(times: Sequence[float]) -> str:
    """Median and 99th percentile."""
    return f"p50 {statistics.median(times):.2f} ms, p99 {np.quantile(times, 0.99):.2f} ms"


def main() -> None:
    """Compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, help="an interpreter with gptcache and faiss-cpu")
    parser.add_argument("--part", default="report", choices=("tune", "report"))
    parser.add_argument("--show", action="store_true", help="print what was told wrong")
    given = parser.parse_args()
    print(machine())
    pairs = pairs_of(given.part)
    kept = asyncio.run(read_all(sorted({text for pair in pairs for text in (pair.a, pair.b)})))
    similar = [float(Sameness.similarity(kept[pair.b], [kept[pair.a]])[0]) for pair in pairs]
    reasons = [agree(kept[pair.b].asked, kept[pair.a].asked) for pair in pairs]
    columns: dict[str, Sequence[bool]] = {
        f"Ken at {THRESHOLD}": [s >= THRESHOLD and r is None for s, r in zip(similar, reasons, strict=True)]
    }
    curve(
        "Ken", pairs, is_hit=lambda i, threshold: similar[i] >= threshold and reasons[i] is None, thresholds=THRESHOLDS
    )
    curve(
        "Ken, similarity alone", pairs, is_hit=lambda i, threshold: similar[i] >= threshold, thresholds=(0.9, THRESHOLD)
    )
    if given.show:
        for pair, hit, similarity, reason in zip(pairs, next(iter(columns.values())), similar, reasons, strict=True):
            if hit != pair.same:
                print(f"{pair.kind} {similarity:.2f} {reason or ''} | {pair.a} | {pair.b}")
    in_one_cache(pairs, kept, show=given.show)
    entries, vectors, meanings = many(kept)
    asked = random.Random(3).choices(sorted(kept), k=LOOKUPS)
    timed(kept, vectors, entries=meanings, asked=asked)
    by_kind(pairs, columns)
    if given.peer_python:
        known = {text: meaning.vector for text, meaning in kept.items()}
        peer(given.peer_python, pairs, known=known, stored=(entries, vectors, asked), columns=columns)
        by_kind(pairs, columns)


def peer(
    python: Path,
    pairs: Sequence[Pair],
    *,
    known: dict[str, np.ndarray],
    stored: tuple[list[str], np.ndarray, list[str]],
    columns: dict[str, Sequence[bool]],
) -> None:
    """Let gptcache decide the same pairs, and look up in as many entries."""
    entries, vectors, asked = stored
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        order = {
            "texts": list(known), "pairs": [[pair.a, pair.b] for pair in pairs], "thresholds": PEER_THRESHOLDS,
            "entries": entries, "lookups": asked,
        }  # fmt: skip
        (place / "order.json").write_text(json.dumps(order), "utf-8")
        np.save(place / "known.npy", np.stack(list(known.values())))
        np.save(place / "stored.npy", vectors)
        (place / "peer.py").write_text(PEER, "utf-8")
        names = ["peer.py", "order.json", "known.npy", ".", "stored.npy"]
        done = subprocess.run([python, *names], cwd=place, capture_output=True, text=True, check=True)
    version, highest, times = [json.loads(line) for line in done.stdout.splitlines() if line[:1] in '"[']
    name = f"gptcache {version}"
    curve(
        name,
        pairs,
        is_hit=lambda i, threshold: highest[i] >= threshold,
        thresholds=(0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98),
    )
    same = [reached for reached, pair in zip(highest, pairs, strict=True) if pair.same]
    at = [max(t for t in PEER_THRESHOLDS if sum(x >= t for x in same) >= rate * len(same)) for rate in HIT_RATES]
    curve(
        f"{name} at the hit rates {HIT_RATES}",
        pairs,
        is_hit=lambda i, threshold: highest[i] >= threshold,
        thresholds=at,
    )
    columns[f"{name} at 0.8"] = [reached >= 0.8 for reached in highest]
    columns[f"{name} at {at[-1]}"] = [reached >= at[-1] for reached in highest]
    print(f"\n{name}, {len(entries)} entries, without the embedding: {spread(times)}")


if __name__ == "__main__":
    main()
