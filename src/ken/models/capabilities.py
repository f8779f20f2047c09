"""What a provider has beside text, and the check that nothing else is asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from ken.domain.answer import Image
from ken.errors import Unsupported
from ken.models.chat import ChatRequest

Feature = Literal[
    "tools",
    "parallel_tool_calls",
    "images",
    "json_schema",
    "json_object",
    "logprobs",
    "seed",
    "stop",
    "top_p",
    "top_k",
    "penalties",
    "logit_bias",
    "reasoning_effort",
    "extra",
]
"""What may be asked of a model beside text, a length and a temperature. `json_object` is a JSON object of any shape."""

FEATURES: frozenset[Feature] = frozenset(get_args(Feature))

_TOLD: dict[Feature, tuple[str, str]] = {
    "tools": ("tools", "tools"),
    "parallel_tool_calls": ("a word on parallel tool calls", "parallel_tool_calls"),
    "images": ("images", "messages"),
    "json_schema": ("a JSON schema for its answer", "response_format"),
    "json_object": ("JSON without a schema", "response_format"),
    "logprobs": ("logprobs", "logprobs"),
    "seed": ("a seed", "seed"),
    "stop": ("stop sequences", "stop"),
    "top_p": ("top_p", "top_p"),
    "top_k": ("top_k", "top_k"),
    "penalties": ("frequency and presence penalties", "frequency_penalty"),
    "logit_bias": ("a logit bias", "logit_bias"),
    "reasoning_effort": ("a reasoning effort", "reasoning_effort"),
    "extra": ("parameters of another provider", ""),
}
"""In words for people, and the parameter that asks for it."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The features that a model has."""

    features: frozenset[Feature] = FEATURES

    def without(self, lacked: Iterable[Feature]) -> Capabilities:
        """The same but for these."""
        return Capabilities(self.features.difference(lacked))

    def lacking(self, request: ChatRequest) -> list[Feature]:
        """What is asked for and not there, in the order of `Feature`."""
        return [feature for feature in asked_for(request) if feature not in self.features]

    def check(self, request: ChatRequest, name: str) -> None:
        """Raise Unsupported, which names the model, what it lacks and the remedy, where something is asked for that isn't there."""
        lacking = self.lacking(request)
        if not lacking:
            return
        words, parameter = _TOLD[lacking[0]]
        if lacking[0] == "extra":
            words, parameter = f"the parameter {next(iter(request.options.extra))!r}", next(iter(request.options.extra))
        raise Unsupported(
            f"The model {name!r} doesn't take {words}. Ask without, or choose a model that does: docs/guides/providers.md "
            "lists what each kind of provider has.",
            param=parameter,
        )


NOTHING = Capabilities(frozenset())
"""Text alone."""


def asked_for(request: ChatRequest) -> list[Feature]:
    """What a request asks for beside text, in the order of `Feature`."""
    options = request.options
    schema = options.json_schema
    asked: dict[Feature, object] = {
        "tools": options.tools or any(message.tool_calls or message.role == "tool" for message in request.messages),
        "parallel_tool_calls": options.parallel_tool_calls is not None,
        "images": any(isinstance(part, Image) for message in request.messages for part in message.parts),
        "json_schema": schema,
        "json_object": schema is not None and not schema,
        "logprobs": options.logprobs or options.top_logprobs,
        "seed": options.seed is not None,
        "stop": options.stop,
        "top_p": options.top_p is not None,
        "top_k": options.top_k is not None,
        "penalties": options.frequency_penalty is not None or options.presence_penalty is not None,
        "logit_bias": options.logit_bias,
        "reasoning_effort": options.reasoning_effort,
        "extra": options.extra,
    }
    return [feature for feature, is_asked in asked.items() if is_asked]
