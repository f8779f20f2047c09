# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ken.cli.home import HomeOption, JsonOption, settings_of
from ken.cli.output import complain, say, say_json, shown
from ken.errors import KenError

if TYPE_CHECKING:
    from ken.cli.checkup import Finding

_MARKS = {"ok": "ok  ", "warning": "note", "failed": "FAIL"}


def doctor(context: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Look at everything that Ken depends on; exit code 1 when something is wrong."""
    from ken.cli.checkup import examine

    try:
        settings = settings_of(context, home)
    except KenError as error:
        complain(str(error))
        raise typer.Exit(1) from error
    findings = examine(settings)
    if as_json:
        say_json(findings)
    else:
        _show(findings)
    raise typer.Exit(1 if any(each.state == "failed" for each in findings) else 0)


def _show(findings: list[Finding]) -> None:
    for each in findings:
        say(shown(f"{_MARKS[each.state]}  {each.what}: {each.detail}", to_terminal=True))
        if each.remedy:
            say(shown(f"      {each.remedy}", to_terminal=True))
    wrong = sum(each.state == "failed" for each in findings)
    say("All is well." if not wrong else f"{wrong} of {len(findings)} checks failed.")
