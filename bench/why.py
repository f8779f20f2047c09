"""Whether `ken why` names the cause: simulated incidents of every kind, with the truth known.

    python bench/why.py [--incidents 5] [--per-day 12000] [--seed 1000]

Of each incident, a window is asked about that begins some hours before it and ends when somebody would look. Named: one of the
first hypotheses has the metric that moved first, the dimension and value where the cause has them, and the release or the sync
where people did something. Weeks without an incident tell how often something is said to have moved that had not. Seeds from
2000 on were never looked at while the method was made; those below were.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np

from ken.operations.simulate import calendar, traffic
from ken.operations.simulate.columns import Columns
from ken.operations.simulate.happenings import Told
from ken.operations.simulate.incidents import KINDS, Cause, Incident, incident
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Organisation
from ken.operations.why.hypotheses import Explanation, Hypothesis, Window, explain

MONDAY = 1_700_438_400.0
DAYS = 13
LOOKED_AFTER_H = {"quality_drift": 36.0, "stale_index": 6.0, "prompt_bloat": 6.0}
"""When somebody looks, hours after it began: what creeps is looked at later. The others: two hours."""
HAPPENING = {"release": "deployed", "sync": "index_updated"}


def names(hypothesis: Hypothesis, truth: Cause, *, marker: str) -> bool:
    """Whether a hypothesis says what was the case."""
    moved = hypothesis.moved
    metric = moved.metric if not moved.metric.startswith("mix:") else "questions"
    if metric not in truth.metrics:
        return False
    if truth.dimension and (moved.dimension, moved.value) != (truth.dimension, truth.value):
        return False
    if truth.marker is None:
        return True
    found = hypothesis.marker
    return found is not None and found.kind == HAPPENING[truth.marker] and found.of == marker


def traffic_with(one: Incident | None, organisation: Organisation, *, until: float) -> tuple[Columns, Told]:
    """The figures of two weeks as they are known at `until`, and what people did."""
    made = calendar.markers(organisation, MONDAY, days=DAYS + 1)
    incidents = [] if one is None else [one]
    drawn = traffic.joined(list(traffic.days(organisation, MONDAY, days=DAYS, incidents=incidents, made=made)))
    return Columns(drawn, incidents=incidents, now=lambda: until), Told(made, incidents=incidents)


def asked(one: Incident | None, organisation: Organisation, *, since: float, until: float) -> Explanation:
    """What is said of a window."""
    figures, told = traffic_with(one, organisation, until=until)
    return explain(figures, Window(since=since, until=until), happenings=told.between(since - HOUR_S, until))


def rank(kind: str, seed: int, *, per_day: float) -> int | None:
    """The place of the true cause among the hypotheses, from 1; None where it isn't there."""
    dice = np.random.default_rng([seed, KINDS.index(kind)])
    begins = MONDAY + 8 * DAY_S + float(dice.integers(0, 3)) * DAY_S + float(dice.uniform(8, 16)) * HOUR_S
    one = incident(kind, begins=begins, seed=seed)
    until = begins + LOOKED_AFTER_H.get(kind, 2.0) * HOUR_S
    found = asked(
        one, Organisation(seed=seed, per_day=per_day), since=begins - float(dice.uniform(1, 4)) * HOUR_S, until=until
    )
    marker = "" if one.marker is None else one.marker.name
    return next(
        (place for place, each in enumerate(found.hypotheses, 1) if names(each, one.cause, marker=marker)), None
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--incidents", type=int, default=5, help="of each kind")
    parser.add_argument("--quiet", type=int, default=40, help="windows without an incident")
    parser.add_argument("--per-day", type=float, default=12_000)
    parser.add_argument("--seed", type=int, default=2000)
    given = parser.parse_args()
    begun, places = time.perf_counter(), defaultdict[str, list[int | None]](list)
    for kind in KINDS:
        for number in range(given.incidents):
            places[kind].append(rank(kind, given.seed + number, per_day=given.per_day))
    print(f"{'kind':18} {'first':>6} {'first 3':>8}  places")
    for kind, found in [*places.items(), ("all", [place for own in places.values() for place in own])]:
        first, third = (sum(place is not None and place <= most for place in found) for most in (1, 3))
        shown = " ".join("-" if place is None else str(place) for place in found) if kind != "all" else ""
        print(f"{kind:18} {first / len(found):6.0%} {third / len(found):8.0%}  {shown}")
    loud = 0
    for number in range(given.quiet):
        dice = np.random.default_rng([given.seed + number, 99])
        since = MONDAY + 8 * DAY_S + float(dice.uniform(0, 4)) * DAY_S
        found = asked(
            None, Organisation(seed=given.seed + number, per_day=given.per_day), since=since, until=since + 4 * HOUR_S
        )
        loud += bool(found.hypotheses)
    print(f"nothing moved, and something was said to have: {loud} of {given.quiet} windows of four hours")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
