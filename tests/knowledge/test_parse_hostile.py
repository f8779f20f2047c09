"""Files that somebody wrote to hurt: each ends within the limits of the parser's process, as a document or a plain error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ken.errors import Unreadable
from ken.knowledge.parse.parser import IsolatedParser

SIZE = 12_000
TIME_LIMIT_S = 20.0
NAMES = ("a.rst", "a.adoc", "a.csv", "a.json", "a.jsonl", "a.py", "a.java", "a.sql", "Makefile")


def much(of: bytes) -> bytes:
    """SIZE bytes of the same again and again."""
    return of * (SIZE // len(of))


FILES = {
    "one long line": much(b"word "),
    "one long word": much(b"x"),
    "blank lines": much(b"\n") + b"x",
    "tabs": much(b"\t") + b"x",
    "steps in": b"".join(b" " * depth + b"* class A {\n\n" for depth in range(150)),
    "steps out": b"".join(b" " * (150 - depth) + b"a:\n" for depth in range(150)),
    "open brackets": much(b"["),
    "open braces": much(b'{"a":'),
    "quotation marks": much(b'",'),
    "back quotes": much(b"`a "),
    "stars": much(b"*a "),
    "underscores": much(b"_a_b "),
    "many columns": much(b"a,b;c\td|"),
    "many narrow rows": much(b"a,b\n"),
    "table borders": much(b"+-+\n|a|\n"),
    "table delimiters": much(b"|===\n|a\n"),
    "rules": much(b"=== ===\n"),
    "delimiters": much(b"----\n====\n"),
    "points of two kinds": much(b"* a\n. b\n"),
    "attached blocks": b"* a\n" + much(b"+\nb\n"),
    "terms": much(b"a:: b\n"),
    "fields": much(b":a: b\n"),
    "roles": much(b":a:`b "),
    "substitutions": b".. |a| replace:: " + b"y" * 400 + b"\n\n" + much(b"|a| "),
    "attributes": b"= T\n:a: " + b"y" * 400 + b"\n\n" + much(b"{a}"),
    "footnotes": much(b"footnote:["),
    "open comments": much(b"/* "),
    "comment lines": much(b"# a\n// b\n-- c\n"),
    "open strings": much(b'"""\n'),
    "modifiers": much(b"public static final "),
    "types": much(b"a<b<c & * "),
    "definitions": much(b"def a():\nclass b:\n"),
    "digits": much(b"9"),
    "escapes": b'["' + much(b"\\ud800") + b'"]',
    "NUL bytes": much(b"\0"),
    "some NUL bytes": b"a\0b\n" + much(b"words here\n"),
    "UTF-16": "words, here\n".encode("utf-16") * 500,
    "no encoding": much(b"\xff\xfe\x80 a\n"),
    "surrogates": much(b"\xed\xa0\x80 a\n"),
}


@pytest.fixture(scope="module")
def parser() -> Iterator[IsolatedParser]:
    with IsolatedParser(memory_mb=512, time_limit_s=TIME_LIMIT_S) as made:
        yield made


@pytest.mark.parametrize("what", FILES)
def test_a_hostile_file_ends_as_a_document_or_a_plain_error(parser: IsolatedParser, what: str) -> None:
    """In every format: no crash, no limit reached, blocks in order, text that can be stored, a message that names it."""
    refused: list[tuple[str, str]] = []
    for name in NAMES:
        try:
            parsed = parser.parse(FILES[what], name=name)
        except Unreadable as error:
            refused.append((name, str(error)))
            continue
        assert len(parsed.text.encode()) < 5_000_000
        position = 0
        for block in parsed.blocks:
            assert position <= block.start < block.end <= len(parsed.text)
            position = block.end
    for name, reason in refused:
        assert repr(name) in reason
        assert not any(limit in reason for limit in ("took longer", "memory", "brought the parser down"))
