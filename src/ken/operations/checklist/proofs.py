"""What tests on record say: question sets, calibration, load, drills.

Of a run of `ken eval` this reads `overall.METRIC.value`, `build`, `index`, `search_only`, `cases` and `failures`; of `ken load` its `steps`
(`at`, `ttft_ms.p95`, `asked`, `errors`, `cached`) and `started_at`; of `ken drill` its `findings` (`fault`, `verdict`), by the table of
what each fault has to show; of a calibration its `agreement`. A drill and a load test with a mock run on a copy, which is
another release.
"""

from __future__ import annotations

from collections.abc import Mapping

from ken.domain.checked import CheckRun, RunKind
from ken.domain.wire import Json
from ken.operations.checklist.facts import Facts, Found, number, objects, text
from ken.operations.drill.table import expected

_EVAL = "Run it: `ken eval QUESTIONS.jsonl`."
_LOAD = "Run it against the staging system: `ken load`."
_DRILL = "Run it: `ken drill`."
_MOST_ERRORS = 0.01
_MOST_CACHED = 0.9
"""Share of the answers of a load test's step; with more, hardly a model was asked, and a p95 is the cache's own."""


def regression_set_was_run(facts: Facts) -> Found:
    """A question set, with answers, on this very release."""
    run = _answered(facts)
    if run is None:
        other = facts.runs.last("eval")
        told = (
            "none is on record" if other is None else f"the last was of release {other.release}, {_age(facts, other)}"
        )
        return Found("unknown", f"Ken {facts.build} has run no question set on release {facts.release}: {told}", _EVAL)
    cases = _cases(run)
    evidence = f"{cases} questions on release {run.release}, {_age(facts, run)}"
    if cases < facts.bounds.least_cases:
        return Found("fail", f"{evidence}; {facts.bounds.least_cases} are needed", "Use a larger question set.")
    gate = facts.runs.last("gate", release=facts.release)
    if gate is not None and gate.passed is False:
        return Found("fail", f"{evidence}; the regression set failed, {_age(facts, gate)}", "Mend what it found.")
    failed = len(objects(run.report, "failures")) or _listed(run.report, "failures")
    if failed:
        return Found(
            "fail",
            f"{evidence}; {failed} got no answer",
            "See why in the traces: `ken trace --where 'outcome = \"failed\"'`.",
        )
    return Found("pass", evidence)


def answers_are_grounded_and_right(facts: Facts) -> Found:
    """Groundedness and accuracy on that question set."""
    run = _answered(facts)
    if run is None:
        return Found("unknown", f"no question set was run on release {facts.release}", _EVAL)
    wanted = {"citation_precision": facts.bounds.groundedness, "fact_coverage": facts.bounds.accuracy}
    found = {name: number(run.report, "overall", name, "value") for name in wanted}
    missing = sorted(name for name, value in found.items() if value is None)
    if missing:
        return Found(
            "unknown", f"the run has no {', '.join(missing)}", "Use questions with `facts` and answers with citations."
        )
    told = ", ".join(f"{name} {found[name] or 0.0:.3f} of {wanted[name]:g}" for name in wanted)
    low = [name for name, value in found.items() if value is not None and value < wanted[name]]
    evidence = f"{told}; {_cases(run)} questions, {_age(facts, run)}"
    return Found("fail", evidence, "Look at the kinds of questions that it misses.") if low else Found("pass", evidence)


def retrieval_is_validated(facts: Facts) -> Found:
    """Retrieval on the index as it is: cut and embedded alike, and hardly a document changed since."""
    bounds = facts.bounds
    runs = [
        run for run in facts.runs.list("eval") if number(run.report, "overall", "doc_recall@5", "value") is not None
    ]
    if not runs:
        return Found(
            "unknown", "retrieval was never measured here", "Run it: `ken eval QUESTIONS.jsonl --search-only`."
        )
    run = runs[0]
    recall = number(run.report, "overall", "doc_recall@5", "value") or 0.0
    evidence = f"doc_recall@5 {recall:.3f} of {bounds.retrieval:g}, {_age(facts, run)}"
    if text(run.report, "index") != facts.index:
        return Found(
            "fail",
            f"{evidence}, on an index of another configuration",
            "Measure it anew: `ken eval QUESTIONS.jsonl --search-only`.",
        )
    changed = facts.changed_since(run.at)
    evidence += f"; {changed} of {facts.documents} documents have changed since"
    if changed > bounds.index_drift * max(1, facts.documents):
        return Found(
            "fail",
            f"{evidence}, more than {bounds.index_drift:.0%}",
            "Measure it anew: `ken eval QUESTIONS.jsonl --search-only`.",
        )
    if recall < bounds.retrieval:
        return Found("fail", evidence, "Find settings that suit the documents: `ken tune search`.")
    return Found("pass", evidence)


def judge_is_calibrated(facts: Facts) -> Found:
    """A judge's scores beside people's, lately."""
    run = facts.runs.last("calibration")
    if run is None:
        return Found(
            "unknown",
            "no judge was set beside people's scores",
            "Ken has no judge of its own yet. Of another one, put the result on record: `ken checklist --put calibration FILE`.",
        )
    agreement = number(run.report, "agreement")
    evidence = f"{'agreement unknown' if agreement is None else f'agreement {agreement:.2f}'}, {_age(facts, run)}"
    if _is_old(facts, run):
        return Found("fail", evidence, f"Calibrate it anew: {facts.bounds.run_days:g} days are the most.")
    return _by_result(run, evidence, "Mend the judge's rubric, and calibrate it anew.")


def ttft_is_within_the_objective(facts: Facts) -> Found:
    """The first words under the load that is expected."""
    bounds = facts.bounds
    tested = _loaded(facts)
    if isinstance(tested, Found):
        return tested
    run, step = tested
    p95 = number(step, "ttft_ms", "p95")
    if p95 is None:
        return Found(
            "unknown",
            f"the load test of {_age(facts, run)} streamed no answer",
            "Ask for streams: `ken load --streamed 1`.",
        )
    evidence = f"p95 {p95:,.0f} ms at {number(step, 'at') or 0:g} questions at once, {bounds.ttft_ms:,.0f} ms allowed; {_age(facts, run)}"
    if p95 <= bounds.ttft_ms:
        return Found("pass", evidence)
    return Found("fail", evidence, "See in the load test's page which stage it waits for.")


def dependencies_are_load_tested(facts: Facts) -> Found:
    """Every dependency, called at the greatest concurrency that is expected."""
    tested = _loaded(facts)
    if isinstance(tested, Found):
        return tested
    run, step = tested
    share = _error_share(step)
    evidence = f"{number(step, 'at') or 0:g} questions at once with {share:.1%} errors, {_age(facts, run)}"
    if share > _MOST_ERRORS:
        return Found("fail", evidence, "Find the concurrency that it carries, and raise limits or add replicas.")
    begun = number(run.report, "started_at") or run.at
    missing = sorted(set(facts.dependencies) - facts.called(begun, run.at))
    if missing:
        return Found(
            "unknown",
            f"{evidence}; no call of {', '.join(missing)} is on record in that time",
            "Test the staging system itself, not a copy with a mock, with questions that reach them.",
        )
    called = f"all of {', '.join(facts.dependencies)} were called" if facts.dependencies else "nothing is behind a wire"
    return Found("pass", f"{evidence}; {called}")


def fallbacks_are_tested(facts: Facts) -> Found:
    """What stands in for a model that fails, shown by failing it."""
    if not facts.dependencies:
        return Found("pass", "nothing is behind a wire, so nothing has to stand in")
    if not facts.has_fallback:
        remedy = 'Name more models in a tier, or set when_models_fail = "answer".'
        return Found("fail", "nothing stands in for a model that fails", remedy)
    return _drilled(facts, "fallback")


def breakers_are_verified(facts: Facts) -> Found:
    """Breakers that open, and close again."""
    if not facts.dependencies:
        return Found("pass", "nothing is behind a wire, so there is no breaker")
    return _drilled(facts, "breaker")


def retries_are_drilled(facts: Facts) -> Found:
    """Attempts that were repeated under a fault, and their reasons in the traces."""
    return _drilled(facts, "retry")


_SHOWS: Mapping[str, frozenset[str]] = {
    "fallback": frozenset(row.fault for row in expected() if row.calls[1]),
    "breaker": frozenset(row.fault for row in expected() if row.opens),
    "retry": frozenset(row.fault for row in expected() if row.why != "-"),
}
"""Faults of `ken drill` by what they have to show."""


def _drilled(facts: Facts, shows: str) -> Found:
    run = facts.runs.last("drill")
    if run is None:
        return Found("unknown", "no drill is on record", _DRILL)
    wanted = _SHOWS[shows]
    verdicts = {
        text(each, "fault"): text(each, "verdict")
        for each in objects(run.report, "findings")
        if text(each, "fault") in wanted and text(each, "verdict") != "skipped"
    }
    failed = sorted(fault for fault, verdict in verdicts.items() if verdict != "passed")
    evidence = f"{len(verdicts) - len(failed)} of {len(verdicts)} faults that show a {shows} were as they should be, {_age(facts, run)}"
    if failed:
        return Found("fail", f"{evidence}; not {', '.join(failed)}", "See what the drill says of these.")
    if missing := sorted(wanted - verdicts.keys()):
        told = f"{len(verdicts)} of {len(wanted)} faults that show a {shows} were brought about, {_age(facts, run)}"
        told += f"; not {', '.join(missing)}"
        return Found("unknown", told, "Run all of it: `ken drill`, without `--only`.")
    if _is_old(facts, run):
        return Found("fail", evidence, f"Run it again: {facts.bounds.run_days:g} days are the most. `ken drill`.")
    return Found("pass", evidence)


def _answered(facts: Facts) -> CheckRun | None:
    """The newest question set that was answered by this build on this release, and not only searched for."""
    runs = facts.runs.list("eval", release=facts.release)
    answered = (run for run in runs if run.report.get("search_only") is not True)
    return next((run for run in answered if text(run.report, "build") == facts.build), None)


def _loaded(facts: Facts) -> tuple[CheckRun, Mapping[str, Json]] | Found:
    """The newest load test of this release, and its step at the concurrency that is expected; or why there is none."""
    run = facts.runs.last("load", release=facts.release)
    if run is None:
        other = facts.runs.last("load")
        told = (
            "none is on record"
            if other is None
            else f"the last was of release {other.release or 'unknown'}, {_age(facts, other)}"
        )
        return Found("unknown", f"release {facts.release} was not tested under load: {told}", _LOAD)
    if _is_old(facts, run):
        return Found("fail", f"the last load test is of {_age(facts, run)}", _LOAD)
    peak = facts.bounds.peak_concurrency or facts.one("in_flight.max").value
    if not peak:
        return Found(
            "unknown",
            "nothing says how many questions are expected at once",
            "Say it: `peak_concurrency` in [checklist].",
        )
    steps = sorted(objects(run.report, "steps"), key=lambda step: number(step, "at") or 0.0)
    step = next((step for step in steps if (number(step, "at") or 0.0) >= peak), None)
    if step is None:
        most = max((number(step, "at") or 0.0 for step in steps), default=0.0)
        return Found(
            "unknown",
            f"the load test went up to {most:g} questions at once, and {peak:g} are expected",
            f"Go further: `ken load --steps 1,{peak:g}`.",
        )
    cached = number(step, "cached") or 0.0
    if cached > _MOST_CACHED:
        return Found(
            "unknown",
            f"{cached:.0%} of the load test's answers at {number(step, 'at') or 0:g} questions at once came from the answer cache",
            "Ask more different questions: `ken load --questions FILE --popularity 0`.",
        )
    return run, step


def _error_share(step: Mapping[str, Json]) -> float:
    errors = step.get("errors")
    failed = sum(count for count in errors.values() if isinstance(count, int)) if isinstance(errors, Mapping) else 0
    return failed / (number(step, "asked") or 1.0)


def _by_result(run: CheckRun, evidence: str, remedy: str) -> Found:
    if run.passed is None:
        return Found("unknown", f"{evidence}; it had no bar to pass", remedy)
    return Found("pass", evidence) if run.passed else Found("fail", evidence, remedy)


def _is_old(facts: Facts, run: CheckRun) -> bool:
    return facts.days_since(run) > facts.bounds.run_days


def _age(facts: Facts, run: CheckRun) -> str:
    days = facts.days_since(run)
    hours = round(days * 24)
    if hours == 1:
        return "an hour ago"
    return f"{hours} hours ago" if days < 2 else f"{days:.0f} days ago"  # noqa: PLR2004 - as people say it


def _cases(run: CheckRun) -> int:
    return int(number(run.report, "cases") or 0)


def _listed(report: Mapping[str, Json], name: str) -> int:
    value = report.get(name)
    return len(value) if isinstance(value, list) else 0


BY_HAND: tuple[RunKind, ...] = ("calibration", "gate")
"""Tests that Ken doesn't run itself: their results are put on record."""
