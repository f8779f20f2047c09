"""A release on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ken.domain.wire import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelease:
    """What a release id stands for, as it was kept when it was served."""

    id: str
    fields: Mapping[str, Json]
    """`releases.Release` as JSON; another Ken may have had other fields."""
    settings: Mapping[str, Json]
    """What its answers were made with, as far as settings say it, to make answers with it again."""
    first_seen: float
    """Seconds since the epoch, as the next."""
    last_seen: float
