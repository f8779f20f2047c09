"""The `[routes]` table of ken.toml: which tier answers what, and how long its answers may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ken.domain.answer import TaskType
from ken.gateway.route import ESCALATE_ABOVE, MAX_TOKENS, THRESHOLD, TierName

Length = Annotated[int, Field(ge=16)]


class RouteSettings(BaseModel):
    """Each default is that of the part it sets; without a `[tiers]` table, the lengths alone count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float = Field(default=THRESHOLD, ge=0, le=1)
    tasks: Mapping[TaskType, TierName] = Field(default_factory=dict[TaskType, TierName])
    """Task types whose tier is settled, whatever their difficulty."""
    escalate: bool = True
    escalate_above: float = Field(default=ESCALATE_ABOVE, ge=0, le=1)
    max_tokens: Mapping[TaskType, Length] = Field(default_factory=dict[TaskType, int])
    """The longest answer by task type; what isn't named has the default."""

    @property
    def lengths(self) -> dict[TaskType, int]:
        """The longest answer of every task type, in tokens."""
        return {**MAX_TOKENS, **self.max_tokens}
