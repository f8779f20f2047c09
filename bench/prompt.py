"""What a prompt holds of the evidence: passages given to the model, and the share of their text that is kept.

    python bench/prompt.py [--data DIR] [--home HOME]

For each question with gold evidence, searched in its own collection: `kept` is the share of the evidence's strings that
stand in the prompt's passages, `tokens` what these passages take. The rows are the settings `passages` and
`compress_passages_to`. The sets are our own (bench/questions, examples); the shared set is reported apart.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ken.assistant.classify import standalone
from ken.domain.document import Evidence
from ken.domain.principal import LOCAL_OPERATOR
from ken.evals.cases import Case, load_cases
from ken.evals.scoring import normalise
from ken.prompts.compress import compressed
from ken.settings import load
from ken.wiring import Ken, open_home
from rig.handbooks import PROJECT, add_options, found, loaded_home, machine, sync

QUESTIONS = PROJECT / "bench" / "questions"
OWN = (*(QUESTIONS / name for name in ("kb.jsonl", "kb2.jsonl", "kb3.jsonl")), PROJECT / "examples" / "questions.jsonl")
PASSAGES = (2, 3, 4, 6, 8)
SHARES = (1.0, 0.7, 0.5, 0.35)
Row = tuple[float, float]


async def searched(ken: Ken, cases: Sequence[Case]) -> list[tuple[Case, tuple[Evidence, ...]]]:
    """The passages of each case that has gold."""
    answers: list[tuple[Case, tuple[Evidence, ...]]] = []
    for case in cases:
        if case.gold:
            collections = None if case.collection == "all" else frozenset({case.collection})
            question = standalone(case.question, case.messages)
            result = await ken.library.search(question, LOCAL_OPERATOR, collections=collections, limit=max(PASSAGES))
            answers.append((case, result.evidence))
    return answers


def kept(ken: Ken, found: Sequence[tuple[Case, tuple[Evidence, ...]]], *, passages: int, share: float) -> Row:
    """Mean share of the gold evidence that is in the prompt, and mean tokens of its passages."""
    tokens = ken.library.ingest.tokens
    rows: list[Row] = []
    for case, evidence in found:
        texts = compressed(evidence[:passages], share)
        folded = [normalise(text) for text in texts]
        pieces = [normalise(piece.evidence) for piece in case.gold]
        have = sum(any(piece in text for text in folded) for piece in pieces) / len(pieces)
        rows.append((have, float(sum(tokens.count(text) for text in texts))))
    mean = np.array(rows).mean(axis=0)
    return float(mean[0]), float(mean[1])


async def report(home: Path, data: Path) -> None:
    """Print a table for each set."""
    ken = await open_home(load(home))
    try:
        own = [case for path in OWN for case in load_cases(path)]
        shared = data / "questions" / "dev.jsonl"
        sets = [("own", own)] + ([("shared", list(load_cases(shared)))] if shared.exists() else [])
        for name, cases in sets:
            found = await searched(ken, cases)
            print(f"\n{name}: {len(found)} questions\n\npassages  share  kept   tokens")
            for passages in PASSAGES:
                for share in SHARES:
                    have, tokens = kept(ken, found, passages=passages, share=share)
                    print(f"{passages:8}  {share:5.2f}  {have:.3f}  {tokens:6.0f}")
    finally:
        await ken.aclose()


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    given = parser.parse_args()
    print(machine())
    if found(given.data):
        with loaded_home(given.data, given.home) as home:
            sync(home, PROJECT / "examples" / "handbook")
            asyncio.run(report(home, given.data))


if __name__ == "__main__":
    main()
