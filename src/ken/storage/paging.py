"""Pages of a list that is read newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from ken.errors import InvalidInput

T = TypeVar("T")
LARGEST_PAGE = 500

_CURSOR = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)~([0-9A-Za-z-]{1,64})")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, newest first."""

    entries: tuple[T, ...]
    before: str | None
    """Where the next page begins: pass it on as `before`. None at the end of the list."""


def newest_first(
    query: sa.Select[Any], by: tuple[sa.ColumnElement[float], sa.ColumnElement[str]], *, limit: int, before: str | None
) -> sa.Select[Any]:
    """Narrow a query, by its time and id, to one page and one row more that tells whether another page follows.

    Keyset paging: what is written meanwhile neither repeats an entry nor skips one. Raises InvalidInput for a limit
    out of 1 to 500 and for a `before` that no page gave out.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput(f"A page holds 1 to {LARGEST_PAGE} entries; {limit} were asked for.")
    if before is not None:
        cursor = _CURSOR.fullmatch(before)
        if cursor is None:
            raise InvalidInput(f"The page after {before!r} can't be found. Use the `before` of the page you have.")
        query = query.where(sa.tuple_(*by) < sa.tuple_(float(cursor[1]), cursor[2]))
    return query.order_by(*(column.desc() for column in by)).limit(limit + 1)


def cursor_of(at: float, identity: str) -> str:
    """Write the `before` of a page whose last entry has this time and id."""
    return f"{at!r}~{identity}"
