"""Citations as JSON, as they lie in the database."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from ken.domain.answer import Citation

_CITATIONS = TypeAdapter(tuple[Citation, ...])


def dump_citations(citations: Sequence[Citation]) -> str:
    """Write citations as a JSON array, as `Trace.citations` holds it."""
    return _CITATIONS.dump_json(tuple(citations)).decode()


def load_citations(text: str) -> tuple[Citation, ...]:
    """Read `Trace.citations`; empty where another version of Ken wrote it in a shape that this one doesn't know."""
    try:
        return _CITATIONS.validate_json(text)
    except ValidationError:
        return ()
