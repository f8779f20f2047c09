"""What the index needs of a document, computed once for each version: term counts, window vectors, sentence vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.domain.document import ParsedDocument
from ken.knowledge.chunkers.chunker import Piece
from ken.knowledge.late import WORD_DIMENSIONS, telling_words, unit
from ken.knowledge.lexical import TERM_DTYPE, term_hash
from ken.knowledge.lexicon import own_words
from ken.models.protocols import ContextualEmbedder, Embedder, TokenCounter, WordEmbedder
from ken.text.definitions import Definition, definitions
from ken.text.markup import plain
from ken.text.sentences import quotable_pieces
from ken.text.tokens import terms

VERSION = 7
"""Raised when the bytes of features change their meaning, so that nobody reads the old ones."""
_WINDOW_TOKENS = 250
"""Word pieces of a window with its prefix: the embedder reads 256, two of them its own."""
_PREFIX_TOKENS = 40
_TITLE = ""
"""Stands for the title among the terms of a passage's words."""
_WINDOWS_AT_ONCE = 256
"""Of one document: the vectors of their words are held meanwhile."""
_FIRST_IDEOGRAPH = "\u3400"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Features:
    """Of one document version; n passages."""

    tokens: NDArray[np.int32]
    """Shape (n,): word pieces of each passage, the header that it repeats included."""
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
    """Shape (s, dimensions): unit vectors times 127. A sentence is read in its window, a table row by itself, and all of
    them by themselves where the embedder can't tell a sentence's part of a window."""
    sentence_texts: tuple[str, ...]
    """As quoted: without marks, white space folded."""
    sentence_term_counts: NDArray[np.int32]
    """Shape (s,): how many of `sentence_terms` belong to each sentence."""
    sentence_terms: NDArray[np.uint64]
    """Term hashes, sentence after sentence, each once a sentence."""
    word_counts: NDArray[np.int32]
    """Shape (n,): how many of `word_vectors` belong to each passage."""
    word_vectors: NDArray[np.int8]
    """Shape (w, WORD_DIMENSIONS): unit vectors times 127. Of each passage that of its document's title, and one for each
    distinct telling word of it with title and headings: the mean over where it stands. None where the embedder tells nothing
    of single words."""
    words: tuple[str, ...]
    """Distinct words of the passages, headings and title, as `own_words` gives them."""
    definitions: tuple[Definition, ...]
    """What sentences, table rows, headings and the title define, each once."""


async def compute(
    parsed: ParsedDocument,
    title: str,
    *,
    pieces: Sequence[Piece],
    embedder: Embedder,
    tokens: TokenCounter,
    prefix: bool = True,
) -> Features:
    """Analyse and embed the passages of one document: each window below title and headings, with `prefix`."""
    analysis = _Analysis(parsed, title, tokens, prefix, isinstance(embedder, WordEmbedder))
    await anyio.to_thread.run_sync(partial(analysis.run, pieces))
    sentences = np.zeros((len(analysis.sentence_texts), embedder.dimensions), np.float32)
    words = np.zeros((len(analysis.places_of_words), WORD_DIMENSIONS), np.float32)
    if isinstance(embedder, WordEmbedder):
        titles = [place for (_, term), place in analysis.places_of_words.items() if term == _TITLE]
        words[titles] = await embedder.embed([title]) @ embedder.word_basis
    if isinstance(embedder, ContextualEmbedder):
        windows = await _read_in_context(analysis, embedder, sentences=sentences, words=words)
    else:
        windows = await embedder.embed(analysis.window_texts)
    apart = np.flatnonzero(~sentences.any(axis=1)).tolist()
    distinct = {text: number for number, text in enumerate(dict.fromkeys(analysis.sentence_texts[i] for i in apart))}
    if distinct:
        alone = await embedder.embed(list(distinct))
        sentences[apart] = alone[[distinct[analysis.sentence_texts[i]] for i in apart]]
    return Features(
        tokens=np.array(analysis.tokens_of, dtype=np.int32),
        term_counts=np.array([len(array) for array in analysis.postings], dtype=np.int32),
        terms=np.concatenate(analysis.postings) if analysis.postings else np.zeros(0, dtype=TERM_DTYPE),
        window_spans=np.array(analysis.window_spans, dtype=np.int32).reshape(-1, 3),
        windows=windows.astype(np.float16),
        sentence_spans=np.array(analysis.sentence_spans, dtype=np.int32).reshape(-1, 4),
        sentences=np.rint(unit(sentences) * 127).astype(np.int8),
        sentence_texts=tuple(analysis.sentence_texts),
        sentence_term_counts=np.array([len(hashes) for hashes in analysis.sentence_terms], dtype=np.int32),
        sentence_terms=np.array([value for hashes in analysis.sentence_terms for value in hashes], dtype=np.uint64),
        word_counts=np.bincount(
            [ordinal for ordinal, _ in analysis.places_of_words], minlength=len(analysis.tokens_of)
        ).astype(np.int32),
        word_vectors=np.rint(unit(words) * 127).astype(np.int8),
        words=tuple(own_words(analysis.read)),
        definitions=tuple(analysis.definitions),
    )


async def _read_in_context(
    analysis: _Analysis, embedder: ContextualEmbedder, *, sentences: NDArray[np.float32], words: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The windows' vectors; what the sentences and the words in them have is added to theirs."""
    basis = embedder.word_basis if isinstance(embedder, WordEmbedder) else None
    windows = np.empty((len(analysis.window_texts), embedder.dimensions), np.float32)
    done = 0
    for first in range(0, len(windows), _WINDOWS_AT_ONCE):
        batch = slice(first, first + _WINDOWS_AT_ONCE)
        windows[batch], parts = await embedder.embed_parts(analysis.window_texts[batch], analysis.parts[batch])
        owners = np.array(analysis.owners[done : done + len(parts)], np.int64)
        done += len(parts)
        np.add.at(sentences, owners[owners >= 0], parts[owners >= 0])
        if basis is not None:
            np.add.at(words, -1 - owners[owners < 0], unit(parts[owners < 0]) @ basis)
    return windows


@dataclass(slots=True)
class _Analysis:
    """What is known of a document's passages before a model sees them: what there is to count, and what to embed."""

    parsed: ParsedDocument
    title: str
    tokens: TokenCounter
    is_prefixed: bool
    reads_words: bool
    tokens_of: list[int] = field(default_factory=list[int])
    postings: list[NDArray[np.void]] = field(default_factory=list["NDArray[np.void]"])
    window_spans: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    window_texts: list[str] = field(default_factory=list[str])
    parts: list[list[Span]] = field(default_factory=list[list[Span]])
    """For each window where in its text sentences stand, or their halves; then its words."""
    owners: list[int] = field(default_factory=list[int])
    """For each part, window after window, the sentence that it belongs to; -1 less its place for a word."""
    places_of_words: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])
    """Of each term of each passage, passage after passage, its place among all."""
    sentence_spans: list[tuple[int, int, int, int]] = field(default_factory=list[tuple[int, int, int, int]])
    sentence_texts: list[str] = field(default_factory=list[str])
    sentence_terms: list[list[int]] = field(default_factory=list[list[int]])
    read: dict[str, None] = field(default_factory=dict[str, None])
    """Title, headings and texts of the passages, each once."""
    definitions: dict[Definition, None] = field(default_factory=dict[Definition, None])

    def run(self, pieces: Sequence[Piece]) -> None:
        """Take the passages, in order."""
        title_terms = Counter(terms(self.title))
        for name in dict.fromkeys([self.title, *(heading for piece in pieces for heading in piece.heading_path)]):
            self.read[name] = None
            self.definitions |= dict.fromkeys(definitions(name))
        for ordinal, piece in enumerate(pieces):
            text = plain(piece.reading(self.parsed.text), self.parsed.markup)
            self.postings.append(_postings(text, piece.heading_path, title_terms))
            self.read[text] = None
            if self.reads_words:
                self.places_of_words[ordinal, _TITLE] = len(self.places_of_words)
            first = len(self.sentence_texts)
            self._take_sentences(ordinal, piece)
            self._take_windows(ordinal, piece, text, _places(text, self.sentence_texts[first:], first))

    def _take_sentences(self, ordinal: int, piece: Piece) -> None:
        for quotable in quotable_pieces(self.parsed, start=piece.start, end=piece.end):
            found = dict.fromkeys(terms(quotable.text))
            if found:
                self.sentence_spans.append((ordinal, quotable.start, quotable.end, quotable.is_code))
                self.sentence_texts.append(quotable.text)
                self.sentence_terms.append([term_hash(term) for term in found])
                if not quotable.is_code:
                    self.definitions |= dict.fromkeys(definitions(quotable.text))

    def _take_windows(self, ordinal: int, piece: Piece, text: str, places: Sequence[tuple[int, int, int]]) -> None:
        """Cut a passage into as many windows as the embedder needs to read all of it, each under its title and headings."""
        prefix = _prefix(self.title, piece.heading_path, self.tokens) if self.is_prefixed else ""
        offsets = self.tokens.offsets(text)
        self.tokens_of.append(len(offsets))
        for start, end in _cut(text, offsets, _WINDOW_TOKENS - self.tokens.count(prefix)):
            self.window_spans.append((ordinal, piece.start, piece.end))
            self.window_texts.append(f"{prefix}{text[start:end]}")
            shift = len(prefix) - start
            inside = [place for place in places if place[0] < end and place[1] > start]
            parts = [(max(begin, start) + shift, min(stop, end) + shift) for begin, stop, _ in inside]
            self.owners.extend(sentence for _, _, sentence in inside)
            for span, term in telling_words(self.window_texts[-1]) if self.reads_words else ():
                parts.append(span)
                self.owners.append(-1 - self.places_of_words.setdefault((ordinal, term), len(self.places_of_words)))
            self.parts.append(parts)


def _places(text: str, sentences: Sequence[str], first: int) -> list[tuple[int, int, int]]:
    """Start, end and number of each sentence that stands in a passage as it is quoted, `first` being the first's number."""
    places: list[tuple[int, int, int]] = []
    position = 0
    for number, sentence in enumerate(sentences, start=first):
        start = text.find(sentence, position)
        if start >= 0:
            position = start + len(sentence)
            places.append((start, position, number))
    return places


def _postings(text: str, heading_path: Sequence[str], title_terms: Counter[str]) -> NDArray[np.void]:
    body = Counter(terms(text))
    heading = Counter(term for part in heading_path for term in terms(part))
    names = list(dict.fromkeys([*body, *heading, *title_terms]))
    array = np.zeros(len(names), dtype=TERM_DTYPE)
    array["term"] = [term_hash(name) for name in names]
    for field_name, counter in (("body", body), ("heading", heading), ("title", title_terms)):
        array[field_name] = [min(counter[name], 0xFFFF) for name in names]
    return array


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
