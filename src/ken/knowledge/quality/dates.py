"""Documents that are out of date by what they say of themselves, or by what their source says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from ken.domain.document import Document
from ken.knowledge.quality.findings import Entry

_YEAR_DAYS = 365.25


def out_of_date(documents: Sequence[Document], *, today: date, stale_after_days: int) -> list[Entry]:
    """Documents past their review date, superseded by another one, or unchanged for longer than `stale_after_days`.

    The time of a change is what the document or its source says of it; where neither does, nothing is claimed.
    """
    by_id = {document.id: document for document in documents}
    entries: list[Entry] = []
    for document in documents:
        reasons = list(_reasons(document, by_id, today=today, stale_after_days=stale_after_days))
        if reasons:
            successor = (document.superseded_by,) if document.superseded_by in by_id else ()
            entries.append(
                Entry(document_id=document.id, title=document.title, detail="; ".join(reasons), related=successor)
            )
    return entries


def _reasons(document: Document, by_id: Mapping[str, Document], *, today: date, stale_after_days: int) -> Iterator[str]:
    successor = by_id.get(document.superseded_by or "")
    if successor is not None and (_date(successor.effective) or today) <= today:
        yield f"superseded by “{successor.title}”"
    due = _date(document.review_by)
    if due is not None and due < today:
        yield f"was to be reviewed by {due.isoformat()}, {_ago((today - due).days)} ago"
    changed = _date(document.modified)
    if changed is not None and (today - changed).days > stale_after_days:
        yield f"not changed since {changed.isoformat()}, {_ago((today - changed).days)} ago"


def _date(stated: str | None) -> date | None:
    try:
        return date.fromisoformat(stated[:10]) if stated else None
    except ValueError:
        return None


def _ago(days: int) -> str:
    if days < 2 * 31:
        return f"{days} {'day' if days == 1 else 'days'}"
    years = days / _YEAR_DAYS
    return f"{years:.1f} years" if years >= 1 else f"{round(12 * years)} months"
