"""The addresses of a site's pages in one spelling, and the paths that their documents have in a collection.

One page, one address: host in lower case, no usual port, no fragment, dots resolved, the query sorted and without what
only counts visitors. One page, one path: `/guide`, `/guide/` and `/guide/index.html` are all `guide/index.html`; what
differs in its query alone differs in its path. So a path follows from the address and from nothing else, and stays.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from yarl import URL

from ken.errors import InvalidInput
from ken.knowledge.parse.formats import BY_MEDIA_TYPE, SUPPORTED, media_type

HTML = "text/html"
_HTML_TYPES = frozenset({HTML, "application/xhtml+xml"})
_GENERIC = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream", "application/download"})
_OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {"text/x-markdown": "text/markdown", "application/csv": "text/csv", "application/x-pdf": "application/pdf"}
)
_TRACKING = re.compile(r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_ga|_gl|phpsessid|jsessionid|sessionid", re.IGNORECASE)
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_PROGRAMS = frozenset(".php .asp .aspx .jsp .jspx .cgi .cfm .do .shtml .xhtml .phtml .pl".split())
_FOREIGN = frozenset(
    "png jpg jpeg gif svg webp avif ico bmp tif tiff heic mp3 ogg wav flac m4a mp4 webm mov avi mkv mpg mpeg zip gz tgz tar bz2 "
    "xz 7z rar jar war iso dmg exe msi deb rpm apk bin img woff woff2 ttf otf eot css map psd ai eps swf torrent ics vcf".split()
)
"""Suffixes that are not worth a request."""
_SIGN_IN = re.compile(r"(?<![a-z])(log-?in|sign-?in|servicelogin|sso|saml2?|oauth2?|adfs)(?![a-z])", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_INDEX = frozenset({"index.html", "index.htm"})
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.=&-]{1,60}")
_LONGEST_PART = 150
_LONGEST_ADDRESS = 1_000
_MOST_PARTS = 20
_MOST_REPEATS = 3


def normalised(address: str, *, relative_to: URL | None = None) -> URL | None:
    """The one spelling of an address; None where it is no web address, or names a user."""
    try:
        url = URL(address.strip())
        url = url if relative_to is None else relative_to.join(url)
        host, port = url.raw_host or "", url.explicit_port
        if url.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or url.raw_user:
            return None
        named = f"[{host}]" if ":" in host else host.lower().rstrip(".")
        usual = {"http": 80, "https": 443}[url.scheme]
        query = (
            part for part in url.raw_query_string.split("&") if part and not _TRACKING.fullmatch(part.partition("=")[0])
        )
        return URL.build(
            scheme=url.scheme,
            authority=named if port in {None, usual} else f"{named}:{port}",
            path=_SESSION.sub("", url.raw_path) or "/",
            query_string="&".join(sorted(query)),
            encoded=True,
        )
    except ValueError:
        return None


def host_of(url: URL) -> str:
    """Host and unusual port; `www.` makes no other site."""
    host = (url.raw_host or "").removeprefix("www.")
    return host if url.explicit_port is None else f"{host}:{url.explicit_port}"


def named_hosts(hosts: Iterable[str]) -> list[URL]:
    """Addresses of hosts that were named without one, as in `docs.example.org:8080`. Raises InvalidInput."""
    found: list[URL] = []
    for host in hosts:
        url = normalised(f"https://{host}/")
        if url is None or set(host) & set("/?#\\"):
            raise InvalidInput(f"{host!r} in `hosts` is no host. Write a name, or name:port.", param="hosts")
        found.append(url)
    return found


def leads_to_sign_in(url: URL) -> bool:
    """Whether an address is one where people sign in, by its name."""
    return _SIGN_IN.search(f"{url.raw_host}{url.raw_path}") is not None


def is_trap(url: URL) -> bool:
    """Whether an address looks made by a page that leads ever deeper into itself."""
    parts = [part for part in url.raw_path.split("/") if part]
    is_deep = len(str(url)) > _LONGEST_ADDRESS or len(parts) > _MOST_PARTS
    return is_deep or any(parts.count(part) > _MOST_REPEATS for part in set(parts))


def is_foreign(url: URL) -> bool:
    """Whether the suffix alone says that Ken doesn't read it."""
    suffix = posixpath.splitext(url.raw_path)[1].lower()
    return suffix not in SUPPORTED and suffix[1:] in _FOREIGN


def format_of(url: URL, content_type: str) -> str | None:
    """The media type of what an address answered with, as Ken knows it; None where it doesn't read such."""
    said = content_type.partition(";")[0].strip().lower()
    if said in _HTML_TYPES:
        return HTML
    said = _OTHER_NAMES.get(said, said)
    by_name = media_type(_last(url))
    # A server that says "text" or "bytes" says less than the name does.
    if said in _GENERIC or (by_name and said.startswith("text/") and said not in BY_MEDIA_TYPE):
        return by_name or (said if said in BY_MEDIA_TYPE else None)
    return said if said in BY_MEDIA_TYPE else None


def wanted_path(url: URL) -> str:
    """What patterns are held against: the path of the address, decoded, without slashes at its ends."""
    return "/".join(_part(part) for part in url.raw_path.split("/") if part)


def path_of(url: URL, kind: str, *, home: str) -> str:
    """The path of the document at `url` of media type `kind`; other hosts than `home` have a folder of their own."""
    parts = [_part(part) for part in url.raw_path.split("/") if part]
    name = parts.pop() if parts and not url.raw_path.endswith("/") else ""
    if kind == HTML:
        name = _page_name(name, parts)
    elif media_type(name) != kind:
        name += BY_MEDIA_TYPE[kind].suffixes[0] if name else f"index{BY_MEDIA_TYPE[kind].suffixes[0]}"
    if url.raw_query_string:
        stem, suffix = posixpath.splitext(name)
        name = f"{stem}~{_query(url.raw_query_string)}{suffix}"
    host = host_of(url)
    return "/".join([*([] if host == home else [host.replace(":", "~")]), *parts, name])


def _page_name(name: str, parts: list[str]) -> str:
    if not name or name.lower() in _INDEX:
        return "index.html"
    suffix = posixpath.splitext(name)[1].lower()
    if SUPPORTED.get(suffix) == HTML:
        return name
    if suffix in SUPPORTED or suffix in _PROGRAMS:
        return f"{name}.html"
    parts.append(name)
    return "index.html"


def _last(url: URL) -> str:
    return _part(url.raw_path.rpartition("/")[2])


def _part(part: str) -> str:
    """One part of a path, for people: decoded where it stays one plain part, cut where it is too long for files."""
    try:
        name = unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        name = part
    if not name.isprintable() or set(name) & {"/", "\\"}:
        name = part
    if name in {".", ".."}:
        name = name.replace(".", "%2E")
    if len(name.encode()) > _LONGEST_PART:
        stem, suffix = posixpath.splitext(name)
        suffix = suffix if len(suffix) <= 10 else ""  # noqa: PLR2004 - no suffix is that long
        name = f"{stem[:30]}~{_digest(part)}{suffix}"
    return name


def _query(query: str) -> str:
    return query if _PLAIN_QUERY.fullmatch(query) else _digest(query)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
