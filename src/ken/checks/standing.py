"""Which documents are the rule: superseded ones step back behind what replaced them, future ones wait for their day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ken.domain.document import Document, Evidence
from ken.domain.standing import CURRENT, Period, Standing

_LONGEST_CHAIN = 16
_FAR_NEARER = 0.5
"""An old document whose best sentence comes so much nearer to the question (similarity plus coverage) is worth a word."""


def standings(documents: Mapping[str, Document], today: str) -> dict[str, Standing]:
    """The standing of each document that isn't current, by id. `documents` holds the successors as far as they are known.

    A document that takes effect after `today` replaces nothing yet.
    """
    found: dict[str, Standing] = {}
    for document in documents.values():
        if document.effective is not None and document.effective > today:
            found[document.id] = Standing(state="future", since=document.effective)
        elif (standing := _superseded(document, documents, today)) is not None:
            found[document.id] = standing
    return found


def _superseded(document: Document, documents: Mapping[str, Document], today: str) -> Standing | None:
    """How a document was replaced; None where nothing that is in force has taken its place."""
    since: str | None = None
    last: Document | None = None
    seen = {document.id}
    following = document.superseded_by
    while following is not None and following not in seen and len(seen) < _LONGEST_CHAIN:
        seen.add(following)
        successor = documents.get(following)
        if successor is None:
            # It may be read, or its name would not stand here; it was deleted a moment ago.
            return Standing(state="superseded", since=since, successor=last)
        if successor.effective is not None and successor.effective > today:
            break
        since = since if last is not None else successor.effective
        last = successor
        following = successor.superseded_by
    return Standing(state="superseded", since=since, successor=last) if last is not None else None


def in_order(
    evidence: Sequence[Evidence], standing: Mapping[str, Standing], *, period: Period | None
) -> tuple[Evidence, ...]:
    """The passages that may be used, best first, for a question about a period (None: about now).

    A superseded document is left out where its successor was found: what that one no longer says is no longer the rule.
    Asked for the past, the one that was in force then comes before the other. A future document stands behind what it
    will replace.
    """
    best: dict[str, float] = {}
    for item in evidence:
        best[item.document.id] = max(best.get(item.document.id, 0.0), item.relevance)
    kept: list[Evidence] = []
    for item in evidence:
        if _gives_way(item.document, standing, best, period=period):
            continue
        replaced = [other.document.id for other in evidence if other.document.superseded_by == item.document.id]
        behind = _yields_to(item.document, standing, best, replaced=replaced, period=period)
        is_over = behind is not None and behind < item.relevance
        kept.append(replace(item, relevance=behind) if is_over else item)
    # Where two are now equal, the one that gave way comes second: the sort is stable, so it is moved first.
    kept.sort(key=lambda item: (-item.relevance, _gave_way(item, standing, period)))
    return tuple(kept)


def nearer_but_old(
    evidence: Sequence[Evidence], standing: Mapping[str, Standing], *, period: Period | None
) -> tuple[Document, ...]:
    """The documents that are left out for their successors although they come far nearer to the question."""
    best: dict[str, float] = {}
    documents: dict[str, Document] = {}
    for item in evidence:
        best[item.document.id] = max(best.get(item.document.id, 0.0), _nearest(item))
        documents[item.document.id] = item.document
    closest = max(best.values(), default=0.0)
    return tuple(
        document
        for name, document in documents.items()
        if _gives_way(document, standing, best, period=period)
        and best[name] == closest
        and (successor := standing[name].successor) is not None
        and best[name] > best[successor.id] + _FAR_NEARER
    )


def _gives_way(
    document: Document, standing: Mapping[str, Standing], found: Mapping[str, float], *, period: Period | None
) -> bool:
    """Whether a document is superseded by one that was found, and not asked for."""
    state = standing.get(document.id, CURRENT)
    is_replaced = state.successor is not None and state.successor.id in found
    return state.state == "superseded" and is_replaced and not _held_then(state, period)


def _nearest(item: Evidence) -> float:
    """How near a passage's best sentence comes to the question."""
    return max((sentence.similarity + sentence.coverage for sentence in item.sentences), default=0.0)


def _held_then(state: Standing, period: Period | None) -> bool:
    """Whether a superseded document was the rule at the time that is asked about."""
    if period is None or not period.is_past:
        return False
    return period.start is None or state.since is None or period.start < state.since


def _yields_to(
    document: Document,
    standing: Mapping[str, Standing],
    best: Mapping[str, float],
    *,
    replaced: Sequence[str],
    period: Period | None,
) -> float | None:
    """The relevance that a document may not exceed: that of the one which is the rule instead at the time asked about."""
    state = standing.get(document.id, CURRENT)
    if state.state == "future":
        will_hold = period is not None and not period.is_past and period.holds(document)
        return None if will_hold else max((best[old] for old in replaced if old in best), default=None)
    olds = [
        best[old]
        for old, one in standing.items()
        if one.successor is not None and one.successor.id == document.id and old in best and _held_then(one, period)
    ]
    return max(olds, default=None)


def _gave_way(item: Evidence, standing: Mapping[str, Standing], period: Period | None) -> bool:
    state = standing.get(item.document.id, CURRENT)
    if state.state == "superseded":
        return not _held_then(state, period)
    if state.state == "future":
        return True
    return any(
        one.successor is not None and one.successor.id == item.document.id and _held_then(one, period)
        for one in standing.values()
    )
