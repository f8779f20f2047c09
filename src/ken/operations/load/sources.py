"""Where questions come from when nobody has written any: the server's documents, or what it was asked before."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

import aiohttp

from ken.errors import InvalidInput, ModelUnavailable
from ken.operations.load.asking import Target

_MOST = 500
_HTTP_OK = 200
_REMEDY = "Name a file of questions: `--questions FILE`."


async def titles(target: Target) -> tuple[str, ...]:
    """The titles of the documents that we may read there. Raises InvalidInput, ModelUnavailable."""
    found = await _listed(target, f"/api/documents?limit={_MOST}", name="documents")
    return _texts(found, "title", what="documents")


async def from_record(target: Target) -> tuple[str, ...]:
    """The questions that people asked there last, and no load test's. Raises InvalidInput, ModelUnavailable."""
    asked = urlencode({"limit": _MOST, "where": 'kind = "question"'})
    found = await _listed(target, f"/api/traces?{asked}", name="traces")
    return _texts(found, "question", what="questions on record")


async def _listed(target: Target, path: str, *, name: str) -> list[dict[str, object]]:
    try:
        async with target.session() as session, session.get(f"{target.base}{path}") as response:
            if response.status != _HTTP_OK:
                raise InvalidInput(f"{target.base!r} does not tell its {name} (status {response.status}). {_REMEDY}")
            told = cast("dict[str, list[dict[str, object]]]", await response.json())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise ModelUnavailable(
            f"Nothing that is Ken answers at {target.base!r}. Start it there (`ken up`), or say where it "
            "listens: another place with `--url`, this home's own with `port` in ken.toml."
        ) from error
    return told.get(name) or []


def _texts(found: list[dict[str, object]], field: str, *, what: str) -> tuple[str, ...]:
    texts = tuple(dict.fromkeys(str(each[field]) for each in found if each.get(field)))
    if not texts:
        raise InvalidInput(f"There are no {what} there. {_REMEDY}")
    return texts
