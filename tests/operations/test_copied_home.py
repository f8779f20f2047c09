"""A copy of a home: what goes along, and what must not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ken.errors import InvalidSetting, NotFound
from ken.operations.copied_home import copy_home, toml_text
from ken.settings import load
from tests.service.corpus import copy

OWN = """
default_model = "gpt"
passages = 3

[search]
depth = 60

[[models]]
name = "gpt"
base_url = "https://models.example/v1"
model = "gpt-4o"

[[sources]]
name = "wiki"
kind = "folder"
path = "elsewhere"
"""


def test_nothing_that_leads_out_goes_along(tmp_path: Path) -> None:
    """Documents and the search's settings are the same; models and sources stay behind, and the new settings hold."""
    home = copy(tmp_path / "home")
    (home / "ken.toml").write_text(OWN, encoding="utf-8")
    before = (home / "ken.db").read_bytes()
    copy_home(home, tmp_path / "copy", settings={"deadline_s": 7.5})
    settings = load(tmp_path / "copy")
    assert (settings.passages, settings.search.depth, settings.deadline_s) == (3, 60, 7.5)
    assert (settings.models, settings.sources, settings.default_model) == ((), (), "extractive")
    assert (home / "ken.db").read_bytes() == before
    assert {path.name for path in (tmp_path / "copy" / "index").iterdir()} == {
        path.name for path in (home / "index").iterdir()
    }


def test_what_is_no_home_is_not_copied(tmp_path: Path) -> None:
    """A folder without a database, and a ken.toml that is none, are named."""
    with pytest.raises(NotFound, match="no home"):
        copy_home(tmp_path, tmp_path / "copy", settings={})
    home = copy(tmp_path / "home")
    (home / "ken.toml").write_text("= no", encoding="utf-8")
    with pytest.raises(InvalidSetting, match="Mend it"):
        copy_home(home, tmp_path / "copy", settings={})


def test_tables_come_back_from_their_text() -> None:
    """Nested tables, lists of them, odd keys and odd characters."""
    table = {
        "plain": 'a "quoted"\n\\ ⛵',
        "many": [1, 2.5, True],
        "empty": [],
        "prices": {"gpt-4o (new)": {"input": 5, "output": 7}},
        "models": [{"name": "a", "limits": {"rpm": 3}}, {"name": "b"}],
    }
    assert tomllib.loads(toml_text(table)) == table
