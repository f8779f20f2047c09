"""Where a chat model is, and what its provider has."""

from __future__ import annotations

from dataclasses import dataclass, field

from ken.models.capabilities import Capabilities
from ken.models.wire import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the model is and how long to wait for it. Times in seconds."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    is_azure: bool = False
    """The key goes into the header `api-key`."""
    api_version: str | None = None
    """Azure's, for addresses of deployments."""
    max_tokens: int = 800
    connect_s: float = 2.0
    first_token_s: float = 30.0
    stall_s: float = 30.0
    completion_s: float | None = None
    """None: what the question has left, or five sixths of that where the answer isn't streamed."""
    max_answer_bytes: int = 2_000_000
    prefill: bool = False
    """It goes on from the beginning of an answer that is put into its mouth, instead of being told to."""
    capabilities: Capabilities = field(default_factory=Capabilities)

    @property
    def patience(self) -> Patience:
        """How long to wait."""
        return Patience(
            connect_s=self.connect_s,
            first_token_s=self.first_token_s,
            stall_s=self.stall_s,
            completion_s=self.completion_s,
            max_answer_bytes=self.max_answer_bytes,
        )
