"""Clusters of questions: made once out of the first ones, kept, and compared between weeks."""

from __future__ import annotations

import numpy as np

from ken.domain.rollup import DAY
from ken.domain.trace import Span
from ken.storage.database import Database
from ken.storage.facts import HomeFacts
from ken.storage.rollups import Rollups
from ken.telemetry.figures import RollupFigures
from ken.telemetry.rollup import Aggregator
from ken.telemetry.topics import FIRST, Topics
from tests.telemetry.folding import a_recorded

SPACE = "minilm:v1"
MONDAY = 1_757_894_400.0


def asked(about: int, dice: np.random.Generator) -> np.ndarray:
    """The vector of a question about one of eight things."""
    vector = dice.normal(0, 0.05, 64)
    vector[about * 8 : about * 8 + 3] += 1.0
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def settled(database: Database, dice: np.random.Generator) -> Topics:
    topics = Topics(HomeFacts(database), dice=lambda: np.random.default_rng(3))
    for number in range(FIRST):
        assert topics.of(asked(number % 8, dice), space=SPACE) == ""
    assert topics.settle()
    return topics


def test_questions_about_one_thing_are_of_one_cluster(database: Database) -> None:
    """And those about others of others; what was not fitted falls where its like does."""
    dice = np.random.default_rng(1)
    topics = settled(database, dice)
    seen = [{topics.of(asked(about, dice), space=SPACE) for _ in range(30)} for about in range(8)]
    assert sum(len(each) for each in seen) == len(set().union(*seen))


def test_clusters_outlive_the_process_and_are_every_replicas(database: Database) -> None:
    """They are kept once; another embedder's vectors are not measured by them."""
    dice = np.random.default_rng(2)
    first = settled(database, dice)
    other = Topics(HomeFacts(database))
    probe = asked(3, dice)
    assert other.of(probe, space=SPACE) == ""
    assert not other.settle()
    assert other.of(probe, space=SPACE) == first.of(probe, space=SPACE) != ""
    assert other.of(probe, space="another") == ""
    assert not other.settle()


def test_a_week_of_other_topics_is_told(database: Database) -> None:
    """The index is near 0 while people ask as before, and high when half of them ask of one thing."""
    dice = np.random.default_rng(4)
    topics, aggregator, kept = settled(database, dice), Aggregator(), Rollups(database)
    for day in (0, 7, 14):
        for number in range(400):
            about = 5 if day == 14 and number % 2 else number % 8
            topic = topics.of(asked(about, dice), space=SPACE)
            at = MONDAY + day * DAY + number
            span = Span(
                id="a" * 16, parent_id=None, name="retrieve", started_at=at, ended_at=at, attributes=(("topic", topic),)
            )
            aggregator.fold(a_recorded(number + 1, at=at, spans=(span,)))
    kept.add(aggregator.take())
    figures = RollupFigures(kept)
    same, changed = (
        figures.whole("topic_shift", since=MONDAY + day * DAY, until=MONDAY + (day + 1) * DAY)[""].value
        for day in (7, 14)
    )
    assert same is not None
    assert same < 0.1
    assert (changed or 0) > 0.25
