"""What goes to an embedder behind an endpoint and what comes back, in no provider's shape."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ken.domain.call import CallContext
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderEndpoint:
    """Where an embedder is, what it is told, and how long to wait for it. Times in seconds."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    is_azure: bool = False
    """The key goes into the header `api-key`."""
    api_version: str | None = None
    """Azure's, for addresses of deployments."""
    dimensions: int | None = None
    """Asked for where set; a model that was trained for it then gives shorter vectors."""
    revision: str = ""
    """Tells two models of one name apart."""
    query_prefix: str = ""
    passage_prefix: str = ""
    batch_size: int = 64
    max_tokens: int = 512
    """The endpoint's window; a longer text is cut."""
    question_s: float = 10.0
    """For a question, every try together."""
    timeout_s: float = 60.0
    """For one batch of passages, one try."""
    patience_s: float = 600.0
    """For one batch of passages, every try together."""

    @property
    def name(self) -> str:
        """Of the vector space. The address is no part of it: a model may move to another machine."""
        parts = ["endpoint", self.model]
        parts += [f"dimensions={self.dimensions}"] if self.dimensions else []
        parts += [f"revision={self.revision}"] if self.revision else []
        if self.passage_prefix:
            parts.append(f"prefix={hashlib.sha256(self.passage_prefix.encode()).hexdigest()[:8]}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest:
    """Texts, as the model is to read them: with their prefix, and cut to its window."""

    texts: tuple[str, ...]
    deadline: Deadline
    context: CallContext = field(default_factory=CallContext)
    dimensions: int | None = None
    """Asked for where set; a model that was trained for it then gives shorter vectors."""

    @property
    def is_streamed(self) -> bool:
        """The answer comes as a whole."""
        return False

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
