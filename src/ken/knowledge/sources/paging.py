"""A listing in pages has to end: what tells one that never will from a long one."""

from __future__ import annotations

from dataclasses import dataclass, field

from ken.errors import SourceMisbehaves

MOST_PAGES = 20_000
MOST_STALE = 20
"""Pages in a row that bring nothing but what was brought before."""
MOST_EMPTY = 200
"""Pages in a row that bring nothing: a server may leave out what we can't see, but not for ever."""


@dataclass(slots=True)
class Paging:
    """Watches one listing, page by page."""

    where: str
    """What is listed, for people: an address without secrets."""
    cursors: set[str] = field(default_factory=set[str])
    known: set[str] = field(default_factory=set[str])
    pages: int = 0
    stale: int = 0
    empty: int = 0

    def turn(self, cursor: str, brought: list[str]) -> None:
        """Go on to the page at `cursor` after one that brought these ids. Raises SourceMisbehaves where that never ends."""
        before = len(self.known)
        self.known.update(brought)
        is_new = len(self.known) > before
        self.stale = 0 if is_new else self.stale + bool(brought)
        self.empty = 0 if brought else self.empty + 1
        self.pages += 1
        if cursor in self.cursors:
            raise self._endless("leads back to a page that it gave before")
        if self.stale >= MOST_STALE or self.empty >= MOST_EMPTY:
            raise self._endless(f"gave {max(self.stale, self.empty)} pages in a row without anything new")
        if self.pages >= MOST_PAGES:
            raise self._endless(f"gave {MOST_PAGES:,} pages and has more")
        self.cursors.add(cursor)

    def _endless(self, what: str) -> SourceMisbehaves:
        return SourceMisbehaves(
            f"The listing of {self.where} {what}. Nothing was deleted; sync again, and name less of it if it stays so."
        )
