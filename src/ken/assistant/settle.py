"""Settle: the turn becomes an answer, and the answer is kept where it may be used again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import anyio.to_thread
import numpy as np

from ken.assistant.recall import comparing
from ken.assistant.retrieve import Searcher
from ken.assistant.turn import Turn
from ken.domain.answer import Answer
from ken.domain.cached import Keeping, Repeatable, RestsOn
from ken.domain.document import Document
from ken.errors import ModelError, StorageError
from ken.gateway.cache.semantic import UNHELPFUL, SemanticCache, new_entry
from ken.knowledge.retiring import best_score
from ken.text.dates import asked_period
from ken.text.redaction import holds_secret

_NEAREST = 3
_SHAPES = 0.2
"""The least relevance of a passage that may have shaped an answer which doesn't cite it."""
_PROBES = (0, 1, 31, 366, 3_653)
"""Days from now on: a question that asks about some time does on one of them, as seen from there."""


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


async def settle(turn: Turn, trace_id: str, *, cache: SemanticCache | None, searcher: Searcher) -> Answer:
    """The whole answer; kept where it may be given again."""
    answer = Answer(
        trace_id=trace_id,
        text=turn.reply,
        outcome=turn.outcome or "answered",
        citations=tuple(turn.citations),
        nearest=turn.nearest,
        notices=(*turn.switched, *turn.notices),
        conflicts=turn.conflicts,
        choices=turn.choices,
        conversation_id=turn.question.conversation_id,
        model=answered_by(turn),
        usage=turn.account.usage_of("generate"),
        cost_micros=turn.account.cost_micros,
        is_broken_off=turn.is_broken_off,
        cached=turn.cached,
        original_trace_id=turn.original_trace_id,
        confidence=turn.confidence,
    )
    if cache is not None and turn.asked is not None and not turn.cached:
        turn.kept = why_not(turn, cache) or await _keep(turn, answer, cache, searcher=searcher)
    if cache is not None:
        await anyio.to_thread.run_sync(_tidy, cache)
    return answer


def answered_by(turn: Turn) -> str:
    """The model that wrote the answer: of a tier, the one of its chain that did; of a repeated answer, the one that wrote it then."""
    if turn.cached or turn.model is None:
        return turn.cached_model
    charges = [each for each in turn.account.charges if each.stage == "generate"]
    wrote = [each.model for each in charges if each.outcome == "ok"] or [
        each.model for each in charges if each.usage.output_tokens
    ]
    return wrote[-1] if wrote else turn.model.name


def why_not(turn: Turn, cache: SemanticCache) -> str:
    """Why an answer must not be given again, counted; empty where it may be."""
    if turn.recalled is not None and turn.recalled.decision == "away":
        reason = "Redis is away"
    elif turn.recalled is not None and turn.recalled.reason == UNHELPFUL:
        reason = UNHELPFUL
    elif turn.outcome != "answered":
        reason = turn.outcome or "failed"
    elif turn.is_degraded or (turn.result is not None and turn.result.notices):
        reason = "degraded"
    elif turn.switched:
        reason = "another model took over"
    elif holds_secret(turn.question.text):
        reason = "the question holds a secret"
    elif turn.flaws:
        reason = turn.flaws[0]
    elif not turn.citations:
        reason = "nothing cited"
    else:
        # A question tells little of where its answer lies: one from a collection that is never cached isn't, either.
        cited = {item.document.collection for item in turn.evidence if item.document.id in _cited(turn)}
        barred = (each.name for each in cache.categories.values() if not each.cache and each.collections & cited)
        reason = next((f"cites a collection of the category {name}" for name in barred), "")
    if reason:
        cache.note(turn.category, f"not stored: {reason}")
    return reason


async def _keep(turn: Turn, answer: Answer, cache: SemanticCache, *, searcher: Searcher) -> str:
    asked = turn.asked
    assert asked is not None  # noqa: S101 - the caller has looked
    try:
        meaning = turn.meaning or await comparing(searcher).read(turn.standalone)
        searched = await searcher.embed(turn.standalone)
    except ModelError:  # an embedder behind an endpoint that has just gone: the answer is there all the same
        return "the embedder failed"
    first, before = standing_until(turn)
    entry = new_entry(
        asked, meaning, trace_id=answer.trace_id, model=answer.model, corpus_version=searcher.corpus_version
    )
    kept = Keeping(
        key=asked.key,
        space=asked.space,
        entry=replace(entry, valid_from=first, valid_before=before),
        searched=searched.astype(np.float16).tobytes(),
        terms=() if turn.result is None else turn.result.terms,
        score=best_score(turn.evidence),
        dense=max((item.dense for item in turn.evidence), default=0.0),
        rests_on=tuple(_rests_on(turn)),
    )
    again = Repeatable(replace(answer, notices=tuple(turn.notices)), tuple(turn.cuts))
    try:
        return await anyio.to_thread.run_sync(partial(cache.keep, asked, kept, answer=again))
    except StorageError:  # a full disk: the answer is there all the same, and the record says that it can't be written
        return "the database failed"


def _tidy(cache: SemanticCache) -> None:
    with contextlib.suppress(StorageError):  # as above; the counts are still there the next time
        cache.tidy()


def standing_until(turn: Turn) -> tuple[str | None, str | None]:
    """The first day on which an answer is as it is today, and the first on which it may not be; None stands for always.

    It changes on the day on which one of its documents, or one that replaces it, takes effect, and on the day after one is
    due for review. A question that asks about some time asks about another one tomorrow.
    """
    today = date.fromisoformat(turn.today)
    days = (today + timedelta(days=later) for later in _PROBES)
    if any(asked_period(turn.standalone, day.isoformat()) is not None for day in days):
        return turn.today, (today + timedelta(days=1)).isoformat()
    changes = sorted({day for document in _documents(turn).values() for day in _days_of_change(document)})
    return (
        max((day for day in changes if day <= turn.today), default=None),
        min((day for day in changes if day > turn.today), default=None),
    )


def _days_of_change(document: Document) -> Iterator[str]:
    if document.effective is not None:
        yield document.effective
    if document.review_by is not None:
        try:
            yield (date.fromisoformat(document.review_by) + timedelta(days=1)).isoformat()
        except (ValueError, OverflowError):  # written by people
            yield document.review_by


def _documents(turn: Turn) -> dict[str, Document]:
    """All that the answer may depend on: what was found, and what replaces it."""
    found = turn.result.evidence if turn.result is not None else ()
    known = {item.document.id: item.document for item in (*found, *turn.evidence)}
    successors = (one.successor for one in turn.standings.values())
    return known | {document.id: document for document in successors if document is not None}


def _rests_on(turn: Turn) -> Iterator[RestsOn]:
    """What was cited, what may have shaped the answer besides, what replaces it, and what a notice names.

    Of the rest, nothing is in the answer: where it changes, it is judged as any passage that is new (knowledge/retiring.py).
    """
    cited = _cited(turn)
    read = [item.document for item in turn.evidence if item.relevance >= _SHAPES or item.document.id in cited]
    read += [one.successor for one in turn.standings.values() if one.successor is not None]
    for document in {document.id: document for document in (*read, *turn.mentioned)}.values():
        yield RestsOn(document.id, document.version, document.id in cited)


def _cited(turn: Turn) -> frozenset[str]:
    return frozenset(citation.document_id for citation in turn.citations)
