"""The doors that other applications knock at many times a second: routes that nothing stands in front of but `Access`.

FastAPI lists these routes as it does all others. What it does at each call, to find the route, for parameters and for
dependencies, costs as much as what the plain gateway does itself; so it is gone past.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


class Direct:
    """ASGI middleware: calls the functions of these routers' routes with the request; all others go on to the app.

    The path of a route is without parameters, and its function checks the body itself (`json_body.py`). Errors that it
    raises are answered by `Boundary`.
    """

    def __init__(self, app: ASGIApp, *, routers: Sequence[APIRouter]) -> None:
        self._app = app
        self._handlers: dict[tuple[str, str], Handler] = {
            (method, route.path): cast("Handler", route.endpoint)
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        handler = self._handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)
