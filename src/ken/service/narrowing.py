"""Filters on the wire: as query parameters, as part of a question, as metadata of an OpenAI client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from ken.domain.filters import Filters
from ken.knowledge.filtering import checked
from ken.service.shapes import Text

_PREFIX = "ken_"
_LISTS = ("collection", "owner", "type")
_DATES = ("modified_from", "modified_to", "effective_from", "effective_to")

Date = Annotated[str | None, Query(description="a day, as 2026-01-31; that day is included")]


class FiltersBody(BaseModel):
    """Look only in documents that have all of this. Dates are ISO 8601 calendar dates, both ends included."""

    model_config = ConfigDict(extra="forbid", strict=True)

    owners: list[Text] = Field(default_factory=list[str], max_length=100)
    types: list[Text] = Field(default_factory=list[str], max_length=100)
    """Plain names such as `pdf`, or media types."""
    modified_from: Text | None = None
    modified_to: Text | None = None
    effective_from: Text | None = None
    effective_to: Text | None = None

    def filters(self) -> Filters:
        """The same, checked. Raises InvalidInput."""
        given = self.model_dump()
        lists = {name: frozenset[str](given.pop(name)) for name in ("owners", "types")}
        return checked(Filters(**lists, **given))


def _of_query(
    owner: Annotated[list[str] | None, Query(description="any of these owners")] = None,
    type: Annotated[list[str] | None, Query(description="any of these types, such as pdf")] = None,  # noqa: A002 - its name on the wire
    *,
    modified_from: Date = None,
    modified_to: Date = None,
    effective_from: Date = None,
    effective_to: Date = None,
) -> Filters:
    return checked(
        Filters(
            owners=frozenset(owner or ()),
            types=frozenset(type or ()),
            modified_from=modified_from,
            modified_to=modified_to,
            effective_from=effective_from,
            effective_to=effective_to,
        )
    )


Narrowed = Annotated[Filters, Depends(_of_query)]
"""The filters of a request's query parameters."""


def of_metadata(metadata: Mapping[str, str]) -> tuple[frozenset[str] | None, Filters]:
    """The collections and filters that an OpenAI client's metadata name: `ken_collection`, `ken_type`, `ken_modified_from`, ...

    Lists are separated by commas. Other metadata are the client's own. Raises InvalidInput.
    """
    lists = {name: _listed(metadata.get(f"{_PREFIX}{name}", "")) for name in _LISTS}
    dates = {name: metadata.get(f"{_PREFIX}{name}") for name in _DATES}
    return lists["collection"] or None, checked(Filters(owners=lists["owner"], types=lists["type"], **dates))


def is_read(name: str) -> bool:
    """Whether a key of an OpenAI client's metadata is one of these."""
    return name.removeprefix(_PREFIX) in {*_LISTS, *_DATES} and name.startswith(_PREFIX)


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
