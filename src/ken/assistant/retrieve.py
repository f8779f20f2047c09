"""Retrieve: search what the principal may read, and put what is the rule before what was or will be."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ken.assistant.ask_back import WIDE, asked_back, readings, with_readings
from ken.assistant.quotable import weighed
from ken.assistant.turn import Turn
from ken.checks.answerability import answerable
from ken.checks.standing import in_order, nearer_but_old, standings
from ken.domain.document import Document, Evidence, SearchResult
from ken.domain.emptiness import why_empty
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.principal import Principal
from ken.domain.standing import CURRENT, Standing
from ken.errors import NotFound
from ken.models.protocols import Embedder
from ken.text.dates import asked_period, long_date

_YEAR = re.compile(r"(?:19|20)\d\d")
_WHEN = re.compile(
    r"\s*\b(?:(?:back )?in|during|before|until|after|since|as of|for|of)?\s*(?:19|20)\d\d\b", re.IGNORECASE
)
_FURTHER = 40
"""Passages looked at for those of a document that stands in another one's place."""
_OF_EACH = 2
"""Passages taken of such a document."""
_MOST_SUCCESSORS = 16


class Corpora(Protocol):
    """The part of the library that answering needs."""

    async def corpus(self) -> Searcher:
        """The corpus version in use; a question reads one from start to end."""
        ...


class Searcher(Protocol):
    """One corpus version."""

    @property
    def corpus_version(self) -> int:
        """The corpus that it looks at."""
        ...

    @property
    def embedder(self) -> Embedder:
        """What questions are compared with its passages by."""
        ...

    @property
    def vectors(self) -> str:
        """Names the space of its vectors."""
        ...

    def embed(self, text: str, /) -> Awaitable[NDArray[np.float32]]:
        """The vector of a question, of length 1; what was embedded a moment ago isn't again. Raises ModelError."""
        ...

    async def search(
        self,
        query: str,
        principal: Principal,
        *,
        collections: frozenset[str] | None = None,
        filters: Filters = NO_FILTERS,
        limit: int = 8,
    ) -> SearchResult:
        """The best passages for `query` among those that `principal` may read."""
        ...

    async def collections(self, principal: Principal) -> tuple[tuple[str, int], ...]:
        """Names of the collections in which `principal` may read something, each with the number of such documents."""
        ...

    async def document(self, document_id: str, principal: Principal) -> Document:
        """One document. Raises NotFound where there is none that `principal` may read."""
        ...


async def retrieve(turn: Turn, searcher: Searcher, *, limit: int, asks_back: bool = False) -> str:
    """Read `standalone` and `today`; set `result`, `period`, `standings` and `answerable`.

    With `asks_back`, a question that may mean several things gets `choices`, and a question back as its outcome.
    A collection that isn't there is told: in a notice, or as the outcome where no other one was asked for.
    """
    turn.period = asked_period(turn.standalone, turn.today)
    found = await _search(turn, searcher, max(limit, WIDE) if asks_back else limit)
    result = replace(found, evidence=found.evidence[:limit])
    matter = turn.standalone if turn.period is None else _WHEN.sub("", turn.standalone)
    if matter != turn.standalone:
        timeless = await _search(turn, searcher, limit, text=matter)
        # A rule seldom names the years in which it holds. A document that isn't dated says of no year that it held then.
        if timeless.evidence and _is_dated(timeless.evidence[0].document):
            result = timeless
        else:
            matter = turn.standalone
    if unknown := await _unknown_collections(turn, searcher, result.evidence):
        turn.result = result
        return f"no collection {', '.join(map(repr, unknown))}"
    turn.standings = standings(await _known(turn, searcher, result.evidence), turn.today)
    evidence = result.evidence
    if _lacks_related(turn, evidence):
        further = await _search(turn, searcher, max(limit, _FURTHER), text=matter)
        evidence = (*evidence, *_related(turn, evidence, further.evidence))
        turn.standings = standings(await _known(turn, searcher, evidence), turn.today)
    if turn.standings:
        result = replace(result, evidence=in_order(evidence, turn.standings, period=turn.period)[:limit])
        older = nearer_but_old(evidence, turn.standings, period=turn.period)
        turn.notices += [_older(document, turn.standings[document.id]) for document in older]
        turn.mentioned = older
    turn.result = result
    if asks_back and _asks_back(turn, found, limit):
        return f"{len(turn.choices)} readings: {', '.join(choice.name for choice in turn.choices)}"
    turn.notices += result.notices
    told = result.explained.notices if result.explained is not None else ()
    turn.notices += told
    if result.readable and not result.allowed and turn.question.filters != NO_FILTERS:
        turn.notices.append(why_empty(result, collections=turn.question.collections))
    evidence = result.evidence
    believed = tuple(weighed(item) for item in evidence)
    turn.answerable = answerable(matter, believed, rarity=_of_the_matter(turn, result))
    best = f", best {evidence[0].relevance:.2f} {evidence[0].document.id}" if evidence else ""
    about = "" if turn.period is None else ", about the past" if turn.period.is_past else ", about the future"
    said = "".join(f". {text.rstrip('.')}" for text in told)
    return f"{len(evidence)} of {result.candidates} passages{best}, answerable {turn.answerable:.2f}{about}{said}"


def _asks_back(turn: Turn, found: SearchResult, limit: int) -> bool:
    """Whether the question may mean several things; then the turn is over with a question back.

    Nobody is asked who wants them all (to compare them, or part by part), nor about the past, of which there is one.
    """
    is_compound = found.explained is not None and bool(found.explained.parts)
    if is_compound or turn.task == "comparison" or turn.period is not None:
        return False
    many = readings(turn.standalone, found, standings=turn.standings)
    if not many:
        return False
    turn.reply, turn.choices = asked_back(turn.standalone, many)
    turn.outcome = "asked_back"
    turn.result = with_readings(found, many, limit=limit)
    return True


async def _unknown_collections(turn: Turn, searcher: Searcher, evidence: tuple[Evidence, ...]) -> list[str]:
    """The collections asked for where none of them holds anything that the asker may read; then the turn is over.

    One that holds nothing and one that the asker may not read look the same as one that was mistyped.
    """
    wanted = turn.question.collections or frozenset()
    missing = wanted - {item.document.collection for item in evidence}
    readable = {name for name, _ in await searcher.collections(turn.question.principal)} if missing else wanted
    unknown = sorted(missing - readable)
    if not unknown:
        return []
    told = f"there is no collection {_listed(unknown)} with documents that you may read"
    others = f" There are: {_listed(sorted(readable))}." if readable else ""
    if frozenset(unknown) != wanted:
        turn.notices.append(f"{told[0].upper()}{told[1:]}.{others}")
        return []
    turn.outcome = "abstained"
    turn.reply = f"This is beyond my ken: {told}.{others}"
    return unknown


def _listed(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _of_the_matter(turn: Turn, result: SearchResult) -> dict[str, float]:
    """The question's terms without the year that it asks about: a rule seldom names the years in which it holds."""
    return {term: worth for term, worth in result.terms if turn.period is None or not _YEAR.fullmatch(term)}


def _older(document: Document, standing: Standing) -> str:
    since = f" since {long_date(standing.since)}" if standing.since else ""
    by = f" by “{standing.successor.title}”" if standing.successor else ""
    return (
        f"An older document comes nearer to the question: “{document.title}”, superseded{since}{by}. "
        "Ask how it was before to see it."
    )


def _is_dated(document: Document) -> bool:
    """Whether a document says from when, or until when, it holds."""
    return document.effective is not None or document.superseded_by is not None


async def _search(turn: Turn, searcher: Searcher, limit: int, *, text: str | None = None) -> SearchResult:
    question = turn.question
    return await searcher.search(
        text or turn.standalone,
        question.principal,
        collections=question.collections,
        filters=question.filters,
        limit=limit,
    )


async def _known(turn: Turn, searcher: Searcher, evidence: tuple[Evidence, ...]) -> dict[str, Document]:
    """The documents found and those that have taken their places, by id."""
    known = {item.document.id: item.document for item in evidence}
    wanted = [document.superseded_by for document in known.values()]
    while wanted and len(known) < len(evidence) + _MOST_SUCCESSORS:
        following = wanted.pop()
        if following is not None and following not in known:
            try:
                known[following] = await searcher.document(following, turn.question.principal)
            except NotFound:  # deleted since the search
                continue
            wanted.append(known[following].superseded_by)
    return known


def _lacks_related(turn: Turn, evidence: tuple[Evidence, ...]) -> bool:
    """Whether what has replaced a document that was found, or what it replaces, may lie further down."""
    if turn.period is not None and turn.period.is_past:
        return True
    present = {item.document.id for item in evidence}
    replaced = {item.document.superseded_by for item in evidence}
    return any(
        one.successor.id not in present if one.successor is not None else name not in replaced
        for name, one in turn.standings.items()
        if name in present
    )


def _related(turn: Turn, found: tuple[Evidence, ...], further: tuple[Evidence, ...]) -> list[Evidence]:
    """The best passages of successors of what was found, and of what it replaced that was or still is the rule."""
    present = {item.document.id for item in found}
    wanted = {one.successor.id for name, one in turn.standings.items() if name in present and one.successor is not None}
    asks_past = turn.period is not None and turn.period.is_past
    related: list[Evidence] = []
    counts: dict[str, int] = {}
    for item in further:
        document = item.document
        replaced_by = turn.standings.get(document.superseded_by or "", CURRENT)
        is_older = document.superseded_by in present and (asks_past or replaced_by.state == "future")
        if document.id not in present and (document.id in wanted or is_older) and counts.get(document.id, 0) < _OF_EACH:
            counts[document.id] = counts.get(document.id, 0) + 1
            related.append(item)
    return related
