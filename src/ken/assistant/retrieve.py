"""Retrieve: search what the principal may read."""

from __future__ import annotations

from typing import Protocol

from ken.assistant.turn import Turn
from ken.checks.answerability import answerable
from ken.domain.document import SearchResult
from ken.domain.principal import Principal


class Searcher(Protocol):
    """The part of the library that answering needs."""

    @property
    def corpus_version(self) -> int:
        """The corpus that the next search will look at."""
        ...

    async def search(
        self, query: str, principal: Principal, *, collections: frozenset[str] | None = None, limit: int = 8
    ) -> SearchResult:
        """The best passages for `query` among those that `principal` may read."""
        ...


async def retrieve(turn: Turn, searcher: Searcher, *, limit: int) -> str:
    """Read `standalone`; set `result` and `answerable`."""
    question = turn.question
    turn.result = await searcher.search(
        turn.standalone, question.principal, collections=question.collections, limit=limit
    )
    found = turn.result.evidence
    turn.answerable = answerable(turn.standalone, found, rarity=dict(turn.result.terms))
    best = f", best {found[0].relevance:.2f} {found[0].document.id}" if found else ""
    return f"{len(found)} of {turn.result.candidates} passages{best}, answerable {turn.answerable:.2f}"
