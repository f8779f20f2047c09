"""What Ken adds to a question: over HTTP on loopback, 640 documents, recording on, no answer cache.

    python bench/overhead.py [--data DIR] [--home HOME] [--rounds 3]

`added` is the time that a client sees, less what embedding the question and writing the answer took by the trace; the
verifier's work, which runs while the model writes, is put back. Every round starts a server for each row, warms it up
with other questions and asks each of the 300 questions once; percentiles are of a round, and the median over rounds is
shown. The client runs on the same cores. The reader is the extractive one; its time is in `end to end` and in the
questions a second. `processor` is the server's own time on all cores for a question, embedding and reader included: it
hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ken.evals.cases import load_cases
from rig.handbooks import OWN_QUESTIONS, PROJECT, add_options, found, loaded_home, machine
from rig.server import ASK, OPENAI, Client, Server, client, serving

QUESTIONS = 300
STAGES = ("intake", "screen", "classify", "recall", "retrieve", "assemble", "route", "generate", "verify", "settle")
PARTS = ("embed", "rank", "load")
"""What retrieve notes of itself: the question's vector, the ranking, the passages read from the database."""
NO_CACHE = {"KEN_CACHE": "false"}
WARM_UP = PROJECT / "examples" / "questions.jsonl"

Row = dict[str, float]


def distinct_questions(data: Path) -> list[str]:
    """The first 300 different questions of the two sets that stand alone, from both in turn."""
    sets = [load_cases(path) for path in (data / "questions" / "dev.jsonl", OWN_QUESTIONS)]
    alone = [[case.question for case in cases if not case.history] for cases in sets]
    both = alone[0][: QUESTIONS // 2] + alone[1]
    chosen = list(dict.fromkeys(both))[:QUESTIONS]
    assert len(chosen) == QUESTIONS
    return chosen


def warm_up(server: Server) -> None:
    """Ask about another handbook."""
    with client(server) as asking:
        for case in load_cases(WARM_UP)[:20]:
            asking.ask(case.question, door=ASK)


def times(asking: Client, questions: Sequence[str], *, door: str) -> list[Row]:
    """Ask one after the other; then read the traces, for what each stage took of each answer."""
    answered = [asking.ask(question, door=door) for question in questions]
    rows: list[Row] = []
    for ms, answer in answered:
        trace = asking.get(f"/api/traces/{answer.get('trace_id') or answer['ken']['trace_id']}")
        rows.append({"end to end": ms, **taken(trace)} | {"added": ms - modelled(trace)})
    return rows


def taken(trace: dict[str, Any]) -> Row:
    """Milliseconds of each stage, and of the parts of retrieve."""
    spans = {span["name"]: span for span in trace["spans"] if span["name"] in STAGES}
    noted = spans.get("retrieve", {}).get("attributes", {})
    parts = {f"retrieve: {part}": noted[f"{part}_ms"] for part in PARTS if f"{part}_ms" in noted}
    return {name: span["ms"] for name, span in spans.items()} | parts


def modelled(trace: dict[str, Any]) -> float:
    """Milliseconds in which a model worked: the embedder, and the reader without the checks made meanwhile."""
    spans = {span["name"]: span for span in trace["spans"]}
    embed = spans.get("retrieve", {}).get("attributes", {}).get("embed_ms", 0.0)
    if "generate" not in spans:
        return float(embed)
    verify = spans.get("verify", {"ms": 0.0, "attributes": {}})
    checked_meanwhile = max(0.0, verify["attributes"].get("checking_ms", 0.0) - verify["ms"])
    return float(embed + spans["generate"]["ms"] - checked_meanwhile)


def percentiles(rounds: Sequence[Sequence[Row]], name: str) -> str:
    """The p50, p95 and p99 of a column, each the median over the rounds, as cells."""
    each = [np.percentile([row[name] for row in rows if name in row], [50, 95, 99]) for rows in rounds]
    return " | ".join(f"{value:.1f}" for value in np.median(each, axis=0))


def throughput(server: Server, questions: Sequence[str], *, clients: int) -> tuple[float, float, list[float]]:
    """Questions a second with so many clients, the server's processor milliseconds a question, and what each took."""
    waiting = [questions[i::clients] for i in range(clients)]

    def work(own: Sequence[str]) -> list[float]:
        with client(server) as asking:
            return [asking.ask(question, door=OPENAI)[0] for question in own]

    started, used = time.perf_counter(), server.cpu_s()
    with ThreadPoolExecutor(clients) as pool:
        took = [ms for each in pool.map(work, waiting) for ms in each]
    seconds, used = time.perf_counter() - started, server.cpu_s() - used
    return len(questions) / seconds, used / len(questions) * 1000, took


def in_rounds(home: Path, measure: Callable[[Server], list[Row]], *, rounds: int, cache: bool) -> list[list[Row]]:
    """Measure on a fresh server, so many times."""
    found_rows: list[list[Row]] = []
    for _ in range(rounds):
        with serving(home, settings={} if cache else NO_CACHE) as server:
            warm_up(server)
            found_rows.append(measure(server))
    return found_rows


def print_added(home: Path, questions: Sequence[str], *, rounds: int) -> None:
    """One row for each door, with and without the cache; then the stages."""
    print("| door | what | p50 ms | p95 ms | p99 ms |")
    print("|---|---|---:|---:|---:|")
    stages: list[list[Row]] = []
    for door in (OPENAI, ASK):

        def fresh(server: Server, door: str = door) -> list[Row]:
            with client(server) as asking:
                return times(asking, questions, door=door)

        measured = in_rounds(home, fresh, rounds=rounds, cache=False)
        for name in ("added", "end to end"):
            print(f"| {door.partition('?')[0]} | {name} | {percentiles(measured, name)} |", flush=True)
        stages = stages or measured

    def again(server: Server) -> list[Row]:
        with client(server) as asking:
            for question in questions:
                asking.ask(question, door=OPENAI)
            return [{"end to end": asking.ask(question, door=OPENAI)[0]} for question in questions]

    repeated = in_rounds(home, again, rounds=rounds, cache=True)
    print(f"| {OPENAI} | end to end, asked before | {percentiles(repeated, 'end to end')} |")
    print("\n| stage | p50 ms | p95 ms | p99 ms |\n|---|---:|---:|---:|")
    for stage in (*STAGES, *(f"retrieve: {part}" for part in PARTS)):
        print(f"| {stage} | {percentiles(stages, stage)} |")


def print_throughput(home: Path, questions: Sequence[str], *, rounds: int) -> None:
    """One row for each number of clients; the numbers take turns."""
    numbers = (1, 4, 16)
    rates: dict[int, list[float]] = {number: [] for number in numbers}
    used: dict[int, list[float]] = {number: [] for number in numbers}
    took: dict[int, list[list[Row]]] = {number: [] for number in numbers}
    for _ in range(rounds):
        for number in numbers:
            with serving(home, settings=NO_CACHE) as server:
                warm_up(server)
                rate, used_ms, times_ms = throughput(server, questions, clients=number)
                rates[number].append(rate)
                used[number].append(used_ms)
                took[number].append([{"end to end": ms} for ms in times_ms])
    print(
        "\n| clients at once | questions/s | processor ms | p50 ms | p95 ms | p99 ms |\n|---:|---:|---:|---:|---:|---:|"
    )
    for number in numbers:
        cells = f"{statistics.median(rates[number]):.0f} | {statistics.median(used[number]):.1f}"
        print(f"| {number} | {cells} | {percentiles(took[number], 'end to end')} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="only so many, to try the script")
    given = parser.parse_args()
    if not found(given.data):
        return
    questions = distinct_questions(given.data)[: given.questions]
    with loaded_home(given.data, given.home) as home:
        print(f"{len(questions)} questions, {given.rounds} rounds; {machine()}\n")
        print_added(home, questions, rounds=given.rounds)
        print_throughput(home, questions, rounds=given.rounds)
        print(f"\nAt the end: {machine()}")


if __name__ == "__main__":
    main()
