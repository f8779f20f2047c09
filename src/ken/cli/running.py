# ruff: noqa: PLC0415 - heavy imports wait until a command asks for them
"""What runs at an address: a Ken, and whether it is the one of a home."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from ken.errors import KenError

if TYPE_CHECKING:
    from ken.settings import Settings

_PATIENCE_S = 5.0
_ALIVE = b'{"status":"ok"}'


def address_of(settings: Settings, *, from_here: bool = False) -> str:
    """Where the Ken of these settings listens; one that listens everywhere is asked from here on loopback."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if from_here and settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - it is compared with
        host = "127.0.0.1"
    return f"http://{host}:{settings.port}"


def is_ken(base: str) -> bool:
    """Whether what listens there answers as Ken does."""
    return _got(base, "/healthz") == _ALIVE


def is_of_home(base: str, settings: Settings, *, key: str | None = None) -> bool | None:
    """Whether the Ken there serves this home: the newest trace that it knows is on record here, or else the newest sync.

    None where it doesn't tell (it wants an operator's key), or has neither.
    """
    traces, syncs = _listed(base, "/api/traces?limit=1", key), _listed(base, "/api/syncs?limit=1", key)
    if not traces and not syncs:
        return None
    from ken.storage.sources import Sources
    from ken.storage.sqlite import FILE_NAME
    from ken.storage.traces import Traces
    from ken.stores import open_store

    if settings.database_url is None and not (settings.home / FILE_NAME).is_file():
        return False
    try:
        store = open_store(settings)
        try:
            if traces:
                return Traces(store.database).exists(str(traces[0].get("id")))
            mine = Sources(store.database).syncs(limit=1)
        finally:
            store.close()
    except KenError:
        return None
    return bool(mine) and mine[0].started_at == syncs[0].get("started_at")


def _listed(base: str, path: str, key: str | None) -> list[dict[str, object]]:
    """The entries of a list, by themselves or under the name of the door; none where it is not told."""
    try:
        told: object = json.loads(_got(base, path, key=key))
    except ValueError:
        return []
    if isinstance(told, dict):
        told = cast("dict[str, object]", told).get("traces")
    return cast("list[dict[str, object]]", told) if isinstance(told, list) else []


def _got(base: str, path: str, *, key: str | None = None) -> bytes:
    """The body of an answer; empty where there is none, or it is no success."""
    place = urlsplit(base)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=_PATIENCE_S)
    try:
        connection.request(
            "GET", f"{place.path.rstrip('/')}{path}", headers={"authorization": f"Bearer {key}"} if key else {}
        )
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, ValueError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
    return body if answer.status == http.client.OK else b""
