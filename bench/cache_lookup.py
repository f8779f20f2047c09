"""What a lookup in the answer cache takes without the embedding, by the number of answers held in one key space.

    python bench/cache_lookup.py [--sizes 1000,10000,100000] [--lookups 300]

Answers are rows of a real database (SQLite in a temporary folder); their questions' vectors are drawn around some hundred
centres, so that neighbours are near, as questions of one subject are. Timed are whole lookups: the look into the database for
what other processes have kept, the nearest questions, their rows, how near they are and whether they agree, and the answer's
text. Three kinds of questions: asked before in the same words, in others, and new. Reading a question and embedding it is no
part of it: that is the embedder's time (bench/embedding.py).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ken.domain.answer import Answer
from ken.domain.cached import KeySpace, Repeatable
from ken.domain.filters import NO_FILTERS
from ken.domain.principal import LOCAL_OPERATOR
from ken.gateway.cache.categories import BUILT_IN
from ken.gateway.cache.figures import Figures
from ken.gateway.cache.sameness import Meaning, Sameness
from ken.gateway.cache.semantic import Asked, Bounds, SemanticCache
from ken.models.protocols import Embedder
from ken.storage.answers import CachedAnswers, Retiring, retire
from ken.storage.cache_figures import CacheFigures
from ken.storage.schema import cached_answers, cached_documents, cached_texts
from ken.storage.sqlite import SqliteDatabase
from ken.text.wording import read

DIMENSIONS, WORDS, CENTRES, SPREAD = 384, 64, 300, 0.7
SPACE = KeySpace(
    principal=LOCAL_OPERATOR,
    release="bench",
    category="general",
    vectors="00000000",
    collections=None,
    filters=NO_FILTERS,
    model=None,
    max_tokens=None,
)
THINGS = (
    "leave invoice laptop badge parking travel pension training budget contract server backup release incident".split()
)
ASKS = (
    ("How do I request {a} for {b}?", "What do I have to do to request {a} for {b}?"),
    ("Who approves {a} of {b}?", "By whom is {a} of {b} approved?"),
    ("When is {a} of {b} due?", "By when is {a} of {b} due?"),
)
TEXT = Repeatable(Answer(trace_id="", text="It is approved by the head of the team. [1] " * 8, outcome="answered"))
BATCH = 2_000


class Drawn:
    """Questions with vectors: the same at every run."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(7)
        self._centres = self._random.standard_normal((CENTRES, DIMENSIONS)).astype(np.float32)
        self._words = self._random.standard_normal((5_000, WORDS)).astype(np.float32)

    def question(self, number: int) -> tuple[str, str]:
        """A question of its own, and the same in other words."""
        ask, other = ASKS[number % len(ASKS)]
        named = {"a": f"the {THINGS[number % len(THINGS)]}", "b": f"team {number}"}
        return ask.format(**named), other.format(**named)

    def vector(self, number: int) -> NDArray[np.float32]:
        """Of length 1."""
        drawn = np.random.default_rng(number).standard_normal(DIMENSIONS).astype(np.float32)
        vector = self._centres[number % CENTRES] + SPREAD * drawn
        return vector / np.linalg.norm(vector)

    def meaning(self, text: str, vector: NDArray[np.float32]) -> Meaning:
        """A question as it is compared: each of its words has a vector of its own."""
        rows = [self._words[hash(word.key) % len(self._words)] for word in read(text).words]
        words = np.stack(rows) if rows else np.zeros((0, WORDS), np.float32)
        unit = words / np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9)
        return Meaning.restored(text, vector, words=np.rint(unit * 127).astype(np.int8))


def rows(drawn: Drawn, *, first: int, last: int) -> Iterator[dict[str, object]]:
    """Answers as they lie in the table."""
    now = time.time()
    for number in range(first, last):
        text, _ = drawn.question(number)
        meaning = drawn.meaning(text, drawn.vector(number))
        yield {
            "id": number + 1,
            "key": asked(text).key,
            "space": SPACE.name,
            "scope": "all",
            "release": "bench",
            "category": "general",
            "question": text,
            "terms": [],
            "vectors": SPACE.vectors,
            "vector": meaning.vector.astype(np.float16).tobytes(),
            "words": meaning.words.tobytes(),
            "searched": meaning.vector.astype(np.float16).tobytes(),
            "score": 15.0,
            "dense": 0.6,
            "trace_id": f"{number:032x}",
            "model": "bench",
            "corpus_version": 1,
            "made_at": now,
            "expires_at": now + 1e6,
            "used_at": now,
        }


def asked(text: str) -> Asked:
    """A question to the cache."""
    return Asked(text=text, space=SPACE, category=BUILT_IN[-1], today="2026-11-22")


def fill(database: SqliteDatabase, drawn: Drawn, *, first: int, last: int) -> None:
    """Put answers into the database, each resting on four of 1,000 documents."""
    text = json.dumps({"answer": {"trace_id": "", "text": TEXT.answer.text, "outcome": "answered"}, "cuts": []})
    for start in range(first, last, BATCH):
        some = list(rows(drawn, first=start, last=min(start + BATCH, last)))
        with database.write(durable=False) as connection:
            connection.execute(sa.insert(cached_answers), some)
            connection.execute(sa.insert(cached_texts), [{"answer": row["id"], "text": text} for row in some])
            rests = [
                {
                    "answer": row["id"],
                    "document_id": f"d{(number * 7 + at) % 1000}",
                    "version": "v",
                    "groups": [],
                    "cited": True,
                }
                for number, row in enumerate(some)
                for at in range(4)
            ]
            connection.execute(sa.insert(cached_documents), rests)


def measure(cache: SemanticCache, drawn: Drawn, *, size: int, lookups: int) -> None:
    """Print the times of lookups of each kind."""
    sameness = Sameness(_no_embedder())
    chosen = random.Random(1).sample(range(size), min(lookups, size))
    kinds: dict[str, list[float]] = {"same words": [], "other words": [], "new": []}
    processor: dict[str, list[float]] = {name: [] for name in kinds}
    hits = dict.fromkeys(kinds, 0)
    for number in chosen:
        text, other = drawn.question(number)
        near = drawn.vector(number) + 0.15 * drawn.vector(number + size)
        near /= np.linalg.norm(near)
        new = f"Why does team {number} not get a {THINGS[number % 7]} in spring?"
        for name, words in (("same words", text), ("other words", other), ("new", new)):
            meaning = drawn.meaning(words, near)
            question = asked(words)
            began, busy = time.perf_counter(), time.thread_time()
            found = cache.exact(question) or cache.similar(question, meaning, sameness=sameness)
            kinds[name].append((time.perf_counter() - began) * 1000)
            processor[name].append((time.thread_time() - busy) * 1000)
            hits[name] += found.found is not None
    for name, took in kinds.items():
        p50, p95, p99 = np.percentile(took, [50, 95, 99])
        print(
            f"{size:>8,}  {name:<12} p50 {p50:5.2f} ms  p95 {p95:5.2f}  p99 {p99:5.2f}  of it processor "
            f"{np.median(processor[name]):5.2f}  given {hits[name] / len(took):.2f}"
        )


def _no_embedder() -> Embedder:
    return None  # pyright: ignore[reportReturnType] - comparing takes none


def main() -> None:
    """Fill, look up, and retire."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--lookups", type=int, default=300)
    given = parser.parse_args()
    drawn, held = Drawn(), 0
    with tempfile.TemporaryDirectory() as place:
        database = SqliteDatabase(Path(place))
        cache = SemanticCache(
            answers=CachedAnswers(database),
            figures=Figures(CacheFigures(database)),
            categories={"general": BUILT_IN[-1]},
            bounds=replace(Bounds(), entries=1_000_000),
        )
        for size in map(int, given.sizes.split(",")):
            fill(database, drawn, first=held, last=size)
            held = size
            began = time.perf_counter()
            cache.exact(asked("What is new?"))
            print(f"{size:>8,}  read from the database in {time.perf_counter() - began:.2f} s")
            began = time.perf_counter()
            while cache.is_preparing:
                time.sleep(0.05)
            print(f"{size:>8,}  graph after {time.perf_counter() - began:.1f} s")
            measure(cache, drawn, size=size, lookups=given.lookups)
        began = time.perf_counter()
        with database.write() as connection:
            gone = retire(connection, Retiring())
        print(f"{held:>8,}  a sync that retires {gone:,}: {time.perf_counter() - began:.2f} s")
        database.close()


if __name__ == "__main__":
    main()
