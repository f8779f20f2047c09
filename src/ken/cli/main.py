"""The `ken` command: what it is made of, and what a person sees when something goes wrong.

Exit codes: 0 done (for `ask`: answered), 1 it failed, 2 the command or its input can't be used, 3 the answer is
beyond Ken's ken (`ask`), nothing was found (`search`), 4 Ken asks back (`ask`).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import typer

import ken
from ken.cli import (
    alerts,
    ask,
    backup,
    budgets,
    cache,
    checklist,
    checks,
    digest,
    doctor,
    documents,
    drill,
    evaluate,
    figures,
    gateway,
    index,
    keys,
    load,
    migrate,
    mock,
    quality,
    record,
    schema,
    search,
    simulate,
    sources,
    sync,
    trace,
    tune,
    up,
    why,
)
from ken.cli.home import HomeOption, Shared, log_file
from ken.cli.log import make_folder
from ken.cli.narrowing import Narrowing
from ken.cli.output import complain, speak_any_text
from ken.errors import InvalidInput, KenError

app = typer.Typer(
    name="ken",
    help="Ken answers questions from an organisation's documents, cites each sentence, and says what it can't know.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.add_typer(sync.app)
app.command("ask", cls=Narrowing)(ask.ask)
app.command("search", cls=Narrowing)(search.search)
app.add_typer(trace.app)
app.add_typer(record.app, name="record")
app.add_typer(figures.app)
app.command("eval")(evaluate.evaluate)
app.add_typer(tune.app, name="tune")
app.add_typer(gateway.app, name="gateway")
app.command("budgets")(budgets.budgets)
app.add_typer(alerts.app, name="alerts")
app.command("documents")(documents.documents)
app.command("quality")(quality.quality)
app.command("doctor")(doctor.doctor)
app.command("checks")(checks.checks)
app.command("checklist")(checklist.checklist)
app.add_typer(sources.app, name="sources")
app.add_typer(index.app, name="index")
app.add_typer(cache.app, name="cache")
app.add_typer(keys.app, name="keys")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("migrate")(migrate.migrate)
app.add_typer(schema.app, name="schema")
app.add_typer(load.app)
app.add_typer(drill.app)
app.command("digest")(digest.digest)
app.command("why")(why.why)
app.add_typer(simulate.app)
app.command("mock-provider")(mock.mock_provider)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    home: HomeOption = None,
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
) -> None:
    """Ken answers questions from an organisation's documents, cites each sentence, and says what it can't know."""
    if version:
        typer.echo(ken.__version__)
        raise typer.Exit
    context.obj = Shared(home=home)


def main() -> None:
    """Run the command; a failure is one plain line on stderr, and never a traceback."""
    speak_any_text()
    try:
        app()
    except KenError as error:
        complain(str(error))
        sys.exit(2 if isinstance(error, InvalidInput) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the boundary: the log gets the traceback, the person a line
        complain(f"Something went wrong inside Ken ({type(error).__name__}). {_logged()}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where stdout is what failed, Python would say so once more
        sys.exit(1)


def _logged() -> str:
    """Where the traceback of the present exception went, in words."""
    place: Path = log_file(sys.argv[1:])
    try:
        make_folder(place)
        with place.open("a", encoding="utf-8") as file:
            file.write(traceback.format_exc())
    except OSError as error:
        return f"The details could not be written to {str(place)!r}: {error.strerror}."
    return f"The details are in {str(place)!r}."
