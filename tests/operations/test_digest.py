"""The daily digest: the day in order, with nothing in it that somebody else could make act."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from ken.domain.alert import Alert, Change
from ken.errors import InvalidInput
from ken.gateway.vitals import BreakerChanged
from ken.operations.alerts.delivery.email import EmailChannel
from ken.operations.alerts.delivery.message import Links, blocks, payload
from ken.operations.alerts.happened import of_breaker
from ken.operations.digest.day import DayTold, Sources, day_of, told
from ken.operations.digest.markdown import markdown
from ken.operations.digest.page import page, plot
from ken.operations.digest.sending import notices
from ken.operations.digest.story import FIRED_ALONE, QUIET, events
from ken.operations.simulate.organisation import DAY_S
from ken.operations.why.words import NOTHING
from ken.storage.alerts import AlertBook
from ken.storage.sqlite import SqliteDatabase
from ken.telemetry.figures import Pattern
from tests.operations.recorded import Told
from tests.operations.simulated import BEGINS, MONDAY, figures
from tests.operations.simulated import told as happened

NASTY = '<script src="https://elsewhere.example/x.js"></script> [click](javascript:alert(1)) ![](https://elsewhere.example/p.png)'
WEDNESDAY = date(2023, 11, 29)
EVENING = MONDAY + 9 * DAY_S + 20 * 3600


@pytest.fixture
def book(home: Path) -> Iterator[AlertBook]:
    database = SqliteDatabase(home)
    yield AlertBook(database)
    database.close()


def day(book: AlertBook, kind: str = "") -> DayTold:
    """The Wednesday as it stands in the evening, with a costly pattern whose name is nasty."""
    pattern = Pattern(
        task_type="lookup",
        category=NASTY,
        questions=10,
        cost_micros=5_000_000,
        unknown_cost_questions=1,
        success_rate=None,
        cost_per_question=None,
        cost_per_success=None,
    )
    sources = Sources(
        figures=figures(kind, now=EVENING),
        alerts=book,
        happenings=happened(kind),
        patterns=lambda since, until: [pattern] if until - since <= DAY_S else [],
        silent=lambda: ["steps"],
    )
    return told(sources, WEDNESDAY, now=EVENING)


def test_the_story_is_told_in_the_order_of_time(book: AlertBook) -> None:
    """The sync first, then what moved, then the alert that fired; what stands out opens the page."""
    alert = Alert(
        rule="relevance_unusual",
        severity="soft",
        state="firing",
        began_at=BEGINS + 600,
        since=BEGINS + 900,
        fired_at=BEGINS + 900,
        seen_at=BEGINS + 900,
        summary=NASTY,
    )
    book.put(book.standing(EVENING), {}, changes=[Change(at=BEGINS + 900, alert=alert, old="pending")], notices=[])
    whole = day(book, "stale_index")
    kinds = [(each.kind, each.text) for each in events(whole) if each.at >= BEGINS - 60]
    did = next(place for place, (kind, _) in enumerate(kinds) if kind == "did")
    moved = next(place for place, (_, text) in enumerate(kinds) if text.startswith("the best passage's relevance fell"))
    fired = next(place for place, (kind, _) in enumerate(kinds) if kind == "fired")
    assert did < moved < fired
    text, drawn = markdown(whole), page(whole)
    for each in (text, drawn):
        assert each.index("What moved first") < each.index("In the order of time") < each.index("Latency")
        assert "steps" in each
    assert " 1 soft alert fired." in text
    # What others wrote can't act, in either form, and the page loads nothing.
    assert "<script" not in text.replace("\\<script", "")
    assert not re.search(r"(?<!\\)\]\(", text)
    tags = {node.tag for node in LexborHTMLParser(drawn).css("*")}
    assert not tags & {"script", "img", "a", "link", "iframe", "object"}
    assert {"svg", "path", "table"} <= tags
    assert "default-src 'none'" in drawn
    assert drawn.count("<svg") > 10


def test_a_quiet_day_is_told_as_one(book: AlertBook) -> None:
    """Nothing moved, no alert fired; its figures stand there all the same."""
    text = markdown(day(book))
    assert QUIET in text
    assert "What moved first" not in text
    assert "| questions | " in text


def test_a_breaker_and_an_alert_are_told_by_name(book: AlertBook) -> None:
    """Which breaker opened, why and how often; an alert's name as code, without a backslash that Markdown needs not."""
    reason = "10 of 10 calls failed in 60 s"
    states = [("closed", "open"), ("open", "half-open"), ("half-open", "open")]
    happenings = [
        of_breaker(BreakerChanged(at=BEGINS + 60 * at, dependency="broken_one", old=old, new=new, reason=reason))  # pyright: ignore[reportArgumentType]
        for at, (old, new) in enumerate(states)
    ]
    alert = Alert(
        rule="retrieval_p99", severity="hard", state="firing", began_at=BEGINS, since=BEGINS, fired_at=BEGINS, seen_at=BEGINS,
        summary="p99 is _high_ in a_b.",
    )  # fmt: skip
    book.put(book.standing(EVENING), {}, changes=[Change(at=BEGINS, alert=alert, old="pending")], notices=[])
    sources = Sources(
        figures=figures("", now=EVENING), alerts=book, happenings=Told(happenings), patterns=lambda *_: []
    )
    said = markdown(told(sources, WEDNESDAY, now=EVENING)).splitlines()
    assert f"- 10:00 breaker of 'broken_one' opened: {reason} (2 times that day)" in said
    assert "- 10:00 **fired**: hard alert `retrieval_p99`: p99 is \\_high\\_ in a_b." in said
    assert sum("breaker of" in line for line in said) == 1
    # Where an alert fired, the day is not said to be one on which nothing moved.
    assert f"{FIRED_ALONE} 1 hard alert fired." in said
    assert NOTHING not in "\n".join(said)


def test_a_first_day_is_not_said_to_be_like_others(book: AlertBook) -> None:
    """There are none: the day says how much there is to compare with, and how much is needed."""
    sources = Sources(figures=figures("", now=EVENING), alerts=book, happenings=happened(""), patterns=lambda *_: [])
    first = date(2023, 11, 20)
    text = markdown(told(sources, first, now=EVENING))
    assert QUIET not in text
    assert "too little to compare this time with: before it there were questions in 0 hours" in text
    assert "No alert fired." in text


def test_a_day_is_sent_once_to_each_destination(book: AlertBook) -> None:
    """Whoever makes it a second time adds nothing; what is claimed for sending has the text and the page."""
    made = notices(day(book), ["log", "mail"], now=EVENING)
    assert book.tell(made) == 2
    assert book.tell(made) == 0
    claimed = book.claim(EVENING + 1)
    assert {each.destination for each in claimed} == {"log", "mail"}
    assert all(each.title.startswith("[Ken] 2023-11-29: no alerts") for each in claimed)
    assert all(
        each.body.startswith("# Ken on 2023-11-29") and each.page.startswith("<!doctype html>") for each in claimed
    )


def test_every_destination_gets_the_day_in_its_own_form(book: AlertBook) -> None:
    """A mail has the text and the page, Slack its lines with signs escaped, a webhook the text as a field."""
    [made] = notices(day(book), ["mail"], now=EVENING)
    mail = EmailChannel(
        name="mail", host="localhost", port=25, security="none", sender="ken@example.com", to=("a@example.com",)
    )
    plain, drawn = mail.mail(made).iter_parts()
    assert (plain.get_content_type(), drawn.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().startswith("# Ken on 2023-11-29")
    assert payload(made, Links())["body"] == made.body
    told_to_slack = json.dumps(blocks(made, Links()))
    assert "2023-11-29: no alerts" in told_to_slack
    assert "<script" not in told_to_slack


def test_a_plot_has_gaps_where_hours_have() -> None:
    """A line ends before a gap and begins after it; without a value there is no plot."""
    assert plot([None] * 24, []) == ""
    drawn = plot([1.0, 2.0, None, 3.0], [])
    assert drawn.count("M") == 2
    assert "nan" not in drawn


@pytest.mark.parametrize("text", ["tomorrow", "2023-13-01", "2999-01-01", ""])
def test_what_is_no_day_that_was_is_refused(text: str) -> None:
    """With the form of a day, or the days that may be named."""
    with pytest.raises(InvalidInput, match="today"):
        day_of(text, now=EVENING)


def test_days_are_named_from_today() -> None:
    """Without a name it is yesterday, of which all is known."""
    assert day_of(None, now=EVENING) == day_of("yesterday", now=EVENING) == date(2023, 11, 28)
    assert day_of("today", now=EVENING) == day_of("2023-11-29", now=EVENING) == WEDNESDAY
