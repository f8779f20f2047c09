"""A sync: what a source holds becomes what the corpus holds, in one committed step.

The source lists what it has while workers already fetch, read and stage what is new or changed, each document in a
transaction of its own, so that a sync that was killed is taken up where it stopped; then `Committer` makes all of it
current at once. What goes wrong with one document is noted with it and never stops the rest; what goes wrong with the
source ends the listing, keeps what Ken has, and says when it is worth another try.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from typing import Protocol

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ken.errors import Conflict, KenError, ModelError, SourceDown, SourceError, StorageError
from ken.knowledge.commit import Committer
from ken.knowledge.ingest import Arrival, Ingest
from ken.knowledge.listing import Standing, is_plain_path, next_try_of_source, trusts
from ken.knowledge.permissions import Policy, narrowed
from ken.knowledge.sources.source import Complete, Connector, Gone, Listed, Unlisted
from ken.knowledge.sync_trace import SyncTrace
from ken.storage.documents import Documents
from ken.storage.sources import Source, Sources

_TOLD_EVERY_S = 1.0
_FAILURES_IN_A_ROW = 5
"""Documents that a source does not give, one after the other, until it counts as down."""
_MANY = 10
_SOME = 3
_FULL_LISTING_EVERY_S = 7 * 86_400.0
"""A source that lists only changes is asked for everything so often: what it forgot to say comes out then."""


class Progress(Protocol):
    """Called after each document."""

    def __call__(self, done: int, total: int, path: str, bytes_done: int) -> None:
        """`done` of the `total` listed so far are dealt with, `path` the last of them; `bytes_done` counts their bytes."""
        ...


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """A document, and what is wrong with it in plain words."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What a person may ask of one sync."""

    is_full: bool = False
    """Look at every document anew, whatever the source says of its changes, and try again what failed."""
    may_delete_many: bool = False
    """Believe a source that has lost more than half of its documents."""


@dataclass(slots=True)
class SyncReport:
    """What a sync did. `failures` weren't taken (an earlier version of them stays); `warnings` were, with a remark."""

    collection: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    held: int = 0
    """Gone from the source and kept, because too much went at once."""
    passages: int = 0
    seconds: float = 0.0
    corpus_version: int = 0
    problem: str = ""
    """Why the source could not be synced to its end; empty where it could."""
    is_served: bool = True
    """False while an operator holds an older corpus version: what was taken is not served yet."""
    failures: list[SyncFailure] = field(default_factory=list[SyncFailure])
    warnings: list[SyncFailure] = field(default_factory=list[SyncFailure])
    skipped: list[SyncFailure] = field(default_factory=list[SyncFailure])
    """In no format that Ken reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncer:
    """Brings the corpus up to date with a source. The source's lock is held by the caller."""

    store: Documents
    sources: Sources
    ingest: Ingest
    committer: Committer

    async def run(
        self,
        source: Source,
        connector: Connector,
        *,
        policy: Policy,
        options: SyncOptions,
        trace: SyncTrace,
        progress: Progress | None = None,
    ) -> SyncReport:
        """Sync one source. Raises StorageError, ModelError, and InvalidInput where the connector can't even begin."""
        number = await anyio.to_thread.run_sync(self.sources.begin, source.id, source.collection)
        work = _Work(
            syncer=self,
            source=source,
            connector=connector,
            policy=policy,
            options=options,
            progress=progress,
            number=number,
            trace=trace,
        )
        try:
            report = await work.run()
        except KenError as error:
            end = partial(self.sources.tell, number, state="failed", reason=str(error), ended_at=time.time())
            with suppress(StorageError):  # a full disk takes no note of it, and the first error says more
                await anyio.to_thread.run_sync(end)
            raise
        end = partial(
            self.sources.tell,
            number,
            state="failed" if report.problem else "finished",
            reason=report.problem,
            ended_at=time.time(),
            corpus_version=report.corpus_version,
            deleted=report.deleted,
            **work.counts(),
        )
        await anyio.to_thread.run_sync(end)
        return report


@dataclass(slots=True, kw_only=True)
class _Work:
    """One sync while it runs."""

    syncer: Syncer
    source: Source
    connector: Connector
    policy: Policy
    options: SyncOptions
    progress: Progress | None
    number: int
    trace: SyncTrace
    started: float = field(default_factory=time.monotonic)
    before: dict[str, str] = field(default_factory=dict[str, str])
    """Current version of each document, by id."""
    standing: Standing = field(default_factory=Standing)
    chosen: dict[str, str] = field(default_factory=dict[str, str])
    gone: set[str] = field(default_factory=set[str])
    listed: int = 0
    done: int = 0
    bytes_done: int = 0
    told: float = 0.0
    in_a_row: int = 0
    complete: Complete | None = None
    problem: SourceError | None = None
    fatal: KenError | None = None
    report: SyncReport = field(init=False)

    def __post_init__(self) -> None:
        self.report = SyncReport(self.source.collection)

    async def run(self) -> SyncReport:
        sources, store = self.syncer.sources, self.syncer.store
        known = await anyio.to_thread.run_sync(sources.get, self.source.id)
        self.before = await anyio.to_thread.run_sync(store.versions, self.source.id)
        listings = await anyio.to_thread.run_sync(sources.listings, self.source.id)
        trusted = trusts(known, self.policy, is_full=self.options.is_full) and self._is_up_to_date()
        self.standing = Standing(known=listings, is_trusted=trusted, retries=self.options.is_full)
        with self.trace.spans.span("read", is_full=not trusted):
            await self._through(self._cursor(known) if trusted else None)
        if self.fatal is not None:
            raise self.fatal
        self._keep()
        with self.trace.spans.span("commit"):
            await self._settle(known)
        self._tell_trace()
        self.report.seconds = time.monotonic() - self.started
        return self.report

    def _tell_trace(self) -> None:
        report = self.report
        self.trace.corpus_version, self.trace.problem = report.corpus_version, report.problem
        self.trace.note(
            added=report.added,
            changed=report.changed,
            unchanged=report.unchanged,
            deleted=report.deleted,
            failed=len(report.failures),
            passages=report.passages,
        )

    def counts(self) -> dict[str, object]:
        """How far it is."""
        report = self.report
        return {
            "done": self.done,
            "total": None if self.complete is None else self.listed,
            "added": report.added,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "failed": len(report.failures),
            "skipped": len(report.skipped),
            "passages": report.passages,
        }

    def _is_up_to_date(self) -> bool:
        """Whether every document was made with this index configuration: else each has to be read anew."""
        return self.syncer.ingest.are_up_to_date(self.before.values())

    def _cursor(self, known: Source | None) -> str | None:
        if known is None or known.listed_at is None or time.time() - known.listed_at > _FULL_LISTING_EVERY_S:
            return None
        return known.cursor

    async def _through(self, cursor: str | None) -> None:
        """List and work at once: the source's pages are turned while documents are read."""
        send, receive = anyio.create_memory_object_stream[Listed](float("inf"))
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._list, cursor, send)
                for _ in range(max(1, self.connector.concurrency)):
                    tasks.start_soon(self._work, receive.clone())
                receive.close()
        except BaseExceptionGroup as group:
            first, *_ = group.exceptions  # the others follow from it
            raise first from None  # as if it had happened here, an interrupt from the keyboard above all

    async def _list(self, cursor: str | None, send: MemoryObjectSendStream[Listed]) -> None:
        seen: set[str] = set()
        async with send:
            try:
                async for change in self.connector.changes(cursor):
                    if self.fatal is not None or self.problem is not None:
                        return
                    match change:
                        case Complete():
                            self.complete = change
                            return
                        case Gone(path):
                            self.gone.add(path)
                        case Unlisted():
                            self._pass_over(change)
                        case Listed(path=path):
                            if path in seen or not is_plain_path(path):
                                what = "lists it twice" if path in seen else "gives it no name that a document can have"
                                self._fail(path, f"The source {what}. Report it to who runs the source.")
                                continue
                            seen.add(path)
                            self.listed += 1
                            send.send_nowait(change)
            except SourceError as error:
                self.problem = error
            except KenError as error:
                self.fatal = error

    def _pass_over(self, unlisted: Unlisted) -> None:
        if unlisted.is_foreign:
            self.report.skipped.append(SyncFailure(unlisted.path, unlisted.reason))
            self.standing.note(unlisted.path, "skipped", reason=unlisted.reason)
        else:
            self._fail(unlisted.path, unlisted.reason)

    async def _work(self, receive: MemoryObjectReceiveStream[Listed]) -> None:
        async with receive:
            while self.fatal is None:
                try:
                    listed = receive.receive_nowait()
                except anyio.WouldBlock:
                    try:
                        listed = await receive.receive()
                    except anyio.EndOfStream:
                        return
                except anyio.EndOfStream:
                    return
                if self.problem is None or self.in_a_row < _FAILURES_IN_A_ROW:
                    await self._attempt(listed)
                await self._tell(listed)

    async def _attempt(self, listed: Listed) -> None:
        try:
            await self._one(listed)
        except (StorageError, ModelError) as error:
            self.fatal = error
        except SourceError as error:
            self.in_a_row += 1
            if self.in_a_row >= _FAILURES_IN_A_ROW:
                self.problem = error
            self._fail(listed.path, str(error), waits=True)
        except Conflict as error:  # of another source, which may go: no property of the document
            self._fail(listed.path, str(error), waits=True)
        except KenError as error:
            self._fail(listed.path, str(error))

    async def _one(self, listed: Listed) -> None:
        document_id = f"{self.source.collection}/{listed.path}"
        current = self.before.get(document_id)
        said = await self.connector.permissions(listed)
        if self.standing.is_unchanged(listed, said, current=current):
            self._take(listed, document_id, current or "", said=None)
            return
        failures = len(self.report.failures)
        try:
            await self._read(listed, document_id, said=said)
        except (StorageError, ModelError):
            raise
        except KenError:
            await self._close(listed, document_id, said=said)
            raise
        if len(self.report.failures) > failures and document_id not in self.chosen:
            await self._close(listed, document_id, said=said)

    async def _close(self, listed: Listed, document_id: str, *, said: frozenset[str] | None) -> None:
        """Let nobody read the version that stays whom source and rules shut out meanwhile, though the new one can't be had."""
        allowed = narrowed(said, self.policy.of(listed.path))
        if document_id in self.before and allowed is not None:
            version = await self.syncer.ingest.narrow(document_id, allowed)
            if version is not None:
                self.chosen[document_id] = version
                self.report.changed += 1

    async def _read(self, listed: Listed, document_id: str, *, said: frozenset[str] | None) -> None:
        current = self.before.get(document_id)
        if reason := self.standing.still_fails(listed):
            self._fail(listed.path, reason, is_known=True)
            return
        fetched = await self.connector.fetch(listed)
        self.in_a_row = 0
        arrival = Arrival(
            document_id=document_id,
            data=fetched.data,
            source=self.source.id,
            policy=self.policy,
            said=said,
            about=fetched.about,
            url=fetched.url,
        )
        version = self.syncer.ingest.version(arrival)
        if version != current:
            if reason := self.standing.still_fails(listed, version=version):
                self._fail(listed.path, reason, is_known=True)
                return
            self.standing.attempts(listed, version)
            await self._stage(arrival, version)
        self._take(listed, document_id, version, said=said, is_read=True)

    async def _stage(self, arrival: Arrival, version: str) -> None:
        store = self.syncer.store
        owner = await anyio.to_thread.run_sync(store.owner, arrival.document_id)
        if owner not in {None, self.source.id}:
            raise Conflict(
                f"{arrival.document_id!r} already comes from {owner!r}. Sync this source into another collection, or remove "
                f"that one: ken sources remove {owner}"
            )
        at_hand = partial(store.is_at_hand, arrival.document_id, version, source=self.source.id)
        if await anyio.to_thread.run_sync(at_hand):
            return
        document = await self.syncer.ingest.stage(arrival)
        self.report.passages += document.passages
        self.report.warnings += [SyncFailure(arrival.path, warning) for warning in document.warnings]

    def _take(
        self, listed: Listed, document_id: str, version: str, *, said: frozenset[str] | None, is_read: bool = False
    ) -> None:
        self.bytes_done += listed.size or 0
        self.chosen[document_id] = version
        if is_read:
            self.standing.take(listed, version, said=said)
        before = self.before.get(document_id)
        if before == version:
            self.report.unchanged += 1
        elif before is None:
            self.report.added += 1
        else:
            self.report.changed += 1

    def _fail(self, path: str, reason: str, *, waits: bool = False, is_known: bool = False) -> None:
        self.report.failures.append(SyncFailure(path, reason))
        if not is_known:
            self.standing.note(path, "waiting" if waits else "failed", reason=reason)

    async def _tell(self, listed: Listed) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.listed, listed.path, self.bytes_done)
        now = time.monotonic()
        if now - self.told < _TOLD_EVERY_S:
            return
        self.told = now
        sources = self.syncer.sources
        await anyio.to_thread.run_sync(partial(sources.tell, self.number, path=listed.path, **self.counts()))
        await anyio.to_thread.run_sync(partial(sources.note, self.source.id, self.standing.drained()))

    def _keep(self) -> None:
        """Decide what goes: what the source no longer has, and never what could not be looked at."""
        prefix = f"{self.source.collection}/"
        is_whole = self.complete is not None and self.complete.is_whole and self.problem is None
        failed = {prefix + failure.path for failure in self.report.failures}
        missing: list[str] = []
        for name, version in self.before.items():
            if name in self.chosen:
                continue
            is_unseen = not failed.isdisjoint(accumulate(name.split("/"), "{}/{}".format))
            if is_unseen or not (is_whole or name.removeprefix(prefix) in self.gone):
                self.chosen[name] = version
            else:
                missing.append(name)
        is_emptied = len(missing) == len(self.before) >= _SOME
        is_halved = len(missing) >= _MANY and 2 * len(missing) > len(self.before)
        if (is_emptied or is_halved) and not self.options.may_delete_many:
            self._hold(missing, prefix)
        else:
            self.report.deleted = len(missing)
            self.standing.forget(name.removeprefix(prefix) for name in missing)

    def _hold(self, missing: list[str], prefix: str) -> None:
        reason = "It is gone from its source, as are most of its documents at once, and was kept."
        for name in missing:
            self.chosen[name] = self.before[name]
            self.standing.note(name.removeprefix(prefix), "held", reason=reason)
        self.report.held = len(missing)
        self.report.problem = (
            f"{len(missing)} of {len(self.before)} documents are no longer there, and were kept: is the place complete? "
            "If they are to be deleted, sync again with `--delete`."
        )

    async def _settle(self, known: Source | None) -> None:
        report, sources = self.report, self.syncer.sources
        if self.problem is not None:
            report.problem = str(self.problem)
        is_whole = self.complete is not None and self.complete.is_whole and not report.problem
        changed, gone = self.standing.drained(), self.standing.forgotten(is_whole=is_whole)
        # Before the commit, which clears the disk of what is deleted: the names go as well.
        await anyio.to_thread.run_sync(partial(sources.note, self.source.id, changed, gone=gone))
        report.corpus_version = await self.syncer.committer.commit(self.source.id, self.chosen)
        report.is_served = not (await anyio.to_thread.run_sync(self.syncer.committer.snapshots.use)).is_held
        now = time.time()
        waits = self.problem.retry_after_s if isinstance(self.problem, SourceDown) else None
        attempts = (known.attempts if known else 0) + 1 if report.problem else 0
        settled = replace(
            self.source,
            policy=self.policy.name,
            default_groups=self.policy.default_groups,
            synced_at=now if not report.problem else (known.synced_at if known else None),
            cursor=self.complete.cursor if self.complete and not report.problem else (known.cursor if known else None),
            listed_at=now if is_whole else (known.listed_at if known else None),
            problem=report.problem,
            problem_since=(known.problem_since if known and known.problem else now) if report.problem else None,
            attempts=attempts,
            next_try=next_try_of_source(attempts, waits) if report.problem else None,
        )
        await anyio.to_thread.run_sync(sources.put, settled)
