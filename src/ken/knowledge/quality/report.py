"""The quality report of a collection: what its owners would want to know before their readers tell them.

One pass reads each text once and keeps a few kilobytes of it; the rest works on these, on metadata and on the index.
Only what the asking principal may read is looked at, so that neither entries nor counts tell of anything else: a link to
a document that may not be read looks like a link to one that isn't there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial

from ken.domain.document import Document
from ken.domain.principal import EVERYONE, OPERATORS, Principal
from ken.knowledge.generation import Generation
from ken.knowledge.quality.boilerplate import boilerplate, empty
from ken.knowledge.quality.contradictions import contradictions
from ken.knowledge.quality.dates import out_of_date
from ken.knowledge.quality.duplicates import duplicate_groups, near_duplicates
from ken.knowledge.quality.findings import (
    MEANINGS,
    STALE_AFTER_DAYS,
    Entry,
    Finding,
    FindingKind,
    LanguageShare,
    QualityReport,
)
from ken.knowledge.quality.links import LinkMap, by_name, is_index_page, link_map, meant
from ken.knowledge.quality.reading import Reading, read
from ken.storage.documents import Documents
from ken.storage.sources import Listing
from ken.text.language import UNKNOWN

_MOST_NAMED = 5
_WITHOUT_TEXT = re.compile(r"\bholds no text\b|\bis empty\b|\bhas no text:")
"""What parsers and ingest say of a file without text. Scans, which have no text layer, can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is made for."""

    collection: str
    principal: Principal
    listings: Sequence[Listing] = ()
    """Of the collection's sources; shown to operators only, as a document that was never read has no groups yet."""
    held_groups: frozenset[str] | None = None
    """Groups that a key has. None or empty, as in a home that only its operator uses, finds nothing."""
    stale_after_days: int = STALE_AFTER_DAYS
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


def report(store: Documents, generation: Generation, *, asked: Asked) -> QualityReport:
    """Look at every document of a collection that the principal may read. Raises StorageError."""
    documents = tuple(generation.catalogue.readable(asked.principal, frozenset({asked.collection})))
    readings = tuple(read(document, text) for document, text in _texts(store, documents))
    alike = duplicate_groups(readings, store.text)
    links = link_map([reading.document for reading in readings], {each.document.id: each.links for each in readings})
    found: dict[FindingKind, Callable[[], Iterable[Entry]]] = {
        "unreadable": partial(_not_taken, asked, is_empty=False),
        "empty": lambda: (*_not_taken(asked, is_empty=True), *empty(readings)),
        "near-duplicate": partial(near_duplicates, readings, alike),
        "boilerplate": partial(boilerplate, readings, alike),
        "out-of-date": partial(out_of_date, documents, today=asked.today, stale_after_days=asked.stale_after_days),
        "contradictory": partial(contradictions, generation, documents),
        "orphaned": partial(_orphaned, asked, documents, links),
        "broken-link": partial(_broken, documents, links),
        "supersedes-nothing": partial(_supersedes_nothing, documents),
        "instructions": partial(_instructions, readings),
        "parsed-with-remarks": partial(_remarks, documents),
        "readable-by-nobody": partial(_unheld, asked, documents),
        "language": partial(_foreign, readings),
    }
    return QualityReport(
        collection=asked.collection,
        corpus_version=generation.corpus_version,
        documents=len(documents),
        findings=tuple(_finding(kind, tuple(found[kind]())) for kind in MEANINGS),
        languages=_languages(readings),
    )


def _finding(kind: FindingKind, entries: tuple[Entry, ...]) -> Finding:
    return Finding(kind=kind, meaning=MEANINGS[kind], count=len(entries), entries=entries)


def _texts(store: Documents, documents: Sequence[Document]) -> Iterable[tuple[Document, str]]:
    """Each document with its text; one that a sync takes away meanwhile is passed over."""
    versions = {document.id: document.version for document in documents}
    for document, text in zip(documents, store.texts(versions), strict=True):
        if text:
            yield document, text


def _not_taken(asked: Asked, *, is_empty: bool) -> Iterable[Entry]:
    """What a sync could not take: files without text, or all others."""
    if asked.principal.is_operator:
        for listing in asked.listings:
            if listing.state in {"failed", "waiting"} and is_empty == (
                _WITHOUT_TEXT.search(listing.reason) is not None
            ):
                yield Entry(document_id=f"{asked.collection}/{listing.path}", title="", detail=listing.reason)


def _orphaned(asked: Asked, documents: Sequence[Document], links: LinkMap) -> Iterable[Entry]:
    held = {f"{asked.collection}/{listing.path}" for listing in asked.listings if listing.state == "held"}
    for document in documents:
        if document.id in held:
            detail = "gone from its source, and kept because much went at once"
            yield Entry(document_id=document.id, title=document.title, detail=detail)
        elif links.is_navigable and not links.inbound[document.id] and not is_index_page(document):
            yield Entry(document_id=document.id, title=document.title, detail="no other document links to it")


def _broken(documents: Sequence[Document], links: LinkMap) -> Iterable[Entry]:
    named = by_name(documents)
    of_document: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for document, link in links.broken:
        of_document.setdefault(document.id, []).append(link.target)
        titles[document.id] = document.title
    for document_id, targets in of_document.items():
        more = f" and {len(targets) - _MOST_NAMED} more" if len(targets) > _MOST_NAMED else ""
        detail = ", ".join(targets[:_MOST_NAMED]) + more
        instead = dict.fromkeys(one for target in targets for one in meant(target, document_id, named=named))
        yield Entry(document_id=document_id, title=titles[document_id], detail=detail, related=tuple(instead))


def _supersedes_nothing(documents: Sequence[Document]) -> Iterable[Entry]:
    known = {document.id for document in documents}
    named = by_name(documents)
    for document in documents:
        if document.supersedes is not None:
            path = document.supersedes.lstrip("/")
            places = (path, posixpath.join(posixpath.dirname(document.path), path))
            targets = {f"{document.collection}/{posixpath.normpath(place)}" for place in places} - {document.id}
            if not targets & known:
                detail = f"supersedes {document.supersedes!r}, which is not there"
                instead = meant(document.supersedes, document.id, named=named)
                yield Entry(document_id=document.id, title=document.title, detail=detail, related=instead)


def _instructions(readings: Sequence[Reading]) -> Iterable[Entry]:
    for reading in readings:
        for kind, sentence in reading.instructions:
            detail = f"{kind}: “{sentence}”"
            yield Entry(document_id=reading.document.id, title=reading.document.title, detail=detail)


def _remarks(documents: Sequence[Document]) -> Iterable[Entry]:
    for document in documents:
        if document.warnings:
            yield Entry(document_id=document.id, title=document.title, detail=" ".join(document.warnings))


def _unheld(asked: Asked, documents: Sequence[Document]) -> Iterable[Entry]:
    """Only operators are told: whoever else may read a document has one of its groups."""
    if not asked.held_groups or not asked.principal.is_operator:
        return
    held = asked.held_groups | {EVERYONE, OPERATORS}
    for document in documents:
        if not document.groups & held:
            groups = ", ".join(sorted(document.groups))
            detail = f"shared with {groups}, which no key has" if groups else "shared with no group: operators only"
            yield Entry(document_id=document.id, title=document.title, detail=detail)


def _languages(readings: Sequence[Reading]) -> tuple[LanguageShare, ...]:
    spoken: dict[str, list[str]] = {}
    for reading in readings:
        spoken.setdefault(reading.language, []).append(reading.document.id)
    ordered = sorted(spoken.items(), key=lambda each: (-len(each[1]), each[0]))
    return tuple(LanguageShare(language=language, count=len(ids), document_ids=tuple(ids)) for language, ids in ordered)


def _foreign(readings: Sequence[Reading]) -> Iterable[Entry]:
    shares = {share.language: share.count for share in _languages(readings) if share.language != UNKNOWN}
    main: str | None = next(iter(shares), None)
    for reading in readings:
        if reading.language not in {main, UNKNOWN}:
            detail = f"in {reading.language!r}, most others in {main!r}"
            yield Entry(document_id=reading.document.id, title=reading.document.title, detail=detail)
