# ruff: noqa: PLC0415 - heavy imports wait until the command runs
"""`ken load`: how much a running Ken carries, measured from outside."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from ken.cli.home import HomeOption, settings_of
from ken.cli.output import say, say_json, tell, write_file
from ken.errors import InvalidInput, KenError

if TYPE_CHECKING:
    from ken.operations.load.asking import Target
    from ken.operations.load.mix import Mix
    from ken.operations.load.run import LoadReport, Plan, Progress
    from ken.settings import Settings

app = typer.Typer(rich_markup_mode=None)
MOCK = "mock"
"""What the copy calls the mock provider's model."""
_WRITES = ("len", "cite", "quote")
"""Words of a mock's name that say what it writes; without one it quotes what it was given, which passes verification."""
_PLAIN_EVERY_S = 5.0


@app.command("load")
def load(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    url: Annotated[
        str | None, typer.Option("--url", help="Another server [default: this home's, on this machine alone]")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", envvar="KEN_LOAD_KEY", help="A key for it.")] = None,
    model: Annotated[str, typer.Option("--model", help="`ken`, or a model or tier, without documents.")] = "ken",
    with_mock: Annotated[
        str | None,
        typer.Option("--with-mock", help="Test a copy whose model is a mock: ttft300-itl10.", metavar="WORDS"),
    ] = None,
    counted: Annotated[bool, typer.Option("--counted", help="Its questions count as people's do.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="With --with-mock: the copy keeps no answers.")] = False,
    steps: Annotated[str, typer.Option("--steps", help="Clients at once, step by step.")] = "1,2,4,8,16,32,64",
    rate: Annotated[
        str | None,
        typer.Option("--rate", help="Instead: questions due a second, step by step, whatever comes of them."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="Of each step.")] = 8.0,
    most: Annotated[int | None, typer.Option("--most", min=1, help="Questions of a step at most.")] = None,
    warm_up: Annotated[float, typer.Option("--warm-up", min=0, help="Seconds before the first step.")] = 3.0,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", help="A file, one question a line [default: from the documents' titles]"),
    ] = None,
    from_record: Annotated[bool, typer.Option("--from-record", help="Ask what was asked before.")] = False,
    streamed: Annotated[float, typer.Option("--streamed", help="Share of questions streamed.")] = 0.8,
    follow_ups: Annotated[float, typer.Option("--follow-ups", help="Share asked within a conversation.")] = 0.35,
    words: Annotated[float, typer.Option("--words", help="Median words of a conversation so far.")] = 150.0,
    spread: Annotated[float, typer.Option("--spread", help="Standard deviation of their logarithm.")] = 1.1,
    popularity: Annotated[float, typer.Option("--popularity", help="Zipf's exponent; 0: all alike.")] = 0.7,
    seed: Annotated[int, typer.Option("--seed", help="Another sequence of questions.")] = 1,
    p95_ms: Annotated[float | None, typer.Option("--p95-ms", help="The bar: end-to-end p95.")] = None,
    max_errors: Annotated[float, typer.Option("--max-errors", help="The bar: share of errors.")] = 0.01,
    need: Annotated[
        float | None, typer.Option("--need", help="The step that must keep to the bar, else exit 1.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--report", help="Write a page with plots there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: HomeOption = None,
) -> None:
    """Ask a running Ken as many clients do at once, step by step, and say how long answers take and where it bends.

    It ends by itself. Without `--url` it asks the Ken of this home on this machine; start it with `ken up`.
    """
    from ken.operations.load.mix import Mix
    from ken.operations.load.run import Plan

    settings = settings_of(context, home)
    plan = Plan(
        steps=_numbers(rate if rate is not None else steps),
        seconds=seconds,
        most=most,
        warm_up_s=warm_up,
        is_open=rate is not None,
        p95_ms=p95_ms,
        errors=max_errors,
        need=need,
    )
    mix = Mix(
        popularity=popularity, streamed=streamed, follow_ups=follow_ups, median_words=words, spread=spread, seed=seed
    )
    chosen = _Chosen(
        settings,
        url=url,
        key=key,
        model=model,
        words=with_mock,
        cache=not no_cache,
        file=questions,
        from_record=from_record,
        counted=counted,
    )
    report = asyncio.run(_run(chosen, plan, mix=mix))
    _told(report, page, as_json=as_json)
    if url is None or _is_ours(settings, report.url, key=key):
        _kept(settings, report)
    if report.passed is False:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    url: str | None
    key: str | None
    model: str
    words: str | None
    cache: bool
    file: Path | None
    from_record: bool
    counted: bool


class _Chosen:
    """What was asked for: a server, and questions."""

    def __init__(self, settings: Settings, **asked: object) -> None:
        self.settings = settings
        self.asked = _Asked(**asked)  # pyright: ignore[reportArgumentType] - named above
        if self.asked.url is not None and self.asked.words is not None:
            raise InvalidInput(
                "`--with-mock` tests a copy of this home and `--url` another server: say one of the two."
            )

    @asynccontextmanager
    async def target(self) -> AsyncGenerator[Target]:
        """The server, with what was started for it, which ends with the block."""
        from ken.operations.load.asking import Target

        target = Target(
            self.asked.url or _own_url(self.settings),
            self.asked.model,
            self.asked.key,
            is_test=not self.asked.counted,
        )
        if self.asked.words is None:
            yield target
            return
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="ken-load-")))
            yield replace(target, url=await self._copy(stack, folder, self.asked.words), key=None)

    async def _copy(self, stack: AsyncExitStack, folder: Path, words: str) -> str:
        """Start a mock provider and a Ken that asks it, on a copy of the home; where that Ken is."""
        from ken.mock.behaviour import parse
        from ken.operations.children import ken_up, mock_provider
        from ken.operations.copied_home import copy_home
        from ken.settings import environment_of_others

        if self.settings.database_url is not None:
            raise InvalidInput(
                "Ken's state is in PostgreSQL, of which `ken load` makes no copy. Start a Ken on a copy of your own, with "
                "a mock model in its ken.toml, and name it with `--url`."
            )
        name = mock_name(words)
        price = parse(name).price
        environment = environment_of_others()
        mock = await stack.enter_async_context(mock_provider(environment=environment, log=folder / "mock.log"))
        tables = {
            "models": [{"name": MOCK, "base_url": mock.url, "model": name}],
            "prices": {MOCK: {"input": price.input, "output": price.output}},
            "default_model": MOCK,
            **({} if self.asked.cache else {"cache": False}),
        }
        await asyncio.to_thread(copy_home, self.settings.home, folder / "home", settings=tables)
        tell("Starting a copy of the home…")
        child = await stack.enter_async_context(ken_up(folder / "home", environment=environment))
        return child.url

    async def questions(self, target: Target) -> tuple[str, ...]:
        """What is asked. Raises InvalidInput."""
        from ken.operations.load.mix import about, read_questions
        from ken.operations.load.sources import from_record, titles

        if self.asked.file is not None:
            return read_questions(self.asked.file)
        if self.asked.from_record:
            return await from_record(target)
        return about(await titles(target))


async def _run(chosen: _Chosen, plan: Plan, *, mix: Mix) -> LoadReport:
    from ken.operations.load.run import load as measured

    async with chosen.target() as target:
        return await measured(target, await chosen.questions(target), plan=plan, mix=mix, told=_Telling())


class _Telling:
    """Progress on stderr: a line that is drawn over on a terminal, else one every few seconds; and a row for each step."""

    def __init__(self) -> None:
        self._done = 0
        self._said_at = time.monotonic()
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, progress: Progress) -> None:
        from ken.operations.load.report import HEAD, row

        for step in progress.done[self._done :]:
            self._clear()
            if not self._done:
                tell("  ".join(f"{name:>9}" for name in HEAD))
            tell("  ".join(f"{cell:>9}" for cell in row(step)))
            self._done += 1
        if not self._is_terminal and time.monotonic() - self._said_at < _PLAIN_EVERY_S:
            return
        self._said_at = time.monotonic()
        what = "warming up" if progress.is_warming_up else f"load {progress.step:g}"
        line = f"{what}: {progress.seconds:.0f} s, {progress.asked:,} asked, {progress.failed:,} failed"
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def _clear(self) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")


def mock_name(words: str) -> str:
    """The mock's name of the words. Raises InvalidInput for a word that is none."""
    from ken.mock.behaviour import parse

    name = words if words.startswith("mock") else f"mock-{words}"
    if not any(word.startswith(_WRITES) for word in name.split("-")):
        name += "-quote2"
    parse(name)
    return name


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no list of numbers, as in 1,2,4,8.") from error


def _own_url(settings: Settings) -> str:
    """Where this home's Ken is on this machine; another machine is asked only when it is named."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - it is compared with
        host = "127.0.0.1"
    elif settings.host not in {"127.0.0.1", "localhost", "::1"}:
        raise InvalidInput(
            f"This home's Ken listens on {settings.host!r}. Say that you mean it: `--url http://{host}:{settings.port}`."
        )
    return f"http://{host}:{settings.port}"


def _told(report: LoadReport, page: Path | None, *, as_json: bool) -> None:
    from ken.operations.load.report import HEAD, conclusions, html, row
    from ken.operations.load.report import as_json as whole

    if page is not None:
        write_file(page, html(report))
    if as_json:
        say_json(whole(report))
        return
    if not (sys.stderr.isatty() and sys.stdout.isatty()):  # where it stands already, row by row as they came
        from ken.cli.output import say_table

        say_table(HEAD, [row(step) for step in report.steps])
    for sentence in conclusions(report):
        say(sentence)
    if page is not None:
        tell(f"The page is {str(page)!r}.")


def _is_ours(settings: Settings, base: str, *, key: str | None) -> bool:
    """Whether the server that was named is this home's; where it isn't known to be, it is said why nothing goes on record."""
    from ken.cli.running import is_of_home

    found = is_of_home(base, settings, key=key)
    if found is None:
        tell(
            f"The result is not put on record: {base} does not say whether it serves {str(settings.home)!r}. A Ken says so to "
            "an operator's key: `--key`."
        )
    elif not found:
        tell(f"The result is not put on record: {base} does not serve {str(settings.home)!r}. `--home` names its home.")
    return bool(found)


def _kept(settings: Settings, report: LoadReport) -> None:
    """Put the result on record, where this home's is at hand."""
    from ken.domain.checked import CheckRun
    from ken.operations.load.report import as_json
    from ken.storage.checks_run import ChecksRun
    from ken.stores import open_store

    run = CheckRun(kind="load", at=time.time(), release=report.release, passed=report.passed, report=as_json(report))
    try:
        store = open_store(settings)
        try:
            ChecksRun(store.database).add(run)
        finally:
            store.close()
    except KenError as error:
        tell(f"The result could not be put on record: {error}")
