"""The doctor asks each kind of provider for its list of models, as that provider wants to be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from anyio import to_thread

from ken.cli.checkup import examine
from ken.settings import load
from tests.models.asking import KEY, serving


@pytest.mark.parametrize(
    ("table", "path", "header"),
    [
        ('base_url = "{}/v1"', "/v1/models", ("authorization", f"Bearer {KEY}")),
        ('kind = "anthropic"\nbase_url = "{}/v1"', "/v1/models", ("x-api-key", KEY)),
        ('kind = "azure"\nbase_url = "{}/openai/v1"', "/openai/v1/models", ("api-key", KEY)),
        (
            'kind = "azure"\nbase_url = "{}/openai/deployments/gpt"\napi_version = "2024-10-21"',
            "/openai/models?api-version=2024-10-21",
            ("api-key", KEY),
        ),
    ],
)
async def test_the_doctor_asks_in_the_providers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, path: str, header: tuple[str, str]
) -> None:
    """The list's address and the key's header are those of the kind; nothing is spent."""
    monkeypatch.setenv("HARBOUR_KEY", KEY)
    async with serving() as server:
        place = table.format(server.url.removesuffix("/v1"))
        (tmp_path / "ken.toml").write_text(
            f'[[models]]\nname = "gpt"\nmodel = "m-1"\napi_key_env = "HARBOUR_KEY"\n{place}\n'
        )
        findings = await to_thread.run_sync(examine, load(tmp_path))
    (looked,) = server.looked
    assert looked[0] == path
    assert [(name.lower(), value) for name, value in looked[1].items() if KEY in value] == [header]
    assert [finding.state for finding in findings if finding.what == "Model 'gpt'"] == ["ok"]
    assert server.bodies == []
