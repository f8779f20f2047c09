"""`ken cache`: figures, entries, and dropping them."""

from __future__ import annotations

import json

from tests.cli.terminal import Terminal

QUESTION = "When does the harbour office open on weekdays?"
AGAIN = "At what time does the harbour office open on weekdays?"


def test_answers_are_counted_shown_and_dropped(filled: Terminal) -> None:
    """An answer is given again to other words, in another process; it can be looked at, and dropped for good."""
    filled.ken("ask", QUESTION)
    again = json.loads(filled.ken("ask", AGAIN, "--json").stdout)
    assert again["cached"]
    total = json.loads(filled.ken("cache", "stats", "--json").stdout)["all"]
    assert (total["lookups"], total["similar"], total["entries"]) == (2, 1, 1)
    entry = json.loads(filled.ken("cache", "list", "--json").stdout)[0]
    assert (entry["question"], entry["uses"], entry["trace_id"]) == (QUESTION, 1, again["original_trace_id"])
    shown = filled.ken("cache", "show", str(entry["id"]))
    assert "07:30" in shown.stdout
    assert "cites  harbour/office.md" in shown.stderr
    assert "1 answers dropped" in filled.ken("cache", "drop", str(entry["id"])).stderr
    assert "There is no cached answer" in filled.ken("cache", "drop", str(entry["id"]), code=1).stderr
    assert not json.loads(filled.ken("ask", QUESTION, "--json").stdout)["cached"]


def test_what_to_drop_is_said(filled: Terminal) -> None:
    """Nothing is dropped without a word of what."""
    assert "--all" in filled.ken("cache", "drop", code=2).stderr
