"""The stages before the model, in their order: a question is answered by them, and explained by them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ken.assistant import classify, recall, retrieve, route, screen
from ken.assistant.assemble import assemble
from ken.assistant.intake import admit
from ken.assistant.parts import Parts
from ken.assistant.retrieve import Searcher
from ken.assistant.turn import Turn
from ken.domain.call import Purpose
from ken.domain.events import (
    Stage,
)
from ken.releases.release import Release

Work = Callable[[], str | Awaitable[str]]


def before_model(parts: Parts, turn: Turn, *, searcher: Searcher) -> tuple[tuple[Stage, Work], ...]:
    """The stages up to the route, in their order; one that sets an outcome is the last. Raises NotFound for an unknown model."""
    limits, router = parts.limits, parts.router
    widest = router.window(turn.question.model)

    async def classified() -> str:
        detail = classify.classify(turn, parts.categories)
        if parts.standing is not None:
            turn.standing = await parts.standing(purpose_of(turn, parts.release, stage="classify"))
        return f"{detail}, the budget is {turn.standing.state}" if turn.standing.is_short else detail

    def routed() -> str:
        detail = route.route(turn, router)
        window = router.window_of(turn.tier) if turn.tier else widest
        if route.needed(turn) > route.room(window):
            detail += (
                f"; prompt laid out anew: {assemble(turn, tokens=parts.tokens, window=window, share=limits.share)}"
            )
        return detail

    return (
        ("intake", lambda: admit(turn, max_chars=limits.max_chars, history_turns=limits.history_turns)),
        ("screen", lambda: screen.screen(turn)),
        ("classify", classified),
        ("recall", lambda: recall.recall(turn, parts.cache, release=parts.release.id, searcher=searcher)),
        (
            "retrieve",
            lambda: retrieve.retrieve(
                turn, searcher, limit=route.passages(turn, limits.passages), asks_back=parts.asks_back
            ),
        ),
        ("assemble", lambda: assemble(turn, tokens=parts.tokens, window=widest, share=limits.share)),
        ("route", routed),
    )


def purpose_of(turn: Turn, release: Release, *, stage: Stage, trace_id: str | None = None) -> Purpose:
    """Whom a call of a stage is for, and what it is a part of."""
    principal = turn.question.principal
    return Purpose(
        principal=principal.id,
        groups=principal.groups,
        stage=stage,
        task_type=turn.task,
        category=turn.category,
        tier=turn.tier,
        release=release.id,
        trace_id=trace_id,
    )
