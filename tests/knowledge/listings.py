"""What a connector lists, to its end or to its error, and answers that its server gives."""

from __future__ import annotations

from aiohttp import web

from ken.errors import KenError
from ken.knowledge.sources.client import ClientLimits
from ken.knowledge.sources.source import Change, Complete, Connector, Listed

HOSTS = frozenset({"127.0.0.1"})
PATIENT = ClientLimits(timeout_s=10, attempts=3, first_wait_s=0.001, longest_wait_s=1)
"""Waits long for a busy machine, and not at all for a server that fails."""


async def changes(connector: Connector, cursor: str | None = None) -> list[Change]:
    """A whole listing."""
    return [change async for change in connector.changes(cursor)]


async def by_path(connector: Connector, cursor: str | None = None) -> dict[str, Listed]:
    """The documents of a whole listing. It has to be complete."""
    found = await changes(connector, cursor)
    assert isinstance(found[-1], Complete)
    return {change.path: change for change in found if isinstance(change, Listed)}


async def until_error(connector: Connector, cursor: str | None = None) -> tuple[list[Change], KenError]:
    """What a listing gives before it fails, and its error."""
    found: list[Change] = []
    try:
        async for change in connector.changes(cursor):
            found.append(change)  # noqa: PERF401 - what came before the error counts
    except KenError as error:
        return found, error
    message = "the listing came to its end"
    raise AssertionError(message)


def answer(value: object, status: int = 200, **headers: str) -> web.Response:
    """A JSON answer; of the names of headers, `_` becomes `-`."""
    return web.json_response(value, status=status, headers={name.replace("_", "-"): v for name, v in headers.items()})
