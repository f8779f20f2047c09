"""What a running Ken does for its record besides answering: gauges, compaction, thinning, alerts."""

from __future__ import annotations

import time
from functools import partial

import anyio.to_thread

from ken.operations.digest.day import day_of
from ken.operations.digest.sending import notices
from ken.scheduler.schedule import Cron, Every
from ken.scheduler.scheduler import Job
from ken.text.language import language_of
from ken.text.thesaurus import thesaurus
from ken.wiring import Ken

_SAMPLED_EVERY_S = 10.0
_COMPACTED_EVERY_S = 15.0
_THINNED_EVERY_S = 900.0
_ANY = "Whatever is asked first, somebody waits for it."


def jobs(ken: Ken) -> tuple[Job, ...]:
    """The jobs, for a scheduler; no source can have their names."""
    gauges = Gauges(ken)

    async def compact() -> None:
        await anyio.to_thread.run_sync(ken.recording.rollups.compact)
        await anyio.to_thread.run_sync(ken.recording.topics.settle)

    async def thin() -> None:
        await ken.recording.retention.thin()

    async def tell_day() -> None:
        now = time.time()
        told = await anyio.to_thread.run_sync(partial(ken.day, day_of(None, now=now), now=now))
        messages = notices(told, ken.alerting.table.readers, now=now)
        await anyio.to_thread.run_sync(ken.alerting.book.tell, messages)

    alerts = ken.alerting
    table = alerts.table
    telling = Job(name="telling the day", run=tell_day, schedule=Cron(f"0 {table.digest_hour} * * *"))
    looking = Job(
        name="looking at alerts",
        run=alerts.job.run,
        schedule=Every(alerts.table.every_s),
        woken=alerts.job.woken,
    )
    return (
        *((looking,) if table.on else ()),
        *((telling,) if table.on and table.digest else ()),
        Job(name="sampling gauges", run=gauges.sample, schedule=Every(_SAMPLED_EVERY_S)),
        Job(name="compacting rollups", run=compact, schedule=Every(_COMPACTED_EVERY_S)),
        Job(name="thinning the record", run=thin, schedule=Every(_THINNED_EVERY_S)),
    )


async def warm_up() -> None:
    """Read what is read once, before a question needs it: the words that questions are compared by, and languages are told by.

    In a thread, so that nothing waits for it; the first question used to, for 70 ms of an idle machine and 300 of a busy one.
    """
    await anyio.to_thread.run_sync(_read_words, abandon_on_cancel=True)


def _read_words() -> None:
    thesaurus()
    language_of(_ANY)


class Gauges:
    """What is under way, how much waits, which breakers are open: looked at now and then, and put into the rollups."""

    def __init__(self, ken: Ken) -> None:
        self._ken = ken
        self._was_quiet = False

    async def sample(self) -> None:
        """Note the gauges, unless all were 0 the last time, too: a server that does nothing writes nothing."""
        values = self.values()
        is_quiet = not any(values.values())
        if not (is_quiet and self._was_quiet):
            recording = self._ken.recording
            recording.aggregator.sample(time.time(), values)
            recording.recorder.stir()
        self._was_quiet = is_quiet

    def values(self) -> dict[str, float]:
        """The gauges as they stand; of what is under way, the most since they were last read."""
        vitals = self._ken.providers.stacks.vitals.all
        queues = [each.limiter.reading() for each in vitals if each.limiter is not None]
        circuits = [each.circuit.reading() for each in vitals if each.circuit is not None]
        return {
            "in_flight": float(self._ken.traffic.peak()),
            "queue_depth": float(sum(queue.depth for queue in queues)),
            "breakers_open": float(sum(circuit.state == "open" for circuit in circuits)),
        }
