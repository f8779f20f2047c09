"""Messages as JSON to a web address, signed; and in the form that Slack takes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from ken.domain.alert import Notice
from ken.errors import DeliveryFailed
from ken.operations.alerts.delivery.message import Json, Links, blocks, payload

SIGNATURE = "x-ken-signature"
"""`v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body, under the shared secret."""
TIMESTAMP = "x-ken-timestamp"
"""Seconds since the epoch: whoever checks the signature refuses what is old."""
MESSAGE_ID = "x-ken-message-id"
"""The same when a message is sent again: whoever has seen it drops it."""

_MOST_READ = 500
_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


def signature(secret: str, timestamp: str, *, body: bytes) -> str:
    """What stands in the header."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


@dataclass(slots=True)
class WebhookChannel:
    """Posts each message to one address, and to no other: a redirect is an error."""

    name: str
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    """Empty: messages aren't signed."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    timeout_s: float = 10.0
    links: Links = field(default_factory=Links)
    form: Callable[[Notice, Links], dict[str, Json]] = payload
    clock: Callable[[], float] = time.time
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)

    async def send(self, notice: Notice) -> None:
        """As promised by `Channel`."""
        body = json.dumps(self.form(notice, self.links), ensure_ascii=False).encode()
        try:
            async with self._open().post(
                self.url, data=body, headers=self._headers(notice, body), allow_redirects=False
            ) as answer:
                said = (await answer.content.read(_MOST_READ)).decode(errors="replace")
                status = answer.status
        except TimeoutError:
            raise DeliveryFailed(f"{self.name!r} did not answer within {self.timeout_s:g} s.") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # its words may hold the address, which is a secret
            raise DeliveryFailed(f"{self.name!r} can't be reached ({type(error).__name__}).") from None
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            is_final = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _AGAIN
            told = " ".join(said.split())[:200]
            raise DeliveryFailed(f"{self.name!r} answered {status}: {told!r}.", is_final=is_final)

    async def aclose(self) -> None:
        """As promised by `Channel`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _headers(self, notice: Notice, body: bytes) -> dict[str, str]:
        timestamp = str(int(self.clock()))
        told = {**self.headers, "content-type": "application/json", TIMESTAMP: timestamp, MESSAGE_ID: notice.id}
        if self.secret:
            told[SIGNATURE] = signature(self.secret, timestamp, body=body)
        return told

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "ken", "Accept-Encoding": "identity"},
                trust_env=False,
            )
        return self._session


def slack(name: str, url: str, *, timeout_s: float = 10.0, links: Links | None = None) -> WebhookChannel:
    """A channel that posts to Slack's incoming webhook."""
    return WebhookChannel(name, url, timeout_s=timeout_s, links=links or Links(), form=blocks)
