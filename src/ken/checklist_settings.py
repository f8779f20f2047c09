"""The `[checklist]` table of ken.toml: what counts as good enough to go live."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ken.operations.checklist.facts import Bounds


class ChecklistSettings(BaseModel):
    """Each default is that of the checklist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_days: float = Field(default=Bounds().window_days, gt=0, le=90)
    least_count: int = Field(default=Bounds().least_count, ge=1)
    cost_change: float = Field(default=Bounds().cost_change, ge=0)
    hit_rate: float | None = Field(default=Bounds().hit_rate, ge=0, le=1)
    hit_rate_drop: float = Field(default=Bounds().hit_rate_drop, ge=0, le=1)
    least_context_tokens: int = Field(default=Bounds().least_context_tokens, ge=0)
    most_context_tokens: int = Field(default=Bounds().most_context_tokens, ge=1)
    least_cases: int = Field(default=Bounds().least_cases, ge=1)
    groundedness: float = Field(default=Bounds().groundedness, ge=0, le=1)
    accuracy: float = Field(default=Bounds().accuracy, ge=0, le=1)
    retrieval: float = Field(default=Bounds().retrieval, ge=0, le=1)
    index_drift: float = Field(default=Bounds().index_drift, ge=0)
    run_days: float = Field(default=Bounds().run_days, gt=0)
    ttft_ms: float = Field(default=Bounds().ttft_ms, gt=0)
    peak_concurrency: int | None = Field(default=Bounds().peak_concurrency, ge=1)

    @property
    def bounds(self) -> Bounds:
        """What the checklist is given."""
        return Bounds(**self.model_dump())
