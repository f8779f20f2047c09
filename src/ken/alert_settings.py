"""The `[alerts]` table of ken.toml: which rules are looked at, what the objectives are, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ken.domain.alert import Severity
from ken.domain.answer import TaskType
from ken.errors import InvalidInput, InvalidSetting
from ken.operations.alerts.delivery.channel import Channel
from ken.operations.alerts.delivery.email import EmailChannel, Security
from ken.operations.alerts.delivery.log import Events, LogChannel
from ken.operations.alerts.delivery.message import Links
from ken.operations.alerts.delivery.webhook import WebhookChannel, slack
from ken.operations.alerts.notices import Pace, Recipient
from ken.operations.alerts.rules import Source, Table, rules_of, shipped

LOG = "log"
"""The destination that is always there: what every alert says, in Ken's log and among its events."""

_PORTS: Mapping[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_HOUR_S = 3600.0

Millis = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class ObjectiveSettings(BaseModel):
    """The `[alerts.slo]` table: what the shipped rules hold Ken to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ttft_p95_ms: Millis = 2000.0
    retrieval_p99_ms: Millis = 800.0
    e2e_p95_ms: Millis = 8000.0
    e2e_p99_ms: Millis = 20000.0
    e2e_p95_ms_of: Mapping[TaskType, Millis] = Field(default_factory=dict[TaskType, float])
    """By task type, in the place of `e2e_p95_ms`; `e2e_p99_ms_of` likewise."""
    e2e_p99_ms_of: Mapping[TaskType, Millis] = Field(default_factory=dict[TaskType, float])
    availability: Share = 0.99
    """The share of the questions that must not fail."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """What they change of the shipped rules."""
        late = max(1, round(self.ttft_p95_ms))
        slow = max(1, round(self.e2e_p95_ms))
        return (
            {"name": "ttft_p95", "limit": self.ttft_p95_ms},
            {"name": "retrieval_p99", "limit": self.retrieval_p99_ms},
            {"name": "e2e_p95", "limit": self.e2e_p95_ms, "limits": dict(self.e2e_p95_ms_of)},
            {"name": "e2e_p99", "limit": self.e2e_p99_ms, "limits": dict(self.e2e_p99_ms_of)},
            {"name": "availability_burn", "objective": self.availability},
            {"name": "availability_burn_slow", "objective": self.availability},
            {"name": "ttft_burn", "bad": f"ttft_ms.over_{late}"},
            {"name": "e2e_burn", "bad": f"ms.over_{slow}"},
        )


class DestinationSettings(BaseModel):
    """One `[[alerts.destinations]]` table: somebody who is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=50)
    kind: Literal["webhook", "slack", "email"]
    severities: tuple[Severity, ...] = ("hard",)
    """`soft` as well: what else the daily digest tells is sent at once."""
    digest: bool = True
    """Whether the daily digest goes there."""
    groups: tuple[str, ...] = ()
    """Only alerts of these groups (`latency`, `cost`, ...); none: of all."""
    timeout_s: float = Field(default=10.0, gt=0, le=120)
    url: str | None = None
    url_env: VariableName | None = None
    """The variable that holds the address, where that is a secret, as Slack's are."""
    secret_env: VariableName | None = None
    """The variable that holds the secret that messages are signed with."""
    host: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Security = "starttls"
    user: str = ""
    password_env: VariableName | None = None
    sender: str | None = None
    to: tuple[str, ...] = ()
    address: SecretStr | None = Field(default=None, exclude=True)
    """What `url_env` holds; not for the file."""
    secret: SecretStr | None = Field(default=None, exclude=True)
    """What `secret_env` or `password_env` holds; not for the file."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not _is_web(url):
            raise ValueError("it is an address that begins with https:// or http://")
        return url

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.kind == "email":
            if not (self.host and self.sender and self.to):
                raise ValueError("mail needs a `host`, a `sender` and `to`, a list of addresses")
            if any("\n" in each or "@" not in each for each in (self.sender, *self.to)):
                raise ValueError('`sender` and `to` are addresses, as in "ken@example.com"')
        elif (self.url is None) == (self.url_env is None):
            raise ValueError("a webhook has a `url`, or a `url_env` that names the variable with it")
        return self

    @property
    def is_ready(self) -> bool:
        """Whether the secrets that it names are there."""
        named = self.password_env if self.kind == "email" else self.secret_env
        return (self.url_env is None or self.address is not None) and (named is None or self.secret is not None)

    def channel(self, links: Links) -> Channel:
        """The way out to it."""
        secret = "" if self.secret is None else self.secret.get_secret_value()
        url = self.url or ("" if self.address is None else self.address.get_secret_value())
        match self.kind:
            case "webhook":
                return WebhookChannel(self.name, url, secret=secret, timeout_s=self.timeout_s, links=links)
            case "slack":
                return slack(self.name, url, timeout_s=self.timeout_s, links=links)
            case "email":
                return EmailChannel(
                    name=self.name,
                    host=self.host or "",
                    port=self.port or _PORTS[self.security],
                    security=self.security,
                    sender=self.sender or "",
                    to=self.to,
                    user=self.user,
                    password=secret,
                    timeout_s=self.timeout_s,
                    links=links,
                )


class AlertSettings(BaseModel):
    """None of it shapes an answer, so no release depends on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = True
    every_s: float = Field(default=30.0, ge=1, le=3600)
    """How often the rules are looked at."""
    base_url: str = ""
    """Where this Ken is reached, for links in messages; empty: commands in their place."""
    group_s: float = Field(default=Pace().group_s, ge=0)
    """The least time between two messages about one group."""
    repeat_h: float = Field(default=Pace().repeat_s / _HOUR_S, gt=0)
    """Hours until people are told again of what is still on."""
    digest: bool = True
    """Whether each day is told as one story on the next morning."""
    digest_hour: int = Field(default=6, ge=0, le=23)
    """From which full hour on, in this machine's time."""
    keep_days: float = Field(default=90.0, ge=1)
    """How long what became of alerts is kept."""
    slo: ObjectiveSettings = ObjectiveSettings()
    destinations: tuple[DestinationSettings, ...] = ()
    rules: tuple[dict[str, object], ...] = ()
    """Changes to the shipped rules, by name, and rules of one's own."""

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and not _is_web(url):
            raise ValueError("it is an address that begins with https:// or http://")
        return url.rstrip("/")

    @field_validator("destinations")
    @classmethod
    def _differ(cls, tables: tuple[DestinationSettings, ...]) -> tuple[DestinationSettings, ...]:
        names = [LOG, *(table.name for table in tables)]
        if len(set(names)) != len(names):
            raise ValueError(f"the names of destinations must differ from each other and from {LOG!r}")
        return tables

    @model_validator(mode="after")
    def _has_good_rules(self) -> Self:
        try:
            rules_of(self.sources)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def sources(self) -> tuple[Source, ...]:
        """The rules that are shipped, the objectives, and those of ken.toml."""
        return shipped(), Source("[alerts.slo]", self.slo.tables), Source("[[alerts.rules]] in ken.toml", self.rules)

    @property
    def pace(self) -> Pace:
        """How often people are told."""
        return Pace(group_s=self.group_s, repeat_s=self.repeat_h * _HOUR_S)

    @property
    def readers(self) -> tuple[str, ...]:
        """Names of the destinations that the daily digest goes to, the log first."""
        return (LOG, *(each.name for each in self.destinations if each.digest))

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Everybody who is told, the log first."""
        named = (
            Recipient(name=each.name, severities=frozenset(each.severities), groups=frozenset(each.groups))
            for each in self.destinations
        )
        return (Recipient(name=LOG, severities=frozenset({"hard", "soft"})), *named)

    def channels(self, events: Events | None = None) -> dict[str, Channel]:
        """The way out to each of them."""
        links = Links(self.base_url)
        ways: dict[str, Channel] = {LOG: LogChannel(events, links=links)}
        return ways | {each.name: each.channel(links) for each in self.destinations}


def with_secrets(table: DestinationSettings, environment: Mapping[str, str]) -> DestinationSettings:
    """The table with what its variables hold. Raises InvalidSetting where one isn't set."""
    update: dict[str, SecretStr] = {}
    wanted = {"address": table.url_env, "secret": table.password_env if table.kind == "email" else table.secret_env}
    for field, variable in wanted.items():
        if variable is None:
            continue
        value = environment.get(variable, "").strip()
        if not value:
            raise InvalidSetting(
                f"The [[alerts.destinations]] table {table.name!r} wants a secret in the environment variable {variable!r}, "
                "which is not set. Set it, or take that line out of the table."
            )
        if field == "address" and not _is_web(value):
            raise InvalidSetting(
                f"The environment variable {variable!r} of the [[alerts.destinations]] table {table.name!r} holds no address "
                "that begins with https:// or http://."
            )
        update[field] = SecretStr(value)
    return table.model_copy(update=update)


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
