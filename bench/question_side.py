"""What each step of the question's side gives: every switch of `[search]` alone against none of them, on the same home.

    python bench/question_side.py [--data DIR] [--home HOME]

The home holds the four handbooks, and the example organisation's as the collection `handbook`. The sets are our own:
bench/questions/kb.jsonl, kb2.jsonl and kb3.jsonl, examples/questions.jsonl; and, made of them here, what people do to
questions: one slip of the keyboard in each (`misspelt`), two questions of one collection in one (`joined`), and an
acronym in the place of its long form or the other way round (`renamed`). Follow-ups (bench/questions/followups.jsonl) are
asked with their conversation and without.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ken.assistant.classify import standalone
from ken.domain.explained import Explained
from ken.domain.principal import LOCAL_OPERATOR
from ken.evals import scoring
from ken.evals.cases import Case, load_cases
from ken.knowledge.options import SearchOptions
from ken.settings import load
from ken.text.tokens import STOP_WORDS
from ken.wiring import Ken, open_home
from rig.handbooks import PROJECT, add_options, found, loaded_home, machine, sync

QUESTIONS = PROJECT / "bench" / "questions"
OWN = (*(QUESTIONS / name for name in ("kb.jsonl", "kb2.jsonl", "kb3.jsonl")), PROJECT / "examples" / "questions.jsonl")
METRICS = ("doc_recall@5", "doc_hit@1", "mrr@10", "evidence_recall@5")
NONE = SearchOptions(spelling=False, acronyms=False, names=False, compound=False, feedback=0)
KEYS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, letter in enumerate(row)
}

Scores = NDArray[np.float64]


async def measured(
    ken: Ken, cases: Sequence[Case], *, options: SearchOptions, alone: bool = False
) -> tuple[Scores, list[Explained], list[dict[str, float]]]:
    """Shape (cases, metrics), what became of each question, and what it took in milliseconds."""
    ken.library.options = options
    rows: list[tuple[float, ...]] = []
    explained: list[Explained] = []
    timings: list[dict[str, float]] = []
    for case in cases:
        collections = None if case.collection == "all" else frozenset({case.collection})
        question = case.question if alone else standalone(case.question, case.messages)
        found = await ken.library.search(question, LOCAL_OPERATOR, collections=collections, limit=40)
        documents = [each.document.id for each in found.evidence]
        gold = list(dict.fromkeys(piece.path for piece in case.gold))
        evidence = [piece.evidence for piece in case.gold]
        rows.append(
            (
                scoring.document_recall(gold, documents),
                scoring.top_document(gold, documents),
                scoring.reciprocal_rank(gold, documents),
                scoring.evidence_recall(evidence, [each.passage.text for each in found.evidence]),
            )
        )
        assert found.explained is not None
        explained.append(found.explained)
        timings.append(dict(found.timings_ms))
    return np.array(rows), explained, timings


def compare(name: str, before: Scores, *, after: Scores) -> None:
    """One row: each metric before, and the difference with its interval."""
    cells: list[str] = []
    for column in range(len(METRICS)):
        difference = after[:, column] - before[:, column]
        low, high = scoring.interval(difference.tolist())
        cells.append(f"{before[:, column].mean():.3f} {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]")
    print(f"| {name} | {len(before)} | {' | '.join(cells)} |", flush=True)


def misspelt(cases: Sequence[Case], dice: random.Random) -> list[Case]:
    """One slip in a word of five letters or more: a letter lost, doubled, swapped, or the next key."""
    made: list[Case] = []
    for case in cases:
        spots = [
            match
            for match in re.finditer(r"(?<![\w'@./_-])[a-zA-Z]{5,}(?![\w'@./_-])", case.question)
            if match[0].lower() not in STOP_WORDS and (match[0].islower() or match[0].istitle())
        ]
        if not spots or case.history:
            continue
        spot = dice.choice(spots)
        word, at = spot[0], dice.randrange(1, len(spot[0]) - 1)
        slip = dice.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + dice.choice(KEYS.get(word[at].lower(), "e")) + word[at + 1 :],
            )
        )
        if slip != word:
            question = case.question[: spot.start()] + slip + case.question[spot.end() :]
            made.append(case.model_copy(update={"question": question}))
    return made


def joined(cases: Sequence[Case], dice: random.Random) -> list[Case]:
    """Two questions of one collection in one, each with an answer in a document of its own."""
    fit = [
        case
        for case in cases
        if not case.history
        and len(case.gold) == 1
        and case.kind in {"lookup", "procedure", "exact_term"}
        and re.match(r"(?i)(?:what|who|when|where|how|which)\b", case.question)
    ]
    made: list[Case] = []
    for name in sorted({case.collection for case in fit}):
        own = [case for case in fit if case.collection == name]
        dice.shuffle(own)
        for one, other in zip(own[::2], own[1::2], strict=False):
            if one.gold[0].path != other.gold[0].path:
                question = f"{one.question.rstrip('? .')}, and {other.question[0].lower()}{other.question[1:]}"
                made.append(one.model_copy(update={"question": question, "gold": (*one.gold, *other.gold)}))
    return made


def renamed(cases: Sequence[Case], explained: Sequence[Explained]) -> list[Case]:
    """The other name in the place of each that the documents define."""
    made: list[Case] = []
    for case, told in zip(cases, explained, strict=True):
        question = case.question
        for each in told.expansions:
            question = question.replace(each.word, each.others[0])
        if question != case.question:
            made.append(case.model_copy(update={"question": question}))
    return made


def percentile(timings: Sequence[dict[str, float]], name: str) -> str:
    """Half and 95 % of a step's milliseconds."""
    half, most = np.percentile([each[name] for each in timings], [50, 95])
    return f"{name} {half:.1f} / {most:.1f} ms"


async def report(home: Path) -> None:
    """All rows."""
    ken = await open_home(load(home))
    try:
        own = [case for path in OWN for case in load_cases(path) if case.gold]
        print(f"| | n | {' | '.join(METRICS)} |\n|---|---:|{'---|' * len(METRICS)}")
        before, _, plain = await measured(ken, own, options=NONE)
        switches: dict[str, Callable[[], SearchOptions]] = {
            "spelling": lambda: replace(NONE, spelling=True),
            "compound": lambda: replace(NONE, compound=True),
            "acronyms": lambda: replace(NONE, acronyms=True),
            "names": lambda: replace(NONE, names=True),
            "feedback 5": lambda: replace(NONE, feedback=5),
            "what ships": SearchOptions,
        }
        told: list[Explained] = []
        took: list[tuple[str, list[dict[str, float]]]] = [("none", plain)]
        for name, options in switches.items():
            after, explained, timings = await measured(ken, own, options=options())
            told = explained if name == "acronyms" else told
            took.append((name, timings))
            compare(name, before, after=after)
        made = {
            "spelling": ("misspelt", misspelt(own, random.Random(11))),
            "compound": ("joined", joined(own, random.Random(3))),
            "acronyms": ("renamed", renamed(own, told)),
        }
        for name, (called, cases) in made.items():
            without, _, _ = await measured(ken, cases, options=NONE)
            after, _, timings = await measured(ken, cases, options=switches[name]())
            took.append((called, timings))
            compare(f"{name}, {called}", without, after=after)
        follow_ups = list(load_cases(QUESTIONS / "followups.jsonl"))
        alone, _, _ = await measured(ken, follow_ups, options=NONE, alone=True)
        after, _, _ = await measured(ken, follow_ups, options=NONE)
        compare("follow-ups, with their conversation", alone, after=after)
        for name, timings in took:
            print(f"{name}: {', '.join(percentile(timings, step) for step in ('plan', 'embed', 'rank'))} (p50 / p95)")
        print(machine())
    finally:
        await ken.aclose()


def main() -> None:
    """Load the home, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    options = parser.parse_args()
    if not found(options.data):
        return
    with loaded_home(options.data, options.home) as home:
        sync(home, PROJECT / "examples" / "handbook")
        asyncio.run(report(home))


if __name__ == "__main__":
    main()
