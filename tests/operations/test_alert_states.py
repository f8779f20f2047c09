"""What an alert goes through: waiting, firing, silence, its end; flapping, gaps, clocks that leap."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from ken.domain.alert import Alert, Change, Silence
from ken.gateway.vitals import BreakerChanged
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.happened import of_breaker
from ken.operations.alerts.notices import Pace, Recipient, notices_of
from ken.operations.alerts.rules import Source, rules_of, shipped
from tests.operations.recorded import HOUR_S, START, Recorded, Series, Told, noise, worse

TABLE: dict[str, object] = {
    "name": "retries",
    "when": "retry_rate > 0.2",
    "window": "5m",
    "for": "2m",
    "keep": "5m",
    "severity": "hard",
    "group": "reliability",
    "at_least": 1,
    "summary": "{value%} of {count}",
    "filter": "retries > 0",
}
NOON = START + 12 * HOUR_S


def engine(figures: Recorded, **changes: object) -> Engine:
    return Engine(rules_of([Source("here", [TABLE | changes])]), figures)


def trouble(*spans: tuple[float, float]) -> Recorded:
    """A day whose retries are many within these spans of minutes after noon, and none elsewhere."""
    series = noise("retry_rate", 0.0, minutes=1440, a_minute=20)
    for begins, ends in spans:
        worse(series, "retry_rate", value=0.9, at=NOON + begins * 60, lasts=(ends - begins) * 60)
    return Recorded({"retry_rate": {"": series}})


def looked(engine: Engine, minutes: range, *, clock: Callable[[float], float] = lambda at: at) -> list[Change]:
    """Look once a minute."""
    return [change for minute in minutes for change in engine.evaluate(clock(NOON + minute * 60))]


def states(changes: list[Change]) -> list[tuple[int, str]]:
    """Minutes after noon, and what came then."""
    return [(round((change.at - NOON) / 60), change.new) for change in changes]


def test_it_waits_fires_once_and_ends() -> None:
    """Two minutes of trouble fire, five without end it, and nothing is said twice."""
    found = looked(engine(trouble((5, 25))), range(60))
    assert [new for _, new in states(found)] == ["pending", "firing", "resolved"]
    (waits, _), (fires, _), (ends, _) = states(found)
    assert 5 <= waits <= 8
    assert fires == waits + 2
    assert 28 <= ends <= 38
    assert found[1].alert.summary.endswith(tuple(f"of {count}" for count in range(20, 200)))
    assert found[1].alert.where.startswith("(retries > 0) and started >= ")


def test_what_passes_before_its_time_is_never_told() -> None:
    """A minute of trouble that a window of a minute sees is pending, then gone, and has not fired."""
    found = looked(engine(trouble((5, 6)), window="1m", **{"for": "5m"}), range(30))
    assert [new for _, new in states(found)] == ["pending", "resolved"]
    assert found[-1].alert.fired_at is None


def test_what_flaps_is_told_less_and_less_often() -> None:
    """Trouble that comes and goes every ten minutes for four hours is a handful of alerts, each kept for longer."""
    spans = tuple((begin, begin + 4) for begin in range(0, 240, 16))
    found = [new for _, new in states(looked(engine(trouble(*spans)), range(300))) if new == "firing"]
    assert 1 <= len(found) <= 4 < len(spans)


def test_a_gap_is_neither_trouble_nor_its_end() -> None:
    """An alert stays on through twenty minutes without a question, and is over after half an hour of them."""
    figures = trouble((0, 20))
    series = figures.series_of["retry_rate"][""]
    series.counts[12 * 60 + 20 : 12 * 60 + 120] = 0
    found = looked(engine(figures), range(100))
    assert [new for _, new in states(found)] == ["pending", "firing", "resolved"]
    assert 48 <= states(found)[-1][0] <= 60


@pytest.mark.parametrize("leap", [-3 * HOUR_S, 30.0, 3 * HOUR_S, 400 * 24 * HOUR_S])
def test_a_clock_that_leaps_makes_nothing_fire(leap: float) -> None:
    """Set forward or back in the middle of a quiet hour, and set right again ten minutes later."""
    looks = looked(
        engine(trouble()), range(60), clock=lambda at: at + (leap if NOON + 20 * 60 <= at < NOON + 30 * 60 else 0)
    )
    assert looks == []


def test_a_clock_that_is_set_forward_does_not_hasten_an_alert() -> None:
    """What has to hold for ten minutes holds for ten minutes of looking, whatever the clock says."""
    machine = engine(trouble((0, 60)), **{"for": "10m"})
    found = looked(machine, range(6), clock=lambda at: at + (9 * 60 if at >= NOON + 4 * 60 else 0))
    assert [new for _, new in states(found)] == ["pending"]


def test_a_silence_keeps_it_quiet_and_not_unseen() -> None:
    """A firing alert goes silent; when the silence ends and the trouble doesn't, it fires again."""
    machine = engine(trouble((0, 60)))
    machine.silences = [Silence(rule="retries", until=NOON + 30 * 60, made_at=NOON)]
    assert [new for _, new in states(looked(machine, range(40)))] == ["pending", "firing", "silenced", "firing"]
    other = engine(trouble((0, 60)))
    other.silences = [Silence(rule="retries", labels=(("model", "a"),), until=NOON + 30 * 60, made_at=NOON)]
    assert [new for _, new in states(looked(other, range(40)))] == ["pending", "firing"]


def test_a_rule_that_cannot_be_looked_at_silences_no_other() -> None:
    """Figures that refuse one rule still serve the next one."""
    machine = engine(trouble((0, 60)))
    broken = rules_of([Source("here", [{"name": "broken", "when": "error_rate > 0.1"}])])
    machine.rules = [*broken, *machine.rules]
    assert [change.alert.rule for change in looked(machine, range(10))] == ["retries", "retries"]
    assert "error_rate" in machine.problems["broken"]


def breaker(*, closes: float | None = None, open_for: float, cooldown_s: float = 15.0) -> list[tuple[int, str]]:
    """What the shipped rule says of a breaker that opens at noon, in minutes; the gauge shows it for some minutes."""
    changed = partial(BreakerChanged, dependency="model a", reason="10 of 10 calls failed in 60 s")
    happened = [of_breaker(changed(at=NOON, old="closed", new="open", probes_at=NOON + cooldown_s))]
    if closes is not None:
        happened.append(of_breaker(changed(at=NOON + closes * 60, old="half-open", new="closed")))
    gauge = Series(np.full(1440, np.nan), np.zeros(1440))
    seen = slice(12 * 60, 12 * 60 + int(open_for))
    gauge.values[seen], gauge.counts[seen] = 1.0, 1.0
    rule = next(rule for rule in rules_of([shipped()]) if rule.name == "breaker_open")
    machine = Engine([rule], Recorded({"breakers_open.max": {"": gauge}}), happenings=Told(happened))
    found = looked(machine, range(60))
    assert found[0].alert.summary == "The breaker of model a opened: 10 of 10 calls failed in 60 s."
    return states(found)


def test_a_breakers_alert_ends_with_the_breaker() -> None:
    """Soon after its closing is told; a few minutes after no process has one open; and not while one has."""
    assert [minute for minute, new in breaker(closes=5, open_for=5, cooldown_s=300) if new == "resolved"] == [5]
    [(_, first), (ended, last)] = breaker(open_for=1)  # the server was restarted, and tells of nothing
    assert (first, last) == ("firing", "resolved")
    assert 3 <= ended <= 7
    [_, (ended, _)] = breaker(open_for=20, cooldown_s=3600)
    assert 20 < ended <= 26


def alert(rule: str, *, group: str = "latency", state: str = "firing") -> Alert:
    return Alert(
        rule=rule, severity="hard", group=group, state=state, began_at=NOON, since=NOON, fired_at=NOON, seen_at=NOON
    )  # pyright: ignore[reportArgumentType] - one of the states


def test_a_group_shares_a_message_and_is_told_again_in_time() -> None:
    """Two alerts at once are one message; a third waits its turn; what is still on is repeated after four hours; its end is told once."""
    people = [Recipient(name="on call"), Recipient(name="cost alone", groups=frozenset({"cost"}))]
    pace = Pace(group_s=300, repeat_s=4 * HOUR_S)
    alerts = {each.fingerprint: each for each in (alert("a"), alert("b"))}
    made, alerts = notices_of(alerts, people, pace=pace, now=NOON)
    assert [(notice.destination, len(notice.alerts)) for notice in made] == [("on call", 2)]
    third = alert("c")
    made, alerts = notices_of(alerts | {third.fingerprint: third}, people, pace=pace, now=NOON + 60)
    assert made == ()
    made, alerts = notices_of(alerts, people, pace=pace, now=NOON + 300)
    assert [each.rule for notice in made for each in notice.alerts] == ["c"]
    made, alerts = notices_of(alerts, people, pace=pace, now=NOON + 4 * HOUR_S + 600)
    assert sorted(each.rule for notice in made for each in notice.alerts) == ["a", "b", "c"]
    over = {key: alert(each.rule, state="resolved") for key, each in alerts.items()}
    over = {key: Alert(**_fields(each, alerts[key])) for key, each in over.items()}
    made, over = notices_of(over, people, pace=pace, now=NOON + 5 * HOUR_S)
    assert [len(notice.resolved) for notice in made] == [3]
    assert notices_of(over, people, pace=pace, now=NOON + 6 * HOUR_S)[0] == ()


def _fields(over: Alert, before: Alert) -> dict[str, object]:
    told = {name: getattr(over, name) for name in Alert.__slots__}
    return told | {"notified_at": before.notified_at, "told_state": before.told_state}
