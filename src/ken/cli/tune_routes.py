# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken tune routes`: which questions the strong tier is worth its price for, measured on one's own."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, in_home, settings_there
from ken.cli.output import say, tell, write_file
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.evals.tuning.halves import Halves
    from ken.evals.tuning.tiers import Tuned
    from ken.gateway.route import TierName
    from ken.wiring import Ken

_PLAIN_EVERY_S = 10.0


def routes(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(help="Questions as JSON lines, with what a right answer holds.")],
    *,
    tiers: Annotated[
        str, typer.Option("--tiers", help="The light tier, the strong one, and others to see beside them.")
    ] = "tier-1,tier-2",
    train: Annotated[
        bool,
        typer.Option(
            "--train", help="Fit the difficulty to what the light tier got wrong, and keep it if it is better."
        ),
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Refuse to ask models more often than this.")] = 1000,
    write: Annotated[
        list[Path] | None,
        typer.Option("--write", help="An .svg or .html file draws the outcome, a .json file holds it; more than once."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Ask two tiers the same questions, set cost against quality, and recommend the difficulty from which the strong one answers.

    The models are asked for real, and cost what they cost. With --train, turns on record that people judged teach, too.
    """
    from ken.evals.cases import AMBIGUOUS, load_cases
    from ken.evals.tuning import tiers_plot, tiers_report
    from ken.evals.tuning.halves import halved
    from ken.evals.tuning.tiers import planned

    files = write or []
    for file in files:
        if file.suffix not in {".svg", ".html", ".json"}:
            raise InvalidInput(f"{str(file)!r} is neither an .svg, nor an .html, nor a .json file. Name one.")
    names = _named(tiers)
    halves = halved([case for case in load_cases(questions) if case.kind != AMBIGUOUS], without_gold=True)
    asked = planned(names, halves)
    if asked > most:
        raise InvalidInput(
            f"That asks models {asked:,} questions, and at most {most:,} are allowed (--most). Raise that, or give fewer."
        )
    tell(
        f"{len(halves.cases)} questions of {len(names)} tiers: models are asked {asked:,} times, and more where one is escalated."
    )
    settings = settings_there(context, home, secrets=("models", "search"))
    tuned = in_home(settings, partial(_tune, halves=halves, names=names, asked=asked, train=train))
    say(tiers_report.table(tuned))
    say()
    say(tiers_report.verdict(tuned))
    drawn = {".svg": tiers_plot.svg, ".html": tiers_plot.page, ".json": tiers_report.to_json}
    for file in files:
        write_file(file, drawn[file.suffix](tuned))


def _named(text: str) -> tuple[TierName, ...]:
    from ken.gateway.route import TIERS

    wanted = [name.strip() for name in text.split(",")]
    named: list[TierName] = []
    for name in wanted:
        named.extend(tier for tier in TIERS if tier == name)
    if len(named) != len(wanted) or len(set(named)) != len(named) or len(named) < 2:  # noqa: PLR2004 - a light and a strong one
        raise InvalidInput(f"--tiers names two or more of {', '.join(TIERS)}, the light one first; not {text!r}.")
    return tuple(named)


async def _tune(ken: Ken, *, halves: Halves, names: tuple[TierName, ...], asked: int, train: bool) -> Tuned:
    from ken.evals.tuning.tiers import TierRun

    line = _Line(asked)
    run = TierRun(assistant=ken.examinee, library=ken.library, principal=LOCAL_OPERATOR, halves=halves, tick=line.asked)
    try:
        tuned = await run.run(names)
    finally:
        line.end()
    return await _trained(ken, tuned) if train else tuned


async def _trained(ken: Ken, tuned: Tuned) -> Tuned:
    """The same by a difficulty that was fitted to these questions and to judged turns, where that tells them apart better."""
    from ken.evals.tuning.training import learn
    from ken.gateway import route_model

    judged = await anyio.to_thread.run_sync(ken.route_record.judged, tuned.names[:1])
    learned = learn(tuned, judged)
    tell(learned.told)
    if not learned.is_better:
        return tuned
    place = await anyio.to_thread.run_sync(route_model.save, learned.estimator, ken.settings.home)
    tell(f"Kept in {str(place)!r}; it routes from the next start of Ken on. Delete the file to go back to the rules.")
    return tuned.having(learned.held_out, learned.estimator.origin)


@dataclass(slots=True)
class _Line:
    """One line that is drawn over and over; elsewhere than on a terminal, a plain one now and then."""

    most: int
    is_terminal: bool = field(default_factory=sys.stderr.isatty)
    told: float = field(default_factory=time.monotonic)

    def asked(self, tier: str, done: int) -> None:
        """A question was answered."""
        text = f"{done:,} of {self.most:,} questions: {tier}"
        if self.is_terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif time.monotonic() - self.told > _PLAIN_EVERY_S:
            self.told = time.monotonic()
            tell(text)

    def end(self) -> None:
        """Take the line away."""
        if self.is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
