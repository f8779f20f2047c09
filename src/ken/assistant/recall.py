"""Recall: an answer given before to the same question, in these words or in others, to who may read the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.assistant.retrieve import Searcher
from ken.assistant.turn import Turn
from ken.domain.cached import KeySpace, Repeatable
from ken.domain.trace import Scalar
from ken.errors import StorageError
from ken.gateway.cache.sameness import Sameness
from ken.gateway.cache.semantic import Asked, Recalled, SemanticCache, kind_of
from ken.models.protocols import WordEmbedder

TOLD = "This answer was given before and its documents have not changed."
TOLD_STALE = "No model could answer, so this answer was given that was made before; its documents have not changed."


async def recall(turn: Turn, cache: SemanticCache | None, *, release: str, searcher: Searcher) -> str:
    """Read `standalone`, `category` and `today`; set `asked` and `recalled`, and all that settles the turn where an answer is found."""
    if cache is None:
        return "off"
    category = cache.categories[turn.category]
    if not category.cache:
        cache.note(category.name, "not looked up")
        turn.recalled = Recalled(decision="off", reason=f"category {category.name}")
        return f"not for questions of the category {category.name!r}"
    question = turn.question
    turn.asked = Asked(
        text=turn.standalone,
        space=KeySpace(
            principal=question.principal,
            release=release,
            category=category.name,
            vectors=searcher.vectors,
            collections=question.collections,
            filters=question.filters,
            model=question.model,
            max_tokens=question.max_tokens,
        ),
        category=category,
        today=turn.today,
    )
    if question.is_fresh:
        turn.recalled = Recalled(decision="miss", reason="another answer is wanted")
        return "not asked: another answer is wanted"
    found = await anyio.to_thread.run_sync(cache.exact, turn.asked)
    if found is None and cache.has_any(turn.asked):
        sameness = comparing(searcher)
        turn.meaning = await sameness.read(turn.standalone)
        found = await anyio.to_thread.run_sync(partial(cache.similar, turn.asked, turn.meaning, sameness=sameness))
    found = found or Recalled(decision="miss")
    # The words of the question that came nearest are somebody else's.
    turn.recalled = found if question.principal.is_operator else replace(found, reason=kind_of(found.reason))
    give_again(turn, turn.recalled, notice=TOLD)
    return _told(turn.recalled)


async def recall_stale(turn: Turn, cache: SemanticCache | None, *, searcher: Searcher) -> bool:
    """Whether there was an answer for a question whose model has failed: one that is past its time, or to a question less near.

    Sets what `recall` sets, with a notice. What it rests on is as it was; no failure of the cache is told.
    """
    if cache is None or turn.asked is None:
        return False
    sameness = comparing(searcher)
    try:
        found = await anyio.to_thread.run_sync(partial(cache.stale, turn.asked, turn.meaning, sameness=sameness))
    except StorageError:
        return False
    if found is None or found.found is None:
        return False
    turn.recalled = found
    give_again(turn, found, notice=TOLD_STALE)
    turn.is_degraded = True
    return True


def comparing(searcher: Searcher) -> Sameness:
    """What questions are compared by. An embedder behind an endpoint is asked once for what the search will want, too."""
    own = searcher.embedder
    return Sameness(own if isinstance(own, WordEmbedder) else _Remembered(searcher, own.name, own.dimensions))


@dataclass(frozen=True, slots=True)
class _Remembered:
    """An Embedder whose questions are those that the search remembers."""

    searcher: Searcher
    name: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the embedder itself."""
        return await self.searcher.embedder.embed(texts)

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """What was embedded a moment ago is not embedded again."""
        return await self.searcher.embed(text)


def give_again(turn: Turn, recalled: Recalled, *, notice: str) -> None:
    """Set everything that settles the turn, where an answer was found."""
    if recalled.found is None or recalled.entry is None:
        return
    answer = recalled.found.answer
    turn.cached = True
    turn.cached_notice = notice
    turn.reply = answer.text
    turn.outcome = answer.outcome
    turn.citations = list(answer.citations)
    turn.notices = list(answer.notices)
    turn.conflicts = answer.conflicts
    turn.confidence = answer.confidence
    turn.cached_model = answer.model
    turn.original_trace_id = recalled.entry.trace_id


def attributes(recalled: Recalled) -> Iterator[tuple[str, Scalar]]:
    """What the span says of it."""
    yield "decision", recalled.decision
    if recalled.similarity is not None:
        yield "similarity", round(recalled.similarity, 4)
    if recalled.entry is not None:
        yield "entry", recalled.entry.id
        yield "original_trace", recalled.entry.trace_id
    if recalled.reason:
        yield "reason", recalled.reason


def pieces(found: Repeatable) -> Iterator[str]:
    """The text of an answer as it was shown, piece by piece."""
    start = 0
    for end in (*found.cuts, len(found.answer.text)):
        if end > start:
            yield found.answer.text[start:end]
            start = end


def _told(recalled: Recalled) -> str:
    match recalled.decision:
        case "exact":
            return "found"
        case "similar":
            return f"found: asks the same at {recalled.similarity:.3f}"
        case "refused":
            return f"refused at {recalled.similarity:.3f}: {recalled.reason}"
        case "away":
            return "the cache is away"
        case _:
            return "miss" if recalled.similarity is None else f"miss, the nearest at {recalled.similarity:.3f}"
