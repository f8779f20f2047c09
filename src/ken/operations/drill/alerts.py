"""The alert of a model that is gone: it fires while the breaker is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from ken.operations.drill.client import Asker, Told
from ken.operations.drill.documents import QUESTIONS
from ken.operations.drill.finding import Checks, Skipped
from ken.operations.drill.models import healed
from ken.operations.drill.rig import PRIMARY, TIER
from ken.operations.drill.switch import Switch

NAME = "alert"
EXPECTED = "while the first model is gone, the alert `breaker_open` fires and names it"
_RULE = "breaker_open"
_MOST_S = 30.0
_POLL_S = 0.25


async def inject(asker: Asker, checks: Checks, *, provider: Switch) -> None:
    """Have the first model be gone until the alert fires, half a minute long."""
    if await asker.get("/api/alerts") is None:
        raise Skipped("this Ken has no /api/alerts")
    await healed(asker, provider)
    checks.that(_firing(await asker.get("/api/alerts") or {}) is None, "it fires before anything has happened")
    await provider.vanish()
    began = time.monotonic()
    found: Told | None = None
    try:
        while found is None and time.monotonic() - began < _MOST_S:
            await asker.ask(QUESTIONS[0], model=TIER)
            found = _firing(await asker.get("/api/alerts") or {})
            await asyncio.sleep(_POLL_S)
    finally:
        await provider.serve()
        await healed(asker, provider)
    if found is None:
        checks.that(False, f"no alert {_RULE!r} of {PRIMARY!r} fired within {_MOST_S:g} s")
        return
    checks.saw(f"it fired after {time.monotonic() - began:.1f} s: {found.get('summary') or found.get('text') or _RULE}")
    checks.proof(f"alert {found.get('fingerprint') or _RULE}")


def _firing(told: Told) -> Told | None:
    """The alert of the first model, where it fires."""
    for alert in cast("Sequence[Told]", told.get("alerts") or ()):
        if alert.get("rule") == _RULE and alert.get("state") == "firing" and PRIMARY in str(alert):
            return alert
    return None
