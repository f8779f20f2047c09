"""Check question files: each question can be answered, stands once, and a paraphrase is one.

    python bench/check_questions.py FILE [FILE ...] [--data DIR]

Of each question: the evidence stands in the document that it names. Over all files: an id stands once, no two questions
are nearly the same (word Jaccard above 0.6), and no document is asked about both in what search is tuned on and in what it
is reported on (`part`). Of a paraphrase: at most 0.34 of its content words stand in an evidence, in the headings above that
or in the document's title. Prints how many questions there are of each kind, collection and part, and ends with 1 where
something is wrong.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

from ken.evals.cases import Case, load_cases
from ken.evals.scoring import normalise
from ken.text.tokens import terms, words
from rig.handbooks import add_data, found

NEARLY_THE_SAME = 0.6
MOST_SHARED = 0.34
HALVES = frozenset({"tune", "report"})
"""The parts that may not share a document."""

_HEADING = re.compile(r"^(#{1,6})\s+(.+)$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_TITLE = re.compile(r"^title:\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Question:
    """A case, the part that it lies in and the file that it is of."""

    case: Case
    part: str
    file: str


def load(path: Path) -> list[Question]:
    """The questions of one file, in order."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    parts = [str(json.loads(line).get("part", "")) for line in lines]
    return [Question(case, part, path.name) for case, part in zip(load_cases(path), parts, strict=True)]


@cache
def sections(path: Path) -> tuple[tuple[str, str], ...]:
    """Each section of a Markdown file, normalised, with the title and the headings that it stands under.

    The whole document stands last, under its title alone: for an evidence that runs on from one section into the next.
    """
    text = path.read_text("utf-8")
    title = _TITLE.search(text)
    above = [title.group(1)] if title else []
    stack: dict[int, str] = {}
    lines: list[str] = []
    done: list[tuple[str, str]] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading:
            done.append((normalise("\n".join(lines)), " ".join([*above, *stack.values()])))
            level = len(heading.group(1))
            stack = {of: name for of, name in stack.items() if of < level} | {level: heading.group(2)}
            lines = []
        lines.append(line)
    done.append((normalise("\n".join(lines)), " ".join([*above, *stack.values()])))
    return (*done, (normalise(text), " ".join(above)))


def headings_of(evidence: str, document: Path) -> str | None:
    """The title and the headings above an evidence; None where the document doesn't hold it."""
    wanted = normalise(evidence)
    return next((above for text, above in sections(document) if wanted in text), None)


def shared(question: Question, kb: Path) -> float:
    """The share of the question's content words that stand at the place of its answer; the most over its places."""
    asked = set(terms(question.case.question))
    if not asked:
        return 1.0
    places = (f"{gold.evidence} {headings_of(gold.evidence, kb / gold.path) or ''}" for gold in question.case.gold)
    return max((len(asked & set(terms(place))) / len(asked) for place in places), default=0.0)


def wrong(question: Question, kb: Path) -> Iterator[str]:
    """What is wrong with one question by itself."""
    for gold in question.case.gold:
        if not (kb / gold.path).is_file():
            yield f"there is no document {gold.path!r}"
        elif headings_of(gold.evidence, kb / gold.path) is None:
            yield f"{gold.path!r} doesn't hold {gold.evidence!r}"
    if question.case.kind == "paraphrase" and (share := shared(question, kb)) > MOST_SHARED:
        yield f"shares {share:.2f} of its content words with the place of its answer: {question.case.question!r}"


def wrong_together(questions: Sequence[Question]) -> Iterator[str]:
    """What is wrong with the questions beside one another: ids, near repeats, and documents in both halves."""
    for name, times in Counter(question.case.id for question in questions).items():
        if times > 1:
            yield f"the id {name!r} stands {times} times"
    bags = [(question.case, {word.lower() for word in words(question.case.question)}) for question in questions]
    for (one, first), (other, second) in combinations(bags, 2):
        if len(first & second) > NEARLY_THE_SAME * len(first | second):
            yield f"{one.id!r} and {other.id!r} are nearly the same: {one.question!r}, {other.question!r}"
    halves: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        for gold in question.case.gold:
            halves[gold.path].add(question.part)
    for path, parts in halves.items():
        if parts >= HALVES:
            yield f"{path!r} is asked about both in what is tuned on and in what is reported on"


def print_counts(questions: Sequence[Question]) -> None:
    """One row for each kind and collection, with the questions of each part."""
    parts = sorted({question.part for question in questions})
    counts = Counter((question.case.kind, question.case.collection, question.part) for question in questions)
    print(f"| kind | collection | {' | '.join(parts)} | all |")
    print("|---|---|" + "---:|" * (len(parts) + 1))
    for kind, collection in sorted({(kind, collection) for kind, collection, _ in counts}):
        each = [counts[kind, collection, part] for part in parts]
        print(f"| {kind} | {collection} | {' | '.join(map(str, each))} | {sum(each)} |")
    each = [sum(question.part == part for question in questions) for part in parts]
    print(f"| all | all | {' | '.join(map(str, each))} | {len(questions)} |")


def main() -> int:
    """Print what is wrong, then the counts; 1 where something is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="questions, as JSON lines")
    add_data(parser)
    given = parser.parse_args()
    if not found(given.data):
        return 0
    questions = [question for path in given.files for question in load(path)]
    problems = [
        f"{question.file}, {question.case.id}: {problem}"
        for question in questions
        for problem in wrong(question, given.data / "kb")
    ]
    problems += wrong_together(questions)
    print("\n".join([*problems, f"{len(problems)} problems in {len(questions)} questions.\n"]))
    print_counts(questions)
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
