"""The one seam of the gateway: something that answers a request in deltas, within a deadline, and may fail.

A chat model is one. An embedder or a reranker behind an endpoint is one whose stream has a single delta. Each wrapper of the
stack (`stack.py`) takes a Dependency and is one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol, TypeVar

from ken.domain.call import CallContext
from ken.domain.deadline import Deadline
from ken.domain.usage import Usage


class Request(Protocol):
    """What a wrapper has to know of a request."""

    @property
    def deadline(self) -> Deadline:
        """When the answer has to be there."""
        ...

    @property
    def context(self) -> CallContext:
        """Whom it is for; where its charges and spans go."""
        ...

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the provider will read and bill, to be counted where it doesn't say."""
        ...

    @property
    def is_streamed(self) -> bool:
        """Whether the answer comes in pieces; else its first piece is the whole, and comes later."""
        ...

    @property
    def most_output_tokens(self) -> int | None:
        """How much may come back; None where nothing is billed for it (embeddings), or the provider's limit counts."""
        ...


class Delta(Protocol):
    """What a wrapper has to know of a piece of an answer."""

    @property
    def usage(self) -> Usage | None:
        """What the provider says that the whole call has used so far; the last word counts."""
        ...

    @property
    def carries(self) -> bool:
        """Whether the caller got something with it that another attempt would repeat."""
        ...

    @property
    def written(self) -> str:
        """What of it is billed as output, to be counted where the provider doesn't say."""
        ...


R = TypeVar("R", bound=Request)
D = TypeVar("D", bound=Delta)
"""What the wrappers are generic in."""

_R_contra = TypeVar("_R_contra", bound=Request, contravariant=True)
_D_co = TypeVar("_D_co", bound=Delta, covariant=True)


class Dependency(Protocol[_R_contra, _D_co]):
    """A provider, or a provider behind wrappers."""

    @property
    def name(self) -> str:
        """As it stands in traces, prices, limits and at the breaker."""
        ...

    def stream(self, request: _R_contra) -> AsyncGenerator[_D_co]:
        """Yield the answer as it comes. Raises ModelError, DeadlineExceeded; closing the iterator ends the call."""
        ...
