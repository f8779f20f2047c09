"""What every route can ask for: the opened home and the principal who asks.

These are coroutines, since FastAPI would send plain functions through a thread each.
"""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from ken.domain.principal import OPERATORS, Principal
from ken.errors import Forbidden
from ken.scheduler.scheduler import Scheduler
from ken.wiring import Ken


async def scheduled(request: Request) -> Scheduler:
    """The jobs of this process."""
    return cast("Scheduler", request.app.state.scheduler)


async def opened(request: Request) -> Ken:
    """The home that this app serves."""
    return cast("Ken", request.app.state.ken)


async def asking(request: Request) -> Principal:
    """The principal that `Access` let in."""
    return cast("Principal", request.state.principal)


async def operating(request: Request) -> Principal:
    """The principal, who must be an operator. Raises Forbidden."""
    principal = await asking(request)
    if not principal.is_operator:
        raise Forbidden(f"{principal.id!r} may not do this: it takes a key with the group {OPERATORS!r}.")
    return principal


Scheduled = Annotated[Scheduler, Depends(scheduled)]
Opened = Annotated[Ken, Depends(opened)]
Asking = Annotated[Principal, Depends(asking)]
Operating = Annotated[Principal, Depends(operating)]
