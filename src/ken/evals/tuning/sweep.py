"""The sweep: one setting after the other, the others as they were chosen so far (coordinate-wise).

A value is taken where its gain on the choosing half is larger than its standard error. What was taken is recommended where
its gain on the reporting half, which no choice has seen, is more than chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from math import ceil, sqrt
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ken.domain.principal import Principal
from ken.errors import InvalidCases
from ken.evals import scoring
from ken.evals.retrieval import Retrieved, retrieve
from ken.evals.tuning import space
from ken.evals.tuning.halves import Halves
from ken.evals.tuning.space import Setup, Value
from ken.knowledge.chunkers.chunker import Chunking
from ken.knowledge.corpus import Corpus

OBJECTIVE = ("doc_recall@5", "doc_hit@1", "mrr@10", "evidence_recall@5")
"""Their plain mean is what a setting is chosen by."""
MOST_PASSAGES = 20
"""Of the curve that says how much evidence is among the first passages."""
_WORTH_TELLING = 0.02

Rebuild = Callable[[Chunking], AbstractAsyncContextManager[Corpus]]
"""Lends the same documents, cut in another way, until the block ends."""
Tick = Callable[[str, int], None]
"""Called after each search: what is measured, and how many searches are done."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gain:
    """A mean difference over n questions, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, differences: Numbers) -> Gain:
        """The gain of paired differences, one a question."""
        return cls(float(differences.mean()), *scoring.interval(differences.tolist()), len(differences))


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a setup gave; n questions."""

    figures: Numbers
    """Shape (n, metrics of the objective)."""
    evidence: Numbers
    """Shape (n, MOST_PASSAGES): the share of each question's evidence among so many passages."""
    tokens: Numbers
    """Shape (n, MOST_PASSAGES): tokens of so many passages."""
    milliseconds: float
    """Of a search, the median."""
    passages: int
    """In the corpus."""

    @property
    def objective(self) -> Numbers:
        """Shape (n,)."""
        return np.asarray(self.figures.mean(axis=1), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One value of one setting, with what had been taken before."""

    key: str
    value: Value
    measured: Measured
    before: Measured
    is_taken: bool = False

    def differences(self, of: Numbers) -> Numbers:
        """The gain of each question of a half; `of` is a mask of shape (n,)."""
        return (self.measured.objective - self.before.objective)[of > 0]


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """The outcome: where it began, what was tried, and what was taken in the end."""

    start: Setup
    end: Setup
    halves: Halves
    before: Measured
    after: Measured
    trials: tuple[Trial, ...]

    @property
    def choosing(self) -> Numbers:
        """Shape (n,): 1 for a question of the choosing half."""
        return np.array(self.halves.is_choosing, np.float64)

    @property
    def reporting(self) -> Numbers:
        """Shape (n,): 1 for a question of the reporting half."""
        return 1 - self.choosing

    @property
    def gain(self) -> Gain:
        """Of everything that was taken, on the reporting half."""
        return Gain.of((self.after.objective - self.before.objective)[self.reporting > 0])

    @property
    def is_worth_it(self) -> bool:
        """Whether the recommendation is to change something."""
        return self.start != self.end and self.gain.low > 0

    @property
    def enough(self) -> int:
        """About how many questions of the whole set would tell a gain of 0.02 from chance, by the spread seen here."""
        spreads = [trial.differences(self.reporting).std() for trial in self.trials]
        typical = float(np.median([spread for spread in spreads if spread > 0] or [0.0]))
        return 2 * ceil((1.96 * typical / _WORTH_TELLING) ** 2)


def planned(start: Setup, keys: Sequence[str], *, questions: int) -> tuple[int, int]:
    """How many searches, and how many indexes to build, a sweep of these settings takes at most."""
    trials = sum(space.most_others(start, key) for key in keys)
    builds = sum(space.most_others(start, key) for key in keys if space.is_of_chunking(key))
    return questions * (trials + 1), builds


@dataclass(slots=True)
class Sweep:
    """Measures setups over one set of questions."""

    corpus: Corpus
    plan: Chunking
    """How its documents are cut."""
    rebuild: Rebuild
    halves: Halves
    principal: Principal
    tick: Tick
    done: int = 0
    _lent: dict[Chunking, tuple[Corpus, AsyncExitStack]] = field(
        default_factory=dict[Chunking, tuple[Corpus, AsyncExitStack]]
    )

    async def run(self, start: Setup, keys: Sequence[str]) -> Swept:
        """Sweep these settings, in this order. Raises InvalidCases where the documents of no question are here."""
        self._check_loaded()
        try:
            before = chosen = await self._measured(start, "as it is")
            setup = start
            trials: list[Trial] = []
            for key in keys:
                tried = [
                    await self._trial(setup, key, value=value, before=chosen) for value in space.others(setup, key)
                ]
                best = self._best(tried)
                trials += (replace(each, is_taken=each is best) for each in tried)
                if best is not None:
                    setup, chosen = setup.having(key, best.value), best.measured
                await self._give_back(setup.chunking)
            return Swept(start, setup, self.halves, before, chosen, tuple(trials))
        finally:
            await self._give_back(None)

    async def _trial(self, setup: Setup, key: str, *, value: Value, before: Measured) -> Trial:
        measured = await self._measured(setup.having(key, value), space.line(key, value))
        return Trial(key, value, measured, before)

    def _best(self, trials: Sequence[Trial]) -> Trial | None:
        """The one with the largest gain on the choosing half, if that is larger than its standard error."""
        choosing = np.array(self.halves.is_choosing, np.float64)
        gains = [trial.differences(choosing) for trial in trials]
        if not gains:
            return None
        at = int(np.argmax([gain.mean() for gain in gains]))
        error = float(gains[at].std()) / sqrt(len(gains[at]))
        return trials[at] if float(gains[at].mean()) > error else None

    async def _measured(self, setup: Setup, name: str) -> Measured:
        corpus = replace(await self._cut(setup.chunking), options=setup.options)
        if not setup.reranker:
            corpus = replace(corpus, reranking=None)
        found: list[Retrieved] = []
        taken: list[float] = []
        for case in self.halves.cases:
            began = perf_counter()
            found.append(await retrieve(corpus, case, principal=self.principal))
            taken.append(1000 * (perf_counter() - began))
            self.done += 1
            self.tick(name, self.done)
        figures = [[each.figures()[metric] for metric in OBJECTIVE] for each in found]
        return Measured(
            figures=np.array(figures),
            evidence=np.array([_curve(each) for each in found]),
            tokens=np.array([_tokens(each) for each in found]),
            milliseconds=float(np.median(taken)),
            passages=corpus.index.size,
        )

    async def _cut(self, plan: Chunking) -> Corpus:
        """The home's own corpus where it is cut by this plan, else one that was rebuilt."""
        if plan == self.plan:
            return self.corpus
        if plan not in self._lent:
            stack = AsyncExitStack()
            self._lent[plan] = await stack.enter_async_context(self.rebuild(plan)), stack
        return self._lent[plan][0]

    async def _give_back(self, kept: Chunking | None) -> None:
        for plan in [plan for plan in self._lent if plan != kept]:
            _, stack = self._lent.pop(plan)
            await stack.aclose()

    def _check_loaded(self) -> None:
        documents = {document.id for document in self.corpus.index.catalogue.listed}
        wanted = {piece.path for case in self.halves.cases for piece in case.gold}
        if not wanted & documents:
            raise InvalidCases(
                f"This home holds none of the {len(wanted)} documents that the questions name, as {min(wanted)!r}. "
                "Sync them first: ken sync DIR --collection NAME."
            )


def _curve(found: Retrieved) -> list[float]:
    places = found.evidence_places()
    return [
        sum(place is not None and place <= count for place in places) / len(places)
        for count in range(1, MOST_PASSAGES + 1)
    ]


def _tokens(found: Retrieved) -> list[float]:
    return [float(sum(found.tokens[:count])) for count in range(1, MOST_PASSAGES + 1)]
