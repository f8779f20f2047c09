"""Cost against quality: the same questions asked of a light and of a strong tier, and what each threshold would have made of them.

A threshold sends what is at least so difficult to the strong tier. It is chosen on one half of the questions: the cheapest whose
quality lies no more than a margin below the best. It is recommended where the other half, which no choice has seen, says so, too.
Beside it stand the lines that it has to beat: everything light, everything strong, and a lottery at the same cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import numpy as np

from ken.assistant.answer import Assistant
from ken.assistant.explain import explain
from ken.domain.answer import Answer, Question, TaskType
from ken.domain.events import Answered, Failed
from ken.domain.principal import Principal
from ken.errors import InvalidInput
from ken.evals import scoring
from ken.evals.cases import Case
from ken.evals.tuning.halves import Halves
from ken.evals.tuning.sweep import Gain, Numbers
from ken.gateway.route import Routes, TierName
from ken.knowledge.library import Library
from ken.text.markup import plain

THRESHOLDS: tuple[float, ...] = tuple(round(0.05 * step, 2) for step in range(21))
"""From everything to the strong tier, to nothing: no difficulty comes up to 1."""
WITHIN = 0.02
"""Of quality: so much less may be given up for money."""
TOO_MUCH = 0.05
"""Of quality: a recommendation that saves money must have lost less than this, with 95 % confidence."""
_BETTER_BY = 0.1
"""A question is difficult where the strong tier's answer is better by more than this."""

Tick = Callable[[str, int], None]
"""Called after each question: the tier, and how many questions were asked in all."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What a tier made of n questions."""

    quality: Numbers
    """Shape (n,), 0 to 1."""
    micros: Numbers
    """Shape (n,): what each cost, in millionths of the currency."""
    failures: tuple[tuple[str, str], ...] = ()
    """Questions that got no answer, with the reason; their quality is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Threshold:
    """One threshold over n questions."""

    at: float
    is_strong: Numbers
    """Shape (n,): 1 where the question went to the strong tier."""
    quality: Numbers
    micros: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """What the tiers gave, and what to make of it."""

    names: tuple[TierName, ...]
    """The light one, the strong one, then any others."""
    halves: Halves
    difficulty: Numbers
    """Shape (n,)."""
    features: tuple[Mapping[str, float], ...]
    tiers: Mapping[str, Measured]
    now: float
    """The threshold of ken.toml."""
    within: float = WITHIN
    origin: str = "rules"
    """Of the difficulty."""

    @property
    def light(self) -> Measured:
        """The tier of easy questions."""
        return self.tiers[self.names[0]]

    @property
    def strong(self) -> Measured:
        """The tier of difficult ones."""
        return self.tiers[self.names[1]]

    @property
    def choosing(self) -> Numbers:
        """Shape (n,): 1 for a question of the choosing half."""
        return np.array(self.halves.is_choosing, np.float64)

    @property
    def reporting(self) -> Numbers:
        """Shape (n,): 1 for a question of the reporting half."""
        return 1 - self.choosing

    @property
    def hard(self) -> Numbers:
        """Shape (n,): 1 where the strong tier's answer is better: what training learns."""
        return np.asarray(self.strong.quality - self.light.quality > _BETTER_BY, np.float64)

    def at(self, threshold: float) -> Threshold:
        """What a threshold would have given."""
        goes = np.asarray(self.difficulty >= threshold, np.float64)
        return Threshold(
            threshold,
            goes,
            np.where(goes > 0, self.strong.quality, self.light.quality),
            np.where(goes > 0, self.strong.micros, self.light.micros),
        )

    @property
    def chosen(self) -> Threshold:
        """The cheapest on the choosing half whose quality there is within the margin of the best; of equal ones the highest."""
        of = self.choosing > 0
        tried = [self.at(threshold) for threshold in THRESHOLDS]
        best = max(float(each.quality[of].mean()) for each in tried)
        fit = [each for each in tried if float(each.quality[of].mean()) >= best - self.within]
        return min(fit, key=lambda each: (float(each.micros[of].mean()), -each.at))

    def gain(self, over: float) -> tuple[Gain, Gain]:
        """Quality and cost of the chosen threshold beside another one, on the reporting half."""
        of = self.reporting > 0
        chosen, other = self.chosen, self.at(over)
        return Gain.of((chosen.quality - other.quality)[of]), Gain.of((chosen.micros - other.micros)[of])

    @property
    def over_lottery(self) -> Gain:
        """Quality of the chosen threshold beside a lottery between both tiers that costs the same, on the reporting half."""
        of = self.reporting > 0
        chosen = self.chosen
        cheap, dear = float(self.light.micros[of].mean()), float(self.strong.micros[of].mean())
        share = (float(chosen.micros[of].mean()) - cheap) / (dear - cheap) if dear != cheap else 0.0
        drawn = share * self.strong.quality + (1 - share) * self.light.quality
        return Gain.of((chosen.quality - drawn)[of])

    @property
    def is_worth_it(self) -> bool:
        """Whether to change the threshold: it gives better answers, or as good ones for less."""
        chosen, now = self.chosen, self.at(self.now)
        if bool((chosen.is_strong == now.is_strong).all()):
            return False
        quality, micros = self.gain(self.now)
        return quality.low > 0 or (micros.high < 0 and quality.low > -TOO_MUCH)

    def having(self, difficulty: Sequence[float], origin: str) -> Tuned:
        """The same with another estimate of the difficulty."""
        return replace(self, difficulty=np.array(difficulty), origin=origin)


@dataclass(slots=True)
class TierRun:
    """Asks every question of every tier, as the route would."""

    assistant: Assistant
    library: Library
    principal: Principal
    halves: Halves
    tick: Tick
    done: int = 0
    _passages: dict[str, str] = field(default_factory=dict[str, str])

    async def run(self, names: Sequence[TierName], *, within: float = WITHIN) -> Tuned:
        """Measure these tiers, the light one first. Raises InvalidInput where a price is unknown or a tier is missing."""
        routes = self.assistant.parts.routes
        for name in names:
            if name not in routes.tiers:
                raise InvalidInput(
                    f"There is no tier {name!r}: ken.toml has {', '.join(map(repr, routes.tiers)) or 'none'}. "
                    f"Add a [tiers.{name}] table with its `models`."
                )
        estimates = [await explain(self.assistant.parts, self._question(case)) for case in self.halves.cases]
        reached = [each.difficulty for each in estimates]
        tiers = {name: await self._measured(routes, name) for name in names}
        return Tuned(
            names=tuple(names),
            halves=self.halves,
            difficulty=np.array([0.0 if each is None else each.value for each in reached]),
            features=tuple({} if each is None else each.features for each in reached),
            tiers=tiers,
            now=routes.threshold,
            within=within,
            origin=routes.estimator.origin,
        )

    async def _measured(self, routes: Routes, name: TierName) -> Measured:
        """Every task type settled on one tier; what it fails at escalates, if ken.toml lets it, and that costs."""
        settled: dict[TaskType, TierName] = dict.fromkeys(get_args(TaskType), name)
        asked = Assistant(replace(self.assistant.parts, routes=replace(routes, tasks=settled)))
        quality: list[float] = []
        micros: list[float] = []
        failures: list[tuple[str, str]] = []
        for case in self.halves.cases:
            answer, reason = await self._answer(asked, case)
            self.done += 1
            self.tick(name, self.done)
            if answer is None:
                failures.append((case.id, reason))
            elif answer.cost_micros is None:
                raise InvalidInput(
                    f"What {answer.model!r} costs is unknown, so that nothing can be set against its quality. Say it in ken.toml: "
                    f'[prices."{answer.model}"].'
                )
            quality.append(0.0 if answer is None else await self._quality(case, answer))
            micros.append(0.0 if answer is None else float(answer.cost_micros or 0))
        return Measured(np.array(quality), np.array(micros), tuple(failures))

    def _question(self, case: Case) -> Question:
        return Question(
            text=case.question, principal=self.principal, history=case.messages, collections=case.collections
        )

    async def _answer(self, asked: Assistant, case: Case) -> tuple[Answer | None, str]:
        async for event in asked.answer(self._question(case)):
            if isinstance(event, Answered):
                return event.answer, ""
            if isinstance(event, Failed):
                return None, event.message
        return None, "no answer came"

    async def _quality(self, case: Case, answer: Answer) -> float:
        """1 for an abstention that is right, 0 for any other one; else the mean of facts, gold and citations."""
        if case.wants_abstention or answer.abstained:
            return float(case.wants_abstention and answer.abstained)
        cited = {citation.document_id for citation in answer.citations}
        wanted = {piece.path for piece in case.gold}
        supported: list[float] = []
        for citation in answer.citations:
            sentence = answer.text[citation.answer_start : citation.answer_end]
            stored = await self._stored(citation.document_id)
            supported.append(scoring.supported(sentence, stored.get(citation.passage_id, "")))
        figures = [
            len(cited & wanted) / len(wanted) if wanted else float(bool(cited)),
            float(np.mean(supported)) if supported else 0.0,
        ]
        if case.facts:
            figures.append(scoring.fact_coverage(case.facts, answer.text))
        return float(np.mean(figures))

    async def _stored(self, document_id: str) -> Mapping[str, str]:
        """The passages of a document as stored now, by id."""
        if not any(name.startswith(f"{document_id}#") for name in self._passages):
            document = await self.library.document(document_id, self.principal)
            for passage in await self.library.passages(document_id, self.principal):
                self._passages[passage.id] = plain(passage.shown, document.markup)
        return self._passages


def planned(names: Sequence[TierName], halves: Halves) -> int:
    """How many questions a tuning asks of models, before any escalates."""
    return len(names) * len(halves.cases)
