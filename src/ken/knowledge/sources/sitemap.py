"""The lists of addresses that sites publish (sitemaps.org): of pages, or of further lists; XML or lines, also compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from ken.errors import SourceMisbehaves
from ken.knowledge.sources.inflating import TooMuch, inflated
from ken.knowledge.sources.safe_xml import NoDoctype, local_name, read_xml

_GZIP = b"\x1f\x8b"
_MOST_BYTES = 52_428_800
"""The protocol's own limit for one list."""
_MOST_ADDRESSES = 50_000
"""The same."""
_LONGEST = 2_048


@dataclass(slots=True)
class Sitemap:
    """What one list names, in its order."""

    pages: list[str] = field(default_factory=list[str])
    lists: list[str] = field(default_factory=list[str])


class _Locations(NoDoctype):
    """Collects the text of `loc` within `url` and `sitemap`; pictures and videos have locations of their own."""

    def __init__(self) -> None:
        self._found = Sitemap()
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str], /) -> None:  # noqa: ARG002 - the protocol's
        self._path.append(local_name(tag))
        self._text.clear()

    def data(self, text: str, /) -> None:
        self._text.append(text)

    def end(self, tag: str, /) -> None:  # noqa: ARG002 - the protocol's
        match self._path:
            case ["urlset", "url", "loc"]:
                self._keep(self._found.pages)
            case ["sitemapindex", "sitemap", "loc"]:
                self._keep(self._found.lists)
            case _:
                pass
        self._path.pop()
        self._text.clear()

    def close(self) -> Sitemap:
        return self._found

    def _keep(self, addresses: list[str]) -> None:
        address = "".join(self._text).strip()
        if address and len(address) <= _LONGEST and len(addresses) < _MOST_ADDRESSES:
            addresses.append(address)


def read_sitemap(data: bytes, *, place: str) -> Sitemap:
    """Read one list. Raises SourceMisbehaves for what is none; `place` says where it came from."""
    if data.startswith(_GZIP):
        try:
            data = inflated(data, max_bytes=_MOST_BYTES)
        except (TooMuch, zlib.error) as error:
            raise SourceMisbehaves(f"{place!r} is compressed and can't be opened within 50 MB.") from error
    if data.lstrip()[:4] == b"http":
        lines = data.decode("utf-8", errors="replace").splitlines()
        return Sitemap(pages=[line.strip() for line in lines if 0 < len(line.strip()) <= _LONGEST][:_MOST_ADDRESSES])
    head = data[:1_000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not head.startswith((b"<?xml", b"<urlset", b"<sitemapindex", b"<!--")) and b"urlset" not in head:
        raise SourceMisbehaves(f"{place!r} is no sitemap.")
    return read_xml(data, _Locations(), place=place)
