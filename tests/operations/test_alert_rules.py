"""Every rule that Ken comes with, on recorded series: it fires when it should, within the time it should, and else it is silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from ken.domain.alert import Alert, Happening
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.rule import Rule
from ken.operations.alerts.rules import rules_of, shipped
from tests.operations.recorded import DAY_S, HOUR_S, MINUTE_S, START, Recorded, Series, Told, noise, worse

RULES: dict[str, Rule] = {rule.name: rule for rule in rules_of([shipped()])}
DAYS = 32
TROUBLE = START + 29 * DAY_S + 10 * HOUR_S
"""A Tuesday, 10:00, four weeks later."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is normal, what is trouble, and how many minutes it may take."""

    usual: Mapping[str, float]
    trouble: Mapping[str, float]
    minutes: float
    happens: tuple[Happening, ...] = ()
    climbs: float = 0.0
    label: str = ""
    a_minute: float = 3.0
    also: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of other labels, what is normal."""


def _breaker(*, begins: bool, after: float) -> Happening:
    return Happening(kind="breaker", at=TROUBLE + after, of="model a", begins=begins, told="timeouts")


def _budget(kind: str) -> Happening:
    return Happening(kind=kind, at=TROUBLE, of="everybody", until=TROUBLE + DAY_S, value=0.9)  # pyright: ignore[reportArgumentType] - of two kinds


def _run(after: float, release: str, passed: float) -> Happening:
    return Happening(kind="regression", at=TROUBLE + after, of=release, value=passed)


CASES: dict[str, Case] = {
    "ttft_p95": Case({"ttft_ms.p95": 900}, {"ttft_ms.p95": 5000}, 12),
    "retrieval_p99": Case({"stage_ms.p99": 90}, {"stage_ms.p99": 3000}, 12),
    "e2e_p95": Case({"ms.p95": 3000}, {"ms.p95": 20_000}, 12, label="lookup"),
    "e2e_p99": Case({"ms.p99": 6000}, {"ms.p99": 60_000}, 35, label="lookup"),
    "queue_wait": Case({"queue_ms.p95": 40}, {"queue_ms.p95": 4000}, 10),
    "p99_unusual": Case({"ms.p99": 3000}, {"ms.p99": 9000}, 60, label="lookup"),
    "retrieval_unusual": Case({"stage_ms.p50": 25}, {"stage_ms.p50": 200}, 10),
    "ttft_unusual": Case({"ttft_ms.p50": 400}, {"ttft_ms.p50": 1600}, 12, label="model a"),
    "speed_unusual": Case({"tokens_per_s.p50": 120}, {"tokens_per_s.p50": 40}, 15, label="model a"),
    "retry_rate": Case({"retry_rate": 0.01}, {"retry_rate": 0.3}, 30, a_minute=12),
    "retry_unusual": Case({"retry_rate": 0.01}, {"retry_rate": 0.4}, 12),
    "fallback_unusual": Case({"fallback_rate": 0.005}, {"fallback_rate": 0.4}, 12),
    "degraded_rate": Case({"degraded_rate": 0.003}, {"degraded_rate": 0.6}, 10),
    "breaker_open": Case({}, {}, 1, happens=(_breaker(begins=True, after=0),)),
    "breakers_open": Case({"breakers_open.max": 0}, {"breakers_open.max": 1}, 3),
    "availability_burn": Case({"error_rate": 0.003}, {"error_rate": 0.4}, 30),
    "availability_burn_slow": Case({"error_rate": 0.003}, {"error_rate": 0.1}, 12 * 60),
    "ttft_burn": Case({"ttft_ms.over_2000": 0.01}, {"ttft_ms.over_2000": 0.98}, 6 * 60),
    "e2e_burn": Case({"ms.over_8000": 0.01}, {"ms.over_8000": 0.98}, 6 * 60, label="lookup"),
    "cost_per_success_week": Case({"cost_per_success": 2000}, {"cost_per_success": 8000}, 36 * 60, label="lookup"),
    "cost_unusual": Case({"cost_per_question": 1500}, {"cost_per_question": 6000}, 40),
    "tiers_unusual": Case({"questions": 1}, {"questions": 4}, 30, label="strong", also={"light": 1.0}),
    "cache_hit_rate_low": Case({"cache_hit_rate": 0.45}, {"cache_hit_rate": 0.02}, 30 * 60, label="policies"),
    "cache_hit_rate_unusual": Case({"cache_hit_rate": 0.4}, {"cache_hit_rate": 0.05}, 25),
    "cache_hit_rate_down": Case({"cache_hit_rate": 0.4}, {"cache_hit_rate": 0.2}, 150),
    "context_tokens_high": Case({"context_tokens.mean": 1500}, {"context_tokens.mean": 15_000}, 45, label="lookup"),
    "context_tokens_climbing": Case(
        {"context_tokens.mean": 1500, "difficulty.mean": 0.4}, {}, 6 * 24 * 60, climbs=0.05, label="lookup"
    ),
    "context_tokens_unusual": Case({"context_tokens.mean": 1500}, {"context_tokens.mean": 3500}, 20),
    "budget_short": Case({}, {}, 1, happens=(_budget("budget_short"),)),
    "budget_exhausted": Case({}, {}, 1, happens=(_budget("budget_exhausted"),)),
    "quality_drop": Case({"quality.mean": 4.3}, {"quality.mean": 2.5}, 16 * 60, label="lookup"),
    "quality_unusual": Case({"quality.mean": 4.3}, {"quality.mean": 2.8}, 4 * 60, label="lookup"),
    "groundedness_low": Case({"groundedness.mean": 4.3}, {"groundedness.mean": 2.0}, 24 * 60),
    "relevance_low": Case({"relevance.mean": 0.9}, {"relevance.mean": 0.5}, 3 * 60),
    "relevance_unusual": Case({"relevance.mean": 0.9}, {"relevance.mean": 0.75}, 12),
    "refusal_rate": Case({"refusal_rate": 0.008}, {"refusal_rate": 0.3}, 60),
    "refusal_unusual": Case({"refusal_rate": 0.008}, {"refusal_rate": 0.3}, 20),
    "checks_after_index": Case(
        {"check_failure_rate": 0.02},
        {"check_failure_rate": 0.3},
        30,
        happens=(Happening(kind="index_updated", at=TROUBLE - 30, of="12", told="A sync changed 40 documents."),),
    ),
    "checks_unusual": Case({"check_failure_rate": 0.02}, {"check_failure_rate": 0.35}, 20),
    "regression_changed": Case({}, {}, 1, happens=(_run(-9 * DAY_S, "before", 0.92), _run(0, "after", 0.71))),
}


def recorded(case: Case, *, days: int = DAYS, with_trouble: bool = True) -> Recorded:
    """The series of a case."""
    figures = Recorded()
    for metric, value in case.usual.items():
        series = noise(metric, value, minutes=days * 1440, a_minute=case.a_minute)
        if metric == "breakers_open.max":
            series = Series(np.zeros(days * 1440), np.ones(days * 1440))
        figures.series_of[metric] = {case.label: series} | {
            label: noise(metric, other, minutes=days * 1440, seed=5) for label, other in case.also.items()
        }
        if metric in case.trouble and with_trouble:
            if metric == "questions":
                begin = int((TROUBLE - START) // MINUTE_S)
                series.counts[begin:] *= case.trouble[metric]
                figures.series_of[metric]["light"].counts[begin:] *= 0.3
            else:
                worse(series, metric, value=case.trouble[metric], at=TROUBLE, lasts=2 * DAY_S)
        if case.climbs and metric.startswith("context") and with_trouble:
            begin = int((TROUBLE - START) // MINUTE_S) - 4 * 1440
            series.values[begin:] *= 1 + case.climbs * np.arange(series.values.size - begin) / 1440
    return figures


def fired(rule: Rule, case: Case, *, since: float, until: float, with_trouble: bool = True) -> list[Alert]:
    """The alerts that fire between two times."""
    told = Told(list(case.happens) if with_trouble else [])
    engine = Engine([rule], recorded(case, with_trouble=with_trouble), happenings=told)
    found: list[Alert] = []
    for now in np.arange(since, until, max(MINUTE_S, rule.every_s)).tolist():
        found += [change.alert for change in engine.evaluate(now) if change.new == "firing"]
    return found


def test_every_shipped_rule_has_its_case() -> None:
    """A rule that comes to rules.toml comes to this table, too."""
    assert CASES.keys() == RULES.keys()


@pytest.mark.parametrize("name", CASES)
def test_it_fires_within_its_time(name: str) -> None:
    """Nothing for hours before the trouble, then one alert within the time that is promised, with figures in its words."""
    case = CASES[name]
    lead = 3 * HOUR_S if case.minutes < 60 else HOUR_S
    found = fired(RULES[name], case, since=TROUBLE - lead, until=TROUBLE + case.minutes * MINUTE_S)
    assert [alert.rule for alert in found] == [name]
    [alert] = found
    assert alert.fired_at is not None
    assert TROUBLE <= alert.fired_at <= TROUBLE + case.minutes * MINUTE_S
    assert "{" not in alert.summary
    assert "unknown" not in alert.summary
    assert alert.severity == RULES[name].severity


@pytest.mark.parametrize("name", CASES)
def test_it_is_silent_on_noise_on_gaps_and_at_the_start(name: str) -> None:
    """A week of usual days with a gap of hours in it; and the first day ever, of which nothing is known before."""
    rule, case = RULES[name], CASES[name]
    engine = Engine([rule], figures := recorded(case, with_trouble=False))
    for series in (each for labels in figures.series_of.values() for each in labels.values()):
        for begin in (29 * 1440 + 9 * 60, 30 * 1440 + 13 * 60):
            series.counts[begin : begin + 200] = 0
            series.values[begin : begin + 200] = np.nan
    step = max(2 * MINUTE_S, rule.every_s)
    for since, until in ((START, START + 1.2 * DAY_S), (TROUBLE - DAY_S, TROUBLE + 2 * DAY_S)):
        for now in np.arange(since, until, step).tolist():
            told = [change.alert.summary for change in engine.evaluate(now) if change.new == "firing"]
            assert told == []
