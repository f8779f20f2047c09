"""Releases on record: what each id stood for, from when to when, and what one has that another hasn't."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

from ken.domain.released import KnownRelease
from ken.domain.wire import Json
from ken.releases.release import Release

_WORDS = {
    "prompt_version": "prompt",
    "default_model": "default model",
    "models": "models",
    "index_configuration": "index",
    "search": "search",
    "passages": "passages",
    "history_turns": "turns of the conversation",
    "guard_version": "guard",
    "routes": "routes",
}
_LONG = 60
"""Characters: of a longer text only the parts that differ are told."""


def fields_of(release: Release) -> dict[str, Json]:
    """The release as JSON has it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(release).items()}  # pyright: ignore[reportUnknownArgumentType] - of strings


def rebuilt(known: KnownRelease) -> Release | None:
    """The release with that id; None where this Ken describes releases in another way."""
    fields = {
        name: tuple(cast("list[str]", value)) if isinstance(value, list) else value
        for name, value in known.fields.items()
    }
    try:
        release = Release(**fields)  # pyright: ignore[reportArgumentType] - compared by its hash below
    except TypeError:
        return None
    return release if release.id == known.id else None


def changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[str, ...]:
    """What differs, field by field, in words."""
    told: list[str] = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            told.append(f"{_WORDS.get(name, name.replace('_', ' '))}: {_change(old, new)}")
    return tuple(told)


def _change(old: Json, new: Json) -> str:
    if isinstance(old, list) and isinstance(new, list):
        return _of_lists(old, new)
    was, now = _said(old), _said(new)
    if len(was) + len(now) > _LONG:
        gone, come = _odd_parts(was, now)
        if gone or come:
            was, now = gone or "nothing", come or "nothing"
    return f"{was} → {now}"


def _of_lists(old: Sequence[Json], new: Sequence[Json]) -> str:
    added = [_said(each) for each in new if each not in old]
    removed = [_said(each) for each in old if each not in new]
    told = ([f"added {', '.join(added)}"] if added else []) + ([f"removed {', '.join(removed)}"] if removed else [])
    return "; ".join(told) or "in another order"


def _odd_parts(was: str, now: str) -> tuple[str, str]:
    """Of two long texts, the words that the other hasn't."""
    old, new = was.split(), now.split()
    return " ".join(each for each in old if each not in new), " ".join(each for each in new if each not in old)


def _said(value: Json) -> str:
    return "nothing" if value is None or value == "" else str(value)
