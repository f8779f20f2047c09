# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken eval`: how good the answers are, measured on a file of questions."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, in_home, settings_there
from ken.cli.output import say, tell
from ken.domain.checked import CheckRun
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.evals.run import EvalReport
    from ken.wiring import Ken


def evaluate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Questions as JSON lines.")],
    *,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report there, too, as JSON.")] = None,
    search_only: Annotated[bool, typer.Option("--search-only", help="Measure the search alone.")] = False,
    home: HomeOption = None,
) -> None:
    """Ask every question of a file and print the figures, each with its interval; they go on record for `ken checklist`."""
    settings = settings_there(context, home, secrets=("models", "search", "telemetry"))
    report = in_home(settings, partial(_run, file=file, search_only=search_only))
    say(report.table())
    for question, reason in report.failures:
        tell(f"{question} got no answer: {reason}")
    if json_file is not None:
        try:
            json_file.write_text(report.to_json() + "\n", encoding="utf-8")
        except OSError as error:
            raise InvalidInput(f"{str(json_file)!r} can't be written: {error.strerror}. Name another file.") from error


async def _run(ken: Ken, *, file: Path, search_only: bool) -> EvalReport:
    from ken.evals.cases import load_cases
    from ken.evals.run import Evaluation

    evaluation = Evaluation(library=ken.library, assistant=ken.examinee, principal=LOCAL_OPERATOR)
    cases = load_cases(file)
    report = await evaluation.run(cases, search_only=search_only, tick=_tick if sys.stderr.isatty() else None)
    kept = report.on_record(
        file.name, cases=len(cases), search_only=search_only, index=ken.assistant.parts.release.index_configuration
    )
    run = CheckRun(kind="eval", at=time.time(), release=ken.assistant.parts.release.id, passed=None, report=kept)
    await anyio.to_thread.run_sync(ken.checks_run.add, run)
    return report


def _tick(done: int, total: int) -> None:
    """One line that is drawn over and over."""
    sys.stderr.write(f"\r\x1b[K{done}/{total} questions" if done < total else "\r\x1b[K")
    sys.stderr.flush()
