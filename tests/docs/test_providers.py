"""The guide to providers: its tables are settings that can be used, and what it says that each kind has is what each has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ken.models.anthropic import AnthropicChat
from ken.models.capabilities import FEATURES, Capabilities
from ken.models.endpoint import Endpoint
from ken.models.extractive import ExtractiveReader
from ken.models.openai import OpenAIChat
from ken.settings import load
from tests.architecture.tree import PROJECT

GUIDE = (PROJECT / "docs/guides/providers.md").read_text("utf-8")
TABLES = re.findall(r"^```toml\n(.+?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def having() -> dict[str, Capabilities]:
    """What each kind has, by its column."""
    here = Endpoint(base_url="http://127.0.0.1:1/v1", model="m-1")
    azure = Endpoint(base_url="https://harbour.openai.azure.com/openai/v1", model="m-1", is_azure=True)
    return {
        "openai": OpenAIChat("mine", here).capabilities,
        "azure": OpenAIChat("mine", azure).capabilities,
        "anthropic": AnthropicChat("mine", here).capabilities,
        "extractive": ExtractiveReader().capabilities,
    }


def test_what_each_kind_has_stands_in_the_table() -> None:
    """Every feature has its row, and every yes and no is so."""
    kinds = having()
    rows = {
        name: told.split(" | ")
        for name, told in re.findall(r"^\| `(\w+)` \| ((?:yes|no)(?: \| (?:yes|no)){3}) \|$", GUIDE, re.MULTILINE)
    }
    assert rows == {
        feature: ["yes" if feature in of_kind.features else "no" for of_kind in kinds.values()] for feature in FEATURES
    }


@pytest.mark.parametrize("text", TABLES)
def test_the_tables_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Each is taken as it stands, with its key in the environment."""
    for variable in re.findall(r'api_key_env = "(\w+)"', text):
        monkeypatch.setenv(variable, "sk-planted-0123456789abcdef")
    (tmp_path / "ken.toml").write_text(text)
    assert [model.name for model in load(tmp_path).models] == [table["name"] for table in tomllib.loads(text)["models"]]
