"""The `[answer_cache]` table and the `[[categories]]` tables of ken.toml: what is given again, for how long, to what questions."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ken.domain.cached import Category
from ken.gateway.cache.categories import FRESH, built_in
from ken.gateway.cache.semantic import Bounds

_DAY_S = 86_400.0


class AnswerCacheSettings(BaseModel):
    """Each default has its reason in docs/guides/caching.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entries: int = Field(default=Bounds().entries, ge=1, le=1_000_000)
    """Answers kept at most; of a full cache, the one goes that is asked for least."""
    threshold: float = Field(default=0.93, ge=0.5, le=1.0)
    """The least similarity of two questions of which one is given the other one's answer; 1 leaves only the same words."""
    ttl_s: float = Field(default=7 * _DAY_S, gt=0)
    """How long an answer is given again, at most: changed documents retire it sooner."""
    stale_s: float = Field(default=Bounds().stale_s, ge=0)
    """How long after that it is still there for a question whose model fails."""
    stale_threshold: float = Field(default=Bounds().stale_threshold, ge=0.5, le=1.0)
    """The least similarity then."""
    shadow_share: float = Field(default=0.01, ge=0.0, le=1.0)
    """The share of answers given again that are made anew in the background, to see how often the cache is wrong."""

    @property
    def bounds(self) -> Bounds:
        """What the cache is given."""
        return Bounds(entries=self.entries, stale_s=self.stale_s, stale_threshold=self.stale_threshold)


class CategorySettings(BaseModel):
    """One `[[categories]]` table: questions with these words, or to these collections, and what the cache may do for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=50)
    words: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    cache: bool = True
    threshold: float | None = Field(default=None, ge=0.5, le=1.0)
    """None is that of [answer_cache]; `ttl_s` likewise."""
    ttl_s: float | None = Field(default=None, gt=0)

    @field_validator("words")
    @classmethod
    def _say_something(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError("a word is empty")
        return words


def categories_of(cache: AnswerCacheSettings, tables: Sequence[CategorySettings]) -> tuple[Category, ...]:
    """The operator's categories in their order, then the built-in ones; a table with the name of one of these is put in its place."""
    named = {
        table.name: Category(
            name=table.name,
            words=table.words,
            collections=frozenset(table.collections),
            cache=table.cache and table.name != FRESH,
            threshold=cache.threshold if table.threshold is None else table.threshold,
            ttl_s=cache.ttl_s if table.ttl_s is None else table.ttl_s,
        )
        for table in tables
    }
    own = built_in(threshold=cache.threshold, ttl_s=cache.ttl_s)
    taken = {category.name for category in own}
    first = [category for name, category in named.items() if name not in taken]
    return (*first, *(named.get(category.name, category) for category in own))
