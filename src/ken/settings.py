"""The only reader of the environment and of ken.toml. Lower layers take plain values.

A value is looked for in this order: command-line flag, environment (`KEN_` and the name in capitals), `ken.toml` in the
home, the default below. docs/settings.md describes each.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ken.alert_settings import AlertSettings, DestinationSettings, with_secrets
from ken.budget_settings import BudgetSettings, PriceSettings
from ken.cache_settings import AnswerCacheSettings, CategorySettings
from ken.capture_settings import CaptureSettings
from ken.checklist_settings import ChecklistSettings
from ken.endpoint_settings import EmbedderSettings, EndpointSettings, ModelSettings, RerankerSettings
from ken.errors import InvalidSetting
from ken.gateway.route import TierName
from ken.gateway_settings import GatewaySettings, TierSettings
from ken.heuristics_settings import ChecksSettings
from ken.route_settings import RouteSettings
from ken.search_settings import SearchSettings
from ken.source_settings import SourceSettings
from ken.telemetry_settings import TelemetrySettings, with_environment, with_headers

Table = TypeVar("Table", bound=EndpointSettings)
Holder = TypeVar("Holder")
Secret = Literal["models", "search", "telemetry", "alerts"]
"""Whose secrets: the models', the embedder's and reranker's, the collector's, the alert destinations'."""
EVERY_SECRET: frozenset[Secret] = frozenset({"models", "search", "telemetry", "alerts"})

_FILE = "ken.toml"
_TAKEN = ("ken", "extractive")
"""Model names that stand for something already: the default one, and the reader that is always there."""
_SECRETS = frozenset({"database_url", "redis_url"})
"""Addresses that may hold a password."""
_PLAIN_WORDS = {
    "extra_forbidden": "there is no such setting",
    "missing": "it is missing",
    "tuple_type": 'it is a list, as in ["a", "b"]; tables of a list have two brackets, as in [[sources]]',
    "dict_type": "it has to be a table",
    "model_type": "it has to be a table",
    "string_type": "it has to be text, in quotes",
    "int_type": "it has to be a whole number",
    "int_parsing": "it has to be a whole number",
    "int_from_float": "it has to be a whole number",
    "float_type": "it has to be a number",
    "float_parsing": "it has to be a number",
    "bool_type": "it has to be true or false",
    "bool_parsing": "it has to be true or false",
    "too_short": "it needs one entry at least",
    "string_pattern_mismatch": 'it has another form, as in "OPENAI_API_KEY" for a variable or "2024-10-21" for a version',
    "union_tag_not_found": "its `kind` is missing",
}
"""What pydantic's words for what is wrong mean to whoever writes ken.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where the values of settings came from when they were read. The same values are the same settings, wherever from."""

    flags: frozenset[str] = field(default=frozenset(), compare=False)
    """Settings that the command line gave."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """By setting (`port`, `telemetry.endpoint`): the environment variable that gave it, or the beginning of several, as `OTEL_*`."""
    is_set: frozenset[str] = field(default=frozenset(), compare=False)
    """Names of the environment variables that aren't empty."""
    file: str = field(default="", compare=False)
    """The text of ken.toml; empty where there is none."""


class Settings(BaseSettings):
    """Everything that an operator can set."""

    model_config = SettingsConfigDict(env_prefix="KEN_", extra="forbid", frozen=True, hide_input_in_errors=True)

    home: Path = Path("~/.ken")
    database_url: SecretStr | None = None
    """A PostgreSQL that several replicas share; None: SQLite in the home. From the environment alone."""
    redis_url: SecretStr | None = None
    """A Redis that several replicas share; None: each keeps to itself. From the environment alone."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    deadline_s: float = Field(default=60.0, gt=0)
    max_file_mb: int = Field(default=50, ge=1)
    keep_snapshots: int = Field(default=5, ge=1)
    """Corpus versions kept to go back to, the present one included."""
    keep_days: float = Field(default=30.0, ge=0)
    max_question_chars: int = Field(default=8000, ge=100)
    threads: int = Field(default=min(4, os.cpu_count() or 1), ge=1)
    ocr: bool | None = None
    """Whether scans are read; None: where the extra `ocr` is installed."""
    model_folder: Path | None = None
    allow_download: bool = False
    models: Annotated[tuple[ModelSettings, ...], NoDecode] = ()
    tiers: Annotated[Mapping[TierName, TierSettings], NoDecode] = Field(default_factory=dict[TierName, TierSettings])
    """By name: the models that answer for it, in order."""
    gateway: Annotated[GatewaySettings, NoDecode] = GatewaySettings()
    routes: Annotated[RouteSettings, NoDecode] = RouteSettings()
    sources: Annotated[tuple[SourceSettings, ...], NoDecode] = ()
    telemetry: Annotated[TelemetrySettings, NoDecode] = TelemetrySettings()
    embedder: Annotated[EmbedderSettings | None, NoDecode] = None
    """An endpoint in the place of the local embedder."""
    reranker: Annotated[RerankerSettings | None, NoDecode] = None
    search: Annotated[SearchSettings, NoDecode] = SearchSettings()
    prices: Annotated[Mapping[str, PriceSettings], NoDecode] = Field(default_factory=dict[str, PriceSettings])
    """By the name of a model or by what its endpoint calls it."""
    budgets: Annotated[tuple[BudgetSettings, ...], NoDecode] = ()
    default_model: str = "extractive"
    when_models_fail: Literal["answer", "error"] = "answer"
    """Answer with less, and say so: the passages quoted, or as far as the answer went; or fail with the model's error."""
    when_search_fails: Literal["error", "model"] = "error"
    """Fail with the embedder's error; or let the model answer on its own, under a caveat, unverified."""
    history_turns: int = Field(default=5, ge=0)
    passages: int = Field(default=4, ge=1, le=20)
    compress_passages_to: float = Field(default=1.0, ge=0.1, le=1.0)
    """The share of the passages' text that a prompt keeps: the sentences that bear on the question."""
    cache: bool = True
    answer_cache: Annotated[AnswerCacheSettings, NoDecode] = AnswerCacheSettings()
    categories: Annotated[tuple[CategorySettings, ...], NoDecode] = ()
    capture: Annotated[CaptureSettings, NoDecode] = CaptureSettings()
    alerts: Annotated[AlertSettings, NoDecode] = AlertSettings()
    checks: Annotated[ChecksSettings, NoDecode] = ChecksSettings()
    checklist: Annotated[ChecklistSettings, NoDecode] = ChecklistSettings()
    """What is kept of questions, and for how long."""
    _given: Given = PrivateAttr(default_factory=Given)

    @property
    def given(self) -> Given:
        """Where they came from."""
        return self._given

    def came_from(self, given: Given) -> None:
        """Remember where they came from."""
        self._given = given

    def patience_of(self, model: str) -> dict[str, float]:
        """How long a model is waited for, in seconds; empty for what runs in this process."""
        table = next((table for table in self.models if table.name == model), None)
        if table is None:
            return {}
        told = {"connect": table.connect_s, "first_token": table.first_token_s, "stall": table.stall_s}
        return told if table.completion_s is None else told | {"completion": table.completion_s}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before environment before ken.toml; no .env file and no secrets folder."""
        _ = dotenv_settings, file_secret_settings
        home = init_settings().get("home", cls.model_fields["home"].default)
        file = TomlConfigSettingsSource(settings_cls, Path(home) / _FILE)
        if "home" in file.toml_data:
            raise InvalidSetting(
                f"{str(Path(home) / _FILE)!r} names a `home`, and lies in it. Remove that line; name another home with "
                "`--home` or KEN_HOME."
            )
        for secret in _SECRETS & file.toml_data.keys():
            raise InvalidSetting(
                f"{str(Path(home) / _FILE)!r} holds a `{secret}`, and a password never stands in a file. Remove that "
                f"line; put the address into the environment variable KEN_{secret.upper()}."
            )
        return init_settings, env_settings, file


TABLES = frozenset(name for name, info in Settings.model_fields.items() if NoDecode in info.metadata)
"""Settings that stand in ken.toml alone, being tables."""


def settings_file(home: Path) -> Path:
    """Where the settings of a home stand, if anywhere."""
    return home / _FILE


def environment_of_others() -> dict[str, str]:
    """The environment of this process without Ken's own settings, for a Ken that is started beside, with a home of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KEN_")}


def load(home: Path | None = None, *, secrets: Collection[Secret] = EVERY_SECRET, **flags: object) -> Settings:
    """Read the settings of a home. Raises InvalidSetting, naming the setting, its place and the remedy.

    Of the secrets that ken.toml names by their variables, those of `secrets` have to be there; the others are left out where
    they aren't, for a command that has no use for them.
    """
    place = (home or Path(os.environ.get("KEN_HOME") or Settings.model_fields["home"].default)).expanduser().absolute()
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(home=place, **given)  # pyright: ignore[reportArgumentType] - checked by the model itself
        _check(settings)
        return _placed(settings, _with_secrets(settings, secrets, []), flags={*given, *(("home",) if home else ())})
    except UnicodeDecodeError as error:
        raise InvalidSetting(f"{str(place / _FILE)!r} is not text in UTF-8. Save it as such.") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(f"{str(place / _FILE)!r} is not valid TOML: {error}. Mend that line.") from error
    except OSError as error:
        raise InvalidSetting(f"{str(place / _FILE)!r} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        raise InvalidSetting(_words(error, place, given)) from None  # its cause would hold what was given


def file_text(home: Path) -> str:
    """What ken.toml says at present; empty where there is none, or where it can't be read."""
    try:
        return (home / _FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _placed(read: Settings, whole: Settings, *, flags: Collection[str]) -> Settings:
    """The settings with where each came from."""
    before, after = read.telemetry, whole.telemetry
    variables = {name: f"KEN_{name.upper()}" for name in Settings.model_fields if name not in flags}
    variables = {name: variable for name, variable in variables.items() if variable in os.environ}
    for name in TelemetrySettings.model_fields:
        if getattr(before, name) != getattr(after, name):
            variables[f"telemetry.{name}"] = "OTEL_*"
    is_set = frozenset(name for name, value in os.environ.items() if value.strip())
    whole.came_from(
        Given(flags=frozenset(flags), variables=variables, is_set=is_set, file=file_text(whole.home)),
    )
    return whole


def _words(error: ValidationError, home: Path, flags: Mapping[str, object]) -> str:
    """The first thing that is wrong, its place and the remedy; never the value, which may be a secret."""
    problem = error.errors(include_input=False, include_context=False)[0]
    name, variable = str(problem["loc"][0]), f"KEN_{str(problem['loc'][0]).upper()}"
    if name in flags:
        place = f"--{name.replace('_', '-')}"
    elif variable in os.environ:
        place = f"{variable} in the environment"
    else:
        place = repr(str(home / _FILE))
    kinds = problem["msg"].partition("expected tags: ")[2]
    what = (
        f"`kind` is one of {kinds}"
        if kinds
        else _PLAIN_WORDS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
    )
    dotted = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    return f"The setting {dotted!r}{_of_table(problem['loc'], home)} ({place}): {what}. docs/settings.md lists what it may be."


def _of_table(loc: tuple[int | str, ...], home: Path) -> str:
    """Whose setting it is, by the name of its table: people don't count tables."""
    match loc:
        case (str(kind), int(number), _, *_):
            try:
                return f" of {tomllib.loads((home / _FILE).read_text('utf-8'))[kind][number]['name']!r}"
            except (OSError, ValueError, LookupError, TypeError):
                return ""
        case _:
            return ""


def _check(settings: Settings) -> None:
    """What no table can tell by itself. Raises InvalidSetting."""
    names = [model.name for model in settings.models]
    taken = {*_TAKEN, *settings.tiers}
    if len({*taken, *names}) != len(names) + len(taken):
        raise InvalidSetting(
            f"The names of [[models]] must differ from each other and from {', '.join(map(repr, sorted(taken)))}: {names!r}."
        )
    known = {"extractive", *names}
    if settings.default_model not in known:
        raise InvalidSetting(
            f"default_model {settings.default_model!r} is not one of the models: {', '.join(sorted(known))}. "
            "Name one of these, or add a [[models]] table."
        )
    for what, asked in _asked_for(settings):
        if asked not in known:
            raise InvalidSetting(f"{what} names {asked!r}, which is not one of the models: {', '.join(sorted(known))}.")
    for task, tier in settings.routes.tasks.items():
        if tier not in settings.tiers:
            raise InvalidSetting(
                f"[routes.tasks] sends every {task} to {tier!r}, which has no [tiers.{tier}] table. Add it."
            )
    kinds = [category.name for category in settings.categories]
    if len(set(kinds)) != len(kinds):
        raise InvalidSetting(f"The names of [[categories]] must differ from each other: {kinds!r}.")
    budgets = [budget.name for budget in settings.budgets]
    if len(set(budgets)) != len(budgets):
        raise InvalidSetting(f"The names of [[budgets]] must differ from each other: {budgets!r}.")
    sources = [source.name for source in settings.sources]
    if len(set(sources)) != len(sources):
        raise InvalidSetting(f"The names of [[sources]] must differ from each other: {sources!r}.")


def lacking(settings: Settings) -> tuple[str, ...]:
    """What is wrong with each secret that ken.toml names by its variable: that it isn't set, as a rule."""
    told: list[str] = []
    _with_secrets(settings, (), told)
    return tuple(told)


def _with_secrets(settings: Settings, needed: Collection[Secret], told: list[str]) -> Settings:
    """The settings with what their variables hold. Raises InvalidSetting for one that is needed; of the others it is told."""

    def read(kind: Secret, table: Holder, *, by: Callable[[Holder], Holder]) -> Holder:
        try:
            return by(table)
        except InvalidSetting as error:
            if kind in needed:
                raise
            told.append(str(error))
            return table

    def model(table: ModelSettings) -> ModelSettings:
        return with_key(table, f"[[models]] table {table.name!r}")

    def destination(table: DestinationSettings) -> DestinationSettings:
        return with_secrets(table, os.environ)

    embedder, reranker = settings.embedder, settings.reranker
    alerts = tuple(read("alerts", each, by=destination) for each in settings.alerts.destinations)
    return settings.model_copy(
        update={
            "models": tuple(read("models", each, by=model) for each in settings.models),
            "embedder": embedder and read("search", embedder, by=lambda table: with_key(table, "[embedder] table")),
            "reranker": reranker and read("search", reranker, by=lambda table: with_key(table, "[reranker] table")),
            "sources": tuple(_with_secret(each) for each in settings.sources),
            "telemetry": read(
                "telemetry",
                with_environment(settings.telemetry, os.environ),
                by=lambda table: with_headers(table, os.environ),
            ),
            "alerts": settings.alerts.model_copy(update={"destinations": alerts}),
        }
    )


def _asked_for(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each place that names a model, and the name."""
    for name, tier in settings.tiers.items():
        yield from ((f"[tiers.{name}]", model) for model in tier.models)
    if settings.gateway.hedge_model is not None:
        yield "`hedge_model` in [gateway]", settings.gateway.hedge_model


def _with_secret(source: SourceSettings) -> SourceSettings:
    """The source with the secret whose variable it names; without it where that is not set.

    Then its own sync fails with that reason, and everything else works.
    """
    variable = getattr(source, source.variable) if source.variable else None
    value = os.environ.get(variable) if variable else None
    return source.model_copy(update={"token": SecretStr(value)}) if value else source


def with_key(table: Table, name: str) -> Table:
    """An endpoint's table with the key whose variable it names. Raises InvalidSetting where that is not set."""
    if table.api_key_env is None:
        return table
    value = os.environ.get(table.api_key_env, "").strip()  # what is read from a file may end in a line break
    if not value:
        raise InvalidSetting(
            f"The {name} wants its key in the environment variable {table.api_key_env!r}, which is not set. "
            "Set it, or remove `api_key_env` from the table."
        )
    return table.model_copy(update={"api_key": SecretStr(value)})
