"""Tells whether a text is one SELECT and nothing else, for databases that speak SQL as PostgreSQL and SQLite do.

A check for people, who then know at once what is wrong; that nothing is written is the database's doing (sources/sql.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ken.errors import InvalidInput

_WRITING = frozenset(
    {"insert", "update", "delete", "merge", "into", "truncate", "copy", "call", "set", "attach", "vacuum"}
)
_TOKEN = re.compile(
    r"""
      (?P<blank>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*')
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]\n]*\])
    | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def one_select(query: str) -> str:
    """The query without a closing semicolon. Raises InvalidInput where it is not exactly one SELECT."""
    tokens = list(_tokens(query))
    while tokens and tokens[-1][0] == ";":
        query = query[: tokens.pop()[1]]
    words = [word.lower() for word, _ in tokens]
    if not words:
        raise InvalidInput("The query is empty: write one SELECT whose rows are the documents.")
    if words[0] not in {"select", "with"}:
        raise InvalidInput(f"The query begins with {words[0]!r}: write one SELECT whose rows are the documents.")
    if ";" in words:
        raise InvalidInput("The query holds more than one statement: write one SELECT whose rows are the documents.")
    if writing := _WRITING.intersection(words):
        raise InvalidInput(
            f"The query says {min(writing)!r}, which a SELECT that only reads does not: take it out, or quote it if it is a name."
        )
    return query.strip()


def _tokens(query: str) -> Iterator[tuple[str, int]]:
    """Words and signs outside of quotes and comments, each with its place."""
    place = 0
    while found := _TOKEN.match(query, place):
        place = found.end()
        match found.lastgroup:
            case "comment":
                place = _after_comment(query, place)
            case "dollar" | "tag":
                end = query.find(found["dollar"], place)
                if end < 0:
                    raise InvalidInput(f"The query has an open quotation, {found['dollar']!r}: close it.")
                place = end + len(found["dollar"])
            case "word" | "other":
                if found[0] in {"'", '"', "`"}:
                    raise InvalidInput(f"The query has an open quotation, {found[0]!r}: close it.")
                yield found[0], found.start()
            case _:
                pass


def _after_comment(query: str, place: int) -> int:
    """Where the comment ends; it may hold others."""
    depth = 1
    for found in re.compile(r"/\*|\*/").finditer(query, place):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    raise InvalidInput("The query has an open comment, '/*': close it.")
