"""The tables of the gateway: their defaults stand in the documentation, and what can't be used is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ken.errors import InvalidSetting
from ken.gateway_settings import BreakerSettings, GatewaySettings
from ken.settings import load
from tests.architecture.tree import PROJECT

PAGE = (PROJECT / "docs/settings.md").read_text("utf-8")
MODEL = '[[models]]\nname = "gpt"\nbase_url = "https://api.example.com/v1"\nmodel = "m"\n'


def documented(table: str) -> dict[str, str]:
    """Each setting of a table, and the default that the page gives."""
    part = PAGE.partition(f"## `[{table}]`\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", part, re.MULTILINE))


@pytest.mark.parametrize(
    ("table", "settings"), [("gateway", GatewaySettings()), ("gateway.breaker", BreakerSettings())]
)
def test_the_page_gives_the_defaults(table: str, settings: GatewaySettings | BreakerSettings) -> None:
    """A default that is a value of its own stands there as it is."""
    told = documented(table)
    dumped = settings.model_dump(exclude={"breaker"})
    assert told.keys() == dumped.keys()
    words = {True: "true", False: "false"}
    for name, value in dumped.items():
        if value is not None:
            assert told[name] == f"`{words[value] if isinstance(value, bool) else format(value, 'g')}`", name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tiers.tier-1]\nmodels = ["gpt", "other"]\n', "[tiers.tier-1] names 'other', which is not one of the models"),
        ('[tiers.tier-1]\nmodels = ["gpt", "gpt"]\n', "a model stands in `models` once"),
        ("[tiers.tier-1]\nmodels = []\n", "tiers.tier-1.models"),
        ('[tiers.best]\nmodels = ["gpt"]\n', "tiers.best"),
        ("[gateway]\nretries = 3\n", "gateway.retries"),
        ('[gateway]\nhedge_model = "other"\n', "`hedge_model` in [gateway] names 'other'"),
        ("[gateway.breaker]\nerror_rate = 1.5\n", "gateway.breaker.error_rate"),
        ("[gateway]\nhedges = true\n", "there is no such setting"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """The message names the table and what is wrong with it."""
    (tmp_path / "ken.toml").write_text(MODEL + text)
    with pytest.raises(InvalidSetting) as refusal:
        load(tmp_path)
    assert said in str(refusal.value)


def test_the_address_of_a_redis_never_stands_in_the_file(tmp_path: Path) -> None:
    """It may hold a password, and the message doesn't."""
    (tmp_path / "ken.toml").write_text('redis_url = "redis://:planted@cache.example.org"\n')
    with pytest.raises(InvalidSetting, match="KEN_REDIS_URL") as refusal:
        load(tmp_path)
    assert "planted" not in str(refusal.value)
