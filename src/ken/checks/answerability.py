"""Whether the passages found hold the answer at all, as a probability: what abstention rests on.

A logistic model over what the search knows, fitted by bench/calibrate.py. It looks at how well the best passages and
sentences match, at which rare terms of the question none of them holds, and at whether what the question asks for
(an amount, a duration, a version) stands where the topic does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ken.domain.document import Evidence
from ken.models.extractive import log_odds, score_sentences
from ken.text.answer_types import expected

_WEIGHTS: Mapping[str, float] = {
    "odds": 0.0,
    "lead": 0.214,
    "dense": 0.0,
    "similarity": 2.707,
    "coverage": 0.0,
    "sentence_coverage": 0.0,
    "joint_coverage": 0.0,
    "missing_first": -1.254,
    "missing_all": 0.0,
    "length": 1.521,
    "one_document": -0.023,
    "typed": -0.653,
    "typed_behind": 0.431,
    "typed_similarity": 6.7,
    "exact_behind": 0.0,
}
_BIAS = -2.992
_FAR_AHEAD = 3.0
"""A lead beyond this says nothing more: in a small corpus every best passage is far ahead."""
_HOPELESS = 0.005
"""Below this relevance of the best passage the estimate is scaled down."""
_SURE = 0.99
"""More than one passage may hold the answer, so that their chances may sum up to more than 1."""
_NO_SUCH_SENTENCE = -6.0
"""How far below the best sentence one of the asked kind counts where there is none."""


def answerable(question: str, evidence: Sequence[Evidence], *, rarity: Mapping[str, float]) -> float:
    """The probability that `evidence`, best first, holds the answer. `rarity`: the question's terms with their idf."""
    if not evidence:
        return 0.0
    inputs = answer_inputs(question, evidence, rarity=rarity)
    score = _BIAS + sum(_WEIGHTS[name] * value for name, value in inputs.items())
    # A best passage that is almost surely none leaves nothing to be confident of, whatever leads over what.
    doubt = min(1.0, evidence[0].relevance / _HOPELESS)
    return doubt / (1.0 + math.exp(-score))


def answer_inputs(question: str, evidence: Sequence[Evidence], *, rarity: Mapping[str, float]) -> dict[str, float]:
    """What the model looks at, by name; `evidence` is not empty."""
    best = evidence[0]
    sentences = [sentence for item in evidence for sentence in item.sentences]
    rarest = max(rarity.values(), default=0.0) or 1.0
    held: set[str] = set()
    missing: list[float] = []
    for item in evidence[:3]:
        held.update(item.matched_terms)
        missing.append(max((worth for term, worth in rarity.items() if term not in held), default=0.0) / rarest)
    total = sum(rarity.values()) or 1.0
    same = sum(item.document.id == best.document.id for item in evidence)
    return {
        # Passages that say the same share what one of them alone would have.
        "odds": log_odds(min(sum(item.relevance for item in evidence), _SURE)),
        "lead": min(log_odds(best.relevance) - log_odds(evidence[1].relevance), _FAR_AHEAD)
        if len(evidence) > 1
        else 0.0,
        "dense": best.dense,
        "similarity": max((sentence.similarity for sentence in sentences), default=0.0),
        "coverage": best.coverage,
        "sentence_coverage": max((sentence.coverage for sentence in sentences), default=0.0),
        "joint_coverage": sum(worth for term, worth in rarity.items() if term in held) / total,
        "missing_first": missing[0],
        "missing_all": missing[-1],
        "length": math.log1p(len(rarity)),
        "one_document": same / len(evidence),
        **_type_inputs(question, evidence),
    }


def _type_inputs(question: str, evidence: Sequence[Evidence]) -> dict[str, float]:
    """How far the best sentence of the asked kind lies behind the best of all, in score and in similarity."""
    kind = expected(question)
    candidates = score_sentences(question, evidence) if kind is not None else []
    if kind is None or not candidates:
        return {"typed": 0.0, "typed_behind": 0.0, "typed_similarity": 0.0, "exact_behind": 0.0}
    best = max(candidate.score for candidate in candidates)
    closest = max(candidate.sentence.similarity for candidate in candidates)
    fitting = [candidate for candidate in candidates if kind.is_in(candidate.sentence.text)]
    behind = max((candidate.score - best for candidate in fitting), default=_NO_SUCH_SENTENCE)
    behind = max(behind, _NO_SUCH_SENTENCE)
    similarity = max((candidate.sentence.similarity for candidate in fitting), default=0.0)
    return {
        "typed": 1.0,
        "typed_behind": behind,
        "typed_similarity": similarity - closest,
        "exact_behind": behind if kind.is_exact else 0.0,
    }
