# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken checklist`: whether this release may go live, answered from the record."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import anyio.to_thread
import typer

from ken.cli.home import HomeOption, JsonOption, in_home, settings_there
from ken.cli.output import say, say_json, tell
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.domain.checked import CheckRun, RunKind
    from ken.domain.wire import Json
    from ken.operations.checklist.answering import Checklist
    from ken.wiring import Ken

_SIGNS = {"pass": "✓", "fail": "✗", "unknown": "?"}


def checklist(
    context: typer.Context,
    *,
    put: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            "--put", help="First put the result of a test on record: its kind, and its JSON.", metavar="KIND FILE"
        ),
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Answer from the record whether this release may go live; exit code 1 unless every question passes.

    A test that Ken doesn't run itself is put on record with `--put`: `calibration` of a judge, or a `gate`. Its file is a JSON
    object with `passed`, and with the figures that there are.
    """
    from ken.domain.checked import CheckRun
    from ken.operations.checklist.answering import as_json as whole

    run = None if put is None else _read(*put)

    async def work(ken: Ken) -> Checklist:
        if run is not None:
            await anyio.to_thread.run_sync(partial(ken.put_run, run))
        answered = await anyio.to_thread.run_sync(partial(ken.checklist, at=time.time()))
        result = CheckRun(
            kind="checklist",
            at=answered.at,
            release=answered.release,
            passed=answered.is_ready,
            report=whole(answered),
        )
        await anyio.to_thread.run_sync(partial(ken.put_run, result))
        return answered

    answered = in_home(settings_there(context, home), work)
    if as_json:
        say_json(whole(answered))
    else:
        _show(answered)
    if not answered.is_ready:
        raise typer.Exit(1)


def _show(answered: Checklist) -> None:
    say(f"Release {answered.release}")
    for each in answered.answers:
        say(f"\n{_SIGNS[each.found.state]} {each.found.state:<8}{each.question.asks}")
        say(f"  {each.found.evidence}")
        if each.found.state != "pass":
            say(f"  → {each.found.remedy}")
            say(f"  Where: {each.question.where}")
    states = [each.found.state for each in answered.answers]
    counted = ", ".join(f"{states.count(state)} {state}" for state in _SIGNS)
    tell(f"\n{counted}: {'ready to go live' if answered.is_ready else 'not ready to go live'}.")


def _read(kind: str, file: Path) -> CheckRun:
    """A run from its file. Raises InvalidInput."""
    from ken.domain.checked import CheckRun
    from ken.operations.checklist.proofs import BY_HAND

    known: RunKind | None = next((each for each in BY_HAND if each == kind), None)
    if known is None:
        raise InvalidInput(
            f"{kind!r} is no kind of test that is put on record by hand. There are: {', '.join(BY_HAND)}."
        )
    try:
        report: object = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{str(file)!r} can't be read as JSON: {error}.") from error
    passed = cast("Mapping[str, Json]", report).get("passed") if isinstance(report, dict) else None
    if not isinstance(report, dict) or not isinstance(passed, bool):
        raise InvalidInput(f'{str(file)!r} has to be a JSON object with "passed": true or false.')
    told = cast("Mapping[str, Json]", report)
    return CheckRun(kind=known, at=time.time(), release=str(told.get("release") or ""), passed=passed, report=told)
