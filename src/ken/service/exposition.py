"""What a running Ken tells Prometheus, read where it is counted anyway.

The text form is that of prometheus.io/docs/instrumenting/exposition_formats. Labels are bounded: task types, categories, models and
stages as the rollups tell them apart, and at most some hundred combinations since the start; what comes on top is `other`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from ken.domain.rollup import AT, Dimensions, Tally
from ken.domain.sketch import Sketch
from ken.gateway.vitals import Vital
from ken.telemetry.otel.counts import ExportStats, ReceptionStats
from ken.telemetry.recorder import RecorderStats

Labels = tuple[str, ...]
Totals = Iterable[tuple[Dimensions, Tally]]

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Limits of the buckets of times."""
STAGE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, *SECONDS)
"""The same for a stage, which may take no more than milliseconds."""
STATES = ("closed", "half-open", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the figures are read from, at each scrape."""

    version: str
    release: str
    started_at: float
    totals: Callable[[], Totals]
    """`Aggregator.totals`."""
    other: Callable[[], int]
    """Values that were too many and count under `other`."""
    recorder: Callable[[], RecorderStats]
    vitals: Callable[[], Iterable[Vital]]
    corpus_version: Callable[[], int]
    sent: Callable[[], ExportStats | None] = lambda: None
    """None: no collector is named."""
    received: Callable[[], ReceptionStats | None] = lambda: None
    """None: spans of others are not taken."""


class Exposition(Collector):
    """All families, in one pass."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """The families as they stand."""
        told = self._sources
        info = GaugeMetricFamily("ken_info", "What is running.", labels=("version", "release"))
        info.add_metric((told.version, told.release), 1.0)
        yield info
        yield GaugeMetricFamily("ken_up_seconds", "Since the start.", value=time.time() - told.started_at)
        yield GaugeMetricFamily(
            "ken_corpus_version", "The corpus that answers are made from.", value=told.corpus_version()
        )
        totals = list(told.totals())
        yield from _answers(totals)
        yield from _times(totals)
        yield from _calls(totals)
        yield from _dependencies(told.vitals())
        yield from _recording(told.recorder(), told.other())
        yield from _telemetry(told.sent(), told.received())


def _answers(totals: Totals) -> Iterator[Metric]:
    """Questions, their ends, and what they rest on."""
    asked, ended, lesser, mistaken, cache, checks = (defaultdict[Labels, int](int) for _ in range(6))
    relevance, quality = defaultdict[Labels, list[Sketch]](list), defaultdict[Labels, list[Sketch]](list)
    for of, tally in totals:
        asked[of.kind, of.task_type, of.outcome] += _count(tally, "traces")
        for success in ("yes", "no", "unknown"):
            ended[of.kind, of.task_type, success] += _count(tally, f"success_{success}")
        lesser[of.kind, of.task_type] += _count(tally, "degraded")
        mistaken[of.kind, of.task_type] += _count(tally, "caller_errors")
        hits = _count(tally, "cache_hits")
        if total := _count(tally, "cache_asked"):
            cache[of.category, "hit"] += hits
            cache[of.category, "miss"] += total - hits
        for check, times in _parts(tally, "failed_checks"):
            checks[(check,)] += times
        for name, into in (("relevance", relevance), ("quality", quality)):
            if name in tally.sketches:
                into[(of.task_type,)].append(tally.sketches[name])
    yield _counter(
        "ken_questions", "Asked, by kind, task type and outcome.", ("kind", "task_type", "outcome"), of=asked
    )
    yield _counter("ken_tasks", "By whether they were done.", ("kind", "task_type", "success"), of=ended)
    yield _counter("ken_degraded", "Answered with less, as no model could.", ("kind", "task_type"), of=lesser)
    yield _counter(
        "ken_caller_errors", "Failed through a mistake of whoever asked.", ("kind", "task_type"), of=mistaken
    )
    yield _counter("ken_cache_lookups", "Questions that asked the answer cache.", ("category", "result"), of=cache)
    yield _counter("ken_check_failures", "Faults that checks found in answers.", ("check",), of=checks)
    yield _summary("ken_relevance", "Of the best passage, 0 to 1.", ("task_type",), of=relevance)
    yield _summary("ken_quality", "Judges' scores, 1 to 5.", ("task_type",), of=quality)


def _times(totals: Totals) -> Iterator[Metric]:
    """Where the time went."""
    whole, first, stages = (defaultdict[Labels, list[Sketch]](list) for _ in range(3))
    for of, tally in totals:
        if of.kind != "question":
            continue
        for name, into in (("ms", whole), ("ttft_ms", first)):
            if name in tally.sketches:
                into[(of.task_type,)].append(tally.sketches[name])
        for name, sketch in tally.sketches.items():
            if name.startswith(f"stage_ms{AT}"):
                stages[(name.partition(AT)[2],)].append(sketch)
    of_task = ("task_type",)
    yield _histogram("ken_answer_seconds", "From the question to the end of its answer.", of_task, of=whole)
    yield _histogram("ken_first_token_seconds", "Until the first piece of an answer.", of_task, of=first)
    yield _histogram("ken_stage_seconds", "A stage's own work.", ("stage",), of=stages, limits=STAGE_SECONDS)


def _calls(totals: Totals) -> Iterator[Metric]:
    """What models, embedders and rerankers were asked, and what they cost."""
    calls, cost, unpriced, tokens, retries, fallbacks, attempts = (defaultdict[Labels, int](int) for _ in range(7))
    for _, tally in totals:
        for into, name in ((calls, "calls"), (cost, "spent"), (unpriced, "unpriced")):
            for part, times in _parts(tally, name):
                into[_stage_and_model(part)] += times
        for name, direction in (("tokens_in", "input"), ("tokens_out", "output")):
            for part, times in _parts(tally, name):
                tokens[(*_stage_and_model(part), direction)] += times
        for into, name in ((retries, "retries"), (fallbacks, "fallbacks")):
            for reason, times in _parts(tally, name):
                into[(reason,)] += times
        attempts[("all",)] += _count(tally, "attempts")
        attempts[("timed_out",)] += _count(tally, "timeouts")
    of_call = ("stage", "model")
    yield _counter("ken_calls", "Calls of models, embedders and rerankers.", of_call, of=calls)
    yield _counter("ken_cost_micros", "Millionths of the currency, of calls with a known price.", of_call, of=cost)
    yield _counter("ken_unpriced_calls", "Calls without a known price: their cost comes on top.", of_call, of=unpriced)
    yield _counter("ken_tokens", "Read and written.", (*of_call, "direction"), of=tokens)
    yield _counter("ken_retries", "Attempts that were retries.", ("reason",), of=retries)
    yield _counter("ken_fallbacks", "Models that another one took over from.", ("reason",), of=fallbacks)
    yield _counter("ken_attempts", "At dependencies: all, and those that ran out of time.", ("of",), of=attempts)


def _dependencies(vitals: Iterable[Vital]) -> Iterator[Metric]:
    """Breakers and queues as they stand."""
    breaker = GaugeMetricFamily("ken_breaker_state", "1 at the state that it is in.", labels=("dependency", "state"))
    in_flight = GaugeMetricFamily("ken_in_flight", "Calls under way.", labels=("dependency",))
    depth = GaugeMetricFamily("ken_queue_depth", "Calls that wait for a turn.", labels=("dependency",))
    for vital in vitals:
        if vital.circuit is not None:
            current = vital.circuit.reading().state
            for state in STATES:
                breaker.add_metric((vital.name, state), float(state == current))
        if vital.limiter is not None:
            reading = vital.limiter.reading()
            in_flight.add_metric((vital.name,), reading.in_flight)
            depth.add_metric((vital.name,), reading.depth)
    yield from (breaker, in_flight, depth)


def _recording(stats: RecorderStats, other: int) -> Iterator[Metric]:
    """What the record took, and what it lost."""
    ends = {
        ("written",): stats.written,
        ("known",): stats.known,
        ("thinned",): stats.thinned,
        ("dropped",): stats.dropped,
        ("lost",): stats.lost,
    }
    yield _counter("ken_recorder_traces", "Traces by what became of them.", ("end",), of=ends)
    yield _counter("ken_recorder_failures", "Attempts at writing that failed.", (), of={(): stats.failures})
    lost = {(name,): times for name, times in stats.sinks_lost.items()}
    yield _counter("ken_recorder_sink_lost", "Traces that another sink failed to take.", ("sink",), of=lost)
    yield GaugeMetricFamily("ken_recorder_waiting", "Traces that wait to be written.", value=stats.waiting)
    yield GaugeMetricFamily("ken_recorder_lag_seconds", "How long the oldest of them waits.", value=stats.lag_s)
    yield _counter("ken_rollup_other", "Values that were too many and count under other.", (), of={(): other})


def _telemetry(sent: ExportStats | None, received: ReceptionStats | None) -> Iterator[Metric]:
    """What went to a collector, and what others sent."""
    if sent is not None:
        ends = {(end,): getattr(sent, end) for end in ("sent", "left_out", "dropped", "lost")}
        yield _counter(
            "ken_export_traces", "Traces by what became of them on the way to a collector.", ("end",), of=ends
        )
        yield _counter("ken_export_failures", "Requests to the collector that failed.", (), of={(): sent.failures})
        yield _counter(
            "ken_export_rejected_spans", "Spans that the collector took nothing of.", (), of={(): sent.rejected_spans}
        )
    if received is not None:
        spans = {("kept",): received.spans, ("rejected",): received.rejected}
        yield _counter("ken_received_spans", "Spans of other services.", ("end",), of=spans)
        requests = {("taken",): received.requests - received.refused, ("refused",): received.refused}
        yield _counter("ken_received_requests", "Requests at /v1/traces.", ("end",), of=requests)


def _count(tally: Tally, name: str) -> int:
    return max(0, tally.counts.get(name, 0))


def _parts(tally: Tally, name: str) -> Iterator[tuple[str, int]]:
    for full, times in tally.counts.items():
        base, _, part = full.partition(AT)
        if base == name and times > 0:
            yield part, times


def _stage_and_model(part: str) -> Labels:
    stage, _, model = part.partition("|")
    return stage, model


def _counter(name: str, told: str, labels: Labels, *, of: Mapping[Labels, int]) -> Metric:
    family = CounterMetricFamily(name, told, labels=labels)
    for values, times in sorted(of.items()):
        family.add_metric(values, times)
    return family


def _summary(name: str, told: str, labels: Labels, *, of: Mapping[Labels, list[Sketch]]) -> Metric:
    family = SummaryMetricFamily(name, told, labels=labels)
    for values, sketches in sorted(of.items()):
        family.add_metric(values, sum(one.count for one in sketches), sum(one.total for one in sketches))
    return family


def _histogram(
    name: str, told: str, labels: Labels, *, of: Mapping[Labels, list[Sketch]], limits: Sequence[float] = SECONDS
) -> Metric:
    """Buckets of seconds out of sketches of milliseconds: right to a hundredth of a limit."""
    family = HistogramMetricFamily(name, told, labels=labels)
    for values, sketches in sorted(of.items()):
        count = sum(one.count for one in sketches)
        below = [(str(limit), float(count - sum(one.above(limit * 1000) for one in sketches))) for limit in limits]
        family.add_metric(values, [*below, ("+Inf", float(count))], sum(one.total for one in sketches) / 1000)
    return family
