"""The heuristics within a question: what they find is counted and told, nothing is taken back, and it is not given again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ken.assistant.answer import Assistant
from ken.checks.heuristics.examine import Examiner
from ken.checks.heuristics.standards import Standards
from ken.domain.answer import Answer
from ken.domain.events import Answered
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.trace import Trace
from ken.settings import load
from ken.wiring import Ken, open_home
from tests.assistant.corpus import LIT, OUT, QUESTION, Told, assistant, copy, says, tell


def held_to(made: Assistant, standards: Standards) -> Assistant:
    """The same assistant, whose answers are held to other standards."""
    return Assistant(replace(made.parts, examiner=Examiner(standards)))


def recorded(ken: Ken, told: Told) -> tuple[Answer, Trace]:
    assert isinstance(told.last, Answered)
    assert ken.recorder.flush()
    return told.last.answer, ken.traces.get(told.last.answer.trace_id, LOCAL_OPERATOR)


async def test_every_answer_is_looked_at(ken: Ken) -> None:
    """A good answer's trace names the rules that looked at it, and none that found something."""
    answer, trace = recorded(ken, await tell(assistant(ken, says(f"{LIT} [1]")), QUESTION))
    assert answer.text == f"{LIT} [1]"
    assert trace.failed_checks == ()
    assert {"length", "hedging", "citation_span", "citation_quote", "citation_number", "figure"} <= set(trace.checked)


async def test_a_fault_is_counted_and_nothing_is_taken_back(ken: Ken) -> None:
    """The answer stands as it was shown, without a notice that nobody can use; trace and settle's span name the rule."""
    strict = held_to(assistant(ken, says(f"{LIT} [1]")), Standards(forbidden=("before sunset",)))
    told = await tell(strict, QUESTION)
    answer, trace = recorded(ken, told)
    assert told.text == answer.text == f"{LIT} [1]"
    assert answer.notices == ()
    assert trace.failed_checks == ("forbidden_phrase",)
    (settled,) = [dict(span.attributes) for span in trace.spans if span.name == "settle"]
    assert settled["failed_checks"] == "forbidden_phrase"


async def test_an_abstention_is_not_looked_at(ken: Ken) -> None:
    """What Ken words itself is held to nothing."""
    _, trace = recorded(ken, await tell(assistant(ken, says("NOT IN THE DOCUMENTS")), QUESTION))
    assert (trace.outcome, trace.checked, trace.failed_checks) == ("abstained", (), ())


@pytest.mark.parametrize(("phrase", "stored"), [("before sunset", False), ("after sunset", True)])
async def test_a_faulty_answer_is_not_given_again(ken: Ken, phrase: str, *, stored: bool) -> None:
    """It is made anew for the same question; one without a fault comes from the cache."""
    strict = held_to(assistant(ken, says(f"{LIT} [1]"), cache=True), Standards(forbidden=(phrase,)))
    first, trace = recorded(ken, await tell(strict, QUESTION))
    second, _ = recorded(ken, await tell(strict, QUESTION))
    assert (first.text, first.cached) == (f"{LIT} [1]", False)
    assert second.cached is stored
    (settled,) = [dict(span.attributes) for span in trace.spans if span.name == "settle"]
    assert settled["cache"] == ("stored" if stored else "failed a check: forbidden_phrase")


async def test_what_was_done_is_counted_for_the_audit(tmp_path: Path) -> None:
    """Each rule is known since the home was opened, and counts what it looked at and where it found something."""
    ken = await open_home(load(copy(tmp_path / "home")))
    try:
        assert {one.looked for one in ken.heuristics.all()} == {0}
        strict = held_to(assistant(ken, says(f"{LIT} {OUT} [1]")), Standards(forbidden=("sunrise",)))
        await tell(strict, QUESTION)
        await tell(strict, QUESTION)
        assert ken.recorder.flush()
        counted = {one.name: (one.looked, one.fired) for one in ken.heuristics.all()}
        assert counted["forbidden_phrase"] == (2, 2)
        assert counted["hedging"] == (2, 0)
        assert counted["steps"] == (0, 0)
    finally:
        await ken.aclose()
