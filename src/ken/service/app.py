"""The application: middleware outside in, then one router a resource."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread
from anyio import create_task_group
from fastapi import FastAPI
from starlette.middleware import Middleware

from ken import upkeep
from ken.connectors.configured import Configured
from ken.scheduler.scheduler import Scheduler
from ken.service import errors
from ken.service.access import Access, is_loopback
from ken.service.boundary import Boundary
from ken.service.description import Described
from ken.service.direct import Direct
from ken.service.limits import BodyLimit
from ken.service.live import Live
from ken.service.routes import (
    alert_rules,
    alerts,
    ask,
    budgets,
    cache,
    chat,
    checks,
    console,
    conversations,
    costs,
    digest,
    documents,
    effective,
    embeddings,
    feedback,
    figures,
    gateway,
    gateway_models,
    health,
    index,
    keys,
    live,
    me,
    messages,
    metrics,
    models,
    originals,
    otlp,
    prices,
    push,
    quality,
    record,
    releases,
    retrieval,
    routing,
    search,
    shares,
    sources,
    traces,
    why,
)
from ken.wiring import Ken

ROUTERS = (
    ask,
    chat,
    messages,
    embeddings,
    models,
    otlp,
    search,
    documents,
    originals,
    push,
    quality,
    sources,
    index,
    conversations,
    shares,
    traces,
    releases,
    record,
    keys,
    effective,
    alerts,
    alert_rules,
    retrieval,
    routing,
    feedback,
    gateway,
    gateway_models,
    prices,
    budgets,
    costs,
    cache,
    checks,
    figures,
    metrics,
    health,
    live,
    me,
    why,
    digest,
)


DOORS = (chat, messages, embeddings, otlp)
"""Of these, what other applications call."""


def build(opened: Ken, *, pages: Path = console.FOLDER) -> FastAPI:
    """The HTTP service of an opened home, with the jobs of its sources and the console that was built into `pages`.

    The caller closes the home after the server ended.
    """
    settings = opened.settings
    scheduler, configured = Scheduler(), Configured.of(opened, also=upkeep.jobs(opened))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await anyio.to_thread.run_sync(opened.reruns.served)
        async with scheduler.running(), create_task_group() as tasks:
            scheduler.replace(configured.jobs())
            tasks.start_soon(configured.follow, scheduler)
            tasks.start_soon(upkeep.warm_up)
            yield
            tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(opened.reruns.served)

    app = Described(
        redirect_slashes=False,
        # Ken keeps traces of its own; to ask OpenTelemetry's settings at each request takes longer than to route it.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=lifespan,
        middleware=[
            Middleware(Boundary),
            Middleware(Access, keys=opened.keys, keyless=is_loopback(settings.host)),
            Middleware(BodyLimit),
            Middleware(Direct, routers=[door.router for door in DOORS]),
        ],
    )
    app.state.ken = opened
    app.state.scheduler = scheduler
    app.state.live = Live(opened.stamps, opened.providers.stacks.vitals)
    errors.install(app)
    _include(app)
    app.include_router(console.pages(pages))
    return app


def description() -> dict[str, object]:
    """The API's description (OpenAPI 3.1) without a home."""
    app = Described()
    _include(app)
    return app.openapi()


def _include(app: FastAPI) -> None:
    for resource in ROUTERS:
        app.include_router(resource.router)
