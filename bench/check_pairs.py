"""Check question pairs: each is whole, stands once, and tuning sees nothing of what is reported.

    python bench/check_pairs.py [FILE]

A pair is two questions (`a`, `b`) and whether one answer from the same documents serves both (`same`). Of each pair: its
fields, its kind (a paraphrase is `same`, every trap is not), two different questions. Over all pairs: an id stands once,
a pair stands once (also with its questions swapped, and not once as `same` and once not), no topic and no question stands
in both parts, no question of one part is nearly one of the other (word Jaccard above 0.7), and each kind has its number
and lies in the two parts by halves. Prints how many pairs there are of each kind, domain and part, and ends with 1 where
something is wrong.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

PAIRS = Path(__file__).parent / "questions" / "pairs.jsonl"
PARTS = ("tune", "report")
FEWEST = {
    "paraphrase": 420,
    "polarity": 60,
    "negation": 60,
    "number": 60,
    "date": 60,
    "unit": 60,
    "entity": 60,
    "role": 60,
    "scope": 60,
}
"""The kinds, and how many pairs of each there have to be."""
NEARLY_THE_SAME = 0.7
MOST_APART = 0.04
"""How far a kind's share of the first part may lie from one half."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, and whether an answer to one serves the other: a line of the file."""

    id: str
    kind: str
    same: bool
    a: str
    b: str
    part: str
    domain: str
    topic: str


def plain(question: str) -> str:
    """A question without its case, its punctuation and its spaces at both ends."""
    return " ".join(_WORD.findall(question.casefold()))


def load(path: Path) -> list[Pair]:
    """The pairs of a file, in order; raises ValueError where a line hasn't exactly the fields of a pair."""
    names = [field.name for field in fields(Pair)]
    pairs: list[Pair] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        values = json.loads(line)
        if list(values) != names:
            raise ValueError(f"{path.name}, line {number}: the fields are {list(values)}, not {names}")
        pairs.append(Pair(**values))
    return pairs


def wrong(pair: Pair) -> Iterator[str]:
    """What is wrong with one pair by itself."""
    if pair.kind not in FEWEST:
        yield f"there is no kind {pair.kind!r}"
    if pair.same is not (pair.kind == "paraphrase"):
        yield f"a pair of the kind {pair.kind!r} can't be same: {pair.same}"
    if pair.part not in PARTS:
        yield f"there is no part {pair.part!r}"
    if not all((pair.id, pair.domain, pair.topic, plain(pair.a), plain(pair.b))):
        yield "a field is empty"
    if pair.a != pair.a.strip() or pair.b != pair.b.strip():
        yield "a question has spaces at an end"
    if plain(pair.a) == plain(pair.b):
        yield f"both questions are {pair.a!r}"


def wrong_together(pairs: Sequence[Pair]) -> Iterator[str]:
    """What is wrong with the pairs beside one another: ids, repeats, and what stands in both parts."""
    for name, times in Counter(pair.id for pair in pairs).items():
        if times > 1:
            yield f"the id {name!r} stands {times} times"
    first: dict[frozenset[str], Pair] = {}
    for pair in pairs:
        before = first.setdefault(frozenset((plain(pair.a), plain(pair.b))), pair)
        if before is not pair:
            yield f"{pair.id!r} repeats {before.id!r}: {pair.a!r}, {pair.b!r}"
    parts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pair in pairs:
        parts["the topic", f"{pair.domain}: {pair.topic}"].add(pair.part)
        parts["the question", plain(pair.a)].add(pair.part)
        parts["the question", plain(pair.b)].add(pair.part)
    yield from (f"{what} {name!r} stands in both parts" for (what, name), of in parts.items() if len(of) > 1)
    yield from near(pairs)


def near(pairs: Sequence[Pair]) -> Iterator[str]:
    """The questions of one part that are nearly a question of the other."""
    bags = [
        [
            (pair.id, question, frozenset(plain(question).split()))
            for pair in pairs
            for question in (pair.a, pair.b)
            if pair.part == part
        ]
        for part in PARTS
    ]
    for one, question, words in bags[0]:
        for other, like, others in bags[1]:
            if len(words & others) > NEARLY_THE_SAME * len(words | others):
                yield f"{one!r} and {other!r}, of two parts, are nearly the same: {question!r}, {like!r}"


def wrong_counts(pairs: Sequence[Pair]) -> Iterator[str]:
    """The kinds that are too few or that don't lie in the two parts by halves."""
    for kind, fewest in FEWEST.items():
        of = [pair.part for pair in pairs if pair.kind == kind]
        if len(of) < fewest:
            yield f"there are {len(of)} pairs of the kind {kind!r}, not {fewest}"
        elif abs(of.count(PARTS[0]) / len(of) - 0.5) > MOST_APART:
            yield f"{of.count(PARTS[0])} of {len(of)} pairs of the kind {kind!r} are in {PARTS[0]!r}"


def print_counts(pairs: Sequence[Pair], *, by: str) -> None:
    """One row for each value of a field, with the pairs of each part."""
    counts = Counter((getattr(pair, by), pair.part) for pair in pairs)
    print(f"| {by} | {' | '.join(PARTS)} | all |\n|---|" + "---:|" * (len(PARTS) + 1))
    for value in dict.fromkeys(getattr(pair, by) for pair in pairs):
        each = [counts[value, part] for part in PARTS]
        print(f"| {value} | {' | '.join(map(str, each))} | {sum(each)} |")
    each = [sum(pair.part == part for pair in pairs) for part in PARTS]
    print(f"| all | {' | '.join(map(str, each))} | {len(pairs)} |\n")


def main() -> int:
    """Print what is wrong, then the counts; 1 where something is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=PAIRS, metavar="FILE", help="pairs, as JSON lines")
    pairs = load(parser.parse_args().file)
    problems = [f"{pair.id}: {problem}" for pair in pairs for problem in wrong(pair)]
    problems += [*wrong_together(pairs), *wrong_counts(pairs)]
    print("\n".join([*problems, f"{len(problems)} problems in {len(pairs)} pairs.\n"]))
    print_counts(pairs, by="kind")
    print_counts(pairs, by="domain")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
