"""A copy of a home that nothing of the copied one can be reached from: no sources, models, budgets or addresses go along."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from ken.errors import InvalidSetting, NotFound
from ken.storage.backup import SETTINGS, copy_database
from ken.storage.sqlite import FILE_NAME, make_home

KEPT = frozenset({
    "answer_cache",
    "cache",
    "categories",
    "compress_passages_to",
    "deadline_s",
    "embedder",
    "history_turns",
    "max_question_chars",
    "passages",
    "reranker",
    "search",
    "threads",
    "when_search_fails",
})  # fmt: skip
"""The settings that go along: how documents are searched and answers kept, and what vectors are made with."""
_LINKED = "models"

Toml = Mapping[str, object]


def copy_home(home: Path, to: Path, *, settings: Toml) -> None:
    """Copy a home as of one moment while Ken serves it; `settings` go on top of those that are kept.

    Raises NotFound without a home, InvalidSetting for a ken.toml that can't be read, StorageError.
    """
    if not (home / FILE_NAME).is_file():
        raise NotFound(f"There is no home at {str(home)!r}: it holds no {FILE_NAME!r}.")
    make_home(to)
    copy_database(home / FILE_NAME, to / FILE_NAME)
    if (home / "index").is_dir():
        # Where a sync takes a generation away meanwhile, the copy builds its index anew when it is opened.
        shutil.copytree(home / "index", to / "index", dirs_exist_ok=True, ignore_dangling_symlinks=True)
    link_models(home, to)
    write_settings(to, {**_kept(home), **settings})


def link_models(home: Path, to: Path) -> None:
    """Let another home use the embedder that was built in this one."""
    if (home / _LINKED).is_dir() and not (to / _LINKED).exists():
        (to / _LINKED).symlink_to((home / _LINKED).absolute())


def write_settings(home: Path, settings: Toml) -> None:
    """Write a home's ken.toml."""
    (home / SETTINGS).write_text(toml_text(settings), encoding="utf-8")


def toml_text(table: Toml) -> str:
    """A table as TOML: plain values, lists of them, tables, and lists of tables."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Toml, path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in table.items() if not _is_table(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items() if value is not None]
    for key, value in table.items():
        if not _is_table(value):
            continue
        inner = (*path, key)
        name = ".".join(map(_key, inner))
        if isinstance(value, Mapping):
            lines += [f"[{name}]", *_lines(cast("Toml", value), inner)]
            continue
        for each in cast("Sequence[Toml]", value):
            lines += [f"[[{name}]]", *_lines(each, inner)]
    return lines


def _is_table(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    listed = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    return bool(listed) and isinstance(listed[0], Mapping)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, cast('Sequence[object]', value)))}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)


def _kept(home: Path) -> Toml:
    file = home / SETTINGS
    try:
        found = tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
    except (OSError, ValueError) as error:
        raise InvalidSetting(f"{str(file)!r} can't be read: {error}. Mend it first.") from error
    return {key: value for key, value in found.items() if key in KEPT}
