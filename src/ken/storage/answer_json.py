"""Citations and whole answers as JSON, as they lie in the database."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from ken.domain.answer import Answer, Citation

_CITATIONS = TypeAdapter(tuple[Citation, ...])
_ANSWER = TypeAdapter(Answer)


def dump_citations(citations: Sequence[Citation]) -> str:
    """Write citations as a JSON array, as `Trace.citations` holds it."""
    return _CITATIONS.dump_json(tuple(citations)).decode()


def load_citations(text: str) -> tuple[Citation, ...]:
    """Read `Trace.citations`; empty where another version of Ken wrote it in a shape that this one doesn't know."""
    try:
        return _CITATIONS.validate_json(text)
    except ValidationError:
        return ()


def dump_answer(answer: Answer) -> str:
    """Write an answer with all that was shown with it as a JSON object."""
    return _ANSWER.dump_json(answer).decode()


def load_answer(text: str) -> Answer | None:
    """Read what `dump_answer` wrote; None where another version of Ken wrote it in a shape that this one doesn't know."""
    try:
        return _ANSWER.validate_json(text)
    except ValidationError:
        return None
