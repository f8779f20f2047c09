"""What the stages work with, and what a question may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ken.assistant import route
from ken.assistant.retrieve import Corpora
from ken.assistant.shadow import Shadows
from ken.checks.heuristics.examine import Examiner
from ken.domain.budget import BudgetStanding
from ken.domain.cached import Category
from ken.domain.call import Purpose
from ken.domain.trace import TraceKind
from ken.gateway.cache.categories import BUILT_IN
from ken.gateway.cache.semantic import SemanticCache
from ken.gateway.route import Routes
from ken.models.protocols import ChatModel, TokenCounter
from ken.prompts.plan import Window
from ken.releases.release import Release
from ken.telemetry.recorder import Recorder
from ken.telemetry.topics import Topics
from ken.telemetry.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a question may take."""

    deadline_s: float
    max_chars: int
    history_turns: int
    passages: int
    share: float = 1.0
    """Of the passages' text that a prompt keeps."""


def local_date() -> str:
    """The date of this machine's clock and time zone, as ISO 8601."""
    return datetime.now(UTC).astimezone().date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the stages work with; wiring.py puts it together."""

    corpora: Corpora
    models: Mapping[str, ChatModel]
    windows: Mapping[str, Window]
    """Of each model."""
    default_model: str
    tokens: TokenCounter
    reader: ChatModel | None
    """Quotes the passages where no model can answer; None: then the question fails with the model's error."""
    cache: SemanticCache | None
    recorder: Recorder
    release: Release
    limits: Limits
    examiner: Examiner = field(default_factory=Examiner)
    """The heuristics that look at every answer."""
    traffic: Traffic = field(default_factory=Traffic)
    """Counts the questions under way."""
    topics: Topics | None = None
    """Tells the cluster of a question; None: none is told."""
    kind: TraceKind = "question"
    """What the traces of these questions are."""
    categories: tuple[Category, ...] = BUILT_IN
    """What tells questions apart for the cache and its figures, the more particular first."""
    answers_unsearched: bool = False
    """Whether a model answers on its own, under a caveat, where the search fails."""
    shadows: Shadows | None = None
    """Makes some of the answers that the cache gives anew, to see whether they are right."""
    asks_back: bool = False
    """Whether a question that the documents answer in more than one way is answered with a question back."""
    routes: Routes = field(default_factory=Routes)
    """Which tier answers what; without tiers, every question goes to the default model."""
    is_down: Callable[[str], bool] = lambda _: False
    """Whether a model, by its name, takes no calls at present."""
    standing: Callable[[Purpose], Awaitable[BudgetStanding]] | None = None
    """How the budgets stand that bind a purpose; None: there are none."""
    clock: Callable[[], str] = local_date
    """Tells the day, an ISO date, for questions that don't bring their own. It is read once for each question, here."""

    @property
    def router(self) -> route.Router:
        """What the route chooses from."""
        return route.Router(
            models=self.models,
            windows=self.windows,
            default=self.default_model,
            routes=self.routes,
            is_down=self.is_down,
        )
