"""Routes whose function takes the request and gives the response, with nothing in between.

FastAPI lists them as it does others. What it does at each call for parameters and dependencies costs more than all of what
the plain gateway does itself.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """Hands the request on as it is; the function reads the body and checks it (`json_body.py`)."""

    def get_route_handler(self) -> Handler:
        """The route's own function."""
        return cast("Handler", self.endpoint)
