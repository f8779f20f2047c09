"""Tuning: the halves, what is made of gains, and the command on a home of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from ken.cli.main import app
from ken.errors import InvalidCases, InvalidInput
from ken.evals.cases import Case, Gold
from ken.evals.tuning import plot, report, space
from ken.evals.tuning.halves import Halves, halved
from ken.evals.tuning.space import Setup
from ken.evals.tuning.sweep import MOST_PASSAGES, Measured, Swept, Trial, planned
from ken.knowledge.chunkers.chunker import Chunking
from ken.knowledge.options import SearchOptions
from tests.cli.terminal import Terminal
from tests.knowledge.homes import elsewhere, fresh, opened, sync, template

PLACES = (
    "quay mill forge dairy chapel school ferry market tannery bakery orchard quarry kiln smithy library harbour".split()
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def case(name: str, *paths: str, kind: str = "lookup", part: str = "") -> Case:
    gold = tuple(Gold(path=path, evidence="x") for path in paths)
    return Case(id=name, question="?", kind=kind, gold=gold, part=part)


def many(count: int, chance: random.Random) -> list[Case]:
    """Questions of three kinds, some about several documents."""
    return [
        case(
            f"q{n}", *{f"a/{chance.randrange(count)}.md" for _ in range(1 + n % 2)}, kind=("how", "when", "who")[n % 3]
        )
        for n in range(count)
    ]


def test_halves_are_the_same_each_time_and_share_no_document() -> None:
    """In any order of the file; about as many of each kind in both."""
    cases = many(120, random.Random(1))
    halves = halved(cases)
    again = halved(sorted(cases, key=lambda one: one.question + one.id[::-1]))
    side = {one.id: is_choosing for one, is_choosing in zip(halves.cases, halves.is_choosing, strict=True)}
    assert side == {one.id: which for one, which in zip(again.cases, again.is_choosing, strict=True)}
    documents: dict[bool, set[str]] = {True: set(), False: set()}
    kinds: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for one in cases:
        documents[side[one.id]] |= {piece.path for piece in one.gold}
        kinds[side[one.id]][one.kind] += 1
    assert not documents[True] & documents[False]
    assert all(abs(kinds[True][kind] - kinds[False][kind]) <= 24 for kind in ("how", "when", "who"))


def test_a_question_may_say_its_half() -> None:
    """`tune` and `report` count; what is asked about the same document goes with it."""
    cases = [case(f"q{n}", f"a/{n}.md", part="tune" if n % 3 else "report") for n in range(30)]
    halves = halved([*cases, case("more", "a/0.md", "a/99.md"), case("none")])
    side = {one.id: is_choosing for one, is_choosing in zip(halves.cases, halves.is_choosing, strict=True)}
    assert all(side[f"q{n}"] == bool(n % 3) for n in range(30))
    assert side["more"] is False
    assert halves.left_out == 1


def test_too_few_questions_are_refused() -> None:
    """With how many there are, and how many there should be; so is a set that can't be halved."""
    with pytest.raises(InvalidCases, match=r"19 of the 20 questions.*20 at least"):
        halved([*(case(f"q{n}", f"a/{n}.md") for n in range(19)), case("none")])
    with pytest.raises(InvalidCases, match="one half"):
        halved([case(f"q{n}", "a/same.md") for n in range(30)])


def test_what_can_be_tuned_is_what_can_be_set() -> None:
    """Every switch of the search is among it; a value goes where it belongs, and lines are those of ken.toml."""
    assert {"chunker", "chunk_tokens", "chunk_overlap", "prefix", "depth", "fusion", "spelling"} <= set(space.keys())
    start = Setup()
    changed = start.having("chunker", "sliding").having("depth", 40).having("spelling", False)
    assert changed.chunking == Chunking.sized("sliding")
    assert changed.options == SearchOptions(depth=40, spelling=False)
    lines = [space.line(key, value) for key, value in changed.differences(start)]
    assert lines == ['chunker = "sliding"', "chunk_overlap = 0.5", "depth = 40", "spelling = false"]
    assert space.others(start, "chunk_overlap") == (0.0,)
    assert space.others(start, "fusion") == ("sum",)
    assert (space.others(start, "reranker"), space.others(Setup(reranker=True), "reranker")) == ((), (False,))
    assert planned(start.having("depth", 50), ["depth", "chunker"], questions=50) == (50 * (3 + 4 + 1), 4)
    assert planned(start.having("depth", 30), ["depth"], questions=50) == (50 * (4 + 1), 0)
    with pytest.raises(InvalidInput, match=r"'colour' can't be tuned.*depth"):
        space.checked(["colour"])


def swept(gains: Mapping[bool, float], *, questions: int = 200, spread: float = 0.05, is_taken: bool = True) -> Swept:
    """A sweep of one setting whose gain in each half is known."""
    chance = np.random.default_rng(3)
    halves = Halves(
        tuple(case(f"q{n}", f"a/{n}.md") for n in range(questions)), tuple(n % 2 == 0 for n in range(questions)), 0
    )

    def measured(added: np.ndarray) -> Measured:
        figures = np.repeat((0.5 + added)[:, None], 4, axis=1)
        curve = np.linspace(0.4, 0.9, MOST_PASSAGES)
        return Measured(
            figures, np.tile(curve, (questions, 1)), np.tile(100.0 * np.arange(1, 21), (questions, 1)), 5.0, 100
        )

    added = np.array([gains[which] for which in halves.is_choosing]) + chance.normal(0, spread, questions)
    before, after = measured(np.zeros(questions)), measured(added)
    start = Setup()
    trial = Trial("depth", 40, after, before, is_taken=is_taken)
    return Swept(start, start.having("depth", 40) if is_taken else start, halves, before, after, (trial,))


def test_a_gain_on_both_halves_is_recommended() -> None:
    """With the exact lines for ken.toml."""
    told = report.verdict(swept({True: 0.05, False: 0.04}))
    assert "Change this" in told
    assert told.endswith("[search]\ndepth = 40")
    assert "100 questions, reported on 100 others" in told
    recommended = json.loads(report.to_json(swept({True: 0.05, False: 0.04})))
    assert recommended["recommendation"] == {"depth": 40}
    assert recommended["gain"]["low"] > 0


@pytest.mark.parametrize("reporting", [0.0, -0.04, 0.004])
def test_a_gain_on_the_choosing_half_alone_is_chance(reporting: float) -> None:
    """Keep what you have: also where the other half gains a little that may be none."""
    told = report.verdict(swept({True: 0.08, False: reporting}))
    assert "Keep what you have" in told
    assert "[search]" not in told
    assert json.loads(report.to_json(swept({True: 0.08, False: reporting})))["recommendation"] == {}


def test_it_says_how_many_questions_would_do() -> None:
    """Where there are too few for a gain of 0.02, and not where there are enough."""
    few = swept({True: 0.0, False: 0.0}, questions=160, spread=0.2, is_taken=False)
    assert "too few" in report.verdict(few)
    assert 600 < few.enough < 1000  # 2 * (1.96 * 0.2 / 0.02) ** 2
    assert "too few" not in report.verdict(swept({True: 0.0, False: 0.0}, questions=200, spread=0.02))


def test_the_plot_is_one_file_that_a_browser_can_draw() -> None:
    """Well-formed, without a script or another file, in light and dark, with a mark for each value."""
    outcome = swept({True: 0.05, False: 0.04})
    drawn = plot.svg(outcome, passages=6)
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "depth = 40" in texts
    assert "objective by depth" in texts
    assert "prefers-color-scheme: dark" in drawn
    assert not any(word in drawn for word in ("<script", "href", "url(", "@import", "nan"))
    assert drawn in plot.page(outcome, passages=6)


def papers() -> dict[str, str]:
    """A score of notices, each with a paragraph that answers a question about it."""
    texts: dict[str, str] = {}
    for number in range(20):
        place, day = PLACES[number % 16], DAYS[number % 6]
        name = f"{place}-{number}"
        told = (
            f"The {place} number {number} opens on {day} at {6 + number % 5}:15 and closes when the last visitor has left. "
            f"Whoever wants to see the {place} has to ring the bell twice, wait for the warden, and sign the green book. "
            f"Dogs are welcome on a lead, and children below {5 + number % 4} years come in free with an adult."
        )
        texts[f"{name}.md"] = (
            f"# Notice {number}: {place}\n\n{told}\n\nThe {day} notice of the {place} was put up by the town.\n"
        )
    return texts


def questions() -> str:
    """One about each notice, whose evidence is longer than a small passage."""
    lines: list[str] = []
    for path, text in papers().items():
        number = int(path.removesuffix(".md").rpartition("-")[2])
        gold = [{"path": f"papers/{path}", "evidence": text.split("\n\n")[1]}]
        asked = f"When does the {PLACES[number % 16]} number {number} open?"
        lines.append(json.dumps({"id": f"n{number}", "question": asked, "kind": "lookup", "gold": gold}))
    return "\n".join(lines)


@pytest.fixture(scope="module")
def cut_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose passages are far too small for what is asked of them, with a file of questions beside it."""
    place = tmp_path_factory.mktemp("tuning")
    home = fresh(place / "home", template(place / "made"))
    (home / "ken.toml").write_text("[search]\nchunk_tokens = 20\n", encoding="utf-8")
    (place / "questions.jsonl").write_text(questions(), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def loaded(cut_small: Path) -> Path:
    """The same with its documents."""
    folder = cut_small.parent / "papers"
    folder.mkdir()

    async def load() -> None:
        async with opened(cut_small) as ken:
            await sync(ken, folder, papers())

    elsewhere(load)
    return cut_small


def state(home: Path) -> dict[str, bytes]:
    """What must not change: documents, settings and index."""
    files = [*(home / "index").rglob("*"), home / "ken.toml"]
    with closing(sqlite3.connect(home / "ken.db")) as connection:
        dumped = "\n".join(sorted(connection.iterdump())).encode()
    return {str(file.relative_to(home)): file.read_bytes() for file in files if file.is_file()} | {"ken.db": dumped}


@pytest.mark.timeout(180)
def test_the_command_finds_what_is_better_and_leaves_the_home_alone(
    loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It recommends the lines, draws them, and deletes the indexes that it built."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    before = state(loaded)
    asked = str(loaded.parent / "questions.jsonl")
    done = Terminal(loaded).ken(
        "tune", "search", asked, "--settings", "depth,chunk_tokens",
        "--plot", str(tmp_path / "a.svg"), "--json", str(tmp_path / "a.json"),
    )  # fmt: skip
    assert "20 questions, 2 settings: at most 200 searches" in done.stderr
    assert "6 times at most" in done.stderr
    assert "Change this" in done.stdout
    changes = done.stdout.rsplit("[search]\n", 1)[1]
    assert changes.startswith("chunk_tokens = ")
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["gain"]["low"] > 0.1
    ET.parse(tmp_path / "a.svg")  # noqa: S314 - our own
    assert list((tmp_path / "scratch").glob("ken-*")) == []
    assert state(loaded) == before


def refusal(home: Path, *arguments: str) -> str:
    """What `ken tune search` says instead of beginning."""
    done = CliRunner().invoke(app, ["--home", str(home), "tune", "search", *arguments])
    assert isinstance(done.exception, InvalidInput), done.output
    return str(done.exception)


def test_what_cannot_be_tuned_is_said_before_any_work(loaded: Path, tmp_path: Path) -> None:
    """Unknown settings, too many searches, another kind of picture, questions about what isn't here."""
    asked = str(loaded.parent / "questions.jsonl")
    assert "can't be tuned" in refusal(loaded, asked, "--settings", "colour")
    assert "at most 50 are allowed" in refusal(loaded, asked, "--most", "50")
    assert ".svg nor" in refusal(loaded, asked, "--plot", "a.png")
    strange = tmp_path / "strange.jsonl"
    strange.write_text(questions().replace("papers/", "letters/"), encoding="utf-8")
    assert "ken sync" in refusal(loaded, str(strange), "--settings", "depth")


def test_an_interrupted_sweep_leaves_nothing_behind(loaded: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a rebuild: exit code 130, no folder, and the home as it was."""
    before = state(loaded)
    asked = str(loaded.parent / "questions.jsonl")
    terminal = Terminal(loaded)
    command = terminal.command("tune", "search", asked, "--settings", "chunker,chunk_tokens")
    # A shell that runs the suite in the background has its children ignore Ctrl-C, and theirs; a caught signal is not inherited.
    before_us = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, env={**terminal.environment(), "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        signal.signal(signal.SIGINT, before_us)
        give_up = time.monotonic() + 40
        while not list(tmp_path.glob("ken-tune-*/*/ken.db")) and time.monotonic() < give_up:
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 130, told.decode()
    assert b"Traceback" not in told
    assert list(tmp_path.glob("ken-*")) == []
    assert state(loaded) == before
