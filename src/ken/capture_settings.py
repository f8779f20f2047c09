"""The `[capture]` table of ken.toml: what is kept of questions, for how long, and what is taken out of it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ken.telemetry.capture import DAY_S, HOUR_S, CaptureRules
from ken.telemetry.events import EventBounds
from ken.text.redaction import RedactionPolicy

Share = Annotated[float, Field(ge=0, le=1)]

_RULES = CaptureRules()
_BOUNDS = EventBounds()
_MB = 1_000_000


class CaptureSettings(BaseModel):
    """What is kept. None of it shapes an answer, so no release depends on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    redact: RedactionPolicy = "secrets"
    """What is taken out before anything is written or sent: secrets always, personal data by choice."""
    grace_h: float = Field(default=_RULES.grace_s / HOUR_S, ge=0)
    """Hours in which all of every question is kept; 0: the figures alone at once, but for what is kept whole."""
    sample: Share = _RULES.sample
    """The share of questions with which nothing is wrong that is kept whole."""
    samples: Mapping[str, Share] = Field(default_factory=dict[str, float])
    """The same for a task type, in the place of `sample`; `door` is what the plain gateway passes on."""
    slow_ms: float | None = Field(default=None, gt=0)
    """What takes longer is kept whole; None: what takes longer than nearly all of its task type lately."""
    keep_full_days: float = Field(default=_RULES.keep_full_s / DAY_S, gt=0)
    keep_figures_days: float = Field(default=_RULES.keep_figures_s / DAY_S, gt=0)
    keep_money_days: float = Field(default=_RULES.keep_money_s / DAY_S, gt=0)
    """Of single calls; the sums by day stay as long."""
    events: Literal["file", "stdout", "off"] = "file"
    """Where structured events go: `events/` in the home, this process's standard output, nowhere."""
    events_keep_days: float = Field(default=_BOUNDS.keep_s / DAY_S, gt=0)
    events_max_mb: float = Field(default=_BOUNDS.max_bytes / _MB, ge=1)
    """Of all event files together: the oldest go first."""

    @property
    def rules(self) -> CaptureRules:
        """As the recorder has it."""
        return CaptureRules(
            grace_s=self.grace_h * HOUR_S,
            sample=self.sample,
            samples=self.samples,
            slow_ms=self.slow_ms,
            keep_full_s=self.keep_full_days * DAY_S,
            keep_figures_s=self.keep_figures_days * DAY_S,
            keep_money_s=self.keep_money_days * DAY_S,
        )

    @property
    def event_bounds(self) -> EventBounds:
        """As the event files have it."""
        return EventBounds(keep_s=self.events_keep_days * DAY_S, max_bytes=int(self.events_max_mb * _MB))
