"""What Prometheus scrapes. Operators only, as everything that tells of everybody's questions."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import CollectorRegistry

import ken as package
from ken.service.context import Opened, Operating
from ken.service.exposition import Exposition, Sources
from ken.wiring import Ken

router = APIRouter(tags=["figures"])


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(request: Request, ken: Opened, principal: Operating) -> Response:
    """In Prometheus's text form, since the start of this process: questions, times, calls, dependencies, the recorder."""
    _ = principal
    registry: CollectorRegistry | None = getattr(request.app.state, "metrics", None)
    if registry is None:
        registry = request.app.state.metrics = registered(ken)
    text = await anyio.to_thread.run_sync(generate_latest, registry)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def registered(ken: Ken) -> CollectorRegistry:
    """Everything of a home that is scraped."""
    registry = CollectorRegistry(auto_describe=False)
    aggregator = ken.recording.aggregator
    registry.register(
        Exposition(
            Sources(
                version=package.__version__,
                release=ken.assistant.parts.release.id,
                started_at=ken.traffic.since,
                totals=aggregator.totals,
                other=lambda: aggregator.other,
                recorder=ken.recorder.stats,
                vitals=lambda: ken.providers.stacks.vitals.all,
                corpus_version=lambda: ken.library.corpus_version,
                sent=lambda: ken.recording.exporter and ken.recording.exporter.stats(),
                received=lambda: ken.reception and ken.reception.stats(),
            )
        )
    )
    return registry
