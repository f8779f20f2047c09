"""The list of sources below an answer, as plain text: for doors that have nothing but text."""

from __future__ import annotations

from collections.abc import Sequence

from ken.domain.answer import Citation
from ken.text.dates import long_date


def sources_of(citations: Sequence[Citation]) -> tuple[Citation, ...]:
    """The first citation of each passage, in the order of the numbers."""
    first: dict[int, Citation] = {}
    for citation in citations:
        first.setdefault(citation.number, citation)
    return tuple(first[number] for number in sorted(first))


def place_of(citation: Citation) -> str:
    """Where a citation's span stands: "Travel policy > Getting around, page 2"."""
    path = [part for part in citation.heading_path if part != citation.document_title]
    page = f", page {citation.page}" if citation.page is not None else ""
    return " > ".join([citation.document_title, *path]) + page


def facts_of(citation: Citation) -> tuple[str, ...]:
    """What a reader should know of a source: as of when, whose it is, and whether it is still the rule and looked after."""
    facts: list[str] = []
    if citation.standing == "future":
        facts.append(f"not in force before {long_date(citation.effective or '')}")
    elif citation.effective:
        facts.append(f"as of {long_date(citation.effective)}")
    if citation.owner:
        facts.append(citation.owner)
    if citation.standing == "superseded":
        since = f" since {long_date(citation.superseded_since)}" if citation.superseded_since else ""
        by = f" by “{citation.superseded_by}”" if citation.superseded_by else ""
        facts.append(f"superseded{since}{by}")
    if citation.review_due and citation.review_by:
        facts.append(f"review was due on {long_date(citation.review_by)}")
    return tuple(facts)


def source_lines(citations: Sequence[Citation]) -> list[str]:
    """A line for each source: "[1] Travel policy > Getting around, page 2 (as of 1 February 2026, Finance)"."""
    lines: list[str] = []
    for citation in sources_of(citations):
        facts = "; ".join(facts_of(citation))
        lines.append(f"[{citation.number}] {place_of(citation)}{f' ({facts})' if facts else ''}")
    return lines
