"""What a listing of a site leaves for the next one: the pages' ETags, and where each of them leads.

A page that answers "not modified" is not sent again, so its links have to be known; and one that fails for once still
leads where it led. It is a connector's cursor: text, a few hundred bytes a page before compression.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from ken.knowledge.sources.inflating import TooMuch, inflated

_VERSION = 1
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One page at the last listing."""

    etag: str = ""
    """As the server wrote it; empty where it has none."""
    stamp: str = ""
    path: str = ""
    """Of its document; empty where it has none, since it is not to be found."""
    key: str = ""
    """As in Listed."""
    links: tuple[str, ...] = ()


@dataclass(slots=True)
class SiteMemory:
    """The pages of a site by the address that they were asked for at."""

    scope: str = ""
    """Says what was listed: what is remembered of another part of the web is of no use."""
    by_sitemap: bool = False
    """Whether the site's own lists said what there is."""
    pages: dict[str, Remembered] = field(default_factory=dict[str, Remembered])

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of an earlier listing."""
        return not self.pages

    def written(self) -> str:
        """As text: JSON with each address once, compressed."""
        places: dict[str, int] = {}

        def place(address: str) -> int:
            return places.setdefault(address, len(places))

        pages = [
            [place(asked), page.etag, page.stamp, page.path, place(page.key), [place(link) for link in page.links]]
            for asked, page in self.pages.items()
        ]
        told = {
            "version": _VERSION,
            "scope": self.scope,
            "by_sitemap": self.by_sitemap,
            "pages": pages,
            "addresses": list(places),
        }
        return base64.b64encode(zlib.compress(json.dumps(told).encode())).decode()


def read_memory(written: str | None) -> SiteMemory:
    """What `written` holds; nothing where there is none, or it is of another version or broken."""
    if written is None:
        return SiteMemory()
    try:
        told = json.loads(inflated(base64.b64decode(written, validate=True), max_bytes=_MOST_BYTES))
        return _read(told)
    except (binascii.Error, zlib.error, TooMuch, ValueError, TypeError, KeyError, IndexError):
        return SiteMemory()


def _read(told: Mapping[str, object]) -> SiteMemory:
    if told["version"] != _VERSION:
        return SiteMemory()
    addresses = cast("list[str]", told["addresses"])
    pages: dict[str, Remembered] = {}
    for asked, etag, stamp, path, key, links in cast("list[tuple[int, str, str, str, int, list[int]]]", told["pages"]):
        pages[addresses[asked]] = Remembered(
            etag=etag,
            stamp=stamp,
            path=path,
            key=addresses[key],
            links=tuple(addresses[link] for link in links),
        )
    return SiteMemory(scope=str(told["scope"]), by_sitemap=bool(told["by_sitemap"]), pages=pages)
