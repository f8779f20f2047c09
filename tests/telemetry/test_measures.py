"""The figures that are read off a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ken.domain.answer import Answer, Outcome, Question
from ken.domain.measures import success_of
from ken.domain.principal import Principal
from ken.domain.trace import About, Reaction, Success, Trace
from ken.telemetry.measures import measure
from ken.telemetry.tracing import TraceBuilder

CITED = '[{"document_id": "handbook/leave.md"}]'


def finished(builder: TraceBuilder, outcome: Outcome = "answered", *, about: About | None = None) -> Trace:
    """A trace as the assistant ends it."""
    question = Question(text="How long is leave?", principal=Principal("ada"))
    answer = Answer(trace_id=builder.trace_id, text="Thirty days.", outcome=outcome)
    return builder.finish(question, answer, about=about or About())


def test_each_call_counts_under_its_stage() -> None:
    """An attempt, a hedge or a queue between the stage and the call changes nothing; a call outside of any is the door's."""
    builder = TraceBuilder()
    with builder.span("retrieve", embed_ms=4.5), builder.span("attempt", number=1), builder.span("call") as call:
        for name, value in (("model", "e5"), ("input_tokens", 9), ("cost_micros", 3)):
            call.set(name, value)
    with (
        builder.span("generate"),
        builder.span("queue", queue_ms=12.0),
        builder.span("attempt", number=1),
        builder.span("call", model="m", input_tokens=100, output_tokens=11, cost_micros=None, ttft_ms=0.0),
    ):
        pass
    with builder.span("attempt", number=1), builder.span("call", model="m", input_tokens=1):
        pass
    measures = measure(finished(builder))
    told = [(each.stage, each.model, each.input_tokens, each.cost_micros) for each in measures.spent]
    assert told == [("retrieve", "e5", 9, 3), ("generate", "m", 100, None), ("door", "m", 1, None)]
    assert (measures.attempts, measures.queue_ms, measures.stage("embed")) == (3, 12.0, 4.5)
    assert measures.stage("verify") is None


def test_what_went_wrong_is_counted_by_its_reason() -> None:
    """Retries by why the attempt before failed, fallbacks by why the model before did; time-outs are told from the rest."""
    builder = TraceBuilder()
    with builder.span("generate"):
        with builder.span("attempt", model="m", number=1) as first:
            first.set("failure", "timeout")
        with builder.span("attempt", model="m", number=2, reason="timeout") as second:
            second.set("failure", "429")
        with builder.span("fallback", failed="m", model="n", reason="429"), builder.span("attempt", number=1):
            pass
    measures = measure(finished(builder))
    assert (measures.attempts, measures.timeouts) == (3, 1)
    assert measures.retries == (("timeout", 1),)
    assert measures.fallbacks == (("429", 1),)


def test_a_stage_that_ran_twice_counts_both_times_and_verify_its_own_work() -> None:
    """An escalated answer is generated twice; verify's span lasts as long as generate's, and says how long it checked."""
    builder = TraceBuilder()
    for _ in range(2):
        with builder.span("generate"):
            pass
        with builder.span("verify", checking_ms=2.5):
            pass
    trace = finished(builder)
    generated = sum(span.ms for span in trace.spans if span.name == "generate")
    measures = measure(trace)
    assert measures.stage("generate") == pytest.approx(generated)
    assert measures.stage("verify") == 5.0


@pytest.mark.parametrize(
    ("outcome", "about", "citations", "helpful", "success"),
    [
        ("answered", About(), CITED, None, "yes"),
        ("answered", About(), "[]", None, "no"),
        ("answered", About(failed_checks=("length",)), CITED, None, "no"),
        ("answered", About(), CITED, False, "no"),
        ("answered", About(task_type="smalltalk"), "[]", None, "unknown"),
        ("answered", About(task_type="smalltalk"), "[]", False, "no"),
        ("answered", About(kind="call"), "[]", None, "unknown"),
        ("abstained", About(), "[]", None, "no"),
        ("asked_back", About(), "[]", None, "unknown"),
        ("refused", About(), "[]", None, "unknown"),
        ("failed", About(kind="call"), "[]", None, "no"),
    ],
)
def test_whether_a_task_was_done(
    outcome: Outcome, about: About, citations: str, *, helpful: bool | None, success: Success
) -> None:
    """Only what was answered, cited, checked and not found unhelpful is a success; what nobody can know is unknown."""
    trace = replace(finished(TraceBuilder(), outcome, about=about), citations=citations)
    assert success_of(replace(trace, reaction=Reaction(helpful=helpful))) == success


def test_a_trace_keeps_so_many_spans_and_says_how_many_it_did_not() -> None:
    """What opens beyond the limit stands nowhere, and what opens within it still has its place."""
    builder = TraceBuilder()
    for _ in range(2_100):
        with builder.span("call"), builder.span("inner"):
            pass
    trace = finished(builder)
    root, *rest = trace.spans
    assert len(rest) == 1_999
    assert dict(root.attributes)["spans_dropped"] == 4_200 - 1_999
