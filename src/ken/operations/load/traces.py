"""Where the time of some questions went, by Ken's own traces of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import aiohttp

from ken.domain.events import STAGES

QUEUE = "queue"
"""The span of a call that waited for its turn."""
_HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the traces say; nothing where there are none, as at a server that isn't Ken."""

    stages: Mapping[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    """Milliseconds of each stage, one value a trace; and of `queue`, all waits of a trace together."""
    release: str = ""


async def sampled(session: aiohttp.ClientSession, base: str, *, trace_ids: Sequence[str]) -> Sampled:
    """Read some traces. What can't be read is left out; where the first can't, none is tried: that server keeps none for us."""
    stages: dict[str, list[float]] = {name: [] for name in (*STAGES, QUEUE)}
    release = ""
    for number, trace_id in enumerate(trace_ids):
        told = await _trace(session, f"{base}/api/traces/{trace_id}")
        if told is None and not number:
            break
        if told is None:
            continue
        release = str(told.get("release") or release)
        spans = cast("list[dict[str, object]]", told.get("spans") or [])
        taken = dict.fromkeys(stages, 0.0)
        seen: set[str] = set()
        for span in spans:
            name, ms = str(span.get("name")), span.get("ms")
            if name in taken and isinstance(ms, int | float):
                taken[name] += ms
                seen.add(name)
        for name in seen:
            stages[name].append(taken[name])
    return Sampled({name: values for name, values in stages.items() if values}, release)


async def _trace(session: aiohttp.ClientSession, url: str) -> Mapping[str, object] | None:
    try:
        async with session.get(url) as response:
            if response.status != _HTTP_OK:
                return None
            told = cast("object", await response.json())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    return cast("dict[str, object]", told) if isinstance(told, dict) else None
