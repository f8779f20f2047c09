"""Both stores do the same: the embedded one, and PostgreSQL with pgvector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psycopg
import pytest

from ken.domain.document import Evidence
from ken.domain.principal import Principal
from ken.errors import NotFound
from ken.knowledge.index import Asked, Term
from ken.knowledge.postgres_index import PostgresIndex
from ken.text.tokens import terms
from ken.wiring import Ken
from tests.knowledge.homes import OPERATOR, PAPERS, found, fresh, opened, sync
from tests.knowledge.test_ranking import paper

PILOTS = Principal("pilot", frozenset({"pilots"}))
HARBOUR = PAPERS | {f"log/{number}.md": paper(number) for number in range(8)}
CHART = "---\ngroups: [pilots]\n---\n# Chart\n\nThe sandbank by the old lighthouse has moved; keep the ferry to the north of it.\n"


@dataclass(frozen=True)
class Store:
    """One of the two stores, empty, and the folder that documents come from."""

    home: Path
    folder: Path
    url: str | None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Ken]:
        """A Ken over this store; several at once are replicas."""
        async with opened(self.home, **({"database_url": self.url} if self.url else {})) as ken:
            yield ken


@pytest.fixture(params=["embedded", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, made: Path) -> Store:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    return Store(fresh(tmp_path / "home", made), tmp_path / "papers", url)


def scores(evidence: Evidence) -> tuple[float, ...]:
    """What a store gives, and what ranking makes of it."""
    return evidence.lexical, evidence.dense, evidence.coverage, evidence.fused, evidence.relevance


async def test_both_stores_find_the_same_with_the_same_scores(tmp_path: Path, made: Path, postgres_url: str) -> None:
    """Passages, their order, their scores and their sentences don't depend on where the index lies."""
    embedded = Store(fresh(tmp_path / "one", made), tmp_path / "papers", None)
    shared = Store(fresh(tmp_path / "two", made), tmp_path / "papers", postgres_url)
    async with embedded.open() as one, shared.open() as two:
        for ken in (one, two):
            await sync(ken, embedded.folder, HARBOUR)
        for question in ("When does the ferry leave?", "rope rope winch", "sandwich", "bosun lantern SEV-3", "?"):
            first = (await one.library.search(question, OPERATOR, limit=50)).evidence
            second = (await two.library.search(question, OPERATOR, limit=50)).evidence
            assert [each.passage.id for each in first] == [each.passage.id for each in second], question
            for left, right in zip(first, second, strict=True):
                assert scores(left) == pytest.approx(scores(right), rel=1e-3, abs=2e-3)
                assert [(each.text, each.start) for each in left.sentences] == [
                    (each.text, each.start) for each in right.sentences
                ]
                assert replace(left.passage, version="") == replace(right.passage, version="")


async def test_what_may_not_be_read_is_not_found(store: Store) -> None:
    """Permissions filter before anything is ranked or counted."""
    async with store.open() as ken:
        await sync(ken, store.folder, HARBOUR | {"chart.md": CHART})
        question = "Where is the sandbank by the old lighthouse?"
        assert (await found(ken, question, PILOTS))[0] == "chart.md"
        stranger = await ken.library.search(question, Principal("stranger"), limit=50)
        assert stranger.evidence
        assert "papers/chart.md" not in {each.document.id for each in stranger.evidence}
        assert stranger.candidates < (await ken.library.search(question, PILOTS, limit=50)).candidates


async def test_a_changed_and_a_deleted_document(store: Store) -> None:
    """What a sync changed is found as it is now; what it deleted is found no more."""
    async with store.open() as ken:
        await sync(ken, store.folder, HARBOUR)
        (store.folder / "bakery.md").unlink()
        await sync(ken, store.folder, {"ferry.md": "# Ferry\n\nThe ferry is laid up until spring.\n"})
        assert (await found(ken, "Is the ferry laid up until spring?"))[0] == "ferry.md"
        assert "bakery.md" not in await found(ken, "rye bread and poppy rolls", limit=50)
        best = (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0]
        assert "06:40" not in best.passage.text


async def test_an_older_snapshot_is_searched_again(store: Store) -> None:
    """Going back brings the old text and the old index; going forward again, the new ones."""
    async with store.open() as ken:
        await sync(ken, store.folder, PAPERS)
        before = ken.library.corpus_version
        await sync(ken, store.folder, {"ferry.md": "# Ferry\n\nThe ferry is laid up until spring.\n"})
        await ken.library.use(before)
        best = (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0]
        assert "06:40" in best.passage.text
        await ken.library.use(None)
        best = (await ken.library.search("When does the ferry leave?", OPERATOR)).evidence[0]
        assert "laid up" in best.passage.text


async def test_a_collection_is_searched_alone(store: Store) -> None:
    """A search in one collection finds nothing of another one, and one that isn't there holds nothing."""
    async with store.open() as ken:
        await sync(ken, store.folder, PAPERS)
        await sync(ken, store.folder.with_name("log"), {"ferry.md": paper(3)}, collection="log")
        inside = await ken.library.search("ferry", OPERATOR, collections=frozenset({"log"}), limit=50)
        assert {each.document.collection for each in inside.evidence} == {"log"}
        nowhere = await ken.library.search("ferry", OPERATOR, collections=frozenset({"nowhere"}))
        assert not nowhere.evidence


async def test_a_replica_sees_what_another_one_synced(tmp_path: Path, made: Path, postgres_url: str) -> None:
    """Two processes over one database, each with a home of its own, search the same corpus."""
    folder = tmp_path / "papers"
    one = Store(fresh(tmp_path / "one", made), folder, postgres_url)
    two = Store(fresh(tmp_path / "two", made), folder, postgres_url)
    async with one.open() as first, two.open() as second:
        await sync(first, folder, PAPERS)
        assert (await found(second, "rye bread"))[0] == "bakery.md"
        (folder / "bakery.md").unlink()
        await sync(second, folder)
        assert "bakery.md" not in await found(first, "rye bread", limit=50)
        with pytest.raises(NotFound):
            await first.library.document("papers/bakery.md", OPERATOR)


async def test_an_index_that_was_damaged_is_made_again(tmp_path: Path, made: Path, postgres_url: str) -> None:
    """Half an index in PostgreSQL, as another program may leave it, is noticed when it is loaded."""
    store = Store(fresh(tmp_path / "home", made), tmp_path / "papers", postgres_url)
    async with store.open() as ken:
        await sync(ken, store.folder, PAPERS)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DELETE FROM index_documents WHERE document_id = 'papers/ferry.md'")
    async with store.open() as ken:
        assert (await found(ken, "When does the ferry leave?"))[0] == "ferry.md"


async def test_the_graph_keeps_to_the_filter(tmp_path: Path, made: Path, postgres_url: str) -> None:
    """With more vectors than are compared one by one, pgvector's graph gives as many as asked for, of allowed documents."""
    store = Store(fresh(tmp_path / "home", made), tmp_path / "papers", postgres_url)
    closed = {f"closed/{number}.md": f"---\ngroups: [pilots]\n---\n{paper(number)}" for number in range(20, 50)}
    async with store.open() as ken:
        await sync(ken, store.folder, HARBOUR | closed)
        index = (await ken.library.corpus()).index
        assert isinstance(index, PostgresIndex)
        graph = replace(index, tables=replace(index.tables, exact_windows=0))
        graph.tables.finish("graph", {}, arrays={})
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            # For so few vectors the planner would rather read them all than ask the graph.
            for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
                connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting} = off")  # type: ignore[call-overload]
        index.tables.database.close()
        vector = (await ken.library.ingest.embedder.embed(["Where is the capstan?"]))[0]
        asked = Asked(tuple(Term(term) for term in terms("zeppelin")), vector)
        for principal in (OPERATOR, Principal("stranger")):
            allowed = index.catalogue.allowed(principal, None)
            exact = index.candidates(asked, allowed, depth=10)
            approximate = graph.candidates(asked, allowed, depth=10)
            assert allowed.documents[approximate.documents].all()
            assert len(np.intersect1d(exact.rows, approximate.rows)) >= 9
