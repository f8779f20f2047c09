"""The `[checks]` table of ken.toml: what the heuristics expect of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ken.checks.heuristics.audit import SILENT_DAYS
from ken.checks.heuristics.examine import NAMES
from ken.checks.heuristics.standards import SHIPPED_LENGTHS, Length, Standards

Kind = Literal["lookup", "procedure", "comparison", "troubleshooting", "summary", "door"]
"""A task type, or `door`: what applications ask of models."""


class LengthSettings(BaseModel):
    """How long an answer may be, in words; what isn't named is as it ships."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least: int | None = Field(default=None, ge=0)
    most: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"`least` is {self.least}, more than `most`, {self.most}")
        return self


class ChecksSettings(BaseModel):
    """Each default is that of the rules; what they are stands in docs/guides/checklist.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    off: frozenset[str] = frozenset()
    """Rules that don't run."""
    forbidden_phrases: tuple[str, ...] = ()
    """What no answer may say, beside the phrases that ship."""
    lengths: Mapping[Kind, LengthSettings] = Field(default_factory=dict[Kind, LengthSettings])
    required_fields: Mapping[Kind, tuple[str, ...]] = Field(default_factory=dict[Kind, tuple[str, ...]])

    silent_days: float = Field(default=SILENT_DAYS, gt=0)
    """How long a rule may find nothing before the audit names it."""

    @field_validator("off")
    @classmethod
    def _are_rules(cls, off: frozenset[str]) -> frozenset[str]:
        if unknown := sorted(off - set(NAMES)):
            raise ValueError(f"{unknown[0]!r} is none of the rules: {', '.join(NAMES)}")
        return off

    @field_validator("forbidden_phrases")
    @classmethod
    def _say_something(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if not all(any(map(str.isalnum, phrase)) for phrase in phrases):
            raise ValueError("a phrase has no letter or digit")
        return phrases

    @property
    def standards(self) -> Standards:
        """What the rules are given."""
        lengths = dict(SHIPPED_LENGTHS)
        for kind, told in self.lengths.items():
            usual = lengths[kind]
            lengths[kind] = Length(
                usual.least if told.least is None else told.least, usual.most if told.most is None else told.most
            )
        required: dict[str, tuple[str, ...]] = dict(self.required_fields.items())
        return Standards(lengths=lengths, forbidden=self.forbidden_phrases, required=required, off=self.off)
