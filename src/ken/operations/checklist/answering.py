"""The questions in their order, and their answers."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.wire import Json
from ken.operations.checklist import proofs, traffic
from ken.operations.checklist.facts import Facts, Found, Question

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="cost",
        asks="Is the cost of a successful task stable?",
        look=traffic.cost_is_stable,
        where="GET /api/gateway/costs; the figure `cost_per_success` by task_type",
    ),
    Question(
        name="hit_rate",
        asks="Does the answer cache give as many answers as expected?",
        look=traffic.cache_answers_as_expected,
        where="ken cache; the figure `cache_hit_rate` by category",
    ),
    Question(
        name="context_tokens",
        asks="Are prompts as long as they should be?",
        look=traffic.context_is_in_range,
        where="the figure `context_tokens.p95` by task_type",
    ),
    Question(
        name="regression_set",
        asks="Was the question set run on this release?",
        look=proofs.regression_set_was_run,
        where="ken eval",
    ),
    Question(
        name="groundedness",
        asks="Are its answers grounded and right?",
        look=proofs.answers_are_grounded_and_right,
        where="ken eval --json FILE",
    ),
    Question(
        name="retrieval",
        asks="Was retrieval validated since the index changed?",
        look=proofs.retrieval_is_validated,
        where="ken eval --search-only; ken index",
    ),
    Question(
        name="judge",
        asks="Was the judge calibrated lately?",
        look=proofs.judge_is_calibrated,
        where="docs/guides/checklist.md",
    ),
    Question(
        name="ttft",
        asks="Do answers begin in time under the expected load?",
        look=proofs.ttft_is_within_the_objective,
        where="ken load --report PAGE",
    ),
    Question(
        name="load",
        asks="Was every dependency tested at peak concurrency?",
        look=proofs.dependencies_are_load_tested,
        where="ken load; GET /api/gateway/health",
    ),
    Question(
        name="fallbacks",
        asks="Were fallbacks tested under failure?",
        look=proofs.fallbacks_are_tested,
        where="ken drill",
    ),
    Question(
        name="breakers",
        asks="Were the breakers verified?",
        look=proofs.breakers_are_verified,
        where="ken drill; GET /api/gateway/health",
    ),
    Question(
        name="retries",
        asks="Do retries get on record?",
        look=traffic.retries_are_logged,
        where="the figure `retries` by reason",
    ),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of the checklist with its answer."""

    question: Question
    found: Found


@dataclass(frozen=True, slots=True)
class Checklist:
    """All answers for one release."""

    release: str
    at: float
    """Seconds since the epoch."""
    answers: tuple[Answered, ...]

    @property
    def is_ready(self) -> bool:
        """Whether all pass: what is unknown is no pass."""
        return all(each.found.state == "pass" for each in self.answers)


def answer(facts: Facts) -> Checklist:
    """Every question's answer, in order."""
    return Checklist(facts.release, facts.at, tuple(Answered(each, each.look(facts)) for each in QUESTIONS))


def as_json(checklist: Checklist) -> dict[str, Json]:
    """All of it, as it is printed, served and put on record."""
    return {
        "release": checklist.release,
        "at": checklist.at,
        "ready": checklist.is_ready,
        "answers": [
            {
                "name": each.question.name,
                "question": each.question.asks,
                "state": each.found.state,
                "evidence": each.found.evidence,
                "remedy": each.found.remedy,
                "where": each.question.where,
            }
            for each in checklist.answers
        ],
    }
