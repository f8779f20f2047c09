"""Answers that may be given again: what one rests on, when it holds, and what a question is allowed of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from ken.domain.answer import Answer
from ken.domain.filters import Filters
from ken.domain.principal import Principal

_SPACE_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What questions of one kind are allowed of the cache."""

    name: str
    words: tuple[str, ...] = ()
    """Words and phrases that put a question here, in whatever case."""
    collections: frozenset[str] = frozenset()
    """A question that asks in these alone belongs here, and so does an answer that cites one of them."""
    cache: bool = True
    threshold: float = 0.93
    """The least similarity of two questions of which one may be given the other one's answer."""
    ttl_s: float = 604_800.0
    """How long an answer is given again, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpace:
    """Whatever shapes an answer besides what is asked: only within one of these is an answer given again."""

    principal: Principal
    release: str
    category: str
    vectors: str
    """Names the embedder's space."""
    collections: frozenset[str] | None
    filters: Filters
    model: str | None
    max_tokens: int | None

    @property
    def name(self) -> str:
        """32 hex digits of a SHA-256 over all of it; of the principal, what it may read."""
        filters = self.filters
        dates = (filters.modified_from, filters.modified_to, filters.effective_from, filters.effective_to)
        parts = [
            self.principal.scope,
            self.release,
            self.category,
            self.vectors,
            None if self.collections is None else sorted(self.collections),
            [sorted(owner.casefold() for owner in filters.owners), sorted(filters.types), *dates],
            self.model,
            self.max_tokens,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_SPACE_DIGITS]


@dataclass(frozen=True, slots=True)
class RestsOn:
    """A document version that an answer rests on."""

    document_id: str
    version: str
    cited: bool
    """Or it was only among what the model read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """An answer with all that decides whether it may be given again."""

    id: int
    """Rises with each answer that is kept; 0 before."""
    space: str
    category: str
    question: str
    """As it stands alone."""
    vector: bytes
    """What the question means: float16, of length 1; empty where it was not asked for."""
    words: bytes
    """What its words mean: int8, as gateway/cache/sameness.py makes them; empty as `vector`."""
    trace_id: str
    """Of the question that was answered first."""
    model: str
    corpus_version: int
    valid_from: str | None
    """The first day on which the answer holds as it is, an ISO date."""
    valid_before: str | None
    """The first day on which it doesn't: a document takes effect, or is due for review."""
    made_at: float
    """Seconds since the epoch, as the others."""
    expires_at: float
    used_at: float
    uses: int = 0
    """How often it was given again."""
    flagged: bool = False
    """Somebody found it unhelpful: it is given no more, nor is another answer to its question kept yet."""

    def holds_on(self, day: str) -> bool:
        """Whether its documents stand on a day as they stood when it was given."""
        after = self.valid_from is None or self.valid_from <= day
        return after and (self.valid_before is None or day < self.valid_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """An answer to be kept, and what has to be known to retire it in time."""

    key: str
    """SHA-256 of its space and its normalised question, 64 hex digits."""
    space: KeySpace
    entry: CachedAnswer
    searched: bytes
    """The vector that was searched with: float16, of length 1."""
    terms: tuple[tuple[str, float], ...]
    """The question's terms with their rarity."""
    score: float
    """What its best evidence scored, by `knowledge.retiring`."""
    dense: float
    """The best cosine of a passage of its evidence."""
    rests_on: tuple[RestsOn, ...]


@dataclass(frozen=True, slots=True)
class Repeatable:
    """An answer as it is kept."""

    answer: Answer
    cuts: tuple[int, ...] = field(default=())
    """Where in its text each piece ended that was shown, so that it is shown in the same pieces again."""
