"""The guide to budgets, followed to the letter against a server on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.architecture.pages import blocks
from tests.architecture.tree import PROJECT
from tests.assistant.corpus import LIT, copy
from tests.docs.following import Reader, Told
from tests.docs.guide import section
from tests.models.provider import Provider, answers

GUIDE = "docs/guides/budgets.md"
KEY = {"OPENAI_API_KEY": "sk-planted-0123456789abcdef"}


@pytest.fixture
async def provider() -> AsyncGenerator[Provider]:
    started = Provider()
    started.reply = answers(f"{LIT} [1]")
    await started.start()
    yield started
    await started.stop()


async def followed(home: Path, heading: str, provider: Provider, *, code: int = 0) -> list[Told]:
    """Write the section's ken.toml with the server's address, and run its commands."""
    guide = section(GUIDE, heading)
    reader = Reader(copy(home))
    reader.write(re.sub(r'base_url = "[^"]+"', f'base_url = "{provider.url}"', guide.toml))
    return [await reader.ken(*command, code=code, **KEY) for command in guide.commands]


async def test_the_guide_leads_to_budgets_that_count(provider: Provider, tmp_path: Path) -> None:
    """Its tables are taken as they stand, the question is answered, and both budgets have its 120 and 7 tokens."""
    asked, shown = await followed(tmp_path / "home", "Set one up", provider)
    assert asked.out.startswith(f"{LIT} [1]")
    rows = {row[0]: row[1:] for line in shown.out.splitlines() if (row := line.split("\t"))}
    assert rows["everybody"][:2] == ["all", "month"]
    assert rows["everybody"][3:7] == ["$0.000023", "$200.00", "$200.00", "normal"]
    assert rows["each key"][:2] == ["principal local-operator", "day"]
    assert rows["each key"][3:7] == ["127 tokens", "500,000 tokens", "499,873 tokens", "normal"]
    reader = Reader(tmp_path / "home")
    told = json.loads((await reader.ken("budgets", "--json", **KEY)).out)
    assert {each["name"]: (each["used"], each["unit"]) for each in told} == {
        "everybody": (23, "millionths of USD"),
        "each key": (127, "tokens"),
    }


async def test_a_used_up_budget_refuses_in_the_guides_words(provider: Provider, tmp_path: Path) -> None:
    """The question fails as the guide shows it, and the provider has not heard of it."""
    (told,) = await followed(tmp_path / "home", "Short, and used up", provider, code=1)
    (shown,) = [block.text for block in blocks(PROJECT / GUIDE) if block.language == "text"]
    assert shown.removeprefix("ken: ").strip() in told.err
    assert provider.bodies == []


async def test_a_model_that_is_said_to_be_free_is_called_under_a_budget(provider: Provider, tmp_path: Path) -> None:
    """The last table of the guide can be used; without its price the call is refused with the remedy."""
    guide = section(GUIDE, "Unknown prices")
    reader = Reader(copy(tmp_path / "home"))
    toml = re.sub(r'base_url = "[^"]+"', f'base_url = "{provider.url}"', guide.toml)
    question = ("ask", "--model", "llama", "When is the lamp of the lighthouse lit?")
    reader.write(re.sub(r'\[prices\."llama"\]\ninput = 0\noutput = 0\n', "", toml))
    refused = await reader.ken(*question, code=1)
    assert "'llama' has no price" in refused.err
    assert "[prices]" in refused.err
    assert provider.bodies == []
    reader.write(toml)
    assert (await reader.ken(*question)).out.startswith(LIT)
