"""Search and answers on the four handbooks, with a plain hybrid search as the reference, in one run.

    python bench/retrieval.py --peer-python PEER/bin/python [--data DIR] [--home HOME]

Ken is measured by `ken eval`, twice: with each question asked in its own collection, and everywhere. The reference is
what one gets from public parts in a day: passages of 180 words (--words changes that), BM25 by bm25s with its English
stop words and stemmer, the same MiniLM vectors, and Reciprocal Rank Fusion of the two lists (k = 60, depth 100). The
same metrics (ken.evals.scoring) and the same follow-up rewriting serve both. bm25s needs an environment of its own:

    python -m venv PEER && PEER/bin/pip install bm25s PyStemmer

Without --peer-python only Ken's figures are printed. Intervals are 95 % bootstraps over questions.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ken.assistant.classify import standalone
from ken.evals import scoring
from ken.evals.cases import Case, load_cases
from ken.models.minilm import MiniLM
from rig.handbooks import COLLECTIONS, add_options, found, ken, loaded_home, machine

WORDS = 180
DEPTH = 100
FUSION_K = 60
PASSAGES = 40
ANSWERS = ("fact_coverage", "citation_precision", "abstention_recall", "false_abstention")
IN_ONE_PLACE = ("lookup", "exact_term")
"""Kinds whose fact coverage has a target: the answer stands in one place, in the document's own words or nearly so."""

PEER = """
import json, sys
import bm25s, numpy, Stemmer
order = json.load(open(sys.argv[1]))
options = {"stopwords": "en", "stemmer": Stemmer.Stemmer("english"), "show_progress": False}
index = bm25s.BM25()
index.index(bm25s.tokenize(order["passages"], **options), show_progress=False)
asked = bm25s.tokenize(order["questions"], return_ids=False, **options)
numpy.save(sys.argv[2], numpy.stack([index.get_scores(terms) for terms in asked]).astype("float32"))
print(f"bm25s {bm25s.__version__}")
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """A mean with its interval."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Metric:
        """The mean of one value for each question."""
        return cls(float(np.mean(values)), *scoring.interval(values), len(values))

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} – {self.high:.3f})"


Metrics = dict[str, Metric]


class Reference:
    """The plain hybrid search: scores of every passage for every question, fused on demand."""

    def __init__(self, python: Path, folder: Path, *, cases: Sequence[Case], cache: Path, words: int) -> None:
        self.cases = cases
        self.words = words
        texts = [
            (path.relative_to(folder).as_posix(), piece)
            for name in COLLECTIONS
            for path in sorted((folder / name).rglob("*.md"))
            for piece in pieces(path.read_text("utf-8"), words)
        ]
        self.documents = [document for document, _ in texts]
        self.passages = [text for _, text in texts]
        questions = [standalone(case.question, case.messages) for case in cases]
        model = MiniLM(cache)
        self.dense: NDArray[np.float32] = model.embed_now(questions) @ model.embed_now(self.passages).T
        self.name, self.lexical = self._bm25(python, questions)

    def search(self, number: int, *, collection: str) -> list[int]:
        """The best passages for a question, best first."""
        within = np.array([collection in {"all", document.partition("/")[0]} for document in self.documents])
        fused = np.zeros(len(self.passages))
        for scores, floor in ((self.lexical[number], 0.0), (self.dense[number], -1.0)):
            allowed = np.flatnonzero(within & (scores > floor))
            best = allowed[np.argsort(-scores[allowed], kind="stable")[:DEPTH]]
            fused[best] += 1.0 / (FUSION_K + np.arange(1, len(best) + 1))
        order = np.argsort(-fused, kind="stable")[:PASSAGES]
        return [int(i) for i in order if fused[i] > 0]

    def measure(self, kinds: Sequence[str] | None = None, *, everywhere: bool) -> Metrics:
        """Mean and interval of each metric over the questions that have an answer, of these kinds or of all."""
        rows: dict[str, list[float]] = {}
        for number, case in enumerate(self.cases):
            if not case.gold or (kinds and case.kind not in kinds):
                continue
            order = self.search(number, collection="all" if everywhere else case.collection)
            documents = [self.documents[i] for i in order]
            gold = list(dict.fromkeys(piece.path for piece in case.gold))
            evidence = [piece.evidence for piece in case.gold]
            for name, value in (
                ("doc_recall@5", scoring.document_recall(gold, documents)),
                ("doc_hit@1", scoring.top_document(gold, documents)),
                ("mrr@10", scoring.reciprocal_rank(gold, documents)),
                ("evidence_recall@5", scoring.evidence_recall(evidence, [self.passages[i] for i in order])),
            ):
                rows.setdefault(name, []).append(value)
        return {name: Metric.of(values) for name, values in rows.items()}

    def _bm25(self, python: Path, questions: Sequence[str]) -> tuple[str, NDArray[np.float32]]:
        with tempfile.TemporaryDirectory() as folder:
            order, scores = Path(folder) / "order.json", Path(folder) / "scores.npy"
            order.write_text(json.dumps({"passages": self.passages, "questions": list(questions)}), "utf-8")
            command = [str(python), "-c", PEER, str(order), str(scores)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            return done.stdout.strip(), np.load(scores)


def pieces(text: str, words: int) -> list[str]:
    """Cut a text after every so many words."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    starts = range(0, len(spans), words)
    return [text[spans[i][0] : spans[min(i + words, len(spans)) - 1][1]] for i in starts]


def evaluated(home: Path, cases: Sequence[dict[str, Any]], *, search_only: bool) -> dict[str, Any]:
    """What `ken eval` reports of these questions."""
    with tempfile.TemporaryDirectory() as folder:
        questions, report = Path(folder) / "questions.jsonl", Path(folder) / "report.json"
        questions.write_text("".join(json.dumps(case) + "\n" for case in cases), "utf-8")
        ken(home, "eval", str(questions), "--json", str(report), *(["--search-only"] if search_only else []))
        read: dict[str, Any] = json.loads(report.read_text("utf-8"))
    assert not read.get("failures"), read["failures"]
    return read


def metrics(read: dict[str, dict[str, float]]) -> Metrics:
    """The metrics of one block of a report."""
    return {name: Metric(one["value"], one["low"], one["high"], int(one["n"])) for name, one in read.items()}


def print_search(lines: Sequence[dict[str, Any]], home: Path, *, reference: Reference | None) -> None:
    """One row for each metric, and one for paraphrases."""
    everywhere = [line | {"collection": "all"} for line in lines]
    columns: list[Metrics] = []
    for asked in (lines, everywhere):
        report = evaluated(home, asked, search_only=True)
        overall, paraphrase = metrics(report["overall"]), metrics(report["by_kind"]["paraphrase"])
        columns.append(overall | {"paraphrase: doc_recall@5": paraphrase["doc_recall@5"]})
        if reference:
            is_everywhere = asked is everywhere
            found_by = reference.measure(everywhere=is_everywhere)
            paraphrase = reference.measure(["paraphrase"], everywhere=is_everywhere)
            columns.append(found_by | {"paraphrase: doc_recall@5": paraphrase["doc_recall@5"]})
    names = ["Ken, own collection", "reference, own collection", "Ken, everywhere", "reference, everywhere"]
    shown = names if reference else names[::2]
    print(f"| metric | n | {' | '.join(shown)} |")
    print("|---|---:|" + "---:|" * len(shown))
    for metric in [name for name in columns[0] if not name.startswith("latency")]:
        print(f"| {metric} | {columns[0][metric].n} | {' | '.join(str(column[metric]) for column in columns)} |")
    if reference:
        print(f"\nReference: {reference.name}, {len(reference.passages)} passages of at most {reference.words} words.")


def print_answers(lines: Sequence[dict[str, Any]], home: Path) -> None:
    """One row for each metric of answers by the extractive reader, each question in its own collection."""
    whole = evaluated(home, lines, search_only=False)
    report = metrics(whole["overall"])
    in_one_place = evaluated(home, [line for line in lines if line["kind"] in IN_ONE_PLACE], search_only=False)
    rows = {f"fact_coverage ({' + '.join(IN_ONE_PLACE)})": metrics(in_one_place["overall"])["fact_coverage"]}
    rows |= {name: report[name] for name in ANSWERS}
    print("\n| metric | n | extractive reader |\n|---|---:|---:|")
    for name, metric in rows.items():
        print(f"| {name} | {metric.n} | {metric} |")
    print(f"\n| kind | {' | '.join(ANSWERS)} |\n|---|" + "---:|" * len(ANSWERS))
    for kind, found_in in whole["by_kind"].items():
        cells = (f"{found_in[name]['value']:.2f}" if name in found_in else "–" for name in ANSWERS)
        print(f"| {kind} | {' | '.join(cells)} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--peer-python", type=Path, help="the interpreter of an environment with bm25s and PyStemmer")
    parser.add_argument("--words", type=int, default=WORDS, help="the reference's passages")
    given = parser.parse_args()
    if not found(given.data):
        return
    questions = given.data / "questions" / "dev.jsonl"
    lines = [json.loads(line) for line in questions.read_text("utf-8").splitlines() if line.strip()]
    with loaded_home(given.data, given.home) as home:
        print(f"{len(lines)} questions; {machine()}\n")
        reference = None
        if given.peer_python:
            reference = Reference(
                given.peer_python,
                given.data / "kb",
                cases=load_cases(questions),
                cache=home / "models",
                words=given.words,
            )
        else:
            print("Without the reference: name an interpreter that has bm25s and PyStemmer with --peer-python.\n")
        print_search(lines, home, reference=reference)
        print_answers(lines, home)


if __name__ == "__main__":
    main()
