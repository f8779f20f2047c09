"""A rehearsal: the documents that a home serves, cut and embedded in another way, in a folder of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio.to_thread

from ken.domain.document import Document
from ken.errors import StorageError, Unreadable
from ken.knowledge.chunkers.chunker import Chunking
from ken.knowledge.corpus import Corpus
from ken.knowledge.generation import Generations, generation_name
from ken.knowledge.ingest import Ingest
from ken.models.protocols import Embedder
from ken.storage.documents import Documents, Snapshot
from ken.storage.sqlite import SqliteDatabase

Tick = Callable[[int, int], None]
"""Called after each document with the number done and the number of all."""


@asynccontextmanager
async def rehearsal(
    corpus: Corpus, ingest: Ingest, *, plan: Chunking, folder: Path, embedder: Embedder, tick: Tick
) -> AsyncGenerator[Corpus]:
    """Lend the documents of `corpus`, which `ingest` made, as they would be if they were cut by `plan`.

    Only read is done there; everything that this writes lies in `folder`, which is the caller's to delete. Raises
    StorageError, ModelError.
    """
    database = await anyio.to_thread.run_sync(SqliteDatabase, folder)
    try:
        store = Documents(database)
        other = replace(ingest, store=store, embedder=embedder, plan=plan)
        made: list[Document] = []
        documents = corpus.index.catalogue.documents
        for number, document in enumerate(documents, start=1):
            try:
                version = await other.cut_again(document, await ingest.parsed(document))
                made.append(replace(document, version=version))
            except Unreadable:  # this way of cutting finds nothing to show in it
                pass
            tick(number, len(documents))
        indexes = Generations(folder / "index", store, embedder.dimensions)
        versions = {document.id: document.version for document in made}
        name = generation_name(versions, other.configuration)
        await anyio.to_thread.run_sync(indexes.build, name, versions)
        load = partial(indexes.load, Snapshot(corpus.corpus_version, name, tuple(made)), comparable=frozenset(versions))
        index = await anyio.to_thread.run_sync(load)
        if index is None:
            raise StorageError(f"The index in {str(folder)!r} went away while it was made. Start again.")
        yield replace(corpus, index=index, embed=embedder.embed_question)
    finally:
        await anyio.to_thread.run_sync(database.close)
