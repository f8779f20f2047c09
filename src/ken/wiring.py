"""The composition root: settings become objects. The only file that names concrete classes.

What happens when a dependency fails is decided here, once:

| dependency            | when it fails      | the question                                                       |
|-----------------------|--------------------|--------------------------------------------------------------------|
| database              | closed             | fails with a StorageError                                          |
| index                 | built anew, closed | waits for the build; fails where the index can't be written        |
| embedder              | closed             | Ken doesn't start without the local one; fails with the endpoint's |
|                       |                    | error, as words alone can't tell whether an answer was found; by   |
|                       |                    | policy, the model answers on its own, under a caveat               |
| embedder, while it is | open               | is compared with the old vectors until the new ones are complete   |
| changed               |                    |                                                                    |
| reranker              | open               | is answered in the order of the search, with a notice              |
| model endpoint        | open               | is answered with less and a notice: another model of the tier, the |
|                       |                    | passages quoted, or as far as the answer went; by policy, fails    |
| answer cache          | -                  | it is in the database; with its Redis away, is answered without it |
| record                | open               | is answered; the loss is counted and logged once                   |
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import anyio.to_thread
from threadpoolctl import threadpool_limits

from ken import __version__
from ken.alerting import Alerting, Around, open_alerting
from ken.assistant.answer import Assistant
from ken.assistant.explain import Known, Outlook, explain
from ken.assistant.parts import Limits, Parts
from ken.assistant.shadow import Shadows
from ken.caching import categories, open_cache
from ken.checks.heuristics.audit import Audited, audit
from ken.checks.heuristics.examine import Examiner
from ken.domain.answer import Question
from ken.domain.checked import CheckRun
from ken.gateway.cache.semantic import SemanticCache
from ken.gateway.plain import PlainGateway
from ken.guard.passage import VERSION as PASSAGE_GUARD_VERSION
from ken.guard.question import VERSION as GUARD_VERSION
from ken.knowledge.library import Library
from ken.knowledge.spaces import Closing
from ken.libraries import open_library
from ken.models.minilm import MiniLM
from ken.operations.checklist.answering import Checklist, answer
from ken.operations.checklist.facts import Facts
from ken.operations.digest.day import DayTold
from ken.operations.digest.day import Sources as DaySources
from ken.operations.digest.day import told as told_of
from ken.operations.why.asking import Asked
from ken.prompts.grounded import VERSION as PROMPT_VERSION
from ken.providers import Providers, open_providers, routes
from ken.recording import Recording, open_recording
from ken.releases.release import Release
from ken.rerunning import Reruns, open_reruns
from ken.settings import Settings
from ken.storage.checks_run import ChecksRun
from ken.storage.conversations import Conversations
from ken.storage.documents import Documents
from ken.storage.feedback import FeedbackBook
from ken.storage.heuristics import Heuristics
from ken.storage.keys import Keys
from ken.storage.ledger import Ledger
from ken.storage.retrieval import RetrievalRecord
from ken.storage.routes import RouteRecord
from ken.storage.shares import Shares
from ken.storage.sources import Sources
from ken.storage.stamps import Stamps
from ken.storage.trace_search import TraceSearch
from ken.storage.traces import Traces
from ken.stores import Store, open_store
from ken.telemetry.otel.reception import Reception
from ken.telemetry.recorder import Recorder
from ken.telemetry.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Ken:
    """Everything of an opened home."""

    settings: Settings
    assistant: Assistant
    examinee: Assistant
    """The same without the answer cache and the reader's help: an evaluation measures answers of the model that it names."""
    library: Library
    cache: SemanticCache
    shadows: Shadows
    conversations: Conversations
    shares: Shares
    traces: Traces
    trace_search: TraceSearch
    feedback: FeedbackBook
    retrieval: RetrievalRecord
    keys: Keys
    recorder: Recorder
    recording: Recording
    alerting: Alerting
    reception: Reception | None
    """Takes spans of other services; None: they are not wanted."""
    route_record: RouteRecord
    heuristics: Heuristics
    checks_run: ChecksRun
    plain: PlainGateway
    traffic: Traffic
    stamps: Stamps
    """What tells that something has changed."""
    model_names: tuple[str, ...]
    readers: frozenset[str]
    """Of these, the ones that can only answer from documents."""
    providers: Providers
    reruns: Reruns
    """Asks again as another release did."""
    store: Store

    async def explain(self, question: Question) -> Outlook:
        """What would happen to a question, and why, without a model being asked. Raises what its stages raise."""
        providers = self.providers
        known = Known(
            price_of=providers.price_of, breaker_of=providers.breaker_of, patience_of=self.settings.patience_of
        )
        return await explain(self.assistant.parts, question, known=known)

    def audit(self, *, at: float) -> tuple[Audited, ...]:
        """The rules that look at every answer, with what they found."""
        return audit(
            self.heuristics.all(),
            running=self.assistant.parts.examiner.names,
            at=at,
            silent_days=self.settings.checks.silent_days,
        )

    def put_run(self, run: CheckRun) -> None:
        """Put the result of a test on record; one that names no release is of the present one."""
        self.checks_run.add(run if run.release else replace(run, release=self.assistant.parts.release.id))

    def checklist(self, *, at: float) -> Checklist:
        """Whether the present release may go live, out of the record."""
        database, release = self.store.database, self.assistant.parts.release
        ledger, sources = Ledger(database), Sources(database)
        vitals = self.providers.stacks.vitals.all
        facts = Facts(
            at=at,
            release=release.id,
            build=__version__,
            index=release.index_configuration,
            figures=self.recording.figures,
            runs=self.checks_run,
            dependencies=tuple(sorted(vital.name for vital in vitals if vital.circuit is not None)),
            has_fallback=self.settings.when_models_fail == "answer" or bool(self.settings.tiers),
            caches=self.settings.cache,
            documents=len(Documents(database).all_versions()),
            changed_since=sources.changed_since,
            called=lambda since, until: frozenset(cost.of for cost in ledger.costs("model", since=since, until=until)),
            bounds=self.settings.checklist.bounds,
        )
        return answer(facts)

    @property
    def asked(self) -> Asked:
        """What answers why something moved. Raises InvalidInput for a bad rule."""
        alerting = self.alerting
        return Asked(
            figures=alerting.figures, alerts=alerting.book, happenings=alerting.happened, rules=alerting.rules()
        )

    def day(self, day: date, *, now: float) -> DayTold:
        """A day, for its digest."""
        alerting, figures = self.alerting, self.recording.figures
        sources = DaySources(
            figures=figures,
            alerts=alerting.book,
            happenings=alerting.happened,
            patterns=lambda since, until: figures.patterns(since=since, until=until),
            silent=lambda: [each.name for each in self.audit(at=now) if each.is_silent],
        )
        return told_of(sources, day, now=now)

    async def aclose(self) -> None:
        """Write what is still to be written and let go of everything."""
        await self.alerting.job.aclose()
        await self.shadows.aclose()
        await self.providers.aclose()
        await self.library.committer.spaces.aclose()
        if self.library.reranking is not None and isinstance(self.library.reranking.reranker, Closing):
            await self.library.reranking.reranker.aclose()
        self.library.close()
        await anyio.to_thread.run_sync(self.cache.close)
        await anyio.to_thread.run_sync(self.recorder.close)
        if self.reception is not None:
            await anyio.to_thread.run_sync(self.reception.close)
        await anyio.to_thread.run_sync(self.store.close)


async def open_home(settings: Settings) -> Ken:
    """Open a home, creating it where there is none. Raises StorageError, ModelUnavailable, InvalidSetting."""
    # The products of a search are too small to share between threads; the embedder has threads of its own.
    threadpool_limits(limits=1, user_api="blas")
    shared = await anyio.to_thread.run_sync(open_store, settings)
    try:
        return await _opened(settings, shared)
    except BaseException:
        await anyio.to_thread.run_sync(shared.close)
        raise


async def _opened(settings: Settings, shared: Store) -> Ken:
    """A home whose store is open."""
    database = shared.database
    local = await anyio.to_thread.run_sync(partial(_local_embedder, settings))
    cache = await anyio.to_thread.run_sync(open_cache, settings, database)
    providers = open_providers(settings, database)
    library = await open_library(settings, shared, local=local, cache=cache, stacks=providers.stacks)
    await library.open()

    table = await anyio.to_thread.run_sync(routes, settings, providers.windows)
    recording = open_recording(settings, database, cache=cache)
    traffic = Traffic()
    library.recorder = recording.recorder
    release = _release(settings, library, routes=table.told)
    examiner = Examiner(settings.checks.standards)
    heuristics = Heuristics(database)
    await anyio.to_thread.run_sync(partial(heuristics.know, examiner.names, at=time.time()))
    parts = Parts(
        corpora=library,
        models=providers.models,
        windows=providers.windows,
        default_model=settings.default_model,
        tokens=local,
        reader=providers.reader if settings.when_models_fail == "answer" else None,
        cache=cache if settings.cache else None,
        categories=categories(settings),
        recorder=recording.recorder,
        topics=recording.topics,
        traffic=traffic,
        release=release,
        limits=_limits(settings),
        answers_unsearched=settings.when_search_fails == "model",
        asks_back=settings.search.ask_back,
        routes=table,
        is_down=providers.is_down,
        standing=providers.budgets.standing,
        examiner=examiner,
    )
    unhelped = replace(parts, cache=None, reader=None, standing=None)
    examinee = Assistant(replace(unhelped, kind="eval"))
    shadows = Shadows(cache, Assistant(replace(unhelped, kind="shadow")).answer, settings.answer_cache.shadow_share)
    again = open_reruns(examinee.parts, settings, providers=providers, library=library, database=database, local=local)
    around = _around(shared, recording, providers=providers, release=release)
    alerting = await anyio.to_thread.run_sync(open_alerting, settings, around)
    providers.stacks.vitals.listeners.append(alerting.job.breaker_changed)
    return Ken(
        settings=settings,
        cache=cache,
        assistant=Assistant(replace(parts, shadows=shadows)),
        examinee=examinee,
        shadows=shadows,
        library=library,
        conversations=Conversations(database),
        shares=Shares(database),
        traces=Traces(database),
        trace_search=TraceSearch(database),
        feedback=FeedbackBook(database),
        retrieval=RetrievalRecord(database),
        route_record=RouteRecord(database),
        heuristics=heuristics,
        checks_run=ChecksRun(database),
        keys=Keys(database),
        recorder=recording.recorder,
        recording=recording,
        alerting=alerting,
        reception=_reception(settings, recording),
        plain=_plain(parts, providers),
        traffic=traffic,
        stamps=Stamps(database),
        model_names=tuple(providers.models),
        readers=frozenset({providers.reader.name}),
        providers=providers,
        reruns=await anyio.to_thread.run_sync(again.kept),
        store=shared,
    )


def _around(shared: Store, recording: Recording, *, providers: Providers, release: Release) -> Around:
    """What alerts are made from."""
    return Around(
        database=shared.database,
        locks=shared.locks,
        recording=recording,
        checks_run=ChecksRun(shared.database),
        trace_search=TraceSearch(shared.database),
        burns=providers.budgets.all_burns,
        release=release.id,
    )


def _plain(parts: Parts, providers: Providers) -> PlainGateway:
    """What other applications call: every model and tier but the reader, which can only answer from documents."""
    return PlainGateway(
        {name: model for name, model in providers.models.items() if name != providers.reader.name},
        tiers=providers.tiers,
        recorder=parts.recorder,
        release=parts.release.id,
        examine=parts.examiner.of_call,
        traffic=parts.traffic,
    )


def _release(settings: Settings, library: Library, *, routes: str) -> Release:
    """What people decided that shapes an answer."""
    return Release(
        prompt_version=PROMPT_VERSION,
        default_model=settings.default_model,
        models=tuple(f"{model.name} {model.base_url} {model.model}" for model in settings.models),
        # As people decided; the embedder that is on its way out still serves until the one they want has embedded everything.
        index_configuration=f"{library.ingest.configuration} {library.committer.spaces.wanted}",
        search=f"{settings.search.told} {_reranked_by(settings)} {settings.compress_passages_to}",
        passages=settings.passages,
        history_turns=settings.history_turns,
        guard_version=f"{GUARD_VERSION} {PASSAGE_GUARD_VERSION}",
        routes=routes,
    )


def _limits(settings: Settings) -> Limits:
    """What a question may take."""
    return Limits(
        deadline_s=settings.deadline_s,
        max_chars=settings.max_question_chars,
        history_turns=settings.history_turns,
        passages=settings.passages,
        share=settings.compress_passages_to,
    )


def _reranked_by(settings: Settings) -> str:
    """What a release says of the reranker."""
    told = settings.reranker
    return "" if told is None else f"reranker {told.base_url} {told.model} {told.candidates}"


def _reception(settings: Settings, recording: Recording) -> Reception | None:
    if not settings.telemetry.receive:
        return None
    return Reception(recording.record, redacted=recording.redactor.span, bounds=settings.telemetry.intake)


def _local_embedder(settings: Settings) -> MiniLM:
    return MiniLM(
        _model_cache(settings.home),
        folder=settings.model_folder,
        allow_download=settings.allow_download,
        threads=settings.threads,
    )


def _model_cache(home: Path) -> Path:
    return home / "models"
