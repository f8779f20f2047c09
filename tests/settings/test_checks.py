"""[checks] and [checklist] of ken.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from ken.checks.heuristics.standards import Length
from ken.errors import InvalidSetting
from ken.settings import load


def written(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    (home / "ken.toml").write_text(text, encoding="utf-8")
    return home


def test_what_is_not_named_is_as_it_ships(tmp_path: Path) -> None:
    """A length may name one bound of one task type; the others keep theirs."""
    settings = load(written(tmp_path, "[checks.lengths.lookup]\nmost = 80\n[checklist]\nttft_ms = 900\n"))
    lengths = settings.checks.standards.lengths
    assert lengths["lookup"] == Length(1, 80)
    assert lengths["procedure"] == Length(1, 900)
    assert settings.checklist.bounds.ttft_ms == 900
    assert settings.checklist.bounds.groundedness == 0.95


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[checks]\noff = ["hegding"]\n', "'hegding' is none of the rules: json_schema"),
        ('[checks]\nforbidden_phrases = ["..."]\n', "a phrase has no letter or digit"),
        ("[checks.lengths.lookup]\nleast = 9\nmost = 3\n", "`least` is 9, more than `most`, 3"),
        ("[checks.lengths.poem]\nmost = 3\n", "checks.lengths.poem"),
        ("[checklist]\nwindow = 3\n", "there is no such setting"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, told: str) -> None:
    """With the setting and what is wrong with it."""
    with pytest.raises(InvalidSetting) as caught:
        load(written(tmp_path, text))
    assert told in str(caught.value)
