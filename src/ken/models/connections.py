"""Connections to endpoints, kept open and shared by everything that calls one."""

from __future__ import annotations

import aiohttp

_AT_ONE_HOST = 256
"""Connections at once to one host and port; an endpoint that hangs leaves the others theirs."""
_KEPT_S = 30.0
_DNS_S = 30


class Connections:
    """One pool, for one event loop. It is made with the first call."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open pool. It sends no cookies, takes nothing from the environment and asks for plain bytes."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, limit_per_host=_AT_ONE_HOST, keepalive_timeout=_KEPT_S, ttl_dns_cache=_DNS_S
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                # A compressed answer of a few kB could unfold to gigabytes, and compression holds back the first tokens.
                headers={"Accept-Encoding": "identity", "User-Agent": "ken"},
                trust_env=False,
            )
        return self._session

    async def aclose(self) -> None:
        """Close them all."""
        if self._session is not None:
            await self._session.close()
            self._session = None
