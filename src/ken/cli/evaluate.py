"""`ken eval`: how good the answers are, measured on a file of questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ken.cli.home import HomeOption


def evaluate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Questions as JSON lines.")],
    *,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the whole report there as JSON.")] = None,
    search_only: Annotated[bool, typer.Option("--search-only", help="Measure the search alone.")] = False,
    home: HomeOption = None,
) -> None:
    """Ask every question of a file and print the figures."""
