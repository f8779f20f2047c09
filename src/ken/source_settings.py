"""The `[[sources]]` tables of ken.toml: where documents live, one model a kind. docs/guides/sources.md goes through them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""Capitals alone, so that a secret which was put here by mistake is refused, and not shown."""
_EVERY = re.compile(r"[1-9][0-9]{0,4}[smhd]")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SHORTEST_S = 10
_ANY_MOMENT = "2026-01-01T00:00:00+00:00"


def _named(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError("name an environment variable, in capitals, as in WIKI_TOKEN; the secret itself stands there")
    return value


Variable = Annotated[str, AfterValidator(_named)]
"""The name of an environment variable that holds a secret."""


class RuleSettings(BaseModel):
    """One entry of `rules`: who may read what lies at these paths."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(min_length=1)
    """`*` stands for any text, `/` included."""
    groups: tuple[str, ...]


class _Source(BaseModel):
    """What every source has."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    variable: ClassVar[str | None] = None
    """The field that names the variable with its secret."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
    """What people call it: `ken sync NAME`."""
    collection: str | None = None
    """Where its documents go; its name where that isn't said."""
    groups: tuple[str, ...] = ("everyone",)
    """Who may read documents of which neither the source, nor `rules`, nor they themselves say anything."""
    rules: tuple[RuleSettings, ...] = ()
    """The first that matches a document's path counts; what the source or the document says can only narrow it."""
    every: str | None = None
    """Sync so often while `ken up` runs: `30s`, `15m`, `6h`, `1d`."""
    cron: str | None = None
    """Sync at these times, in this machine's time zone: minute, hour, day, month, day of the week."""
    token: SecretStr | None = Field(default=None, exclude=True)
    """Read from the environment; never written in ken.toml."""

    @model_validator(mode="before")
    @classmethod
    def _no_secret_in_the_file(cls, values: object) -> object:
        if isinstance(values, dict) and "token" in values:
            raise ValueError(
                f"a secret never stands in a file; put it in the environment and name its variable: {cls.variable or 'token_env'}"
            )
        return values  # pyright: ignore[reportUnknownVariableType] - pydantic checks what it is

    @field_validator("every")
    @classmethod
    def _is_interval(cls, value: str | None) -> str | None:
        if value is not None and not _EVERY.fullmatch(value):
            raise ValueError("it is no interval; write a number and s, m, h or d, as in '15m'")
        return value

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is not None:
            from datetime import datetime  # noqa: PLC0415 - for this check alone

            try:
                CronSim(value, datetime.fromisoformat(_ANY_MOMENT))
            except CronSimError as error:
                raise ValueError(
                    f"it is no cron expression ({error}); as in '0 3 * * *', every night at three"
                ) from error
        return value

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if self.every is not None and self.cron is not None:
            raise ValueError("give `every` or `cron`, not both")
        if self.interval_s is not None and self.interval_s < _SHORTEST_S:
            raise ValueError(f"`every` is at least {_SHORTEST_S}s")
        return self

    @property
    def interval_s(self) -> float | None:
        """`every` in seconds."""
        return None if self.every is None else float(int(self.every[:-1]) * _UNITS[self.every[-1]])

    @property
    def home_of_documents(self) -> str:
        """The collection."""
        return self.collection or self.name


class _Fetching(_Source):
    """What sources over HTTP have."""

    allow_hosts: tuple[str, ...] = ()
    """Hosts (or host:port) inside the own network that may be asked; loopback and private addresses are refused otherwise."""
    requests_per_s: float | None = Field(default=None, gt=0)


class FolderSettings(_Source):
    """A folder on this machine."""

    kind: Literal["folder"]
    path: Path
    watch: bool = False
    """Sync when `ken up` starts, and a moment after a file has changed while it runs."""


class GitSettings(_Source):
    """A git repository."""

    variable: ClassVar[str | None] = "token_env"
    kind: Literal["git"]
    url: str = Field(min_length=1)
    ref: str = "HEAD"
    folder: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    token_env: Variable | None = None
    user: str | None = None
    ssh_key: Path | None = None
    """A private key without a passphrase; without it, the keys of the user who runs Ken."""
    allow_local: bool = False
    """Lets `url` be a path or file:// address of this machine."""


class WebSettings(_Fetching):
    """A web site."""

    kind: Literal["web"]
    urls: tuple[str, ...] = Field(min_length=1)
    mode: Literal["auto", "sitemap", "crawl"] = "auto"
    max_depth: int = Field(default=20, ge=0)
    max_pages: int = Field(default=10_000, ge=1)
    hosts: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class S3Settings(_Fetching):
    """An S3-compatible bucket."""

    variable: ClassVar[str | None] = "secret_key_env"
    kind: Literal["s3"]
    bucket: str = Field(min_length=1)
    endpoint: str = "https://s3.amazonaws.com"
    region: str = "us-east-1"
    prefix: str = ""
    path_style: bool = True
    """Whether the bucket stands in the path of addresses, and not before the host's name."""
    access_key: str | None = None
    """The key's id, which is no secret; without it the bucket is read as anybody may."""
    secret_key_env: Variable | None = None

    @model_validator(mode="after")
    def _whole_key(self) -> Self:
        if (self.access_key is None) != (self.secret_key_env is None):
            raise ValueError("give `access_key` and `secret_key_env`, or neither for a bucket that anybody may read")
        return self


class SqlSettings(_Source):
    """A SQL query, each row of which is a document."""

    variable: ClassVar[str | None] = "url_env"
    kind: Literal["sql"]
    url_env: Variable | None = None
    """The variable with the whole address, where it has a password in it."""
    url: str | None = None
    """The address, where it has none."""
    query: str = Field(min_length=1)
    id_column: str
    text_columns: tuple[str, ...] = Field(min_length=1)
    title_column: str | None = None
    groups_column: str | None = None
    url_column: str | None = None
    modified_column: str | None = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("give `url`, or `url_env` where the address has a password in it")
        return self


class SlackSettings(_Source):
    """A Slack export archive."""

    kind: Literal["slack"]
    path: Path
    url: str | None = None
    """The workspace's address, as in https://example.slack.com: documents then lead to their messages."""


class MboxSettings(_Source):
    """One or several mbox files."""

    kind: Literal["mbox"]
    path: Path


class ImapSettings(_Source):
    """An IMAP mailbox."""

    variable: ClassVar[str | None] = "password_env"
    kind: Literal["imap"]
    host: str = Field(min_length=1)
    user: str = Field(min_length=1)
    password_env: Variable
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    ca_file: Path | None = None
    """The certificate of the server's own authority, where that is not one that this machine trusts."""
    folders: tuple[str, ...] = ("INBOX",)


class ConfluenceSettings(_Fetching):
    """Confluence, Cloud or Data Center."""

    variable: ClassVar[str | None] = "token_env"
    kind: Literal["confluence"]
    url: str = Field(min_length=1)
    email: str | None = None
    """Whose token it is, for Cloud; without it, the token is a personal access token of Data Center."""
    token_env: Variable
    spaces: tuple[str, ...] | None = None
    blog_posts: bool = True
    attachments: bool = True
    body: Literal["storage", "export_view"] = "storage"
    space_groups: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])


class NotionSettings(_Fetching):
    """Notion, as far as an integration was given access."""

    variable: ClassVar[str | None] = "token_env"
    kind: Literal["notion"]
    token_env: Variable
    roots: tuple[str, ...] = ()
    url: str = "https://api.notion.com"


class GithubSettings(_Fetching):
    """Issues of a GitHub repository, and its wiki."""

    variable: ClassVar[str | None] = "token_env"
    kind: Literal["github"]
    repository: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    token_env: Variable | None = None
    url: str = "https://api.github.com"
    pull_requests: bool = False
    wiki: bool = False


SourceSettings = Annotated[
    FolderSettings
    | GitSettings
    | WebSettings
    | S3Settings
    | SqlSettings
    | SlackSettings
    | MboxSettings
    | ImapSettings
    | ConfluenceSettings
    | NotionSettings
    | GithubSettings,
    Field(discriminator="kind"),
]
