"""What every endpoint of ken.toml has, and the `[embedder]` and `[reranker]` tables."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, model_validator


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


class EmbedderSettings(EndpointSettings):
    """The `[embedder]` table: an OpenAI-compatible endpoint in the place of the local embedder."""

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
        return self


class RerankerSettings(EndpointSettings):
    """The `[reranker]` table: a cross-encoder behind an endpoint."""

    candidates: int = Field(default=30, ge=2, le=200)
    """The best passages of a search that it reads."""
    timeout_s: float = Field(default=2.0, gt=0)
    """The order of the search stands when it took longer."""
