"""Tuning the tiers: what a threshold would have cost and given, what training learns, and the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from ken.assistant.answer import Assistant
from ken.cli.main import app
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import InvalidInput
from ken.evals.cases import Case, Gold
from ken.evals.tuning import tiers_plot, tiers_report
from ken.evals.tuning.halves import Halves, halved
from ken.evals.tuning.tiers import Measured, TierRun, Tuned
from ken.evals.tuning.training import learn
from ken.gateway.difficulty import WORDS
from ken.gateway.route import Routes, Tier, TierName
from ken.mock.serving import running_in_thread
from ken.models.chat import ChatRequest
from ken.models.scripted import ScriptedModel
from ken.prompts.plan import Window
from ken.wiring import Ken
from tests.assistant.corpus import LIT, OUT, WATCH, assistant, copy
from tests.cli.terminal import Terminal

NAMES: tuple[TierName, ...] = ("tier-1", "tier-2")


def tuned(*, helps: float, chance: float = 0.0, now: float = 0.5, questions: int = 200) -> Tuned:
    """Tiers of which the strong one is better by `helps` where the difficulty is above 0.7, and 20 times as dear."""
    random = np.random.default_rng(4)
    difficulty = random.uniform(0, 1, questions)
    hard = np.where(random.uniform(0, 1, questions) < chance, random.uniform(0, 1, questions), difficulty) > 0.7
    light = np.where(hard, 0.9 - helps, 0.9)
    strong = np.full(questions, 0.9)
    gold = (Gold(path="a/b.md", evidence="x"),)
    cases = tuple(Case(id=f"q{n}", question="?", kind="lookup", gold=gold) for n in range(questions))
    return Tuned(
        names=NAMES,
        halves=Halves(cases, tuple(n % 2 == 0 for n in range(questions)), 0),
        difficulty=difficulty,
        features=tuple({name: float(name == "parts" and is_hard) for name in WORDS} for is_hard in hard),
        tiers={
            "tier-1": Measured(light, np.full(questions, 50.0)),
            "tier-2": Measured(strong, np.full(questions, 1000.0)),
        },
        now=now,
    )


def test_the_cheapest_threshold_that_is_good_enough_is_recommended() -> None:
    """Only what is difficult goes to the strong tier; as good as all of it there, and better than a lottery at the same cost."""
    outcome = tuned(helps=0.6)
    assert outcome.chosen.at == 0.7
    quality, micros = outcome.gain(over=0.5)
    assert (quality.value, outcome.is_worth_it) == (0.0, True)
    assert micros.high < 0
    assert outcome.over_lottery.low > 0.05
    told = tiers_report.verdict(outcome)
    assert told.endswith("[routes]\nthreshold = 0.7")
    table = tiers_report.table(outcome)
    assert "all tier-1" in table
    assert "all tier-2" in table
    assert "puts such a question above another one 100% of the time" in table
    assert json.loads(tiers_report.to_json(outcome))["recommended"] is True


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (tuned(helps=0.6, now=0.7), "sends the same questions to the same tiers"),
        (tuned(helps=0.6, chance=1.0), "the difficulty tells too little here"),
    ],
)
def test_what_tells_nothing_is_kept(outcome: Tuned, why: str) -> None:
    """Where nothing would change, and where the difficulty does no better than a lottery."""
    assert why in tiers_report.verdict(outcome)


def test_where_the_strong_tier_is_no_better_nothing_goes_there() -> None:
    """The cheapest is to ask it nothing: the threshold that no difficulty comes up to."""
    outcome = tuned(helps=0.0)
    assert float(outcome.chosen.is_strong.sum()) == 0
    told = tiers_report.verdict(outcome)
    assert "tier-2 is asked nothing" in told
    assert told.endswith("threshold = 1")


def test_the_picture_is_one_file() -> None:
    """Well-formed, without a script or another file, with the chosen threshold and the lines to beat."""
    outcome = tuned(helps=0.6)
    drawn = tiers_plot.svg(outcome)
    texts = [element.text for element in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own
    assert {"0.7", "all tier-1", "all tier-2", "Threshold 0.7 instead of 0.5"} <= set(texts)
    assert not any(word in drawn for word in ("<script", "href", "url(", "@import", "nan"))
    assert drawn in tiers_plot.page(outcome)


def test_training_learns_what_the_light_tier_gets_wrong() -> None:
    """A difficulty that told nothing gives way to one that was fitted; one that tells as much stays."""
    learned = learn(tuned(helps=0.6, chance=1.0))
    assert learned.is_better
    assert learned.after == 1.0
    assert max(learned.estimator.weights, key=lambda name: learned.estimator.weights[name]) == "parts"
    assert not learn(tuned(helps=0.6)).is_better
    with pytest.raises(InvalidInput, match="too little to learn from"):
        learn(tuned(helps=0.0))


def cases() -> list[Case]:
    """Questions of the lighthouse: plain ones, and ones that want two things weighed."""
    plain = {"lamp": ("When is the lamp of the lighthouse lit?", LIT), "watch": ("How long does a watch last?", WATCH)}
    made: list[Case] = []
    for number in range(24):
        name, (asked, evidence) = list(plain.items())[number % 2]
        is_hard = number % 3 == 0
        text = f"Why, and if it rains: {asked.lower()} And who is told, and when?" if is_hard else asked
        gold = (Gold(path=f"light/{name}.md", evidence=evidence),)
        part = "tune" if name == "lamp" else "report"
        made.append(Case(id=f"q{number}", question=text, kind="lookup", gold=gold, facts=(evidence,), part=part))
    return made


def answering(name: str, *, stumbles: bool) -> ScriptedModel:
    """A model that quotes; one that stumbles answers questions that want reasons with the wrong sentence."""

    def script(request: ChatRequest) -> Sequence[str]:
        wanted = LIT if "lamp" in request.question else WATCH
        text = OUT if stumbles and "why" in request.question.lower() else wanted
        number = next((n for n, item in enumerate(request.evidence, 1) if text in item.passage.text), 1)
        return (f"{text} [{number}]",)

    return ScriptedModel(name, script)


async def test_two_tiers_are_measured_on_the_same_questions(ken: Ken) -> None:
    """Each is asked all of them; the light one's fault shows in its quality, the strong one's price in its cost."""
    small, large = answering("gpt-4o-mini", stumbles=True), answering("gpt-4o", stumbles=False)
    parts = assistant(ken, small, large).parts
    chains = dict(zip(NAMES, (small.name, large.name), strict=True))
    tiers = {name: Tier(name=name, models=(model,), room=4000) for name, model in chains.items()}
    asked = Assistant(
        replace(
            parts,
            models=dict(parts.models) | {name: parts.models[model] for name, model in chains.items()},
            windows={model: Window(4500, 500) for model in chains.values()},
            routes=Routes(tiers=tiers),
        )
    )
    done: list[tuple[str, int]] = []
    run = TierRun(
        assistant=asked,
        library=ken.library,
        principal=LOCAL_OPERATOR,
        halves=halved(cases()),
        tick=lambda tier, number: done.append((tier, number)),
    )
    outcome = await run.run(NAMES)
    assert (len(small.requests), len(large.requests)) == (24, 24)
    assert (done[0], done[-1]) == (("tier-1", 1), ("tier-2", 48))
    assert outcome.strong.quality.tolist() == [1.0] * 24
    assert outcome.hard.tolist() == [float(number % 3 == 0) for number in range(24)]
    assert float(outcome.strong.micros.mean()) > 10 * float(outcome.light.micros.mean())
    assert outcome.difficulty[outcome.hard > 0].min() > outcome.difficulty[outcome.hard == 0].max()
    assert float(outcome.chosen.is_strong.sum()) == 8
    with pytest.raises(InvalidInput, match=r"no tier 'code'"):
        await run.run(("tier-1", "code"))


def test_the_command_asks_real_models(tmp_path: Path) -> None:
    """Over ken.toml, the gateway's stack and a socket; it draws, writes and says what it did, and what it will not do."""
    home = copy(tmp_path / "home")
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(case.model_dump_json() for case in cases()), encoding="utf-8")
    with running_in_thread() as mock:
        tables = [
            f'[[models]]\nname = "{name}"\nbase_url = "{mock.url}"\nmodel = "{model}"\n'
            f'[prices."{name}"]\ninput = {price}\noutput = {price}\n'
            for name, model, price in (
                ("small", "mocksmall-quote1", 150_000),
                ("large", "mocklarge-quote3", 15_000_000),
            )
        ]
        chains = '[tiers.tier-1]\nmodels = ["small"]\n[tiers.tier-2]\nmodels = ["large"]\n'
        (home / "ken.toml").write_text("".join(tables) + chains, encoding="utf-8")
        wrote = [str(tmp_path / name) for name in ("a.svg", "a.json")]
        done = Terminal(home).ken("tune", "routes", str(file), "--write", wrote[0], "--write", wrote[1])
        assert "24 questions of 2 tiers: models are asked 48 times" in done.stderr
        assert len([entry for entry in mock.ledger.entries() if entry.path.endswith("completions")]) >= 48
    ET.parse(wrote[0])  # noqa: S314 - our own
    told = json.loads(Path(wrote[1]).read_text("utf-8"))
    assert told["tiers"]["tier-2"]["micros"]["value"] > 20 * told["tiers"]["tier-1"]["micros"]["value"] > 0
    for arguments, why in (
        (("--tiers", "tier-1"), "two or more"),
        (("--most", "10"), "at most 10 are allowed"),
        (("--write", "a.png"), "neither an .svg"),
    ):
        refused = CliRunner().invoke(app, ["--home", str(home), "tune", "routes", str(file), *arguments])
        assert isinstance(refused.exception, InvalidInput)
        assert why in str(refused.exception)
