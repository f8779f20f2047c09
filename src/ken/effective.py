"""What settings are in force, and where each came from: the command line, the environment, a line of ken.toml, or its default.

Secrets are told as set or not set, never shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr, TypeAdapter

from ken.settings import TABLES, Given, Settings, file_text, settings_file

Origin = Literal["default", "file", "environment", "command line"]
Place = tuple[str | int, ...]
"""Where a setting stands: `("models", 0, "base_url")`."""

_LIVE = frozenset({"sources"})
"""What a running Ken follows; everything else it reads when it starts."""
_ANY = TypeAdapter[object](object)
_SET, _NOT_SET = "set", "not set"
_KEY = re.compile(r"""\s*(?P<key>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_HEAD = re.compile(r"""\s*(?P<open>\[\[?)\s*(?P<key>[^\]]+?)\s*\]""")
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*""")
_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """One setting in force."""

    name: str
    """Dotted, tables by their names: `gateway.retries`, `models.gpt.base_url`."""
    value: object
    """As JSON; of a secret: `set` or `not set`."""
    default: object
    origin: Origin
    variable: str | None
    """The environment variable that gave it, or would."""
    line: int | None
    """Of ken.toml, counted from 1."""
    is_secret: bool = False
    is_live: bool = False
    """A running Ken follows a change of it; what else changes, it reads when it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """All settings of a running Ken."""

    file: str
    """Where ken.toml lies, or would."""
    is_there: bool
    has_changed: bool
    """Since this Ken read it: what changed is in force after the next start, but for sources."""
    settings: tuple[Effective, ...]


def in_force(settings: Settings) -> InForce:
    """The settings as this process has them; the file is read anew, for its lines and for whether it has changed."""
    now = file_text(settings.home)
    told = _Told(settings.given, lines(settings.given.file))
    return InForce(
        file=str(settings_file(settings.home)),
        is_there=bool(now),
        has_changed=now != settings.given.file,
        settings=tuple(told.of(settings)),
    )


def lines(text: str) -> dict[Place, int]:
    """The line, from 1, on which each key and table of a TOML text begins; of an array of tables, by number from 0."""
    found: dict[Place, int] = {}
    tables: dict[Place, int] = {}
    here: Place = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        head, key = _HEAD.match(line), _KEY.match(line)
        if head is not None:
            here = _table(_parts(head["key"]), tables, opens=head["open"] == "[[")
            found.setdefault(here, number)
        elif key is not None:
            found.setdefault((*here, *_parts(key["key"])), number)
            closing = next((each for each in _QUOTES if line.count(each) % 2), "")
    return found


def _parts(key: str) -> tuple[str, ...]:
    return tuple(
        next(group for group in each.groups("") if group) for each in _PART.finditer(key) if any(each.groups())
    )


def _table(parts: tuple[str, ...], tables: dict[Place, int], *, opens: bool) -> Place:
    """The place of a table's header: below an array of tables, its last one is meant (TOML 1.0, "Array of Tables")."""
    place: Place = ()
    for number, part in enumerate(parts):
        place = (*place, part)
        if opens and number == len(parts) - 1:
            tables[place] = tables.get(place, -1) + 1
        if place in tables:
            place = (*place, tables[place])
    return place


@dataclass(frozen=True, slots=True)
class _Told:
    """Walks through settings and says of each where it came from."""

    given: Given
    lines: Mapping[Place, int]

    def of(self, settings: Settings) -> Iterator[Effective]:
        for name in Settings.model_fields:
            yield from self._walk(getattr(settings, name), _default(settings, name), place=(name,), name=name)

    def _walk(self, value: object, default: object, *, place: Place, name: str) -> Iterator[Effective]:
        if isinstance(value, BaseModel):
            for field in type(value).model_fields:
                # What a variable held stands beside the name of that variable, which tells whether it is set.
                if field == "name" or type(value).model_fields[field].exclude:
                    continue
                inner = getattr(default, field) if type(default) is type(value) else _default(value, field)
                yield from self._walk(getattr(value, field), inner, place=(*place, field), name=f"{name}.{field}")
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            for number, table in enumerate(cast("tuple[BaseModel, ...]", value)):
                called = getattr(table, "name", number)
                yield from self._walk(table, None, place=(*place, number), name=f"{name}.{called}")
        elif isinstance(value, Mapping) and any(isinstance(each, BaseModel) for each in value.values()):
            for key, table in cast("Mapping[str, BaseModel]", value).items():
                yield from self._walk(table, None, place=(*place, key), name=f"{name}.{key}")
        else:
            yield self._leaf(value, default, place=place, name=name)

    def _leaf(self, value: object, default: object, *, place: Place, name: str) -> Effective:
        names_secret = isinstance(value, str) and name.endswith("_env")
        is_secret = place[0] in {"database_url", "redis_url"} or isinstance(value, SecretStr)
        shown = _shown(value)
        if isinstance(shown, str) and place[:2] == ("alerts", "destinations") and place[-1] == "url":
            shown = _host_of(shown)  # whoever knows the address of a webhook may post to it
        if is_secret:
            shown = _NOT_SET if value is None else _SET
        elif names_secret:
            shown = f"{value} ({_SET if value in self.given.is_set else _NOT_SET})"
        origin, variable, line = self._origin(place, name)
        return Effective(
            name=name,
            value=shown,
            default=_NOT_SET if is_secret else _shown(default),
            origin=origin,
            variable=variable,
            line=line,
            is_secret=is_secret or names_secret,
            is_live=place[0] in _LIVE,
        )

    def _origin(self, place: Place, name: str) -> tuple[Origin, str | None, int | None]:
        line = next((self.lines[place[:end]] for end in range(len(place), 0, -1) if self._covers(place, end)), None)
        would_be = f"KEN_{name.upper()}" if len(place) == 1 and name not in TABLES else None
        variable = self.given.variables.get(name)
        if place[0] in self.given.flags:
            return "command line", would_be, line
        if variable is not None:
            return "environment", variable, line
        return ("default" if line is None else "file"), would_be, line

    def _covers(self, place: Place, end: int) -> bool:
        """Whether the file gives what stands there: by its own line, or as part of a value that one line begins."""
        above = place[:end]
        if above not in self.lines:
            return False
        return end == len(place) or not any(other[:end] == above and len(other) > end for other in self.lines)


def _default(model: BaseModel, name: str) -> object:
    field = type(model).model_fields[name]
    if field.default_factory is not None:
        return cast("Callable[[], object]", field.default_factory)()
    return None if field.is_required() else field.default


def _shown(value: object) -> object:
    """As JSON, without the password of an address."""
    plain = _ANY.dump_python(value, mode="json", fallback=str)
    return _without_password(plain) if isinstance(plain, str) and "://" in plain else plain


def _host_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname}/…"


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    if "@" not in parts.netloc and not parts.query:
        return address
    host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"…@{host[2]}" if host[1] else host[2], query="…" if parts.query else ""))
