"""What goes to a reranker behind an endpoint and what comes back, in no provider's shape."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ken.domain.call import CallContext
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankEndpoint:
    """Where a cross-encoder is and how long to wait for it, in seconds."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 2.0
    """For a question, every try together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankRequest:
    """A question and the documents that are to be scored for it."""

    question: str
    documents: tuple[str, ...]
    deadline: Deadline
    context: CallContext = field(default_factory=CallContext)

    @property
    def texts(self) -> tuple[str, ...]:
        """The question, and the documents."""
        return (self.question, *self.documents)

    @property
    def is_streamed(self) -> bool:
        """The answer comes as a whole."""
        return False

    @property
    def most_output_tokens(self) -> int | None:
        """Nothing is written."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class RerankDelta:
    """The one piece of the answer to a RerankRequest."""

    scores: NDArray[np.float32]
    """Shape (documents of the request,), in their order: the higher, the better."""
    usage: Usage | None = None
    search_units: int | None = None
    """What providers that bill by the search say they bill."""

    @property
    def carries(self) -> bool:
        """It is the whole answer."""
        return True

    @property
    def written(self) -> str:
        """Nothing is billed as output."""
        return ""
