"""A model behind an endpoint that takes one JSON object and answers with one: what embedders and rerankers share.

What may pass (no connection, 429, 5xx) is tried again within the time that the caller has; how long to wait is for the
endpoint to say (`Retry-After`, RFC 9110 section 10.2.3). Everything else is an error in plain words, without the key.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast

import aiohttp

from ken.errors import ModelError, ModelInterrupted, ModelRefused, ModelUnavailable
from ken.text.normalise import printable

_CONNECT_S = 10.0
_ERROR_CHARS = 300
_MAX_REFUSAL = 65_536
_SHORTEST_KEY = 6
"""A shorter "key" is a placeholder, and part of ordinary words."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 20.0
_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Statuses that another try may not meet again."""
_REMEDIES = {
    401: "Mend the key in the environment variable that `api_key_env` names",
    403: "Mend the key in the environment variable that `api_key_env` names",
    404: "Mend `model` or `base_url` of its table in ken.toml",
    413: "Lower `batch_size` or `max_tokens` of its table in ken.toml",
    429: "Wait a little, or raise the limit at its provider",
}
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a model is, and what messages call it, as in `The embedder 'e5'`."""

    what: str
    base_url: str
    api_key: str | None = None


class JsonEndpoint:
    """Posts to one endpoint over kept connections."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(self, path: str, body: dict[str, object], *, patience_s: float, attempt_s: float) -> object:
        """The parsed answer. One try takes at most `attempt_s` seconds, all together `patience_s`.

        Raises ModelUnavailable, ModelInterrupted (not JSON, or none in time), ModelRefused.
        """
        due = time.monotonic() + patience_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await self._posted(path, body, attempt_s=min(attempt_s, max(0.0, due - time.monotonic())))
            except _Passing as passing:
                wait = max(passing.retry_after_s or 0.0, pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
                if time.monotonic() + wait >= due:
                    raise passing.told from passing
            await asyncio.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    async def _posted(self, path: str, body: dict[str, object], *, attempt_s: float) -> object:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        key = self._address.api_key
        try:
            async with (
                asyncio.timeout(attempt_s),
                self._session.post(
                    f"{self._address.base_url.rstrip('/')}{path}",
                    json=body,
                    headers={"Authorization": f"Bearer {key}"} if key else {},
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
                    # A redirection would take the documents somewhere that nobody named.
                    allow_redirects=False,
                ) as response,
            ):
                if response.status != _OK:
                    await self._refuse(response)
                return self._parsed(await response.read(), response.content_type)
        except TimeoutError as error:
            late = ModelInterrupted(self.says("sent nothing in time", "Try again, or raise `timeout_s` of its table"))
            raise _Passing(late) from error
        except (aiohttp.ClientError, OSError) as error:
            gone = ModelUnavailable(self.says(f"can't be reached ({error})", "Start it, or mend `base_url`"))
            raise _Passing(gone) from error

    async def _refuse(self, response: aiohttp.ClientResponse) -> None:
        words = _words(await response.content.read(_MAX_REFUSAL))
        remedy = _REMEDIES.get(response.status, "Look at its log, or choose another model")
        refused = ModelRefused(self.says(f"answered {response.status}: {words}", remedy), status=response.status)
        if response.status in _PASSING:
            raise _Passing(refused, _seconds(response.headers.get("Retry-After")))
        raise refused

    def _parsed(self, data: bytes, content_type: str) -> object:
        try:
            return cast("object", json.loads(data))
        except ValueError as error:
            raise ModelInterrupted(
                self.says(f"did not answer with JSON but with {content_type}", "Look at what serves there")
            ) from error

    def says(self, what: str, remedy: str) -> str:
        """A message about this model, without its key."""
        text = printable(f"{self._address.what} at {self._address.base_url} {what}. {remedy}.")
        key = self._address.api_key
        return text.replace(key, "[its key]") if key and len(key) >= _SHORTEST_KEY else text


class _Passing(Exception):
    """A failure that another try may not meet again."""

    def __init__(self, told: ModelError, retry_after_s: float | None = None) -> None:
        super().__init__(str(told))
        self.told = told
        self.retry_after_s = retry_after_s


def _seconds(header: str | None) -> float | None:
    """What `Retry-After` says: seconds, or a date."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _words(data: bytes) -> str:
    """What an error answer says, in any of the shapes in which such servers say it."""
    text = data.decode(errors="replace")
    try:
        said = cast("object", json.loads(text))
    except ValueError:
        return re.sub(r"<[^>]*>", " ", text).strip()[:_ERROR_CHARS] or "(nothing more)"
    for name in ("error", "detail", "message"):
        if isinstance(said, dict):
            said = cast("dict[str, object]", said).get(name) or cast("object", said)
    return str(said)[:_ERROR_CHARS].rstrip(". \n")
