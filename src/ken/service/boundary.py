"""The outermost layer: a trace id for every request, the security headers, and an answer when something unforeseen is raised."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ken.service.errors import error_response
from ken.service.unforeseen import told

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


class Boundary:
    """ASGI middleware. `scope["state"]` gets `trace_id` (32 hex digits) and `traced` (whether the caller chose it)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = trace_id_of(Headers(scope=scope).get("traceparent", ""))
        trace_id = given or secrets.token_hex(16)
        scope.setdefault("state", {}).update(trace_id=trace_id, traced=given is not None)
        started = False

        async def send_secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _secure(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            await self._app(scope, receive, send_secured)
        except Exception as error:  # noqa: BLE001 - nothing may pass here but an answer; the log gets the rest
            fault = told(error, scope)
            if not started:
                await error_response(fault, scope["path"], trace_id=trace_id)(scope, receive, send_secured)


def trace_id_of(traceparent: str) -> str | None:
    """The trace id of a W3C `traceparent` header; None where it is absent or malformed (W3C Trace Context, section 3.2)."""
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    if match is None or traceparent.startswith("ff") or not int(match[1], 16) or not int(match[2], 16):
        return None
    return match[1]


def _secure(headers: MutableHeaders, path: str) -> None:
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if path.startswith(("/api/", "/v1/")):
        headers["cache-control"] = "no-store"
