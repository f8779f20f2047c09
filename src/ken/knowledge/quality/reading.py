"""One document as the quality report reads it: its text is looked at once and not kept."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document
from ken.guard.passage import instructions_in
from ken.knowledge.quality.links import Link, links_in
from ken.text.language import language_of
from ken.text.minhash import shingles_of, signature

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t].*$|^[^\n]+\n[ \t]*(?:={3,}|-{3,})[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MARKS = re.compile(r"[^\w\s]+")
_LEAST_OF_PARAGRAPH = 6
"""Words of a paragraph that can be boilerplate: shorter ones are headings and labels."""
_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the findings need of a document; a few kilobytes."""

    document: Document
    words: int
    """Besides headings and comments."""
    opening: str
    """Its first characters besides headings, in lower case."""
    signature: NDArray[np.uint32]
    """MinHash of all but headings and comments (text/minhash.py)."""
    paragraphs: NDArray[np.uint64]
    """A hash of each paragraph, headings and labels aside."""
    paragraph_words: NDArray[np.int32]
    language: str
    links: tuple[Link, ...]
    instructions: tuple[tuple[str, str], ...]
    """Kind, and the sentence as it stands there."""


def body_of(document: Document, text: str) -> str:
    """A document's text without headings and comments."""
    return _HEADING.sub("\n", _COMMENT.sub("", text)) if document.markup == "markdown" else text


def paragraphs_of(body: str) -> list[list[str]]:
    """The words of each paragraph in lower case, without marks."""
    return [part.split() for part in _PARAGRAPH.split(_MARKS.sub(" ", body).lower())]


def read(document: Document, text: str) -> Reading:
    """Look at a document's text."""
    body = body_of(document, text)
    paragraphs = paragraphs_of(body)
    kept = [words for words in paragraphs if len(words) >= _LEAST_OF_PARAGRAPH]
    return Reading(
        document=document,
        words=sum(map(len, paragraphs)),
        opening=body.strip()[:1_000].lower(),
        signature=signature(shingles_of(list(chain.from_iterable(paragraphs)))),
        paragraphs=np.array([_hash(words) for words in kept], dtype=np.uint64),
        paragraph_words=np.array([len(words) for words in kept], dtype=np.int32),
        language=language_of(text),
        links=links_in(text) if document.markup == "markdown" else (),
        instructions=tuple(
            (each.kind, " ".join(text[each.start : each.end].split())[:_LONGEST_QUOTE])
            for each in instructions_in(text)
        ),
    )


def _hash(words: list[str]) -> int:
    folded = " ".join(words).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(folded, digest_size=8).digest(), "little")
