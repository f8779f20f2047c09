"""A wrapper of the Embedder seam: an endpoint's model may be replaced by another one under the same name.

The vector of one fixed text is remembered when an embedder is used for the first time. It is asked for again with the first
use of every process and then every few minutes; where it points elsewhere, nothing more is embedded or searched, so that
vectors of two models never meet.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ken.errors import EmbedderChanged
from ken.models.protocols import Embedder

PROBE = (
    "Vessels entering the harbour after dusk report to the pilot station on channel 12, state their draught in metres, "
    "and wait for a berth outside the fairway."
)
_SAME = 0.999
"""The cosine of two vectors of one text by one model: batches, precision and hardware move it by less."""
_EVERY_S = 600.0


class Remote(Embedder, Protocol):
    """An embedder that holds connections."""

    async def aclose(self) -> None:
        """Close them."""
        ...


class SteadyEmbedder:
    """An Embedder that is still the one whose vector of `PROBE` is `remembered`, of shape (dimensions,).

    `probe` asks for that vector again. Raises EmbedderChanged, beside what the embedder behind it raises.
    """

    def __init__(
        self,
        embedder: Remote,
        remembered: NDArray[np.float32],
        *,
        probe: Callable[[], Awaitable[NDArray[np.float32]]],
    ) -> None:
        self.name: str = embedder.name
        self.dimensions: int = embedder.dimensions
        self._embedder = embedder
        self._remembered = remembered
        self._probe = probe
        self._checked_at: float | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._embedder.aclose()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the embedder behind it."""
        await self._check()
        return await self._embedder.embed(texts)

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """As the embedder behind it."""
        await self._check()
        return await self._embedder.embed_question(text)

    async def _check(self) -> None:
        if self._checked_at is not None and time.monotonic() - self._checked_at <= _EVERY_S:
            return
        vector = await self._probe()
        cosine = float(vector @ self._remembered) if vector.shape == self._remembered.shape else None
        if cosine is None or cosine < _SAME:
            how = "its vectors are longer or shorter" if cosine is None else f"cosine {cosine:.3f}"
            raise EmbedderChanged(
                f"The embedder {self.name!r} is no longer the model that the documents were embedded with: for the same "
                f"text it gives another vector ({how}). Put the former model back, or give the new one another `model` "
                "or `revision` in [embedder] of ken.toml, and Ken embeds all documents anew."
            )
        self._checked_at = time.monotonic()
