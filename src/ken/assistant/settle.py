"""Settle: the turn becomes an answer, and the answer is kept where it may be used again."""

from __future__ import annotations

from functools import partial

import anyio.to_thread

from ken.assistant.turn import Turn
from ken.domain.answer import Answer
from ken.domain.document import Document
from ken.storage.answers import AnswerCache

_NEAREST = 3


def abstain(turn: Turn) -> str:
    """Word the abstention and set `reply`, `nearest` and `outcome`; return the text to show."""
    found = turn.result.evidence if turn.result is not None else ()
    nearest: dict[str, Document] = {}
    for item in found:
        nearest.setdefault(item.document.id, item.document)
    turn.nearest = tuple(nearest.values())[:_NEAREST]
    turn.outcome = "abstained"
    turn.citations.clear()
    text = "This is beyond my ken: I found nothing in the documents that answers it."
    if turn.nearest:
        titles = [f"“{document.title}”" for document in turn.nearest]
        listed = titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"
        text += f" The nearest I have: {listed}."
    turn.reply = text
    return text


async def settle(turn: Turn, trace_id: str, *, cache: AnswerCache | None, corpus_version: int) -> Answer:
    """The whole answer; written to the cache where recall gave it a key and it came from the documents."""
    answer = Answer(
        trace_id=trace_id,
        text=turn.reply,
        outcome=turn.outcome or "answered",
        citations=tuple(turn.citations),
        nearest=turn.nearest,
        notices=tuple(turn.notices),
        conflicts=turn.conflicts,
        choices=turn.choices,
        conversation_id=turn.question.conversation_id,
        model=turn.model.name if turn.model is not None else turn.cached_model,
        usage=turn.account.usage_of("generate"),
        cost_micros=turn.account.cost_micros,
        cached=turn.cached,
        confidence=turn.confidence,
    )
    keeps = turn.outcome in {"answered", "abstained"} and not turn.cached
    if cache is not None and turn.cache_key is not None and keeps:
        await anyio.to_thread.run_sync(partial(cache.put, turn.cache_key, corpus_version, answer=answer))
    return answer
