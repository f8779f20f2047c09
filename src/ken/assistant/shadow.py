"""Shadows: some answers that were given again are made anew in the background, to see how often the cache is wrong."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import anyio.to_thread

from ken.checks.support import SUPPORTED, best_support
from ken.domain.answer import Answer, Citation, Question
from ken.domain.events import Answered, Event
from ken.domain.principal import Principal
from ken.domain.trace import NOWHERE
from ken.gateway.cache.semantic import SemanticCache

_log = logging.getLogger(__name__)
_AT_ONCE = 2
"""Answers made anew at the same time; more that are drawn meanwhile are passed over, and counted."""
_MOST_OF_IT = 0.5
"""The share of an answer's cited sentences that the other answer has to hold."""
WHO = "ken:shadow"
"""Who asks, in traces and in the books: what may be read is that of whoever got the answer."""


@dataclass(slots=True)
class Shadows:
    """For one event loop; `aclose` ends what is under way."""

    cache: SemanticCache
    answering: Callable[[Question], AsyncGenerator[Event]]
    """Answers a question without the cache."""
    share: float
    """Of the answers given again that are made anew."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def consider(self, question: Question, given: Answer, *, category: str, today: str) -> None:
        """Have an answer made anew where its trace id is drawn; returns at once."""
        if not given.cached or not is_drawn(given.trace_id, self.share):
            return
        if len(self._tasks) >= _AT_ONCE:
            self.cache.note(category, "shadow: passed over")
            return
        anew = replace(
            question,
            principal=Principal(WHO, question.principal.groups),
            conversation_id=None,
            origin=NOWHERE,
            today=today,
        )
        task = asyncio.create_task(self._compare(anew, given, category))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End what is under way; it tells nothing."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._tasks)

    async def _compare(self, question: Question, given: Answer, category: str) -> None:
        async with aclosing(self.answering(question)) as events:
            last = [event async for event in events][-1]
        verdict = says_the_same(given, last.answer) if isinstance(last, Answered) else None
        name = {True: "same", False: "different", None: "unknown"}[verdict]
        self.cache.note(category, f"shadow: {name}")
        if verdict is False and isinstance(last, Answered):
            _log.warning(
                "The answer cache gave another answer than the documents do: trace %s; made anew in trace %s.",
                given.trace_id,
                last.answer.trace_id,
            )
        await anyio.to_thread.run_sync(partial(self.cache.tidy))


def is_drawn(trace_id: str, share: float) -> bool:
    """Whether a trace belongs to a sampled share of all: always the same for one trace."""
    digest = hashlib.blake2b(trace_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def says_the_same(given: Answer, anew: Answer) -> bool | None:
    """Whether an answer says what one made anew says; None where that can't be told.

    It does where they cite a document in common, and most of its cited sentences are supported by what the other one
    cites, or rest on the same place.
    """
    if anew.outcome not in {"answered", "abstained"} or not given.citations:
        return None
    documents = {citation.document_id for citation in anew.citations}
    if not any(citation.document_id in documents for citation in given.citations):
        return False
    quotes = [citation.quote for citation in anew.citations]
    held = [_is_held(given.text, citation, anew, quotes) for citation in given.citations]
    return sum(held) >= _MOST_OF_IT * len(held)


def _is_held(text: str, citation: Citation, anew: Answer, quotes: list[str]) -> bool:
    sentence = text[citation.answer_start : citation.answer_end]
    overlaps = any(
        (other.document_id, other.version) == (citation.document_id, citation.version)
        and other.start < citation.end
        and citation.start < other.end
        for other in anew.citations
    )
    return overlaps or best_support(sentence, quotes).score >= SUPPORTED
