# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken tune`: which settings suit one's own documents, measured on questions about them."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, in_home, settings_there
from ken.cli.output import say, tell, write_file
from ken.cli.tune_routes import routes
from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import InvalidInput

if TYPE_CHECKING:
    from ken.evals.tuning.halves import Halves
    from ken.evals.tuning.space import Setup
    from ken.evals.tuning.sweep import Swept
    from ken.knowledge.chunkers.chunker import Chunking
    from ken.knowledge.corpus import Corpus
    from ken.models.protocols import Embedder
    from ken.settings import Settings
    from ken.wiring import Ken

_PLAIN_EVERY_S = 10.0

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Find the settings that suit your documents.")


@app.callback()
def tune() -> None:
    """Find the settings that suit your documents."""


@app.command("search")
def search(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(help="Questions as JSON lines, each with the documents that answer it.")],
    *,
    settings: Annotated[
        str | None, typer.Option("--settings", help="Tune these settings alone: depth,fusion_k [default: all]")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Refuse to search more often than this.")] = 100_000,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw the outcome there: an .svg or .html file.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the outcome there, too, as JSON.")] = None,
    home: HomeOption = None,
) -> None:
    """Try other settings of the search on a file of questions, and recommend what to change, if anything.

    Settings are chosen on one half of the questions and reported on the other. The home is only read: what has to be cut
    and embedded anew lies in a temporary folder, which is deleted at the end.
    """
    from ken.evals.cases import load_cases
    from ken.evals.tuning import plot as drawing
    from ken.evals.tuning import report, space
    from ken.evals.tuning.halves import halved

    if plot is not None and plot.suffix not in {".svg", ".html"}:
        raise InvalidInput(f"{str(plot)!r} is neither an .svg nor an .html file. Name one.")
    keys = space.checked([key.strip() for key in (settings or "").split(",") if key.strip()])
    halves = halved(load_cases(questions))
    own = settings_there(context, home, secrets=("search",))
    searches = _announced(_setup(own), keys, halves, most=most)
    swept = in_home(own, partial(_sweep, halves=halves, keys=keys, searches=searches))
    say(report.table(swept, passages=own.passages))
    say()
    say(report.verdict(swept))
    if plot is not None:
        draw = drawing.svg if plot.suffix == ".svg" else drawing.page
        write_file(plot, draw(swept, passages=own.passages))
    if json_file is not None:
        write_file(json_file, report.to_json(swept) + "\n")


app.command("routes")(routes)


def _announced(start: Setup, keys: Sequence[str], halves: Halves, *, most: int) -> int:
    """Say how much work there will be at most; return the number of searches."""
    from ken.evals.tuning.sweep import planned

    searches, builds = planned(start, keys, questions=len(halves.cases))
    if searches > most:
        raise InvalidInput(
            f"That takes {searches:,} searches, and at most {most:,} are allowed (--most). Raise that, name fewer settings "
            "(--settings), or give fewer questions."
        )
    times = "once" if builds == 1 else f"{builds} times"
    anew = f" All documents are cut and embedded anew {times} at most, in a temporary folder." if builds else ""
    what = "1 setting" if len(keys) == 1 else f"{len(keys)} settings"
    tell(f"{len(halves.cases)} questions, {what}: at most {searches:,} searches.{anew}")
    return searches


async def _sweep(ken: Ken, *, halves: Halves, keys: Sequence[str], searches: int) -> Swept:
    from ken.evals.tuning.sweep import Sweep
    from ken.models.remembering_embedder import remembering

    corpus = await ken.library.corpus()
    behind = await ken.library.behind()
    if behind:
        raise InvalidInput(
            f"These collections are not cut as ken.toml says by now: {', '.join(behind)}. Run `ken sync` for each first."
        )
    embedder = remembering(ken.library.ingest.embedder)
    line = _Line(searches)
    with TemporaryDirectory(prefix="ken-tune-") as folder:
        rebuild = _Rebuild(ken, corpus, embedder, Path(folder), line)
        sweep = Sweep(
            corpus=replace(corpus, embed=embedder.embed_question),
            plan=ken.library.ingest.plan,
            rebuild=rebuild.lent,
            halves=halves,
            principal=LOCAL_OPERATOR,
            tick=line.searched,
        )
        try:
            return await sweep.run(_setup(ken.settings), keys)
        finally:
            line.end()


def _setup(settings: Settings) -> Setup:
    from ken.evals.tuning.space import Setup

    table = settings.search
    return Setup(
        chunker=table.chunker,
        chunk_tokens=table.chunk_tokens,
        chunk_overlap=table.chunk_overlap,
        prefix=table.prefix,
        options=table.options,
        reranker=None if settings.reranker is None else True,
    )


@dataclass(slots=True)
class _Rebuild:
    """Builds an index for each way of cutting, in a folder of its own, which goes when the index is given back."""

    ken: Ken
    corpus: Corpus
    embedder: Embedder
    folder: Path
    line: _Line

    @asynccontextmanager
    async def lent(self, plan: Chunking) -> AsyncGenerator[Corpus]:
        """Lend the documents, cut by a plan."""
        from ken.rehearsal import rehearsal

        with TemporaryDirectory(dir=self.folder) as place:
            kind = f"{plan.chunker}, {plan.target_tokens} tokens, overlap {plan.overlap:g}"
            self.line.kind = kind if plan.prefix else f"{kind}, without prefix"
            async with rehearsal(
                self.corpus,
                self.ken.library.ingest,
                plan=plan,
                folder=Path(place),
                embedder=self.embedder,
                tick=self.line.built,
            ) as corpus:
                yield corpus


@dataclass(slots=True)
class _Line:
    """One line that is drawn over and over; elsewhere than on a terminal, a plain one now and then."""

    most: int
    """Searches."""
    kind: str = ""
    """How documents are being cut."""
    is_terminal: bool = field(default_factory=sys.stderr.isatty)
    told: float = field(default_factory=time.monotonic)

    def searched(self, name: str, done: int) -> None:
        """A search is done."""
        self._draw(f"{done:,} of at most {self.most:,} searches: {name}")

    def built(self, done: int, total: int) -> None:
        """A document is cut and embedded."""
        self._draw(f"{done}/{total} documents cut: {self.kind}")

    def end(self) -> None:
        """Take the line away."""
        if self.is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _draw(self, text: str) -> None:
        if self.is_terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif time.monotonic() - self.told > _PLAIN_EVERY_S:
            self.told = time.monotonic()
            tell(text)
