"""Fit the figure that the semantic cache compares questions by: what src/ken/gateway/cache/sameness.json was made with.

    python bench/cache_fit.py [--write]

A logistic regression with an L2 prior over pairs of questions that the rules of gateway/cache/agreement.py let pass: the
half "tune" of bench/questions/pairs.jsonl, bench/questions/pairs_fit.jsonl, and questions drawn from one topic that aren't
a pair. It says how well
the chances hold on pairs that were not fitted on (by topic, ten folds); with `--write` the weights go to where they ship.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.gateway.cache.agreement import agree, read
from ken.gateway.cache.sameness import Meaning, Sameness, features
from ken.models.minilm import MiniLM
from ken.settings import load
from ken.text.alignment import align

PROJECT = Path(__file__).resolve().parents[1]
PAIRS = PROJECT / "bench" / "questions" / "pairs.jsonl"
MORE = PROJECT / "bench" / "questions" / "pairs_fit.jsonl"
"""Of other fields than those of the pairs, to fit on alone."""
WEIGHTS = PROJECT / "src" / "ken" / "gateway" / "cache" / "sameness.json"
STRANGERS = 150
"""Pairs drawn from each topic of questions that aren't a pair."""
STRANGER_WEIGHT = 0.25
"""What one of them counts in the fit, so that they don't outnumber the pairs that were written."""
PRIOR = 3.0
RAISED = 0.83
"""What scores are raised by, so that at the cache's default of .93 one in 200 strangers of one topic, held out, is said to be
the same; 1.72 lets one in 83 pass, and among a topic's nearest questions that is three times as many wrong answers."""
FOLDS = 10
ONLY_WORDS = {"soft_least", "soft", "worst", "worst_both", "frame_worst", "late", "late_least"}
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.93, 0.95)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """Two questions, and whether they ask the same."""

    a: str
    b: str
    same: bool
    kind: str
    topic: str


def examples(part: str) -> list[Example]:
    """The pairs of a half of the file, and strangers of the same topics."""
    rows = [json.loads(line) for line in (PAIRS.read_text("utf-8") + MORE.read_text("utf-8")).splitlines()]
    pairs = [Example(r["a"], r["b"], r["same"], r["kind"], r["topic"]) for r in rows if r["part"] == part]
    by_topic: defaultdict[str, list[Example]] = defaultdict(list)
    for pair in pairs:
        by_topic[pair.topic].append(pair)
    draw = random.Random(1)
    known = {frozenset({pair.a, pair.b}) for pair in pairs}
    for topic, members in by_topic.items():
        for _ in range(STRANGERS if len(members) > 1 else 0):
            one, other = draw.sample(members, 2)
            both = draw.choice([one.a, one.b]), draw.choice([other.a, other.b])
            if both[0] != both[1] and frozenset(both) not in known:
                known.add(frozenset(both))
                pairs.append(Example(*both, same=False, kind="stranger", topic=topic))
    return pairs


async def meanings(texts: set[str]) -> dict[str, Meaning]:
    """Each question as the cache keeps it."""
    sameness = Sameness(MiniLM(load(None).home / "models"))
    return {text: await sameness.read(text) for text in sorted(texts)}


def fitted(inputs: Matrix, same: Matrix, *, counts: Matrix) -> Matrix:
    """Weights of a logistic regression, bias first, of inputs as they are; the prior holds for inputs of equal spread."""
    mean, spread = np.average(inputs, axis=0, weights=counts), inputs.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(inputs)), (inputs - mean) / spread])
    prior = np.eye(design.shape[1]) * PRIOR
    prior[0, 0] = 1e-6
    weights = np.zeros(design.shape[1])
    for _ in range(60):
        chance = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (counts * (same - chance)) - prior @ weights
        curve = (design.T * (counts * chance * (1 - chance))) @ design + prior
        weights += np.linalg.solve(curve, slope)
    weights[1:] /= spread
    weights[0] -= weights[1:] @ mean
    return weights


def chances(weights: Matrix, inputs: Matrix) -> Matrix:
    """Of each row of inputs."""
    return 1 / (1 + np.exp(-(weights[0] + inputs @ weights[1:])))


def held_out(inputs: Matrix, same: Matrix, *, counts: Matrix, topics: list[str]) -> Matrix:
    """Chances of pairs of topics that were not fitted on."""
    order = sorted(set(topics))
    random.Random(1).shuffle(order)
    fold = np.array([order.index(topic) % FOLDS for topic in topics])
    found = np.zeros(len(same))
    for number in range(FOLDS):
        rest = fold != number
        found[~rest] = chances(fitted(inputs[rest], same[rest], counts=counts[rest]), inputs[~rest])
    return found


def logit(chance: Matrix) -> Matrix:
    """The score that a chance comes from."""
    return np.log(chance / (1 - chance))


def report(name: str, found: Matrix, *, same: Matrix, paraphrases: int) -> None:
    """Print what thresholds would give."""
    loss = -np.mean(same * np.log(found) + (1 - same) * np.log(1 - found))
    print(f"{name}: {len(same)} pairs pass the rules, log loss {loss:.4f}")
    for threshold in THRESHOLDS:
        passed = found >= threshold
        true, false = int((passed & (same == 1)).sum()), int((passed & (same == 0)).sum())
        print(f"  ≥ {threshold}: hit rate {true / paraphrases:.3f}, false {false} of {true + false}")
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.93), (0.93, 1.01)):
        within = (found >= low) & (found < high)
        if within.any():
            print(
                f"  said {low}–{min(high, 1)}: {found[within].mean():.3f}, are {same[within].mean():.3f} of {within.sum()}"
            )


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the weights where they ship")
    given = parser.parse_args()
    pairs = examples("tune")
    kept = asyncio.run(meanings({text for pair in pairs for text in (pair.a, pair.b)}))
    passing = [pair for pair in pairs if agree(read(pair.a), read(pair.b)) is None]
    values = [features(kept[p.a], kept[p.b], laid=align(read(p.a), read(p.b))) for p in passing]
    same = np.array([float(pair.same) for pair in passing])
    counts = np.array([STRANGER_WEIGHT if pair.kind == "stranger" else 1.0 for pair in passing])
    paraphrases = sum(pair.same for pair in pairs)
    found: dict[str, dict[str, float]] = {}
    for name, without in (("words", set[str]()), ("vectors", ONLY_WORDS)):
        known = [value for value in values if name == "vectors" or "late" in value]
        rows = [index for index, value in enumerate(values) if name == "vectors" or "late" in value]
        names = [key for key in known[0] if key not in without]
        inputs = np.array([[value[key] for key in names] for value in known])
        unseen = held_out(inputs, same[rows], counts=counts[rows], topics=[passing[row].topic for row in rows])
        report(name, 1 / (1 + np.exp(-logit(unseen) - RAISED)), same=same[rows], paraphrases=paraphrases)
        weights = fitted(inputs, same[rows], counts=counts[rows])
        weights[0] += RAISED
        found[name] = {key: round(float(weight), 4) for key, weight in zip(["bias", *names], weights, strict=True)}
    if given.write:
        WEIGHTS.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
