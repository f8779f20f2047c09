"""Fit Ken's calibration on questions of our own, and say how it does on what it was not fitted on.

    python bench/calibrate.py HOME [--check OTHER.jsonl] [--all]

HOME holds the four handbooks that bench/RESULTS.md names and examples/handbook, one collection each. Lines with
`"part": "check"` are held out (with `--all` none is, for the constants that ship) and only measured, as is the
`--check` file. It prints
the constants of knowledge/calibration.py, models/extractive.py and checks/answerability.py; nothing is written.

Three linear models, so that a few hundred questions are enough:
- passages: a softmax over a question's candidates (ListNet, Cao et al., ICML 2007), then Platt scaling (Platt 1999);
- sentences: the same softmax over the sentences of the passages shown to the reader;
- answerable: logistic regression with an L2 prior. Unanswerable questions are few and count half as much as the others
  taken together.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.assistant.classify import is_out_of_scope, standalone
from ken.checks.answerability import answer_inputs
from ken.domain.document import Evidence
from ken.domain.principal import LOCAL_OPERATOR
from ken.evals.cases import Case, load_cases
from ken.evals.scoring import covers, normalise
from ken.guard.question import screen
from ken.knowledge.calibration import PassageScores, passage_score
from ken.knowledge.library import Library
from ken.models.extractive import log_odds, sentence_inputs
from ken.settings import load
from ken.text.answer_types import expected
from ken.text.tokens import STOP_WORDS, stem, words
from ken.wiring import open_home

Matrix = NDArray[np.float64]
CANDIDATES = 50
SHOWN = 6
FALSE_ABSTENTION = 0.10


@dataclass(slots=True)
class Sample:
    """A question with what its search found, best first; rows of the matrices are passages or sentences."""

    case: Case
    query: str
    terms: dict[str, float]
    evidence: tuple[Evidence, ...]
    scores: PassageScores
    passage_labels: Matrix
    sentences: Matrix
    sentence_labels: Matrix

    @property
    def is_turned_away(self) -> bool:
        """Whether Ken's rules abstain before the search."""
        return screen(self.case.question) is not None or is_out_of_scope(self.case.question)


async def sample(library: Library, case: Case) -> Sample:
    query = standalone(case.question, case.messages)
    collections = None if case.collection == "all" else frozenset({case.collection})
    found = await library.search(query, LOCAL_OPERATOR, collections=collections, limit=CANDIDATES)
    evidence = found.evidence
    gold = [normalise(piece.evidence) for piece in case.gold]
    paths = {piece.path for piece in case.gold}
    passage_labels = [
        float(item.document.id in paths and any(piece in normalise(item.passage.text) for piece in gold))
        for item in evidence
    ]
    shown = evidence[:SHOWN]
    inputs, labels = sentence_rows(case, query, shown)
    return Sample(
        case=case,
        query=query,
        terms=dict(found.terms),
        evidence=shown,
        scores=passage_scores(evidence),
        passage_labels=np.array(passage_labels),
        sentences=inputs,
        sentence_labels=labels,
    )


def passage_scores(evidence: Sequence[Evidence]) -> PassageScores:
    best = max((item.lexical for item in evidence), default=1.0) or 1.0
    columns = [
        (
            item.lexical / best,
            item.dense,
            max((sentence.similarity for sentence in item.sentences), default=-1.0),
            item.coverage,
            max((sentence.coverage for sentence in item.sentences), default=0.0),
        )
        for item in evidence
    ]
    return PassageScores(*np.array(columns, dtype=np.float32).reshape(-1, 5).T)


def sentence_rows(case: Case, query: str, evidence: Sequence[Evidence]) -> tuple[Matrix, Matrix]:
    kind = expected(query)
    asked = {stem(word) for word in words(query.lower()) if word not in STOP_WORDS}
    gold = [normalise(piece.evidence) for piece in case.gold]
    paths = {piece.path for piece in case.gold}
    rows: list[tuple[float, ...]] = []
    labels: list[float] = []
    for item in evidence:
        above = " ".join((item.document.title, *item.passage.heading_path)).lower()
        under = len(asked & {stem(word) for word in words(above)}) / (len(asked) or 1)
        behind = log_odds(item.relevance) - log_odds(evidence[0].relevance)
        for sentence in item.sentences:
            rows.append(sentence_inputs(sentence, kind=kind, behind=behind, under=under))
            text = normalise(sentence.text)
            holds = any(piece in text or (len(text) > 15 and text in piece) for piece in gold)
            covered = any(covers(sentence.text, fact) for fact in case.facts)
            labels.append(float(item.document.id in paths and (holds or covered)))
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1), np.array(labels)


def softmax_weights(lists: Sequence[tuple[Matrix, Matrix]], *, l2: float = 0.3, steps: int = 500) -> Matrix:
    """Weights that put labelled rows before the others of their list, by gradient descent."""
    useful = [(inputs, labels) for inputs, labels in lists if len(labels) and labels.any()]
    spread = np.concatenate([inputs for inputs, _ in useful]).std(axis=0) + 1e-9
    weights = np.zeros(len(spread))
    for _ in range(steps):
        gradient = l2 * weights / len(useful)
        for inputs, labels in useful:
            scaled = inputs / spread
            chance = np.exp(scaled @ weights - (scaled @ weights).max())
            chance /= chance.sum()
            wanted = chance * labels
            gradient -= scaled.T @ (wanted / wanted.sum() - chance) / len(useful)
        weights -= 0.5 * gradient
    return weights / spread


def logistic_weights(
    inputs: Matrix, labels: Matrix, *, l2: float, counts: Matrix | None = None
) -> tuple[float, Matrix]:
    """Bias and weights by Newton's method on standardised inputs; the bias has no prior."""
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    design = np.c_[np.ones(len(inputs)), (inputs - mean) / spread]
    prior = l2 * np.r_[0.0, np.ones(inputs.shape[1])]
    worth = np.ones(len(labels)) if counts is None else counts
    solution = np.zeros(design.shape[1])
    for _ in range(100):
        chance = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (worth * (chance - labels)) + prior * solution
        curvature = (design * (worth * chance * (1 - chance))[:, None]).T @ design + np.diag(prior)
        step = np.linalg.solve(curvature, gradient)
        solution -= step
        if abs(step).max() < 1e-9:
            break
    weights = solution[1:] / spread
    return float(solution[0] - weights @ mean), weights


def answer_matrix(samples: Sequence[Sample]) -> tuple[list[str], Matrix, Matrix]:
    rows = [answer_inputs(one.query, one.evidence, rarity=one.terms) for one in samples]
    wanted = np.array([float(not one.case.wants_abstention) for one in samples])
    return list(rows[0]), np.array([list(row.values()) for row in rows]), wanted


def measured(samples: Sequence[Sample], chance: Matrix, threshold: float | None) -> tuple[float, float, float]:
    """Abstention recall, false abstention and threshold: the given one, or the best within the allowed false ones."""
    wanted = np.array([not one.case.wants_abstention for one in samples])
    chance = np.where([one.is_turned_away for one in samples], 0.0, chance)
    choices = [threshold] if threshold is not None else list(np.unique(chance))
    results = [(float((chance[~wanted] < t).mean()), float((chance[wanted] < t).mean()), float(t)) for t in choices]
    allowed = [found for found in results if threshold is not None or found[1] <= FALSE_ABSTENTION]
    return max(allowed, key=lambda found: (found[0], -found[1]))


def fit(samples: Sequence[Sample], report: Callable[[str], None]) -> tuple[float, Matrix]:
    passages = softmax_weights([(one.scores.columns(), one.passage_labels) for one in samples])
    report(f"passage weights (lexical, dense, sentence, coverage, sentence coverage): {passages.round(2).tolist()}")
    with_gold = [one for one in samples if one.passage_labels.any()]
    scores = np.concatenate([passage_score(one.scores) for one in with_gold])
    bias, scale = logistic_weights(scores[:, None], np.concatenate([one.passage_labels for one in with_gold]), l2=0.1)
    report(f"  Platt on the weights in force: bias {bias:.2f}, scale {scale[0]:.3f}")
    sentences = softmax_weights([(one.sentences, one.sentence_labels) for one in samples])
    report(f"sentence weights: {sentences.round(2).tolist()}")
    searched = [one for one in samples if one.evidence and not one.is_turned_away]
    names, inputs, wanted = answer_matrix(searched)
    counts = np.where(wanted == 1, 1.0, wanted.sum() / (1 - wanted).sum() * 0.5)
    bias, weights = logistic_weights(inputs, wanted, l2=1.0, counts=counts)
    report(f"answerable: bias {bias:.3f}")
    report(json.dumps(dict(zip(names, weights.round(3).tolist(), strict=True)), indent=4))
    return bias, weights


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    root = Path(__file__).resolve().parent.parent
    files = [root / "bench" / "questions" / "kb.jsonl", root / "examples" / "questions.jsonl"]
    parser.add_argument("--questions", type=Path, nargs="+", default=files)
    parser.add_argument("--check", type=Path)
    parser.add_argument("--all", action="store_true", help="fit on every line, for the constants that ship")
    given = parser.parse_args()
    lines = [json.loads(line) for path in given.questions for line in path.read_text("utf-8").splitlines()]
    held_out = {line["id"] for line in lines if line.get("part", "fit") != "fit" and not given.all}
    ken = await open_home(load(given.home))
    own = [await sample(ken.library, case) for path in given.questions for case in load_cases(path)]
    fitted = [one for one in own if one.case.id not in held_out]
    bias, weights = fit(fitted, print)
    sets = {"fitted on": fitted, "held out": [one for one in own if one not in fitted]}
    if given.check:
        sets[given.check.name] = [await sample(ken.library, case) for case in load_cases(given.check)]
    threshold: float | None = None
    for name, samples in sets.items():
        if not samples:
            continue
        _, inputs, _ = answer_matrix(samples)
        chance = 1 / (1 + np.exp(-(bias + inputs @ weights)))
        best = measured(samples, chance, None)
        threshold = best[2] if threshold is None else threshold
        at = measured(samples, chance, threshold)
        print(
            f"{name}: abstention recall {best[0]:.3f} at false abstention {best[1]:.3f} (its own threshold {best[2]:.2f}); "
            f"{at[0]:.3f} at {at[1]:.3f} with the fitted threshold {at[2]:.2f}"
        )
    await ken.aclose()


if __name__ == "__main__":
    asyncio.run(main())
