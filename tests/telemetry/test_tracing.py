from __future__ import annotations

import asyncio
import contextvars
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ken.domain.answer import Answer, Citation, Question
from ken.domain.document import Document, Evidence, Passage
from ken.domain.principal import Principal
from ken.domain.trace import About, Origin, Span, Trace
from ken.domain.usage import Usage
from ken.errors import DeadlineExceeded
from ken.storage.answer_json import load_citations
from ken.telemetry.tracing import TraceBuilder, format_traceparent, parse_traceparent

QUESTION = Question(text="What is the notice period?", principal=Principal("ada"), conversation_id="c1")


def finished(builder: TraceBuilder) -> Trace:
    return builder.finish(QUESTION, Answer(trace_id=builder.trace_id, text="Thirty days.", outcome="answered"))


def parents(trace: Trace) -> dict[str, str | None]:
    """Each span's name with the name of the span that it stands under."""
    names = {span.id: span.name for span in trace.spans}
    return {span.name: None if span.parent_id is None else names[span.parent_id] for span in trace.spans}


def named(trace: Trace, name: str) -> Span:
    return next(span for span in trace.spans if span.name == name)


def test_spans_stand_under_one_root_as_they_nest() -> None:
    """The tree has one root, `question`, and every span stands under the one that was open around it."""
    builder = TraceBuilder()
    with builder.span("retrieve"):
        with builder.span("embed"):
            pass
        with builder.span("lexical"):
            pass
    with builder.span("generate"):
        pass
    assert parents(finished(builder)) == {
        "question": None,
        "retrieve": "question",
        "embed": "retrieve",
        "lexical": "retrieve",
        "generate": "question",
    }


def test_times_are_durations_on_the_wall_clock() -> None:
    """A span lasts as long as its block, within its parent and near the current time."""
    builder = TraceBuilder()
    with builder.span("outer"), builder.span("inner"):
        time.sleep(0.02)
    trace = finished(builder)
    root, outer, inner = trace.spans
    assert abs(trace.started_at - time.time()) < 5
    assert 20 <= inner.ms <= outer.ms <= root.ms == pytest.approx(trace.ms, abs=0.01)
    assert root.started_at <= outer.started_at <= inner.started_at <= inner.ended_at <= outer.ended_at <= root.ended_at


def test_ids_are_those_of_trace_context() -> None:
    """32 hex digits for a trace, 16 for a span, all different; a given trace id is kept."""
    builder = TraceBuilder(Origin(trace_id="ab" * 16))
    for _ in range(100):
        with builder.span("x"):
            pass
    trace = finished(builder)
    assert trace.id == "ab" * 16
    assert re.fullmatch("[0-9a-f]{32}", TraceBuilder().trace_id)
    assert all(re.fullmatch("[0-9a-f]{16}", span.id) for span in trace.spans)
    assert len({span.id for span in trace.spans}) == 101


def test_an_exception_marks_the_span_and_goes_on() -> None:
    """The span closes with the error's class name, its parents too, and the exception is the caller's."""
    builder = TraceBuilder()

    def fail() -> None:
        with builder.span("generate", model="m"), builder.span("call"):
            raise DeadlineExceeded("late")

    with pytest.raises(DeadlineExceeded):
        fail()
    with builder.span("settle"):
        pass
    trace = finished(builder)
    assert [(span.name, span.status) for span in trace.spans] == [
        ("question", "ok"),
        ("generate", "error"),
        ("call", "error"),
        ("settle", "ok"),
    ]
    assert named(trace, "generate").attributes == (("model", "m"), ("error", "DeadlineExceeded"))
    assert parents(trace)["settle"] == "question"


def test_attributes_keep_their_last_value_and_fit_json() -> None:
    """What is set again is replaced, and a number that JSON lacks becomes None."""
    builder = TraceBuilder()
    with builder.span("retrieve", candidates=1) as span:
        span.set("candidates", 2)
        span.set("best", float("nan"))
        span.set("worst", float("-inf"))
    assert named(finished(builder), "retrieve").attributes == (("candidates", 2), ("best", None), ("worst", None))


async def spanned(builder: TraceBuilder, name: str, *, child: str | None = None) -> None:
    with builder.span(name):
        await asyncio.sleep(0.005)
        if child:
            await spanned(builder, child)
        await asyncio.sleep(0.005)


def test_tasks_that_run_at_once_keep_their_own_branches() -> None:
    """Spans opened in child tasks stand under the span that started the task, however they interleave."""
    builder = TraceBuilder()

    async def answer() -> None:
        with builder.span("retrieve"):
            await asyncio.gather(*(spanned(builder, name, child=f"{name}-child") for name in ("a", "b", "c")))
        await spanned(builder, "generate")

    asyncio.run(answer())
    assert parents(finished(builder)) == {
        "question": None,
        "retrieve": "question",
        "a": "retrieve",
        "b": "retrieve",
        "c": "retrieve",
        "a-child": "a",
        "b-child": "b",
        "c-child": "c",
        "generate": "question",
    }


def test_two_questions_at_once_do_not_mix() -> None:
    """Questions answered in one loop, and one asked while another is answered, keep their spans apart."""
    first, second = TraceBuilder(), TraceBuilder()

    async def answer() -> None:
        await asyncio.gather(spanned(first, "x", child="y"), spanned(second, "x", child="y"))
        with first.span("outer"), second.span("other"), first.span("inner"):
            pass

    asyncio.run(answer())
    assert parents(finished(first)) == {
        "question": None,
        "x": "question",
        "y": "x",
        "outer": "question",
        "inner": "outer",
    }
    assert parents(finished(second)) == {"question": None, "x": "question", "y": "x", "other": "question"}


def test_an_async_generator_may_be_resumed_in_other_contexts() -> None:
    """A stream whose steps run in tasks of their own keeps the tree right and closes every span."""
    builder = TraceBuilder()

    async def stream() -> AsyncIterator[str]:
        with builder.span("generate"):
            yield "a"
            with builder.span("call"):
                yield "b"
            yield "c"
        with builder.span("settle"):
            yield "d"

    async def consume() -> None:
        pieces = stream()
        for expected in "abcd":
            step = asyncio.get_running_loop().create_task(anext(pieces), context=contextvars.Context())  # type: ignore[arg-type]
            assert await step == expected
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)

    asyncio.run(consume())
    trace = finished(builder)
    assert parents(trace) == {"question": None, "generate": "question", "call": "generate", "settle": "question"}
    assert {span.status for span in trace.spans} == {"ok"}


def test_a_span_that_ended_elsewhere_takes_no_children() -> None:
    """Where a stream began here and ended in another context, what comes next stands beside it, not under it."""
    builder = TraceBuilder()

    async def stream() -> AsyncIterator[str]:
        with builder.span("generate"):
            yield "a"

    async def consume() -> None:
        pieces = stream()
        await anext(pieces)
        rest = anext(pieces, "end")
        assert await asyncio.get_running_loop().create_task(rest, context=contextvars.Context()) == "end"  # type: ignore[arg-type]
        with builder.span("settle"):
            pass

    asyncio.run(consume())
    assert parents(finished(builder)) == {"question": None, "generate": "question", "settle": "question"}


def test_an_abandoned_stream_says_so() -> None:
    """When the reader goes away in mid-answer, the open spans end as errors."""
    builder = TraceBuilder()

    async def stream() -> AsyncIterator[str]:
        with builder.span("generate"):
            yield "a"
            yield "b"

    async def consume() -> None:
        pieces = stream()
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]

    asyncio.run(consume())
    assert named(finished(builder), "generate").attributes == (("error", "GeneratorExit"),)


def test_work_in_threads_stands_under_the_stage_that_sent_it() -> None:
    """A span opened in a thread without the context stands under the innermost span that is open."""
    builder = TraceBuilder()

    def work() -> None:
        with builder.span("search"):
            pass

    with builder.span("retrieve"), ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    assert parents(finished(builder))["search"] == "retrieve"


def test_a_span_left_open_is_closed_at_the_end() -> None:
    """Finishing in the midst of a span ends it there, as unfinished; the trace is whole."""
    builder = TraceBuilder()
    with builder.span("generate"):
        trace = finished(builder)
    generate = named(trace, "generate")
    assert (generate.status, generate.attributes) == ("error", (("error", "unfinished"),))
    assert generate.ended_at == pytest.approx(named(trace, "question").ended_at)


def test_the_first_piece_shown_counts() -> None:
    """Time to first text is measured from the question to the first piece, and None where nothing was shown."""
    builder = TraceBuilder()
    time.sleep(0.01)
    builder.shown()
    first = builder.elapsed_ms
    time.sleep(0.01)
    builder.shown()
    trace = finished(builder)
    assert trace.ttft_ms is not None
    assert 10 <= trace.ttft_ms <= first < trace.ms
    assert finished(TraceBuilder()).ttft_ms is None


def test_a_failed_question_keeps_its_error() -> None:
    """The trace holds class and message, and the root span is an error."""
    builder = TraceBuilder()
    builder.fail(DeadlineExceeded("The time ran out."))
    trace = builder.finish(QUESTION, Answer(trace_id=builder.trace_id, text="", outcome="failed"))
    assert (trace.error, trace.outcome) == ("DeadlineExceeded: The time ran out.", "failed")
    assert (trace.spans[0].status, trace.spans[0].attributes) == ("error", (("error", "DeadlineExceeded"),))
    assert (trace.task_type, trace.release, trace.corpus_version, trace.evidence) == ("", "", 0, ())


def test_a_trace_holds_what_question_answer_and_evidence_say() -> None:
    """Every figure comes from where it is known; the passages that the answer cites are marked."""
    document = Document(
        id="handbook/leave.md", collection="handbook", path="leave.md", source="s", title="Leave", version="v1",
        media_type="text/markdown", markup="markdown", groups=frozenset(), owner=None, effective=None, review_by=None,
        supersedes=None, superseded_by=None, characters=9, passages=2, synced_at=0.0,
    )  # fmt: skip
    evidence = [
        Evidence(
            passage=Passage(
                document_id=document.id,
                version="v1",
                ordinal=ordinal,
                start=0,
                end=9,
                heading_path=(),
                page=None,
                text="",
                tokens=0,
            ),
            document=document,
            relevance=0.9 - ordinal / 10,
            lexical=3.0,
            dense=0.5,
            fused=0.03,
        )
        for ordinal in range(2)
    ]
    citation = Citation(
        number=1, answer_start=0, answer_end=9, document_id=document.id, document_title="Leave",
        passage_id=f"{document.id}#p1", version="v1", start=0, end=9, quote="q", support=1.0,
    )  # fmt: skip
    builder = TraceBuilder()
    answer = Answer(
        trace_id=builder.trace_id, text="Thirty days [1].", outcome="answered", citations=(citation,), model="m",
        usage=Usage(7, 8), cost_micros=None, confidence=0.5, cached=True,
    )  # fmt: skip
    trace = builder.finish(
        QUESTION, answer, about=About(task_type="lookup", release="r1", corpus_version=3), evidence=evidence
    )
    assert (trace.id, trace.principal, trace.conversation_id) == (builder.trace_id, "ada", "c1")
    assert (trace.question, trace.answer) == (QUESTION.text, "Thirty days [1].")
    assert (trace.task_type, trace.release, trace.corpus_version, trace.model) == ("lookup", "r1", 3, "m")
    assert (trace.input_tokens, trace.output_tokens, trace.cost_micros) == (7, 8, None)
    assert (trace.confidence, trace.cached, trace.error) == (0.5, True, "")
    assert load_citations(trace.citations) == (citation,)
    assert [(seen.passage_id, seen.relevance, seen.cited) for seen in trace.evidence] == [
        ("handbook/leave.md#p0", 0.9, False),
        ("handbook/leave.md#p1", 0.8, True),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00 ",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings",
    ],
)
def test_a_traceparent_is_taken_over(header: str) -> None:
    """The caller's trace and span are found, also in a header of a later version."""
    found = parse_traceparent(header)
    assert found == Origin(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", parent_span_id="00f067aa0ba902b7")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-'; DROP TABLE traces; --------aa-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
    ],
)
def test_a_traceparent_that_is_none_is_ignored(header: str) -> None:
    """What the specification calls invalid brings no trace id in."""
    assert parse_traceparent(header) == Origin()


def test_a_traceparent_round_trips() -> None:
    """A header written for a call names this trace and the span that calls."""
    builder = TraceBuilder()
    with builder.span("generate") as span:
        header = span.traceparent
    assert header == format_traceparent(builder.trace_id, span.id)
    assert parse_traceparent(header).trace_id == builder.trace_id
