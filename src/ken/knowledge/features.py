"""What the index needs of a document, computed once for each version: term counts, window vectors, sentence vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import ParsedDocument
from ken.knowledge.chunking import Piece
from ken.knowledge.lexical import TERM_DTYPE, term_hash
from ken.models.protocols import Embedder, TokenCounter
from ken.text.markup import plain
from ken.text.sentences import quotable_pieces
from ken.text.tokens import terms

_WINDOW_TOKENS = 250
"""Word pieces of a window with its prefix: the embedder reads 256, two of them its own."""
_PREFIX_TOKENS = 40
_FIRST_IDEOGRAPH = "\u3400"


@dataclass(frozen=True, slots=True)
class Features:
    """Of one document version; n passages."""

    term_counts: NDArray[np.int32]
    """Shape (n,): how many of `terms` belong to each passage."""
    terms: NDArray[np.void]
    """TERM_DTYPE, passage after passage."""
    window_spans: NDArray[np.int32]
    """Shape (w, 3): passage ordinal, start, end in the document's text; every passage has one window or more."""
    windows: NDArray[np.float16]
    """Shape (w, dimensions), L2-normalised."""
    sentence_spans: NDArray[np.int32]
    """Shape (s, 4): passage ordinal, start, end, and 1 for a line of code; in order. A sentence in the overlap of two
    passages is listed under each."""
    sentences: NDArray[np.int8]
    """Shape (s, dimensions): unit vectors times 127."""
    sentence_texts: tuple[str, ...]
    """As quoted: without marks, white space folded."""
    sentence_term_counts: NDArray[np.int32]
    """Shape (s,): how many of `sentence_terms` belong to each sentence."""
    sentence_terms: NDArray[np.uint64]
    """Term hashes, sentence after sentence, each once a sentence."""


async def compute(
    parsed: ParsedDocument, title: str, *, pieces: Sequence[Piece], embedder: Embedder, tokens: TokenCounter
) -> Features:
    """Analyse and embed the passages of one document."""
    counts, postings = _terms(parsed, title, pieces)
    window_spans, window_texts = _windows(parsed, title, pieces, tokens)
    sentence_spans, sentence_texts, sentence_terms = _sentences(parsed, pieces)
    distinct = list(dict.fromkeys(sentence_texts))
    vectors = await embedder.embed([*window_texts, *distinct])
    windows, unique = vectors[: len(window_texts)], vectors[len(window_texts) :]
    position = {text: i for i, text in enumerate(distinct)}
    picked = unique[[position[text] for text in sentence_texts]] if sentence_texts else unique
    return Features(
        term_counts=counts,
        terms=postings,
        window_spans=window_spans,
        windows=windows.astype(np.float16),
        sentence_spans=sentence_spans,
        sentences=np.rint(picked * 127).astype(np.int8),
        sentence_texts=tuple(sentence_texts),
        sentence_term_counts=np.array([len(hashes) for hashes in sentence_terms], dtype=np.int32),
        sentence_terms=np.array([value for hashes in sentence_terms for value in hashes], dtype=np.uint64),
    )


def _terms(parsed: ParsedDocument, title: str, pieces: Sequence[Piece]) -> tuple[NDArray[np.int32], NDArray[np.void]]:
    title_terms = Counter(terms(title))
    arrays: list[NDArray[np.void]] = []
    for piece in pieces:
        body = Counter(terms(plain(parsed.text[piece.start : piece.end], parsed.markup)))
        heading = Counter(term for part in piece.heading_path for term in terms(part))
        names = list(dict.fromkeys([*body, *heading, *title_terms]))
        array = np.zeros(len(names), dtype=TERM_DTYPE)
        array["term"] = [term_hash(name) for name in names]
        for field, counter in (("body", body), ("heading", heading), ("title", title_terms)):
            array[field] = [min(counter[name], 0xFFFF) for name in names]
        arrays.append(array)
    counts = np.array([len(array) for array in arrays], dtype=np.int32)
    return counts, np.concatenate(arrays) if arrays else np.zeros(0, dtype=TERM_DTYPE)


def _windows(
    parsed: ParsedDocument, title: str, pieces: Sequence[Piece], tokens: TokenCounter
) -> tuple[NDArray[np.int32], list[str]]:
    """Cut each passage into as many windows as the embedder needs to read all of it, each under its title and headings."""
    spans: list[tuple[int, int, int]] = []
    texts: list[str] = []
    for ordinal, piece in enumerate(pieces):
        prefix = _prefix(title, piece.heading_path, tokens)
        room = _WINDOW_TOKENS - tokens.count(prefix)
        text = plain(parsed.text[piece.start : piece.end], parsed.markup)
        for start, end in _cut(text, tokens.offsets(text), room):
            spans.append((ordinal, piece.start, piece.end))
            texts.append(f"{prefix}{text[start:end]}")
    return np.array(spans, dtype=np.int32).reshape(-1, 3), texts


def _cut(text: str, offsets: Sequence[tuple[int, int]], room: int) -> Iterator[tuple[int, int]]:
    """Spans of `text` with at most `room` word pieces each, of about one size; no word is cut in two."""
    if not offsets:
        yield 0, len(text)
    begin = 0
    while begin < len(offsets):
        windows = -(-(len(offsets) - begin) // room)
        most = begin + -(-(len(offsets) - begin) // windows)
        end = most
        while begin < end < len(offsets) and _is_inside_word(text, offsets[end - 1], offsets[end]):
            end -= 1
        end = end if end > begin else most  # one word that fills the window
        yield offsets[begin][0], offsets[end - 1][1]
        begin = end


def _is_inside_word(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether two neighbouring word pieces belong to one word; each ideograph is a word to the tokenizer."""
    touch = before[1] == after[0] and text[before[1] - 1].isalnum() and text[after[0]].isalnum()
    return touch and text[after[0]] < _FIRST_IDEOGRAPH


def _prefix(title: str, heading_path: Sequence[str], tokens: TokenCounter) -> str:
    parts = [title, *(part for part in heading_path if part != title)]
    prefix = ". ".join(parts) + ". "
    offsets = tokens.offsets(prefix)
    return prefix if len(offsets) <= _PREFIX_TOKENS else prefix[: offsets[_PREFIX_TOKENS - 1][1]] + ". "


def _sentences(parsed: ParsedDocument, pieces: Sequence[Piece]) -> tuple[NDArray[np.int32], list[str], list[list[int]]]:
    code = [(block.start, block.end) for block in parsed.blocks if block.kind == "code"]
    spans: list[tuple[int, int, int, int]] = []
    texts: list[str] = []
    hashes: list[list[int]] = []
    for ordinal, piece in enumerate(pieces):
        for quotable in quotable_pieces(parsed, start=piece.start, end=piece.end):
            found = dict.fromkeys(terms(quotable.text))
            if found:
                is_code = any(start <= quotable.start < end for start, end in code)
                spans.append((ordinal, quotable.start, quotable.end, is_code))
                texts.append(quotable.text)
                hashes.append([term_hash(term) for term in found])
    return np.array(spans, dtype=np.int32).reshape(-1, 4), texts, hashes
