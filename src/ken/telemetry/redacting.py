"""Traces and spans without secrets and, by policy, personal data: what every sink gets, the store first."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from ken.domain.answer import Citation
from ken.domain.trace import Scalar, Span, Trace
from ken.storage.answer_json import dump_citations, load_citations
from ken.text.redaction import SECRET, Redacted, RedactionPolicy, redact, redacted

_SECRET_NAME = re.compile(
    r"(?i)(?:^|[._\-])(?:authorization|cookie|password|passwd|pwd|secret|token|api[_-]?key|x-api-key|access[_-]?key|private[_-]?key)$"
)
"""Attributes whose value goes whatever it looks like."""

_NONE = "[]"
_NAMES = 4_096
_LONG = 200
"""Characters from which on a text is looked through a paragraph at a time: prompts hold the same passages again and again."""
_GENERATION = 8_192
_KEY = "-----BEGIN "
_GOES_ON = (":", "=", ">", '"', "'", "`", " is")


class _Known:
    """Texts that were looked through and hold nothing, by their hashes: the last 8,192 to 16,384 of them. A race forgets some."""

    def __init__(self) -> None:
        self._young: set[int] = set()
        self._old: set[int] = set()

    def __contains__(self, text: str) -> bool:
        key = hash(text)
        if key in self._young:
            return True
        if key not in self._old:
            return False
        self._young.add(key)
        return True

    def add(self, text: str) -> None:
        if len(self._young) >= _GENERATION:
            self._young, self._old = set(), self._young
        self._young.add(hash(text))


def _paragraphs(text: str) -> list[str]:
    """The parts of a text of which no secret reaches from one into the next: a key in many lines is one, with what goes on after it."""
    if _KEY in text:
        return [text]
    parts: list[str] = []
    for part in text.split("\n\n"):
        if parts and parts[-1].rstrip().endswith(_GOES_ON):
            parts[-1] += f"\n\n{part}"
        else:
            parts.append(part)
    return parts


@lru_cache(maxsize=_NAMES)
def _names_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Redacts by one policy. Ids, names of stages and of principals, and figures are left: by them the record is read and deleted."""

    def __init__(self, policy: RedactionPolicy = "secrets") -> None:
        self.policy: RedactionPolicy = policy
        self._known = _Known()

    def text(self, text: str) -> str:
        """A text for people or models: a question, a message of the log, a name that somebody else gave."""
        if not text or text in self._known:
            return text
        if len(text) >= _LONG and all(self._is_clean(each) for each in _paragraphs(text)):
            return text
        left = redact(text, self.policy)
        if left == text:
            self._known.add(text)
        return left

    def _is_clean(self, paragraph: str) -> bool:
        if paragraph in self._known:
            return True
        if redact(paragraph, self.policy) != paragraph:
            return False
        self._known.add(paragraph)
        return True

    def value(self, name: str, value: Scalar) -> Scalar:
        """The value of an attribute of this name."""
        if not isinstance(value, str) or not value:
            return value
        return SECRET if _names_secret(name) else self.text(value)

    def span(self, span: Span) -> Span:
        """A span, Ken's own or somebody else's: its name and its attributes."""
        attributes = tuple((name, self.value(name, value)) for name, value in span.attributes)
        name = self.text(span.name)
        return (
            span
            if attributes == span.attributes and name == span.name
            else replace(span, name=name, attributes=attributes)
        )

    def trace(self, trace: Trace) -> Trace:
        """A whole trace. A citation stays tied to its sentence and quotes what is left of it."""
        is_clean = self.text(trace.answer) == trace.answer
        answer = Redacted(trace.answer) if is_clean else redacted(trace.answer, self.policy)
        return replace(
            trace,
            question=self.text(trace.question),
            answer=answer.text,
            citations=self._citations(trace.citations, answer),
            prompt=self.json(trace.prompt),
            error=self.text(trace.error),
            spans=tuple(self.span(span) for span in trace.spans),
        )

    def json(self, text: str) -> str:
        """JSON with each text in it redacted: still JSON, as a secret may end in the quote that a text ends with."""
        if not text:
            return text
        try:
            value: object = json.loads(text)
        except ValueError:
            return self.text(text)
        within = self._within(value)
        return text if within == value else json.dumps(within, ensure_ascii=False, separators=(",", ":"))

    def _within(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case list():
                return [self._within(each) for each in cast("list[object]", value)]
            case dict():
                named = cast("dict[str, object]", value)
                return {
                    name: self.value(name, each) if isinstance(each, str) else self._within(each)
                    for name, each in named.items()
                }
            case _:
                return value

    def _citations(self, citations: str, answer: Redacted) -> str:
        if citations == _NONE:
            return citations
        if not answer.edits and self.json(citations) == citations:
            return citations
        return dump_citations(self._moved(load_citations(citations), answer))

    def _moved(self, citations: Sequence[Citation], answer: Redacted) -> list[Citation]:
        return [
            replace(
                citation,
                answer_start=answer.moved(citation.answer_start),
                answer_end=answer.moved(citation.answer_end),
                quote=self.text(citation.quote),
                document_title=self.text(citation.document_title),
                heading_path=tuple(self.text(each) for each in citation.heading_path),
            )
            for citation in citations
        ]
