"""A small S3-compatible store for tests: it checks signatures itself, lists in pages and answers in the protocol's XML."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from aiohttp import web

from ken.knowledge.sources.client import ClientLimits
from ken.knowledge.sources.s3 import Bucket, S3Connector
from ken.knowledge.sources.sigv4 import AccessKey
from tests.knowledge.web_server import QUICK, Server, serving

KEY = AccessKey(key_id="AKIATEST", secret="sesame/+secret", region="eu-test-1")
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
QUOTED = {'"': "&quot;"}
SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class Refusal(Exception):
    """An error of the store: status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass
class Store:
    """One bucket and who may read it; tests change it while it runs."""

    objects: dict[str, bytes]
    key: AccessKey | None = KEY
    page: int = 3
    closed: set[str] = field(default_factory=set)
    """Keys of objects that nobody may read."""
    server: Server = field(default_factory=lambda: Server(""))
    connectors: list[S3Connector] = field(default_factory=list)

    def source(
        self, key: AccessKey | None = KEY, *, prefix: str = "", limits: ClientLimits = QUICK, most: int = 1_000
    ) -> S3Connector:
        """The bucket as a source, closed with the store."""
        bucket = Bucket(endpoint=self.server.url, name="papers", prefix=prefix, max_objects=most)
        allowed = frozenset({self.server.host})
        self.connectors.append(S3Connector(bucket, key, allowed_hosts=allowed, limits=limits))
        return self.connectors[-1]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """As the protocol says."""
        try:
            if self.key is not None:
                check_signature(request, self.key)
            else:
                assert "authorization" not in request.headers
            return self._answered(request)
        except Refusal as error:
            told = (
                f"<Error><Code>{error.code}</Code><Message>{error.message}</Message><RequestId>4442</RequestId></Error>"
            )
            return xml(told, status=error.status)

    def _answered(self, request: web.Request) -> web.Response:
        _, bucket, *rest = request.path.split("/", 2)
        if bucket != "papers":
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        if not rest:
            return xml(self._list(request.query))
        if rest[0] in self.closed:
            raise Refusal(403, "AccessDenied", "Access Denied")
        if rest[0] not in self.objects:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        return web.Response(body=self.objects[rest[0]], headers={"etag": etag(self.objects[rest[0]])})

    def _list(self, query: Mapping[str, str]) -> str:
        assert query["list-type"] == "2"
        keys = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")))
        after = bytes.fromhex(query.get("continuation-token", "").removeprefix("t/+=")).decode()
        keys = [key for key in keys if key > after]
        shown = keys[: min(self.page, int(query.get("max-keys", "1000")))]
        spelled = quote_plus if query.get("encoding-type") == "url" else escape
        contents = "".join(
            f"<Contents><Key>{spelled(key)}</Key><LastModified>1999-01-01T00:00:00Z</LastModified>"
            f"<ETag>{escape(etag(self.objects[key]), QUOTED)}</ETag><Size>{len(self.objects[key])}</Size></Contents>"
            for key in shown
        )
        is_cut = len(shown) < len(keys)
        token = f"<NextContinuationToken>t/+={shown[-1].encode().hex()}</NextContinuationToken>" if is_cut else ""
        encoding = "<EncodingType>url</EncodingType>" if spelled is quote_plus else ""
        return (
            f'<ListBucketResult xmlns="{NAMESPACE}"><Name>papers</Name><IsTruncated>{str(is_cut).lower()}</IsTruncated>'
            f"{encoding}{token}{contents}</ListBucketResult>"
        )


def xml(body: str, status: int = 200) -> web.Response:
    """An answer in XML."""
    return web.Response(
        body=f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode(), status=status, content_type="application/xml"
    )


def etag(data: bytes) -> str:
    """As stores make it, with quotes."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def check_signature(request: web.Request, key: AccessKey) -> None:
    """Compute the signature of a request anew from what came over the wire. Raises Refusal."""
    found = SIGNED.fullmatch(request.headers.get("authorization", ""))
    if found is None or found["id"] != key.key_id:
        raise Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    if found["region"] != key.region:
        raise Refusal(400, "AuthorizationHeaderMalformed", f"the region is wrong; expecting '{key.region}'")
    moment = request.headers["x-amz-date"]
    if abs(datetime.now(UTC) - datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)) > timedelta(minutes=15):
        raise Refusal(403, "RequestTimeTooSkewed", "The clocks differ.")
    names = found["names"].split(";")
    if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names) or names != sorted(names):
        raise Refusal(403, "AccessDenied", "There were headers present which were not signed.")
    path, _, _ = request.raw_path.partition("?")
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query.items())
    lines = [request.method, path, "&".join(f"{name}={value}" for name, value in pairs)]
    lines += [f"{name}:{request.headers[name].strip()}" for name in names]
    lines += ["", found["names"], request.headers["x-amz-content-sha256"]]
    scope = f"{found['day']}/{key.region}/s3/aws4_request"
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    secret = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    wanted = hmac.digest(secret, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}".encode(), "sha256").hex()
    if not hmac.compare_digest(wanted, found["signature"]) or request.headers.get("x-amz-security-token", "") != (
        key.session_token or ""
    ):
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")


@asynccontextmanager
async def store(objects: Mapping[str, bytes], key: AccessKey | None = KEY) -> AsyncIterator[Store]:
    """Serve a bucket named `papers` while the context lasts."""
    running = Store(dict(objects), key)
    async with serving(running.answer) as server:
        running.server = server
        try:
            yield running
        finally:
            for connector in running.connectors:
                await connector.aclose()
