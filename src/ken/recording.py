"""The part of the composition root that makes the record: its writer, what else is told of traces, and what takes things off it."""

from __future__ import annotations

from dataclasses import dataclass

from ken.settings import Settings
from ken.storage.database import Database
from ken.storage.feedback import FeedbackBook
from ken.storage.forgetting import Forgetting
from ken.storage.ledger import Ledger
from ken.storage.record import Record
from ken.storage.record_overview import RecordOverview
from ken.storage.record_state import RecordState
from ken.storage.rollups import Rollups
from ken.telemetry.event_sink import EventSink
from ken.telemetry.events import FOLDER, EventFiles, EventLog, Stdout
from ken.telemetry.preparing import Preparing
from ken.telemetry.reactions import Reactions
from ken.telemetry.recorder import Outlets, Recorder
from ken.telemetry.redacting import Redactor
from ken.telemetry.retention import Retention
from ken.telemetry.rollup import Aggregator
from ken.telemetry.sink import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything that writes the record or takes something off it."""

    recorder: Recorder
    record: Record
    redactor: Redactor
    """What takes secrets out of texts that are written elsewhere: what a person says of an answer, spans of other services."""
    aggregator: Aggregator
    """Counts traces; gauges are sampled into it. `recorder.stir` has it written."""
    reactions: Reactions
    events: EventLog
    retention: Retention
    forgetting: Forgetting
    overview: RecordOverview
    state: RecordState
    ledger: Ledger


def open_recording(settings: Settings, database: Database) -> Recording:
    """The record of a home."""
    capture = settings.capture
    rules = capture.rules
    record, state, ledger = Record(database, rules), RecordState(database), Ledger(database)
    forgetting = Forgetting(database, rules)
    redactor, aggregator = Redactor(capture.redact), Aggregator(Rollups(database))
    events, event_sink = _events(settings)
    recorder = Recorder(
        record,
        preparing=Preparing(redactor=redactor, rules=rules),
        outlets=Outlets(aggregates=aggregator, sinks=(*event_sink, *_collectors(settings)), losses=state),
    )
    return Recording(
        recorder=recorder,
        record=record,
        redactor=redactor,
        aggregator=aggregator,
        reactions=Reactions(record, FeedbackBook(database), recorder, redactor=redactor, events=events),
        events=events,
        retention=Retention(forgetting, ledger, state, rules=rules),
        forgetting=forgetting,
        overview=RecordOverview(database),
        state=state,
        ledger=ledger,
    )


def _events(settings: Settings) -> tuple[EventLog, tuple[Sink, ...]]:
    """Where events go, and the sink that makes them of traces; without either where they are off."""
    capture = settings.capture
    if capture.events == "off":
        return EventLog(None), ()
    if capture.events == "stdout":
        log = EventLog(Stdout(), policy=capture.redact)
        return log, (EventSink(log),)
    files = EventFiles(settings.home / FOLDER, capture.event_bounds)
    log = EventLog(files, policy=capture.redact)
    return log, (EventSink(log, close=files.close),)


def _collectors(settings: Settings) -> tuple[Sink, ...]:
    """Where traces go over the network."""
    destination = settings.telemetry.destination
    if destination is None:
        return ()
    from ken.telemetry.otel.exporter import OtlpExporter  # noqa: PLC0415 - most homes send nothing anywhere

    return (OtlpExporter(destination),)
