"""`ken simulate`, `ken why` and `ken digest` in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.service.corpus import FILES, copy


def test_a_simulated_home_can_be_asked_why(tmp_path: Path) -> None:
    """It says how many questions there are and what goes wrong; hypotheses are about their time."""
    terminal = Terminal(copy(tmp_path / "home"))
    plan = ("--days", "2", "--questions-per-day", "20", "--incident", "misrouting@day1+0h", "--seed", "4")
    late = terminal.ken("simulate", "--days", "2", "--incident", "slow_retrieval@day9", code=2).stderr
    assert "'slow_retrieval@day9' begins after the days that are made" in late
    lines = terminal.ken("simulate", *plan).stdout.splitlines()
    assert lines[0].endswith("simulated questions of 2 days are on record.")
    assert lines[1].startswith("misrouting from ")
    told = json.loads(terminal.ken("why", "--since", "20h", "--json").stdout)
    assert told["alert"] is None
    found = {"window", "hypotheses", "moved", "happenings", "asked", "hours_before", "is_compared"}
    assert set(told["explanation"]) == found


def test_a_day_is_written_as_a_page(filled: Terminal, tmp_path: Path) -> None:
    """To the file that was named, which stderr says."""
    file = tmp_path / "day.html"
    assert str(file) in filled.ken("digest", "--html", str(file)).stderr
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_is_no_incident_is_refused_before_anything_is_made(empty: Terminal) -> None:
    """With the form and the kinds; no home is made."""
    told = empty.ken("simulate", "--incident", "flood@day1", code=2).stderr
    assert "There is no kind of incident 'flood'" in told
    assert not empty.home.exists()


def test_simulated_questions_are_about_the_homes_documents(tmp_path: Path) -> None:
    """Their answers quote documents that everyone may read, to the letter, and they are the principal `simulated`'s."""
    terminal = Terminal(copy(tmp_path / "home"))
    terminal.ken("simulate", "--days", "5", "--questions-per-day", "80", "--seed", "4")
    wanted = "kind = question and outcome = answered and task_type != smalltalk"
    found = json.loads(terminal.ken("trace", "--where", wanted, "--json").stdout)["traces"]
    assert {each["principal"] for each in found} == {"simulated"}
    quoted: set[str] = set()
    for each in [each for each in found if each["question"] != "(no longer kept)"]:
        if len(quoted) > 2:
            break
        trace = json.loads(terminal.ken("trace", each["id"], "--json").stdout)
        for citation in trace["citations"]:
            file = FILES[str(citation["document_id"]).removeprefix("harbour/")]
            assert citation["quote"] in file
            quoted.add(citation["document_id"])
    assert quoted
    assert "harbour/wages.md" not in quoted


def test_a_second_time_nothing_is_counted_twice(tmp_path: Path) -> None:
    """The same questions again are refused, and no figure grows by them."""
    terminal = Terminal(copy(tmp_path / "home"))
    plan = ("simulate", "--days", "5", "--questions-per-day", "40", "--seed", "4")
    terminal.ken(*plan)
    before = counted(terminal)
    assert before > 0
    assert "are on record already" in terminal.ken(*plan, code=1).stderr
    assert counted(terminal) == before


def counted(terminal: Terminal) -> int:
    """Questions, as the figures have them."""
    (line,) = json.loads(terminal.ken("figures", "show", "questions", "--json").stdout)["lines"].values()
    return sum(point["count"] for point in line["points"])
