"""The two stores side by side: the same documents in the home and in PostgreSQL, the same questions, in turns.

    python bench/stores.py --database-url postgresql://user@host/empty_database [--data DIR] [--home HOME]

The home is loaded with the four handbooks and copied with `ken migrate`, so that the database has to be an empty one with
the extension `vector`. Each question of dev.jsonl that has an answer is searched for in both, one after the other, in its
own collection and everywhere. Latency is of the whole search in process, the question's embedding included.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from ken.assistant.classify import standalone
from ken.domain.document import SearchResult
from ken.domain.principal import LOCAL_OPERATOR
from ken.evals import scoring
from ken.evals.cases import Case, load_cases
from ken.settings import load
from ken.wiring import Ken, open_home
from rig.handbooks import add_options, found, ken, loaded_home, machine

PASSAGES = 40
ROUNDS = 3
STORES = ("embedded", "PostgreSQL")
METRICS = ("doc_recall@5", "doc_hit@1", "mrr@10", "evidence_recall@5")


@dataclass(slots=True)
class Measured:
    """What one store gave."""

    values: list[tuple[float, ...]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    """The best passage of each question."""


def scored(case: Case, result: SearchResult) -> tuple[float, ...]:
    """The metrics of one question, in the order of METRICS."""
    documents = [item.document.id for item in result.evidence]
    gold = list(dict.fromkeys(piece.path for piece in case.gold))
    return (
        scoring.document_recall(gold, documents),
        scoring.top_document(gold, documents),
        scoring.reciprocal_rank(gold, documents),
        scoring.evidence_recall(
            [piece.evidence for piece in case.gold], [item.passage.shown for item in result.evidence]
        ),
    )


async def measure(stores: Sequence[Ken], cases: Sequence[Case], *, everywhere: bool) -> list[Measured]:
    """Ask every question of both stores, in turns, ROUNDS times; quality is the same in each round."""
    measured = [Measured() for _ in stores]
    for turn in range(ROUNDS + 1):
        for case in cases:
            collections = None if everywhere or case.collection == "all" else frozenset({case.collection})
            question = standalone(case.question, case.messages)
            for store, of in zip(stores, measured, strict=True):
                started = perf_counter()
                result = await store.library.search(question, LOCAL_OPERATOR, collections=collections, limit=PASSAGES)
                spent = (perf_counter() - started) * 1000
                if turn:  # the first round warms up
                    of.milliseconds.append(spent)
                else:
                    of.values.append(scored(case, result))
                    of.first.append(result.evidence[0].passage.id if result.evidence else "")
    return measured


def show(measured: Sequence[Measured], where: str) -> None:
    """One row a metric."""
    print(f"\n| {where} | {' | '.join(STORES)} |\n|---|---:|---:|")
    for number, metric in enumerate(METRICS):
        means = (np.mean([values[number] for values in of.values]) for of in measured)
        print(f"| {metric} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    for name, percent in (("p50", 50), ("p95", 95)):
        spent = (np.percentile(of.milliseconds, percent) for of in measured)
        print(f"| {name}, ms | {' | '.join(f'{one:.1f}' for one in spent)} |")
    same = sum(one == other for one, other in zip(measured[0].first, measured[1].first, strict=True))
    print(f"| the same best passage | {same} of {len(measured[0].first)} | |")


async def compare(home: Path, other: Path, *, url: str, cases: Sequence[Case]) -> None:
    """Open both stores and print both tables."""
    embedded = await open_home(load(home))
    shared = await open_home(load(other, database_url=url))
    try:
        for everywhere in (False, True):
            measured = await measure((embedded, shared), cases, everywhere=everywhere)
            show(measured, "everywhere" if everywhere else "own collection")
    finally:
        await shared.aclose()
        await embedded.aclose()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--database-url", help="an empty PostgreSQL database with the extension vector")
    given = parser.parse_args()
    if not found(given.data):
        return
    if given.database_url is None:
        print("Not measured: name an empty PostgreSQL database with --database-url.")
        return
    cases = [case for case in load_cases(given.data / "questions" / "dev.jsonl") if case.gold]
    with loaded_home(given.data, given.home) as home, tempfile.TemporaryDirectory() as other:
        started = perf_counter()
        ken(home, "migrate", "--to", given.database_url)
        print(f"{len(cases)} questions; migrated in {perf_counter() - started:.1f} s; {machine()}")
        (Path(other) / "models").symlink_to((home / "models").resolve())
        asyncio.run(compare(home, Path(other), url=given.database_url, cases=cases))


if __name__ == "__main__":
    main()
