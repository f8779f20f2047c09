"""What becomes of traces after they are on record: what is said of them, spans that come late, people who go."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ken.domain.conversation import Turn
from ken.domain.trace import Feedback, Reaction, Span
from ken.errors import NotFound
from ken.storage.conversations import Conversations
from ken.storage.database import Database
from ken.storage.feedback import FeedbackBook
from ken.storage.forgetting import Forgetting, of_documents
from ken.storage.record import Arrived, Record
from ken.storage.span_codec import packed, unpacked
from ken.storage.traces import Traces
from ken.telemetry.capture import DAY_S, CaptureRules
from tests.storage.samples import ADA, BEN, OPERATOR, a_trace, count, put


@pytest.fixture
def record(database: Database) -> Record:
    """The writer."""
    return Record(database, CaptureRules())


def test_what_is_said_of_a_trace_changes_its_figures(database: Database, record: Record) -> None:
    """A thumb down makes it a failure, taking it back a success again; a judge's score stays beside; an unknown trace takes none."""
    put(database, a_trace())
    down = record.react(a_trace().id, lambda said: replace(said, helpful=False))
    assert down is not None
    assert (down.was, down.now) == ("yes", "no")
    judged = record.react(a_trace().id, lambda said: replace(said, quality=2.5))
    assert judged is not None
    assert judged.after.reaction == Reaction(quality=2.5, helpful=False)
    back = record.react(a_trace().id, lambda said: replace(said, helpful=None))
    assert back is not None
    assert (back.was, back.now) == ("no", "yes")
    assert Traces(database).get(a_trace().id, ADA).reaction == Reaction(quality=2.5)
    assert record.react("f" * 32, lambda said: said) is None


def test_of_a_thinned_trace_nothing_is_guessed(database: Database, record: Record) -> None:
    """Late feedback counts; where it is taken back, what the answer was worth is not known any more."""
    put(database, a_trace(1, capture="metrics"))
    down = record.react(a_trace(1).id, lambda said: replace(said, helpful=False))
    back = record.react(a_trace(1).id, lambda said: replace(said, helpful=None))
    assert down is not None
    assert back is not None
    assert (down.was, down.now, back.now) == ("yes", "no", "unknown")
    assert not record.promote(a_trace(1).id, "flagged")


def test_a_promoted_trace_outlives_the_grace_period(database: Database, record: Record) -> None:
    """With its reason, however often it is promoted."""
    now = time.time()
    put(database, a_trace(1, started_at=now - 2 * DAY_S), a_trace(2, started_at=now - 2 * DAY_S))
    assert record.promote(a_trace(1).id, "thumbs_down")
    assert record.promote(a_trace(1).id, "thumbs_down")
    assert not record.promote("f" * 32, "thumbs_down")
    assert Forgetting(database, CaptureRules()).thin(now).thinned == 1
    assert Traces(database).get(a_trace(1).id, ADA).capture == "full"


def test_a_batch_of_spans_comes_back_as_it_was() -> None:
    """Links, attributes of every type, ids that lie and text of any kind; ten spans take less than a kilobyte."""
    spans = a_trace().spans * 5
    odd = replace(spans[0], name="\ud800\0 日本", attributes=(("nan", 1e308), ("text", '"}]\0'), ("big", 2**70)))
    assert unpacked(packed([*spans, odd])) == (*spans, odd)
    assert len(packed(spans)) < 1_000


def test_others_spans_stand_in_the_trace_until_its_texts_go(database: Database, record: Record) -> None:
    """A trace that others began is nobody's question yet; Ken's own takes it over; of thinned ones they are left out."""
    theirs = Span(id="a" * 16, parent_id=None, name="tool", started_at=1001.2, ended_at=1001.4)
    arrived = Arrived(a_trace(1).id, "tools", (theirs,))
    assert record.append_spans([arrived], principal="ben") == 1
    assert not Traces(database).exists(a_trace(1).id)
    assert Traces(database).get(a_trace(1).id, BEN).kind == "external"
    assert put(database, a_trace(1)) == 1
    found = Traces(database).get(a_trace(1).id, ADA)
    assert {span.service for span in found.spans} == {"", "tools"}
    with pytest.raises(NotFound):
        Traces(database).get(a_trace(1).id, BEN)
    put(database, a_trace(2, capture="metrics"))
    assert record.append_spans([replace(arrived, trace_id=a_trace(2).id)], principal="ben") == 0


def test_somebody_who_goes_leaves_nothing(database: Database) -> None:
    """Traces, conversations and feedback of one principal go in steps, also what the disk held; others' stay."""
    talks, book = Conversations(database), FeedbackBook(database)
    put(database, *(a_trace(n) for n in range(1, 8)), a_trace(9, principal="ben"))
    begun = talks.create(ADA, "Leave")
    talks.append(begun.id, ADA, new=[Turn(role="user", content="What of it?", trace_id=a_trace(1).id, at=1.0)])
    book.put(Feedback(trace_id=a_trace(9).id, principal="ada", helpful=True, reason="", at=1.0))
    forgetting = Forgetting(database, CaptureRules())
    steps = [forgetting.of_principal("ada", most=3) for _ in range(3)]
    assert [(step.deleted, step.more) for step in steps] == [(3, True), (3, True), (1, False)]
    assert [entry.principal for entry in Traces(database).list(OPERATOR).entries] == ["ben"]
    assert talks.list(ADA).entries == ()
    assert book.of_trace(a_trace(9).id) == ()
    left = ("trace_details", "span_batches", "traced_passages", "named_documents", "turns")
    assert [count(database, table) for table in left] == [1, 1, 2, 1, 0]


def test_a_prompt_goes_with_what_it_quotes(database: Database) -> None:
    """Also where the answer didn't cite the document, and from the rest of a conversation that repeats the answer."""
    put(
        database,
        a_trace(1, prompt="[1]", conversation_id="talk"),
        a_trace(2, prompt="[2]", conversation_id="talk", evidence=(), citations="[]"),
        a_trace(3, prompt="[3]", evidence=(), citations="[]"),
        replace(a_trace(4, prompt="[4]", citations="[]"), evidence=a_trace().evidence[1:]),
    )
    traces = Traces(database)
    assert traces.get(a_trace(1).id, OPERATOR).prompt == "[1]"
    assert traces.get(a_trace(1).id, ADA).prompt == ""
    assert of_documents(database, {"handbook/leave.md"}) == 1
    assert [traces.get(a_trace(n).id, OPERATOR).prompt for n in (1, 2, 3, 4)] == ["", "", "[3]", "[4]"]
    assert of_documents(database, {"handbook/pay.md"}) == 0
    assert traces.get(a_trace(4).id, OPERATOR).prompt == ""
