"""One table: what each of Ken's spans is called in OpenTelemetry, and where each attribute comes from.

Names are those of the GenAI semantic conventions v1.41.1 (`model/gen-ai/spans.yaml`). With `gen_ai_latest_experimental` in
OTEL_SEMCONV_STABILITY_OPT_IN they are those of the repository that took the conventions over (`semantic-conventions-genai`,
`migration.md`), as far as they differ. What the conventions have no word for stands under `ken.`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from ken.domain.trace import Scalar, Span, Trace

Convention = Literal["1.41.1", "latest"]
OPT_IN = "gen_ai_latest_experimental"
"""The word that asks for `latest`."""
SCHEMA_URLS: dict[Convention, str] = {"1.41.1": "https://opentelemetry.io/schemas/1.41.1", "latest": ""}
"""The newer set has no released version yet that one could name."""
Kind = Literal["INTERNAL", "CLIENT"]
Value = str | int | float | bool | tuple[str, ...]
Source = Literal["span", "trace", "always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of an exported span."""

    name: str
    source: Source
    """Of Ken's span; of its trace; the same for all."""
    key: str
    """Which attribute or field; where it is the same for all, the value."""
    form: str = ""
    """How the value is made of that: a word of `FORMS`."""
    newer: tuple[str, ...] | None = None
    """Its names in the newer set; None: the same."""
    is_content: bool = False
    """It may hold what people wrote or read: sent only where the operator says so."""
    about: str = ""

    def names(self, convention: Convention) -> tuple[str, ...]:
        """What it is called; nothing where the set doesn't have it."""
        return (self.name,) if convention == "1.41.1" or self.newer is None else self.newer


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """How one kind of Ken's spans is exported."""

    span: str
    """Its name in Ken; `*` stands for every other."""
    operation: str = ""
    """Of the spans with that name, those whose attribute `operation` is this."""
    name: str
    """In OpenTelemetry; `{attribute}` is replaced, and left out where there is none."""
    kind: Kind = "INTERNAL"
    attributes: tuple[Attribute, ...] = ()
    about: str = ""


def _of(name: str, key: str, form: str = "", *, about: str = "", newer: tuple[str, ...] | None = None) -> Attribute:
    return Attribute(name=name, source="span", key=key, form=form, newer=newer, about=about)


def _trace(name: str, key: str, form: str = "", *, about: str = "", is_content: bool = False) -> Attribute:
    return Attribute(name=name, source="trace", key=key, form=form, about=about, is_content=is_content)


def _always(name: str, value: str) -> Attribute:
    return Attribute(name=name, source="always", key=value)


def _content(name: str, key: str, form: str = "") -> Attribute:
    return Attribute(name=name, source="span", key=key, form=form, is_content=True)


ROOT = Mapped(
    span="question",
    name="invoke_workflow {gen_ai.workflow.name}",
    about="the whole of a question, of a call of the plain gateway, of a sync: the span that has no parent in Ken",
    attributes=(
        _always("gen_ai.operation.name", "invoke_workflow"),
        _trace("gen_ai.workflow.name", "kind", about="`question`, `call`, `sync`, `eval`, `shadow`"),
        _trace("gen_ai.conversation.id", "conversation_id"),
        _trace("ken.outcome", "outcome", about="`answered`, `abstained`, `refused`, `asked_back`, `failed`"),
        _trace("ken.task_type", "task_type"),
        _trace("ken.category", "category"),
        _trace("ken.tier", "tier"),
        _trace("ken.model", "model", about="that answered, by its name in ken.toml"),
        _trace("ken.release", "release", about="the content hash of all that shapes an answer"),
        _trace("ken.corpus_version", "corpus_version"),
        _trace("ken.confidence", "confidence", about="0 to 1"),
        _trace("ken.cached", "cached", about="it was given before"),
        _trace("ken.escalated", "escalated"),
        _trace("ken.degraded", "degraded"),
        _trace("ken.failed_checks", "failed_checks", "words", about="heuristics that found a fault"),
        _trace("ken.ttft", "ttft_ms", "seconds", about="seconds to the first piece that was shown"),
        _trace(
            "ken.input_tokens", "input_tokens", about="of all calls together; they are not repeated as `gen_ai.usage.`"
        ),
        _trace("ken.output_tokens", "output_tokens"),
        _trace(
            "ken.cost", "cost_micros", "money", about="of all calls together, in USD; absent where a price is unknown"
        ),
        _trace("user.id", "principal", is_content=True),
        _trace("gen_ai.input.messages", "question", "user message", is_content=True),
        _trace("gen_ai.output.messages", "answer", "assistant message", is_content=True),
    ),
)

_USAGE = (
    _of("gen_ai.usage.input_tokens", "input_tokens", about="with those that the provider had cached"),
    _of("gen_ai.usage.output_tokens", "output_tokens", about="with those of its thoughts"),
    _of("gen_ai.usage.cache_read.input_tokens", "cache_read_tokens"),
    _of(
        "gen_ai.usage.cache_creation.input_tokens",
        "cache_write_tokens",
        newer=("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        about="under both names in the newer set, as collectors read the old one",
    ),
    _of("gen_ai.usage.reasoning.output_tokens", "reasoning_tokens"),
    _of(
        "gen_ai.usage.cost",
        "cost_micros",
        "money",
        newer=("gen_ai.usage.cost", "gen_ai.usage.cost.amount"),
        about="in USD; absent where the price is unknown",
    ),
    Attribute(
        name="gen_ai.usage.cost.currency",
        source="span",
        key="cost_micros",
        form="currency",
        newer=("gen_ai.usage.cost.currency",),
    ),
    Attribute(
        name="gen_ai.usage.cost.source",
        source="span",
        key="cost_micros",
        form="local",
        newer=("gen_ai.usage.cost.source",),
    ),
    _of("ken.usage.estimated", "estimated", about="the provider didn't say what it used: Ken counted"),
)
_NEWER_ONLY = frozenset({"gen_ai.usage.cost.currency", "gen_ai.usage.cost.source"})

_CALLED = (
    _of("gen_ai.provider.name", "provider"),
    _of("gen_ai.request.model", "called", about="what its endpoint calls it"),
    _of("gen_ai.response.model", "response_model"),
    _of("server.address", "server_address"),
    _of("server.port", "server_port"),
    _of("ken.model", "model", about="its name in ken.toml"),
    _of("ken.call_id", "call_id", about="of its row in the ledger"),
)

CHAT = Mapped(
    span="call",
    operation="chat",
    name="chat {gen_ai.request.model}",
    kind="CLIENT",
    about="one request to a chat model; what `traceparent` names to its server. INTERNAL for the reader, which runs in Ken itself",
    attributes=(
        _always("gen_ai.operation.name", "chat"),
        *_CALLED,
        _of("gen_ai.request.max_tokens", "max_tokens"),
        _of("gen_ai.request.temperature", "temperature", "double"),
        _of("gen_ai.request.top_p", "top_p", "double"),
        _of("gen_ai.request.seed", "seed"),
        _of("gen_ai.request.stream", "stream"),
        _of("gen_ai.output.type", "output_type"),
        _of("gen_ai.response.id", "response_id"),
        _of("gen_ai.response.finish_reasons", "finish_reason", "words"),
        _of("gen_ai.response.time_to_first_chunk", "ttft_ms", "seconds"),
        _trace("gen_ai.input.messages", "prompt", "prompt", is_content=True),
        *_USAGE,
        _of("ken.call.tool_calls", "tool_calls", "words", about="ids of the tool calls that the model asked for"),
        _of("ken.call.chunks", "chunks", about="pieces that the answer came in"),
    ),
)
EMBEDDINGS = Mapped(
    span="call",
    operation="embeddings",
    name="embeddings {gen_ai.request.model}",
    kind="CLIENT",
    about="one batch of texts to an embedder",
    attributes=(
        _always("gen_ai.operation.name", "embeddings"),
        *_CALLED,
        _of("gen_ai.embeddings.dimension.count", "dimensions"),
        *_USAGE,
        _of("ken.call.texts", "texts"),
    ),
)
RERANK = Mapped(
    span="call",
    operation="rerank",
    name="rerank {gen_ai.request.model}",
    kind="CLIENT",
    about="one question and its candidates to a reranker; the conventions have no such operation",
    attributes=(_always("gen_ai.operation.name", "rerank"), *_CALLED, *_USAGE, _of("ken.call.texts", "texts")),
)
RETRIEVE = Mapped(
    span="retrieve",
    name="retrieval {gen_ai.data_source.id}",
    kind="CLIENT",
    about="the search; its other figures stand under `ken.retrieve.`",
    attributes=(
        _always("gen_ai.operation.name", "retrieval"),
        _always("gen_ai.data_source.id", "ken"),
        _always("ken.stage", "retrieve"),
        _of("gen_ai.request.top_k", "top_k", "double", newer=("gen_ai.retrieval.top_k",)),
        _trace("gen_ai.retrieval.query.text", "question", is_content=True),
        _trace("gen_ai.retrieval.documents", "evidence", "documents", is_content=True),
    ),
)
TOOL = Mapped(
    span="execute_tool",
    name="execute_tool {gen_ai.tool.name}",
    about="a tool at work; linked to the `chat` span that asked for it",
    attributes=(
        _always("gen_ai.operation.name", "execute_tool"),
        _of("gen_ai.tool.name", "tool"),
        _of("gen_ai.tool.call.id", "tool_call_id"),
        _of("gen_ai.tool.type", "tool_type"),
        _content("gen_ai.tool.call.arguments", "arguments"),
        _content("gen_ai.tool.call.result", "result"),
    ),
)
AGENT = Mapped(
    span="invoke_agent",
    name="invoke_agent {gen_ai.agent.name}",
    about="an agent's work as a whole",
    attributes=(
        _always("gen_ai.operation.name", "invoke_agent"),
        _of("gen_ai.agent.name", "agent"),
        _of("gen_ai.agent.id", "agent_id", newer=()),
    ),
)
RECALL = Mapped(
    span="recall",
    name="ken.recall",
    about="whether an answer given before may be given again; its facts stand under `ken.recall.`",
    attributes=(
        _always("ken.stage", "recall"),
        _of("ken.cache.decision", "decision", about="`exact`, `similar`, `refused`, `miss`, ..."),
        _of("ken.cache.similarity", "similarity"),
        _of("ken.cache.original_trace", "original_trace", about="the trace that the answer was made in"),
    ),
)
ROUTE = Mapped(
    span="route",
    name="ken.route",
    about="which tier answers, and why; its facts stand under `ken.route.`",
    attributes=(_always("ken.stage", "route"), _of("ken.route.tier", "tier"), _of("ken.route.reason", "reason")),
)


def _stage(stage: str, about: str, *attributes: Attribute) -> Mapped:
    return Mapped(span=stage, name=f"ken.{stage}", about=about, attributes=(_always("ken.stage", stage), *attributes))


STAGES = (
    _stage("intake", "validation, and the conversation's window"),
    _stage("screen", "the rail for questions"),
    _stage("classify", "task type and category"),
    _stage("assemble", "the prompt within its token plan", _of("ken.assemble.template", "template")),
    _stage("generate", "the answer as it is written; the model's calls stand under it", _of("ken.model", "model")),
    _stage("verify", "each sentence against the passages; `ken.verify.checking_ms` is its own work"),
    _stage(
        "settle",
        "the checks of the whole answer (`ken.settle.checks_ms`), cost, cache (`ken.settle.cache_ms`), record",
        _of("ken.settle.cache", "cache", about="what became of the answer in the cache"),
    ),
)
ATTEMPT = Mapped(
    span="attempt",
    name="ken.attempt",
    about="one try at a model, with its wait for a turn; `ken.attempt.number` above 1 is a retry",
    attributes=(
        _of("ken.attempt.number", "number"),
        _of("ken.attempt.reason", "reason", about="why the try before it failed"),
        _of("ken.attempt.wait", "wait_ms", "seconds", about="seconds of backoff before it"),
        _of("ken.model", "model"),
    ),
)
QUEUE = Mapped(
    span="queue",
    name="ken.queue",
    about="the wait for a turn at a limit",
    attributes=(
        _of("ken.queue.wait", "queue_ms", "seconds"),
        _of("ken.queue.ahead", "ahead", about="requests that were before it"),
        _of("ken.model", "model"),
    ),
)
HEDGE = Mapped(
    span="hedge",
    name="ken.hedge",
    about="a second request, as the first was late",
    attributes=(_of("ken.hedge.after", "after_ms", "seconds"), _of("ken.model", "model")),
)
FALLBACK = Mapped(
    span="fallback",
    name="ken.fallback",
    about="the moment at which another model took over",
    attributes=(_of("ken.fallback.failed", "failed"), _of("ken.fallback.reason", "reason"), _of("ken.model", "model")),
)
COALESCE = Mapped(
    span="coalesce",
    name="ken.coalesce",
    about="requests that ask the same at the same moment, asked once",
    attributes=(_of("ken.coalesce.leader", "leader", about="the trace whose call it was"), _of("ken.model", "model")),
)
EMBED = Mapped(span="embed", name="ken.embed", about="an application's texts", attributes=(_of("ken.model", "model"),))
OTHERS = Mapped(
    span="*", name="ken.{span}", about="any other span: a step of a stage, of a sync, what was said of an answer"
)

TABLE: tuple[Mapped, ...] = (
    ROOT, CHAT, EMBEDDINGS, RERANK, RETRIEVE, TOOL, AGENT, RECALL, ROUTE, *STAGES, ATTEMPT, QUEUE, HEDGE, FALLBACK, COALESCE, EMBED, OTHERS,
)  # fmt: skip

ERROR_TYPE = "error.type"
"""On every span that failed: the kind of failure as metrics count it (`429`, `timeout`), else the error's class."""
OTHER_ATTRIBUTES = "ken.{span}.{attribute}"
"""What an attribute of Ken's span is called that the table doesn't name. Numbers and yes or no are sent; words, which may be
anybody's, are content."""
_OWN = frozenset({"error", "failure", "operation"})
"""Attributes that `error.type` and the choice of a row are made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A span as it goes out, but for ids, times and resource, which stay as they are."""

    name: str
    kind: Kind
    attributes: dict[str, Value]


def exported(span: Span, trace: Trace, *, convention: Convention = "1.41.1", content: bool = False) -> Exported:
    """What the table makes of a span. `content` lets attributes through that may hold what people wrote or read."""
    facts = dict(span.attributes)
    row = row_of(span, facts)
    told: dict[str, Value] = {}
    taken = set(_OWN)
    for attribute in row.attributes:
        taken.add(attribute.key if attribute.source == "span" else "")
        if attribute.is_content and not content:
            continue
        if attribute.name in _NEWER_ONLY and convention == "1.41.1":
            continue
        value = _value(attribute, facts, trace)
        if value is not None:
            told.update(dict.fromkeys(attribute.names(convention), value))
    for key, value in facts.items():
        if key not in taken and (content or not isinstance(value, str)) and value is not None:
            told[f"ken.{span.name}.{key}"] = value
    if span.status == "error":
        told[ERROR_TYPE] = str(facts.get("failure") or facts.get("error") or "_OTHER")
    kind: Kind = "INTERNAL" if row.span == "call" and "server_address" not in facts else row.kind
    return Exported(name=_name(row, span, told), kind=kind, attributes=told)


def row_of(span: Span, facts: Mapping[str, Scalar]) -> Mapped:
    """The row of a span."""
    if span.parent_id is None:
        return ROOT
    if span.name == "call":
        return _CALLS.get(str(facts.get("operation")), CHAT)
    return _BY_NAME.get(span.name, OTHERS)


_CALLS = {row.operation: row for row in TABLE if row.operation}
_BY_NAME = {row.span: row for row in TABLE if not row.operation}


def _name(row: Mapped, span: Span, told: Mapping[str, Value]) -> str:
    if row is OTHERS:
        return f"ken.{span.name}"
    fixed, brace, placed = row.name.partition("{")
    return f"{fixed}{told.get(placed[:-1], '') if brace else ''}".strip()


def _value(attribute: Attribute, facts: Mapping[str, Scalar], trace: Trace) -> Value | None:
    if attribute.source == "always":
        return attribute.key
    found: object = facts.get(attribute.key) if attribute.source == "span" else getattr(trace, attribute.key)
    if found is None or found in ("", ()):
        return None
    return FORMS[attribute.form](found)


def _plain(found: object) -> Value | None:
    return found if isinstance(found, str | int | float) else str(found)


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) else None


def _scaled(by: float) -> Callable[[object], Value | None]:
    def scaled(found: object) -> Value | None:
        number = _number(found)
        return None if number is None else number / by

    return scaled


def _words(found: object) -> Value | None:
    return tuple(found.split(",")) if isinstance(found, str) else tuple(str(each) for each in _each(found))


def _each(found: object) -> Iterator[object]:
    if isinstance(found, tuple):
        yield from found  # pyright: ignore[reportUnknownVariableType] - whatever it holds is written as text


def _message(role: str) -> Callable[[object], Value | None]:
    """A text in the shape of `gen_ai.input.messages` (its JSON schema, v1.41.1)."""

    def message(found: object) -> Value | None:
        told: dict[str, object] = {"role": role, "parts": [{"type": "text", "content": str(found)}]}
        if role == "assistant":
            told["finish_reason"] = "stop"
        return json.dumps([told], ensure_ascii=False)

    return message


def _prompt(found: object) -> Value | None:
    """What a model was given, in the same shape: Ken keeps it as JSON of roles and contents."""
    try:
        kept = cast("object", json.loads(str(found)))
    except ValueError:  # redacted to something else than it was
        return None
    messages = (
        [cast("dict[str, object]", each) for each in cast("list[object]", kept)] if isinstance(kept, list) else []
    )
    told = [
        {"role": each.get("role"), "parts": [{"type": "text", "content": each.get("content")}]} for each in messages
    ]
    return json.dumps(told, ensure_ascii=False)


def _documents(found: object) -> Value | None:
    """Passages in the shape of `gen_ai.retrieval.documents`."""
    told = [{"id": getattr(one, "passage_id", ""), "score": getattr(one, "relevance", 0.0)} for one in _each(found)]
    return json.dumps(told)


FORMS: dict[str, Callable[[object], Value | None]] = {
    "": _plain,
    "double": _number,
    "seconds": _scaled(1000.0),
    "money": _scaled(1_000_000.0),
    "words": _words,
    "user message": _message("user"),
    "assistant message": _message("assistant"),
    "prompt": _prompt,
    "documents": _documents,
    "currency": lambda _: "USD",
    "local": lambda _: "local",
}
"""How values are made: milliseconds become seconds, millionths units, a list of words an array of them."""
