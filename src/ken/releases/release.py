"""A release: everything that people decide and that shapes an answer, under one content hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What answers are made with. The corpus is not part of it: a sync is not a release."""

    prompt_version: str
    default_model: str
    models: tuple[str, ...]
    index_configuration: str
    search: str
    passages: int
    history_turns: int
    guard_version: str
    routes: str = ""

    @property
    def id(self) -> str:
        """12 hex digits of the SHA-256 over the fields: equal exactly when the releases are."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]
