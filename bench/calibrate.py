"""Fit Ken's calibration on questions of our own, and say how it does on what it was not fitted on.

    python bench/calibrate.py [--data DIR] [--home HOME] [--check OTHER.jsonl] [--all]

Ken searches the four handbooks that bench/README.md names and examples/handbook, one collection each. Lines with
`"part": "check"` are held out (with `--all` none is, for the constants that ship) and only measured, as is the
`--check` file. It prints the constants of knowledge/calibration.py, models/extractive.py and checks/answerability.py;
nothing is written.

Three linear models, so that a few hundred questions are enough:
- passages: a softmax over a question's candidates (ListNet, Cao et al., ICML 2007), then Platt scaling (Platt 1999);
- sentences: the same softmax over the sentences of the passages shown to the reader;
- answerable: logistic regression with an L2 prior and signs held, over questions that the documents answer, near
  misses, and questions asked in the wrong collection.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
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
from ken.models.extractive import score_sentences
from ken.settings import load
from ken.wiring import open_home
from rig.handbooks import OWN_QUESTIONS, PROJECT, add_options, found, loaded_home, sync

Matrix = NDArray[np.float64]
EXAMPLES = PROJECT / "examples"
CANDIDATES = 50
SHOWN = 6
FREE = frozenset({"typed", "length", "one_document"})
"""Inputs of the answerability model that may count either way; missing terms count against, all others for."""
FALSE_ABSTENTION = 0.10
MISPLACED = "-misplaced"
"""Ends the id of a question that is asked in a collection that can't hold its answer: fitted on, never reported."""


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
    """Search for one question, and label what was found by whether it holds the answer."""
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
    inputs, labels = sentence_rows(case, query, evidence=shown)
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
    """The inputs of the passage model for a question's candidates, as the ranking scales them."""
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


def sentence_rows(case: Case, query: str, *, evidence: Sequence[Evidence]) -> tuple[Matrix, Matrix]:
    """Inputs (n, inputs) and labels (n,) of the sentence model for every sentence of these passages."""
    gold = [normalise(piece.evidence) for piece in case.gold]
    paths = {piece.path for piece in case.gold}
    rows: list[tuple[float, ...]] = []
    labels: list[float] = []
    for candidate in score_sentences(query, evidence):
        rows.append(candidate.inputs)
        text = normalise(candidate.sentence.text)
        holds = any(piece in text or (len(text) > 15 and text in piece) for piece in gold)
        covered = any(covers(candidate.sentence.text, fact) for fact in case.facts)
        labels.append(float(evidence[candidate.evidence].document.id in paths and (holds or covered)))
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
    inputs: Matrix, labels: Matrix, *, l2: float, counts: Matrix | None = None, signs: Matrix | None = None
) -> tuple[float, Matrix]:
    """Bias and weights by projected gradient descent on standardised inputs; the bias has no prior.

    `signs` holds 1 where a weight may not be negative, -1 where it may not be positive, 0 where it is free: without
    that, inputs that say almost the same get opposite weights, and a corpus unlike the fitted one gets nonsense.
    """
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    design = np.c_[np.ones(len(inputs)), (inputs - mean) / spread]
    prior = l2 * np.r_[0.0, np.ones(inputs.shape[1])]
    worth = np.ones(len(labels)) if counts is None else counts
    bound = np.r_[0.0, np.zeros(inputs.shape[1]) if signs is None else signs]
    rate = 1.0 / (0.25 * np.linalg.norm(design * np.sqrt(worth)[:, None], 2) ** 2 + l2)
    solution = np.zeros(design.shape[1])
    for _ in range(20_000):
        chance = 1 / (1 + np.exp(-design @ solution))
        solution -= rate * (design.T @ (worth * (chance - labels)) + prior * solution)
        solution = np.where(bound > 0, np.maximum(solution, 0), np.where(bound < 0, np.minimum(solution, 0), solution))
    weights = solution[1:] / spread
    return float(solution[0] - weights @ mean), weights


def answer_matrix(samples: Sequence[Sample]) -> tuple[list[str], Matrix, Matrix]:
    """Names and values (n, inputs) of the answerable model's inputs, and 1 (n,) where an answer is wanted."""
    rows = [answer_inputs(one.query, one.evidence, rarity=one.terms) for one in samples]
    wanted = np.array([float(not one.case.wants_abstention) for one in samples])
    return list(rows[0]), np.array([list(row.values()) for row in rows]), wanted


def measured(samples: Sequence[Sample], chance: Matrix, *, threshold: float | None) -> tuple[float, float, float]:
    """Abstention recall, false abstention and threshold: the given one, or the best within the allowed false ones."""
    wanted = np.array([not one.case.wants_abstention for one in samples])
    chance = np.where([one.is_turned_away for one in samples], 0.0, chance)
    choices = [threshold] if threshold is not None else list(np.unique(chance))
    results = [(float((chance[~wanted] < t).mean()), float((chance[wanted] < t).mean()), float(t)) for t in choices]
    allowed = [found for found in results if threshold is not None or found[1] <= FALSE_ABSTENTION]
    return max(allowed, key=lambda found: (found[0], -found[1]))


def fit(samples: Sequence[Sample], report: Callable[[str], None]) -> tuple[float, Matrix]:
    """Fit the three models and report their constants; bias and weights of the answerable one."""
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
    misplaced = np.array([one.case.id.endswith(MISPLACED) for one in searched])
    near_miss = (wanted == 0) & ~misplaced
    # Near misses count half as much as the answerable questions taken together, misplaced ones a fifth.
    counts = np.where(
        wanted == 1, 1.0, np.where(near_miss, 0.5 / max(near_miss.sum(), 1), 0.2 / max(misplaced.sum(), 1))
    )
    counts = np.where(wanted == 1, 1.0, counts * wanted.sum())
    signs = np.array([0.0 if name in FREE else -1.0 if name.startswith("missing") else 1.0 for name in names])
    bias, weights = logistic_weights(inputs, wanted, l2=1.0, counts=counts, signs=signs)
    report(f"answerable: bias {bias:.3f}")
    report(json.dumps(dict(zip(names, weights.round(3).tolist(), strict=True)), indent=4))
    return bias, weights


def misplaced(cases: Sequence[Case]) -> list[Case]:
    """Every third answerable question, asked in the next collection, which doesn't hold its answer.

    Near misses alone would not teach the model what a question looks like that is about something else altogether.
    """
    collections = sorted({case.collection for case in cases} - {"all"})
    after = dict(zip(collections, [*collections[1:], *collections[:1]], strict=True))
    return [
        case.model_copy(
            update={
                "id": f"{case.id}{MISPLACED}",
                "kind": "out_of_scope",
                "collection": after[case.collection],
                "gold": (),
                "facts": (),
            }
        )
        for case in [case for case in cases if case.gold and len(collections) > 1 and case.collection in after][::3]
    ]


async def sampled(home: Path, files: Sequence[Path]) -> list[list[Sample]]:
    """The samples of every question of each file."""
    ken = await open_home(load(home))
    try:
        cases = [[*load_cases(path), *misplaced(load_cases(path))] for path in files]
        return [[await sample(ken.library, case) for case in of_file] for of_file in cases]
    finally:
        await ken.aclose()


def compare(sets: Mapping[str, Sequence[Sample]], bias: float, *, weights: Matrix) -> None:
    """Print how the answerable model does on each set; the threshold is the first set's."""
    threshold: float | None = None
    for name, samples in sets.items():
        if not samples:
            continue
        _, inputs, _ = answer_matrix(samples)
        chance = 1 / (1 + np.exp(-(bias + inputs @ weights)))
        best = measured(samples, chance, threshold=None)
        threshold = best[2] if threshold is None else threshold
        at = measured(samples, chance, threshold=threshold)
        print(
            f"{name}: abstention recall {best[0]:.3f} at false abstention {best[1]:.3f} (its own threshold {best[2]:.2f}); "
            f"{at[0]:.3f} at {at[1]:.3f} with the fitted threshold {at[2]:.2f}"
        )


def main() -> None:
    """Print constants and comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--questions", type=Path, nargs="+", default=[OWN_QUESTIONS, EXAMPLES / "questions.jsonl"])
    parser.add_argument("--check", type=Path, help="another question file, measured and never fitted on")
    parser.add_argument("--all", action="store_true", help="fit on every line, for the constants that ship")
    given = parser.parse_args()
    if not found(given.data):
        return
    lines = [json.loads(line) for path in given.questions for line in path.read_text("utf-8").splitlines()]
    held_out = {line["id"] for line in lines if line.get("part", "fit") != "fit" and not given.all}
    with loaded_home(given.data, given.home) as home:
        sync(home, EXAMPLES / "handbook")
        files = asyncio.run(sampled(home, [*given.questions, *([given.check] if given.check else [])]))
    own = [one for samples in files[: len(given.questions)] for one in samples]
    fitted = [one for one in own if one.case.id.removesuffix(MISPLACED) not in held_out]
    bias, weights = fit(fitted, print)
    sets = {"fitted on": fitted, "held out": [one for one in own if one.case.id in held_out]}
    if given.check:
        sets[given.check.name] = files[-1]
    asked = {name: [one for one in ones if not one.case.id.endswith(MISPLACED)] for name, ones in sets.items()}
    compare(asked, bias, weights=weights)


if __name__ == "__main__":
    main()
