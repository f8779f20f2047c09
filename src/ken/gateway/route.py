"""Which tier answers, and why: a decision over what is known of a question, the tiers, their health and the budget.

A tier is an ordered chain of models. `tier-1` is light, `tier-2` the strongest; `code` and `creative` are for what their names
say; `local` runs in the house. Any of them may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ken.domain.answer import TaskType
from ken.gateway.difficulty import RULES, Estimate, Estimator, Work

TierName = Literal["tier-1", "tier-2", "code", "creative", "local"]
TIERS: tuple[TierName, ...] = get_args(TierName)

THRESHOLD = 0.5
"""From this difficulty on the strongest tier answers: a light model's answer is then more likely to fall short than not."""
ESCALATE_ABOVE = 0.7
"""An abstention of a lighter tier is doubted where the search is so confident that the passages hold the answer."""
MAX_TOKENS: Mapping[TaskType, int] = {
    "lookup": 500,
    "procedure": 1000,
    "comparison": 800,
    "troubleshooting": 1000,
    "summary": 800,
    "smalltalk": 200,
}
"""The longest answer by task type: a fact with what belongs to it takes some 100 tokens, twelve steps some 400, and the cap is
more than twice that, so that it cuts what has run away and nothing else."""
SHORT_SHARE = 0.6
"""Where the budget is short, an answer may be so long, and be made from so many passages, of what it else might."""

# Who stands in where a tier can't answer: as strong, then stronger, then lighter.
_STAND_INS: Mapping[TierName, tuple[TierName, ...]] = {
    "tier-1": ("tier-2", "local"),
    "tier-2": ("tier-1", "local"),
    "code": ("tier-2", "tier-1", "local"),
    "creative": ("tier-2", "tier-1", "local"),
    "local": ("tier-1", "tier-2"),
}
_LIGHTER: Mapping[TierName, tuple[TierName, ...]] = {
    "tier-1": ("local",),
    "tier-2": ("tier-1", "local"),
    "code": ("tier-1", "local"),
    "creative": ("tier-1", "local"),
    "local": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A class of models: the first answers, the next ones where it fails."""

    name: TierName
    models: tuple[str, ...]
    room: int
    """Tokens of a prompt that each of its models can read beside its longest answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What an operator decides of the route."""

    tiers: Mapping[TierName, Tier] = field(default_factory=dict[TierName, Tier])
    """By name; empty where every question goes to the default model."""
    estimator: Estimator = RULES
    threshold: float = THRESHOLD
    tasks: Mapping[TaskType, TierName] = field(default_factory=dict[TaskType, TierName])
    """Task types whose tier is settled, whatever their difficulty."""
    escalates: bool = True
    escalate_above: float = ESCALATE_ABOVE
    max_tokens: Mapping[TaskType, int] = field(default_factory=lambda: dict(MAX_TOKENS))
    """The longest answer by task type."""
    capped: frozenset[TaskType] = frozenset()
    """Those whose length the operator has set."""

    @property
    def told(self) -> str:
        """What a release says of it."""
        chains = "; ".join(f"{name}={','.join(tier.models)}" for name, tier in sorted(self.tiers.items()))
        tasks = ",".join(f"{task}={tier}" for task, tier in sorted(self.tasks.items()))
        caps = ",".join(f"{task}={cap}" for task, cap in sorted(self.max_tokens.items()))
        weights = ",".join(f"{name}={each:g}" for name, each in sorted(self.estimator.weights.items()))
        return (
            f"{chains} | {self.threshold:g} | {tasks} | {self.escalates} {self.escalate_above:g} | {caps}"
            f" | {self.estimator.bias:g} {weights}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a decision is made on."""

    task: TaskType
    work: Work
    difficulty: Estimate
    prompt_tokens: int = 0
    """Of the prompt as it was assembled; a tier without room for it is passed over."""
    is_short: bool = False
    """Whether the budget wants it done for less."""
    is_down: Callable[[str], bool] = lambda _: False
    """Whether a model, by its name, takes no calls at present."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A tier that would have answered, and why it doesn't."""

    tier: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which tier answers, and why."""

    tier: TierName
    reason: str
    difficulty: float
    threshold: float
    passed_over: tuple[PassedOver, ...] = ()
    is_lighter: bool = False
    """Whether the budget made it lighter than the question would have it."""

    @property
    def told(self) -> str:
        """The decision with its reasons, in one line."""
        passed = "".join(f"; not {each.tier}: {each.reason}" for each in self.passed_over)
        return f"{self.reason}{passed}"


def decide(routes: Routes, case: Case) -> Decision:
    """Choose a tier; `routes` has at least one.

    The wanted tier is passed over where all its models are down or it has no room for the prompt; where every tier is, the
    wanted one is tried after all.
    """
    wanted, reason = _wanted(routes, case)
    first = wanted
    lighter: TierName | None = None
    if case.is_short:
        lighter = next((name for name in _LIGHTER[wanted] if name in routes.tiers), None)
        if lighter is not None:
            first = lighter
            reason = f"the budget is short, so that {lighter} answers in the place of {wanted} ({reason})"
    order = (first, *stand_ins(routes, first))
    passed: list[PassedOver] = []
    chosen = order[0]
    for name in order:
        why = _unfit(routes.tiers[name], case)
        if why is None:
            chosen = name
            break
        passed.append(PassedOver(name, why))
    else:
        passed = [each for each in passed if each.tier != chosen]
    if chosen != order[0]:
        reason = f"stands in for {order[0]} ({reason})"
    return Decision(
        tier=chosen,
        reason=reason,
        difficulty=case.difficulty.value,
        threshold=routes.threshold,
        passed_over=tuple(passed),
        is_lighter=lighter is not None and chosen != wanted,
    )


def stand_ins(routes: Routes, tier: TierName) -> tuple[TierName, ...]:
    """The tiers that a question goes to where this one can't answer, in their order: as strong, then stronger, then lighter."""
    others = dict.fromkeys((*_STAND_INS[tier], *TIERS))
    return tuple(name for name in others if name in routes.tiers and name != tier)


def stronger(routes: Routes, tier: TierName, *, is_down: Callable[[str], bool]) -> Tier | None:
    """The tier that a question goes to when this one's answer could not be shown; None where there is no stronger one that works."""
    strongest = routes.tiers.get("tier-2")
    if strongest is None or tier == "tier-2" or all(is_down(model) for model in strongest.models):
        return None
    same = routes.tiers[tier].models == strongest.models if tier in routes.tiers else False
    return None if same else strongest


def _wanted(routes: Routes, case: Case) -> tuple[TierName, str]:
    """The tier that the question would have were every tier at work; and why."""
    settled = routes.tasks.get(case.task)
    if settled is not None and settled in routes.tiers:
        return settled, f"every {case.task} goes there"
    if case.work != "answer" and case.work in routes.tiers:
        return case.work, "it wants code" if case.work == "code" else "it wants a text in words of its own"
    value, threshold = case.difficulty.value, routes.threshold
    if value >= threshold:
        reason = f"difficulty {value:.2f}, {threshold:.2f} or more: {case.difficulty.reason}"
        ladder: tuple[TierName, ...] = ("tier-2", "tier-1", "local")
    else:
        reason = f"difficulty {value:.2f}, below {threshold:.2f}: {case.difficulty.reason}"
        ladder = ("tier-1", "local", "tier-2")
    return next(name for name in (*ladder, *TIERS) if name in routes.tiers), reason


def _unfit(tier: Tier, case: Case) -> str | None:
    if all(case.is_down(model) for model in tier.models):
        return (
            "its breaker is open"
            if len(tier.models) == 1
            else f"the breakers of its {len(tier.models)} models are open"
        )
    if case.prompt_tokens > tier.room:
        return f"the prompt's {case.prompt_tokens:,} tokens don't fit into its {tier.room:,}"
    return None
