"""What a model lacks is said before it is asked, by the models that run in this process too."""

from __future__ import annotations

from typing import Any

import pytest

from ken.errors import ModelInterrupted, Unsupported
from ken.models.capabilities import FEATURES, NOTHING, Capabilities, asked_for
from ken.models.chat import ChatDelta, ChatRequest, ToolCallPiece
from ken.models.extractive import ExtractiveReader
from ken.models.scripted import ScriptedModel
from tests.models.asking import HISTORY, SCHEMA, TOOL, ask, calls_of, optional, request, text_of

EACH: dict[str, Any] = {
    "tools": {"tools": (TOOL,)},
    "parallel_tool_calls": {"parallel_tool_calls": False},
    "json_schema": {"json_schema": SCHEMA},
    "json_object": {"json_schema": {}},
    "logprobs": {"logprobs": True},
    "seed": {"seed": 0},
    "stop": {"stop": ("END",)},
    "top_p": {"top_p": 1.0},
    "top_k": {"top_k": 0},
    "penalties": {"presence_penalty": 0.0},
    "logit_bias": {"logit_bias": {"1": 1.0}},
    "reasoning_effort": {"reasoning_effort": "low"},
    "extra": {"extra": {"min_p": 0.1}},
}
REQUESTS = {name: optional(**options) for name, options in EACH.items()} | {"images": request(*HISTORY[-1:])}


@pytest.mark.parametrize("feature", sorted(FEATURES))
async def test_the_reader_has_nothing_beside_text(feature: str) -> None:
    """Each feature that there is, asked of the extractive reader: an error that names the model and a remedy."""
    asked = REQUESTS[feature]
    assert asked_for(asked) == [feature]
    with pytest.raises(Unsupported, match=r"'extractive' doesn't take .+ choose a model that does"):
        await ask(ExtractiveReader(), asked)


async def test_plain_text_asks_for_nothing() -> None:
    """A prompt with a hint, a length and a temperature is for every model."""
    plain = optional(caches_prompt=True)
    assert asked_for(plain) == []
    Capabilities(frozenset()).check(plain, "mine")
    assert text_of(await ask(ExtractiveReader(), plain)) == ""


def script(_: ChatRequest) -> list[str | ChatDelta | ModelInterrupted]:
    """Text, a tool call and an end of its own."""
    call = ToolCallPiece(index=0, id="c1", name="tide", arguments="{}")
    return ["Let me look.", ChatDelta(tool_calls=(call,)), ChatDelta(finish_reason="tool_calls")]


async def test_a_script_says_all_that_a_model_can() -> None:
    """Deltas stand in a script as they are; one that lacks something says so, too."""
    deltas = await ask(ScriptedModel("mine", script), optional(tools=(TOOL,)))
    assert (text_of(deltas), calls_of(deltas)) == ("Let me look.", [("c1", "tide", "{}")])
    assert [delta.finish_reason for delta in deltas] == [None, None, "tool_calls"]
    model = ScriptedModel("mine", script, capabilities=NOTHING)
    with pytest.raises(Unsupported, match="'mine' doesn't take tools"):
        await ask(model, optional(tools=(TOOL,)))
    assert model.requests == []
