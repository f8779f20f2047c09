"""The drill's course: one fault after the other, each bounded in time, on homes that are made for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ken.errors import InvalidInput, KenError
from ken.operations.drill import alerts, models
from ken.operations.drill.client import Asker
from ken.operations.drill.documents import QUESTIONS
from ken.operations.drill.finding import Checks, Finding, Skipped
from ken.operations.drill.rig import TIER, Rig, rig
from ken.operations.drill.stores import FAULTS, StoreFault
from ken.operations.drill.table import Expected, expected

MOST_S = 90.0
"""Of one fault; one that takes longer has failed."""
NAMES = (alerts.NAME, *(row.fault for row in expected()), *(fault.name for fault in FAULTS))
"""Of all faults, in their order."""

Told = Callable[[Finding], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """What is drilled, on what."""

    environment: Mapping[str, str]
    """Of the programs that are started: without settings of Ken's."""
    source: Path | None = None
    """The home that is copied; None: an empty one."""
    embedder: Path | None = None
    """A home whose built embedder may be used."""
    only: Collection[str] = ()
    """Names of faults; empty for all."""
    redis: str | None = None
    postgres: str | None = None

    def __post_init__(self) -> None:
        """Check. Raises InvalidInput."""
        unknown = [name for name in self.only if name not in NAMES]
        if unknown:
            raise InvalidInput(f"There is no fault {unknown[0]!r} to drill. They are: {', '.join(NAMES)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """What came of it."""

    started_at: float
    """Seconds since the epoch."""
    seconds: float
    release: str
    """Of the copy: a hash of other settings than the copied home's, as its models are others."""
    on: str
    """What was copied, in words."""
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What was not as the table says."""
        return tuple(finding for finding in self.findings if finding.verdict == "failed")

    @property
    def passed(self) -> bool:
        """Whether something was drilled and nothing failed."""
        return not self.failed and any(finding.verdict == "passed" for finding in self.findings)


async def drill(folder: Path, plan: DrillPlan, *, told: Told) -> DrillReport:
    """Run the drill in a folder of its own. `told` hears of each fault. Raises StorageError where not even the copy starts."""
    started_at, began = time.time(), time.monotonic()
    rows = [row for row in expected() if _is_wanted(row.fault, plan)]
    stores = [fault for fault in FAULTS if _is_wanted(fault.name, plan)]
    findings: list[Finding] = []

    def note(finding: Finding) -> None:
        findings.append(finding)
        told(finding)

    release = ""
    async with _rig(folder, plan) as made:
        if rows or _is_wanted(alerts.NAME, plan):
            release = await _models(made, rows, plan=plan, note=note)
        for fault in stores:
            note(await _store(made, fault))
    return DrillReport(
        started_at=started_at,
        seconds=round(time.monotonic() - began, 1),
        release=release,
        on="an empty home" if plan.source is None else f"a copy of {str(plan.source)!r}",
        findings=tuple(findings),
    )


async def _models(made: Rig, rows: Sequence[Expected], *, plan: DrillPlan, note: Told) -> str:
    """All faults of models on one Ken; its release."""
    home = await made.home("first")
    async with made.serving(home) as (_, asker):
        if _is_wanted(alerts.NAME, plan):
            note(await _alert(made, asker))  # before any other fault has opened that breaker
        for row in rows:
            note(await _bounded(row.fault, models.GROUP, row.words, models.inject(row, asker, provider=made.provider)))
        seen = await asker.ask(QUESTIONS[0], model=TIER)
        return await asker.release(seen.trace_id)


async def _alert(made: Rig, asker: Asker) -> Finding:
    async def inject(checks: Checks) -> None:
        await alerts.inject(asker, checks, provider=made.provider)

    return await _checked(alerts.NAME, models.GROUP, alerts.EXPECTED, inject)


async def _store(made: Rig, fault: StoreFault) -> Finding:
    async def inject(checks: Checks) -> None:
        await fault.inject(made, checks)

    return await _checked(fault.name, fault.group, fault.expected, inject)


async def _checked(name: str, group: str, words: str, inject: Callable[[Checks], Awaitable[None]]) -> Finding:
    checks = Checks()

    async def found() -> Finding:
        began = time.monotonic()
        await inject(checks)
        return checks.finding(name, group=group, expected=words, seconds=time.monotonic() - began)

    return await _bounded(name, group, words, found())


async def _bounded(name: str, group: str, words: str, finding: Awaitable[Finding]) -> Finding:
    """Within the time that a fault has; what goes wrong with the drill itself is a failure of that fault, and told."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(MOST_S):
            return await finding
    except Skipped as error:
        return Finding(fault=name, group=group, expected=words, seen=str(error), verdict="skipped")
    except TimeoutError:
        said = f"it took longer than {MOST_S:g} s"
    except (KenError, OSError, aiohttp.ClientError) as error:
        said = f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - began, 2)
    return Finding(
        fault=name, group=group, expected=words, seen=f"NOT AS EXPECTED: {said}", verdict="failed", seconds=seconds
    )


def _is_wanted(name: str, plan: DrillPlan) -> bool:
    return not plan.only or name in plan.only


@asynccontextmanager
async def _rig(folder: Path, plan: DrillPlan) -> AsyncGenerator[Rig]:
    async with rig(
        folder,
        environment=plan.environment,
        source=plan.source,
        embedder=plan.embedder,
        shared=(plan.redis, plan.postgres),
    ) as made:
        yield made
