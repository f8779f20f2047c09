"""What a rule may say, and what is said of one that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from ken.errors import InvalidInput
from ken.operations.alerts.engine import Engine
from ken.operations.alerts.expression import parse
from ken.operations.alerts.rule import Baseline, Rule, Threshold
from ken.operations.alerts.rules import Source, of_home, rules_of, shipped
from tests.operations.recorded import START, Recorded, noise

FIGURES = {"cost": 500.0, "questions": 10.0, "errors": 0.0, "retry_rate": 0.08, "ms.p95": 9000.0}


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("retry_rate > 0.05", 0.08, True),
        ("retry_rate > 5 / 100 and questions >= 20", 0.08, False),
        ("cost / questions > 49.9 or not questions > 5", 50.0, True),
        ("-cost + 2 * (questions - 3) < -480", -486.0, True),
        ("ms.p95 > limit", 9000.0, True),
        ("cost / errors > 1", None, None),
        ("cost / errors > 1 and questions < 5", None, False),
        ("cost / errors > 1 or questions > 5", None, True),
        ("not cost / errors > 1", None, None),
        ("quality.mean < 3", None, None),
        (".5 < retry_rate * 10", 0.5, True),
        ("cost > $0.0004", 500.0, True),
        ("cost > $0.0006", 500.0, False),
    ],
)
def test_a_condition_says_what_its_figures_say(text: str, value: float | None, *, holds: bool | None) -> None:
    """Arithmetic binds as in school; what has no value makes a comparison neither true nor false, and nothing fails."""
    looked = {**FIGURES, "limit": 8000.0}
    expression = parse(text)
    assert expression.value(looked.get) == pytest.approx(value)
    assert expression.holds(looked.get) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("retry_rate > ", "a figure or a number is missing at character"),
        ("retry_rate >> 3", "a figure or a number is missing before '>'"),
        ("retry_rate = 3", "'=' has no meaning at character 12"),
        ("__import__('os')", "'(' is not expected"),
        ("retry_rate > 1 > 2", "'>' is not expected"),
        ("(retry_rate > 1", "a closing bracket is missing"),
        ("retry_rate + (cost > 1) > 2", "'+' stands between numbers"),
        ("retry_rate and cost", "'and' stands between comparisons"),
        ("not cost", "`not` stands before a comparison"),
        ("(" * 40 + "cost" + ")" * 40 + " > 1", "nested deeper than 30"),
        ("cost > " + "1" * 500, "at most 400 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, words: str) -> None:
    """Nothing is evaluated that isn't arithmetic, and the message says where it stops making sense."""
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"name": "mine", "when": "retri_rate > 1"}, "no figure 'retri_rate'; did you mean 'retry_rate'?"),
        ({"name": "mine", "when": "stage_ms.p50 > 1"}, "is of one stage"),
        ({"name": "mine", "when": "in_flight.max > 1", "by": "model"}, "isn't told apart by 'model'"),
        ({"name": "mine", "when": "retry_rate > 1", "by": "tasktype"}, "did you mean 'task_type'?"),
        ({"name": "mine", "when": "retry_rate"}, "has to be a condition"),
        ({"name": "mine", "when": "1 > 2"}, "speaks of no figure"),
        ({"name": "mine", "when": "retry_rate > limit"}, "`limit` that is nowhere"),
        ({"name": "mine", "when": "retry_rate > 1", "window": "15 minutes"}, "'window': it is a time such as"),
        ({"name": "mine", "when": "retry_rate > 1", "windw": "15m"}, "did you mean 'window'?"),
        ({"name": "mine", "compare": "baseline", "when": "retry_rate > 1"}, "'when' says nothing where `compare`"),
        ({"name": "mine", "compare": "burn", "bad": "error_rate"}, "needs an `objective`"),
        ({"name": "mine"}, "`when` is missing"),
        ({"name": "Mine", "when": "retry_rate > 1"}, "small letters"),
        ({"name": "mine", "when": "retry_rate > 1", "summary": "{valu}"}, "has {valu} in it"),
        ({"name": "mine", "when": "retry_rate > 1", "filter": "retris > 0"}, "its filter can't be used"),
        ({"when": "retry_rate > 1"}, "has no `name`"),
    ],
)
def test_a_bad_rule_is_refused_by_name_and_place(table: dict[str, object], words: str) -> None:
    """The message names the rule, where it stands, what is wrong, and what may have been meant."""
    with pytest.raises(InvalidInput) as refused:
        rules_of([Source("the file", [table])])
    assert words in str(refused.value)
    assert "the file" in str(refused.value)
    assert str(table.get("name", "Rule 1")) in str(refused.value)


def test_a_home_changes_rules_by_name_switches_them_off_and_adds_its_own(home: Path) -> None:
    """What a table doesn't name stays as it is shipped; another way to compare takes the rule's place."""
    home.mkdir()
    (home / "alerts.toml").write_text(
        """
        [[rules]]
        name = "ttft_p95"
        limit = 3000
        [[rules]]
        name = "retry_rate"
        enabled = false
        [[rules]]
        name = "e2e_p95"
        compare = "baseline"
        metric = "ms.p95"
        [[rules]]
        name = "mine"
        when = "cost / questions > 20000"
        where = { tier = "strong" }
        """,
        "utf-8",
    )
    before = {rule.name: rule for rule in rules_of([shipped()])}
    after: dict[str, Rule] = {rule.name: rule for rule in rules_of([shipped(), of_home(home)])}
    changed, test = after["ttft_p95"], after["ttft_p95"].test
    assert isinstance(test, Threshold)
    assert (test.limit, changed.severity, changed.for_s) == (3000, "hard", before["ttft_p95"].for_s)
    assert before["retry_rate"].is_on
    assert not after["retry_rate"].is_on
    assert isinstance(after["e2e_p95"].test, Baseline)
    assert after["e2e_p95"].severity == "soft"
    assert after["mine"].where == {"tier": "strong"}
    assert len(after) == len(before) + 1


@pytest.mark.parametrize("text", ["[[rules]\n", "[rules]\nname = 'a'\n", "[[rule]]\nname = 'a'\n", "rules = [1]\n"])
def test_a_file_that_holds_something_else_is_refused(home: Path, text: str) -> None:
    """The message names the file."""
    home.mkdir()
    (home / "alerts.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=r"alerts\.toml"):
        of_home(home)


def test_a_filter_names_what_is_over_the_rules_own_limit() -> None:
    """A limit that is changed, an objective, a limit of a label, and money, which filters count in dollars."""
    changed: list[dict[str, object]] = [
        {"name": "retrieval_p99", "limit": 10},
        {"name": "e2e_p95", "limits": {"lookup": 4000}},
        {"name": "ttft_burn", "bad": "ttft_ms.over_1500"},
        {"name": "dear", "when": "cost_per_question > $0.02", "filter": "cost > {limit}"},
    ]
    rules = {rule.name: rule for rule in rules_of([shipped(), Source("here", changed)])}
    assert rules["retrieval_p99"].traces() == "retrieve.ms > 10"
    assert rules["e2e_p95"].traces(4000.0) == "ms > 4000"
    assert rules["ttft_burn"].traces(14.4) == "ttft.ms > 1500"
    assert rules["dear"].traces(20_000.0) == "cost > 0.02"
    with pytest.raises(InvalidInput, match="compares with no number"):
        rules_of([shipped(), Source("here", [{"name": "cost_unusual", "filter": "cost > {limit}"}])])


def test_an_alert_of_a_changed_limit_names_its_traces() -> None:
    """The engine fills the limit in; a summary that nobody wrote has the figure's unit."""
    table: list[dict[str, object]] = [
        {"name": "retrieval_p99", "limit": 10, "for": "0s", "at_least": 1},
        {"name": "dear", "when": "cost_per_question > $0.02", "filter": "cost > {limit}", "at_least": 1},
    ]
    series = {"stage_ms.p99": 50.0, "cost_per_question": 107_176.0}
    figures = Recorded({name: {"": noise(name, value, minutes=60, seed=3)} for name, value in series.items()})
    rules = [rule for rule in rules_of([shipped(), Source("here", table)]) if rule.name in {"retrieval_p99", "dear"}]
    found = {change.alert.rule: change.alert for change in Engine(rules, figures).evaluate(START + 3000)}
    assert found["retrieval_p99"].where.startswith("(retrieve.ms > 10) and started")
    assert found["dear"].where.startswith("(cost > 0.02) and started")
    assert found["dear"].summary.startswith("dear: $0.1")


def test_every_shipped_filter_goes_with_its_limit() -> None:
    """A number that the rule compares with stands in no filter of a threshold as a number of its own."""
    for rule in rules_of([shipped()]):
        if rule.number is not None and any(sign in rule.filter for sign in "<>") and not rule.filter.endswith("> 0"):
            assert "{limit}" in rule.filter, rule.name
