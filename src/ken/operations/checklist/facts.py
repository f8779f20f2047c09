"""What the checklist is answered from: a frozen view of the record; and the form of an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ken.domain.checked import CheckRun, RunKind
from ken.domain.figures import Figures, Point
from ken.domain.trace import TraceKind
from ken.domain.wire import Json

DAY_S = 86_400.0
State = Literal["pass", "fail", "unknown"]
NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What counts as good enough. docs/settings.md has the reason of each."""

    window_days: float = 7.0
    """What figures are taken over, and compared with as many days before."""
    least_count: int = 30
    """Observations below which a figure says nothing."""
    cost_change: float = 0.2
    """Of the cost of a successful task, either way."""
    hit_rate: float | None = None
    """The least; None: that of the window before, less `hit_rate_drop`."""
    hit_rate_drop: float = 0.1
    least_context_tokens: int = 50
    most_context_tokens: int = 6_000
    """The median has to be above the one, the 95th percentile below the other."""
    least_cases: int = 20
    """Questions that a question set has to have."""
    groundedness: float = 0.95
    """Share of citations that support their sentence."""
    accuracy: float = 0.6
    """Share of a right answer's facts that the answers hold."""
    retrieval: float = 0.8
    """Share of the right documents among the first five."""
    index_drift: float = 0.05
    """Share of the documents that may have changed since retrieval was validated."""
    run_days: float = 30.0
    """How old a calibration, a load test or a drill may be."""
    ttft_ms: float = 2_000.0
    """The first words of an answer, p95."""
    peak_concurrency: int | None = None
    """Questions at once that are expected; None: the most that were under way in the window."""


class Runs(Protocol):
    """Tests on record; `storage.checks_run.ChecksRun` is one."""

    def last(self, kind: RunKind, *, release: str | None = None, before: float | None = None) -> CheckRun | None:
        """The newest of a kind."""
        ...

    def list(
        self, kind: RunKind, *, release: str | None = None, before: float | None = None, limit: int = ...
    ) -> tuple[CheckRun, ...]:
        """The newest of a kind, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The record as it stands, and what is to go live."""

    at: float
    """Seconds since the epoch."""
    release: str
    """What answers are made with now."""
    build: str
    """Of Ken itself."""
    index: str
    """How documents are cut and embedded now."""
    figures: Figures
    runs: Runs
    dependencies: tuple[str, ...] = ()
    """Models, embedders and rerankers behind a wire, by name."""
    has_fallback: bool = True
    """Whether anything may stand in for a model that fails."""
    caches: bool = True
    """Whether answers are given again."""
    documents: int = 0
    changed_since: Callable[[float], int] = lambda _: 0
    """Documents that syncs have added, changed or deleted since a moment."""
    called: Callable[[float, float], frozenset[str]] = lambda _, __: frozenset()
    """Dependencies that were called between two moments."""
    bounds: Bounds = Bounds()

    @property
    def since(self) -> float:
        """Where the window begins."""
        return self.at - self.bounds.window_days * DAY_S

    def now(self, metric: str, *, by: str = "", kind: TraceKind = "question") -> Mapping[str, Point]:
        """A figure over the window."""
        where = _of_kind(kind)
        return self.figures.whole(metric, since=self.since, until=self.at, by=by, where=where)

    def before(self, metric: str, *, by: str = "", kind: TraceKind = "question") -> Mapping[str, Point]:
        """The same over as long a time before it."""
        begin, where = self.since - self.bounds.window_days * DAY_S, _of_kind(kind)
        return self.figures.whole(metric, since=begin, until=self.since, by=by, where=where)

    def one(self, metric: str, *, kind: TraceKind = "question") -> Point:
        """A figure over the window, as a whole."""
        return self.now(metric, kind=kind).get("", Point(self.since, None, 0))

    def whose(self, metric: str) -> TraceKind:
        """Whose questions say something about a figure: people's, and tests' where people asked too few for it but tests enough."""
        least = self.bounds.least_count
        few, enough = self.one(metric).count < least, self.one(metric, kind="eval").count >= least
        return "eval" if few and enough else "question"

    def days_since(self, run: CheckRun) -> float:
        """How old a run is."""
        return max(0.0, (self.at - run.at) / DAY_S)


def _of_kind(kind: TraceKind) -> Mapping[str, str]:
    """What narrows a figure to a kind of trace; figures are people's questions' unless told otherwise, and gauges of no kind."""
    return {} if kind == "question" else {"kind": kind}


@dataclass(frozen=True, slots=True)
class Found:
    """An answer to one question of the checklist."""

    state: State
    evidence: str
    """The figures, and over which time."""
    remedy: str = ""
    """What to do where it is no pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the checklist."""

    name: str
    asks: str
    look: Callable[[Facts], Found]
    where: str
    """Where to look further."""


def number(report: Mapping[str, Json], *path: str) -> float | None:
    """A figure of a run's report; None where it has none there."""
    value: Json = report
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def objects(report: Mapping[str, Json], name: str) -> list[Mapping[str, Json]]:
    """The objects of a list in a run's report."""
    value = report.get(name)
    if not isinstance(value, list | tuple):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def text(report: Mapping[str, Json], name: str) -> str:
    """A text of a run's report; empty where it has none."""
    value = report.get(name)
    return value if isinstance(value, str) else ""
