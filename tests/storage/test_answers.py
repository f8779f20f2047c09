from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from ken.domain.answer import Answer, Message, Question
from ken.domain.document import Document
from ken.domain.principal import Principal
from ken.domain.usage import Usage
from ken.storage.answer_json import dump_citations, load_citations
from ken.storage.answers import AnswerCache
from ken.storage.database import Database
from ken.storage.schema import cached_answers
from tests.storage.samples import ADA, BEN, OPERATOR, a_citation, set_corpus

QUESTION = Question(text="What is the notice period?", principal=ADA)
DOCUMENT = Document(
    id="handbook/leave.md",
    collection="handbook",
    path="leave.md",
    source="s",
    title="Leave",
    version="v1",
    media_type="text/markdown",
    markup="markdown",
    groups=frozenset({"people", "everyone"}),
    owner=None,
    effective="2026-01-01",
    review_by=None,
    supersedes=None,
    superseded_by=None,
    characters=12,
    passages=1,
    synced_at=1.5,
)
ANSWER = Answer(
    trace_id="ab" * 16,
    text="Thirty days – „dreißig“ [1].",
    outcome="answered",
    citations=(a_citation("handbook/leave.md"),),
    nearest=(DOCUMENT,),
    notices=("one sentence was left out",),
    conversation_id="c1",
    model="extractive",
    usage=Usage(12, 3, estimated=True),
    cost_micros=None,
    confidence=0.5,
)


def test_an_answer_comes_back_without_who_got_it_first(database: Database) -> None:
    """Text, citations and documents are the same; trace, conversation, usage and cost are not the first asker's."""
    cache = AnswerCache(database)
    key = cache.key(QUESTION, "r1")
    cache.put(key, 7, answer=ANSWER)
    expected = replace(ANSWER, trace_id="", conversation_id=None, usage=Usage(), cost_micros=0, cached=True)
    assert cache.get(key, 7) == expected
    assert cache.get(key, 8) is None
    assert cache.get(cache.key(QUESTION, "r2"), 7) is None


@pytest.mark.parametrize(
    "text", ["what is  the NOTICE period", " What is the notice period?! ", "Ｗhat is\nthe notice period…"]
)
def test_one_question_in_several_spellings_has_one_key(text: str) -> None:
    """Case, white space, compatibility forms and punctuation at the end don't make another question."""
    assert AnswerCache.key(replace(QUESTION, text=text), "r1") == AnswerCache.key(QUESTION, "r1")


@pytest.mark.parametrize(
    "other",
    [
        replace(QUESTION, text="What is the notice period for interns?"),
        replace(QUESTION, principal=BEN),
        replace(QUESTION, principal=OPERATOR),
        replace(QUESTION, history=(Message("user", "I am an intern."),)),
        replace(QUESTION, collections=frozenset({"handbook"})),
        replace(QUESTION, collections=frozenset()),
        replace(QUESTION, model="large"),
        replace(QUESTION, max_tokens=10),
    ],
)
def test_whatever_may_change_the_answer_changes_the_key(other: Question) -> None:
    """Another reader's rights, history, collections, model or length never share an answer."""
    assert AnswerCache.key(other, "r1") != AnswerCache.key(QUESTION, "r1")


def test_who_may_read_the_same_shares_answers() -> None:
    """The key follows the groups, not the person."""
    twin = replace(QUESTION, principal=Principal("ada's twin", ADA.groups))
    assert AnswerCache.key(twin, "r1") == AnswerCache.key(QUESTION, "r1")


@pytest.mark.parametrize("text", ["{}", "not JSON", '{"text": 1}', "[]"])
def test_an_answer_of_another_shape_is_none(database: Database, text: str) -> None:
    """What another version of Ken left in the cache is passed over, and replaced by the next answer."""
    cache = AnswerCache(database)
    cache.put("k", 7, answer=ANSWER)
    with database.write() as connection:
        connection.execute(sa.update(cached_answers).values(answer=text))
    assert cache.get("k", 7) is None
    cache.put("k", 7, answer=ANSWER)
    assert cache.get("k", 7) is not None


def test_answers_of_older_corpora_are_forgotten(database: Database) -> None:
    """After a sync, what was answered before is deleted and what was answered since stays."""
    cache = AnswerCache(database)
    cache.put("old", 7, answer=ANSWER)
    cache.put("new", 8, answer=ANSWER)
    assert cache.forget_before(8) == 1
    assert cache.get("old", 7) is None
    assert cache.get("new", 8) is not None


def test_an_answer_overtaken_by_a_sync_is_not_kept(database: Database) -> None:
    """What was answered from a corpus that has changed meanwhile may quote what was deleted."""
    cache = AnswerCache(database)
    set_corpus(database, 8)
    cache.put("k", 7, answer=ANSWER)
    cache.put("l", 8, answer=ANSWER)
    assert (cache.get("k", 7), cache.get("l", 8) is None) == (None, False)


def test_the_cache_does_not_grow_without_end(database: Database) -> None:
    """Of more answers than it may hold, the oldest go."""
    cache = AnswerCache(database, capacity=50)
    for number in range(200):
        cache.put(str(number), 1, answer=ANSWER)
    kept = [number for number in range(200) if cache.get(str(number), 1) is not None]
    assert kept == list(range(150, 200))


def test_citations_of_another_shape_are_none() -> None:
    """A trace that another version of Ken kept can still be shown, without its citations."""
    assert load_citations('[{"number": 1}]') == ()
    assert load_citations("[]") == ()
    assert load_citations(dump_citations([a_citation("a", "„quoted“")]))[0].quote == "„quoted“"
