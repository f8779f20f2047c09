"""Late interaction: every word of the question is compared with every word of a passage, by the embedder's own vectors.

MaxSim: Khattab and Zaharia, "ColBERT" (SIGIR 2020, arXiv:2004.12832), section 3.3, with three differences. The vectors are
those of an embedder that was trained for whole texts, read in their context; a word has one, not each of its pieces; and a
rare word of the question counts for more.

In the index a passage keeps one vector for each of its distinct words, of few numbers (`WordEmbedder.word_basis`). A
reranker that compares whole vectors, and needs none of that, is `LateInteraction`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from ken.models.protocols import ContextualEmbedder, RerankPassage, TokenCounter, WordEmbedder
from ken.text.tokens import STOP_WORDS, stem

WORD_DIMENSIONS = 64
"""Numbers of a word's vector in the index. 32 lose a third of the gain, 48 an eighth (experiments/LOG.md)."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]{1,2}\b)?")
_STOP_WORD_WORTH = 1.0
"""A stop word of the question beside words that are worth their rarity, 1 to 8: it says something of what is asked."""
_WINDOW_TOKENS = 250
"""Word pieces that the embedder reads at once, less than its own limit of 256 with the two that it adds."""
_TINY = 1e-9

Span = tuple[int, int]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class QuestionWords:
    """The words of a question as late interaction compares them; k of them, in order."""

    whole: Vectors
    """Shape (WORD_DIMENSIONS,), L2-normalised: of the question."""
    vectors: Vectors
    """Shape (k, WORD_DIMENSIONS), L2-normalised: of its words."""
    terms: tuple[str, ...]
    """Of each its term, as the analyser gives it; empty for a stop word."""

    def weights(self, rarity: Mapping[str, float]) -> Vectors:
        """Shape (k,), sum 1: what each word counts, by the rarity of its term; one that `rarity` lacks is rare."""
        most = max(rarity.values(), default=1.0) or 1.0
        worth = [rarity.get(term, most) if term else _STOP_WORD_WORTH for term in self.terms]
        return np.array(worth, dtype=np.float32) / np.float32(sum(worth) or 1.0)


NO_WORDS = QuestionWords(
    np.zeros(WORD_DIMENSIONS, dtype=np.float32), np.empty((0, WORD_DIMENSIONS), dtype=np.float32), ()
)
"""Of a question to an embedder that tells nothing of single words."""


@dataclass(frozen=True, slots=True, eq=False)
class PassageWords:
    """The distinct words of n passages, as the index keeps them: below the title of their document."""

    bounds: NDArray[np.int64]
    """Shape (n + 1,): rows of passage i are [bounds[i], bounds[i + 1])."""
    vectors: NDArray[np.int8]
    """Shape (w, WORD_DIMENSIONS): unit vectors times 127. The first row of a passage is the title's, the others its words'."""

    @classmethod
    def none(cls, passages: int) -> PassageWords:
        """Of passages that were embedded by what tells nothing of single words."""
        return cls(np.zeros(passages + 1, dtype=np.int64), np.empty((0, WORD_DIMENSIONS), dtype=np.int8))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Shape (n,): distinct words of each passage."""
        return np.maximum(np.diff(self.bounds) - 1, 0)

    @property
    def are_known(self) -> bool:
        """Whether there are any."""
        return bool(len(self.vectors))


def question_words(text: str) -> list[tuple[Span, str]]:
    """Where the words of a question stand, each with its term; an empty one for a stop word."""
    return [(match.span(), _term(match.group())) for match in _WORD.finditer(text)]


def telling_words(text: str) -> list[tuple[Span, str]]:
    """The same of a passage, without stop words: they are half of all, and match everywhere."""
    return [(span, term) for span, term in question_words(text) if term]


def unit(vectors: Vectors) -> Vectors:
    """Each row by its length; one of zeros stays."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY), np.float32)


async def read_question(embedder: WordEmbedder, text: str) -> tuple[Vectors, QuestionWords]:
    """The vector of a question, shape (dimensions,), and its words. Raises ModelError."""
    words = question_words(text)
    vectors, found = await embedder.embed_parts([text], [[span for span, _ in words]])
    whole, *of_words = unit(np.concatenate([vectors, found]) @ embedder.word_basis)
    reduced = np.array(of_words, dtype=np.float32).reshape(-1, WORD_DIMENSIONS)
    return vectors[0], QuestionWords(whole, reduced, tuple(term for _, term in words))


def title_similarities(asked: QuestionWords, found: PassageWords) -> Vectors:
    """Cosine of the question with the title of each of n passages: shape (n,); all have 0 where no words are known."""
    if not found.are_known:
        return np.zeros(len(found.bounds) - 1, dtype=np.float32)
    return np.asarray(found.vectors[found.bounds[:-1]].astype(np.float32) @ (asked.whole / np.float32(127)), np.float32)


def interaction(asked: QuestionWords, found: PassageWords, *, rarity: Mapping[str, float]) -> Vectors:
    """For each of n passages the mean over the question's words of the closest word there, -1 to 1: shape (n,).

    A passage without words has -1; where the question has none, or no words are known, all have 0.
    """
    if not asked.terms or not found.are_known:
        return np.zeros(len(found.bounds) - 1, dtype=np.float32)
    similarities = found.vectors.astype(np.float32) @ (asked.vectors.T / np.float32(127))
    similarities[found.bounds[:-1]] = -1.0
    closest = np.maximum.reduceat(similarities, found.bounds[:-1], axis=0)
    return np.asarray((closest * asked.weights(rarity)).sum(axis=1), np.float32)


class ReadingEmbedder(ContextualEmbedder, TokenCounter, Protocol):
    """An embedder that knows where the word pieces of a text stand."""


@dataclass(frozen=True, slots=True)
class LateInteraction:
    """A Reranker over the embedder's whole vectors of single words; it needs no further model, and nothing in the index.

    Passages are read anew for each question: some ten milliseconds of processor time each.
    """

    embedder: ReadingEmbedder

    @property
    def name(self) -> str:
        """Always `late interaction`."""
        return "late interaction"

    async def score(self, question: str, passages: Sequence[RerankPassage]) -> Vectors:
        """Shape (len(passages),): the mean over the question's words of each one's closest word there, -1 to 1.

        A passage without words has -1, and where the question has none all have 0. Raises ModelError.
        """
        _, asked = await self.embedder.embed_parts([question], [[span for span, _ in question_words(question)]])
        if not len(asked) or not passages:
            return np.zeros(len(passages), np.float32)
        texts, words, owners = await anyio.to_thread.run_sync(self._windows, passages)
        _, found = await self.embedder.embed_parts(texts, words)
        closest = np.full((len(passages), len(asked)), -1.0, np.float32)
        of_word = np.repeat(np.array(owners, np.int64), [len(spans) for spans in words])
        np.maximum.at(closest, of_word, unit(found) @ unit(asked).T)
        return np.asarray(closest.mean(axis=1), np.float32)

    def _windows(self, passages: Sequence[RerankPassage]) -> tuple[list[str], list[list[Span]], list[int]]:
        """What the embedder reads at once, the words that count in each, and the passage that each is of."""
        texts: list[str] = []
        owners: list[int] = []
        for number, passage in enumerate(passages):
            for start, end in self._cut(passage.text):
                texts.append(passage.text[start:end])
                owners.append(number)
        return texts, [[span for span, _ in telling_words(text)] for text in texts], owners

    def _cut(self, text: str) -> Iterator[Span]:
        """Spans of at most as many word pieces as are read at once, one after the other."""
        offsets = self.embedder.offsets(text)
        for first in range(0, len(offsets), _WINDOW_TOKENS):
            yield offsets[first][0], offsets[min(first + _WINDOW_TOKENS, len(offsets)) - 1][1]


def _term(word: str) -> str:
    whole = re.split("['’]", word, maxsplit=1)[0].lower()
    return "" if whole in STOP_WORDS else stem(whole)
