"""A corpus of any size that no one has to write or embed: what the index reads of each document, made when it is asked for.

Words come from the real handbooks with the frequencies that they have there, and a tail of made-up ones, so that all
together follow Zipf's law; each document mixes the words of everybody with those of its topic. Vectors are drawn round
the real ones: one of them, moved along the differences of two other pairs, so that they spread as real ones do. Content
number c is the same in every corpus, at every run.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document, Passage
from ken.knowledge.lexical import TERM_DTYPE, term_hash
from ken.knowledge.lexicon import pack
from ken.text.tokens import terms, words

PASSAGES = 8
"""Of each document."""
WINDOWS = 9
"""Of each document: its first passage has two."""
SENTENCES = 5
"""Of each passage."""
WORDS = 20
"""Of each sentence; words without meaning for a search are not counted."""
GROUPS = 100
_TOGETHER = 500
_TAIL = 120_000
_TOPICS = 2000
_OF_TOPIC = 300
_POOL = 1 << 21
_SEED = 11

Blobs = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """v words, the most frequent first; each is one term."""

    words: tuple[str, ...]
    hashes: NDArray[np.uint64]
    pool: NDArray[np.int32]
    """Words drawn by their frequency."""
    topics: NDArray[np.int32]
    """Shape (topics, words of a topic), each topic's most frequent first."""
    of_topic: NDArray[np.int32]
    """Places in a topic, drawn by their frequency."""

    @classmethod
    def of(cls, folder: Path) -> Vocabulary:
        """The words of all Markdown files below a folder, and the tail."""
        counted = Counter(
            word.lower() for path in sorted(folder.rglob("*.md")) for word in words(path.read_text("utf-8"))
        )
        by_term: dict[str, tuple[str, int]] = {}
        for word, count in counted.most_common():
            own = terms(word)
            if len(own) == 1 and word.isalpha():
                first, before = by_term.get(own[0], (word, 0))
                by_term[own[0]] = (first, before + count)
        real = sorted(by_term.values(), key=lambda one: -one[1])
        names = [word for word, _ in real] + [_made_up(number) for number in range(_TAIL)]
        least = real[-1][1] * 0.7
        rates = np.array(
            [float(count) for _, count in real] + [least * len(real) / (len(real) + i) for i in range(_TAIL)]
        )
        draw = np.random.default_rng(_SEED)
        size = min(40_000, len(names))
        harmonic = 1 / np.arange(1, _OF_TOPIC + 1)
        return cls(
            words=tuple(names),
            hashes=np.array([term_hash(terms(name)[0]) for name in names], dtype=np.uint64),
            pool=draw.choice(len(names), _POOL, p=rates / rates.sum()).astype(np.int32),
            topics=draw.integers(50, size, (_TOPICS, _OF_TOPIC)).astype(np.int32),
            of_topic=draw.choice(_OF_TOPIC, _POOL, p=harmonic / harmonic.sum()).astype(np.int32),
        )


def _made_up(number: int) -> str:
    """A word that nobody uses, without an ending that a stemmer would take off."""
    letters = ""
    for _ in range(4):
        number, rest = divmod(number, 20)
        letters += "bcdfghjklmnpqrtvwxzk"[rest] + "aou"[rest % 3]
    return f"zx{letters}k{number}q" if number else f"zx{letters}kq"


@dataclass(frozen=True, slots=True)
class _Contents:
    """Some documents in a row, each with PASSAGES passages of SENTENCES sentences of WORDS words."""

    words: NDArray[np.int32]
    """Shape (documents, PASSAGES, SENTENCES, WORDS)."""
    windows: NDArray[np.float16]
    """Shape (documents, WINDOWS, dimensions)."""
    sentences: NDArray[np.int64]
    """Shape (documents, PASSAGES * SENTENCES): which of the real sentences each has the vector of."""


class Synthetic:
    """What `ken.storage.documents.Documents` gives an index, for documents that were never stored.

    A version is the number of its content.
    """

    def __init__(self, vocabulary: Vocabulary, real: NDArray[np.float32]) -> None:
        self._vocabulary = vocabulary
        self._real = real
        self._sentences = np.rint(real * 127).astype(np.int8)
        self._made: OrderedDict[int, _Contents] = OrderedDict()

    def features(self, kind: str, versions: Mapping[str, str]) -> Iterator[Blobs]:
        """As `Documents.features`."""
        makers = {
            "terms": self._terms,
            "lexicon": self._lexicon,
            "windows": self._windows,
            "sentences": self._sentence_vectors,
            "quotes": self._quotes,
            "sentence_terms": self._sentence_terms,
            "words": self._no_words,
        }
        make = makers[kind]
        for version in versions.values():
            yield make(*self._content(int(version)))

    def passages_by_version(self, versions: Mapping[str, str]) -> Iterator[list[Passage]]:
        """As `Documents.passages_by_version`."""
        for document_id, version in versions.items():
            contents, at = self._content(int(version))
            start = 0
            passages: list[Passage] = []
            for ordinal, sentences in enumerate(contents.words[at]):
                text = " ".join(self._texts(sentences))
                passages.append(
                    Passage(
                        document_id=document_id,
                        version=version,
                        ordinal=ordinal,
                        start=start,
                        end=start + len(text),
                        heading_path=("Synthetic", f"Section {ordinal}"),
                        page=None,
                        text=text,
                        tokens=SENTENCES * WORDS,
                    )
                )
                start += len(text) + 1
            yield passages

    def _content(self, number: int) -> tuple[_Contents, int]:
        block, at = divmod(number, _TOGETHER)
        made = self._made.get(block)
        if made is None:
            made = self._made[block] = self._draw(block)
            if len(self._made) > 4:
                self._made.popitem(last=False)
        return made, at

    def _draw(self, block: int) -> _Contents:
        draw = np.random.default_rng((_SEED, block))
        shape = (_TOGETHER, PASSAGES, SENTENCES, WORDS)
        vocabulary = self._vocabulary
        topics = draw.integers(_TOPICS, size=(_TOGETHER, 1, 1, 1))
        own = vocabulary.topics[topics, vocabulary.of_topic[draw.integers(_POOL, size=shape)]]
        found = np.where(draw.random(shape) < 0.4, own, vocabulary.pool[draw.integers(_POOL, size=shape)])
        size = _TOGETHER * WINDOWS
        vectors = self._real[draw.integers(len(self._real), size=size)].copy()
        for _ in range(2):
            one, other = draw.integers(len(self._real), size=(2, size))
            vectors += draw.uniform(0.1, 0.6, (size, 1)).astype(np.float32) * (self._real[one] - self._real[other])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return _Contents(
            words=found.astype(np.int32),
            windows=vectors.astype(np.float16).reshape(_TOGETHER, WINDOWS, -1),
            sentences=draw.integers(len(self._real), size=(_TOGETHER, PASSAGES * SENTENCES)),
        )

    def _terms(self, contents: _Contents, at: int) -> Blobs:
        size = len(self._vocabulary.words)
        flat = contents.words[at].reshape(PASSAGES, -1) + np.arange(PASSAGES)[:, None] * size
        held, counts = np.unique(flat, return_counts=True)
        passages, found = np.divmod(held, size)
        array = np.zeros(len(held), dtype=TERM_DTYPE)
        array["term"] = self._vocabulary.hashes[found]
        array["body"] = counts
        return np.bincount(passages, minlength=PASSAGES).astype(np.int32).tobytes(), array.tobytes()

    def _lexicon(self, contents: _Contents, at: int) -> Blobs:
        names = sorted(self._vocabulary.words[i] for i in np.unique(contents.words[at]))
        return pack(names, [])

    def _windows(self, contents: _Contents, at: int) -> Blobs:
        spans = np.zeros((WINDOWS, 3), dtype=np.int32)
        spans[:, 0] = np.maximum(np.arange(WINDOWS) - (WINDOWS - PASSAGES), 0)
        return spans.tobytes(), contents.windows[at].tobytes()

    def _sentence_vectors(self, contents: _Contents, at: int) -> Blobs:
        spans = np.zeros((PASSAGES * SENTENCES, 4), dtype=np.int32)
        spans[:, 0] = np.repeat(np.arange(PASSAGES), SENTENCES)
        spans[:, 1] = np.arange(len(spans)) * 100
        spans[:, 2] = spans[:, 1] + 90
        return spans.tobytes(), self._sentences[contents.sentences[at]].tobytes()

    def _quotes(self, contents: _Contents, at: int) -> Blobs:
        texts = [text.encode() for text in self._texts(contents.words[at].reshape(-1, WORDS))]
        return np.array([len(text) for text in texts], dtype=np.int32).tobytes(), b"".join(texts)

    def _sentence_terms(self, contents: _Contents, at: int) -> Blobs:
        size = len(self._vocabulary.words)
        flat = contents.words[at].reshape(-1, WORDS) + np.arange(PASSAGES * SENTENCES)[:, None] * size
        sentences, found = np.divmod(np.unique(flat), size)
        return np.bincount(sentences).astype(np.int32).tobytes(), self._vocabulary.hashes[found].tobytes()

    def _no_words(self, contents: _Contents, at: int) -> Blobs:
        _ = contents, at
        return np.zeros(PASSAGES, dtype=np.int32).tobytes(), b""

    def _texts(self, sentences: NDArray[np.int32]) -> list[str]:
        names = self._vocabulary.words
        return [" ".join(names[i] for i in sentence).capitalize() + "." for sentence in sentences.tolist()]


def documents(count: int, *, changed: int = 0) -> tuple[Document, ...]:
    """So many documents, by id, each in one of GROUPS groups; of the first `changed` ones another version."""
    draw = np.random.default_rng(_SEED).integers(GROUPS, size=count)
    return tuple(_document(i, count + i if i < changed else i, f"group-{draw[i]}") for i in range(count))


def _document(number: int, content: int, group: str) -> Document:
    path = f"{number:07d}.md"
    return Document(
        id=f"synthetic/{path}",
        collection="synthetic",
        path=path,
        source="synthetic",
        title=f"Document {number}",
        version=str(content),
        media_type="text/markdown",
        markup="plain",
        groups=frozenset({group}),
        owner=None,
        effective=None,
        review_by=None,
        supersedes=None,
        superseded_by=None,
        characters=PASSAGES * SENTENCES * WORDS * 7,
        passages=PASSAGES,
        synced_at=0.0,
    )
