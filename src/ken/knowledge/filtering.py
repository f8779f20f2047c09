"""Filters as people write them become filters that documents are held against."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from ken.domain.filters import Filters
from ken.errors import InvalidInput
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, SUPPORTED, usual_suffixes

_KNOWN = {"word": ".docx", "excel": ".xlsx", "powerpoint": ".pptx", "markdown": ".md", "text": ".txt", "mail": ".eml"}
"""What people call a type, where it is no suffix."""
_SPANS = (("modified_from", "modified_to"), ("effective_from", "effective_to"))


def checked(filters: Filters) -> Filters:
    """Filters with media types for plain names of types ("pdf", "word").

    Raises InvalidInput for a type that Ken does not read, a date that is none, and a span that ends before it begins.
    """
    for first, last in _SPANS:
        begin, end = (_date(name, getattr(filters, name)) for name in (first, last))
        if begin is not None and end is not None and begin > end:
            raise InvalidInput(
                f"`{first}` {begin!r} lies after `{last}` {end!r}: nothing can be in between. Swap them.", param=first
            )
    return replace(filters, types=frozenset(_media_type(name) for name in filters.types))


def _date(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        is_date = date.fromisoformat(value).isoformat() == value
    except ValueError:
        is_date = False
    if not is_date:
        raise InvalidInput(f"`{name}` {value!r} is no date. Write it as 2026-01-31.", param=name)
    return value


def _media_type(name: str) -> str:
    plain = name.strip().lower()
    if plain in BY_MEDIA_TYPE:
        return plain
    suffix = _KNOWN.get(plain, f".{plain.removeprefix('.')}")
    if suffix not in SUPPORTED:
        raise InvalidInput(
            f"There is no type of document {name!r}. Name a suffix ({usual_suffixes()}) or a media type.", param="type"
        )
    return SUPPORTED[suffix]
