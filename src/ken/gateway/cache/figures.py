"""What the cache was asked and did: counted here, kept in the database, and how often it gave a wrong answer, estimated."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt

from ken.storage.cache_figures import CacheFigures

_AT_ONCE = 50
_EVERY_S = 5.0
_Z = 1.96
"""Of a 95 % interval."""
_REFUSED = "refused: "
_HITS = ("exact", "similar")


@dataclass(frozen=True, slots=True)
class Wrong:
    """The share of hits that another answer would have been given to: estimated from those that were answered again."""

    compared: int
    different: int
    low: float
    high: float
    """Wilson's interval of 95 % (Journal of the American Statistical Association 22, 1927); 0 to 1 where none was compared."""

    @property
    def share(self) -> float | None:
        """Of those compared; None where there are none."""
        return self.different / self.compared if self.compared else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryFigures:
    """Of one category, or of all together."""

    lookups: int
    exact: int
    similar: int
    stale: int
    """Given although too old or not near enough, as the model had failed."""
    refusals: tuple[tuple[str, int], ...]
    """Near questions that ask something else: what told them apart, and how often, the most frequent first."""
    stores: int
    not_stored: tuple[tuple[str, int], ...]
    """Why answers were not kept."""
    entries: int
    false_hits: Wrong

    @property
    def hit_rate(self) -> float | None:
        """Hits among lookups; None where nothing was looked up."""
        return (self.exact + self.similar) / self.lookups if self.lookups else None


class Figures:
    """Counts in memory, written from time to time; safe for threads."""

    def __init__(self, kept: CacheFigures) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._written_at = time.monotonic()

    def apart(self) -> Figures:
        """Figures for one who only looks: what they count is not written."""
        return Figures(self._kept)

    def count(self, category: str, name: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[category, name] += 1

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        with self._lock:
            waiting = self._counts.total()
            return waiting >= _AT_ONCE or (waiting > 0 and time.monotonic() - self._written_at > _EVERY_S)

    def flush(self) -> None:
        """Write what was counted. Raises StorageError; then nothing is lost."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            self._written_at = time.monotonic()
        if not counts:
            return
        try:
            self._kept.add(datetime.now(UTC).date().isoformat(), counts)
        except BaseException:
            with self._lock:
                self._counts += counts
            raise

    def read(self, *, days: int) -> dict[str, dict[str, int]]:
        """The counts of the last days, today's included: by category, by name."""
        self.flush()
        return self._kept.since((datetime.now(UTC).date() - timedelta(days=days - 1)).isoformat())


def summary(counts: dict[str, int], *, entries: int) -> CategoryFigures:
    """The figures of a category, of its counts by name."""
    same, different = counts.get("shadow: same", 0), counts.get("shadow: different", 0)
    return CategoryFigures(
        lookups=counts.get("lookups", 0),
        exact=counts.get("exact", 0),
        similar=counts.get("similar", 0),
        stale=counts.get("stale", 0),
        refusals=_beginning(counts, _REFUSED),
        stores=counts.get("stored", 0),
        not_stored=_beginning(counts, "not stored: "),
        entries=entries,
        false_hits=wrong_share(same + different, different),
    )


def _beginning(counts: dict[str, int], word: str) -> tuple[tuple[str, int], ...]:
    found = [(name.removeprefix(word), count) for name, count in counts.items() if name.startswith(word)]
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def wrong_share(compared: int, different: int) -> Wrong:
    """The estimate and its interval."""
    if not compared:
        return Wrong(0, 0, 0.0, 1.0)
    share, square = different / compared, _Z * _Z
    middle = (share + square / (2 * compared)) / (1 + square / compared)
    reach = _Z * sqrt(share * (1 - share) / compared + square / (4 * compared * compared)) / (1 + square / compared)
    return Wrong(compared, different, max(0.0, middle - reach), min(1.0, middle + reach))
