"""Runs a question set against the loaded collections and reports each metric with its interval."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from ken import __version__
from ken.assistant.answer import Assistant
from ken.domain.answer import Answer, Question
from ken.domain.events import Answered, Failed
from ken.domain.principal import Principal
from ken.domain.wire import Json
from ken.errors import InvalidCases
from ken.evals import scoring
from ken.evals.cases import AMBIGUOUS, Case
from ken.evals.retrieval import retrieve
from ken.knowledge.library import Library
from ken.text.markup import plain


@dataclass(frozen=True, slots=True)
class Metric:
    """A mean over cases with its 95 % bootstrap interval; `n` cases count. Latencies are percentiles, in milliseconds."""

    value: float
    low: float
    high: float
    n: int


@dataclass(slots=True)
class EvalReport:
    """Overall and by kind: metric name -> Metric. `failures` are questions that got no answer, with the reason."""

    overall: dict[str, Metric]
    by_kind: dict[str, dict[str, Metric]]
    failures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def to_json(self) -> str:
        """`{"overall": {metric: {value, low, high, n}}, "by_kind": {kind: {metric: {...}}}}`."""
        kinds = {kind: _shown(metrics) for kind, metrics in sorted(self.by_kind.items())}
        return json.dumps({"overall": _shown(self.overall), "by_kind": kinds, "failures": self.failures}, indent=2)

    def on_record(self, name: str, *, cases: int, search_only: bool, index: str) -> dict[str, Json]:
        """What is kept of a run of a question set: its figures, and what they were measured on; `index` is a configuration."""
        return {
            "questions": name,
            "build": __version__,
            "cases": cases,
            "search_only": search_only,
            "index": index,
            "overall": _shown(self.overall),
            "by_kind": {kind: _shown(metrics) for kind, metrics in sorted(self.by_kind.items())},
            "failures": [question for question, _ in self.failures],
        }

    def table(self) -> str:
        """The overall metrics with intervals, then the means by kind, as aligned text."""
        lines = [f"{'metric':<22}{'value':>9}   95 % interval        n"]
        for name, metric in self.overall.items():
            digits = 1 if name.endswith("_ms") else 3
            interval = f"{metric.low:.{digits}f} – {metric.high:.{digits}f}"
            lines.append(f"{name:<22}{metric.value:>9.{digits}f}   {interval:<18}{metric.n:>4}")
        names = [name for name in self.overall if not name.endswith("_ms")]
        if names:
            lines += ["", f"{'kind':<24}" + "".join(f"{name[:17]:>19}" for name in names)]
        for kind, metrics in sorted(self.by_kind.items()):
            cells = (f"{metrics[name].value:>19.3f}" if name in metrics else f"{'-':>19}" for name in names)
            lines.append(f"{kind:<24}" + "".join(cells))
        return "\n".join(lines)


def _shown(metrics: Mapping[str, Metric]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "value": round(metric.value, 4),
            "low": round(metric.low, 4),
            "high": round(metric.high, 4),
            "n": metric.n,
        }
        for name, metric in metrics.items()
    }


@dataclass(slots=True)
class _Scores:
    """Values by metric and kind; each value is one case's."""

    values: dict[str, list[tuple[str, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, case: Case, metric: str, *, value: float) -> None:
        self.values[metric].append((case.kind, value))

    def report(self) -> EvalReport:
        overall: dict[str, Metric] = {}
        by_kind: dict[str, dict[str, Metric]] = defaultdict(dict)
        for name, pairs in self.values.items():
            overall |= _metrics(name, [value for _, value in pairs])
            kinds = dict.fromkeys(kind for kind, _ in pairs)
            for kind in kinds:
                by_kind[kind] |= _metrics(name, [value for of, value in pairs if of == kind])
        return EvalReport(overall, dict(by_kind))


def _metrics(name: str, values: Sequence[float]) -> dict[str, Metric]:
    if name != "latency_ms":
        return {name: Metric(float(np.mean(values)), *scoring.interval(values), len(values))}
    p50, p95 = np.percentile(values, [50, 95])
    spread = (float(min(values)), float(max(values)))
    return {
        "latency_p50_ms": Metric(float(p50), *spread, len(values)),
        "latency_p95_ms": Metric(float(p95), *spread, len(values)),
    }


Tick = Callable[[int, int], None]
"""Called after each case with the number done and the number of all."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a question set is run against, as which principal."""

    library: Library
    assistant: Assistant
    principal: Principal

    async def run(self, cases: Sequence[Case], *, search_only: bool = False, tick: Tick | None = None) -> EvalReport:
        """Ask every case, one after the other. Raises InvalidCases where none of the gold documents is loaded."""
        await self._check_loaded(cases)
        scores = _Scores()
        failures: list[tuple[str, str]] = []
        for number, case in enumerate(cases, start=1):
            if case.gold:
                await self._search(case, scores, timed=search_only)
            if not search_only:
                reason = await self._answer(case, scores)
                if reason:
                    failures.append((case.id, reason))
            if tick is not None:
                tick(number, len(cases))
        report = scores.report()
        report.failures = failures
        return report

    async def _check_loaded(self, cases: Sequence[Case]) -> None:
        loaded = {name for name, _ in await self.library.collections(self.principal)}
        wanted = {gold.path.partition("/")[0] for case in cases for gold in case.gold}
        if wanted and not wanted & loaded:
            raise InvalidCases(
                f"The questions are about {', '.join(sorted(wanted))}, which this home doesn't hold. "
                "Sync them first: ken sync DIR --collection NAME."
            )

    async def _search(self, case: Case, scores: _Scores, *, timed: bool) -> None:
        started = perf_counter()
        found = await retrieve(self.library, case, principal=self.principal)
        if timed:
            scores.add(case, "latency_ms", value=(perf_counter() - started) * 1000)
        for metric, value in found.figures().items():
            scores.add(case, metric, value=value)

    async def _answer(self, case: Case, scores: _Scores) -> str | None:
        question = Question(
            text=case.question, principal=self.principal, history=case.messages, collections=case.collections
        )
        started = perf_counter()
        answer: Answer | None = None
        reason: str | None = None
        async for event in self.assistant.answer(question):
            if isinstance(event, Answered):
                answer = event.answer
            elif isinstance(event, Failed):
                reason = event.message
        if answer is None:
            return reason or "no answer came"
        scores.add(case, "latency_ms", value=(perf_counter() - started) * 1000)
        if case.kind == AMBIGUOUS:
            scores.add(case, "ask_back_recall", value=float(scoring.offers(answer.choices, case.readings)))
            return None
        scores.add(case, "false_ask_back", value=float(answer.outcome == "asked_back"))
        scores.add(
            case, "abstention_recall" if case.wants_abstention else "false_abstention", value=float(answer.abstained)
        )
        if case.facts and not case.wants_abstention:
            scores.add(case, "fact_coverage", value=scoring.fact_coverage(case.facts, answer.text))
        await self._citations(case, answer, scores)
        return None

    async def _citations(self, case: Case, answer: Answer, scores: _Scores) -> None:
        """Each citation is looked up in the document as stored now, not in what the answer says of it."""
        passages: dict[str, str] = {}
        for citation in answer.citations:
            if citation.passage_id not in passages:
                stored = await self.library.passages(citation.document_id, self.principal)
                document = await self.library.document(citation.document_id, self.principal)
                passages |= {passage.id: plain(passage.shown, document.markup) for passage in stored}
            sentence = answer.text[citation.answer_start : citation.answer_end]
            scores.add(
                case, "citation_precision", value=scoring.supported(sentence, passages.get(citation.passage_id, ""))
            )
