"""Route: which tier or model answers, and why; how long its answer may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

from ken.assistant.escalate import Escalation
from ken.assistant.turn import Turn
from ken.domain.trace import Scalar
from ken.errors import NotFound
from ken.gateway.difficulty import Seen, features_of, work_of
from ken.gateway.route import SHORT_SHARE, Case, Routes, decide
from ken.knowledge.query.compound import parts
from ken.models.protocols import ChatModel
from ken.prompts.plan import MARGIN, Window

DEFAULT = "ken"
"""The model name that leaves the choice to the route."""


_ROOMY = 2000
"""Tokens of an answer that nobody writes who doesn't think first."""


def _works(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """What there is to choose from."""

    models: Mapping[str, ChatModel]
    """Models and tiers, by name."""
    windows: Mapping[str, Window]
    """What each model reads and writes at once, by name."""
    default: str
    """The model that answers where there are no tiers."""
    routes: Routes = field(default_factory=Routes)
    is_down: Callable[[str], bool] = _works
    """Whether a model, by its name, takes no calls at present."""

    def window(self, asked: str | None) -> Window:
        """For assembling: the widest window that the question may come to. Raises NotFound for a name that isn't there."""
        name = choose(asked, self.models, default=self.default)
        if self.chooses(asked):
            return max((self.window_of(tier) for tier in self.routes.tiers), key=room)
        return self.window_of(name)

    def chain(self, turn: Turn) -> tuple[str, ...]:
        """The models that a routed question may come to, in their order."""
        asked = turn.tier or choose(turn.question.model, self.models, default=self.default)
        return next((tier.models for tier in self.routes.tiers.values() if tier.name == asked), (asked,))

    def window_of(self, name: str) -> Window:
        """Of a model; of a tier, the smallest of its chain, since any of its models may have to read the prompt."""
        chain = next((tier.models for tier in self.routes.tiers.values() if tier.name == name), (name,))
        return min((self.windows[model] for model in chain), key=room)

    def chooses(self, asked: str | None) -> bool:
        """Whether the choice is the route's, and there is one."""
        return asked in {None, DEFAULT} and bool(self.routes.tiers)


def room(window: Window) -> int:
    """Tokens that a window has for a prompt."""
    return window.context - window.answer


def choose(name: str | None, models: Mapping[str, ChatModel], *, default: str) -> str:
    """The model that a request for `name` goes to. Raises NotFound, naming the ones there are."""
    wanted = default if name in {None, DEFAULT} else name
    if wanted not in models:
        raise NotFound(
            f"There is no model {wanted!r}. There are: {', '.join(repr(known) for known in (DEFAULT, *models))}."
        )
    return wanted or default


def route(turn: Turn, router: Router) -> str:
    """Read what is known by now; set `difficulty`, `model`, `tier`, `decision` and `max_tokens`."""
    turn.difficulty = router.routes.estimator.estimate(features_of(_seen(turn)))
    name = choose(turn.question.model, router.models, default=router.default)
    if not router.chooses(turn.question.model):
        turn.model = router.models[name]
        turn.tier = next((tier for tier in router.routes.tiers if tier == name), "")
        turn.max_tokens = _longest(turn, router)
        _tell_short(turn)
        reason = "the default" if turn.question.model in {None, DEFAULT} else "asked for"
        return f"{name}: {reason}"
    case = Case(
        task=turn.task,
        work=work_of(turn.standalone),
        difficulty=turn.difficulty,
        prompt_tokens=needed(turn),
        is_short=turn.standing.is_short,
        is_down=router.is_down,
    )
    turn.decision = decide(router.routes, case)
    turn.tier = turn.decision.tier
    turn.model = router.models[turn.tier]
    turn.max_tokens = _longest(turn, router)
    _tell_short(turn)
    return f"{turn.tier}: {turn.decision.told}"


def go_up(turn: Turn, router: Router, *, escalation: Escalation) -> str:
    """Set `tier`, `model`, `max_tokens` and `escalated` for a question whose answer could not be shown."""
    assert escalation.to is not None  # noqa: S101 - the caller has looked
    turn.escalated = escalation.why
    turn.tier = escalation.to.name
    turn.model = router.models[turn.tier]
    turn.max_tokens = _longest(turn, router)
    return f"{turn.tier}: escalated, as {escalation.why}"


def needed(turn: Turn) -> int:
    """Tokens that a window has to have free for the prompt, with the margin for other tokenizers."""
    prompt = turn.prompt
    if prompt is None:
        return 0
    return ceil(prompt.tokens * MARGIN)


def attributes(turn: Turn) -> dict[str, Scalar]:
    """What the span of the route keeps: enough to learn from the turn later on."""
    told: dict[str, Scalar] = {"max_tokens": turn.max_tokens}
    if turn.tier:
        told["tier"] = turn.tier
    if turn.escalated:
        return told | {"escalated": turn.escalated}
    if turn.difficulty is not None:
        told["difficulty"] = round(turn.difficulty.value, 4)
        told["features"] = json.dumps(
            {name: round(value, 4) for name, value in turn.difficulty.features.items() if value}, separators=(",", ":")
        )
    if turn.decision is not None:
        told |= {"reason": turn.decision.told, "threshold": turn.decision.threshold}
        if turn.decision.is_lighter:
            told["lighter"] = True
    return told


def passages(turn: Turn, most: int) -> int:
    """How many passages an answer is made from: fewer where the budget is short."""
    return max(1, ceil(most * SHORT_SHARE)) if turn.standing.is_short else most


def _seen(turn: Turn) -> Seen:
    explained = turn.result.explained if turn.result is not None else None
    asked = explained.parts if explained is not None and explained.parts else parts(turn.standalone)
    return Seen(
        text=turn.text,
        task=turn.task,
        parts=max(1, len(asked)),
        leans=turn.standalone != turn.text,
        evidence=turn.evidence,
        answerable=turn.answerable,
        disagreements=len(turn.disagreements),
        other_times=len(turn.standings),
    )


def _longest(turn: Turn, router: Router) -> int | None:
    """The answer's greatest length: of the task type, or what the asker wants where that is less.

    What an operator sets always counts. A default doesn't for a model that was given much room on purpose: it thinks before it
    writes, and would have used up a short length before its first word.
    """
    routes = router.routes
    most = routes.max_tokens.get(turn.task)
    roomy = any(router.windows[name].answer > _ROOMY for name in router.chain(turn) if name in router.windows)
    if turn.task not in routes.capped and roomy:
        most = None
    if most is not None and turn.standing.is_short:
        most = max(1, int(most * SHORT_SHARE))
    given = [each for each in (most, turn.question.max_tokens) if each is not None]
    return min(given, default=None)


def _tell_short(turn: Turn) -> None:
    """Say what a short budget has done to the answer, which is then not to be given again."""
    if not turn.standing.is_short:
        return
    lighter = "by a lighter model, " if turn.decision is not None and turn.decision.is_lighter else ""
    turn.notices.append(f"{turn.standing.notice} So this is answered {lighter}from fewer passages and in fewer words.")
    turn.flaws.append("the budget was short")
