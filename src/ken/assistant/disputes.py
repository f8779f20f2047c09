"""What verify says of conflicts and dates once the answer is complete: both sides of a conflict, and as of when."""

from __future__ import annotations

from ken.assistant.turn import Turn
from ken.checks.support import SUPPORTED, support
from ken.domain.answer import Citation, Conflict
from ken.domain.conflict import Statement
from ken.domain.document import Document
from ken.domain.standing import Standing
from ken.text.dates import long_date
from ken.text.labels import conflict_text


def untold(turn: Turn, *, is_told: bool) -> str:
    """The text that shows the conflicts which the answer rests on and doesn't show, with the numbers of the prompt; or "".

    `is_told`: the answer says that the documents disagree; then it only lacks what it cites one side of.
    """
    sides: dict[tuple[str, int], tuple[Document, str, int]] = {}
    for each in turn.disagreements:
        cited = [_citation_of(side, turn) is not None for side in (each.first, each.second)]
        if any(cited) and not (all(cited) and is_told):
            for side in (each.first, each.second):
                sides |= _side(side, turn)
    return conflict_text(list(sides.values())) if len(sides) > 1 else ""


def conflicts_of(turn: Turn) -> tuple[Conflict, ...]:
    """The disagreements both sides of which the answer cites, the newer document first."""
    found: list[Conflict] = []
    for each in turn.disagreements:
        first, second = _citation_of(each.first, turn), _citation_of(each.second, turn)
        if first is not None and second is not None:
            values = each.values
            if (first.effective or "") < (second.effective or ""):
                first, second, values = second, first, (values[1], values[0])
            found.append(Conflict(kind=each.kind, citations=(first, second), values=values))
    return tuple(found)


def told_in_words(conflict: Conflict) -> str:
    """The notice of a conflict."""
    first, second = (citation.document_title for citation in conflict.citations)
    if conflict.kind in {"permission", "denial"}:
        return f"The documents disagree: “{first}” and “{second}” say the opposite of each other."
    return f"The documents disagree: “{first}” says {conflict.values[0]}, “{second}” says {conflict.values[1]}."


def superseded_notices(turn: Turn) -> list[str]:
    """A line for each cited document that another one has replaced."""
    cited = {citation.document_id for citation in turn.citations}
    found = {
        item.document.title: turn.standings.get(item.document.id) for item in turn.evidence if item.document.id in cited
    }
    return [
        _superseded(title, one) for title, one in sorted(found.items()) if one is not None and one.state == "superseded"
    ]


def as_of(turn: Turn) -> str:
    """The line "As of 1 March 2026 [1] and 1 June 2025 [2]." where dates of what is cited differ and nothing else says so."""
    is_told = turn.conflicts or any(citation.standing != "current" for citation in turn.citations)
    dates: dict[str, list[int]] = {}
    for citation in turn.citations:
        numbers = dates.setdefault(citation.effective, []) if citation.effective else []
        if citation.number not in numbers:
            numbers.append(citation.number)
    if is_told or len(dates) < 2:  # noqa: PLR2004 - one date stands with the sources
        return ""
    parts = [
        f"{long_date(date)} {''.join(f'[{number}]' for number in sorted(dates[date]))}"
        for date in sorted(dates, reverse=True)
    ]
    return f"\n\nAs of {', '.join(parts[:-1])} and {parts[-1]}."


def _superseded(title: str, standing: Standing) -> str:
    since = f" since {long_date(standing.since)}" if standing.since else ""
    by = f"“{standing.successor.title}”" if standing.successor else "a newer document"
    return f"“{title}” has been superseded by {by}{since}."


def _side(statement: Statement, turn: Turn) -> dict[tuple[str, int], tuple[Document, str, int]]:
    """Where a statement stands in the prompt; empty where it doesn't."""
    for number, item in enumerate(turn.evidence, start=1):
        passage = item.passage
        if passage.document_id == statement.document_id and passage.start <= statement.start < passage.end:
            return {(statement.document_id, statement.start): (item.document, statement.text, number)}
    return {}


def _citation_of(statement: Statement, turn: Turn) -> Citation | None:
    """The citation of a statement: of its sentence, or of its passage for a sentence that it supports."""
    return next((each for each in turn.citations if _cites(each, statement, turn.reply)), None)


def _cites(citation: Citation, statement: Statement, reply: str) -> bool:
    if citation.document_id != statement.document_id:
        return False
    if (citation.start, citation.end) == (statement.start, statement.end):
        return True
    is_inside = citation.start <= statement.start and statement.end <= citation.end
    return is_inside and support(reply[citation.answer_start : citation.answer_end], statement.text) >= SUPPORTED
