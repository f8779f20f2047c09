"""`ken up` without the record of traces, to measure what the record costs: its queue takes none. Arguments: home, port."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn

from ken.gateway.plain import PlainGateway
from ken.service.app import build
from ken.settings import load
from ken.telemetry.recorder import Recorder
from ken.telemetry.waiting import Bounds
from ken.wiring import open_home


async def main(home: Path, port: int) -> None:
    """Serve until a signal comes."""
    ken = await open_home(load(home, port=port))
    recorder = Recorder(ken.recording.record, bounds=Bounds(traces=0, rows=0))
    models = {name: model for name, model in ken.providers.models.items() if name not in ken.readers}
    plain = PlainGateway(models, tiers=ken.providers.tiers, recorder=recorder, release="unrecorded")
    app = build(replace(ken, plain=plain))
    await uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False)).serve()
    recorder.close()
    await ken.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
