"""Draws questions with everything that is measured of them: columns, one entry a question.

Later figures are drawn from earlier ones, as in life: what the cache has needs no model; weak evidence makes abstentions and poor
answers; the prompt's length makes cost; a retry makes a slow answer. An incident turns one knob, and the rest follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ken.operations.simulate import calendar
from ken.operations.simulate.incidents import Incident, Knob, Knobs, Labels
from ken.operations.simulate.organisation import (
    CACHE_DECISIONS,
    CACHE_RATE,
    CATEGORIES,
    CATEGORY_OF_TASK,
    CHECKS,
    DAY_S,
    MODEL_SHAPES,
    MODELS,
    OUTCOMES,
    STAGE_MS,
    TASK_TYPES,
    TASKS,
    TIERS,
    USUAL,
    Marker,
    Organisation,
)

Column = NDArray[np.float64]
_Dice = np.random.Generator
_MISS, _REFUSED_BY_CACHE, _EXACT, _SIMILAR, _OFF = 1, 2, 3, 4, 5
_ANSWERED, _ABSTAINED, _REFUSED, _ASKED_BACK, _FAILED = range(5)
_NEW_RELEASE_S = 1200.0
"""The cache's answers are a release's own: a new one begins without them, and most of what is asked often is there soon."""
_UNSEEN = np.inf
YES, NO, UNKNOWN = 1, 0, 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """Questions in the order of time. NaN: there was no such thing."""

    at: Column
    """When they were asked, seconds since the epoch."""
    task_type: Labels
    category: Labels
    tier: Labels
    model: Labels
    release: Labels
    outcome: Labels
    cache: Labels
    stage_ms: Mapping[str, Column]
    ms: Column
    ttft_ms: Column
    queue_ms: Column
    generate_ms: Column
    """Of the call that answered."""
    first_token_ms: Column
    """Of that call."""
    attempts: Column
    retries: Column
    timeouts: Column
    fallbacks: Column
    context_tokens: Column
    input_tokens: Column
    output_tokens: Column
    cost_micros: Column
    difficulty: Column
    """Of the question, as the route saw it, 0 to 1."""
    relevance: Column
    mean_relevance: Column
    least_relevance: Column
    utilisation: Column
    failed_check: Column
    """The number in CHECKS of the heuristic that found a fault."""
    escalated: NDArray[np.bool_]
    quality: Column
    groundedness: Column
    judged_at: Column
    """When the judge's scores were there; infinity: never."""
    helpful: Column
    reacted_at: Column
    success: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.at)


def days(
    organisation: Organisation,
    start: float,
    *,
    days: int,
    incidents: Sequence[Incident] = (),
    made: Sequence[Marker] = (),
) -> Iterator[Traffic]:
    """The traffic of so many days from `start`, day by day; the same for the same seed.

    `made` are the releases and syncs (`calendar.markers`); those of the incidents come on top.
    """
    known = sorted([*made, *(each.marker for each in incidents if each.marker is not None)], key=lambda each: each.at)
    for number in range(days):
        day = start + number * DAY_S
        at = calendar.arrivals(organisation, day)
        if at.size:
            dice = np.random.default_rng([organisation.seed, int(day // DAY_S), 3])
            yield _drawn(organisation, at, dice=dice, knobs=Knobs(incidents, at), made=known)


def joined(many: Sequence[Traffic]) -> Traffic:
    """One traffic of several, which follow one another."""

    def column(name: str) -> object:
        parts = [getattr(each, name) for each in many]
        if isinstance(parts[0], Labels):
            longest = max((cast("Labels", each).names for each in parts), key=len)
            return Labels(np.concatenate([cast("Labels", each).codes for each in parts]), longest)
        if name == "stage_ms":
            return {stage: np.concatenate([each.stage_ms[stage] for each in many]) for stage in many[0].stage_ms}
        return np.concatenate(cast("list[Column]", parts))

    return Traffic(**{field.name: column(field.name) for field in fields(Traffic)})  # pyright: ignore[reportArgumentType]


def _drawn(organisation: Organisation, at: Column, *, dice: _Dice, knobs: Knobs, made: Sequence[Marker]) -> Traffic:
    n = at.size
    release, names, current_s = calendar.releases(at, made)
    task = Labels(_picked(dice, [TASKS[name].share for name in TASK_TYPES], n), TASK_TYPES)
    category = _categories(dice, task)
    dims: dict[str, Labels] = {"task_type": task, "category": category, "release": Labels(release, names)}
    outcome = np.full(n, _ANSWERED, dtype=np.int16)
    small = task.has("smalltalk")
    refused = (dice.random(n) < knobs.turned("refusal", np.full(n, USUAL["refusal"]), among=dims)) & ~small
    outcome[refused] = _REFUSED
    cache = _cached(dice, knobs, dims=dims, goes_on=~small & ~refused, current_s=current_s)
    searched = ~small & ~refused & (cache.codes != _EXACT) & (cache.codes != _SIMILAR)
    evidence = _evidence(dice, knobs, dims=dims, searched=searched)
    weak = np.nan_to_num(np.clip(0.78 - evidence["relevance"], 0, 1))
    abstains = knobs.turned("abstention", USUAL["abstention"] + 1.6 * weak, among=dims)
    outcome[searched & (dice.random(n) < abstains)] = _ABSTAINED
    outcome[searched & (dice.random(n) < USUAL["asked_back"])] = _ASKED_BACK
    called = searched & (outcome != _ASKED_BACK)
    prompt = _prompt(dice, knobs, dims=dims, called=called)
    tier, model = _routed(dice, knobs, dims=dims, called=called)
    dims |= {"tier": tier, "model": model}
    calls = _called(dice, knobs, dims=dims, called=called)
    outcome[calls.pop("failed") > 0] = _FAILED
    model = _fallen_back(model, calls["fallbacks"])
    spoken = _spoken(dice, knobs, dims=dims | {"model": model}, outcome=outcome, tokens=prompt["context_tokens"])
    times = _times(dice, knobs, dims=dims, searched=searched, called=called, cache=cache, outcome=outcome)
    checked = (outcome == _ANSWERED) & ~small
    faulty = checked & (dice.random(n) < knobs.turned("failed_check", np.full(n, USUAL["failed_check"]), among=dims))
    reactions = _reactions(organisation, dice, knobs=knobs, dims=dims, at=at, answered=checked, weak=weak)
    lost = calls.pop("waited_ms") + calls["queue_ms"]
    generate = np.where(calls["attempts"] > 0, np.nan_to_num(spoken["generate_ms"]) + lost, np.nan)
    return Traffic(
        at=at,
        task_type=task,
        category=category,
        tier=tier,
        model=model,
        release=dims["release"],
        outcome=Labels(outcome, OUTCOMES),
        cache=cache,
        stage_ms={**times, "generate": generate},
        **_whole(times, generate=generate, spoken=spoken, lost=lost),
        first_token_ms=spoken["first_token_ms"],
        generate_ms=spoken["generate_ms"],
        **calls,
        **prompt,
        **evidence,
        cost_micros=_cost(model, prompt["input_tokens"], output=spoken["output_tokens"]),
        output_tokens=spoken["output_tokens"],
        difficulty=np.where(called, np.clip(_of_task(task, "strong") * 0.6 + dice.normal(0.2, 0.12, n), 0, 1), np.nan),
        utilisation=np.where(
            outcome == _ANSWERED, evidence["relevance"] * 0 + dice.choice([0.25, 0.5, 0.75, 1], n), np.nan
        ),
        failed_check=np.where(faulty, dice.integers(0, len(CHECKS), n), np.nan),
        escalated=called & tier.has("strong") & (dice.random(n) < USUAL["escalated"]),
        **reactions,
        success=_success(outcome, small=small, faulty=faulty, helpful=reactions["helpful"]),
    )


def _picked(dice: _Dice, shares: Sequence[float], n: int) -> NDArray[np.int16]:
    edges = np.cumsum(np.array(shares) / sum(shares))
    return np.minimum(np.searchsorted(edges, dice.random(n), side="right"), len(shares) - 1).astype(np.int16)


def _categories(dice: _Dice, task: Labels) -> Labels:
    edges = np.cumsum(np.array([CATEGORY_OF_TASK[name] for name in TASK_TYPES]), axis=1)
    drawn = dice.random(task.codes.size)[:, None] >= edges[task.codes]
    return Labels(np.minimum(drawn.sum(axis=1), len(CATEGORIES) - 1).astype(np.int16), CATEGORIES)


def _of_task(task: Labels, name: str) -> Column:
    return np.array([float(getattr(TASKS[each], name)) for each in task.names])[task.codes]


def _cached(
    dice: _Dice, knobs: Knobs, *, dims: Mapping[str, Labels], goes_on: NDArray[np.bool_], current_s: Column
) -> Labels:
    """What the cache decided about each question."""
    category, n = dims["category"], goes_on.size
    rate = np.array([CACHE_RATE[name] for name in category.names])[category.codes]
    rate = rate * (1 - 0.5 * np.exp(-current_s / _NEW_RELEASE_S))
    found = dice.random(n) < knobs.turned("cache", rate, among=dims)
    kind = dice.random(n)
    given = np.where(kind < USUAL["exact"], _EXACT, _SIMILAR)
    decided = np.where(found, given, np.where(kind < USUAL["refused_by_cache"], _REFUSED_BY_CACHE, _MISS))
    decided = np.where(category.has("fresh"), _OFF, decided)
    return Labels(np.where(goes_on, decided, 0).astype(np.int16), CACHE_DECISIONS)


def _evidence(
    dice: _Dice, knobs: Knobs, *, dims: Mapping[str, Labels], searched: NDArray[np.bool_]
) -> dict[str, Column]:
    """The best passage's relevance, the mean's and the least's."""
    n = searched.size
    best = _of_task(dims["task_type"], "relevance") + 0.08 - dice.gamma(1.6, 0.05, n)
    best = np.clip(knobs.turned("relevance", best, among=dims), 0.02, 0.995)
    least = best * dice.uniform(0.45, 0.95, n)
    mean = least + (best - least) * dice.uniform(0.35, 0.75, n)
    return {
        "relevance": np.where(searched, best, np.nan),
        "mean_relevance": np.where(searched, mean, np.nan),
        "least_relevance": np.where(searched, least, np.nan),
    }


def _prompt(dice: _Dice, knobs: Knobs, *, dims: Mapping[str, Labels], called: NDArray[np.bool_]) -> dict[str, Column]:
    tokens = _of_task(dims["task_type"], "context_tokens") * dice.lognormal(0, 0.22, called.size)
    tokens = np.round(knobs.turned("context_tokens", tokens, among=dims))
    return {"context_tokens": np.where(called, tokens, 0.0), "input_tokens": np.where(called, tokens + 9, 0.0)}


def _routed(
    dice: _Dice, knobs: Knobs, *, dims: Mapping[str, Labels], called: NDArray[np.bool_]
) -> tuple[Labels, Labels]:
    """The tier and the model; the last of each one's names is empty: nobody was asked."""
    n = called.size
    is_strong = dice.random(n) < knobs.turned("strong", _of_task(dims["task_type"], "strong"), among=dims)
    is_first = dice.random(n) < np.where(is_strong, MODEL_SHAPES["strong-a"].share, MODEL_SHAPES["light-a"].share)
    model = np.where(is_strong, 2, 0) + np.where(is_first, 0, 1)
    tiers = np.where(called, is_strong.astype(np.int16), len(TIERS)).astype(np.int16)
    return (
        Labels(tiers, (*TIERS, "")),
        Labels(np.where(called, model, len(MODELS)).astype(np.int16), (*MODELS, "")),
    )


def _called(dice: _Dice, knobs: Knobs, *, dims: Mapping[str, Labels], called: NDArray[np.bool_]) -> dict[str, Column]:
    """Attempts, and what they cost in time: `waited_ms` is lost to retries, time-outs and fallbacks."""
    n = called.size

    def happens(knob: Knob) -> NDArray[np.bool_]:
        share = knobs.turned(knob, np.full(n, USUAL[knob]), among=dims)
        return called & (dice.random(n) < share)

    again, late, failed, instead = happens("retry"), happens("timeout"), happens("error"), happens("fallback")
    again |= late & ~instead & ~failed
    retries = again * (1 + (dice.random(n) < USUAL["retry_again"])) + failed * 2.0
    waited = retries * dice.gamma(2, 350, n) + late * 3000.0 + instead * dice.gamma(2, 150, n)
    queue = np.where(dice.random(n) < USUAL["waits"], dice.exponential(60, n), 0.0)
    queue = knobs.turned("queue_ms", queue, among=dims) * dice.lognormal(0, 0.3, n)
    return {
        "attempts": called * (1.0 + retries + instead),
        "retries": retries,
        "timeouts": late.astype(np.float64),
        "fallbacks": instead.astype(np.float64),
        "queue_ms": np.where(called, queue, 0.0),
        "waited_ms": waited,
        "failed": failed.astype(np.float64),
    }


def _fallen_back(model: Labels, fallbacks: Column) -> Labels:
    """The other model of the tier answers."""
    other = np.array([1, 0, 3, 2, 4], dtype=np.int16)[model.codes]
    return Labels(np.where(fallbacks > 0, other, model.codes).astype(np.int16), model.names)


def _of_model(model: Labels, name: str) -> Column:
    values = [float(getattr(MODEL_SHAPES[each], name)) if each else np.nan for each in model.names]
    return np.array(values)[model.codes]


def _spoken(
    dice: _Dice, knobs: Knobs, *, dims: Mapping[str, Labels], outcome: NDArray[np.int16], tokens: Column
) -> dict[str, Column]:
    """What the model wrote, and how long it took: a first token that waits for the prompt, then one after the other."""
    n, model = outcome.size, dims["model"]
    first = _of_model(model, "first_token_ms") * dice.lognormal(0, 0.28, n) + tokens * 0.02
    first = np.where(dice.random(n) < USUAL["slow_first_token"], first * dice.uniform(2, 6, n), first)
    first = knobs.turned("first_token_ms", first, among=dims)
    a_token = knobs.turned("token_ms", 1000 / _of_model(model, "tokens_per_s"), among=dims) * dice.lognormal(0, 0.12, n)
    written = np.round(_of_task(dims["task_type"], "output_tokens") * dice.lognormal(0, 0.45, n))
    written = np.where(outcome == _ABSTAINED, 12.0, np.maximum(written, 4))
    speaks = (model.codes < len(MODELS)) & (outcome != _FAILED)
    return {
        "output_tokens": np.where(speaks, written, 0.0),
        "first_token_ms": np.where(speaks, first, np.nan),
        "generate_ms": np.where(speaks, first + written * a_token, np.nan),
    }


def _times(
    dice: _Dice,
    knobs: Knobs,
    *,
    dims: Mapping[str, Labels],
    searched: NDArray[np.bool_],
    called: NDArray[np.bool_],
    cache: Labels,
    outcome: NDArray[np.int16],
) -> dict[str, Column]:
    """Milliseconds of each stage but `generate`."""
    n = outcome.size
    passed = {"recall": cache.codes > 0, "embed": cache.codes > 0, "classify": outcome != _REFUSED}
    passed |= {"retrieve": searched, "assemble": called, "route": called, "verify": called & (outcome != _FAILED)}
    drawn: dict[str, Column] = {}
    for stage, median in STAGE_MS.items():
        took = median * dice.lognormal(0, 0.35, n)
        took = np.where(dice.random(n) < USUAL["slow_stage"], took * dice.uniform(3, 12, n), took)
        if stage == "retrieve":
            took = knobs.turned("retrieve_ms", took, among=dims)
        drawn[stage] = np.where(passed.get(stage, True), took, np.nan)
    return drawn


def _whole(
    times: Mapping[str, Column], *, generate: Column, spoken: Mapping[str, Column], lost: Column
) -> dict[str, Column]:
    """End to end, and to the first token. `embed` is a step within another stage; what is refused or failed shows no token."""
    early = [np.nan_to_num(took) for stage, took in times.items() if stage not in {"embed", "verify", "settle"}]
    before, verify = np.sum(early, axis=0), np.nan_to_num(times["verify"])
    first = before + np.nan_to_num(spoken["first_token_ms"]) + np.where(np.isnan(generate), 0, lost) + verify
    is_told = (spoken["output_tokens"] > 0) | np.isnan(generate)
    return {
        "ms": before + np.nan_to_num(generate) + verify + times["settle"],
        "ttft_ms": np.where(is_told, first, np.nan),
    }


def _cost(model: Labels, tokens: Column, *, output: Column) -> Column:
    paid = tokens * _of_model(model, "input_price") + output * _of_model(model, "output_price")
    return np.round(np.nan_to_num(paid) / 1e6)


def _reactions(
    organisation: Organisation,
    dice: _Dice,
    *,
    knobs: Knobs,
    dims: Mapping[str, Labels],
    at: Column,
    answered: NDArray[np.bool_],
    weak: Column,
) -> dict[str, Column]:
    """What the judge and the people say, and when."""
    n = at.size
    mean = knobs.turned("quality", _of_task(dims["task_type"], "quality") - 1.2 * weak, among=dims)
    judged = answered & (dice.random(n) < organisation.judged)
    score = np.clip(np.round((mean + dice.normal(0, 0.55, n)) * 4) / 4, 1, 5)
    ground = np.clip(np.round((mean + 0.15 + dice.normal(0, 0.5, n)) * 4) / 4, 1, 5)
    reacts = answered & (dice.random(n) < organisation.reacted)
    likes = dice.random(n) < np.clip(0.86 + 0.25 * (mean - 4.2), 0.05, 0.98)
    return {
        "quality": np.where(judged, score, np.nan),
        "groundedness": np.where(judged, ground, np.nan),
        "judged_at": np.where(judged, at + dice.gamma(2, 45, n), _UNSEEN),
        "helpful": np.where(reacts, likes, np.nan),
        "reacted_at": np.where(reacts, at + dice.gamma(1.2, 240, n), _UNSEEN),
    }


def _success(
    outcome: NDArray[np.int16], *, small: NDArray[np.bool_], faulty: NDArray[np.bool_], helpful: Column
) -> NDArray[np.int8]:
    """As `domain.measures.success_of` decides."""
    success = np.where((outcome == _ANSWERED) & ~faulty, YES, NO)
    success = np.where(small | (outcome == _ASKED_BACK) | (outcome == _REFUSED), UNKNOWN, success)
    return np.where((helpful == 0) | (outcome == _FAILED), NO, success).astype(np.int8)
