"""What goes wrong, when, how fast, and what moves first: each incident carries its own truth.

An incident is a handful of effects on the knobs that the traffic is drawn with. Nothing else of the traffic knows of it: a figure
moves because the questions of that time were drawn otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ken.errors import InvalidInput
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Marker, MarkerKind

Knob = Literal[
    "cache",
    "relevance",
    "retrieve_ms",
    "context_tokens",
    "strong",
    "first_token_ms",
    "token_ms",
    "queue_ms",
    "retry",
    "timeout",
    "fallback",
    "error",
    "refusal",
    "abstention",
    "failed_check",
    "quality",
    "breakers",
]
Where = tuple[tuple[str, str], ...]
_MINUTE_S = 60.0
_NAMED = re.compile(r"(?P<kind>[a-z_]+)@day(?P<day>\d+(?:\.\d+)?)(?:\+(?P<hours>\d+(?:\.\d+)?)h)?")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A dimension of many questions: of each one the number of its value, and the values' names."""

    codes: NDArray[np.int16]
    names: tuple[str, ...]

    def has(self, name: str) -> NDArray[np.bool_]:
        """Which questions have this value."""
        if name not in self.names:
            return np.zeros(self.codes.shape, dtype=np.bool_)
        return self.codes == self.names.index(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A knob is multiplied and then added to, from a moment on, for some of the questions."""

    knob: Knob
    times: float = 1.0
    plus: float = 0.0
    after_s: float = 0.0
    """Since the incident began."""
    ramp_s: float = 240.0
    """How long it takes to reach its height; in a straight line."""
    where: Where = ()
    """Dimension and value; all must hold."""
    period_s: float = 0.0
    """Comes and goes: on for the first half of each period. 0: on."""

    def strength(self, since_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much of it is there, 0 to 1, so many seconds after the incident began."""
        level = np.clip((since_s - self.after_s) / max(self.ramp_s, 1.0), 0.0, 1.0)
        if self.period_s:
            level = level * ((since_s - self.after_s) % self.period_s < self.period_s / 2)
        return level


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What somebody who looks for the cause has to name."""

    metrics: tuple[str, ...]
    """One of these moved first."""
    dimension: str = ""
    """Where it is narrower than everything: `model`, `task_type`, ..."""
    value: str = ""
    marker: MarkerKind | None = None
    """What people did just before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that goes wrong."""

    kind: str
    begins: float
    """Seconds since the epoch."""
    ends: float
    effects: tuple[Effect, ...]
    cause: Cause
    follows: tuple[str, ...] = ()
    """Metrics that move as a consequence."""
    marker: Marker | None = None

    @property
    def metrics(self) -> frozenset[str]:
        """All metrics that move: an alert on one of them, while it lasts, has found it."""
        return frozenset(self.cause.metrics) | frozenset(self.follows)


@dataclass(frozen=True, slots=True)
class _Kind:
    effects: Callable[[np.random.Generator], tuple[tuple[Effect, ...], Cause]]
    follows: tuple[str, ...]
    hours: float


def _between(dice: np.random.Generator, low: float, high: float) -> float:
    return float(dice.uniform(low, high))


def _slow_retrieval(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    slow = Effect(knob="retrieve_ms", times=_between(dice, 8, 40), ramp_s=_between(dice, 60, 600))
    return (slow,), Cause(metrics=("stage_ms",), dimension="stage", value="retrieve")


def _slow_provider(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    model = str(dice.choice(["light-a", "strong-a", "strong-b"]))
    ramp, where = _between(dice, 60, 900), (("model", model),)
    slow = Effect(knob="token_ms", times=_between(dice, 2.5, 6), ramp_s=ramp, where=where)
    first = Effect(knob="first_token_ms", times=_between(dice, 1.5, 3), ramp_s=ramp, where=where)
    return (slow, first), Cause(metrics=("tokens_per_s", "ms", "stage_ms", "ttft_ms"), dimension="model", value=model)


def _provider_errors(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    model = str(dice.choice(["light-a", "light-b", "strong-a"]))
    where = (("model", model),)
    later = _between(dice, 600, 1500)
    again = Effect(knob="retry", plus=_between(dice, 0.3, 0.8), ramp_s=_between(dice, 60, 600), where=where)
    failed = Effect(knob="error", plus=_between(dice, 0.05, 0.25), after_s=later, ramp_s=300, where=where)
    late = Effect(knob="timeout", plus=_between(dice, 0.02, 0.1), after_s=later / 2, ramp_s=300, where=where)
    return (again, late, failed), Cause(metrics=("retry_rate",), dimension="model", value=model)


def _breaker_flapping(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    model = str(dice.choice(["light-a", "strong-a"]))
    period, where = _between(dice, 180, 480), (("model", model),)
    opened = Effect(knob="breakers", plus=1, ramp_s=1, period_s=period)
    instead = Effect(knob="fallback", plus=_between(dice, 0.5, 0.95), ramp_s=1, period_s=period, where=where)
    again = Effect(knob="retry", plus=_between(dice, 0.1, 0.3), ramp_s=1, where=where)
    return (opened, instead, again), Cause(metrics=("breakers_open", "fallback_rate"))


def _cache_collapse(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    fallen = Effect(knob="cache", times=_between(dice, 0.0, 0.25), ramp_s=_between(dice, 60, 900))
    return (fallen,), Cause(metrics=("cache_hit_rate",), marker="release")


def _prompt_bloat(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    grown = Effect(knob="context_tokens", times=_between(dice, 1.7, 3.0), ramp_s=_between(dice, 300, 3 * HOUR_S))
    return (grown,), Cause(metrics=("context_tokens", "input_tokens"), marker="release")


def _misrouting(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    strong = Effect(knob="strong", plus=_between(dice, 0.5, 0.85), ramp_s=_between(dice, 30, 300))
    return (strong,), Cause(metrics=("questions", "cost_micros"), dimension="tier", value="strong", marker="release")


def _refusal_spike(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    refused = Effect(knob="refusal", plus=_between(dice, 0.08, 0.3), ramp_s=_between(dice, 30, 300))
    return (refused,), Cause(metrics=("refusal_rate",), marker="release")


def _failed_checks(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    failed = Effect(knob="failed_check", plus=_between(dice, 0.1, 0.35), ramp_s=_between(dice, 30, 600))
    return (failed,), Cause(metrics=("check_failure_rate",), marker="sync")


def _queue_build_up(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    ramp = _between(dice, 300, 1800)
    wait = Effect(knob="queue_ms", plus=_between(dice, 2500, 9000), ramp_s=ramp)
    return (wait,), Cause(metrics=("queue_ms", "queue_depth"))


def _slow_first_token(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    model = str(dice.choice(["light-a", "strong-a", "strong-b"]))
    slow = Effect(
        knob="first_token_ms",
        times=_between(dice, 6, 14),
        ramp_s=_between(dice, 60, 900),
        where=(("model", model),),
    )
    return (slow,), Cause(metrics=("ttft_ms",), dimension="model", value=model)


def _quality_drift(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    task = str(dice.choice(["lookup", "procedure", "troubleshooting"]))
    worse = Effect(
        knob="quality",
        plus=-_between(dice, 0.9, 1.6),
        ramp_s=_between(dice, 2 * HOUR_S, 12 * HOUR_S),
        where=(("task_type", task),),
    )
    return (worse,), Cause(metrics=("quality", "groundedness"), dimension="task_type", value=task)


def _stale_index(dice: np.random.Generator) -> tuple[tuple[Effect, ...], Cause]:
    worse = Effect(knob="relevance", plus=-_between(dice, 0.14, 0.3), ramp_s=_between(dice, 120, 1800))
    quality = Effect(knob="quality", plus=-_between(dice, 0.5, 1.2), after_s=6 * HOUR_S, ramp_s=6 * HOUR_S)
    longer = Effect(knob="context_tokens", times=1.35, after_s=12 * HOUR_S, ramp_s=6 * HOUR_S)
    return (worse, quality, longer), Cause(metrics=("relevance", "mean_relevance"), marker="sync")


_KINDS: Mapping[str, _Kind] = {
    "slow_retrieval": _Kind(_slow_retrieval, ("ms", "ttft_ms"), 4),
    "slow_provider": _Kind(_slow_provider, ("tokens_per_s", "in_flight"), 4),
    "provider_errors": _Kind(_provider_errors, ("error_rate", "timeout_rate", "ms", "ttft_ms", "success_rate"), 4),
    "breaker_flapping": _Kind(_breaker_flapping, ("retry_rate", "ms", "ttft_ms"), 4),
    "cache_collapse": _Kind(_cache_collapse, ("cost", "cost_per_question", "cost_per_success", "ms", "ttft_ms"), 24),
    "prompt_bloat": _Kind(_prompt_bloat, ("cost", "cost_per_question", "cost_per_success", "cost_micros"), 24),
    "misrouting": _Kind(_misrouting, ("cost", "cost_per_question", "cost_per_success", "ms", "ttft_ms"), 24),
    "refusal_spike": _Kind(_refusal_spike, ("success_rate",), 8),
    "failed_checks": _Kind(_failed_checks, ("success_rate", "cost_per_success"), 12),
    "queue_build_up": _Kind(_queue_build_up, ("in_flight", "ms", "ttft_ms", "stage_ms"), 4),
    "slow_first_token": _Kind(_slow_first_token, ("ms", "stage_ms", "tokens_per_s"), 6),
    "quality_drift": _Kind(_quality_drift, ("success_rate",), 72),
    "stale_index": _Kind(
        _stale_index,
        (
            *("least_relevance", "abstention_rate", "quality", "groundedness", "utilisation", "success_rate"),
            *("context_tokens", "cost", "cost_per_question", "cost_per_success"),
        ),
        48,
    ),
}
KINDS: tuple[str, ...] = tuple(_KINDS)
"""Names of the kinds of incidents."""
MARKED = {"release": "release-of-incident", "sync": "handbook"}
"""What the marker of an incident is called."""


def incident(kind: str, *, begins: float, seed: int) -> Incident:
    """An incident of a kind: how hard, how fast and where it strikes is drawn from the seed. Raises InvalidInput."""
    if kind not in _KINDS:
        raise InvalidInput(f"There is no kind of incident {kind!r}. There are: {', '.join(KINDS)}.")
    known = _KINDS[kind]
    effects, cause = known.effects(np.random.default_rng([seed, KINDS.index(kind), 11]))
    marker = None
    if cause.marker is not None:
        marker = Marker(begins - _MINUTE_S / 2, cause.marker, f"{MARKED[cause.marker]}-{kind}")
    return Incident(
        kind=kind,
        begins=begins,
        ends=begins + known.hours * HOUR_S,
        effects=effects,
        cause=cause,
        follows=known.follows,
        marker=marker,
    )


def named(text: str, *, start: float, until: float, seed: int) -> Incident:
    """The incident that a person wrote as `slow_retrieval@day12` or `slow_retrieval@day12+9.5h`; without hours at 10:00.

    Days count from `start`, the first being 0. Raises InvalidInput, also for one that would begin after `until`, and so move nothing.
    """
    match = _NAMED.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(
            f"{text!r} names no incident: write KIND@dayN or KIND@dayN+HOURSh, such as 'slow_retrieval@day12+9.5h'. "
            f"Kinds: {', '.join(KINDS)}."
        )
    hours = 10.0 if match["hours"] is None else float(match["hours"])
    begins = start + float(match["day"]) * DAY_S + hours * HOUR_S
    if begins >= until:
        last, rest = divmod(until - start, DAY_S)
        raise InvalidInput(
            f"{text!r} begins after the days that are made, which are day 0 to day {last:.0f} up to {rest // HOUR_S:.0f} h (now, UTC). "
            "Name an earlier day or hour, or make more days with --days."
        )
    return incident(match["kind"], begins=begins, seed=seed)


class Knobs:
    """What the incidents do to the knobs, at the times of these questions."""

    def __init__(self, incidents: Sequence[Incident], at: NDArray[np.float64]) -> None:
        self._at = at
        self._acting = [
            (each, effect)
            for each in incidents
            if at.size and each.begins <= at[-1] and each.ends > at[0]
            for effect in each.effects
        ]

    def turned(
        self, knob: Knob, value: NDArray[np.float64], *, among: Mapping[str, Labels] | None = None
    ) -> NDArray[np.float64]:
        """The values as the incidents turn them; `among` says of each question what it has in a dimension."""
        for each, effect in self._acting:
            if effect.knob == knob:
                level = effect.strength(self._at - each.begins) * (self._at >= each.begins) * (self._at < each.ends)
                for dimension, wanted in effect.where:
                    level = level * (among or {})[dimension].has(wanted)
                value = value * (1 + (effect.times - 1) * level) + effect.plus * level
        return value
