"""Alerts of a past that nobody looked at are those that its record would have had."""

from __future__ import annotations

from pathlib import Path

from ken.operations.alerts.backtest import Record, Span, backtest
from ken.operations.alerts.engine import NothingHappens
from ken.operations.alerts.relived import relive
from ken.operations.alerts.rule import Rule
from ken.operations.alerts.rules import Source, rules_of
from ken.storage.alerts import AlertBook
from ken.storage.sqlite import SqliteDatabase
from tests.operations.recorded import HOUR_S, START, Recorded, noise, worse

NOON = START + 12 * HOUR_S
SPAN = Span(NOON, NOON + 3 * HOUR_S)


def test_what_would_have_fired_is_kept_with_its_times(home: Path) -> None:
    """The changes on record are those of a back-test; what still fires at the end stands, and nobody is to be told of any."""
    record = Record(figures=_trouble((20, 50), (150, 200)), happenings=NothingHappens())
    rule = _rule()
    database = SqliteDatabase(home)
    try:
        book = AlertBook(database)
        looked: list[float] = []
        fired = relive([rule], record, book=book, span=SPAN, tell=looked.append)
        tried = backtest(rule, record, span=SPAN)
        kept = [(each.at, each.alert.state) for each in reversed(book.changes()) if each.alert.state != "pending"]
        wanted = [(each.at, each.alert.state) for each in tried.changes if each.alert.state != "pending"]
        assert kept == wanted
        assert fired == tried.firings == 2
        assert [each.state for each in book.standing(SPAN.until).alerts.values()] == ["firing"]
        assert book.sendings() == ()
        assert looked == [SPAN.since + 60 * minute for minute in range(181)]
    finally:
        database.close()


def _rule() -> Rule:
    table = {"name": "retries", "when": "retry_rate > 0.2", "window": "5m", "for": "2m", "at_least": 1}
    (made,) = rules_of([Source("here", [table])])
    return made


def _trouble(*spans: tuple[float, float]) -> Recorded:
    """A day whose retries are many within these spans of minutes after noon."""
    series = noise("retry_rate", 0.0, minutes=1440, a_minute=20)
    for begins, ends in spans:
        worse(series, "retry_rate", value=0.9, at=NOON + begins * 60, lasts=(ends - begins) * 60)
    return Recorded({"retry_rate": {"": series}})
