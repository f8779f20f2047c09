"""The `[telemetry]` table of ken.toml: where traces are sent, what of them, and how much is taken from others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, ValidationError, model_validator

from ken.errors import InvalidSetting
from ken.telemetry.otel.bounds import Intake
from ken.telemetry.otel.destination import Destination
from ken.telemetry.otel.mapping import OPT_IN, Convention

_OFF = "true"
_HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PROTOCOLS = frozenset({"", "http/protobuf"})


class TelemetrySettings(BaseModel):
    """Each default has its reason in docs/settings.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    endpoint: HttpUrl | None = None
    """A collector's OTLP/HTTP address, without `/v1/traces`; None: nothing is sent anywhere."""
    traces_endpoint: HttpUrl | None = None
    """A whole address for traces, in the place of the one that `endpoint` makes."""
    headers_env: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$")
    """The environment variable that holds what is sent along, as in `authorization=Bearer%20abc,x-team=ops`."""
    headers: SecretStr | None = Field(default=None, exclude=True)
    """Read from that variable; never written in ken.toml."""
    content: bool = False
    """Questions, answers, passages' ids and what tools were told are sent too."""
    service_name: str = Field(default="ken", min_length=1)
    resource: Mapping[str, str] = Field(default_factory=dict[str, str])
    """Attributes of the resource besides, as in `deployment.environment.name`."""
    share: float = Field(default=1.0, ge=0.0, le=1.0)
    """Of the traces, by their ids; metrics count all."""
    metrics_every_s: float = Field(default=60.0, ge=0.0)
    """How often metrics are sent; 0: not at all."""
    receive: bool = True
    """Take spans of other services at /v1/traces."""
    receive_mb: float = Field(default=16.0, gt=0, le=256)
    """A request of more, unpacked, is refused."""
    receive_spans_per_s: int = Field(default=20_000, ge=1)
    """From one key, after a burst of twice as many."""
    latest_conventions: bool = False
    """The newer semantic conventions; from OTEL_SEMCONV_STABILITY_OPT_IN too."""

    @model_validator(mode="before")
    @classmethod
    def _no_secret_in_the_file(cls, values: object) -> object:
        if isinstance(values, dict) and "headers" in values:
            raise ValueError(
                "headers never stand in a file; put them in the environment and name their variable: headers_env"
            )
        return values  # pyright: ignore[reportUnknownVariableType] - pydantic checks what it is

    @model_validator(mode="after")
    def _is_plain_address(self) -> Self:
        for url in (self.endpoint, self.traces_endpoint):
            if url is not None and (url.username or url.password or url.query or url.fragment):
                raise ValueError("an address alone; a key goes into the variable that headers_env names")
        return self

    @property
    def convention(self) -> Convention:
        """Whose names are sent."""
        return "latest" if self.latest_conventions else "1.41.1"

    @property
    def traces_url(self) -> str | None:
        """The whole address that traces go to."""
        if self.traces_endpoint is not None:
            return str(self.traces_endpoint)
        return None if self.endpoint is None else f"{str(self.endpoint).rstrip('/')}/v1/traces"

    @property
    def destination(self) -> Destination | None:
        """Where to and how, with the secrets; None: nothing is sent, as without headers that are to be sent along."""
        traces = self.traces_url
        if traces is None or (self.headers_env is not None and self.headers is None):
            return None
        base = None if self.endpoint is None else str(self.endpoint).rstrip("/")
        told = "" if self.headers is None else self.headers.get_secret_value()
        return Destination(
            traces_url=traces,
            metrics_url=f"{base}/v1/metrics" if base is not None and self.metrics_every_s else None,
            headers=pairs(told),
            service_name=self.service_name,
            resource=self.resource,
            content=self.content,
            share=self.share,
            metrics_every_s=self.metrics_every_s,
            convention=self.convention,
        )

    @property
    def intake(self) -> Intake:
        """What is taken."""
        return Intake(max_bytes=int(self.receive_mb * 1_000_000), spans_per_s=self.receive_spans_per_s)


def with_environment(table: TelemetrySettings, environment: Mapping[str, str]) -> TelemetrySettings:
    """The table with OpenTelemetry's standard variables over it, but for its headers. Raises InvalidSetting.

    After "Environment Variable Specification" and "OpenTelemetry Protocol Exporter" of the OpenTelemetry specification: an empty
    variable counts as not set, and what is for traces alone comes before what is for all.
    """

    def told(*names: str) -> str | None:
        return _told(environment, *names)

    if (told("OTEL_SDK_DISABLED") or "").lower() == _OFF:
        return table.model_copy(update={"endpoint": None, "traces_endpoint": None})
    protocol = told("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") or ""
    given: dict[str, object] = {
        "endpoint": told("OTEL_EXPORTER_OTLP_ENDPOINT"),
        "traces_endpoint": told("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        "service_name": told("OTEL_SERVICE_NAME"),
    }
    resource = pairs(told("OTEL_RESOURCE_ATTRIBUTES") or "")
    named = resource.pop("service.name", None)
    given["service_name"] = given["service_name"] or named
    given["resource"] = {**table.resource, **resource} if resource else None
    if OPT_IN in (told("OTEL_SEMCONV_STABILITY_OPT_IN") or "").replace(" ", "").split(","):
        given["latest_conventions"] = True
    update = {name: value for name, value in given.items() if value is not None}
    try:
        # Checked as what stands in the file is.
        checked = TelemetrySettings.model_validate(table.model_dump(exclude_unset=True) | update)
    except ValidationError as error:
        name = str(error.errors(include_input=False)[0]["loc"][0])
        raise InvalidSetting(
            f"OpenTelemetry's environment variable for `{name}` can't be used. Give an address as in http://localhost:4318."
        ) from None  # its cause would hold what was given
    if checked.traces_url is not None and protocol not in _PROTOCOLS:
        raise InvalidSetting(
            f"OTEL_EXPORTER_OTLP_PROTOCOL asks for {protocol!r}, and Ken sends http/protobuf alone. Name the collector's HTTP "
            "port (4318, as a rule) and set the variable to http/protobuf, or remove it."
        )
    return checked


def with_headers(table: TelemetrySettings, environment: Mapping[str, str]) -> TelemetrySettings:
    """The table with the headers that its variable holds. Raises InvalidSetting where it isn't set, or holds none."""
    names = [table.headers_env] if table.headers_env is not None else _HEADERS
    name = next((name for name in names if _told(environment, name)), None)
    if name is None and table.headers_env is not None:
        raise InvalidSetting(
            f"The [telemetry] table wants its headers in the environment variable {table.headers_env!r}, which is not "
            "set. Set it, or remove `headers_env` from the table."
        )
    if name is None:
        return table
    secret = environment[name].strip()
    if not _are_headers(secret):
        raise InvalidSetting(
            f"The environment variable {name!r} of the [telemetry] table holds no headers. Write name=value,name=value, "
            "percent-encoded, as in authorization=Bearer%20abc."
        )
    return table.model_copy(update={"headers": SecretStr(secret)})


def _told(environment: Mapping[str, str], *names: str) -> str | None:
    return next((value for name in names if (value := environment.get(name, "").strip())), None)


def _are_headers(told: str) -> bool:
    """Whether each part is a name and a value that a header can have (RFC 9110, 5.1 and 5.5); a last comma is nothing."""
    parts = [part for part in told.split(",") if part.strip()]
    found = pairs(told)
    return len(found) == len(parts) and all(
        _NAME.fullmatch(name) and value.isprintable() for name, value in found.items()
    )


def pairs(told: str) -> dict[str, str]:
    """`name=value,name=value`, each percent-encoded, as OpenTelemetry's variables have it (W3C Baggage without properties)."""
    split = (pair.partition("=") for pair in told.split(","))
    return {unquote(name.strip()): unquote(value.strip()) for name, equals, value in split if equals and name.strip()}
