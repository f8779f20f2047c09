"""The part of the composition root that makes the library: the documents, their index, the embedder and the reranker."""

from __future__ import annotations

from functools import partial

import anyio.to_thread

from ken.embedders import open_spaces, reranking
from ken.errors import InvalidSetting
from ken.gateway.cache.semantic import SemanticCache
from ken.gateway.stack import Stacks
from ken.knowledge.commit import Committer
from ken.knowledge.confirmed import ConfirmedQuestions
from ken.knowledge.generation import Generations
from ken.knowledge.index import Indexes
from ken.knowledge.ingest import Ingest
from ken.knowledge.late import LateInteraction
from ken.knowledge.library import Library
from ken.knowledge.parse.parser import IsolatedParser
from ken.knowledge.postgres_index import PostgresIndexes
from ken.knowledge.rerank import Reranking
from ken.models.minilm import MiniLM
from ken.settings import Settings
from ken.storage.confirmed import ConfirmedAnswers
from ken.storage.documents import Documents
from ken.storage.embedders import EmbedderBook
from ken.storage.erasure import Erasure
from ken.storage.passage_tables import PassageTables
from ken.storage.postgres import PostgresDatabase
from ken.storage.snapshots import Retention, Snapshots
from ken.storage.sources import Sources
from ken.stores import Store


async def open_library(
    settings: Settings, shared: Store, *, local: MiniLM, cache: SemanticCache, stacks: Stacks
) -> Library:
    """The documents, with the embedder that they have vectors of. Raises StorageError, ModelError, InvalidSetting."""
    database = shared.database
    store = Documents(database)
    spaces, embedder = await open_spaces(
        settings.embedder,
        local=local,
        book=EmbedderBook(database),
        has_documents=bool(await anyio.to_thread.run_sync(store.all_versions)),
        indexes_of=partial(_indexes, settings, shared, store),
        stacks=stacks,
    )
    parser = IsolatedParser(max_file_mb=settings.max_file_mb, ocr=settings.ocr)
    committer = Committer(
        home=settings.home,
        locks=shared.locks,
        store=store,
        snapshots=Snapshots(database),
        ingest=Ingest(store, parser, embedder, local, settings.search.chunking),
        indexes=await anyio.to_thread.run_sync(spaces.indexes, embedder),
        erasure=Erasure(database),
        retention=Retention(snapshots=settings.keep_snapshots, days=settings.keep_days),
        spaces=spaces,
        answers=cache.answers,
        forget=cache.forget,
    )
    max_bytes = settings.max_file_mb * 1_000_000
    library = Library(
        settings.home, store, Sources(database), committer, shared.originals, max_bytes, settings.search.options
    )
    if settings.reranker is not None:
        library.reranking = reranking(settings.reranker, tokens=local, stacks=stacks)
    elif settings.search.reread:
        library.reranking = Reranking(LateInteraction(local), candidates=settings.search.reread)
    if settings.search.confirmed:
        library.confirmed = ConfirmedQuestions(ConfirmedAnswers(database))
    return library


def _indexes(settings: Settings, shared: Store, store: Documents, dimensions: int, first_pass: int | None) -> Indexes:
    """Indexes lie where the documents do. Raises InvalidSetting."""
    if not isinstance(shared.database, PostgresDatabase):
        return Generations(settings.home / "index", store, dimensions, first_pass=first_pass)
    if first_pass is not None:
        raise InvalidSetting(
            "first_pass_dimensions is for the index in the home, and this one is in PostgreSQL. Remove it from [embedder]."
        )
    return PostgresIndexes(PassageTables(shared.database, dimensions), store)
