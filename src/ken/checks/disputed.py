"""Which statements of the passages found for a question disagree on what the question asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from ken.checks.claims import can_be_disputed, topic
from ken.checks.conflict import disagreement
from ken.domain.conflict import Disagreement, Statement
from ken.domain.document import Evidence, Sentence
from ken.domain.standing import Standing
from ken.text.headings import headings_at

_LOOKED_AT = 24
"""Statements compared, those nearest to the question."""
_COVERAGE_COUNTS = 0.5
_BEHIND = 0.35
"""How far a statement may lie behind the nearest one and still be about the question."""
_SAME_QUESTION = 0.5
"""Share of the question's words that two statements hold between them which both must hold."""
_NAME = re.compile(r"(?<=[\w,] )[A-Z]\w+|\b\w*\d\w*\b")


def disputed(
    question: str, evidence: Sequence[Evidence], *, standings: Mapping[str, Standing]
) -> tuple[Disagreement, ...]:
    """The disagreements between documents in force on what is asked, the surest first.

    Both statements must answer the question, and hold the same of its words: what one document says of Berlin doesn't
    contradict what another says of London.
    """
    near = _near(question, [item for item in evidence if item.document.id not in standings])
    found = [
        each
        for (first, one), (second, other) in combinations(near, 2)
        if _answer_the_same(question, one, other) and (each := disagreement(first, second)) is not None
    ]
    return tuple(sorted(found, key=lambda each: -each.shared))


def _near(question: str, evidence: Sequence[Evidence]) -> list[tuple[Statement, frozenset[str]]]:
    """The statements nearest to the question, each with those of the question's words that it stands for."""
    asked = topic(question)
    scored = sorted(
        ((_score(sentence), item, sentence) for item, sentence in _sentences(evidence)), key=lambda each: -each[0]
    )
    near = [each for each in scored if each[0] >= scored[0][0] - _BEHIND][:_LOOKED_AT]
    found: list[tuple[Statement, frozenset[str]]] = []
    for _, item, sentence in near:
        if can_be_disputed(sentence.text):
            statement = statement_of(item, sentence)
            told = (topic(part) for part in (statement.title, *statement.headings, statement.text))
            found.append((statement, asked & frozenset[str]().union(*told)))
    return found


def _sentences(evidence: Sequence[Evidence]) -> Iterator[tuple[Evidence, Sentence]]:
    for item in evidence:
        for sentence in item.sentences:
            if not sentence.is_code and not sentence.text.endswith("?"):
                yield item, sentence


def _score(sentence: Sentence) -> float:
    return sentence.similarity + _COVERAGE_COUNTS * sentence.coverage


def statement_of(item: Evidence, sentence: Sentence) -> Statement:
    """A sentence of a passage with what it stands under."""
    passage = item.passage
    return Statement(
        document_id=passage.document_id,
        text=sentence.text,
        title=item.document.title,
        headings=headings_at(passage.text, passage.heading_path, at=sentence.start - passage.start),
        start=sentence.start,
        end=sentence.end,
    )


def _answer_the_same(question: str, one: frozenset[str], other: frozenset[str]) -> bool:
    common, either = one & other, one | other
    if not common or len(common) < _SAME_QUESTION * len(either):
        return False
    named = frozenset(stem for match in _NAME.finditer(question) for stem in topic(match[0]))
    return not named & (either - common)
