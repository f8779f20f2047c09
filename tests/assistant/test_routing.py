"""The route through the assistant: who is asked, when a stronger one is asked instead, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ken.assistant.answer import Assistant
from ken.assistant.explain import Known, explain
from ken.domain.answer import Answer, Question
from ken.domain.budget import BudgetStanding
from ken.domain.call import Purpose
from ken.domain.events import Answered, Notice
from ken.domain.principal import LOCAL_OPERATOR
from ken.domain.trace import Scalar, Span
from ken.gateway.route import Routes, Tier, TierName
from ken.models.scripted import ScriptedModel
from ken.prompts.plan import Window
from ken.telemetry.prices import Prices
from ken.wiring import Ken
from tests.assistant.corpus import LIT, OUT, QUESTION, WATCH, Told, assistant, says, tell, trace_of

HARD = "Why is the lamp of the lighthouse lit before sunset, and who cleans the lens if the second keeper is ill?"
UNKNOWN = "What is the boiling point of tungsten?"
LIE = "The lamp burns whale oil from Norway. [1]"
NOT_THERE = "NOT IN THE DOCUMENTS"
SHORT = BudgetStanding(state="short", notice="The budget of this month is used up to 85 %.")


def tiered(
    ken: Ken,
    small: ScriptedModel,
    large: ScriptedModel,
    *,
    standing: BudgetStanding | None = None,
    is_down: Callable[[str], bool] = lambda _: False,
    rooms: tuple[int, int] = (4000, 4000),
    **more: object,
) -> Assistant:
    """An assistant whose first tier is one of these models, and whose second is the other."""
    parts = assistant(ken, small, large).parts
    chains: dict[TierName, str] = {"tier-1": small.name, "tier-2": large.name}
    room = dict(zip(chains, rooms, strict=True))
    tiers = {name: Tier(name=name, models=(model,), room=room[name]) for name, model in chains.items()}

    async def stands(_: Purpose) -> BudgetStanding:
        return standing or BudgetStanding()

    return Assistant(
        replace(
            parts,
            models=dict(parts.models) | {name: parts.models[model] for name, model in chains.items()},
            windows={model: Window(room[name] + 500, 500) for name, model in chains.items()},
            routes=Routes(tiers=tiers, **more),  # pyright: ignore[reportArgumentType]
            standing=stands,
            is_down=is_down,
        )
    )


def answer_of(told: Told) -> Answer:
    assert isinstance(told.last, Answered), told.last
    assert told.last.answer.text == told.text
    return told.last.answer


def spans(ken: Ken, told: Told, name: str) -> list[Span]:
    return [span for span in trace_of(ken, told).spans if span.name == name]


def facts(span: Span) -> dict[str, Scalar]:
    return dict(span.attributes)


async def test_a_question_goes_to_the_tier_of_its_difficulty(ken: Ken) -> None:
    """An easy one to the light tier, a hard one to the strong one; the span of the route says why, for people and for training."""
    small, large = says(f"{LIT} [1]", name="small"), says(f"{LIT} [1]", name="large")
    asked = tiered(ken, small, large)
    easy, hard = await tell(asked), await tell(asked, HARD)
    assert (len(small.requests), len(large.requests)) == (1, 1)
    assert (answer_of(easy).model, answer_of(hard).model) == ("small", "large")
    kept = facts(spans(ken, hard, "route")[0])
    assert kept["tier"] == "tier-2"
    assert kept["threshold"] == 0.5
    assert isinstance(kept["difficulty"], float)
    assert kept["difficulty"] >= 0.5
    assert "it asks for reasons or advice" in str(kept["reason"])
    assert json.loads(str(kept["features"]))["judgement"] == 1
    assert (small.requests[0].context.purpose.tier, large.requests[0].context.purpose.tier) == ("tier-1", "tier-2")


async def test_a_tier_or_a_model_may_be_asked_for(ken: Ken) -> None:
    """By its name; then its difficulty doesn't count, and neither does what comes of it."""
    small, large = says(LIE, name="small"), says(f"{LIT} [1]", name="large")
    asked = tiered(ken, small, large)
    assert answer_of(await tell(asked, model="tier-1")).outcome == "abstained"
    assert answer_of(await tell(asked, model="small")).outcome == "abstained"
    assert not large.requests
    assert answer_of(await tell(asked, model="tier-2")).text.startswith(LIT)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (LIE, "its sentence is not supported by a passage"),
        (f"{LIE} They pay in silver coins. [2]", "none of its 2 sentences is supported by a passage"),
        (NOT_THERE, "it found no answer, and the search is confident"),
        ("I'm sorry, the documents do not mention that.", "it found no answer, and the search is confident"),
        ("", "it failed: The model 'gpt-4o-mini' ended its answer without a word"),
    ],
)
async def test_what_could_not_be_shown_is_asked_of_a_stronger_tier(ken: Ken, first: str, why: str) -> None:
    """Once, before anything was shown; a notice and the spans say so, and both answers are paid for."""
    small, large = says(first, name="gpt-4o-mini"), says(f"{LIT} [1] {OUT} [1]", name="gpt-4o")
    told = await tell(tiered(ken, small, large, escalate_above=0.3))
    answer = answer_of(told)
    assert answer.text == f"{LIT} [1] {OUT} [1]"
    assert answer.model == "gpt-4o"
    (notice,) = [event for event in told.events if isinstance(event, Notice)]
    assert notice.kind == "escalated"
    assert why in notice.text
    assert answer.notices == (notice.text,)
    routes = [facts(span) for span in spans(ken, told, "route")]
    assert [kept["tier"] for kept in routes] == ["tier-1", "tier-2"]
    assert why in str(routes[1]["escalated"])
    models = [facts(span)["model"] for span in spans(ken, told, "generate")]
    assert models == ["gpt-4o-mini", "gpt-4o"]
    costs = [charge.cost_micros for charge in large.requests[0].context.account.charges]
    assert len(costs) == 2
    assert answer.cost_micros == sum(cost or 0 for cost in costs) > 0


@pytest.mark.parametrize(
    ("first", "question", "more"),
    [
        (f"{LIT} [1] {LIE}", QUESTION, {}),
        (NOT_THERE, UNKNOWN, {"escalate_above": 0.3}),
        (LIE, QUESTION, {"escalates": False}),
        (NOT_THERE, QUESTION, {"escalate_above": 0.9}),
    ],
)
async def test_what_is_believed_stays(ken: Ken, first: str, question: str, more: dict[str, object]) -> None:
    """An answer of which a part was shown; an abstention that the search shares; all of them where nothing escalates."""
    small, large = says(first, name="small"), says(f"{LIT} [1]", name="large")
    told = await tell(tiered(ken, small, large, **more), question)  # pyright: ignore[reportArgumentType]
    assert not large.requests
    assert answer_of(told).model == "small"
    assert len(spans(ken, told, "route")) == 1


async def test_the_stronger_tier_has_the_last_word(ken: Ken) -> None:
    """Where it fails at the question, too, Ken abstains, and says once why."""
    small, large = says(LIE, name="small"), says(f"{LIE} They pay in silver coins. [2]", name="large")
    told = await tell(tiered(ken, small, large))
    assert answer_of(told).outcome == "abstained"
    assert (len(small.requests), len(large.requests)) == (1, 1)
    assert [text for text in told.notices if "left out" in text] == [
        "2 sentences were left out, as no passage supports them."
    ]


async def test_a_short_budget_makes_everything_lighter(ken: Ken) -> None:
    """The light tier for a hard question, fewer passages, a shorter answer; no escalation, and a notice for each."""
    small, large = says(LIE, name="small"), says(f"{WATCH} [1]", name="large")
    plenty = await tell(tiered(ken, says(f"{LIT} [1]"), large), HARD)
    told = await tell(tiered(ken, small, large, standing=SHORT), HARD)
    assert len(large.requests) == 1
    light, usual = small.requests[0], large.requests[0]
    assert len(light.evidence) < len(usual.evidence)
    assert light.max_tokens is not None
    assert usual.max_tokens is not None
    assert light.max_tokens < usual.max_tokens
    assert facts(spans(ken, told, "route")[0])["lighter"] is True
    said = " ".join(told.notices)
    assert SHORT.notice in said
    assert "a lighter model" in said
    assert "was not asked instead" in said
    assert SHORT.notice not in " ".join(plenty.notices)


async def test_a_tier_whose_models_are_down_is_passed_over(ken: Ken) -> None:
    """With the reason on the span; where all are down, the wanted one is asked all the same."""
    small, large = says(f"{LIT} [1]", name="small"), says(f"{LIT} [1]", name="large")
    told = await tell(tiered(ken, small, large, is_down=lambda model: model == "small"))
    assert answer_of(told).model == "large"
    assert "not tier-1: its breaker is open" in told.detail("route")
    assert answer_of(await tell(tiered(ken, small, large, is_down=lambda _: True))).model == "small"


async def test_the_prompt_fits_the_tier_that_answers(ken: Ken) -> None:
    """A long prompt goes to a tier with room for it; where that one is down, it is laid out anew for the smaller one."""
    small, large = says(f"{LIT} [1]", name="small"), says(f"{LIT} [1]", name="large")
    told = await tell(tiered(ken, small, large, rooms=(560, 4000)))
    assert answer_of(told).model == "large"
    assert "not tier-1: the prompt's" in told.detail("route")
    await tell(tiered(ken, small, large, rooms=(560, 4000), is_down=lambda model: model == "large"))
    assert 0 < len(small.requests[0].evidence) < len(large.requests[0].evidence)


async def test_answers_are_as_long_as_their_task_wants(ken: Ken) -> None:
    """Each task type has its length; the asker's own counts where it is less."""
    small, large = says(f"{LIT} [1]", name="small"), says(f"{LIT} [1]", name="large")
    asked = tiered(ken, small, large, max_tokens={"lookup": 90, "procedure": 300})
    await tell(asked)
    await tell(asked, "How do I change the bulb of the lamp?")
    await tell(asked, max_tokens=40)
    assert [request.max_tokens for request in small.requests] == [90, 300, 40]


async def test_explaining_asks_no_model(ken: Ken) -> None:
    """The tier that would answer, with its reasons, models and costs; neither model hears of it, and no trace is kept."""
    small, large = says(LIT, name="gpt-4o-mini"), says(LIT, name="gpt-4o")
    asked = tiered(ken, small, large)
    question = Question(text=HARD, principal=LOCAL_OPERATOR)
    outlook = await explain(
        asked.parts, question, known=Known(price_of=Prices.shipped().cost_micros, breaker_of=lambda _: "closed")
    )
    assert (outlook.tier, outlook.outcome) == ("tier-2", "")
    assert outlook.decision is not None
    assert outlook.difficulty is not None
    assert outlook.difficulty.contributions
    assert list(outlook.stages) == ["intake", "screen", "classify", "recall", "retrieve", "assemble", "route"]
    (model,) = outlook.models
    assert (model.name, model.breaker) == ("gpt-4o", "closed")
    assert model.least_micros is not None
    assert model.most_micros is not None
    assert 0 < model.least_micros < model.most_micros
    told = await tell(asked, HARD)
    assert facts(spans(ken, told, "route")[0])["difficulty"] == round(outlook.difficulty.value, 4)
    refused = await explain(asked.parts, Question(text="Hello!", principal=LOCAL_OPERATOR))
    assert (refused.outcome, refused.models) == ("abstained", ())
    assert (len(small.requests), len(large.requests)) == (0, 1)


async def test_explaining_looks_into_the_cache_and_leaves_no_mark(ken: Ken) -> None:
    """It finds the answer that would be given again, and counts for no figure."""
    model = says(f"{LIT} [1]", name="gpt-4o-mini")
    asked = assistant(ken, model, cache=True)
    assert asked.parts.cache is not None
    await tell(asked)
    before = asked.parts.cache.read(days=1)
    outlook = await explain(asked.parts, Question(text=QUESTION, principal=LOCAL_OPERATOR))
    assert (outlook.outcome, outlook.reply) == ("answered", f"{LIT} [1]")
    assert outlook.stages["recall"] == "found"
    asked.parts.cache.flush()
    assert asked.parts.cache.read(days=1) == before
