"""The metrics, each a pure function of one case and what came back for it.

All texts are normalised first: Markdown marks and link targets dropped, white space folded, lower-cased.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ken.checks.support import SUPPORTED, support
from ken.domain.answer import Choice
from ken.evals.cases import Expected
from ken.text.markup import CELL_SEPARATOR
from ken.text.tokens import stem

_LINK_TARGET = re.compile(r"\]\([^)\n]*\)")
_MARKS = re.compile(r"[*_#>|~`\[\]]")
_SPACE = re.compile(r"\s+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")
_LIST_MARK = re.compile(r"^(?:[-+*•]|\d{1,3}[.)])\s+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_FACT_WORDS = 0.8
_NAME_WORD = re.compile(r"[a-z]+|\d+")
TOP = 5
"""Documents and passages that recall is measured in."""


def normalise(text: str) -> str:
    """Drop `* _ # > | ~`, backticks, square brackets and link targets, fold white space, lower the case."""
    return _SPACE.sub(" ", _MARKS.sub("", _LINK_TARGET.sub("]", text))).strip().lower()


def distinct(documents: Sequence[str]) -> list[str]:
    """Document ids in order of their first passage."""
    return list(dict.fromkeys(documents))


def document_recall(gold: Sequence[str], documents: Sequence[str]) -> float:
    """Share of gold documents among the first five distinct documents."""
    wanted = set(gold)
    return len(wanted & set(distinct(documents)[:TOP])) / len(wanted)


def top_document(gold: Sequence[str], documents: Sequence[str]) -> float:
    """1 where the first document is a gold one."""
    return float(bool(documents) and documents[0] in gold)


def reciprocal_rank(gold: Sequence[str], documents: Sequence[str]) -> float:
    """1 / rank of the first gold document among the first ten distinct ones, else 0."""
    for rank, document in enumerate(distinct(documents)[:10], start=1):
        if document in gold:
            return 1.0 / rank
    return 0.0


def evidence_recall(evidence: Sequence[str], passages: Sequence[str]) -> float:
    """Share of evidence strings inside the text of one of the first five passages."""
    texts = [normalise(text) for text in passages[:TOP]]
    return sum(any(normalise(piece) in text for text in texts) for piece in evidence) / len(evidence)


def fact_coverage(facts: Sequence[str], answer: str) -> float:
    """Share of facts that the answer covers."""
    return sum(covers(answer, fact) for fact in facts) / len(facts)


def covers(answer: str, fact: str) -> bool:
    """A fact is inside the answer, or one sentence of it holds all its numbers and 80 % of its other words by stem."""
    wanted = normalise(fact)
    if wanted in normalise(answer):
        return True
    numbers = set(_NUMBER.findall(wanted))
    others = [stem(word) for word in _WORD.findall(wanted) if not _NUMBER.fullmatch(word)]
    for sentence in _SENTENCE.split(answer):
        text = normalise(sentence)
        stems = {stem(word) for word in _WORD.findall(text)}
        held = sum(word in stems for word in others)
        if numbers <= set(_NUMBER.findall(text)) and held >= _FACT_WORDS * len(others):
            return True
    return False


def offers(choices: Sequence[Choice], readings: Sequence[Expected]) -> bool:
    """Whether a question back offers two or more of the expected readings: by document and by a word of the name."""
    offered = {choice.name for choice in choices if any(_is_meant(choice, one) for one in readings)}
    return len(offered) > 1


def _is_meant(choice: Choice, reading: Expected) -> bool:
    named = f"{choice.name} {choice.document_title} {choice.document_id.rpartition('/')[2]}"
    return choice.document_id == reading.path and bool(_stems(named) & _stems(reading.name))


def _stems(name: str) -> set[str]:
    return {stem(word) for word in _NAME_WORD.findall(name.lower())}


def supported(sentence: str, passage: str) -> float:
    """1 where the cited passage contains the sentence, or supports it by its words, numbers and negations.

    A list mark before the sentence doesn't count, nor the full stop that ends it: a table row or a heading that is quoted
    has none. A row that is quoted with the names of its columns is contained where the passage has that row and the names.
    """
    claim = _LIST_MARK.sub("", sentence.strip())
    quoted = normalise(claim).removesuffix(".")
    is_contained = bool(quoted) and (quoted in normalise(passage) or _has_row(quoted, normalise(passage)))
    return float(is_contained or (bool(quoted) and support(claim, passage) >= SUPPORTED))


def _has_row(quoted: str, passage: str) -> bool:
    """Whether `name: value · name: value` is a row of a table in the passage, whose header has these names."""
    pairs = [cell.partition(": ") for cell in quoted.split(CELL_SEPARATOR)]
    if len(pairs) < 2 or not any(colon for _, colon, _ in pairs):  # noqa: PLR2004 - a row has two cells
        return False
    values = [value if colon else name for name, colon, value in pairs]
    names = [name for name, colon, _ in pairs if colon]
    row = rf"(?:\s*{CELL_SEPARATOR.strip()}\s*)+".join(re.escape(value) for value in values)
    return re.search(row, passage) is not None and all(name in passage for name in names)


def interval(values: Sequence[float], *, samples: int = 2000, seed: int = 7) -> tuple[float, float]:
    """95 % percentile bootstrap of the mean (Efron and Tibshirani 1993, chapter 13), over cases; seeded."""
    data = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(data), size=(samples, len(data)))
    low, high = np.percentile(data[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
