"""A name that somebody else gave becomes a part of a path."""

from __future__ import annotations

import re
from urllib.parse import quote

_UNSAFE = re.compile(r"[%/\\\x00-\x1f\x7f\ud800-\udfff]|^\.|^\s|\s$")


def path_part(name: str) -> str:
    """`name` with what no part of a path may hold as `%` and hexadecimal digits: two names never become one."""
    return _UNSAFE.sub(lambda found: quote(found[0], safe="", errors="surrogatepass").replace(".", "%2E"), name)
