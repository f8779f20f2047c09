"""What the assistant adds to its answers at other clients' wires: the `ken` field, and the sources below the text."""

from __future__ import annotations

from collections.abc import Sequence

from ken.domain.answer import Answer
from ken.service.shapes import ChoiceShape, CitationShape, ConflictShape, DocumentShape, object_of
from ken.text.sources import source_lines


def ken_field(answer: Answer, unused: Sequence[str]) -> dict[str, object]:
    """The field; `unused` says what of the request had no effect."""
    return {
        "trace_id": answer.trace_id,
        "outcome": answer.outcome,
        "citations": [object_of(CitationShape.model_validate(each)) for each in answer.citations],
        "nearest": [object_of(DocumentShape.model_validate(each)) for each in answer.nearest],
        "conflicts": [object_of(ConflictShape.model_validate(each)) for each in answer.conflicts],
        "choices": [object_of(ChoiceShape.model_validate(each)) for each in answer.choices],
        "notices": [*answer.notices, *unused],
        "model": answer.model,
        "cost_micros": answer.cost_micros,
        "cached": answer.cached,
        "original_trace_id": answer.original_trace_id,
        "confidence": answer.confidence,
    }


def sources_below(answer: Answer) -> str:
    """What the numbers in the text stand for: a client that knows no `ken` field has nothing else to tell it."""
    lines = source_lines(answer.citations)
    return "\n\nSources:\n" + "\n".join(lines) if lines else ""
