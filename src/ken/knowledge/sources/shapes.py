"""JSON answers of servers, read by the shape that their documentation promises: what is not of that shape counts as absent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import cast

from ken.errors import SourceMisbehaves

Fields = Mapping[str, object]
"""A JSON object."""


def fields(value: object, *keys: str) -> Fields:
    """The JSON object that `keys` lead to from `value`; empty where there is none."""
    found = at(value, *keys)
    return cast("Fields", found) if isinstance(found, dict) else {}


def at(value: object, *keys: str) -> object:
    """What `keys` lead to through JSON objects; None where they lead nowhere."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(key)
    return value


def listed(value: object, *keys: str) -> list[Fields]:
    """The JSON objects of the array that `keys` lead to; what is no object is left out."""
    found = at(value, *keys)
    return (
        [cast("Fields", entry) for entry in cast("list[object]", found) if isinstance(entry, dict)]
        if isinstance(found, list)
        else []
    )


def text(value: object, *keys: str) -> str:
    """The string that `keys` lead to, a whole number as digits, or ""."""
    found = at(value, *keys)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def number(value: object, *keys: str) -> int | None:
    """The whole number that `keys` lead to, or None."""
    found = at(value, *keys)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def day(value: object, *keys: str) -> str | None:
    """The calendar date of an ISO 8601 time, as it stands there; None where there is none."""
    try:
        return dt.date.fromisoformat(text(value, *keys)[:10]).isoformat()
    except ValueError:
        return None


def promised_list(value: object, *keys: str, url: str) -> list[Fields]:
    """As `listed`, where the answer of `url` makes no sense without it. Raises SourceMisbehaves."""
    if not isinstance(at(value, *keys), list):
        raise SourceMisbehaves(
            f"{url!r} answered without the list {'.'.join(keys) or 'of results'!r} that its documentation promises. "
            "Check that the address is that of the interface, and not of a proxy or a page."
        )
    return listed(value, *keys)
