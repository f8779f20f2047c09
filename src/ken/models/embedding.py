"""What goes to an embedder behind an endpoint and what comes back, in no provider's shape."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ken.domain.call import CallContext
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest:
    """Texts, as the model is to read them: with their prefix, and cut to its window."""

    texts: tuple[str, ...]
    deadline: Deadline
    context: CallContext = field(default_factory=CallContext)
    dimensions: int | None = None
    """Asked for where set; a model that was trained for it then gives shorter vectors."""

    @property
    def most_output_tokens(self) -> int | None:
        """Nothing is written."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class EmbedDelta:
    """The one piece of the answer to an EmbedRequest."""

    vectors: NDArray[np.float32]
    """L2-normalised, shape (texts of the request, dimensions), in the order of the texts."""
    usage: Usage | None = None
    response_model: str = ""
    """What the provider says that it was answered by."""

    @property
    def carries(self) -> bool:
        """It is the whole answer."""
        return True

    @property
    def written(self) -> str:
        """Nothing is billed as output."""
        return ""
