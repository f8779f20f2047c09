"""The place of an embedder that can't be had: its vectors are known, and nothing can be compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

import numpy as np
from numpy.typing import NDArray

from ken.errors import ModelUnavailable


class MissingEmbedder:
    """An Embedder that fails with the reason why there is none."""

    def __init__(self, name: str, dimensions: int, *, reason: str) -> None:
        self.name: str = name
        self.dimensions: int = dimensions
        self._reason = reason

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Raises ModelUnavailable."""
        _ = texts
        self._fail()

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """Raises ModelUnavailable."""
        _ = text
        self._fail()

    def _fail(self) -> Never:
        raise ModelUnavailable(
            f"The vectors of these documents come from the embedder {self.name!r}, which can't be used: {self._reason} "
            "A question can't be compared with them by any other embedder."
        )
