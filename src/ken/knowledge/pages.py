"""On which page of its document a sentence stands: a passage that begins on one page may go on over the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ken.domain.document import Passage
from ken.errors import StorageError
from ken.storage.documents import Documents

_COLUMNS = 5
"""Of what is stored of a block: kind, start, end, level, and its page (0 for none)."""


@dataclass(frozen=True, slots=True, eq=False)
class Pages:
    """The pages of one document."""

    starts: NDArray[np.int32]
    """Shape (b,), ascending: where its blocks begin."""
    numbers: NDArray[np.int32]
    """Shape (b,): from 1 on; 0 for none."""

    def at(self, position: int) -> int | None:
        """The page on which the block begins that holds a position; None where it has none."""
        index = int(np.searchsorted(self.starts, position, side="right")) - 1
        return int(self.numbers[index]) or None if index >= 0 else None


def pages_of(store: Documents, passages: Sequence[Passage]) -> Mapping[str, Pages]:
    """By document id, of those documents that have pages; empty where one was deleted a moment ago."""
    versions = {each.document_id: each.version for each in passages if each.page is not None}
    if not versions:
        return {}
    try:
        stored = [
            np.frombuffer(spans, dtype=np.int32).reshape(-1, _COLUMNS)
            for spans, _ in store.features("blocks", versions)
        ]
    except StorageError:
        return {}
    return {name: Pages(blocks[:, 1], blocks[:, 4]) for name, blocks in zip(versions, stored, strict=True)}
