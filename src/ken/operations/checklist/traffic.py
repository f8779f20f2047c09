"""What the traffic says: costs, the answer cache, prompts, retries."""

from __future__ import annotations

from dataclasses import replace

from ken.operations.checklist import proofs
from ken.operations.checklist.facts import DAY_S, Facts, Found

_REPLAY = (
    "Replay what people asked: `ken load --from-record`, or `--questions FILE`. Where they ask too little, tests count."
)


def cost_is_stable(facts: Facts) -> Found:
    """The cost of a successful task, by task type, beside the window before."""
    bounds = facts.bounds
    now, before = facts.now("cost_per_success", by="task_type"), facts.before("cost_per_success", by="task_type")
    enough = [
        task
        for task in sorted(now)
        if task in before and min(now[task].count, before[task].count) >= bounds.least_count
    ]
    window = f"{bounds.window_days:g} days"
    if not enough:
        most = max((point.count for point in now.values()), default=0)
        return Found(
            "unknown",
            f"no task type has {bounds.least_count} successful tasks in the last {window} and in the {window} before; "
            f"the most in the last: {most}",
            "Let the staging system answer for two windows, or shorten `window_days` in [checklist].",
        )
    unpriced = [task for task in enough if now[task].value is None or before[task].value is None]
    if unpriced:
        return Found(
            "unknown",
            f"the cost of {', '.join(unpriced)} is unknown: calls without a price",
            "Give every model its price in [prices]: `ken doctor` names those without.",
        )
    moved = {task: _change(before[task].value or 0.0, now[task].value or 0.0) for task in enough}
    told = ", ".join(
        f"{task} {_money(before[task].value)} → {_money(now[task].value)} ({moved[task]:+.0%})" for task in enough
    )
    evidence = f"millionths for a successful task, last {window} beside the {window} before: {told}"
    worst = max(moved, key=lambda task: abs(moved[task]))
    if abs(moved[worst]) <= bounds.cost_change:
        return Found("pass", evidence)
    return Found("fail", evidence, f"Find out what moved {worst!r}: `ken why`, and the costs by model and stage.")


def cache_answers_as_expected(facts: Facts) -> Found:
    """How many of the questions that asked the cache it answered."""
    bounds = facts.bounds
    if not facts.caches:
        return Found("pass", "the answer cache is off, so none is expected")
    kind = facts.whose("cache_hit_rate")
    now, asked = facts.one("cache_hit_rate", kind=kind), "questions of tests" if kind == "eval" else "questions"
    window = f"{bounds.window_days:g} days"
    if now.value is None or now.count < bounds.least_count:
        return Found(
            "unknown",
            f"{now.count} questions asked the cache in the last {window}; {bounds.least_count} are needed",
            _REPLAY,
        )
    expected, told = bounds.hit_rate, "set in [checklist]"
    if expected is None:
        before = facts.before("cache_hit_rate", kind=kind).get("")
        if before is None or before.value is None or before.count < bounds.least_count:
            return Found(
                "unknown",
                f"{now.value:.1%} of {now.count} {asked} in the last {window}, and nothing to compare that with",
                "Say what is expected: `hit_rate` in [checklist].",
            )
        expected, told = before.value - bounds.hit_rate_drop, f"{before.value:.1%} in the {window} before"
    evidence = f"{now.value:.1%} of {now.count} {asked} in the last {window}; {told}"
    if now.value >= expected:
        return Found("pass", evidence)
    return Found("fail", evidence, "See by category what the cache refused: `ken cache`.")


def context_is_in_range(facts: Facts) -> Found:
    """How long prompts are."""
    bounds = facts.bounds
    kind = facts.whose("context_tokens.p95")
    median, high = facts.one("context_tokens.p50", kind=kind), facts.one("context_tokens.p95", kind=kind)
    window = f"{bounds.window_days:g} days"
    if median.value is None or high.value is None or high.count < bounds.least_count:
        return Found(
            "unknown",
            f"{high.count} prompts were assembled in the last {window}; {bounds.least_count} are needed",
            _REPLAY,
        )
    of_tests = " of tests" if kind == "eval" else ""
    evidence = (
        f"p50 {median.value:,.0f}, p95 {high.value:,.0f} tokens over {high.count} prompts{of_tests} of the last {window}; "
        f"from {bounds.least_context_tokens:,} to {bounds.most_context_tokens:,} is expected"
    )
    if median.value < bounds.least_context_tokens:
        return Found("fail", evidence, "Prompts hold hardly a passage: look at retrieval, and at the models' windows.")
    if high.value > bounds.most_context_tokens:
        return Found("fail", evidence, "Send fewer passages (`passages`) or shorter ones (`compress_passages_to`).")
    return Found("pass", evidence)


def retries_are_logged(facts: Facts) -> Found:
    """Whether retries get on record: where one happened, it has to be there."""
    days = facts.bounds.run_days
    since = facts.at - days * DAY_S
    attempts = facts.figures.whole("retry_rate", since=since, until=facts.at).get("")
    retries = facts.figures.whole("retries", since=since, until=facts.at, by="reason")
    counted = {reason: int(point.value or 0) for reason, point in retries.items() if point.value}
    if counted:
        told = ", ".join(f"{count} for {reason or 'no reason'}" for reason, count in sorted(counted.items()))
        total = 0 if attempts is None else attempts.count
        return Found("pass", f"{told}, of {total} attempts in the last {days:g} days")
    if not facts.dependencies:
        return Found("pass", "nothing is called over a network, so nothing is tried again")
    made = 0 if attempts is None else attempts.count
    drilled = proofs.retries_are_drilled(facts)
    return replace(
        drilled, evidence=f"{made} attempts in the last {days:g} days, none of them a retry; {drilled.evidence}"
    )


def _change(before: float, now: float) -> float:
    if before == now:
        return 0.0
    return now / before - 1 if before else float("inf")


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
