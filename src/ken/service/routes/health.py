"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ken.domain.principal import LOCAL_OPERATOR
from ken.errors import KenError, ModelError, StorageError
from ken.service.context import Opened
from ken.wiring import Ken

router = APIRouter(tags=["health"])

_PARTS = ("database", "embedder", "index")


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> dict[str, str]:
    """Always `ok` from a living process; looks at nothing."""
    return {"status": "ok"}


@router.get("/readyz", summary="Can it answer?")
async def readyz(ken: Opened, response: Response) -> dict[str, str]:
    """`ok` for each part, or 503 with what the first broken one says: the database, the embedder, the index."""
    broken = await _broken(ken)
    if broken is None:
        return {"status": "ok", **dict.fromkeys(_PARTS, "ok")}
    response.status_code = 503
    part, reason = broken
    return {"status": "unavailable", part: reason}


async def _broken(ken: Ken) -> tuple[str, str] | None:
    """The first part that does not answer, by asking it for something."""
    try:
        await ken.library.status()
    except KenError as error:
        return "database", type(error).__name__
    try:
        await ken.library.search("ready", LOCAL_OPERATOR, limit=1)
    except ModelError as error:
        return "embedder", type(error).__name__
    except StorageError as error:
        return "database", type(error).__name__
    except KenError as error:
        return "index", type(error).__name__
    return None
