"""Bounds on what is sent in: JSON bodies are read up to a limit before any route sees them; uploads bound themselves."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ken.errors import InvalidInput, TooLarge
from ken.service.errors import error_response

MAX_BODY_BYTES = 1_000_000
"""Of a JSON body: a question with its history."""
MAX_MESSAGES_BYTES = 20_000_000
"""Of what may be passed on to a model: images stand in it, as text that is a third longer than they are. And of spans, as packed."""
_MESSAGES = ("/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/traces")


class BodyLimit:
    """ASGI middleware: answers 413 as soon as a POST or PATCH is known to be too large. PUT (uploads) passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] not in {"POST", "PATCH"}:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except TooLarge as error:
            response = error_response(error, scope["path"], trace_id=scope["state"]["trace_id"])
            await response(scope, receive, send)
            return
        if body is None:
            return
        replayed = False

        async def receive_body() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_body, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body, or None when the client has hung up."""
        max_bytes = MAX_MESSAGES_BYTES if scope["path"].startswith(_MESSAGES) else MAX_BODY_BYTES
        check_length(Headers(scope=scope), max_bytes)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > max_bytes:
                raise too_large(max_bytes)
        return bytes(body)


def check_length(headers: Headers, max_bytes: int) -> None:
    """Raise TooLarge when the announced length is over the limit already, before anything is read."""
    announced = headers.get("content-length", "0")
    if not announced.isascii() or not announced.isdigit():
        raise InvalidInput(f"The Content-Length header {announced!r} is not a number.")
    if int(announced) > max_bytes:
        raise too_large(max_bytes)


def too_large(max_bytes: int) -> TooLarge:
    """The error of a body over `max_bytes`."""
    return TooLarge(
        f"The body is larger than the {max_bytes / 1e6:g} MB that are taken here. Send less, or in several requests."
    )
