"""JSON as a type, for what is passed on without being looked into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
"""A value as `json.loads` gives it. Nobody changes one in place."""
