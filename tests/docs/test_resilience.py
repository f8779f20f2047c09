"""The guide to resilience: its tables are settings that can be used, and what it says of failures is what happens."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ken.errors import (
    BreakerOpen,
    BudgetExceeded,
    DeadlineExceeded,
    KenError,
    ModelInterrupted,
    ModelRefused,
    ModelUnavailable,
    Overloaded,
    Unsupported,
)
from ken.gateway.failures import is_answerable_by_another, is_fault, is_transient
from ken.gateway.replicas import Replicas
from ken.settings import load
from tests.architecture.tree import PROJECT

GUIDE = (PROJECT / "docs/guides/resilience.md").read_text("utf-8")
OTHERS: dict[str, KenError] = {
    "can't be reached": ModelUnavailable("It is away."),
    "cuts the connection": ModelInterrupted("It was cut."),
    "lacks what is asked for": Unsupported("No tools."),
    "its breaker is open": BreakerOpen("It is open."),
    "its queue is full": Overloaded("It is full."),
    "budget is used up": BudgetExceeded("It is used up.", resets_at=0.0),
    "the deadline has passed": DeadlineExceeded("It is late."),
}


def rows() -> list[list[str]]:
    """Of the table of failures: what a model does, tried again, the next model, counts."""
    table = GUIDE.partition("| what a model does |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def test_the_table_of_failures_says_what_happens() -> None:
    """Every status and kind that it names is tried again, passed on and counted as it says."""
    seen: set[str] = set()
    for what, again, passed_on, counts in rows():
        errors: dict[str, KenError] = {
            status: ModelRefused("It refused.", status=int(status)) for status in re.findall(r"\b\d{3}\b", what)
        }
        errors |= {words: error for words, error in OTHERS.items() if words in what}
        for name, error in errors.items():
            seen.add(name)
            told = is_transient(error), is_answerable_by_another(error), is_fault(error)
            assert told == tuple(cell.startswith(("yes", "likewise")) for cell in (again, passed_on, counts)), name
    assert seen >= {*OTHERS, "400", "401", "403", "404", "408", "413", "422", "429", "529"}


def test_the_settings_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of models and tiers, and the address of a Redis, are taken as they stand."""
    (text,) = re.findall(r"^```toml\n(.+?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    (url,) = re.findall(r"KEN_REDIS_URL='(.+?)'", GUIDE)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789abcdef")
    monkeypatch.setenv("KEN_REDIS_URL", url)
    (tmp_path / "ken.toml").write_text(text)
    settings = load(tmp_path)
    assert settings.tiers["tier-1"].models == tuple(tomllib.loads(text)["tiers"]["tier-1"]["models"])
    assert settings.redis_url is not None
    assert (
        Replicas(settings.redis_url.get_secret_value()).redis.connection_pool.connection_kwargs["password"]
        == "change me"
    )
