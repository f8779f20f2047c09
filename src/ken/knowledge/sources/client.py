"""The only HTTP client of sources: patient where a server is busy, deaf where it leads astray, and bounded in all it takes.

It keeps no cookies and takes no proxy from the environment: each address is judged by this machine's own connection.
Certificates are checked against this machine's authorities, or those in the file that SSL_CERT_FILE names (OpenSSL's own).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from ken.errors import InvalidInput, SourceDenied, SourceDown, SourceMisbehaves, Unreadable
from ken.knowledge.sources.addresses import GuardedResolver, HostRules, origin, parsed, shown
from ken.knowledge.sources.inflating import Inflater, TooMuch
from ken.knowledge.sources.waiting import asked_wait, backoff, is_rate_limit
from ken.text.normalise import printable

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHOD_KEPT = frozenset({307, 308})
_MOST_REDIRECTS = 10
_DENIED = frozenset({401, 403})
_SERVER_ERROR = 500
_NO_BODY = frozenset({204, 304})
_WHOLE_ANSWER = 10
"""A whole answer may take this many times as long as a silence."""
_WORDS_BYTES = 4_096
_WORDS_CHARS = 200
_SHORTEST_SECRET = 6
_MARKS = re.compile(r"<(head|style|script)\b.*?</\1|<[^<>]*>", re.DOTALL | re.IGNORECASE)
_USER_AGENT = "Ken (+self-hosted knowledge assistant)"
_FOREIGN_ORIGIN = frozenset({"accept", "accept-language", "user-agent", "if-none-match", "if-modified-since", "range"})
"""Headers that go along when a redirect leads to another origin: a key may have any name, so what is no key is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """How long to wait, how often to try and how much to take."""

    timeout_s: float = 30
    """For a connection, and for each silence in an answer; a whole answer may take ten times as long."""
    attempts: int = 5
    """In all, for one request."""
    first_wait_s: float = 0.5
    """After the first attempt; doubled after each."""
    longest_wait_s: float = 60
    """A server that asks for more is left alone until the next sync."""
    max_bytes: int = 50_000_000
    """Of one body, after decompression."""
    requests_per_s: float | None = None
    """At most, over all hosts; None for no limit."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end."""

    status: int
    url: str
    """Where it came from, after redirects."""
    headers: Mapping[str, str]
    """By lower-case name; values of one name are joined by ", "."""
    body: bytes
    """Without the transfer's compression."""

    def json(self) -> object:
        """The body as JSON. Raises SourceMisbehaves for HTML and anything else that is none."""
        place = repr(shown(URL(self.url, encoded=True)))
        if "html" in self.headers.get("content-type", "").lower() or self.body.lstrip()[:1] == b"<":
            raise SourceMisbehaves(
                f"{place} answered {self.status} with a web page where JSON was due, as sign-in pages do. "
                "Look at the address, and at whether the key is still valid."
            )
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise SourceMisbehaves(f"{place} answered {self.status} with broken JSON: {str(error)[:100]}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One request as it is sent."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None = None


class Client:
    """Asks servers for a source, one source's limits and headers in all of its requests.

    `get` and `post` raise SourceDenied for 401 and 403; SourceDown for 429, 5xx and lost connections after `attempts`
    with growing waits, at once where the server asks for more than `longest_wait_s`; SourceMisbehaves for addresses that
    must not be asked (addresses.py) and redirects without end; Unreadable for a body over `max_bytes`. Every other status
    is returned. `headers` go with every request to whatever origin it names, so look where an address comes from; at a
    redirect to another origin they are left out. Raises InvalidInput for a header that can't be sent.
    """

    def __init__(
        self,
        *,
        allowed_hosts: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        limits: ClientLimits = ClientLimits(),
    ) -> None:
        self._rules = HostRules(allowed_hosts)
        self._headers = _lowered({"user-agent": _USER_AGENT, **_lowered(headers)})
        self._limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._next_turn = 0.0

    async def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask for an address; `params` are added to its query. An address in its final spelling is sent unchanged."""
        return await self._answered(
            _Request(method="GET", url=_with_params(parsed(url), params), headers=self._all(headers))
        )

    async def post(self, url: str, *, json: object, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a JSON value to an address. It may be sent more than once, so only for questions."""
        body = _encoded(json)
        sent = {"content-type": "application/json", **self._all(headers)}
        return await self._answered(_Request(method="POST", url=parsed(url), headers=sent, body=body))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _all(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        # Our own decompression knows these two, and a limit.
        return {**self._headers, **_lowered(headers), "accept-encoding": "gzip, deflate"}

    async def _answered(self, request: _Request) -> Reply:
        seen = {(request.method, request.url)}
        while True:
            reply = await self._persisted(request)
            place = reply.headers.get("location")
            if reply.status not in _REDIRECTS or place is None:
                return reply
            request = _redirected(request, place, reply.status)
            if (request.method, request.url) in seen or len(seen) > _MOST_REDIRECTS:
                raise SourceMisbehaves(f"{shown(request.url)!r} redirects without end. Name the address that it means.")
            seen.add((request.method, request.url))

    async def _persisted(self, request: _Request) -> Reply:
        """One answer, redirects as they are, after as many attempts as it takes."""
        self._rules.check(request.url)
        limits = self._limits
        trouble = SourceDown()
        for attempt in range(max(limits.attempts, 1)):
            if attempt:
                wait = backoff(attempt - 1, first_s=limits.first_wait_s, longest_s=limits.longest_wait_s)
                await asyncio.sleep(max(wait, trouble.retry_after_s or 0.0))
            await self._turn()
            try:
                return await self._once(request)
            except SourceDown as error:
                trouble = error
                if (error.retry_after_s or 0.0) > limits.longest_wait_s:
                    raise
        raise trouble

    async def _turn(self) -> None:
        """Wait until the next request may go out."""
        if self._limits.requests_per_s is not None:
            turn = max(self._next_turn, time.monotonic())
            self._next_turn = turn + 1 / self._limits.requests_per_s
            await asyncio.sleep(turn - time.monotonic())

    async def _once(self, request: _Request) -> Reply:
        limits = self._limits
        timeout = aiohttp.ClientTimeout(
            total=limits.timeout_s * _WHOLE_ANSWER, sock_connect=limits.timeout_s, sock_read=limits.timeout_s
        )
        where = shown(request.url)
        try:
            async with self._opened().request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                return await self._read(response, request)
        except TimeoutError as error:
            raise SourceDown(f"{where!r} did not answer in time ({limits.timeout_s:g} s). Is it up?") from error
        except (aiohttp.ClientError, OSError, zlib.error) as error:
            raise SourceDown(f"{where!r} can't be reached: {_reason(error)}. {_remedy(error)}") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Without a cache of names: each connection is made to an address that was judged for it.
                connector=aiohttp.TCPConnector(resolver=GuardedResolver(self._rules), use_dns_cache=False),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse, request: _Request) -> Reply:
        headers = {name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers}
        status = response.status
        if status in _DENIED or is_rate_limit(status, headers) or status >= _SERVER_ERROR:
            await _refused(response, request, headers)
        body = b"" if status in _NO_BODY else await self._body(response, headers.get("content-encoding", ""))
        return Reply(status, str(response.url), headers, body)

    async def _body(self, response: aiohttp.ClientResponse, encoding: str) -> bytes:
        limit = self._limits.max_bytes
        where = shown(response.url)
        if encoding.strip().lower() not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise SourceMisbehaves(f"{where!r} answers in the encoding {encoding[:50]!r}, which was not asked for.")
        inflater = Inflater(max_bytes=limit) if encoding.strip().lower() not in {"", "identity"} else None
        try:
            body = await _whole(response, inflater, limit)
        except TooMuch:
            response.close()
            raise Unreadable(
                f"{where!r} holds more than {limit / 1e6:g} MB; no more is read. Split it, or raise `max_file_mb` in ken.toml."
            ) from None
        if inflater and not inflater.is_finished:
            raise zlib.error("its compressed body is cut short")
        return body


async def _whole(response: aiohttp.ClientResponse, inflater: Inflater | None, limit: int) -> bytes:
    """A body to its end. Raises TooMuch, where the length is stated before any of it is read."""
    if (response.content_length or 0) > limit:
        raise TooMuch
    body = bytearray()
    async for piece in response.content.iter_any():
        body += inflater.feed(piece) if inflater else piece
        if len(body) > limit:
            raise TooMuch
    return bytes(body)


def _lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    found = {name.lower(): value for name, value in (headers or {}).items()}
    for name, value in found.items():
        if not (name.isascii() and name.isprintable() and value.isprintable()):
            raise InvalidInput(
                f"The header {name!r} holds a character that can't be sent. Mend the key, or its variable."
            )
    return found


def _with_params(url: URL, params: Mapping[str, str] | None) -> URL:
    if not params:
        return url
    query = "&".join(part for part in (url.raw_query_string, urlencode(params)) if part)
    return URL.build(
        scheme=url.scheme, authority=url.raw_authority, path=url.raw_path, query_string=query, encoded=True
    )


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _redirected(request: _Request, place: str, status: int) -> _Request:
    url = parsed(place, relative_to=request.url).with_fragment(None)
    follows = replace(request, url=url)
    if request.method == "POST" and status not in _METHOD_KEPT:
        kept = {name: value for name, value in request.headers.items() if name != "content-type"}
        follows = _Request(method="GET", url=url, headers=kept)
    if origin(url) != origin(request.url):
        if follows.body is not None:
            raise SourceMisbehaves(
                f"{shown(request.url)!r} sends what was posted on to {shown(url)!r}. Name that address, if it is meant."
            )
        kept = {name: value for name, value in follows.headers.items() if name in {*_FOREIGN_ORIGIN, "accept-encoding"}}
        follows = replace(follows, headers=kept)
    return follows


async def _refused(response: aiohttp.ClientResponse, request: _Request, headers: Mapping[str, str]) -> NoReturn:
    """Raise what an answer means that brings nothing."""
    status = response.status
    said = f"{shown(request.url)!r} answered {status}"
    words = "" if headers.get("content-encoding") else await _words(response, request)
    said += f" ({words})" if words else ""
    wait = asked_wait(headers)
    if is_rate_limit(status, headers) or status >= _SERVER_ERROR:
        when = f" It asks to come back in {wait:.0f} s." if wait else ""
        raise SourceDown(f"{said}: it has trouble, or is asked too often.{when}", retry_after_s=wait)
    raise SourceDenied(f"{said}: it doesn't let us in. Look at whether the key is valid and may read there.")


async def _words(response: aiohttp.ClientResponse, request: _Request) -> str:
    """What a server says about an error, short, on one line and without what was sent as a secret."""
    data = await response.content.read(_WORDS_BYTES)
    words = printable(_MARKS.sub(" ", data.decode(errors="replace")))
    for name, value in request.headers.items():
        for secret in value.split() if name not in _FOREIGN_ORIGIN else ():
            if len(secret) >= _SHORTEST_SECRET:
                words = words.replace(secret, "***")
    return words[:_WORDS_CHARS]


def _remedy(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "If the authority behind its certificate is meant, start Ken with its file in SSL_CERT_FILE."
    return "Is it up, and is the address right?"


def _reason(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    words = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return printable(words or type(error).__name__)[:_WORDS_CHARS]
