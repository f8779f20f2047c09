"""Questions to try first, that suit what the library holds."""

from __future__ import annotations

from collections.abc import Sequence

from ken.domain.document import Document

EXAMPLE_DOCUMENT = "/people/annual-leave.md"
"""Ends the id of a document that only the example handbook has."""

EXAMPLE_QUESTIONS = (
    "How many days of annual leave do I get in my first year?",
    "How do I book annual leave?",
    "How long is parental leave for each parent, and is it fully paid?",
    "What do we pay towards internet and electricity if I work remotely?",
    "What is the dress code on the Moon?",
)
"""For the example handbook; the last lies beyond it, and shows what Ken says then."""

_MOST = 3


def suggested(documents: Sequence[Document]) -> tuple[str, ...]:
    """The example's questions where it is loaded, else one about each of the first few documents."""
    if any(document.id.endswith(EXAMPLE_DOCUMENT) for document in documents):
        return EXAMPLE_QUESTIONS
    titles = dict.fromkeys(document.title for document in documents)
    return tuple(f"What does “{title}” say?" for title in list(titles)[:_MOST])
