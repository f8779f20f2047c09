"""What a site's robots.txt lets Ken ask for (RFC 9309).

The standard library's parser takes the first rule that fits and knows no `*`; the standard says that the longest counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes

_NAME = "ken"
_ANYBODY = "*"
_MOST_BYTES = 512_000
"""The standard asks for the first 500 KiB."""
_LONGEST_DELAY_S = 60.0
_DELAY = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_TOKEN = re.compile(r"[A-Za-z_-]+|\*")
_KEPT = "/?&=:;,@!$'()*+~#[]"


@dataclass(slots=True)
class _Group:
    """The rules for one name."""

    rules: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    """Pattern, and whether it allows."""
    delay_s: float = 0.0


class Robots:
    """The rules of one site. An empty file allows everything."""

    def __init__(self, data: bytes = b"") -> None:
        self.sitemaps: list[str] = []
        """Addresses, as written."""
        groups: dict[str, _Group] = {}
        named: list[_Group] = []
        is_open = False
        for line in data[:_MOST_BYTES].decode("utf-8-sig", errors="replace").splitlines():
            key, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
            match key.lower():
                case "user-agent":
                    token = _TOKEN.match(value)
                    named = [
                        *(named if is_open else []),
                        groups.setdefault(token[0].lower() if token else "", _Group()),
                    ]
                    is_open = True
                case "allow" | "disallow":
                    is_open = False
                    if value:
                        for group in named:
                            group.rules.append((_spelled(value), key.lower() == "allow"))
                case "crawl-delay":
                    is_open = False
                    for group in named:
                        group.delay_s = min(float(value), _LONGEST_DELAY_S) if _DELAY.fullmatch(value) else 0.0
                case "sitemap":
                    self.sitemaps.append(value)
                case _:
                    pass
        mine = groups.get(_NAME) or groups.get(_ANYBODY) or _Group()
        self._rules = sorted(mine.rules, key=lambda rule: (-len(rule[0]), not rule[1]))
        self.delay_s = mine.delay_s
        """Seconds between two requests that the site asks for, at most a minute."""

    def allows(self, path: str) -> bool:
        """Whether a path with its query may be asked for: the longest pattern that fits decides, `allow` among equals."""
        spelled = _spelled(path)
        return next((allows for pattern, allows in self._rules if _fits(pattern, spelled)), True)


def _spelled(path: str) -> str:
    """One spelling for all: octets that need it percent-encoded, no others."""
    # An encoded slash or star is another character than a plain one, and stays encoded.
    pieces = re.split(r"(%2[fFaA4])", path)
    return "".join(
        piece.upper() if place % 2 else quote(unquote_to_bytes(piece), safe=_KEPT) for place, piece in enumerate(pieces)
    )


def _fits(pattern: str, path: str) -> bool:
    """Whether `pattern`, with `*` for any text and `$` for the end, fits the beginning of `path`; each piece is sought once."""
    is_anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not rest:
        return not is_anchored or len(path) == len(first)
    place = len(first)
    for piece in rest[:-1] if is_anchored else rest:
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return not is_anchored or (path.endswith(rest[-1]) and len(path) - len(rest[-1]) >= place)
