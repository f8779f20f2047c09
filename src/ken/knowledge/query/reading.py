"""What the steps of a plan read of an index: its lexicon, and which documents the asker may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Document
from ken.knowledge.lexicon import Lexicon

MOST_WORDS = 200
"""Of a question, from its start, that are looked up: nobody asks so much, and each takes time."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One corpus version as one principal may read it."""

    lexicon: Lexicon
    documents: tuple[Document, ...]
    allowed: NDArray[np.bool_]
    """Shape (documents,)."""
    is_word: Callable[[str], bool]
    """Whether a lower-case word belongs to the language, whatever the documents hold."""

    def forms(self, word: str) -> list[str]:
        """The words of the same stem that readable documents hold."""
        return self.lexicon.forms(word, self.allowed)
