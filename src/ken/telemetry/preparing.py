"""A finished trace becomes what goes on record: redacted, measured, decided upon."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ken.domain.measures import Recorded
from ken.domain.trace import Trace
from ken.telemetry.capture import CaptureRules, decide
from ken.telemetry.measures import measure
from ken.telemetry.redacting import Redactor
from ken.telemetry.slowness import Slowness

_LONGEST_ERROR = 500
_SPAN_BYTES = 700
_PASSAGE_BYTES = 300
_TRACE_BYTES = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """What is done to each trace before anything gets it."""

    redactor: Redactor = field(default_factory=Redactor)
    rules: CaptureRules = field(default_factory=CaptureRules)

    def recorded(self, trace: Trace, slowness: Slowness | None = None) -> Recorded:
        """The trace as it goes on record. Without `slowness`, nothing is slow but by the rules' own limit."""
        decision = decide(trace, self.rules, slow_ms=slowness and slowness.limit(trace.task_type))
        if slowness is not None:
            slowness.see(trace.task_type, trace.ms)
        clean = replace(self.redactor.trace(trace), capture=decision.capture)
        # From the trace as it was: what is redacted has no figures, and a placeholder is none of them either.
        return Recorded(trace=clean, measures=measure(trace), capture=decision.capture, reasons=decision.reasons)

    def figures(self, trace: Trace) -> Recorded:
        """The same without texts, spans and passages: what is left where there is no room for more."""
        lean = replace(
            trace,
            question="",
            answer="",
            prompt="",
            citations="[]",
            spans=(),
            evidence=(),
            error=self.redactor.text(trace.error)[:_LONGEST_ERROR],
            capture="metrics",
        )
        return Recorded(
            trace=lean, measures=measure(trace), capture="metrics", reasons=decide(trace, self.rules).reasons
        )


def weight(trace: Trace) -> int:
    """About how many bytes of memory a trace takes."""
    texts = len(trace.question) + len(trace.answer) + len(trace.prompt) + len(trace.citations) + len(trace.error)
    return _TRACE_BYTES + 2 * texts + _SPAN_BYTES * len(trace.spans) + _PASSAGE_BYTES * len(trace.evidence)
