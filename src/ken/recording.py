"""The part of the composition root that makes the record: its writer, what else is told of traces, and what takes things off it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ken.gateway.cache.semantic import SemanticCache
from ken.settings import Settings
from ken.storage.database import Database
from ken.storage.erasure import Erasure
from ken.storage.facts import HomeFacts
from ken.storage.feedback import FeedbackBook
from ken.storage.forgetting import Forgetting
from ken.storage.ledger import Ledger
from ken.storage.markers import Markers
from ken.storage.record import Record
from ken.storage.record_overview import RecordOverview
from ken.storage.record_state import RecordState
from ken.storage.rollups import Rollups
from ken.telemetry.event_sink import EventSink
from ken.telemetry.events import FOLDER, EventFiles, EventLog, Stdout
from ken.telemetry.figures import RollupFigures
from ken.telemetry.preparing import Preparing
from ken.telemetry.reactions import Reactions
from ken.telemetry.recorder import Outlets, Recorder
from ken.telemetry.redacting import Redactor
from ken.telemetry.removal import Removal
from ken.telemetry.retention import Retention
from ken.telemetry.rollup import Aggregator
from ken.telemetry.sink import Sink
from ken.telemetry.topics import Topics

if TYPE_CHECKING:
    from ken.telemetry.otel.exporter import OtlpExporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything that writes the record or takes something off it."""

    recorder: Recorder
    exporter: OtlpExporter | None
    """Sends traces to a collector, where one is named."""
    record: Record
    redactor: Redactor
    """What takes secrets out of texts that are written elsewhere: what a person says of an answer, spans of other services."""
    aggregator: Aggregator
    """Counts traces; gauges are sampled into it. `recorder.stir` has it written."""
    rollups: Rollups
    figures: RollupFigures
    markers: Markers
    topics: Topics
    reactions: Reactions
    events: EventLog
    retention: Retention
    removal: Removal
    forgetting: Forgetting
    overview: RecordOverview
    state: RecordState
    ledger: Ledger
    files: EventFiles | None
    """Of the events, where they go into files."""

    def events_bytes(self) -> int:
        """The bytes of the event files."""
        return 0 if self.files is None else self.files.size()


def open_recording(settings: Settings, database: Database, *, cache: SemanticCache) -> Recording:
    """The record of a home. What is deleted from it is dropped from the answer cache, too."""
    capture = settings.capture
    rules = capture.rules
    record, state, ledger = Record(database, rules), RecordState(database), Ledger(database)
    forgetting = Forgetting(database, rules)
    rollups = Rollups(database)
    redactor, aggregator = Redactor(capture.redact), Aggregator()
    events, event_sink, files = _events(settings)
    overview = RecordOverview(database)
    exporter = _exporter(settings)
    recorder = Recorder(
        record,
        preparing=Preparing(redactor=redactor, rules=rules),
        outlets=Outlets(aggregates=aggregator, sinks=(*event_sink, *([exporter] if exporter else [])), losses=state),
    )
    return Recording(
        recorder=recorder,
        exporter=exporter,
        record=record,
        redactor=redactor,
        aggregator=aggregator,
        rollups=rollups,
        figures=RollupFigures(rollups),
        markers=Markers(database),
        topics=Topics(HomeFacts(database)),
        reactions=Reactions(record, FeedbackBook(database), recorder=recorder, redactor=redactor, events=events),
        events=events,
        retention=Retention(forgetting, ledger, state=state, rules=rules),
        removal=Removal(
            forgetting,
            overview,
            ledger=ledger,
            erasure=Erasure(database),
            answers=cache.answers,
            drop=cache.drop,
        ),
        forgetting=forgetting,
        overview=overview,
        state=state,
        ledger=ledger,
        files=files,
    )


def _events(settings: Settings) -> tuple[EventLog, tuple[Sink, ...], EventFiles | None]:
    """Where events go, and the sink that makes them of traces; without either where they are off."""
    capture = settings.capture
    if capture.events == "off":
        return EventLog(None), (), None
    if capture.events == "stdout":
        log = EventLog(Stdout(), policy=capture.redact)
        return log, (EventSink(log),), None
    files = EventFiles(settings.home / FOLDER, capture.event_bounds)
    log = EventLog(files, policy=capture.redact)
    return log, (EventSink(log, close=files.close),), files


def _exporter(settings: Settings) -> OtlpExporter | None:
    """What sends traces over the network."""
    destination = settings.telemetry.destination
    if destination is None:
        return None
    from ken.telemetry.otel.exporter import OtlpExporter  # noqa: PLC0415 - most homes send nothing anywhere

    return OtlpExporter(destination)
