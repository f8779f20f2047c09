"""Who may in: the holder of a key, or the person at this machine.

Everything but the console's pages and `PUBLIC_PATHS` needs a principal. A request with an `Authorization` header, or with
Anthropic's `x-api-key`, stands or falls by it. A request without one is the local operator's only when nothing about it says that it
came from elsewhere: the peer and the Host are loopback, no proxy has touched it, and no other site's page has sent it. A page of
another site whose name has been rebound to 127.0.0.1 sends its own name as Host, and so stays outside.
"""

from __future__ import annotations

import ipaddress
from typing import Protocol

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.errors import KenError, NotAuthorised
from ken.service.errors import error_response
from ken.service.pages import is_page

PUBLIC_PATHS = frozenset({"/openapi.json", "/healthz", "/readyz"})
"""Hold no one's data, as the console's pages do: the API's description, liveness and readiness."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

NO_KEY = "local"
"""What a client that can't leave out its key sends instead of one."""

_FORWARDING = ("forwarded", "x-real-ip", "via")


class KeyBook(Protocol):
    """The part of `ken.storage.keys` that is needed here."""

    def authenticate(self, secret: str) -> Principal:
        """The key's principal; raises NotAuthorised. It may read the database."""
        ...

    def remembered(self, secret: str) -> Principal | None:
        """The key's principal where memory tells it for certain; returns at once."""
        ...


class Access:
    """ASGI middleware: puts the principal into the request's state, or answers 401."""

    def __init__(self, app: ASGIApp, *, keys: KeyBook, keyless: bool) -> None:
        self._app = app
        self._keys = keys
        self._keyless = keyless

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            scope["state"]["principal"] = await self._principal(scope)
        except KenError as error:
            await error_response(error, scope["path"], trace_id=scope["state"]["trace_id"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal:
        headers = Headers(scope=scope)
        secret = _secret(headers)
        if secret is not None:
            return self._keys.remembered(secret) or await anyio.to_thread.run_sync(self._keys.authenticate, secret)
        if not self._keyless:
            raise NotAuthorised(
                "This Ken is open to the network and needs a key. Send `Authorization: Bearer ken-...`; `ken keys create NAME` makes one."
            )
        reason = _foreign(scope, headers)
        if reason is not None:
            raise NotAuthorised(
                f"Only a request from this machine itself needs no key, and this one {reason}. "
                "Send `Authorization: Bearer ken-...`; `ken keys create NAME` makes a key."
            )
        return LOCAL_OPERATOR


def is_loopback(host: str) -> bool:
    """Whether an address or name to listen on reaches this machine only."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_public(path: str) -> bool:
    return path in PUBLIC_PATHS or is_page(path)


def _secret(headers: Headers) -> str | None:
    """The key of the request; None where it has none."""
    values = headers.getlist("authorization")
    if not values:
        values = headers.getlist("x-api-key")
        if len(values) > 1:
            raise NotAuthorised("There is more than one x-api-key header. Send one: `x-api-key: ken-...`.")
        return None if not values or values[0].strip() == NO_KEY else values[0].strip()
    scheme, _, secret = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer":
        raise NotAuthorised("The Authorization header can't be used. Send one: `Authorization: Bearer ken-...`.")
    return None if secret.strip() == NO_KEY else secret.strip()


def _foreign(scope: Scope, headers: Headers) -> str | None:
    """What says that the request did not come from this machine, in words; None where nothing does."""
    client = scope.get("client")
    if client is None or not is_loopback(client[0]):
        return "comes from another address"
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _without_port(hosts[0]) not in LOOPBACK_HOSTS:
        return "names another host than localhost"
    if any(name in _FORWARDING or name.startswith("x-forwarded-") for name in headers):
        return "came through a proxy"
    if any(origin != f"{scope['scheme']}://{hosts[0]}" for origin in headers.getlist("origin")):
        return "was sent by a page of another origin"
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return "was sent by a page of another site"
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host.lower()
