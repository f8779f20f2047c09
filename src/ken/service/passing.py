"""A call that the plain gateway passes on, at whichever wire it came: the parts that all wires share."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from fastapi import Request, Response

from ken.domain.deadline import Deadline
from ken.domain.principal import Principal
from ken.errors import InvalidInput, KenError
from ken.gateway.plain import Passed
from ken.models.chat import ChatDelta, ChatRequest
from ken.service.event_stream import EventStream, json_bytes, until_hang_up
from ken.service.turn import is_test, origin_of
from ken.wiring import Ken

MOST_S = 600.0
"""A call may take so long; it is what the official clients wait for by themselves."""
_PATIENCE = ("x-stainless-read-timeout", "x-stainless-timeout")
"""In these headers the official clients say for how many seconds they wait."""
PRIORITY = "x-ken-priority"
_PRIORITIES = {"": False, "normal": False, "offline": True}


class Wire(Protocol):
    """How one kind of client wants to be answered."""

    async def whole(self, deltas: AsyncGenerator[ChatDelta]) -> object:
        """Everything, as one JSON object."""
        ...

    def frames(self, deltas: AsyncGenerator[ChatDelta]) -> AsyncGenerator[bytes]:
        """Events, the first of them when the model has said something: until then an error still has an HTTP status."""
        ...


def deadline_of(request: Request) -> Deadline:
    """When nobody waits for the answer any more: as the client says, at most MOST_S from now."""
    for name in _PATIENCE:
        told = request.headers.get(name)
        try:
            seconds = float(told) if told is not None else math.nan
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds > 0:
            return Deadline.after(min(seconds, MOST_S))
    return Deadline.after(MOST_S)


def is_offline(request: Request) -> bool:
    """Whether the client says that nobody waits. Raises InvalidInput for a priority that there isn't."""
    told = request.headers.get(PRIORITY, "").strip().lower()
    if told not in _PRIORITIES:
        raise InvalidInput(f"The header X-Ken-Priority is 'normal' or 'offline', and not {told!r}.", param=PRIORITY)
    return _PRIORITIES[told]


async def passed_on(
    request: Request,
    ken: Ken,
    *,
    asked: ChatRequest,
    model: str,
    wire_of: Callable[[Passed], Wire],
    failed: Callable[[KenError], bytes],
) -> Response:
    """The answer of a model alone, in the shape of a wire."""
    principal: Principal = request.state.principal
    passed = Passed(await origin_of(request, ken), is_test=is_test(request))
    deltas = ken.plain.chat(model, asked, principal=principal, passed=passed, is_offline=is_offline(request))
    wire = wire_of(passed)
    headers = plain_headers(passed.trace_id)
    if asked.is_streamed:
        return EventStream(wire.frames(deltas), failed=failed, headers=headers)
    whole = await until_hang_up(request.receive, wire.whole(deltas))
    if whole is None:
        return Response()
    cost = passed.account.cost_micros
    told = {"x-ken-cost-micros": "unknown" if cost is None else str(cost)}
    return Response(json_bytes(whole), media_type="application/json", headers=headers | told)


def plain_headers(trace_id: str) -> dict[str, str]:
    """What the plain gateway says of a call: its trace, and that no guard has read it."""
    return {"x-ken-trace-id": trace_id, "x-ken-guards": "none"}
