from __future__ import annotations

from dataclasses import replace

import pytest

from ken.domain.answer import Citation
from ken.domain.trace import Reaction, Span, Trace
from ken.storage.answer_json import dump_citations, load_citations
from ken.telemetry.capture import DAY_S, CaptureRules, decide, is_sampled
from ken.telemetry.preparing import Preparing
from ken.telemetry.redacting import Redactor
from ken.telemetry.slowness import Slowness
from tests.storage.samples import a_citation, a_trace

NONE = CaptureRules(sample=0.0)
WRONG = {
    "error": {"outcome": "failed", "error": "ModelUnavailable: gone"},
    "flagged": {"failed_checks": ("length",)},
    "thumbs_down": {"reaction": Reaction(helpful=False)},
    "poor": {"reaction": Reaction(groundedness=1.5)},
    "escalated": {"escalated": True},
    "degraded": {"degraded": True},
}


@pytest.mark.parametrize(("reason", "change"), WRONG.items())
def test_what_went_wrong_is_kept_whole(reason: str, change: dict[str, object]) -> None:
    """A trace with which something was wrong is kept whole for that reason, whatever is drawn."""
    decision = decide(a_trace(**change), NONE)
    assert (decision.capture, decision.reasons) == ("full", (reason,))


def test_refusals_and_conflicts_are_flagged() -> None:
    """What the guard refused, and answers from documents that disagree, are looked into."""
    disagreeing = (
        Span(id="1" * 16, parent_id=None, name="assemble", started_at=1, ended_at=2, attributes=(("conflicts", 2),)),
    )
    assert decide(a_trace(outcome="refused"), NONE).reasons == ("flagged",)
    assert decide(a_trace(spans=disagreeing), NONE).reasons == ("flagged",)


def test_everything_is_kept_for_the_grace_period() -> None:
    """Of a trace with which nothing is wrong all is kept for a day, so that late feedback finds it; then the figures are."""
    decision = decide(a_trace(), NONE)
    assert (decision.capture, decision.reasons) == ("grace", ())
    assert NONE.kept_until("grace", started_at=1000.0) == 1000.0 + DAY_S
    assert NONE.kept_until("full", started_at=1000.0) == 1000.0 + 90 * DAY_S
    assert NONE.kept_until("metrics", started_at=1000.0) == 1000.0 + 400 * DAY_S
    assert decide(a_trace(), replace(NONE, grace_s=0.0)).capture == "metrics"


def test_a_sample_is_drawn_by_the_id_alone() -> None:
    """The same share is drawn of ids that callers count up as of random ones, and a larger share holds the smaller one."""
    ids = [f"{number:032x}" for number in range(10_000)]
    drawn = {each for each in ids if is_sampled(each, 0.15)}
    assert 0.13 < len(drawn) / len(ids) < 0.17
    assert drawn <= {each for each in ids if is_sampled(each, 0.3)}
    assert not any(is_sampled(each, 0.0) for each in ids)
    assert all(is_sampled(each, 1.0) for each in ids)


def test_a_task_type_has_a_share_of_its_own() -> None:
    """One task type's traces can all be kept, while those of the others are not."""
    rules = replace(NONE, samples={"procedure": 1.0})
    assert decide(a_trace(task_type="procedure"), rules).reasons == ("sampled",)
    assert decide(a_trace(task_type="lookup"), rules).capture == "grace"


def test_slow_is_what_its_task_type_seldom_takes() -> None:
    """A question is slow beyond what nearly all of its type take; at a start, and where all take about as long, none is."""
    slowness = Slowness()
    assert slowness.limit("lookup") is None
    for number in range(500):
        slowness.see("lookup", 100.0 + number % 10)
        slowness.see("summary", 2000.0 if number % 10 else 9000.0)
    limit = slowness.limit("lookup")
    assert limit is not None
    assert decide(a_trace(ms=150.0), NONE, slow_ms=limit).capture == "grace"
    assert decide(a_trace(ms=400.0), NONE, slow_ms=limit).reasons == ("slow",)
    assert (slowness.limit("summary") or 0) >= 4000.0
    assert decide(a_trace(ms=1500.0), replace(NONE, slow_ms=1000.0)).reasons == ("slow",)


def test_ten_thousand_task_types_are_not_learnt() -> None:
    """Callers that bring a task type for each question don't make the process grow."""
    slowness = Slowness()
    for number in range(10_000):
        slowness.see(f"type {number}", 100.0)
    assert slowness.limit("type 9999") is not None
    assert slowness.limit("type 3") is None


def test_a_trace_goes_on_record_without_secrets() -> None:
    """Question, answer, prompt, citations, errors and spans lose their secrets, and the quote stays tied to its sentence."""
    secret = "password: hunter2x!"
    answer = f"Use {secret} then. Thirty days it is."
    quoted = replace(a_citation("handbook/leave.md", quote=f"say {secret}"), answer_start=25, answer_end=len(answer))
    trace = a_trace(
        question=f"Is {secret} right?",
        answer=answer,
        prompt='[{"role":"user","content":"my \\"password\\": \\"hunter2x!\\" is it"}]',
        error=f"Failed: {secret}",
        citations=dump_citations([quoted]),
        spans=(
            Span(
                id="1" * 16,
                parent_id=None,
                name="GET",
                started_at=1.0,
                ended_at=2.0,
                attributes=(
                    ("http.request.header.authorization", "opaque"),
                    ("url", "https://a:hunter2x!@b.org"),
                    ("n", 3),
                ),
            ),
        ),
    )
    kept = Preparing(redactor=Redactor(), rules=NONE).recorded(trace).trace
    assert "hunter2x" not in repr(kept)
    assert "opaque" not in repr(kept)
    assert kept.answer == "Use password: [secret] then. Thirty days it is."
    citation: Citation = load_citations(kept.citations)[0]
    assert kept.answer[citation.answer_start : citation.answer_end] == answer[25:]
    assert citation.quote == "say password: [secret]"
    assert (citation.start, citation.end) == (quoted.start, quoted.end)
    assert kept.prompt == '[{"role":"user","content":"my \\"password\\": \\"[secret]\\" is it"}]'


def test_personal_data_goes_off_the_record_by_policy() -> None:
    """Where the operator wants it, nobody can be called or written to from what is on record."""
    trace: Trace = a_trace(question="May ada@lovelace.org call +49 30 1234567?")
    assert Redactor("personal").trace(trace).question == "May [e-mail] call [phone]?"
    assert Redactor().trace(trace).question == trace.question


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    """A trace without secrets goes on record as it is, to the last character."""
    trace = a_trace(prompt='[{"role": "user", "content": "Übrigens…"}]')
    assert Redactor("personal").trace(trace) == trace
