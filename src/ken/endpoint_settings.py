"""What every endpoint of ken.toml has, and the `[[models]]`, `[embedder]` and `[reranker]` tables."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator

from ken.gateway_settings import ModelLimits
from ken.models.capabilities import Feature
from ken.models.windows import window_of

_LEAST_ROOM = 512
"""Tokens that a prompt needs at least: the instructions, a question and a passage."""
_HOSTED_S = 3.0
"""A hosted model is there at once or fails."""
_NEAR_S = 30.0
"""A model on one's own machines may have to be loaded first."""
_NEAR_NAMES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc")
_AZURE = re.compile(r"/openai/(?:v1|deployments/[^/]+)/?$")


class EndpointSettings(BaseModel):
    """Where a model is, what its server calls it, and which environment variable holds its key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: HttpUrl
    """Up to and with `/v1`."""
    model: str = Field(min_length=1)
    """What the endpoint calls it."""
    # Capitals alone, so that a key which was put here by mistake is refused, and not shown.
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$")
    """The environment variable that holds the endpoint's key."""
    api_key: SecretStr | None = Field(default=None, exclude=True)
    """Read from `api_key_env`; never written in ken.toml."""

    @model_validator(mode="before")
    @classmethod
    def _no_key_in_the_file(cls, values: object) -> object:
        if isinstance(values, dict) and "api_key" in values:
            raise ValueError(
                "a key never stands in a file; put it in the environment and name its variable: api_key_env"
            )
        return values  # pyright: ignore[reportUnknownVariableType] - pydantic checks what it is

    @model_validator(mode="after")
    def _is_plain_address(self) -> Self:
        url = self.base_url
        if url.username or url.password or url.query or url.fragment:
            raise ValueError(
                "base_url is an address alone, up to /v1; a key goes into the variable that api_key_env names"
            )
        return self


class OpenAISettings(EndpointSettings):
    """An endpoint that OpenAI's clients could call, Azure's own form of it among them."""

    api_version: str | None = Field(default=None, pattern=r"^[a-z0-9-]{1,30}$")
    """Azure's, for an address that ends in `/openai/deployments/NAME`."""

    def _check_azure(self, kind: str) -> None:
        """Raise ValueError where address and version aren't in one of Azure's two forms."""
        if kind != "azure":
            if self.api_version is not None:
                raise ValueError('api_version is Azure\'s: add kind = "azure", or remove it')
            return
        address = str(self.base_url)
        if not _AZURE.search(address):
            raise ValueError("an Azure base_url ends in /openai/v1 or in /openai/deployments/NAME")
        if "/deployments/" in address and self.api_version is None:
            raise ValueError('an Azure deployment\'s address needs an api_version, as in "2024-10-21"')


class ModelSettings(OpenAISettings, ModelLimits):
    """One `[[models]]` table: a chat model behind an endpoint."""

    kind: Literal["openai", "azure", "anthropic"] = "openai"
    """How its server is spoken to; `openai` is every server that OpenAI's clients can call."""
    name: str = Field(min_length=1, max_length=100)
    """What people call it: in `/v1/models`, in `--model`, in traces."""
    context_tokens: int | None = Field(default=None, ge=1024)
    """The endpoint's window, prompt and answer together; None: what is known of the model, else 8192."""
    max_tokens: int = Field(default=800, ge=16)
    """At most this many tokens of answer."""
    connect_s: float = Field(default=2.0, gt=0)
    """Give up when the connection doesn't stand by then."""
    first_token_s: float = Field(default=30.0, gt=0)
    """Give up when nothing has come by then; 3 s for a hosted model, 30 s for one at a loopback or private address."""
    stall_s: float = Field(default=30.0, gt=0)
    """Give up when nothing has come for so long in mid-answer."""
    completion_s: float | None = Field(default=None, gt=0)
    """Give up when the answer isn't complete by then; None: what the question has left, five sixths where it isn't streamed."""
    max_answer_mb: float = Field(default=2.0, gt=0, le=100)
    """Give up on an answer that is longer."""
    tokenizer: Path | None = None
    """Its `tokenizer.json`, for counting where its server doesn't; None: an estimate."""
    prefill: bool = False
    """It can go on from the beginning of an answer that is put into its mouth."""
    lacks: tuple[Feature, ...] = ()
    """What this model hasn't of what its kind has."""

    @model_validator(mode="before")
    @classmethod
    def _by_where_it_is(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        told = cast("dict[str, object]", values)
        return {"first_token_s": _NEAR_S if is_near(str(told.get("base_url"))) else _HOSTED_S} | told

    @property
    def window(self) -> int:
        """Tokens of prompt and answer together."""
        return self.context_tokens or window_of(self.model)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.window - self.max_tokens < _LEAST_ROOM:
            raise ValueError(f"max_tokens has to leave at least {_LEAST_ROOM} of context_tokens to the prompt")
        self._check_azure(self.kind)
        return self


class EmbedderSettings(OpenAISettings):
    """The `[embedder]` table: an OpenAI-compatible endpoint in the place of the local embedder."""

    kind: Literal["openai", "azure"] = "openai"
    dimensions: int | None = Field(default=None, ge=8, le=16384)
    """Sent along where set, for models that give shorter vectors when asked."""
    revision: str = Field(default="", max_length=100)
    """Another word for another model under the same name."""
    query_prefix: str = Field(default="", max_length=1000)
    """Put before a question, where the model wants that, as in `query: `."""
    passage_prefix: str = Field(default="", max_length=1000)
    """Put before a passage, as in `passage: `."""
    batch_size: int = Field(default=64, ge=1, le=2048)
    """Texts sent at once."""
    max_tokens: int = Field(default=512, ge=64)
    """The model's window."""
    question_s: float = Field(default=10.0, gt=0)
    """Give up on a question's vector after so long."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Give up on one try of a batch of passages after so long."""
    first_pass_dimensions: int | None = Field(default=None, ge=8)
    """For models trained for it (Matryoshka): numbers of a vector that the first pass of a search looks at."""

    @model_validator(mode="after")
    def _is_a_prefix(self) -> Self:
        first, whole = self.first_pass_dimensions, self.dimensions
        if first is not None and whole is not None and first >= whole:
            raise ValueError("first_pass_dimensions is smaller than dimensions, or left out")
        self._check_azure(self.kind)
        return self


class RerankerSettings(EndpointSettings):
    """The `[reranker]` table: a cross-encoder behind an endpoint."""

    candidates: int = Field(default=30, ge=2, le=200)
    """The best passages of a search that it reads."""
    timeout_s: float = Field(default=2.0, gt=0)
    """The order of the search stands when it took longer."""


def is_near(address: str) -> bool:
    """Whether an address is on this machine or in a private network, as far as it says so itself."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_NEAR_NAMES) or ".svc." in host
    return found.is_loopback or found.is_private or found.is_link_local
