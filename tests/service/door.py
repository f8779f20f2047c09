"""A real Ken whose models are the mock provider's, and the official clients of OpenAI and Anthropic at its door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anthropic
import httpx
import openai

from ken.mock.serving import Running, running_in_thread
from ken.settings import ModelSettings
from tests.service.serving import Served, serving

MODELS = {
    "small": "mock-len12",
    "tooled": "mock-tools1",
    "thinker": "mock-think5-len6",
    "calm": "mock-ttft20-itl50-len200",
    "silent": "mock-hangtoken",
    "limited": "mock-429-after7",
    "refusing": "mock-400",
    "locked": "mock-401",
    "down": "mock-503-idplain",
    "breaking": "mock-cut4",
    "failing": "mock-500",
}
"""The models by their names here; each has a twin `claude-NAME` behind Anthropic's wire."""
TIERS = {"tier-1": {"models": ("failing", "small")}}
WIRES = ("", "claude-")
SAY = [{"role": "user", "content": "Say something about harbours."}]
WEATHER = {
    "type": "object",
    "properties": {"place": {"type": "string"}},
    "required": ["place"],
    "additionalProperties": False,
}
TIDE_TABLE = {
    "type": "object",
    "properties": {"port": {"type": "string"}, "metres": {"type": "number"}},
    "required": ["port", "metres"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Door:
    """A Ken, the provider behind it, and clients with a clerk's key."""

    served: Served
    mock: Running

    def openai(self, *, key: str | None = None, timeout: float = 20.0) -> openai.OpenAI:
        """OpenAI's client."""
        return openai.OpenAI(
            base_url=f"{self.served.url}/v1",
            api_key=key or self.served.clerk,
            max_retries=0,
            timeout=timeout,
            http_client=httpx.Client(trust_env=False),
        )

    def anthropic(self, *, key: str | None = None, timeout: float = 20.0) -> anthropic.Anthropic:
        """Anthropic's client."""
        return anthropic.Anthropic(
            base_url=self.served.url,
            api_key=key or self.served.clerk,
            max_retries=0,
            timeout=timeout,
        )

    def trace(self, trace_id: str) -> dict[str, object]:
        """A call's trace, once it is written."""
        assert self.served.ken.recorder.flush()
        with self.served.client(self.served.operator) as client:
            return client.get(f"/api/traces/{trace_id}").json()


@contextmanager
def opened(home: Path) -> Iterator[Door]:
    """Serve until the end of the block."""
    with running_in_thread() as mock:
        tables = [{"name": name, "model": model, "base_url": mock.url} for name, model in MODELS.items()]
        tables += [each | {"name": f"claude-{each['name']}", "kind": "anthropic"} for each in tables]
        models = tuple(ModelSettings.model_validate(table) for table in tables)
        with serving(home, models=models, tiers=TIERS, gateway={"retries": 0, "queue_s": 0.1}) as served:
            yield Door(served, mock)
