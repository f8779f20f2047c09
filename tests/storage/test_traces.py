from __future__ import annotations

import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ken.domain.conversation import Turn
from ken.domain.trace import Feedback
from ken.errors import InvalidInput, NotFound
from ken.storage.answer_json import dump_citations, load_citations
from ken.storage.conversations import Conversations
from ken.storage.database import Database
from ken.storage.feedback import FeedbackBook
from ken.storage.forgetting import WITHDRAWN, Forgetting, of_documents
from ken.storage.record import Record
from ken.storage.schema import feedback
from ken.storage.trace_rows import NO_LONGER_KEPT
from ken.storage.traces import Traces
from ken.telemetry.capture import DAY_S, CaptureRules
from tests.storage.samples import ADA, BEN, OPERATOR, a_citation, a_passage, a_trace, count, kept, put, set_corpus


def test_a_trace_is_read_as_it_was_added(database: Database) -> None:
    """Every field, span, attribute and passage comes back, of its own type and in its order."""
    traces = Traces(database)
    trace = a_trace(cost_micros=2**40, error="Ärger: 日本語", ttft_ms=None)
    assert put(database, trace) == 1
    read = traces.get(trace.id, ADA)
    assert read == trace
    assert [type(value) for _, value in read.spans[1].attributes] == [int, float, bool, str, type(None)]
    assert load_citations(read.citations) == (a_citation("handbook/leave.md"),)


def test_adding_a_trace_again_changes_nothing(database: Database) -> None:
    """Of several traces under one id the first stays, whole, in one batch as over several."""
    traces = Traces(database)
    first, second = a_trace(1), a_trace(1, answer="another", spans=(), evidence=())
    assert put(database, first, second, a_trace(2)) == 2
    assert put(database, second) == 0
    assert traces.get(first.id, ADA) == first
    assert traces.exists(first.id)
    assert not traces.exists(a_trace(3).id)


def test_a_batch_is_added_whole_or_not_at_all(database: Database) -> None:
    """When one trace of a batch can't be written, none is."""
    traces = Traces(database)
    broken = a_trace(2)
    with pytest.raises(InvalidInput, match="not unique"):
        put(database, a_trace(1), a_trace(2, spans=(*broken.spans, broken.spans[0])))
    assert not traces.exists(a_trace(1).id)


def test_a_trace_is_seen_by_its_asker_and_by_operators(database: Database) -> None:
    """Anybody else's trace looks like none, alone, in lists and as the latest."""
    traces = Traces(database)
    trace = a_trace()
    put(database, trace)
    assert traces.get(trace.id, ADA) == traces.get(trace.id, OPERATOR) == trace
    assert len(traces.list(OPERATOR).entries) == len(traces.list(ADA).entries) == 1
    assert traces.list(BEN).entries == ()
    with pytest.raises(NotFound) as hidden:
        traces.get(trace.id, BEN)
    with pytest.raises(NotFound) as absent:
        traces.get("f" * 32, BEN)
    assert str(hidden.value).replace(trace.id, "f" * 32) == str(absent.value)


def test_the_latest_trace_is_of_ones_own_last_question(database: Database) -> None:
    """An operator's latest is not what somebody else asked meanwhile."""
    traces = Traces(database)
    put(database, a_trace(2), a_trace(1), a_trace(3, principal="olga"), a_trace(4, principal="ben"))
    assert traces.latest(ADA) == a_trace(2)
    assert traces.latest(OPERATOR).id == a_trace(3).id
    with pytest.raises(NotFound, match="not asked anything"):
        Traces(database).latest(type(ADA)("nobody"))


def test_the_list_comes_page_by_page_and_by_outcome(database: Database) -> None:
    """Pages go from new to old without spans and passages; an outcome narrows them; equal times lose nothing."""
    traces = Traces(database)
    put(database, *(a_trace(n, started_at=float(n // 3), outcome="failed" if n % 2 else "answered") for n in range(10)))
    numbers: list[int] = []
    before = None
    while True:
        page = traces.list(ADA, limit=4, before=before)
        assert all(entry.spans == () and entry.evidence == () for entry in page.entries)
        numbers += [int(entry.id, 16) for entry in page.entries]
        before = page.before
        if before is None:
            break
    assert numbers == list(range(9, -1, -1))
    assert [int(entry.id, 16) for entry in traces.list(ADA, outcome="failed").entries] == [9, 7, 5, 3, 1]


def test_traces_are_thinned_by_their_tier_in_steps(database: Database) -> None:
    """Texts, spans and passages go with the tier's time and leave nothing on the disk; the figures stay, then go, too."""
    traces, forgetting = Traces(database), Forgetting(database, CaptureRules())
    now = time.time()
    old = [a_trace(n, started_at=now - 2 * DAY_S, answer=f"5ecret {n}", prompt="5ecret") for n in range(1, 600)]
    whole, young = replace(old[0], id=f"{8000:032x}", capture="full"), a_trace(9000, started_at=now - 10)
    put(database, *old, whole, young)
    FeedbackBook(database).put(Feedback(trace_id=old[0].id, principal="ada", helpful=False, reason="no", at=now))
    steps = [forgetting.thin(now, most=250) for _ in range(3)]
    assert [(step.thinned, step.deleted, step.more) for step in steps] == [
        (250, 0, True),
        (250, 0, True),
        (99, 0, False),
    ]
    assert traces.get(whole.id, OPERATOR) == whole
    assert traces.get(young.id, ADA) == young
    left = traces.get(old[0].id, OPERATOR)
    emptied = replace(old[0], question=NO_LONGER_KEPT, answer=NO_LONGER_KEPT, prompt="", citations="[]")
    assert left == replace(emptied, spans=(), evidence=(), capture="metrics")
    assert [count(database, table) for table in ("traces", "span_batches", "traced_passages", "feedback")] == [
        601,
        2,
        4,
        1,
    ]
    assert kept(database, "5ecret 5") == []
    assert forgetting.thin(now + 500 * DAY_S).more
    while forgetting.thin(now + 900 * DAY_S).more:
        pass
    assert [count(database, table) for table in ("traces", "trace_details", "named_documents", "feedback")] == [
        0,
        0,
        0,
        0,
    ]


def test_what_somebody_found_helpful_outlives_the_grace_period(database: Database) -> None:
    """Confirmed answers lead later searches: they are kept as full traces are, and say why."""
    now = time.time()
    trace = a_trace(1, started_at=now - 2 * DAY_S)
    put(database, trace)
    record, forgetting = Record(database, CaptureRules()), Forgetting(database, CaptureRules())
    record.react(trace.id, lambda said: replace(said, helpful=True))
    assert forgetting.thin(now).thinned == 0
    assert Traces(database).get(trace.id, ADA).answer == trace.answer
    assert forgetting.thin(now + 89 * DAY_S).thinned == 1


def test_deleting_a_document_withdraws_the_answers_that_cite_it(database: Database) -> None:
    """The answer and its citations go, in traces and conversations, cached or not; the question and figures stay."""
    traces, conversations = Traces(database), Conversations(database)
    quoting = a_trace(1, answer="5ecret answer", citations=dump_citations([a_citation("handbook/leave.md", "5ecret")]))
    cached = a_trace(2, answer="5ecret again", evidence=(), citations=quoting.citations)
    retrieved_only = a_trace(3, evidence=(a_passage("handbook/leave.md", 0, cited=False),), citations="[]")
    odd = a_trace(4, evidence=(), citations="not JSON")
    put(database, quoting, cached, retrieved_only, odd)
    begun = conversations.create(ADA, "t")
    asked = Turn(role="user", content="What of it?", trace_id=quoting.id, at=1.0)
    told = Turn(role="assistant", content="5ecret answer", trace_id=quoting.id, at=2.0)
    conversations.append(begun.id, ADA, new=[asked, told])
    assert of_documents(database, {"handbook/leave.md"}, most=1) == 2
    for trace in (quoting, cached):
        read = traces.get(trace.id, ADA)
        assert (read.answer, read.citations, read.question) == (WITHDRAWN, "[]", trace.question)
        assert read.evidence == trace.evidence
    for trace in (retrieved_only, odd):
        assert traces.get(trace.id, ADA) == trace
    assert [turn.content for turn in conversations.get(begun.id, ADA).turns] == ["What of it?", WITHDRAWN]
    assert database.scrub()
    assert kept(database, "5ecret") == []


def test_an_answer_overtaken_by_a_deletion_is_withdrawn_as_it_comes_in(database: Database) -> None:
    """A trace that arrives after the deletion of what it cites keeps no quote; one whose documents stayed is whole."""
    traces = Traces(database)
    set_corpus(database, 2, "handbook/pay.md")
    overtaken, sound = a_trace(1), a_trace(2, evidence=(), citations=dump_citations([a_citation("handbook/pay.md")]))
    put(database, overtaken, sound, a_trace(3, corpus_version=2))
    assert traces.get(overtaken.id, ADA).answer == WITHDRAWN
    assert traces.get(sound.id, ADA) == sound
    assert traces.get(a_trace(3).id, ADA).answer == a_trace(3).answer


def test_feedback_is_one_word_of_each_principal(database: Database) -> None:
    """A second word replaces the first, others' words stay beside it, and an unknown trace takes none."""
    put(database, a_trace())
    book = FeedbackBook(database)
    given = [
        Feedback(trace_id=a_trace().id, principal="ada", helpful=False, reason="wrong", at=1.0),
        Feedback(trace_id=a_trace().id, principal="ben", helpful=True, reason="", at=2.0),
        Feedback(trace_id=a_trace().id, principal="ada", helpful=True, reason="was right", at=3.0),
    ]
    for one in given:
        book.put(one)
    assert book.of_trace(a_trace().id) == (given[1], given[2])
    with pytest.raises(NotFound, match="no trace"):
        book.put(Feedback(trace_id="f" * 32, principal="ada", helpful=True, reason="", at=1.0))
    assert book.of_trace("f" * 32) == ()
    with database.read() as connection:
        assert len(connection.execute(sa.select(feedback)).all()) == 2
