"""What the embedded index finds by vectors: all of them scored, or a graph asked, under any filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.knowledge.generation import Generation, Generations
from ken.knowledge.generation_folder import GRAPH
from ken.knowledge.index import Asked
from ken.storage.documents import Documents
from ken.storage.sqlite import SqliteDatabase
from tests.knowledge.vectors import (
    DIMENSIONS,
    PASSAGES,
    questions,
    snapshot,
    stage,
    vector_bytes,
    versions_of,
    windows_of,
)

DOCUMENTS = 300
MEMBERS = {f"papers/{number:04d}.md": number for number in range(DOCUMENTS)}
DEPTH = 20
WITH_GRAPH = 1000
"""Windows: fewer than there are here."""


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generations]:
    """Indexes of one database, with a graph."""
    place = tmp_path_factory.mktemp("vectors")
    database = SqliteDatabase(place)
    store = Documents(database)
    stage(store, MEMBERS)
    yield Generations(place / "index", store, DIMENSIONS, graph_from=WITH_GRAPH)
    database.close()


@pytest.fixture(scope="module")
def whole(indexes: Generations) -> Generation:
    """All documents, with a graph."""
    return made(indexes, MEMBERS, "whole")


@pytest.fixture(scope="module")
def scored(indexes: Generations) -> Generation:
    """All documents, without one."""
    return made(replace(indexes, folder=indexes.folder.parent / "scored", graph_from=10**9), MEMBERS, "whole")


def made(indexes: Generations, members: dict[str, int], name: str) -> Generation:
    """Build an index and load it."""
    indexes.build(name, versions_of(members))
    loaded = indexes.load(snapshot(members, name), comparable=frozenset(members))
    assert loaded is not None
    return loaded


def reader(groups: int) -> Principal:
    """Somebody who reads so many of the twenty groups; an operator for all of them."""
    return LOCAL_OPERATOR if groups == 20 else Principal("r", frozenset(f"group-{n}" for n in range(groups)))


def found(index: Generation, vector: NDArray[np.float32], who: Principal) -> NDArray[np.int64]:
    """The rows of the dense list."""
    allowed = index.catalogue.allowed(who, None)
    return index.candidates(Asked((), vector), allowed, depth=DEPTH).rows


def exact(index: Generation, vector: NDArray[np.float32], who: Principal) -> NDArray[np.int64]:
    """The rows that numpy finds among those that may be read, by the vectors as they were staged."""
    products = [windows_of(int(one.version)).astype(np.float32) @ vector for one in index.catalogue.documents]
    scores = np.maximum.reduceat(np.concatenate(products), index.dense.bounds[:-1])
    scores[~index.catalogue.allowed(who, None).documents[index.document]] = -2
    return np.sort(np.argsort(-scores, kind="stable")[:DEPTH])


def recall(index: Generation, who: Principal, count: int = 25) -> float:
    """The share of the exact rows that is found."""
    pairs = [(exact(index, vector, who), found(index, vector, who)) for vector in questions(count)]
    return float(np.mean([len(np.intersect1d(*pair)) / DEPTH for pair in pairs]))


@pytest.mark.parametrize("groups", [1, 2, 5, 20])
def test_without_a_graph_the_closest_are_found_under_any_filter(scored: Generation, groups: int) -> None:
    """However few may be read, the rows are those that numpy finds among them."""
    for vector in questions(25):
        assert np.array_equal(found(scored, vector, reader(groups)), exact(scored, vector, reader(groups)))


@pytest.mark.parametrize("groups", [1, 2, 5, 10, 20])
def test_a_graph_finds_nearly_all_and_nothing_forbidden(whole: Generation, groups: int) -> None:
    """Whether a filter leaves little, some or all, as many rows as are wanted come, all of them allowed, hardly one missing."""
    who = reader(groups)
    allowed = whole.catalogue.allowed(who, None).documents[whole.document]
    for vector in questions(25):
        rows = found(whole, vector, who)
        assert len(rows) == DEPTH
        assert allowed[rows].all()
    assert whole.dense.graph is not None
    assert recall(whole, who) >= 0.98


def test_where_the_near_ones_are_all_forbidden_the_rest_is_scored(indexes: Generations) -> None:
    """A filter that leaves half, but none of what a graph finds near the question, hides nothing that it lets through."""
    members = {f"papers/{number:04d}.md": number for number in range(200)}
    mirrored = {f"papers/{number:04d}.md": number for number in range(200, 300)}
    index = made(indexes, members | mirrored, "halves")
    allowed = replace(
        index.catalogue.allowed(LOCAL_OPERATOR, None), key="far", documents=np.zeros(DOCUMENTS, dtype=np.bool_)
    )
    for vector in questions(10):
        scores = np.array([float((windows_of(n).astype(np.float32) @ vector).max()) for n in range(DOCUMENTS)])
        mask = np.zeros(DOCUMENTS, dtype=np.bool_)
        mask[np.argsort(scores)[:90]] = True
        far = replace(allowed, key=mask.tobytes(), documents=mask)
        rows = index.candidates(Asked((), vector), far, depth=DEPTH).rows
        assert len(rows) == DEPTH
        assert mask[index.document[rows]].all()


def test_fewer_than_wanted_are_all_of_them(whole: Generation) -> None:
    """Who may read one document gets its passages; who may read none, none."""
    allowed = whole.catalogue.allowed(LOCAL_OPERATOR, None)
    for count in (0, 1):
        mask = np.zeros(DOCUMENTS, dtype=np.bool_)
        mask[:count] = True
        few = replace(allowed, key=count, documents=mask)
        assert len(whole.candidates(Asked((), questions(1)[0]), few, depth=DEPTH).rows) == count * PASSAGES


@pytest.mark.parametrize(("removed", "added"), [(6, 0), (3, 12), (0, 8), (150, 0)])
def test_a_graph_is_taken_over_and_keeps_nothing_of_the_deleted(
    indexes: Generations, whole: Generation, removed: int, added: int
) -> None:
    """After documents came and went the new index finds as well, and holds no vector of those that went, in any file."""
    assert whole.dense.graph is not None
    members = dict(list(MEMBERS.items())[removed:])
    new = {f"papers/{number:04d}.md": number for number in range(1000, 1000 + added)}
    stage(indexes.store, new)
    index = made(indexes, members | new, f"after-{removed}-{added}")
    assert recall(index, LOCAL_OPERATOR) >= 0.98
    for content in list(new.values())[:2]:
        row = found(index, windows_of(content)[0].astype(np.float32), LOCAL_OPERATOR)
        assert content in {int(index.catalogue.documents[index.document[one]].version) for one in row}
    data = [path.read_bytes() for path in (indexes.folder / index.name).iterdir()]
    for content in {0, removed // 2} if removed else ():
        assert not any(vector in one for vector in vector_bytes(content) for one in data)
    assert all(any(vector in one for one in data) for vector in vector_bytes(removed))


@pytest.mark.parametrize("damage", ["cut short", "a bit turned", "gone", "another graph"])
def test_a_damaged_graph_is_not_searched(indexes: Generations, tmp_path: Path, damage: str) -> None:
    """An index whose graph isn't as it was written isn't loaded, so that it is built anew; then it is found again."""
    own = replace(indexes, folder=tmp_path)
    made(own, MEMBERS, "one")
    graph = tmp_path / "one" / GRAPH
    data = bytearray(graph.read_bytes())
    match damage:
        case "cut short":
            graph.write_bytes(data[:-9])
        case "a bit turned":
            data[-100] ^= 4
            graph.write_bytes(data)
        case "gone":
            graph.unlink()
        case _:
            graph.write_bytes(data[::-1])
    assert own.load(snapshot(MEMBERS, "one"), comparable=frozenset(MEMBERS)) is None
    own.discard("one")
    assert recall(made(own, MEMBERS, "one"), LOCAL_OPERATOR, 10) >= 0.98
