"""How many incidents the shipped alert rules find, how soon, and how often they cry for nothing.

    python bench/alerts.py [--incidents 5] [--weeks 8] [--per-day 12000] [--seed 5000]

Every kind of incident of `ken simulate` is let loose several times on an organisation's traffic with three weeks of history: how hard,
how fast and where it strikes, and when, is drawn from seeds (it begins where questions are asked, as most incidents are noticed
there). The engine looks once a minute, as it does in production, and sees what was known then: no later question, no score before the
judge gave it. Found: an alert fired, while the incident lasted, whose rule reads a figure that the incident moves. Its delay counts
from the incident's first effect, ramp included. False alarms: whatever fires in weeks without an incident, with releases, syncs,
bursts, holidays and maintenance in them. Static: the rules that compare with a fixed number, and nothing else, in the same run.
Rules were tuned on seeds below 5000; what is reported comes from those above.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ken.domain.alert import Change
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.rule import Event, Rule, Threshold
from ken.operations.alerts.rules import rules_of, shipped
from ken.operations.simulate import calendar, traffic
from ken.operations.simulate.columns import Columns
from ken.operations.simulate.happenings import Told
from ken.operations.simulate.incidents import KINDS, Incident, incident
from ken.operations.simulate.organisation import DAY_S, HOUR_S, Organisation

MONDAY = 1_700_438_400.0
HISTORY_DAYS = 21
LEAD_S = 2 * HOUR_S
"""The engine looks from so long before an incident, so that what waits or fires already is not taken for its discovery."""
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """What one set of rules made of an incident."""

    kind: str
    delay_min: float | None
    """None: it was missed."""
    rule: str = ""


class Bench:
    """The rules against simulated traffic."""

    def __init__(self, rules: Sequence[Rule], *, per_day: float) -> None:
        self._per_day = per_day
        self.sets: dict[str, tuple[Rule, ...]] = {
            "shipped": tuple(rules),
            "static": tuple(rule for rule in rules if isinstance(rule.test, Threshold | Event)),
        }

    def incident(self, kind: str, seed: int) -> dict[str, Found]:
        """One incident, by set of rules."""
        organisation = Organisation(seed=seed, per_day=self._per_day)
        made = calendar.markers(organisation, MONDAY, days=HISTORY_DAYS + 12)
        one = incident(kind, begins=_begins(organisation, kind, seed), seed=seed)
        days = int((one.ends - MONDAY) // DAY_S) + 1
        drawn = traffic.joined(list(traffic.days(organisation, MONDAY, days=days, incidents=[one], made=made)))
        return {name: self._found(rules, one, drawn=drawn, made=made) for name, rules in self.sets.items()}

    def _found(
        self, rules: Sequence[Rule], one: Incident, *, drawn: traffic.Traffic, made: Sequence[calendar.Marker]
    ) -> Found:
        related = {rule.name for rule in rules if _reads(rule) & one.metrics}
        for change in looked(rules, drawn, made=made, incidents=[one], since=one.begins - LEAD_S, until=one.ends):
            if change.new == "firing" and change.at > one.begins and change.alert.rule in related:
                return Found(one.kind, (change.at - one.begins) / MINUTE_S, change.alert.name)
        return Found(one.kind, None)

    def quiet(self, seed: int, *, weeks: int) -> Iterator[tuple[str, Change]]:
        """What fires in weeks without an incident, by set of rules."""
        organisation = Organisation(seed=seed, per_day=self._per_day)
        days = HISTORY_DAYS + 7 * weeks
        made = calendar.markers(organisation, MONDAY, days=days)
        drawn = traffic.joined(list(traffic.days(organisation, MONDAY, days=days, made=made)))
        since = MONDAY + HISTORY_DAYS * DAY_S
        for name, rules in self.sets.items():
            for change in looked(rules, drawn, made=made, since=since, until=since + 7 * weeks * DAY_S):
                if change.new == "firing":
                    yield name, change


def looked(
    rules: Sequence[Rule],
    drawn: traffic.Traffic,
    *,
    made: Sequence[calendar.Marker],
    incidents: Sequence[Incident] = (),
    since: float,
    until: float,
) -> Iterator[Change]:
    """What changes while an engine looks once a minute."""
    now = since
    figures = Columns(drawn, incidents=incidents, now=lambda: now)
    engine = Engine(rules, figures, clock=lambda: now, happenings=Told(made, incidents=incidents))
    while now < until:
        yield from engine.evaluate(now)
        now += MINUTE_S


def _begins(organisation: Organisation, kind: str, seed: int) -> float:
    """A moment at which somebody asks something, in the week after the history."""
    dice = np.random.default_rng([seed, KINDS.index(kind), 7])
    at = np.concatenate([calendar.arrivals(organisation, MONDAY + (HISTORY_DAYS + day) * DAY_S) for day in range(7)])
    return float(dice.choice(at))


def _reads(rule: Rule) -> set[str]:
    """The figures that a rule's test reads, without which figure of a distribution it is."""
    if isinstance(rule.test, Event):
        return {"breakers_open"} if rule.test.event == "breaker" else set()
    return {name.partition(".")[0] for expression in rule.expressions for name in expression.names}


def _percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, share * 100)) if values else float("nan")


def _report(name: str, found: Sequence[Found]) -> None:
    kinds: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        kinds[each.kind].append(each)
    print(f"\n{name}\n{'kind':18} {'found':>7} {'median':>8} {'p95':>8}  minutes, rule that was first")
    for kind, own in [*kinds.items(), ("all", list(found))]:
        delays = [each.delay_min for each in own if each.delay_min is not None]
        middle = statistics.median(delays) if delays else float("nan")
        first = Counter(each.rule.partition(" ")[0] for each in own if each.rule).most_common(2)
        shown = ", ".join(f"{rule} {times}" for rule, times in first) if kind != "all" else ""
        print(f"{kind:18} {len(delays):3}/{len(own):<3} {middle:8.1f} {_percentile(delays, 0.95):8.1f}  {shown}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--incidents", type=int, default=5, help="of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--weeks", type=int, default=8, help="without an incident, four to an organisation")
    parser.add_argument("--per-day", type=float, default=12_000)
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--json", type=Path, help="write every incident and every false alarm there")
    given = parser.parse_args()
    begun = time.perf_counter()
    bench = Bench(rules_of([shipped()]), per_day=given.per_day)
    found: dict[str, list[Found]] = {name: [] for name in bench.sets}
    for kind in given.kinds.split(",") if given.incidents else ():
        for number in range(given.incidents):
            for name, one in bench.incident(kind, given.seed + number).items():
                found[name].append(one)
    for name, own in found.items():
        _report(name, own)
    loud: dict[str, list[str]] = {name: [] for name in bench.sets}
    for number in range(0, given.weeks, 4):
        weeks = min(4, given.weeks - number)
        for name, change in bench.quiet(given.seed + 500 + number, weeks=weeks):
            loud[name].append(change.alert.name)
    for name, alerts in loud.items():
        if given.weeks:
            print(f"\n{name}: {len(alerts) / given.weeks:.2f} false alarms a week over {given.weeks} weeks")
            print("  " + ", ".join(f"{alert} {times}" for alert, times in Counter(alerts).most_common(12)))
    print(
        f"\n{time.perf_counter() - begun:.0f} s; {len(bench.sets['shipped'])} rules, {len(bench.sets['static'])} of them static"
    )
    if given.json:
        rows = {name: [[each.kind, each.delay_min, each.rule] for each in own] for name, own in found.items()}
        given.json.write_text(json.dumps({"incidents": rows, "false_alarms": loud}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
