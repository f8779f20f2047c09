"""Jobs run when they are due or asked for, never twice at once, and survive their own failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from ken.errors import Conflict, NotFound, SourceDown
from ken.scheduler.schedule import Cron, Every
from ken.scheduler.scheduler import Job, Scheduler


class Work:
    """Something to do: counts its runs, and can be made to take long or fail."""

    def __init__(self) -> None:
        self.runs = 0
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.troubles: list[Exception] = []
        self.retry: float | None = None

    async def __call__(self) -> float | None:
        """Do it."""
        self.runs += 1
        self.began.set()
        await self.may_end.wait()
        if self.troubles:
            raise self.troubles.pop()
        return self.retry


async def runs(work: Work, count: int) -> None:
    """Wait until it has run so often."""
    async with asyncio.timeout(10):
        while work.runs < count:
            work.began.clear()
            await work.began.wait()


async def test_a_job_runs_again_and_again() -> None:
    """Each time its pause is over."""
    work = Work()
    async with Scheduler((Job(name="a", run=work, schedule=Every(0.02)),)).running():
        await runs(work, 3)
    ended = work.runs
    await asyncio.sleep(0.05)
    assert work.runs == ended


async def test_a_job_without_a_schedule_runs_when_asked() -> None:
    """Once for each asking, never while it is running; an unknown name is named."""
    work = Work()
    work.may_end.clear()
    scheduler = Scheduler((Job(name="a", run=work),))
    async with scheduler.running():
        assert scheduler.due("a") is None
        scheduler.ask("a")
        await work.began.wait()
        with pytest.raises(Conflict, match="running already"):
            scheduler.ask("a")
        with pytest.raises(NotFound, match="Known are: a"):
            scheduler.ask("b")
        work.may_end.set()
        await asyncio.sleep(0.02)
        assert work.runs == 1
        scheduler.ask("a")
        await runs(work, 2)


@pytest.mark.parametrize("trouble", [SourceDown("It is down."), ValueError("A bug.")])
async def test_a_failure_ends_nothing(trouble: Exception) -> None:
    """Neither the other jobs, nor the job's own next run."""
    work, other = Work(), Work()
    work.troubles = [trouble]
    jobs = (Job(name="a", run=work, schedule=Every(0.02)), Job(name="b", run=other, schedule=Every(0.02)))
    async with Scheduler(jobs).running():
        await runs(work, 3)
        await runs(other, 3)
    assert work.troubles == []


async def test_a_failed_job_is_tried_again_when_it_says() -> None:
    """Sooner than its schedule, and later too."""
    work = Work()
    work.retry = time.time()
    scheduler = Scheduler((Job(name="a", run=work, schedule=Every(3600), last=None),))
    async with scheduler.running():
        scheduler.ask("a")
        await runs(work, 1)
        work.retry = time.time() + 5000
        await runs(work, 2)
        await asyncio.sleep(0.05)
        due = scheduler.due("a")
        assert due is not None
        assert due > time.time() + 4000


async def test_what_ran_before_the_start_counts() -> None:
    """A job that ran just before a restart waits for its pause; one that is overdue runs at once."""

    async def just_now() -> float:
        return time.time()

    async def long_ago() -> float:
        return time.time() - 9999

    fresh, stale = Work(), Work()
    jobs = (
        Job(name="a", run=fresh, schedule=Every(600), last=just_now),
        Job(name="b", run=stale, schedule=Every(600), last=long_ago),
    )
    scheduler = Scheduler(jobs)
    async with scheduler.running():
        await runs(stale, 1)
        assert fresh.runs == 0
        due = scheduler.due("a")
        assert due is not None
        assert 500 < due - time.time() < 700


async def test_a_job_is_woken() -> None:
    """A reason to run now is a run now, one for all the reasons that come together."""
    work, bell = Work(), asyncio.Event()

    async def rung() -> AsyncIterator[None]:
        await bell.wait()
        yield
        yield

    async with Scheduler((Job(name="a", run=work, woken=rung),)).running():
        bell.set()
        await runs(work, 1)
        await asyncio.sleep(0.03)
        assert work.runs <= 2


def test_pauses_are_spread() -> None:
    """By a tenth at most, so that many jobs don't start together."""
    dues = {Every(1000).next(0.0, 0.0) for _ in range(50)}
    assert len(dues) > 40
    assert all(900 <= due <= 1100 for due in dues)


def test_cron_times() -> None:
    """The next time of the expression in this machine's time zone, at most half a minute late."""
    now = datetime(2026, 3, 2, 12, 0, 30).astimezone().timestamp()
    due = datetime.fromtimestamp(Cron("15 3 * * *").next(None, now)).astimezone()
    assert (due.year, due.month, due.day, due.hour, due.minute) == (2026, 3, 3, 3, 15)


async def test_jobs_are_replaced_while_others_run() -> None:
    """A new one starts, one that is gone ends, one that changed begins anew, the same one goes on undisturbed."""
    same, gone, old, new, added = (Work() for _ in range(5))
    scheduler = Scheduler((Job(name="same", run=same), Job(name="gone", run=gone), Job(name="other", run=old)))
    async with scheduler.running():
        same.may_end.clear()
        scheduler.ask("same")
        await same.began.wait()
        other = Job(name="other", version="2", run=new)
        scheduler.replace((Job(name="same", run=same), other, Job(name="added", run=added)))
        for name in ("other", "added"):
            scheduler.ask(name)
        await runs(new, 1)
        await runs(added, 1)
        with pytest.raises(NotFound):
            scheduler.ask("gone")
        with pytest.raises(Conflict):
            scheduler.ask("same")
        assert (gone.runs, old.runs) == (0, 0)
