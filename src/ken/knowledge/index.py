"""The seam between ranking and a store: what a search asks of the index over one corpus version.

A store finds the best passages of each list and says what ranking has to know of them; the order and the relevance are
made in ranking.py, the same for every store. Rows name passages within one index only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.knowledge.catalogue import Allowed, Catalogue
from ken.knowledge.late import NO_WORDS, PassageWords, QuestionWords
from ken.knowledge.lexicon import Lexicon
from ken.storage.documents import Snapshot


@dataclass(frozen=True, slots=True)
class Term:
    """A term that is looked for, and others that count for it."""

    name: str
    """As the analyser gives it (`ken.text.tokens.terms`)."""
    others: tuple[tuple[str, float], ...] = ()
    """Analysed terms, each with what it is worth beside the name itself, 0 to 1. A passage that holds several of them has
    what the best one gives, once."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as an index reads it."""

    terms: tuple[Term, ...]
    """Each name once."""
    vector: NDArray[np.float32]
    """Shape (dimensions,), L2-normalised."""
    words: QuestionWords = NO_WORDS


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The best passages of each list, with everything that ranking reads: n passages, t terms, m sentences."""

    rows: NDArray[np.int64]
    """Shape (n,), each once, in the order of the catalogue's documents and of the passages in them."""
    documents: NDArray[np.int32]
    """Shape (n,): index into the catalogue's documents."""
    rarity: NDArray[np.float32]
    """Shape (t,): inverse document frequency of each term as it was asked, in the collections that are allowed."""
    term_scores: NDArray[np.float32]
    """Shape (n, t): what each term adds to each passage's BM25F score; 0 where the passage has neither it nor another one
    that counts for it."""
    term_worths: NDArray[np.float32]
    """Shape (n, t): 1 where the passage has the term itself, the worth of the best other one where it has that, else 0."""
    dense: NDArray[np.float32]
    """Shape (n,): the best cosine of the passage's windows with the question."""
    sentence_bounds: NDArray[np.int64]
    """Shape (n + 1,): sentences of passage i are [sentence_bounds[i], sentence_bounds[i + 1])."""
    sentences: NDArray[np.int8]
    """Shape (m, dimensions): unit vectors times 127."""
    sentence_term_bounds: NDArray[np.int64]
    """Shape (m + 1,); every sentence has one term or more."""
    sentence_terms: NDArray[np.uint64]
    """Term hashes, sentence after sentence."""
    words: PassageWords
    """None where the embedder tells nothing of single words."""

    @property
    def lexical(self) -> NDArray[np.float32]:
        """Shape (n,): BM25F scores."""
        return np.asarray(self.term_scores.sum(axis=1), np.float32)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a passage, as it may be quoted; the span is one of the document's text."""

    start: int
    end: int
    text: str
    is_code: bool


class Index(Protocol):
    """One corpus version, ready to be searched by several threads. Methods raise StorageError."""

    @property
    def name(self) -> str:
        """Equal for two exactly when they are over the same document versions, made in the same way."""
        ...

    @property
    def corpus_version(self) -> int:
        """Which one it is."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Its documents."""
        ...

    @property
    def size(self) -> int:
        """How many passages there are."""
        ...

    @property
    def lexicon(self) -> Lexicon:
        """The words and definitions of its documents, made of the feature "lexicon" by `lexicon.build`."""
        ...

    def candidates(self, asked: Asked, allowed: Allowed, *, depth: int) -> Candidates:
        """The best `depth` passages by BM25F and the best `depth` by cosine, of documents that are allowed.

        A passage with no term is in no lexical list. Approximate search may miss a few of the dense list; the filter is
        exact.
        """
        ...

    def passages(self, rows: Sequence[int]) -> list[tuple[Passage, tuple[Quote, ...]] | None]:
        """The passages of a few rows with their sentences, in the order of `Candidates.sentences`.

        None stands for one that was deleted since it was found.
        """
        ...


class Indexes(Protocol):
    """Where the indexes of a home are kept: of the corpus version in use, and of those that may be gone back to."""

    def build(self, name: str, versions: Mapping[str, str]) -> None:
        """Make the index `name` over `versions` (document id -> version), unless it is there and whole. Raises StorageError."""
        ...

    def load(self, snapshot: Snapshot, *, comparable: frozenset[str]) -> Index | None:
        """The index of a snapshot; None where it is missing or damaged, or isn't of these document versions.

        `comparable` are the ids of the documents that are in it: their vectors can be compared.
        """
        ...

    def discard(self, name: str) -> None:
        """Delete an index; what can't be deleted now stays for `keep`."""
        ...

    def keep(self, names: frozenset[str]) -> None:
        """Delete every index but these, and what crashes left behind."""
        ...
