"""`ken checks` and `ken checklist` in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.terminal import Terminal
from tests.service.corpus import copy

CASE = {
    "id": "a",
    "question": "When does the harbour office open on weekdays?",
    "kind": "lookup",
    "collection": "harbour",
    "gold": [{"path": "harbour/office.md", "evidence": "The harbour office opens at 07:30 on weekdays."}],
    "facts": ["07:30"],
}


def test_the_rules_are_listed(tmp_path: Path) -> None:
    """With their counts, for a person and for a program; one that is off says so, and a young home has no silent rule."""
    terminal = Terminal(copy(tmp_path / "home"))
    (terminal.home / "ken.toml").write_text('[checks]\noff = ["hedging"]\n', encoding="utf-8")
    done = terminal.ken("checks")
    rules = json.loads(terminal.ken("checks", "--json").stdout)
    listed = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert listed == [rule["name"] + ("" if rule["is_on"] else " (off)") for rule in rules]
    assert "hedging (off)" in listed
    assert {"json_schema", "citation_quote", "figure"} <= set(listed)
    assert "Silent" not in done.stderr


def test_what_was_evaluated_answers_its_questions(tmp_path: Path) -> None:
    """`ken eval` puts its figures on record, where the checklist finds them; what nobody has tested stays unknown."""
    terminal = Terminal(copy(tmp_path / "home"))
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(json.dumps(CASE | {"id": str(number)}) + "\n" for number in range(20)), encoding="utf-8")
    terminal.ken("eval", str(cases))
    told = json.loads(terminal.ken("checklist", "--json", code=1).stdout)
    states = {one["name"]: one["state"] for one in told["answers"]}
    assert [states[name] for name in ("regression_set", "groundedness", "retrieval")] == ["pass"] * 3
    assert [states[name] for name in ("cost", "judge", "load")] == ["unknown"] * 3
    assert told["ready"] is False


def test_a_test_that_ken_does_not_run_is_put_on_record(tmp_path: Path) -> None:
    """A judge's calibration counts once it is there; a file that says nothing of passing is refused."""
    terminal = Terminal(copy(tmp_path / "home"))
    file = tmp_path / "calibration.json"
    file.write_text('{"agreement": 0.82}', encoding="utf-8")
    assert '"passed": true or false' in terminal.ken("checklist", "--put", "calibration", str(file), code=2).stderr
    assert "calibration, gate" in terminal.ken("checklist", "--put", "load", str(file), code=2).stderr
    file.write_text('{"agreement": 0.82, "passed": true}', encoding="utf-8")
    done = terminal.ken("checklist", "--put", "calibration", str(file), code=1)
    assert "✓ pass    Was the judge calibrated lately?\n  agreement 0.82, 0 hours ago" in done.stdout
    assert "? unknown Was the question set run on this release?" in done.stdout
    assert "→ Run it: `ken eval QUESTIONS.jsonl`." in done.stdout
    assert "not ready to go live" in done.stderr
