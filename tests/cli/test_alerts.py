"""`ken alerts` in a home of its own: rules, silences, what a rule would have said."""

from __future__ import annotations

import json
import time

import pytest

from ken.domain.alert import Alert, Change
from ken.storage.alerts import AlertBook
from ken.storage.sqlite import SqliteDatabase
from tests.cli.terminal import Terminal
from tests.service.corpus import copy


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A home in which an alert has fired, and whose alerts.toml changes a rule."""
    home = copy(tmp_path_factory.mktemp("alerts") / "home")
    (home / "alerts.toml").write_text('[[rules]]\nname = "ttft_p95"\nlimit = 1234\n', "utf-8")
    now = time.time()
    alert = Alert(
        rule="ttft_p95",
        severity="hard",
        group="latency",
        state="firing",
        began_at=now - 60,
        since=now,
        fired_at=now,
        seen_at=now,
        summary="It comes late.",
    )
    database = SqliteDatabase(home)
    book = AlertBook(database)
    book.put(
        book.standing(now), {alert.fingerprint: alert}, changes=[Change(at=now, alert=alert, old=None)], notices=[]
    )
    database.close()
    return Terminal(home)


def test_alerts_are_listed_with_what_became_of_them_and_silences(terminal: Terminal) -> None:
    """In columns for a program, as JSON on request; a silence stands beside them."""
    assert "It comes late." in terminal.ken("alerts", "history").stdout
    made = terminal.ken(
        "alerts", "silence", "ttft_unusual", "--for", "2h", "--label", "model=a", "--reason", "known"
    ).stderr
    assert "ttft_unusual is silent until" in made
    refused = terminal.ken("alerts", "silence", "ttft_unusual", "--label", "banana=3", code=None)
    assert refused.returncode
    assert "No alert of 'ttft_unusual' has a label 'banana'. They have: model." in refused.stderr
    told = json.loads(terminal.ken("alerts", "list", "--json").stdout)
    assert [each["rule"] for each in told["alerts"]] == ["ttft_p95"]
    [silence] = told["silences"]
    assert (silence["labels"], silence["reason"]) == ([["model", "a"]], "known")
    assert 7100 < silence["until"] - silence["made_at"] < 7300


def test_rules_are_listed_as_the_home_has_them(terminal: Terminal) -> None:
    """A changed limit is there, and the shipped rules besides."""
    rules = dict(line.split("\t")[::2] for line in terminal.ken("alerts", "rules").stdout.splitlines())
    assert rules["ttft_p95"] == "ttft_ms.p95 > 1234 over 15m, kind question"
    assert len(rules) > 30


def test_a_rule_is_tried_on_the_record(terminal: Terminal) -> None:
    """One that never held says so; one that isn't there is refused with what may have been meant."""
    assert "would not have fired" in terminal.ken("alerts", "test", "retry_rate", "--hours", "1").stderr
    assert "did you mean 'retry_rate'?" in terminal.ken("alerts", "test", "retri_rate", code=1).stderr


def test_a_bad_rule_keeps_ken_from_starting_and_says_where_it_stands(empty: Terminal) -> None:
    """One plain line with the rule, its file and the remedy."""
    empty.home.mkdir()
    (empty.home / "ken.toml").write_text('[[alerts.rules]]\nname = "mine"\nwhen = "retri_rate > 1"\n', "utf-8")
    told = empty.ken("alerts", "list", code=2).stderr
    where = "Rule 'mine' of [[alerts.rules]] in ken.toml: there is no figure 'retri_rate'; did you mean 'retry_rate'?"
    assert where in told
