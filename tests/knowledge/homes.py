"""Homes for the tests of knowledge: made fast, filled from dictionaries, opened as Ken opens them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.knowledge.sync import SyncReport
from ken.models.protocols import Embedder
from ken.settings import load
from ken.wiring import Ken, open_home

T = TypeVar("T")

ANYBODY = Principal("anybody")
OPERATOR = LOCAL_OPERATOR

FERRY = "# Ferry\n\nThe ferry to the island leaves at 06:40 every morning.\n"
BAKERY = "# Bakery\n\nThe bakery sells rye bread and poppy rolls until noon.\n"
LIBRARY = "# Library\n\nBooks are lent for four weeks and may be renewed twice.\n"
PAPERS = {"ferry.md": FERRY, "bakery.md": BAKERY, "town/library.md": LIBRARY}


def template(place: Path) -> Path:
    """Make a home without documents."""

    async def make() -> None:
        async with opened(place):
            pass

    elsewhere(make)
    shutil.rmtree(place / "index")
    return place


def fresh(place: Path, made: Path) -> Path:
    """A copy of a home made by `template`; the embedder is shared."""
    shutil.copytree(made, place, ignore=shutil.ignore_patterns("models"))
    (place / "models").symlink_to((made / "models").resolve())
    return place


def elsewhere(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a thread whose event loop is nobody else's: for fixtures wider than a test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


@asynccontextmanager
async def opened(home: Path, **settings: object) -> AsyncIterator[Ken]:
    """An opened home, closed at the end of the block."""
    ken = await open_home(load(home, **settings))
    try:
        yield ken
    finally:
        await ken.aclose()


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files, their folders with them."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())


async def sync(ken: Ken, folder: Path, files: Mapping[str, str | bytes] | None = None, **options: Any) -> SyncReport:  # noqa: ANN401 - sync_folder's own
    """Write files into a folder and sync it, as the collection `papers` unless another is named."""
    write(folder, files or {})
    return await ken.library.sync_folder(folder, **{"collection": "papers", **options})


async def found(ken: Ken, query: str, principal: Principal = OPERATOR, **options: Any) -> list[str]:  # noqa: ANN401 - search's own
    """Paths of the documents that a search finds, best first, each once."""
    result = await ken.library.search(query, principal, **options)
    return list(dict.fromkeys(evidence.document.path for evidence in result.evidence))


async def held(ken: Ken) -> dict[str, str]:
    """Version of each document, by id."""
    return {document.id: document.version for document in await ken.library.documents(OPERATOR, limit=1000)}


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    """Added, changed, unchanged, deleted."""
    return report.added, report.changed, report.unchanged, report.deleted


def rows(home: Path, table: str) -> int:
    """How many rows a table of the home's database has."""
    with closing(sqlite3.connect(home / "ken.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - a test's constant


def places_of(home: Path, text: str) -> list[str]:
    """Files of the home, the embedder's aside, that hold `text`, in their bytes or in their name."""
    wanted = text.encode()
    return [
        str(place.relative_to(home))
        for place in home.rglob("*")
        if "models" not in place.parts
        and (wanted in str(place.relative_to(home)).encode() or (place.is_file() and wanted in place.read_bytes()))
    ]


class Counting:
    """The real embedder; counts the texts that it is given."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Count, and embed."""
        self.texts += texts
        return await self._embedder.embed(texts)

    async def embed_question(self, text: str) -> NDArray[np.float32]:
        """Count, and embed."""
        return (await self.embed([text]))[0]

    async def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Count, and embed."""
        self.texts += texts
        return await self._embedder.embed_parts(texts, parts)


class Mirrored(Counting):
    """Another embedder with a vector space of its own: the real one's, each vector back to front."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(embedder)
        self.name = f"mirrored {embedder.name}"

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed, back to front."""
        return np.ascontiguousarray((await super().embed(texts))[:, ::-1])

    async def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embed, back to front."""
        vectors, sums = await super().embed_parts(texts, parts)
        return np.ascontiguousarray(vectors[:, ::-1]), np.ascontiguousarray(sums[:, ::-1])


Wrapped = TypeVar("Wrapped", bound=Counting)


def with_embedder(ken: Ken, kind: type[Wrapped]) -> Wrapped:
    """Give an opened home this embedder in place of its own."""
    embedder = kind(ken.library.ingest.embedder)
    ken.library.committer = replace(
        ken.library.committer, ingest=replace(ken.library.committer.ingest, embedder=embedder)
    )
    ken.library._index = None  # questions are asked of the embedder that an index was loaded with
    return embedder
