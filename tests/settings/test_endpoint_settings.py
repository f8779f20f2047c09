"""The tables of endpoints: how long a model is waited for by where it is, and Azure's forms of an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from ken.errors import InvalidSetting
from ken.settings import load

AZURE = 'base_url = "https://harbour.openai.azure.com/openai/deployments/gpt"'


def table(home: Path, text: str, kind: str = "[[models]]") -> Path:
    """A home with one table, named as it is for `[[models]]`."""
    home.mkdir(exist_ok=True)
    name = 'name = "gpt"\n' if kind == "[[models]]" else ""
    (home / "ken.toml").write_text(f'{kind}\n{name}model = "m-1"\n{text}\n')
    return home


@pytest.mark.parametrize(
    ("address", "wait"),
    [
        ("https://api.openai.com/v1", 3.0),
        ("https://8.8.8.8/v1", 3.0),
        ("http://127.0.0.1:11434/v1", 30.0),
        ("http://[::1]:8080/v1", 30.0),
        ("http://localhost:11434/v1", 30.0),
        ("http://10.1.2.3:8000/v1", 30.0),
        ("http://192.168.1.20/v1", 30.0),
        ("http://vllm:8000/v1", 30.0),
        ("http://vllm.models.svc.cluster.local:8000/v1", 30.0),
        ("http://models.internal/v1", 30.0),
    ],
)
def test_a_model_nearby_is_given_the_time_to_load(home: Path, address: str, wait: float) -> None:
    """A hosted one is there at once or fails; what the table says counts for both."""
    (model,) = load(table(home, f'base_url = "{address}"')).models
    assert (model.first_token_s, model.completion_s) == (wait, None)
    (model,) = load(table(home, f'base_url = "{address}"\nfirst_token_s = 7\ncompletion_s = 70')).models
    assert (model.first_token_s, model.completion_s) == (7.0, 70.0)


@pytest.mark.parametrize("kind", ["[[models]]", "[embedder]"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'kind = "azure"\n{AZURE}', "api_version"),
        ('kind = "azure"\nbase_url = "https://harbour.openai.azure.com"', "ends in /openai/v1"),
        ('base_url = "https://api.openai.com/v1"\napi_version = "2024-10-21"', 'kind = "azure"'),
        ('kind = "bedrock"\nbase_url = "https://api.example/v1"', "'azure'"),
    ],
)
def test_half_of_azures_form_is_refused(home: Path, kind: str, text: str, words: str) -> None:
    """The error says what is missing."""
    with pytest.raises(InvalidSetting) as raised:
        load(table(home, text, kind))
    assert words in str(raised.value)


def test_a_line_break_is_no_part_of_a_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was read from a file often ends in one, and no header can hold it."""
    monkeypatch.setenv("HARBOUR_KEY", "sk-planted-0123456789abcdef\r\n")
    (model,) = load(table(home, 'base_url = "https://api.example/v1"\napi_key_env = "HARBOUR_KEY"')).models
    assert model.api_key is not None
    assert model.api_key.get_secret_value() == "sk-planted-0123456789abcdef"


def test_what_a_model_lacks_is_one_of_the_features(home: Path) -> None:
    """A word that is none is refused, with those that are."""
    address = 'base_url = "https://api.example/v1"\n'
    assert load(table(home, f'{address}lacks = ["images", "tools"]')).models[0].lacks == ("images", "tools")
    with pytest.raises(InvalidSetting, match="logit_bias"):
        load(table(home, f'{address}lacks = ["pictures"]'))
