"""The window registry: how many tokens a model reads and writes at once, by what its endpoint calls it."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources
from typing import cast

UNKNOWN = 8192
"""Taken for a model that nothing is known of: what today's models have at least, when served without being told otherwise."""


def window_of(model: str) -> int:
    """Tokens of prompt and answer together."""
    return next((tokens for pattern, tokens in _registry() if fnmatchcase(model, pattern)), UNKNOWN)


@lru_cache
def _registry() -> tuple[tuple[str, int], ...]:
    listed = tomllib.loads(resources.files("ken.models").joinpath("windows.toml").read_text("utf-8"))
    windows = cast("list[dict[str, list[str] | int]]", listed["window"])
    return tuple(
        (name, cast("int", window["tokens"])) for window in windows for name in cast("list[str]", window["names"])
    )
