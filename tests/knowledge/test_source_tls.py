"""Sources over TLS: who can't prove to be the host that was meant is not read."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from aiohttp import web

from ken.errors import SourceDown
from ken.knowledge.sources.client import Client
from tests.knowledge.web_server import QUICK

# Made for this test and for nothing else: anybody may have the key of this `localhost`, so nobody trusts it.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUc48kEBT0dlcJEnj4k09IUIR/2qEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjEwNDAwNloYDzIxMjYxMDI5
MTA0MDA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAR4HoEvAyHUnmnH0KjxGim0JD/GH9yr6RlPnB2TFWpSUsMhUd3zyf4+
6dxOoIAIHxTse2fh/zmRRg+g/MhFdoN8o2kwZzAdBgNVHQ4EFgQUX3/YKHahPagB
yV/A48tI0XD/yy0wHwYDVR0jBBgwFoAUX3/YKHahPagByV/A48tI0XD/yy0wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAOSYNwxccRcIW5D5lsbw291pz9HjDmeivi6HFyFk2KSgAiEAsijKSLbi
Es+fW9nHNSkcImbYCFRR/0GIBGyyFpe0D+k=
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbKLFuj5Shr5PTet7
tfGKJ7Barg2ZUlI3Fhd0+n0EPruhRANCAAR4HoEvAyHUnmnH0KjxGim0JD/GH9yr
6RlPnB2TFWpSUsMhUd3zyf4+6dxOoIAIHxTse2fh/zmRRg+g/MhFdoN8
-----END PRIVATE KEY-----
"""


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """No request, and so no key, is sent to such a host; the error names the remedy."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers["authorization"])
        return web.Response(body=b"here")

    (tmp_path / "server.pem").write_text(CERTIFICATE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    client = Client(allowed_hosts=frozenset({"localhost"}), headers={"Authorization": "Bearer sesame"}, limits=QUICK)
    try:
        with pytest.raises(SourceDown, match=r"certificate verify failed.* SSL_CERT_FILE"):
            await client.get(f"https://localhost:{runner.addresses[0][1]}/")
    finally:
        await client.aclose()
        await runner.cleanup()
    assert asked == []
