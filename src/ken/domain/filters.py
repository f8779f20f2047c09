"""Which documents a question is narrowed to, besides what the asker may read and the collections asked for."""

from __future__ import annotations

from dataclasses import dataclass

from ken.domain.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All that is set has to hold. A document that doesn't say what a filter asks for is not let through."""

    owners: frozenset[str] = frozenset()
    """Any of these, in whatever case; empty for any owner and none."""
    types: frozenset[str] = frozenset()
    """Media types, any of these."""
    modified_from: str | None = None
    """An ISO 8601 calendar date, as the others; the day itself is let through."""
    modified_to: str | None = None
    effective_from: str | None = None
    effective_to: str | None = None

    def lets_through(self, document: Document) -> bool:
        """Whether a document has what is asked for."""
        return (
            (not self.owners or (document.owner or "").casefold() in {owner.casefold() for owner in self.owners})
            and (not self.types or document.media_type in self.types)
            and _is_within(document.modified, self.modified_from, self.modified_to)
            and _is_within(document.effective, self.effective_from, self.effective_to)
        )


NO_FILTERS = Filters()
"""Lets everything through."""


def _is_within(date: str | None, first: str | None, last: str | None) -> bool:
    if first is None and last is None:
        return True
    # ISO dates are in the order of their letters; a time of day after the date makes no difference.
    return date is not None and (first is None or date[:10] >= first) and (last is None or date[:10] <= last)
