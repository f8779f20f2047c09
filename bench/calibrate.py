"""Fit Ken's calibration on questions of our own, and say how it does on what it was not fitted on.

    python bench/calibrate.py [--data DIR] [--home HOME] [--check OTHER.jsonl] [--all]

Ken searches the four handbooks that bench/README.md names and examples/handbook, one collection each. Lines with
`"part": "report"` are held out, and those with `"part": "check"`; with `--all`, for the constants that ship, only the
former. They are only measured, as is the `--check` file. It prints the constants of knowledge/calibration.py,
models/extractive.py and checks/answerability.py; nothing is written.

Three linear models, so that a few hundred questions are enough:
- passages: a softmax over a question's candidates (ListNet, Cao et al., ICML 2007), then isotonic regression of where it
  stands among the candidates;
- sentences: the same softmax over the sentences of the passages shown to the reader;
- answerable: logistic regression with an L2 prior and signs held, over questions that the documents answer, near
  misses, and questions asked in the wrong collection.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ken.assistant.classify import is_out_of_scope, standalone
from ken.checks.answerability import answer_inputs
from ken.domain.document import Evidence
from ken.domain.principal import LOCAL_OPERATOR
from ken.evals.cases import Case, load_cases
from ken.evals.scoring import covers, normalise
from ken.guard.question import screen
from ken.knowledge.calibration import WITH_WORDS, Model, PassageScores
from ken.knowledge.corpus import Corpus
from ken.knowledge.index import Asked
from ken.knowledge.library import Library
from ken.knowledge.options import SearchOptions
from ken.knowledge.query.plan import plan
from ken.knowledge.query.reading import Reading
from ken.knowledge.ranking import fuse
from ken.models.extractive import score_sentences
from ken.settings import load
from ken.wiring import open_home
from rig.fitting import Matrix, knots, logistic_weights, reliability, softmax_weights
from rig.handbooks import OWN_QUESTIONS, PROJECT, add_options, found, loaded_home, sync

EXAMPLES = PROJECT / "examples"
EXAMPLE = EXAMPLES / "handbook"
OPTIONS = SearchOptions()
SIGNS = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0])
"""Of the weights of `PassageScores`: a long passage, and one of a long document, has less to say for each of its scores."""
OF_WORDS = slice(5, 8)
"""The scores that there are only where the embedder tells of single words."""
DOCUMENT_PRIOR = -0.45
"""The weight of a document's size. If questions fell on all documents alike it would be -1, on all passages 0; fitted, it
says how our questions were written: about one document after the other. So it is held between."""
NOTHING = 0.15
"""The score of finding nothing is that which the best passage of so many of the answerable questions doesn't reach."""
BINS = (0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.9, 1.01)
SHOWN = 6
FREE = frozenset({"typed", "length", "one_document"})
"""Inputs of the answerability model that may count either way; missing terms count against, all others for."""
FALSE_ABSTENTION = 0.10
OWN_SETS = tuple(OWN_QUESTIONS.with_name(f"{name}.jsonl") for name in ("kb", "kb2", "kb3"))
MISPLACED = "-misplaced"
"""Ends the id of a question that is asked in a collection that can't hold its answer: fitted on, never reported."""


@dataclass(slots=True)
class Candidates:
    """The passages that one search looked at; n of them."""

    scores: PassageScores
    labels: Matrix
    """Shape (n,): 1 for a passage that holds the answer."""


@dataclass(slots=True)
class Sample:
    """A question with what its search found; rows of the matrices are sentences of the best passages."""

    case: Case
    query: str
    terms: dict[str, float]
    evidence: tuple[Evidence, ...]
    searched: tuple[Candidates, ...]
    """In its own collection, and everywhere."""
    sentences: Matrix
    sentence_labels: Matrix

    @property
    def is_turned_away(self) -> bool:
        """Whether Ken's rules abstain before the search."""
        return screen(self.case.question) is not None or is_out_of_scope(self.case.question)


async def sample(library: Library, case: Case) -> Sample:
    """Search for one question, and label what was found by whether it holds the answer."""
    query = standalone(case.question, case.messages)
    corpus = await library.corpus()
    handbooks = [name for name, _ in await corpus.collections(LOCAL_OPERATOR) if name != EXAMPLE.name]
    everywhere = frozenset(handbooks) if case.collection != EXAMPLE.name else None
    own = everywhere if case.collection == "all" else frozenset({case.collection})
    found = await corpus.search(query, LOCAL_OPERATOR, collections=own, limit=SHOWN)
    inputs, labels = sentence_rows(case, query, evidence=found.evidence)
    wanted = case.gold and not case.id.endswith(MISPLACED)
    return Sample(
        case=case,
        query=query,
        terms=dict(found.terms),
        evidence=found.evidence,
        searched=tuple([await candidates(corpus, case, query=query, collections=each) for each in (own, everywhere)])
        if wanted
        else (),
        sentences=inputs,
        sentence_labels=labels,
    )


async def candidates(corpus: Corpus, case: Case, *, query: str, collections: frozenset[str] | None) -> Candidates:
    """The candidates of a question's search with their raw scores."""
    index = corpus.index
    allowed = index.catalogue.allowed(LOCAL_OPERATOR, collections)
    reading = Reading(index.lexicon, index.catalogue.documents, allowed.documents, corpus.is_word)
    planned = plan(query, reading, options=OPTIONS)
    text = planned.whole.text
    asked = Asked(planned.whole.terms, await corpus.embed(text), await corpus.read_words(text))
    fused = fuse(
        index.candidates(asked, allowed, depth=OPTIONS.depth), asked, catalogue=index.catalogue, options=OPTIONS
    )
    gold = [normalise(piece.evidence) for piece in case.gold]
    paths = {piece.path for piece in case.gold}
    labels = np.zeros(len(fused.kept))
    for at, place in enumerate(fused.kept):
        if index.catalogue.documents[int(fused.found.documents[place])].id in paths:
            ((passage, _),) = [one for one in index.passages([int(fused.found.rows[place])]) if one is not None]
            labels[at] = any(piece in normalise(passage.text) for piece in gold)
    return Candidates(fused.scores, labels)


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


def fit_passages(samples: Sequence[Sample], *, with_words: bool) -> Model:
    """The order of passages, from searches in the own collection and everywhere; and the relevance of the best of each.

    A passage far down is less likely to hold the answer than one of its score at the top, and nobody is shown it.
    """
    searched = [one for each in samples for one in each.searched if one.labels.any()]
    held = np.full(len(SIGNS), np.nan)
    held[-1] = DOCUMENT_PRIOR
    if not with_words:
        held[OF_WORDS] = 0.0
    lists = [(one.scores.columns(), one.labels) for one in searched]
    weights = softmax_weights(lists, l2=4.0, steps=1500, signs=SIGNS, held=held).round(2)
    model = Model(tuple(weights.tolist()), nothing=0.0, slope=1.0, against=1.0, knots=())
    scores = [model.score(one.scores) for one in searched]
    model = replace(model, nothing=round(float(np.quantile([each.max() for each in scores], NOTHING)), 1))
    best = [np.argsort(-each, kind="stable")[:SHOWN] for each in scores]
    shown = np.concatenate([each[at] for each, at in zip(scores, best, strict=True)])
    labels = np.concatenate([one.labels[at] for one, at in zip(searched, best, strict=True)])
    among = np.repeat(
        [np.logaddexp.reduce([*each.tolist(), model.nothing]) for each in scores], [len(at) for at in best]
    )
    _, (slope, against) = logistic_weights(np.c_[shown, -among], labels, l2=0.1)
    model = replace(model, slope=round(float(slope), 3), against=round(float(against), 3))
    return replace(model, knots=tuple(knots(model.slope * shown - model.against * among, labels)))


def compare_passages(sets: Mapping[str, Sequence[Sample]], model: Model) -> None:
    """Print how often a passage of some relevance holds the answer, over the best of each search in its own collection."""
    for name, samples in sets.items():
        chances: list[Matrix] = []
        labels: list[Matrix] = []
        for one in [each.searched[0] for each in samples if each.searched]:
            score = model.score(one.scores)
            best = np.argsort(-score, kind="stable")[:SHOWN]
            chances.append(model.relevance(score)[best])
            labels.append(one.labels[best])
        if chances:
            rows, error = reliability(np.concatenate(chances), np.concatenate(labels), edges=BINS)
            print(f"{name}: {sum(count for *_, count in rows)} passages, expected calibration error {error:.3f}")
            for told, seen, count in rows:
                print(f"  told {told:.2f}  seen {seen:.2f}  n {count}")


def fit(samples: Sequence[Sample], report: Callable[[str], None]) -> tuple[float, Matrix]:
    """Fit the sentence model and the answerable one and report their constants; bias and weights of the latter."""
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
    parser.add_argument("--questions", type=Path, nargs="+", default=[*OWN_SETS, EXAMPLES / "questions.jsonl"])
    parser.add_argument("--check", type=Path, help="another question file, measured and never fitted on")
    parser.add_argument("--all", action="store_true", help="fit on every line, for the constants that ship")
    given = parser.parse_args()
    if not found(given.data):
        return
    lines = [json.loads(line) for path in given.questions for line in path.read_text("utf-8").splitlines()]
    held_out = {
        line["id"] for line in lines if line.get("part") == "report" or (line.get("part") == "check" and not given.all)
    }
    with loaded_home(given.data, given.home) as home:
        sync(home, EXAMPLE)
        files = asyncio.run(sampled(home, [*given.questions, *([given.check] if given.check else [])]))
    own = [one for samples in files[: len(given.questions)] for one in samples]
    fitted = [one for one in own if one.case.id.removesuffix(MISPLACED) not in held_out]
    for name in ("WITH_WORDS", "WITHOUT_WORDS"):
        model = fit_passages(fitted, with_words=name == "WITH_WORDS")
        print(f"{name}: {model}")
    bias, weights = fit(fitted, print)
    sets = {"fitted on": fitted, "held out": [one for one in own if one.case.id in held_out]}
    if given.check:
        sets[given.check.name] = files[-1]
    compare_passages(sets, WITH_WORDS)
    asked = {name: [one for one in ones if not one.case.id.endswith(MISPLACED)] for name, ones in sets.items()}
    compare(asked, bias, weights=weights)


if __name__ == "__main__":
    main()
