"""How an answer names what its sources are: their dates, owners and standing. Composed by rule, so it can be checked by rule."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ken.domain.document import Document
from ken.domain.standing import Standing
from ken.text.dates import long_date

DISAGREE = "The documents disagree:"
"""Stands before the statements of a conflict."""

_UNDATED = "undated"
_STOPS = re.compile(r"[.!?]+(?=\s|$)")
_ENDS = (".", "!", "?", ":", ".)", '."', "”")


def standing_label(standing: Standing, document: Document) -> str:
    """What stands before a quotation of a document that isn't simply the rule: "Superseded since 1 March 2026"."""
    if standing.state == "future":
        return f"From {long_date(standing.since or '')} on"
    if standing.state == "superseded":
        return f"Superseded since {long_date(standing.since)}" if standing.since else "Superseded"
    return f"Since {long_date(document.effective)}" if document.effective else ""


def tells_standing(text: str, standing: Standing) -> bool:
    """Whether a text says itself that its source is no longer the rule, or not yet."""
    dates = (standing.since, long_date(standing.since)) if standing.since else ()
    return any(date in text for date in dates) or (standing.state == "superseded" and "superseded" in text.lower())


def attribution(document: Document) -> str:
    """Who says so and as of when: "“Expenses” (as of 1 May 2025, Finance)"."""
    dated = f"as of {long_date(document.effective)}" if document.effective else _UNDATED
    # A full stop in a title would end the sentence that names it.
    title, owner = (_STOPS.sub("", text) for text in (document.title, document.owner or ""))
    return f"“{title}” ({dated}{f', {owner}' if owner else ''})"


def conflict_text(sides: Sequence[tuple[Document, str, int]]) -> str:
    """The statements of a conflict, a line each. `sides`: document, statement, and the number that it is cited by."""
    newest_first = sorted(sides, key=lambda side: side[0].effective or "", reverse=True)
    lines = [f"- {attribution(document)}: {as_sentence(text)} [{number}]" for document, text, number in newest_first]
    return "\n".join([DISAGREE, *lines])


def as_sentence(text: str) -> str:
    """A quotation with a full stop where it has no end of its own; without a mark that is closed in another one."""
    text = text.strip().strip("_*").strip().rstrip(";,")
    return text if text.endswith(_ENDS) else f"{text}."


def place_words(document: Document, standing: Standing) -> str:
    """All that may be said of a source before its words are quoted."""
    dates = [date for date in (document.effective, standing.since) if date]
    words = [
        document.title,
        document.owner or "",
        _UNDATED,
        "as of from on since until superseded replaced effective owner",
    ]
    words += [f"{date} {long_date(date)}" for date in dates]
    if standing.successor is not None:
        words.append(standing.successor.title)
    return " ".join(words)
