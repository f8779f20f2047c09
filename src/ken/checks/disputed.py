"""Which statements of the passages found for a question disagree on what the question asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations

from ken.checks.claims import can_be_disputed, topic
from ken.checks.conflict import disagreement
from ken.domain.conflict import Disagreement, Statement
from ken.domain.document import Evidence, Sentence
from ken.domain.standing import Standing
from ken.text.headings import headings_at
from ken.text.markup import CELL_SEPARATOR
from ken.text.tokens import STOP_WORDS

_LOOKED_AT = 24
"""Statements compared, those nearest to the question."""
_COVERAGE_COUNTS = 0.5
_BEHIND = 0.35
"""How far a statement may lie behind the nearest one and still be about the question."""
_SAME_QUESTION = 0.5
"""Share of the question's words that two statements hold between them which both must hold."""
_SHARED = 3
"""Words that two statements share at least where they disagree, those of two table rows excepted."""
_WORD = re.compile(r"[^\W_]{2,}")
_NAME = re.compile(r"(?<=[\w,] )[A-Z]\w+|\b\w*\d\w*\b")


def disputed(
    question: str, evidence: Sequence[Evidence], *, standings: Mapping[str, Standing]
) -> tuple[Disagreement, ...]:
    """The disagreements between documents in force on what is asked, the surest first.

    Both statements must answer the question, and hold the same of its words: what one document says of Berlin doesn't
    contradict what another says of London.
    """
    near = _near([item for item in evidence if item.document.id not in standings])
    asked = topic(question)
    found: list[Disagreement] = []
    for (item, one), (other_item, other) in combinations(near, 2):
        if item.document.id != other_item.document.id and _may_disagree(one.text, other.text):
            first, second = statement_of(item, one), statement_of(other_item, other)
            if _answer_the_same(question, asked & _told(first), asked & _told(second)):
                each = disagreement(first, second)
                found += [each] if each is not None else []
    return tuple(sorted(found, key=lambda each: -each.shared))


def _near(evidence: Sequence[Evidence]) -> list[tuple[Evidence, Sentence]]:
    """The sentences nearest to the question, with their passages."""
    scored = sorted(((_score(sentence), item, sentence) for item, sentence in _sentences(evidence)), key=_first)
    return [(item, sentence) for score, item, sentence in reversed(scored) if score >= scored[-1][0] - _BEHIND][
        :_LOOKED_AT
    ]


def _first(scored: tuple[float, Evidence, Sentence]) -> float:
    return scored[0]


def _may_disagree(one: str, other: str) -> bool:
    """Whether two statements share enough words to be looked at; cheap, and never a no where they disagree."""
    shared = len(_beginnings(one) & _beginnings(other))
    is_rows = CELL_SEPARATOR in one and CELL_SEPARATOR in other
    return shared >= (1 if is_rows else _SHARED) and can_be_disputed(one) and can_be_disputed(other)


@lru_cache(maxsize=32_768)
def _beginnings(text: str) -> frozenset[str]:
    """The first three letters of each word: what has one stem has one beginning."""
    return frozenset(word[:3] for word in _WORD.findall(text.lower()) if word not in STOP_WORDS)


def _told(statement: Statement) -> frozenset[str]:
    """The words that a statement stands for, those above it included."""
    return topic(statement.text).union(topic(statement.title), *map(topic, statement.headings))


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
