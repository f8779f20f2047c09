"""The trace of a sync: what it took, what its calls of an embedder cost, how it ended."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ken.domain.answer import Answer, Question
from ken.domain.call import Account, CallContext, Purpose
from ken.domain.principal import Principal
from ken.domain.trace import About, Scalar, Trace
from ken.gateway.embedding import within
from ken.storage.sources import Source
from ken.telemetry.recorder import Recorder
from ken.telemetry.tracing import TraceBuilder

ROOT = "sync"
_NOBODY = Principal("ken")
"""Whom a sync is for: its trace is for operators."""


@dataclass(slots=True)
class SyncTrace:
    """A sync under way."""

    spans: TraceBuilder
    corpus_version: int = 0
    problem: str = ""
    """Why the source could not be synced to its end; empty where it could."""

    def note(self, **counts: Scalar) -> None:
        """Say on the span of the whole what came of it."""
        for name, value in counts.items():
            self.spans.root.set(name, value)


@contextmanager
def traced(recorder: Recorder | None, source: Source) -> Generator[SyncTrace]:
    """Record what happens inside as one trace; calls of embedders belong to it. Without a recorder nothing is kept."""
    spans = TraceBuilder(name=ROOT)
    spans.root.set("source", source.id)
    spans.root.set("collection", source.collection)
    trace = SyncTrace(spans)
    account = Account()
    purpose = Purpose(stage="sync", is_offline=True, trace_id=spans.trace_id)
    has_ended = False
    try:
        with within(CallContext(purpose=purpose, account=account, tracer=spans)):
            yield trace
        has_ended = True
    except BaseException as error:
        spans.fail(error)
        raise
    finally:
        if recorder is not None:
            recorder.record(_finished(trace, account, source, has_ended=has_ended))


def _finished(trace: SyncTrace, account: Account, source: Source, *, has_ended: bool) -> Trace:
    answer = Answer(
        trace_id=trace.spans.trace_id,
        text="",
        outcome="failed",
        usage=account.usage_of("sync"),
        cost_micros=account.cost_micros,
    )
    about = About(kind="sync", task_type=ROOT, corpus_version=trace.corpus_version)
    whole = trace.spans.finish(Question(text=f"Sync of {source.id}", principal=_NOBODY), answer, about=about)
    if not has_ended:
        return whole
    return replace(whole, outcome="failed" if trace.problem else "finished", error=trace.problem)
