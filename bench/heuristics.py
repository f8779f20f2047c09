"""The rules that look at every answer: how often each fires on good answers, what it finds of planted faults, what it takes.

    python bench/heuristics.py [--data DIR] [--home DIR] [--questions FILE ...] [--show N]

The extractive reader answers the example handbook's questions and those of the four handbooks (bench/README.md says where they
are from). Its answers quote the documents and are verified, so that what a rule finds in them is to be read by a person
(`--show` prints them): a rule that fires on good answers is worse than none. Then one fault at a time is planted in each answer.
Times are the processor's, of one answer and all rules together: its passages seen for the first time, and seen before; and of
answers of 2,000 words, each put together from five, with the passages of all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import thread_time

import numpy as np

from ken.assistant.answer import Assistant
from ken.checks.heuristics.answered import Answered, Examined, Fault
from ken.checks.heuristics.examine import NAMES, Examiner
from ken.domain.answer import Question
from ken.domain.principal import LOCAL_OPERATOR
from ken.evals.cases import load_cases
from ken.settings import load
from ken.wiring import open_home
from rig.handbooks import PROJECT, add_options, found, loaded_home, machine, sync

WORDS = 2_000
_DIGITS = re.compile(r"(?<![\[\d])\d{2,6}(?![\]\d])")
_STEP = re.compile(r"^2\. ", re.MULTILINE)
_SEED = 7


class Remembering(Examiner):
    """The rules, which keep what they were shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Answered] = []

    def examine(self, answered: Answered) -> Examined:
        """As the rules do."""
        self.shown.append(answered)
        return super().examine(answered)


async def answers(home: Path, files: Sequence[Path]) -> list[Answered]:
    """What the reader answers to every question, as the rules are shown it."""
    ken = await open_home(load(home))
    examiner = Remembering()
    asked = Assistant(replace(ken.examinee.parts, examiner=examiner))
    for file in files:
        for case in load_cases(file):
            question = Question(
                text=case.question, principal=LOCAL_OPERATOR, history=case.messages, collections=case.collections
            )
            async for _ in asked.answer(question):
                pass
    await ken.aclose()
    return [each for each in examiner.shown if each.is_given]


def longer(pool: Sequence[Answered]) -> Answered:
    """Answers put together until they have so many words."""
    text, citations = "", []
    while len(text.split()) < WORDS:
        for each in pool:
            moved = len(text)
            citations += [
                replace(one, answer_start=one.answer_start + moved, answer_end=one.answer_end + moved)
                for one in each.citations
            ]
            text += f"{each.text}\n\n"
    passages = {one.id: one for each in pool for one in each.passages}
    return replace(pool[0], text=text, citations=tuple(citations), passages=tuple(passages.values()))


def another_figure(text: str) -> str:
    """The first figure of two digits or more, made another one."""
    return _DIGITS.sub(lambda match: str(int(match.group()) * 7 + 3), text, count=1)


FAULTS: dict[str, Callable[[Answered], Answered]] = {
    "figure": lambda each: replace(each, text=another_figure(each.text)),
    "hedging": lambda each: replace(each, text=f"{each.text} I think that this is what you need."),
    "uncited_sentence": lambda each: replace(each, text=f"{each.text} Dogs may sleep in the office on Sundays."),
    "citation_number": lambda each: replace(each, text=each.text.replace("[1]", "[7]", 1)),
    "citation_quote": lambda each: replace(
        each, citations=(replace(each.citations[0], quote=f"{each.citations[0].quote} unicorns"), *each.citations[1:])
    ),
    "refusal": lambda each: replace(each, text=f"I'm sorry, but I can't help with that. {each.text}"),
    "forbidden_phrase": lambda each: replace(each, text=f"As an AI language model, I say: {each.text}"),
    "clean_text": lambda each: replace(each, text=f"{each.text}<|im_end|>"),
    "steps": lambda each: replace(each, text=_STEP.sub("5. ", each.text, count=1)),
    "language": lambda each: replace(
        each,
        text="Das steht in dem Handbuch, und die Fristen sind für alle gleich, wenn nicht anders vereinbart wurde.",
    ),
}
"""One for each rule that can be wronged in an answer of text."""


def planted(examiner: Examiner, shown: Sequence[Answered]) -> dict[str, tuple[int, int]]:
    """Of the answers that a fault could be planted in and that the rule looks at, in how many it finds it."""
    results: dict[str, tuple[int, int]] = {}
    checked = [(each, examiner.examine(each).told.checked) for each in shown]
    for rule, plant in FAULTS.items():
        wronged = [new for each, names in checked if rule in names and (new := plant(each)) != each]
        results[rule] = (sum(rule in examiner.examine(each).told.failed for each in wronged), len(wronged))
    return results


def timed(examiner: Examiner, shown: Sequence[Answered], *, times: int = 1) -> str:
    """Processor milliseconds of one answer, each the best of some times, p50 and p99: what else the machine does counts less."""
    took: list[float] = []
    for each in shown:
        tries: list[float] = []
        for _ in range(times):
            began = thread_time()
            examiner.examine(each)
            tries.append((thread_time() - began) * 1000)
        took.append(min(tries))
    return f"p50 {np.percentile(took, 50):.3f} ms, p99 {np.percentile(took, 99):.3f} ms"


def main() -> None:
    """Print the rules' table and the times."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--questions", type=Path, nargs="*", default=[], help="more question files")
    parser.add_argument("--show", type=int, default=0, help="print so many finds of each rule")
    options = parser.parse_args()
    if not found(options.data):
        return
    files = [PROJECT / "examples" / "questions.jsonl", options.data / "questions" / "dev.jsonl", *options.questions]
    with loaded_home(options.data, options.home) as home:
        sync(home, PROJECT / "examples" / "handbook")
        shown = asyncio.run(answers(home, files))
    examiner = Examiner()
    print(f"{len(shown)} answers; {machine()}")
    examiner.examine(longer(shown[:2]))  # the words of languages are read once
    times = {"passages not seen before": timed(examiner, shown), "once more": timed(examiner, shown, times=3)}
    dice = random.Random(_SEED)
    times[f"{WORDS:,} words"] = timed(examiner, [longer(dice.sample(shown, 5)) for _ in range(60)], times=5)
    looked: Counter[str] = Counter()
    faults: dict[str, list[tuple[Answered, Fault]]] = defaultdict(list)
    for each in shown:
        examined = examiner.examine(each)
        looked.update(examined.checked)
        for fault in examined.faults:
            faults[fault.rule].append((each, fault))
    wronged = planted(examiner, shown)
    print("| rule | looked at | found | rate | planted faults found |\n|---|---:|---:|---:|---:|")
    for name in NAMES:
        rate = f"{len(faults[name]) / looked[name]:.2%}" if looked[name] else "-"
        caught = "{} of {}".format(*wronged[name]) if name in wronged else "-"
        print(f"| `{name}` | {looked[name]} | {len(faults[name])} | {rate} | {caught} |")
    for what, time in times.items():
        print(f"{what}: {time}")
    for name, some in faults.items():
        for each, fault in some[: options.show]:
            print(f"\n{name}: {fault.detail}\n  {each.question}\n  {each.text}")


if __name__ == "__main__":
    main()
