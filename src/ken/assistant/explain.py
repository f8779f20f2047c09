"""Explain: what would happen to a question, and why, without a model being called, a cache written or a trace kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ken.assistant import route
from ken.assistant.parts import Parts
from ken.assistant.stages import before_model
from ken.assistant.turn import Turn
from ken.domain.answer import Question
from ken.domain.budget import BudgetStanding
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage
from ken.gateway.difficulty import Estimate
from ken.gateway.route import Decision
from ken.prompts.plan import TokenPlan

TYPICAL_TOKENS = 120
"""Of an answer: a fact with what belongs to it, cited; the lower end of what a question may cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of models beside their windows, each by a model's name."""

    price_of: PriceOf = lambda _, __: None
    breaker_of: Callable[[str], str] = lambda _: ""
    """The state of its breaker; empty where it has none."""
    patience_of: Callable[[str], Mapping[str, float]] = lambda _: {}
    """How long it is waited for, in seconds."""


PriceOf = Callable[[str, Usage], int | None]
"""Model and usage -> millionths of the price list's currency; None where the price is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutlook:
    """One model of the chain that would answer, in its order."""

    name: str
    breaker: str
    """`closed`, `half-open`, `open`; empty for a model without one."""
    window: int
    """Prompt and answer together, in tokens."""
    least_micros: int | None
    """For a typical answer, in millionths of the price list's currency; None where the price is unknown."""
    most_micros: int | None
    """For one of the greatest length."""
    patience_s: Mapping[str, float]
    """Seconds that it is waited for: `connect`, `first_token`, `stall`, `completion`; empty for what runs in this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What would happen to a question."""

    question: str
    standalone: str
    principal: str
    release: str
    task_type: str
    category: str
    stages: Mapping[str, str]
    """Each stage that would run before a model is called, with what it finds."""
    outcome: str
    """How it ends without a model; empty where one is called."""
    reply: str
    """What is then said."""
    budget: BudgetStanding
    notices: tuple[str, ...]
    passages: int
    prompt_tokens: int
    plan: TokenPlan | None
    difficulty: Estimate | None
    decision: Decision | None
    """None where no tiers are there to choose from, or one was asked for."""
    tier: str
    models: tuple[ModelOutlook, ...]
    max_tokens: int | None
    deadline_s: float


async def explain(parts: Parts, question: Question, *, known: Known | None = None) -> Outlook:
    """Run the stages up to the route. Raises what they raise."""
    parts = replace(parts, cache=None if parts.cache is None else parts.cache.quiet())
    searcher = await parts.corpora.corpus()
    today = question.today or parts.clock()
    turn = Turn(question=question, deadline=Deadline.after(parts.limits.deadline_s), today=today)
    router = parts.router
    stages: dict[str, str] = {}
    for name, step in before_model(parts, turn, searcher=searcher):
        result = step()
        stages[name] = result if isinstance(result, str) else await result
        if turn.outcome is not None:
            break
    chain = router.chain(turn) if turn.outcome is None and turn.model is not None else ()
    return Outlook(
        question=turn.text,
        standalone=turn.standalone,
        principal=question.principal.id,
        release=parts.release.id,
        task_type=turn.task,
        category=turn.category,
        stages=stages,
        outcome=turn.outcome or ("" if turn.evidence else "abstained"),
        reply=turn.reply,
        budget=turn.standing,
        notices=tuple(turn.notices),
        passages=len(turn.evidence),
        prompt_tokens=route.needed(turn),
        plan=turn.prompt.plan if turn.prompt is not None else None,
        difficulty=turn.difficulty,
        decision=turn.decision,
        tier=turn.tier,
        models=tuple(_model(turn, router, name=name, known=known or Known()) for name in chain),
        max_tokens=turn.max_tokens,
        deadline_s=parts.limits.deadline_s,
    )


def _model(turn: Turn, router: route.Router, *, name: str, known: Known) -> ModelOutlook:
    window = router.windows[name]
    # What runs in this process has no length of its own to its answers.
    most = min(each for each in (window.answer, turn.max_tokens, window.context) if each)
    asked = route.needed(turn)
    costs = [known.price_of(name, Usage(asked, wrote)) for wrote in (min(most, TYPICAL_TOKENS), most)]
    return ModelOutlook(
        name=name,
        breaker=known.breaker_of(name),
        window=window.context,
        least_micros=costs[0],
        most_micros=costs[1],
        patience_s=known.patience_of(name),
    )
