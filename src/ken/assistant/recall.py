"""Recall: the exact-match cache, keyed by what the principal may read, the release and the normalised question."""

from __future__ import annotations

from dataclasses import replace

import anyio.to_thread

from ken.assistant.turn import Turn
from ken.storage.answers import AnswerCache


async def recall(turn: Turn, cache: AnswerCache | None, *, release: str, corpus_version: int) -> str:
    """Set `cache_key`; where an answer is found, set everything that settles the turn.

    What is in force and whose review is due changes with the day, so an answer is given again on its day only.
    """
    if cache is None:
        return "off"
    turn.cache_key = cache.key(replace(turn.question, history=turn.history), f"{release} {turn.today}")
    answer = await anyio.to_thread.run_sync(cache.get, turn.cache_key, corpus_version)
    if answer is None:
        return "miss"
    turn.cached = True
    turn.reply = answer.text
    turn.outcome = answer.outcome
    turn.citations = list(answer.citations)
    turn.nearest = answer.nearest
    turn.notices = list(answer.notices)
    turn.conflicts = answer.conflicts
    turn.confidence = answer.confidence
    turn.cached_model = answer.model
    return "found"
