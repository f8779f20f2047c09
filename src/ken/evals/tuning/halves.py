"""A question set in two halves: one to choose on, one to report on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ken.errors import InvalidCases
from ken.evals.cases import Case

FEWEST = 20
"""Of questions with gold: with fewer there is nothing to see."""
_PARTS = {"tune": True, "report": False}


@dataclass(frozen=True, slots=True)
class Halves:
    """The cases of a set that name a document, and for each whether it is in the half to choose on."""

    cases: tuple[Case, ...]
    is_choosing: tuple[bool, ...]
    left_out: int
    """Cases of the set that can't be measured: of a search, those without gold."""


def halved(cases: Sequence[Case], *, without_gold: bool = False) -> Halves:
    """Split a set: the same set always in the same way, each kind about evenly, and what shares a document in one half.

    A case whose `part` says `tune` or `report` goes there. Those that the documents don't answer are left out, but for where
    answers are measured (`without_gold`): then an abstention is right. Raises InvalidCases where too few cases have gold.
    """
    asked = [case for case in cases if case.gold]
    if len(asked) < FEWEST:
        raise InvalidCases(
            f"{len(asked)} of the {len(cases)} questions name a document in `gold`; tuning wants {FEWEST} at least, "
            "and is worth its time from about 100 on. docs/guides/search.md says how to write them."
        )
    if without_gold:
        asked = [case for case in cases if case.gold or case.wants_abstention]
    balance: Counter[str] = Counter()
    chosen: dict[str, bool] = {}
    for group in _groups(asked):
        kinds = Counter(case.kind for case in group)
        said = next((_PARTS[case.part] for case in group if case.part in _PARTS), None)
        lean = sum(balance[kind] * count for kind, count in kinds.items()) or sum(balance.values())
        is_choosing = said if said is not None else lean < 0 or (lean == 0 and _digest(group[0].id)[0] % 2 == 0)
        for kind, count in kinds.items():
            balance[kind] += count if is_choosing else -count
        chosen |= {case.id: is_choosing for case in group}
    if len(set(chosen.values())) == 1:
        raise InvalidCases(
            "All questions fall into one half: they share their documents, or `part` says so. Add questions about others."
        )
    return Halves(tuple(asked), tuple(chosen[case.id] for case in asked), len(cases) - len(asked))


def _groups(cases: Sequence[Case]) -> list[list[Case]]:
    """Cases that share a document, directly or over others; the largest groups first, equal ones by their hash."""
    leader: dict[str, str] = {}

    def root(path: str) -> str:
        while leader.setdefault(path, path) != path:
            leader[path] = leader[leader[path]]
            path = leader[path]
        return path

    for case in cases:
        first = root(_place(case))
        for piece in case.gold[1:]:
            leader[root(piece.path)] = first
    groups: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: _digest(case.id)):
        groups.setdefault(root(_place(case)), []).append(case)
    return sorted(groups.values(), key=lambda group: (-len(group), _digest(group[0].id)))


def _place(case: Case) -> str:
    """The first document that it shares with others; a case without gold shares none."""
    return case.gold[0].path if case.gold else f"without gold: {case.id}"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
