"""What recording costs a question, and how many bytes it leaves.

    python bench/recording.py [--rounds 12] [--questions 40] [--kept 4000] [--home HOME]

Path: one process, the example handbook, the extractive reader, no answer cache. The same questions are asked with the record and
without (a recorder that takes nothing and does nothing; spans are made all the same), in turns and in either order: one by one,
when the writer's thread has nothing to do, and one after the other, when it works beside them, as in a server that is kept busy.
Everything is kept whole, and events are written to files. Processor's times hardly depend on what else the machine does.

Bytes: the traces of those questions are written under new ids, 15 % of them to be kept whole, thinned after the grace period and
again after that of whole ones, and the database is packed before each look at its size.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ken.assistant.answer import Assistant
from ken.domain.answer import Question
from ken.domain.events import Answered
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.trace import Trace
from ken.evals.cases import load_cases
from ken.settings import load
from ken.storage.forgetting import Forgetting
from ken.storage.record import Record
from ken.storage.rollups import Rollups
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.capture import DAY_S, CaptureRules
from ken.telemetry.event_sink import events_of
from ken.telemetry.preparing import Preparing
from ken.telemetry.rollup import Aggregator
from ken.telemetry.slowness import Slowness
from ken.wiring import Ken, open_home
from rig.handbooks import PROJECT, machine, sync

EXAMPLES = PROJECT / "examples"
BATCH = 64
DAYS = 365


class Nothing:
    """A recorder that takes nothing."""

    def record(self, trace: Trace) -> None:
        """Leave it."""


class Keeping:
    """A recorder that remembers what it was given."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []

    def record(self, trace: Trace) -> None:
        """Remember it."""
        self.traces.append(trace)


async def ask(assistant: Assistant, question: str) -> float:
    """Ask, and return the milliseconds until the answer was whole and settled."""
    began = time.perf_counter()
    async for event in assistant.answer(Question(text=question, principal=LOCAL_OPERATOR)):
        answered = isinstance(event, Answered)
    assert answered
    return (time.perf_counter() - began) * 1000


async def one_by_one(ken: Ken, without: Assistant, *, questions: Sequence[str], rounds: int) -> None:
    """What a lone question takes: asked with the record and without, in either order, each when the writer has nothing to do."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for at, question in enumerate(questions):
            for records in (True, False) if (number + at) % 2 else (False, True):
                took[records].append(await ask(ken.assistant if records else without, question))
                await asyncio.to_thread(ken.recorder.flush)
    print(f"one by one, {len(took[True])} questions each way:")
    shown(took)
    pairs = sorted(on - off for on, off in zip(took[True], took[False], strict=True))
    print(f"  median of the pairs' differences: {statistics.median(pairs):.3f} ms")


async def busy(ken: Ken, without: Assistant, *, questions: Sequence[str], rounds: int) -> None:
    """What a question takes when the next one follows at once, so that the writer works beside it; and the processor's time."""
    writer = next(each for each in threading.enumerate() if each.name == "ken-recorder")
    clock = time.pthread_getcpuclockid(writer.ident or 0)
    took: dict[bool, list[float]] = {True: [], False: []}
    processor: dict[bool, list[float]] = {True: [], False: []}
    spent: list[float] = []
    for number in range(rounds):
        for records in (True, False) if number % 2 else (False, True):
            await asyncio.to_thread(ken.recorder.flush)
            own, whole = time.clock_gettime(clock), time.process_time()
            took[records] += [await ask(ken.assistant if records else without, question) for question in questions]
            await asyncio.to_thread(ken.recorder.flush)
            processor[records].append((time.process_time() - whole) / len(questions) * 1000)
            if records:
                spent.append((time.clock_gettime(clock) - own) / len(questions) * 1000)
    print(f"one after the other, {len(took[True])} questions each way:")
    shown(took)
    on, off, own = (statistics.median(each) for each in (processor[True], processor[False], spent))
    print(f"  processor's time of the process: {on:.2f} ms a question with the record, {off:.2f} without")
    print(f"  of it the writer's: {own:.3f} ms; what is left on the question's path: {on - off - own:.3f} ms")


def shown(took: dict[bool, list[float]]) -> None:
    """Percentiles of both ways."""
    for name, values in (("with the record", took[True]), ("without", took[False])):
        cuts = statistics.quantiles(values, n=100)
        print(f"  {name:<18} p50 {cuts[49]:7.3f} ms   p95 {cuts[94]:7.3f}   p99 {cuts[98]:7.3f}")


async def path(ken: Ken, questions: Sequence[str], *, rounds: int) -> None:
    """What a question takes with the record and without."""
    without = Assistant(replace(ken.assistant.parts, recorder=Nothing()))  # type: ignore[arg-type]
    for each in (ken.assistant, without):
        for question in questions:
            await ask(each, question)
    await asyncio.to_thread(ken.recorder.flush)
    newest = ken.traces.list(LOCAL_OPERATOR, limit=1).entries[0].id
    print(f"{len(ken.traces.get(newest, LOCAL_OPERATOR).spans)} spans a trace")
    await one_by_one(ken, without, questions=questions, rounds=max(1, rounds // 4))
    await busy(ken, without, questions=questions, rounds=rounds)


async def collected(ken: Ken, questions: Sequence[str]) -> list[Trace]:
    """The traces of the questions, as they come to the recorder."""
    keeping = Keeping()
    assistant = Assistant(replace(ken.assistant.parts, recorder=keeping))  # type: ignore[arg-type]
    for question in questions:
        await ask(assistant, question)
    return keeping.traces


def handing_over(ken: Ken, traces: Sequence[Trace]) -> None:
    """What `record` itself takes of the question's time."""
    took: list[float] = []
    for trace in traces * 10:
        fresh = replace(trace, id=secrets.token_hex(16))
        began = time.perf_counter()
        ken.recorder.record(fresh)
        took.append((time.perf_counter() - began) * 1e6)
        if len(took) % BATCH == 0:
            ken.recorder.flush()
    cuts = statistics.quantiles(took, n=100)
    print(f"handing over: p50 {cuts[49]:.1f} µs, p99 {cuts[98]:.1f} µs")


def parts(traces: Sequence[Trace]) -> None:
    """Where the writer's time goes, step by step, per trace."""
    preparing, slowness, aggregator = Preparing(), Slowness(), Aggregator()
    steps: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        steps[name] = steps.get(name, 0.0) + time.thread_time() - began

    with tempfile.TemporaryDirectory() as folder:
        database = SqliteDatabase(Path(folder) / "home")
        record = Record(database, CaptureRules())
        for _ in range(10):
            batch = [replace(trace, id=secrets.token_hex(16)) for trace in traces][:BATCH]
            began = time.thread_time()
            clean = [preparing.redactor.trace(trace) for trace in batch]
            timed("redact", began)
            began = time.thread_time()
            ready = [preparing.recorded(trace, slowness) for trace in clean]
            timed("redact again, measure, decide", began)
            began = time.thread_time()
            for each in ready:
                aggregator.fold(each)
            cells = aggregator.take()
            timed("count", began)
            began = time.thread_time()
            record.add(ready, cells)
            timed("write", began)
            began = time.thread_time()
            for each in ready:
                for event in events_of(each):
                    event.json("secrets")
            timed("events as JSON", began)
        database.close()
    many = 10 * min(len(traces), BATCH)
    for name, seconds in steps.items():
        print(f"  {name:<30} {seconds / many * 1e6:7.1f} µs")


async def growth(traces: Sequence[Trace], kept: int) -> None:
    """Bytes of a question: whole, as figures, as events; and a year of them."""
    rules = CaptureRules()
    now = time.time()
    with tempfile.TemporaryDirectory() as folder:
        database = SqliteDatabase(Path(folder) / "home")
        database.scrub()
        empty = database.path.stat().st_size
        record, preparing, aggregator = Record(database, rules), Preparing(rules=rules), Aggregator()
        events = full = 0
        for start in range(0, kept, BATCH):
            batch = [
                preparing.recorded(
                    replace(traces[number % len(traces)], id=secrets.token_hex(16), started_at=now - number)
                )
                for number in range(start, min(start + BATCH, kept))
            ]
            full += sum(each.capture == "full" for each in batch)
            events += sum(len(event.json("secrets")) + 1 for each in batch for event in events_of(each))
            record.add(batch)
            for each in batch:
                aggregator.fold(each)
        database.scrub()
        whole = (database.path.stat().st_size - empty) / kept
        forgetting = Forgetting(database, rules)
        while forgetting.thin(now + 2 * DAY_S).more:
            pass
        database.scrub()
        mixed = (database.path.stat().st_size - empty) / kept
        while forgetting.thin(now + 91 * DAY_S).more:
            pass
        database.scrub()
        figures = (database.path.stat().st_size - empty) / kept
        Rollups(database).add(aggregator.take())
        database.close()
    share = full / kept
    extra = (mixed - figures) / share
    print(f"bytes a question: {whole:,.0f} whole, {mixed:,.0f} after the grace period ({share:.0%} kept whole),")
    print(f"  {figures:,.0f} as figures, with their indexes; {events / kept:,.0f} of events")
    print("| questions a day | figures, 1 year | whole, 90 days | grace, 1 day | events, 30 days | together |")
    print("|---:|---:|---:|---:|---:|---:|")
    for rate in (1_000, 10_000):
        plan = [
            rate * DAYS * figures,
            rate * 90 * share * extra,
            rate * (whole - figures) * (1 - share),
            min(1e9, rate * 30 * events / kept),
        ]
        cells = " | ".join(f"{size / 1e6:,.0f} MB" for size in (*plan, sum(plan)))
        print(f"| {rate:,} | {cells} |")


async def main(options: argparse.Namespace, home: Path) -> None:
    """Measure all of it."""
    print(machine())
    if not (home / "ken.db").exists():
        sync(home, EXAMPLES / "handbook")
    questions = list(
        dict.fromkeys(case.question for case in load_cases(EXAMPLES / "questions.jsonl") if not case.history)
    )
    settings = load(home, cache=False, capture={"sample": 1.0})
    ken = await open_home(settings)
    try:
        await path(ken, questions[: options.questions], rounds=options.rounds)
        traces = await collected(ken, questions[: options.questions])
        handing_over(ken, traces)
    finally:
        await ken.aclose()
    print("the writer's time by step, a trace:")
    parts(traces)
    await growth(traces, options.kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--kept", type=int, default=4_000)
    parser.add_argument("--home", type=Path, help="keep the loaded home there, and use it again")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ken-bench-") as temporary:
        asyncio.run(main(chosen, chosen.home or Path(temporary) / "home"))
