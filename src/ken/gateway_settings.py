"""The `[gateway]` and `[tiers]` tables of ken.toml, and the limits that a model's own table may state."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ken.gateway.breaker import BreakerRules
from ken.gateway.gate import LimitRules
from ken.gateway.hedge import HedgeRules
from ken.gateway.retry import RetryRules

_MOST_RETRIES = 2
"""Three attempts: what fails three times in a row is down, and is the breaker's and the next model's business."""
_SLOW_SHARE = 2 / 3
"""Of `first_token_s`, after which a call fails."""


class ModelLimits(BaseModel):
    """What a provider allows for a model; part of every `[[models]]` table. None: as far as we know, anything."""

    max_concurrency: int | None = Field(default=None, ge=1)
    """Calls under way at once."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    """Asked and answered together."""


class BreakerSettings(BaseModel):
    """The `[gateway.breaker]` table: when a model that fails is left alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_s: float = Field(default=BreakerRules().window_s, ge=1)
    min_calls: int = Field(default=BreakerRules().min_calls, ge=1)
    error_rate: float = Field(default=BreakerRules().error_rate, gt=0, le=1)
    slow_rate: float = Field(default=BreakerRules().slow_rate, gt=0, le=1)
    slow_s: float | None = Field(default=None, gt=0)
    """A call whose first piece takes longer is slow; None: two thirds of the model's `first_token_s`."""
    slow_whole_s: float = Field(default=BreakerRules().slow_whole_s, gt=0)
    cooldown_s: float = Field(default=BreakerRules().cooldown_s, gt=0)
    probe_fraction: float = Field(default=BreakerRules().probe_fraction, gt=0, le=1)
    successes: int = Field(default=BreakerRules().successes, ge=1)

    def rules(self, *, first_token_s: float) -> BreakerRules:
        """For a model that gives up on its first token after so long."""
        return BreakerRules(
            window_s=self.window_s,
            min_calls=self.min_calls,
            error_rate=self.error_rate,
            slow_rate=self.slow_rate,
            slow_s=self.slow_s or first_token_s * _SLOW_SHARE,
            slow_whole_s=self.slow_whole_s,
            cooldown_s=self.cooldown_s,
            probe_fraction=self.probe_fraction,
            successes=self.successes,
        )


class GatewaySettings(BaseModel):
    """The `[gateway]` table: what happens between a question and a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retries: int = Field(default=RetryRules().retries, ge=0, le=_MOST_RETRIES)
    backoff_s: float = Field(default=RetryRules().backoff_s, ge=0)
    longest_backoff_s: float = Field(default=RetryRules().longest_s, ge=0)
    longest_retry_after_s: float = Field(default=RetryRules().longest_asked_s, ge=0)
    queue_s: float = Field(default=LimitRules().queue_s, ge=0)
    queue_length: int = Field(default=LimitRules().queue_length, ge=0)
    hedge: bool = False
    """Whether a slow call is asked a second time."""
    hedge_percentile: float = Field(default=HedgeRules().percentile, gt=0, lt=1)
    hedge_most: float = Field(default=HedgeRules().most, gt=0, le=1)
    hedge_model: str | None = None
    """Who is asked the second time; None: the same model."""
    coalesce: bool = True
    """Whether the same question at the same moment is asked once."""
    breaker: BreakerSettings = BreakerSettings()

    @property
    def retry_rules(self) -> RetryRules:
        """How often and how soon a call is tried again."""
        return RetryRules(
            retries=self.retries,
            backoff_s=self.backoff_s,
            longest_s=self.longest_backoff_s,
            longest_asked_s=self.longest_retry_after_s,
        )

    @property
    def hedge_rules(self) -> HedgeRules | None:
        """When a second request goes out; None: never."""
        return HedgeRules(percentile=self.hedge_percentile, most=self.hedge_most) if self.hedge else None

    def limit_rules(self, limits: ModelLimits) -> LimitRules:
        """What a model's provider allows, and how long calls may wait for it."""
        return LimitRules(
            max_concurrency=limits.max_concurrency,
            requests_per_minute=limits.requests_per_minute,
            tokens_per_minute=limits.tokens_per_minute,
            queue_s=self.queue_s,
            queue_length=self.queue_length,
        )


class TierSettings(BaseModel):
    """One `[tiers.NAME]` table: the models that answer for it, in the order in which they are asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        if len(set(self.models)) != len(self.models):
            raise ValueError("a model stands in `models` once: it is not asked again after it failed")
        return self
