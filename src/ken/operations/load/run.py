"""A load test's course: warm up, hold each step, look at the traces of some of its questions; it ends by itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import aiohttp

from ken.errors import InvalidInput, ModelUnavailable
from ken.operations.load.asking import OK, Outcome, Target, ask
from ken.operations.load.figures import Measured, Step, step_of
from ken.operations.load.knee import Knee, find_knee
from ken.operations.load.mix import Draws, Mix
from ken.operations.load.traces import Sampled, sampled

MOST_AT_ONCE = 10_000
MOST_STEPS = 50
MOST_SECONDS = 3_600.0
_HOPELESS = 0.5
"""A step with more errors than this is the last: the following ones would only fail faster."""
_SIGNS_OF_LIFE_S = 0.5
_LEFT = "not asked"
"""The kind of an arrival that found too many under way already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a load test does."""

    steps: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64)
    """Clients at once, each asking again as soon as it was answered; with `is_open`, questions due a second."""
    seconds: float = 8.0
    """Of a step."""
    most: int | None = None
    """Questions of a step, where it shall end earlier."""
    warm_up_s: float = 3.0
    is_open: bool = False
    """Questions come when they are due, whether or not others were answered: a slow server gets no slack, and waiting
    is counted from then on. Clients that wait for an answer leave out just those questions that would have been slow."""
    traces: int = 30
    """Of each step, looked at for where the time went."""
    p95_ms: float | None = None
    """The bar: end to end. None: errors alone count."""
    errors: float = 0.01
    """The bar: share of questions that may fail."""
    need: float | None = None
    """The step that must keep to the bar."""

    def __post_init__(self) -> None:
        """Check. Raises InvalidInput."""
        rising = list(self.steps) == sorted(set(self.steps))
        if not self.steps or not rising or self.steps[0] <= 0 or len(self.steps) > MOST_STEPS:
            raise InvalidInput(f"The steps are up to {MOST_STEPS} rising numbers above 0, as in 1,2,4,8,16.")
        if self.steps[-1] > MOST_AT_ONCE:
            raise InvalidInput(
                f"The last step is {self.steps[-1]:g}; up to {MOST_AT_ONCE:,} is what one client can hold."
            )
        if not self.is_open and any(step != int(step) for step in self.steps):
            raise InvalidInput("Clients come in whole numbers; rates with a fraction need arrivals: `--rate`.")
        if not 0 < self.seconds <= MOST_SECONDS:
            raise InvalidInput(f"A step takes more than 0 and up to {MOST_SECONDS:g} seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What was measured."""

    url: str
    model: str
    is_open: bool
    started_at: float
    """Seconds since the epoch."""
    release: str
    """Of the sampled traces; empty where there are none."""
    questions: int
    """Different ones that were drawn from."""
    mix: Mix
    plan: Plan
    steps: tuple[Step, ...]
    knee: Knee
    ended_early: str = ""
    """Why not all steps were taken."""

    @property
    def passed(self) -> bool | None:
        """Whether the needed step kept to the bar; None where none is needed."""
        if self.plan.need is None:
            return None
        return self.knee.carried is not None and self.knee.carried >= self.plan.need


@dataclass(slots=True)
class Progress:
    """How far it is; the same object all along."""

    step: float = 0.0
    is_warming_up: bool = True
    seconds: float = 0.0
    asked: int = 0
    failed: int = 0
    done: list[Step] = field(default_factory=list[Step])


Told = Callable[[Progress], None]


@dataclass(slots=True, kw_only=True)
class _Course:
    """What the steps share."""

    session: aiohttp.ClientSession
    target: Target
    draws: Draws
    plan: Plan
    told: Told
    progress: Progress = field(default_factory=Progress)
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    """Of the present step."""

    async def ask(self, due: float | None = None) -> None:
        """Ask the next question."""
        self.progress.asked += 1
        outcome = await ask(self.session, self.target, asked=self.draws.draw(), due=due)
        self.progress.failed += outcome.kind != OK
        self.outcomes.append(outcome)

    def leave_out(self, due: float) -> None:
        """Note a question that there was no room for."""
        self.progress.asked += 1
        self.progress.failed += 1
        self.outcomes.append(Outcome(kind=_LEFT, due=due, ended=time.monotonic()))


async def load(target: Target, questions: Sequence[str], *, plan: Plan, mix: Mix, told: Told) -> LoadReport:
    """Run the plan. `told` hears of progress about twice a second. Raises ModelUnavailable where nobody answers at all."""
    draws, started_at, early, release = Draws(questions, mix), time.time(), "", ""
    async with target.session() as session:
        course = _Course(session=session, target=target, draws=draws, plan=plan, told=told)
        await _reachable(session, target)
        if plan.warm_up_s:
            await _held(course, None)
        for at in plan.steps:
            measured = await _held(course, at)
            looked_at = await _traces(session, target, measured.outcomes, count=plan.traces)
            release = looked_at.release or release
            step = step_of(replace(measured, stages=looked_at.stages))
            course.progress.done.append(step)
            told(course.progress)
            if step.error_share > _HOPELESS and at != plan.steps[-1]:
                early = f"{step.error_share:.0%} of the questions failed at {at:g}"
                break
    steps = tuple(course.progress.done)
    return LoadReport(
        url=target.base,
        model=target.model,
        is_open=plan.is_open,
        started_at=started_at,
        release=release,
        questions=len(questions),
        mix=mix,
        plan=plan,
        steps=steps,
        knee=find_knee(steps, p95_ms=plan.p95_ms, errors=plan.errors),
        ended_early=early,
    )


async def _held(course: _Course, at: float | None) -> Measured:
    """Hold one step; `at` None is the warm-up, at the first step."""
    plan, progress = course.plan, course.progress
    step, seconds = (plan.steps[0], plan.warm_up_s) if at is None else (at, plan.seconds)
    progress.step, progress.is_warming_up = step, at is None
    progress.asked = progress.failed = 0
    course.outcomes = []
    began, used = time.monotonic(), time.process_time()
    ticking = asyncio.create_task(_tick(course, began=began))
    try:
        await (_arriving if plan.is_open else _asking_in_turn)(course, step, until=began + seconds)
    finally:
        ticking.cancel()
    spent = time.process_time() - used
    return Measured(
        at=step,
        outcomes=course.outcomes,
        seconds=time.monotonic() - began,
        client_s=spent,
        stages=dict[str, list[float]](),
    )


async def _asking_in_turn(course: _Course, clients: float, *, until: float) -> None:
    """So many clients that ask one question after the other; what is under way at the end is waited for."""
    left = course.plan.most if course.plan.most is not None else 1 << 60

    async def client() -> None:
        nonlocal left
        while left > 0 and time.monotonic() < until:
            left -= 1
            await course.ask()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(int(clients)):
            tasks.create_task(client())


async def _arriving(course: _Course, rate: float, *, until: float) -> None:
    """Questions at random moments, so many a second on average (a Poisson process)."""
    draw = random.Random(f"{rate:g} a second")  # noqa: S311 - no secret
    due, left = time.monotonic(), course.plan.most if course.plan.most is not None else 1 << 60
    under_way: set[asyncio.Task[None]] = set()
    async with asyncio.TaskGroup() as tasks:
        while left > 0 and (due := due + draw.expovariate(rate)) < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            left -= 1
            if len(under_way) >= MOST_AT_ONCE:
                course.leave_out(due)
                continue
            task = tasks.create_task(course.ask(due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)


async def _tick(course: _Course, *, began: float) -> None:
    while True:
        await asyncio.sleep(_SIGNS_OF_LIFE_S)
        course.progress.seconds = time.monotonic() - began
        course.told(course.progress)


async def _reachable(session: aiohttp.ClientSession, target: Target) -> None:
    try:
        async with session.get(f"{target.base}/healthz") as response:
            await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelUnavailable(
            f"Nothing answers at {target.base!r}. Start Ken there (`ken up`), or say where it listens: another place with "
            "`--url`, this home's own with `port` in ken.toml."
        ) from error


async def _traces(
    session: aiohttp.ClientSession, target: Target, outcomes: Sequence[Outcome], *, count: int
) -> Sampled:
    """The traces of evenly spread questions of a step."""
    answered = [outcome.trace_id for outcome in outcomes if outcome.kind == OK]
    chosen = answered[:: max(1, len(answered) // count)][:count] if count else []
    return await sampled(session, target.base, trace_ids=chosen)
