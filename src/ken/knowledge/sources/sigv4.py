"""AWS Signature Version 4 in headers, as S3-compatible stores check it.

Source: Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header" (AWS Signature Version 4).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from yarl import URL

_ALGORITHM = "AWS4-HMAC-SHA256"
NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """Who signs, for which region."""

    key_id: str
    secret: str = field(repr=False)
    region: str = "us-east-1"
    session_token: str | None = field(default=None, repr=False)
    """Of temporary keys."""


def encoded(text: str, *, keeps: str = "") -> str:
    """The one spelling that signatures are made of: all but letters, digits, `-`, `.`, `_`, `~` and `keeps` as octets."""
    return quote(text, safe=keeps)


def signed_headers(
    url: URL, key: AccessKey, *, when: datetime, method: str = "GET", headers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """`headers` (lower case) and those that sign a request without a body to `url`, spelled by `encoded`, at `when`."""
    moment = when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {
        **(headers or {}),
        "host": url.raw_host or "" if url.explicit_port is None else f"{url.raw_host}:{url.explicit_port}",
        "x-amz-content-sha256": NO_BODY,
        "x-amz-date": moment,
    }
    if key.session_token:
        signed["x-amz-security-token"] = key.session_token
    names = ";".join(sorted(signed))
    request = "\n".join(
        (
            method,
            url.raw_path,
            _canonical_query(url.raw_query_string),
            *(f"{name}:{' '.join(signed[name].split())}" for name in sorted(signed)),
            "",
            names,
            NO_BODY,
        )
    )
    scope = f"{moment[:8]}/{key.region}/s3/aws4_request"
    text = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = _mac(signing_key(key.secret, moment[:8], region=key.region, service="s3"), text).hex()
    del signed["host"]  # the client writes it
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={key.key_id}/{scope},SignedHeaders={names},Signature={signature}"
    )
    return signed


def signing_key(secret: str, day: str, *, region: str, service: str) -> bytes:
    """The key of one day (YYYYMMDD), region and service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = _mac(key, part)
    return key


def _canonical_query(query: str) -> str:
    """Parameters sorted by name, then value, each with its equals sign."""
    pairs = sorted(part.partition("=")[::2] for part in query.split("&") if part)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
