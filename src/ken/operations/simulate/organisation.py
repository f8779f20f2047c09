"""Who asks what, when, and of which models: the organisation whose traffic is made up.

The shares are choices, made so that each thing that Ken measures happens: two tiers with two models each, categories that the
cache serves well and badly, task types that differ in length, difficulty and evidence, nights and holidays with hardly anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HOUR_S = 3600.0
DAY_S = 86_400.0

TASK_TYPES = ("lookup", "procedure", "comparison", "troubleshooting", "summary", "smalltalk")
CATEGORIES = ("general", "policies", "benefits", "runbooks", "fresh")
TIERS = ("light", "strong")
MODELS = ("light-a", "light-b", "strong-a", "strong-b")
OUTCOMES = ("answered", "abstained", "refused", "asked_back", "failed")
CACHE_DECISIONS = ("", "miss", "refused", "exact", "similar", "off")
CHECKS = ("citation_validity", "language", "length", "numbers", "hedging")

MarkerKind = Literal["release", "sync"]


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that people did: a release was made current, or a sync changed documents."""

    at: float
    """Seconds since the epoch."""
    kind: MarkerKind
    name: str
    """The release's id; of a sync, its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShape:
    """What questions of a task type are like. Tokens and milliseconds are medians of long-tailed distributions."""

    share: float
    relevance: float
    """Of the best passage, on average."""
    context_tokens: float
    output_tokens: float
    strong: float
    """The share that goes to the strong tier."""
    quality: float
    """What a judge gives on average, 1 to 5."""


TASKS: dict[str, TaskShape] = {
    "lookup": TaskShape(share=0.46, relevance=0.88, context_tokens=1300, output_tokens=110, strong=0.12, quality=4.4),
    "procedure": TaskShape(
        share=0.22, relevance=0.86, context_tokens=1800, output_tokens=260, strong=0.30, quality=4.3
    ),
    "comparison": TaskShape(
        share=0.08, relevance=0.83, context_tokens=2300, output_tokens=280, strong=0.65, quality=4.1
    ),
    "troubleshooting": TaskShape(
        share=0.13, relevance=0.82, context_tokens=2000, output_tokens=260, strong=0.55, quality=4.0
    ),
    "summary": TaskShape(share=0.08, relevance=0.87, context_tokens=2600, output_tokens=300, strong=0.35, quality=4.3),
    "smalltalk": TaskShape(share=0.03, relevance=0.0, context_tokens=0, output_tokens=20, strong=0.0, quality=4.5),
}

CATEGORY_OF_TASK: dict[str, tuple[float, ...]] = {
    "lookup": (0.36, 0.26, 0.22, 0.06, 0.10),
    "procedure": (0.28, 0.22, 0.16, 0.28, 0.06),
    "comparison": (0.48, 0.22, 0.22, 0.06, 0.02),
    "troubleshooting": (0.24, 0.03, 0.03, 0.62, 0.08),
    "summary": (0.44, 0.30, 0.14, 0.10, 0.02),
    "smalltalk": (1.0, 0.0, 0.0, 0.0, 0.0),
}
"""How questions of a task type spread over CATEGORIES."""

CACHE_RATE = {"general": 0.30, "policies": 0.44, "benefits": 0.48, "runbooks": 0.33, "fresh": 0.0}
"""How often the cache has the answer; `fresh` questions don't ask it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """One model: how fast it is and what it costs, in millionths for a million tokens."""

    tier: str
    share: float
    """Of its tier's calls."""
    first_token_ms: float
    tokens_per_s: float
    input_price: int
    output_price: int


MODEL_SHAPES: dict[str, ModelShape] = {
    "light-a": ModelShape(
        tier="light", share=0.7, first_token_ms=240, tokens_per_s=170, input_price=150_000, output_price=600_000
    ),
    "light-b": ModelShape(
        tier="light", share=0.3, first_token_ms=280, tokens_per_s=150, input_price=200_000, output_price=800_000
    ),
    "strong-a": ModelShape(
        tier="strong", share=0.65, first_token_ms=480, tokens_per_s=120, input_price=3_000_000, output_price=15_000_000
    ),
    "strong-b": ModelShape(
        tier="strong", share=0.35, first_token_ms=560, tokens_per_s=105, input_price=2_500_000, output_price=12_000_000
    ),
}

STAGE_MS = {
    "intake": 0.4,
    "screen": 0.6,
    "classify": 0.5,
    "recall": 3.0,
    "embed": 4.0,
    "retrieve": 24.0,
    "assemble": 5.0,
    "route": 0.3,
    "verify": 9.0,
    "settle": 2.0,
}
"""Medians of the stages but `generate`, which is the model's."""

USUAL = {
    "refusal": 0.008,
    "abstention": 0.045,
    "asked_back": 0.012,
    "failed_check": 0.02,
    "escalated": 0.06,
    "retry": 0.009,
    "retry_again": 0.2,
    "timeout": 0.0012,
    "error": 0.0025,
    "fallback": 0.003,
    "waits": 0.03,
    "slow_first_token": 0.008,
    "slow_stage": 0.004,
    "exact": 0.45,
    "refused_by_cache": 0.06,
}
"""How often each thing happens when nothing is wrong, of those it can happen to."""

OF_THE_HOUR = (
    *(0.02, 0.012, 0.01, 0.01, 0.015, 0.04, 0.14, 0.42),
    *(0.85, 1.15, 1.25, 1.15, 0.80, 1.0, 1.2, 1.1),
    *(0.9, 0.6, 0.32, 0.2, 0.14, 0.1, 0.07, 0.04),
)
"""Relative traffic at each full hour of a working day, UTC; between the hours it's interpolated."""

OF_THE_WEEKDAY = (1.08, 1.12, 1.1, 1.02, 0.84, 0.10, 0.08)
"""Monday to Sunday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """How much is asked, and how uneven its days are."""

    seed: int
    per_day: float = 2_000.0
    """Questions on an average working day."""
    judged: float = 0.15
    """The share of answers that a judge looks at."""
    reacted: float = 0.04
    """The share that people say something of."""
    holidays: float = 0.015
    """The share of working days on which hardly anybody works."""
    weekdays: tuple[float, ...] = OF_THE_WEEKDAY
    """Relative traffic of Monday to Sunday."""
    release_every_days: float = 6.0
    gap_every_days: float = 21.0
    """How often Ken is down for maintenance, at night, for half an hour to an hour and a half."""
