"""What goes to a chat model and what comes back, in no provider's shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ken.domain.answer import Message, TaskType
from ken.domain.call import CallContext
from ken.domain.conflict import Disagreement
from ken.domain.deadline import Deadline
from ken.domain.document import Evidence
from ken.domain.standing import Period, Standing
from ken.domain.usage import Usage
from ken.domain.wire import Json

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "abstain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the model may ask to have called."""

    name: str
    description: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """The JSON schema of its arguments."""
    strict: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """What may be asked of a model beside text. None and empty ask for nothing.

    A provider that lacks one raises Unsupported before the call.
    """

    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    """`auto`, `none`, `required`, or the name of a tool."""
    parallel_tool_calls: bool | None = None
    json_schema: Mapping[str, Json] | None = None
    """The answer is a JSON object of this schema; an empty schema stands for any object."""
    schema_name: str = ""
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    caches_prompt: bool = False
    """Hint: the prompt's beginning comes again; a provider that wants to be told which part is told."""
    extra: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """Parameters of one provider's wire that no other knows, passed on as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A prompt, and the question and evidence it was assembled from.

    A model behind a wire sends `messages`; the extractive reader reads `question` and `evidence` instead.
    """

    messages: tuple[Message, ...]
    question: str
    evidence: tuple[Evidence, ...]
    """In the order of the prompt: `evidence[0]` is cited as [1]."""
    deadline: Deadline
    task: TaskType = "lookup"
    answerable: float = 1.0
    """The search's estimate of the probability that the evidence holds the answer."""
    standings: Mapping[str, Standing] = field(default_factory=dict[str, Standing])
    """Of the documents that are not simply in force, by id."""
    period: Period | None = None
    """The time that the question asks about; None stands for now."""
    disagreements: tuple[Disagreement, ...] = ()
    """Between statements of the evidence, the surest first."""
    max_tokens: int | None = None
    temperature: float | None = 0.0
    """None leaves it to the provider."""
    options: ChatOptions = ChatOptions()
    begun: str = ""
    """What another model has written of this answer before it failed: the answer goes on behind it."""
    holds_sentences: bool = True
    """Text is passed on by the sentence, so that another model can go on at a border; else each piece as it comes."""
    is_streamed: bool = True
    """False: nobody reads along, so that a provider may be asked for the whole at once."""
    context: CallContext = field(default_factory=CallContext)

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the provider reads and bills."""
        asked = tuple(message.content for message in self.messages)
        called = tuple(call.arguments for message in self.messages for call in message.tool_calls)
        tools = tuple(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}" for tool in self.options.tools)
        return (*asked, *called, *tools, *((self.begun,) if self.begun else ()))

    @property
    def most_output_tokens(self) -> int | None:
        """The longest answer asked for; None: as long as the provider lets it become."""
        return self.max_tokens


def readable(text: str) -> str:
    """A text whose characters can be stored and sent: in the place of half a character stands the mark for one that is lost."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPiece:
    """A piece of a tool call as it streams: the first of an index has `id` and `name`, the arguments' JSON comes in pieces."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Switched:
    """Another model has taken over."""

    failed: str
    """The name of the one that did not (go on to) answer."""
    model: str
    """The name of the one that does."""
    reason: str
    """The error, in words for people."""


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """A piece of an answer. The last one carries the finish reason, and the usage where the provider tells it."""

    text: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    confidence: float | None = None
    """Where the model knows it: the probability that the evidence holds the answer."""
    reasoning: str = ""
    """Thoughts, where the provider sends them apart from the answer."""
    tool_calls: tuple[ToolCallPiece, ...] = ()
    logprobs: Json = None
    """As the provider sends them: OpenAI's `logprobs.content`."""
    switched: Switched | None = None
    """Set by the fallback: what follows is another model's."""
    is_whole: bool = False
    """Set by the fallback: `text` ends where a sentence does, whatever follows."""
    response_id: str = ""
    response_model: str = ""
    """What the provider says that it was answered by."""

    @property
    def carries(self) -> bool:
        """Whether the caller got a part of the answer with it."""
        return bool(self.text or self.reasoning or self.tool_calls)

    @property
    def written(self) -> str:
        """What of it is billed as output."""
        return self.text + self.reasoning + "".join(call.name + call.arguments for call in self.tool_calls)
