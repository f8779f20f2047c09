"""What is known of each document of a source, and whether that is reason enough not to look at it again."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ken.knowledge.permissions import Policy
from ken.knowledge.sources.source import Listed
from ken.storage.sources import Listing, ListingState, Source

_LONGEST_PATH = 1_000
"""Bytes."""
_TRUSTED_S = 7 * 86_400.0
"""A stamp that is no digest is believed about so long; then the document is read again, whatever its source says."""
_FIRST_RETRY_S = 300.0
_LAST_RETRY_S = 86_400.0
_FIRST_RETRY_OF_SOURCE_S = 60.0
_LAST_RETRY_OF_SOURCE_S = 6 * 3_600.0


def trusts(known: Source | None, policy: Policy, *, is_full: bool) -> bool:
    """Whether stamps and cursor may be believed: nobody asked for everything, and the rules are those of the last sync."""
    return known is not None and known.policy == policy.name and not is_full


def is_plain_path(path: str) -> bool:
    """Whether a path names a document and nothing else."""
    parts = path.split("/")
    is_sane = all(part not in {"", ".", ".."} for part in parts) and "\x00" not in path
    return is_sane and len(path.encode(errors="replace")) <= _LONGEST_PATH


def next_try_of_source(attempts: int, waits_s: float | None) -> float:
    """When to ask a source again that failed so many times in a row; seconds since the epoch.

    Twice as long after each failure, up to six hours, spread by a quarter so that sources don't come back together.
    """
    pause = min(_FIRST_RETRY_OF_SOURCE_S * 2 ** min(attempts - 1, 12), _LAST_RETRY_OF_SOURCE_S)
    return time.time() + max(waits_s or 0.0, pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


@dataclass(slots=True)
class Standing:
    """The listings of a source: as they were, and what a sync changes in them."""

    known: Mapping[str, Listing] = field(default_factory=dict[str, Listing])
    is_trusted: bool = False
    retries: bool = False
    """Whether to look at what failed before its time has come."""
    now: float = field(default_factory=time.time)
    changed: dict[str, Listing] = field(default_factory=dict[str, Listing])
    seen: set[str] = field(default_factory=set[str])
    gone: set[str] = field(default_factory=set[str])
    attempted: dict[str, Listing] = field(default_factory=dict[str, Listing])

    def is_unchanged(self, listed: Listed, said: frozenset[str] | None, *, current: str | None) -> bool:
        """Whether a document is as it was when it was last read, as far as its source can be believed."""
        self.seen.add(listed.path)
        known = self.known.get(listed.path)
        if known is None or not self.is_trusted or listed.stamp is None or current is None:
            return False
        is_same = (known.stamp, known.version, known.groups) == (listed.stamp, current, said)
        if not is_same or known.state != "current":
            return False
        return listed.is_digest or self.now - known.fetched_at < _believed_s(listed.path)

    def still_fails(self, listed: Listed, *, version: str | None = None) -> str:
        """Why a document failed that has not changed since, and whose next try is not due; empty for any other."""
        known = self.known.get(listed.path)
        if known is None or known.state != "failed" or self.retries or not self.is_trusted:
            return ""
        is_same = (
            known.version == version
            if version is not None
            else listed.stamp is not None and known.stamp == listed.stamp
        )
        return known.reason if is_same and known.next_try is not None and known.next_try > self.now else ""

    def attempts(self, listed: Listed, version: str) -> None:
        """Note what is about to be read, so that a failure is known by it."""
        self.attempted[listed.path] = Listing(
            path=listed.path, state="failed", since=self.now, stamp=listed.stamp, version=version, fetched_at=self.now
        )

    def take(self, listed: Listed, version: str, *, said: frozenset[str] | None) -> None:
        """Note a document that was read and taken."""
        known = self.known.get(listed.path)
        is_new = known is None or known.state != "current" or known.version != version
        self.changed[listed.path] = Listing(
            path=listed.path,
            state="current",
            since=self.now if known is None or is_new else known.since,
            stamp=listed.stamp,
            version=version,
            groups=said,
            fetched_at=self.now,
        )

    def note(self, path: str, state: ListingState, *, reason: str) -> None:
        """Note a document that was not taken, and when it is worth another try."""
        self.seen.add(path)
        known = self.known.get(path)
        if known is not None and known.state == state and state in {"skipped", "held"}:
            return
        is_same = known is not None and known.state == state
        attempts = known.attempts + 1 if known is not None and known.state in {"failed", "waiting"} else 1
        pause = min(_FIRST_RETRY_S * 2 ** min(attempts - 1, 12), _LAST_RETRY_S)
        base = self.attempted.get(path) or known or Listing(path=path, state=state, since=self.now)
        self.changed[path] = replace(
            base,
            state=state,
            since=known.since if known is not None and is_same else self.now,
            reason=reason,
            attempts=attempts,
            next_try=self.now + pause if state in {"failed", "waiting"} else None,
        )

    def forget(self, paths: Iterable[str]) -> None:
        """Note documents that are deleted."""
        self.gone.update(paths)

    def drained(self) -> list[Listing]:
        """What has to be written; it is not given again."""
        changed, self.changed = list(self.changed.values()), {}
        return changed

    def forgotten(self, *, is_whole: bool) -> list[str]:
        """The paths of which nothing is known any more: what is deleted, and what a whole listing did not name."""
        stale = self.known.keys() - self.seen if is_whole else set[str]()
        return sorted(
            (self.gone | stale)
            - {path for path, known in self.known.items() if known.state == "held" and path not in self.gone}
        )


def _believed_s(path: str) -> float:
    """Spread by the path, so that a source is not read anew all on one day."""
    return _TRUSTED_S * (0.75 + 0.5 * (zlib.crc32(path.encode(errors="replace")) % 1000) / 1000)
