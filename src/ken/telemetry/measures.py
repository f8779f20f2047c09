"""Reads the figures off a finished trace. Pure, and away from the question's path: the recorder's thread calls it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from ken.domain.events import STAGES
from ken.domain.measures import Measures, Spent, success_of
from ken.domain.trace import Scalar, Span, Trace

Facts = Mapping[str, Scalar]

COUNTED_STEPS = ("embed",)
"""Steps within a stage that have figures of their own: the `NAME_ms` attributes of its span."""
TIMED_OUT = frozenset({"timeout", "deadline"})
"""Failures, in the words of `gateway.failures.in_words`, that count as time-outs."""


def measure(trace: Trace) -> Measures:
    """The figures of a trace, out of its spans and passages."""
    by_id = {span.id: span for span in trace.spans}
    named: dict[str, list[tuple[Span, Facts]]] = defaultdict(list)
    for span in trace.spans:
        named[span.name].append((span, dict(span.attributes)))
    attempts = [facts for _, facts in named["attempt"]]
    again = Counter(str(facts.get("reason", "")) for facts in attempts if _number(facts.get("number")) > 1)
    fallbacks = Counter(str(facts.get("reason", "")) for _, facts in named["fallback"])
    assembled = [int(_number(facts.get("prompt_tokens"))) for _, facts in named["assemble"]]
    found = trace.retrieved
    return Measures(
        stage_ms=tuple(_stage_ms(named).items()),
        spent=tuple(_spent(span, facts, stage=_stage_of(span, by_id)) for span, facts in named["call"]),
        context_tokens=assembled[-1] if assembled else 0,
        attempts=len(attempts),
        retries=tuple(again.items()),
        fallbacks=tuple(fallbacks.items()),
        timeouts=sum(facts.get("failure") in TIMED_OUT for facts in attempts),
        hedges=len(named["hedge"]),
        queue_ms=sum(_number(facts.get("queue_ms")) for _, facts in named["queue"]),
        cache=next((str(facts.get("decision", "")) for _, facts in named["recall"]), ""),
        passages=0 if found is None else found.passages,
        relevance=None if found is None else max(one.relevance for one in trace.evidence),
        mean_relevance=None if found is None else found.mean_relevance,
        least_relevance=None if found is None else found.least_relevance,
        utilisation=None if found is None else found.utilisation,
        success=success_of(trace),
        difficulty=next((_number(facts["difficulty"]) for _, facts in named["route"] if "difficulty" in facts), None),
    )


def _stage_ms(named: Mapping[str, Sequence[tuple[Span, Facts]]]) -> dict[str, float]:
    """Each stage's own work: generate and verify run at the same time, and verify's span says how long it checked."""
    took: dict[str, float] = {}
    for stage in STAGES:
        for span, facts in named.get(stage, ()):
            own = _number(facts["checking_ms"]) if "checking_ms" in facts else span.ms
            took[stage] = took.get(stage, 0.0) + own
            for step in COUNTED_STEPS:
                if f"{step}_ms" in facts:
                    took[step] = took.get(step, 0.0) + _number(facts[f"{step}_ms"])
    return took


def _stage_of(span: Span, by_id: Mapping[str, Span]) -> str:
    """The stage, or the other step under the root, that a span belongs to."""
    above = span
    while above.parent_id is not None and above.parent_id in by_id:
        parent = by_id[above.parent_id]
        if above.name in STAGES or parent.parent_id is None:
            break
        above = parent
    return above.name if above.name in STAGES else "door" if above.name in {"call", "attempt", "queue"} else above.name


def _spent(span: Span, facts: Facts, *, stage: str) -> Spent:
    cost, ttft = facts.get("cost_micros"), facts.get("ttft_ms")
    return Spent(
        stage=stage,
        model=str(facts.get("model", "")),
        input_tokens=int(_number(facts.get("input_tokens"))),
        output_tokens=int(_number(facts.get("output_tokens"))),
        cost_micros=None if cost is None else int(_number(cost)),
        estimated=bool(facts.get("estimated")),
        ms=span.ms,
        ttft_ms=None if ttft is None else _number(ttft),
        failed=span.status == "error",
    )


def _number(value: Scalar) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
