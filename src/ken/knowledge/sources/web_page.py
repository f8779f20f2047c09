"""What a crawler needs of a page: where it leads, which address is its own, and whether it wants to be found.

A scan in linear time rather than a parse: what a stranger wrote is parsed in a process of its own, later, if it is new.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_CHARS = 5_000_000
_MOST_LINKS = 10_000
_LONGEST_ADDRESS = 2_000
_OPENING = re.compile(r"<!--|<([A-Za-z][A-Za-z0-9]*)")
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s=>/"'<]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']*))?""")
_OPAQUE = frozenset("script style textarea title xmp noembed noframes".split())
"""Elements whose content is text, whatever it looks like."""
_REFRESH = re.compile(r"\s*[0-9.]*\s*[;,]\s*(?:url\s*=\s*)?['\"]?([^'\"]+)", re.IGNORECASE)
_NAMES = frozenset({"robots", "ken"})


@dataclass(slots=True)
class PageSigns:
    """What a page says to crawlers."""

    links: dict[str, None] = field(default_factory=dict[str, None])
    """Addresses as written, each once, in their order, without those marked `nofollow`."""
    base: str | None = None
    canonical: str | None = None
    is_indexed: bool = True
    is_followed: bool = True


def read_signs(text: str, *, robots_header: str = "", link_header: str = "") -> PageSigns:
    """Read the signs of a page of HTML, and of the headers that it came with (X-Robots-Tag, Link)."""
    signs = PageSigns()
    header_canonical = re.search(r"<([^<>]+)>[^,<]*rel=\"?canonical\"?", link_header)
    if header_canonical:
        signs.canonical = header_canonical[1]
    _obey(signs, _mine(robots_header))
    for tag, attributes in _tags(text[:_MOST_CHARS]):
        _note(signs, tag, attributes)
    if not signs.is_followed:
        signs.links.clear()
    return signs


def _note(signs: PageSigns, tag: str, attributes: dict[str, str]) -> None:
    address = attributes.get("href", attributes.get("src", "") if tag == "frame" else "").strip()
    relations = attributes.get("rel", "").lower().split()
    if len(address) > _LONGEST_ADDRESS:
        return
    match tag:
        case "a" | "area" | "frame" if address and "nofollow" not in relations and len(signs.links) < _MOST_LINKS:
            signs.links[address] = None
        case "base" if address and signs.base is None:
            signs.base = address
        case "link" if address and "canonical" in relations and signs.canonical is None:
            signs.canonical = address
        case "meta":
            if attributes.get("name", "").lower() in _NAMES:
                _obey(signs, attributes.get("content", ""))
            elif attributes.get("http-equiv", "").lower() == "refresh":
                leads = _REFRESH.match(attributes.get("content", ""))
                if leads:
                    signs.links[leads[1].strip()] = None
        case _:
            pass


def _obey(signs: PageSigns, directives: str) -> None:
    words = {word.strip() for word in directives.lower().split(",")}
    signs.is_indexed = signs.is_indexed and not words & {"noindex", "none"}
    signs.is_followed = signs.is_followed and not words & {"nofollow", "none"}


def _mine(header: str) -> str:
    """The directives of X-Robots-Tag for everybody and for Ken: a name and a colon begin those for one crawler."""
    mine: list[str] = []
    name = ""
    for part in header.lower().split(","):
        before, colon, after = part.partition(":")
        if colon and before.strip() not in {
            "unavailable_after",
            "max-snippet",
            "max-image-preview",
            "max-video-preview",
        }:
            name, part = before.strip(), after  # noqa: PLW2901 - the name holds until the next
        if name in {"", *_NAMES}:
            mine.append(part)
    return ",".join(mine)


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The opening tags, in their order; comments and the text of scripts are passed over."""
    place = 0
    while (tag := _OPENING.search(text, place)) is not None:
        place = tag.end()
        if tag[1] is None:
            place = text.find("-->", place)
            if place < 0:
                return
            continue
        name = tag[1].lower()
        attributes, place = _attributes(text, place)
        yield name, attributes
        if name in _OPAQUE:
            closing = re.compile(f"</{name}", re.IGNORECASE).search(text, place)
            if closing is None:
                return
            place = closing.end()


def _attributes(text: str, place: int) -> tuple[dict[str, str], int]:
    """The attributes that begin at `place`, the first of each name, and where they end."""
    found: dict[str, str] = {}
    while (attribute := _ATTRIBUTE.match(text, place)) is not None:
        value = attribute[2] or ""
        found.setdefault(attribute[1].lower(), html.unescape(value.strip("\"'")))
        place = attribute.end()
    return found, place
