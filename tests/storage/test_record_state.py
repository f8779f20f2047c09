from __future__ import annotations

import time

import sqlalchemy as sa

from ken.storage.answers import CachedAnswers
from ken.storage.database import Database
from ken.storage.feedback import FeedbackBook
from ken.storage.forgetting import Forgetting
from ken.storage.record import Record
from ken.storage.record_overview import RecordOverview
from ken.storage.record_state import Loss, RecordState
from ken.storage.traces import Traces
from ken.telemetry.capture import CaptureRules
from ken.telemetry.events import EventLog
from ken.telemetry.preparing import Preparing
from ken.telemetry.reactions import Reactions
from ken.telemetry.recorder import Outlets, Recorder
from ken.telemetry.redacting import Redactor
from ken.telemetry.rollup import Aggregator
from tests.storage.samples import OPERATOR, a_trace

RULES = CaptureRules(sample=0.0)


def test_losses_add_up_over_processes(database: Database) -> None:
    """What several writers lost is one sum by kind, with the time of the last of them."""
    state = RecordState(database)
    assert state.lost() == ()
    state.note_lost({"detail": 3, "row": 1}, at=100.0)
    RecordState(database).note_lost({"detail": 4}, at=200.0)
    state.note_lost({})
    assert state.lost() == (Loss("detail", 7, 200.0), Loss("row", 1, 100.0))
    assert state.last_thinned() is None
    state.note_thinned(300.0)
    state.note_thinned(400.0)
    assert state.last_thinned() == 400.0


def test_the_overview_counts_what_there_is(database: Database) -> None:
    """Traces by tier, how many would be deleted by person, document and age, and how large all of it is."""
    now = time.time()
    preparing = Preparing(rules=RULES)
    batch = [
        preparing.recorded(a_trace(1, started_at=now - 100)),
        preparing.recorded(a_trace(2, started_at=now - 50, outcome="failed")),
        preparing.recorded(a_trace(3, started_at=now, principal="ben")),
        preparing.figures(a_trace(4, started_at=now, principal="ben")),
    ]
    Record(database, RULES).add(batch)
    overview = RecordOverview(database)
    found = overview.read()
    assert found.traces == {"full": 1, "grace": 2, "metrics": 1}
    assert (found.with_texts, found.with_spans) == (3, 3)
    assert found.oldest_at == now - 100
    assert found.database_bytes > 50_000
    assert (overview.of_principal("ada"), overview.of_principal("ben"), overview.of_principal("x")) == (2, 2, 0)
    assert overview.of_document("handbook/leave.md") == 3
    assert overview.older_than(now - 60) == 1
    assert Forgetting(database, RULES).older_than(now - 60).deleted == 1
    assert len(Traces(database).list(OPERATOR).entries) == 3
    assert CachedAnswers(database).asked_by("ada") == ()


def test_reactions_hold_in_every_store(database: Database) -> None:
    """A thumb down, and what a judge gave, stand at the trace and keep it, and what was counted is corrected once."""
    record = Record(database, RULES)
    recorder = Recorder(record, preparing=Preparing(rules=RULES), outlets=Outlets(aggregates=Aggregator()))
    reactions = Reactions(record, FeedbackBook(database), recorder=recorder, redactor=Redactor(), events=EventLog(None))
    recorder.record(a_trace(1))
    assert recorder.flush()
    reactions.scored(a_trace(1).id, quality=1.0, groundedness=4.0)
    reactions.scored(f"{99:032x}", quality=1.0)
    recorder.close()
    kept = Traces(database).get(a_trace(1).id, OPERATOR)
    assert (kept.reaction.quality, kept.reaction.groundedness, kept.capture) == (1.0, 4.0, "full")
    with database.read() as connection:
        rows = connection.scalar(sa.text("SELECT count(*) FROM rollup_deltas"))
    assert rows == 2
