"""The route's decision and the difficulty that it rests on."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from ken.domain.answer import TaskType
from ken.errors import InvalidInput, InvalidSetting
from ken.gateway import route_model
from ken.gateway.difficulty import RULES, WORDS, Estimate, Seen, features_of, work_of
from ken.gateway.route import Case, Routes, Tier, TierName, decide, stronger

CHAINS: dict[TierName, tuple[str, ...]] = {
    "tier-1": ("small", "smaller"),
    "tier-2": ("large",),
    "code": ("coder",),
    "creative": ("poet",),
    "local": ("house",),
}


def routes(*names: TierName, rooms: dict[TierName, int] | None = None, **more: object) -> Routes:
    tiers = {name: Tier(name=name, models=CHAINS[name], room=(rooms or {}).get(name, 4000)) for name in names}
    return Routes(tiers=tiers, **more)  # pyright: ignore[reportArgumentType]


def case(difficulty: float = 0.1, task: TaskType = "lookup", **more: object) -> Case:
    told: dict[str, object] = {"work": "answer"} | more
    return Case(task=task, difficulty=Estimate(value=difficulty), **told)  # pyright: ignore[reportArgumentType]


EASY = "What is the code of the meeting room?"


@pytest.mark.parametrize(
    "hard",
    [
        "How does the rule for trainees differ from the one for keepers?",
        "Which keeper signs?  And who pays, and by when?",
        "Why is the lamp lit late if the fog bell rings?",
        "I have worked here for 7 months and leave in May. How many days of leave are left over?",
    ],
)
def test_what_has_to_be_worked_out_is_difficult(hard: str) -> None:
    """A comparison, several questions, reasons under conditions, a calculation: each lies above a plain question."""
    task: TaskType = "comparison" if "differ" in hard else "lookup"
    difficult = RULES.estimate(features_of(Seen(text=hard, task=task)))
    easy = RULES.estimate(features_of(Seen(text=EASY)))
    assert easy.value < 0.2
    assert difficult.value > 0.45
    assert difficult.contributions[0].points > 0
    assert difficult.contributions[0].words in difficult.reason


def test_a_long_question_is_not_difficult_by_its_length() -> None:
    """Courtesies and names make a question longer, not harder; a disagreement makes a short one hard."""
    polite = (
        f"Good morning! A colleague from the office in the harbour street asks me to find out for her today: {EASY}"
    )
    assert RULES.estimate(features_of(Seen(text=polite))).value < 0.5
    disputed = features_of(Seen(text="How long is a watch?", disagreements=1, answerable=0.5))
    assert RULES.estimate(disputed).value >= 0.5


@pytest.mark.parametrize(
    "piece", ["i am a, ", "the a b c is ", "SELECT a ", "write a ", ", in on for which ", "when, "]
)
def test_no_question_takes_long_to_look_at(piece: str) -> None:
    """Also the longest one, of words that nearly fit."""
    text = (piece * 8000)[:8000]
    started = time.process_time()
    features_of(Seen(text=text))
    work_of(text)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ("Write a shell script that restarts the lamp.", "code"),
        ("Draft a friendly e-mail to the keepers about the new roster.", "creative"),
        (EASY, "answer"),
        ("What does the script in the runbook do?", "answer"),
    ],
)
def test_the_words_tell_what_is_to_be_made(text: str, work: str) -> None:
    """Code and texts of one's own have tiers of their own; a question about code is a question."""
    assert work_of(text) == work


@pytest.mark.parametrize(
    ("asked", "tier"),
    [
        (case(0.1), "tier-1"),
        (case(0.5), "tier-2"),
        (case(0.1, work="code"), "code"),
        (case(0.9, work="creative"), "creative"),
        (case(0.9, task="summary"), "local"),
        (case(0.9, is_short=True), "tier-1"),
        (case(0.1, is_short=True), "local"),
        (case(0.9, is_down=lambda model: model == "large"), "tier-1"),
        (case(0.1, is_down=lambda model: model == "small"), "tier-1"),
        (case(0.1, is_down=lambda model: "small" in model), "tier-2"),
        (case(0.1, is_down=lambda _: True), "tier-1"),
        (case(0.1, prompt_tokens=5000), "tier-2"),
    ],
)
def test_each_question_has_its_tier(asked: Case, tier: str) -> None:
    """By difficulty, work, task, budget, health of the models and room for the prompt; with the reason in words."""
    decision = decide(routes(*CHAINS, rooms={"tier-2": 9000}, tasks={"summary": "local"}), asked)
    assert decision.tier == tier, decision.told
    assert len(decision.told) > 10
    assert decision.is_lighter == asked.is_short


def test_a_tier_is_passed_over_with_its_reason() -> None:
    """What would have answered is named, with why it doesn't."""
    decision = decide(routes("tier-1", "tier-2"), case(0.1, is_down=lambda model: "small" in model))
    assert [each.tier for each in decision.passed_over] == ["tier-1"]
    assert decision.told.startswith("stands in for tier-1 (difficulty 0.10, below 0.50")
    assert decision.told.endswith("; not tier-1: the breakers of its 2 models are open")


def test_tiers_that_are_missing_are_done_without() -> None:
    """One tier answers everything; code goes to the strongest there is by its difficulty."""
    assert decide(routes("local"), case(0.9)).tier == "local"
    assert decide(routes("tier-1", "tier-2"), case(0.1, work="code")).tier == "tier-1"
    assert decide(routes("creative"), case(0.9, is_short=True)).tier == "creative"


def test_the_way_up_ends_at_the_strongest() -> None:
    """Tier 2 has nothing above it, and neither has a tier of the same models; one whose breakers are open is no help."""
    both = routes("tier-1", "tier-2")
    up = stronger(both, "tier-1", is_down=lambda _: False)
    assert up is not None
    assert up.name == "tier-2"
    assert stronger(both, "tier-2", is_down=lambda _: False) is None
    assert stronger(both, "tier-1", is_down=lambda model: model == "large") is None
    assert stronger(routes("tier-1"), "tier-1", is_down=lambda _: False) is None


def turns(count: int, chance: random.Random) -> tuple[list[dict[str, float]], list[float]]:
    """Turns whose difficulty comes from two of the features, and now and then from chance."""
    features = [{name: float(chance.random() < 0.3) for name in WORDS} for _ in range(count)]
    hard = [float((each["negation"] + each["times"] > 0.5) != (chance.random() < 0.05)) for each in features]
    return features, hard


def test_training_finds_what_makes_turns_difficult(tmp_path: Path) -> None:
    """On turns that no fit has seen it tells difficult from easy far better than the rules; kept, it comes back the same."""
    features, hard = turns(240, random.Random(5))
    fitted = route_model.fit(features, hard, origin="240 turns")
    ranked = sorted(fitted.weights, key=lambda name: -fitted.weights[name])
    assert set(ranked[:2]) == {"negation", "times"}
    by_rules = route_model.separation([RULES.estimate(each).value for each in features], hard)
    unseen = route_model.separation(route_model.held_out(features, hard), hard)
    assert by_rules is not None
    assert unseen is not None
    assert unseen > 0.85 > by_rules
    route_model.save(fitted, tmp_path)
    assert route_model.load(tmp_path) == fitted


def test_too_few_turns_teach_nothing() -> None:
    """Neither a handful nor turns that are all easy."""
    features, hard = turns(60, random.Random(1))
    for some, labels in ((features[:20], hard[:20]), (features, [0.0] * 60)):
        with pytest.raises(InvalidInput, match="too little to learn from"):
            route_model.fit(some, labels, origin="x")


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"version": 1, "bias": 0, "origin": "x", "weights": {"luck": 1}}'])
def test_a_broken_file_is_told(tmp_path: Path, text: str) -> None:
    """With its place and what to do."""
    (tmp_path / route_model.FILE).write_text(text)
    with pytest.raises(InvalidSetting, match=r"route\.json.*Delete it"):
        route_model.load(tmp_path)
