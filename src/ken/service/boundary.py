"""The outermost layer: a trace id for every request, the security headers, and an answer when something unforeseen is raised."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ken.service.errors import error_response
from ken.service.unforeseen import told
from ken.telemetry.tracing import new_trace_id, parse_traceparent

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


class Boundary:
    """ASGI middleware. `scope["state"]` gets `origin` (what the caller says of its trace) and `trace_id`, 32 hex digits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = parse_traceparent(headers.get("traceparent", ""), ",".join(headers.getlist("tracestate")))
        trace_id = origin.trace_id or new_trace_id()
        scope.setdefault("state", {}).update(trace_id=trace_id, origin=origin)
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


def _secure(headers: MutableHeaders, path: str) -> None:
    for name, value in SECURITY_HEADERS.items():
        if name not in headers:  # a page that may do less says so itself
            headers[name] = value
    if path.startswith(("/api/", "/v1/")):
        headers["cache-control"] = "no-store"
