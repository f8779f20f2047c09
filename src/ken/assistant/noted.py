"""What the span of a stage keeps: enough to see later what went in, what came out, and how the prompt's room was used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from ken.assistant import recall, route
from ken.assistant.parts import Limits
from ken.assistant.turn import Turn
from ken.domain.answer import Question
from ken.domain.events import Stage
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.trace import Scalar
from ken.errors import InvalidInput
from ken.prompts.grounded import VERSION, Prompt

_COLLECTIONS = "collections"
_FILTERS = "filters"


def noted(stage: Stage, turn: Turn, *, limits: Limits, before: Prompt | None) -> Mapping[str, Scalar]:
    """The attributes of a stage's span, from what it set; `before` is the prompt that was there when it began."""
    told: dict[str, Scalar] = {}
    if stage == "intake":
        told |= _narrowed(turn.question)
    if stage == "classify":
        told |= {"task_type": turn.task, "category": turn.category}
        if turn.standalone != turn.text:
            told["standalone"] = turn.standalone
    if turn.prompt is not None and turn.prompt is not before:
        told |= _laid_out(turn.prompt, turn)
    if stage == "retrieve" and turn.result is not None:
        told |= {"top_k": route.passages(turn, limits.passages), "candidates": turn.result.candidates}
        told |= {f"{name}_ms": round(ms, 3) for name, ms in turn.result.timings_ms}
    if stage == "route":
        told |= route.attributes(turn)
    if stage == "recall" and turn.recalled is not None:
        told |= dict(recall.attributes(turn.recalled))
    return told


def narrowing(attributes: Mapping[str, Scalar]) -> tuple[frozenset[str] | None, Filters]:
    """Where a question was to be looked for, from the attributes of its intake. Raises InvalidInput for what can't be read."""
    try:
        named, filters = attributes.get(_COLLECTIONS), attributes.get(_FILTERS)
        collections = None if named is None else frozenset(cast("list[str]", json.loads(str(named))))
        return collections, NO_FILTERS if filters is None else _filters(json.loads(str(filters)))
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            "The record of where this question was to be looked for can't be read. Ask it anew."
        ) from error


def _narrowed(question: Question) -> dict[str, Scalar]:
    told: dict[str, Scalar] = {}
    if question.collections is not None:
        told[_COLLECTIONS] = json.dumps(sorted(question.collections), ensure_ascii=False)
    if question.filters != NO_FILTERS:
        told_of = cast("dict[str, frozenset[str] | str | None]", asdict(question.filters))
        said = {
            name: sorted(value) if isinstance(value, frozenset) else value for name, value in told_of.items() if value
        }
        told[_FILTERS] = json.dumps(said, ensure_ascii=False)
    if question.model is not None:
        told["model_asked"] = question.model
    return told


def _filters(told: dict[str, list[str] | str]) -> Filters:
    return Filters(**{name: frozenset(value) if isinstance(value, list) else value for name, value in told.items()})  # pyright: ignore[reportArgumentType] - as `_narrowed` wrote it


def _laid_out(prompt: Prompt, turn: Turn) -> dict[str, Scalar]:
    """The token plan, what each part took of it, and the passages that found no room."""
    told: dict[str, Scalar] = {f"plan_{part}_tokens": tokens for part, tokens in prompt.plan.told().items()}
    told |= {
        "prompt_tokens": prompt.tokens,
        "passages_tokens": prompt.evidence_tokens,
        "history_tokens": prompt.history_tokens,
        "earlier_tokens": prompt.earlier_tokens,
        "messages": len(prompt.messages),
        "passages": len(prompt.evidence),
        "left_out": prompt.left_out,
        "template": VERSION,
    }
    kept = {item.passage.id for item in prompt.evidence}
    found = turn.result.evidence if turn.result is not None else ()
    if out := [item for item in found if item.passage.id not in kept]:
        told["left_out_passages"] = json.dumps(
            [
                {"passage_id": item.passage.id, "document_id": item.document.id, "relevance": round(item.relevance, 4)}
                for item in out
            ],
            ensure_ascii=False,
        )
    return told
