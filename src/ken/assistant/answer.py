"""One question through the ten stages: the order, the spans and the events. What a stage does is in its own file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter

from ken.assistant import classify, degrade, disputes, recall, retrieve, route, screen, settle
from ken.assistant.assemble import assemble
from ken.assistant.escalate import Escalation, escalate, may_go_up
from ken.assistant.generate import Written, generate
from ken.assistant.intake import admit
from ken.assistant.retrieve import Corpora, Searcher
from ken.assistant.shadow import Shadows
from ken.assistant.turn import Turn
from ken.assistant.verify import Shown, Verifier
from ken.domain.answer import Answer, Question
from ken.domain.budget import BudgetStanding
from ken.domain.cached import Category
from ken.domain.call import Account, CallContext, Purpose
from ken.domain.deadline import Deadline
from ken.domain.events import (
    Answered,
    CitationShown,
    Event,
    Failed,
    Notice,
    Stage,
    StageFinished,
    StageStarted,
    TokenShown,
)
from ken.errors import KenError, ModelError
from ken.gateway.cache.categories import BUILT_IN
from ken.gateway.cache.semantic import SemanticCache
from ken.gateway.embedding import within
from ken.gateway.route import Routes
from ken.models.chat import Switched
from ken.models.protocols import ChatModel, TokenCounter
from ken.prompts.grounded import VERSION
from ken.prompts.plan import Window
from ken.releases.release import Release
from ken.telemetry.recorder import Recorder
from ken.telemetry.tracing import OpenSpan, TraceBuilder

_log = logging.getLogger(__name__)

Work = Callable[[], str | Awaitable[str]]

_LEAST_S = 1.0
"""In less time no stronger model need be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a question may take."""

    deadline_s: float
    max_chars: int
    history_turns: int
    passages: int
    share: float = 1.0
    """Of the passages' text that a prompt keeps."""


def local_date() -> str:
    """The date of this machine's clock and time zone, as ISO 8601."""
    return datetime.now(UTC).astimezone().date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the stages work with; wiring.py puts it together."""

    corpora: Corpora
    models: Mapping[str, ChatModel]
    windows: Mapping[str, Window]
    """Of each model."""
    default_model: str
    tokens: TokenCounter
    reader: ChatModel | None
    """Quotes the passages where no model can answer; None: then the question fails with the model's error."""
    cache: SemanticCache | None
    recorder: Recorder
    release: Release
    limits: Limits
    categories: tuple[Category, ...] = BUILT_IN
    """What tells questions apart for the cache and its figures, the more particular first."""
    answers_unsearched: bool = False
    """Whether a model answers on its own, under a caveat, where the search fails."""
    shadows: Shadows | None = None
    """Makes some of the answers that the cache gives anew, to see whether they are right."""
    asks_back: bool = False
    """Whether a question that the documents answer in more than one way is answered with a question back."""
    routes: Routes = field(default_factory=Routes)
    """Which tier answers what; without tiers, every question goes to the default model."""
    is_down: Callable[[str], bool] = lambda _: False
    """Whether a model, by its name, takes no calls at present."""
    standing: Callable[[Purpose], Awaitable[BudgetStanding]] | None = None
    """How the budgets stand that bind a purpose; None: there are none."""
    clock: Callable[[], str] = local_date
    """Tells the day, an ISO date, for questions that don't bring their own. It is read once for each question, here."""

    @property
    def router(self) -> route.Router:
        """What the route chooses from."""
        return route.Router(
            models=self.models,
            windows=self.windows,
            default=self.default_model,
            routes=self.routes,
            is_down=self.is_down,
        )


class Assistant:
    """Answers questions; stateless between them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def parts(self) -> Parts:
        """What it works with: for explaining, and to put together another one that differs in something."""
        return self._parts

    async def answer(self, question: Question) -> AsyncGenerator[Event]:
        """Yield what happens, ending in Answered or Failed. A KenError becomes Failed; closing the iterator cancels.

        The texts of the TokenShown events, put together, are the answer's text.
        """
        trace = TraceBuilder(question.trace_id)
        today = question.today or self._parts.clock()
        turn = Turn(question=question, deadline=Deadline.after(self._parts.limits.deadline_s), today=today)
        corpus_version = 0
        answer: Answer | None = None
        try:
            searcher = await self._parts.corpora.corpus()
            corpus_version = searcher.corpus_version
            async with aclosing(_Run(self._parts, trace, turn, searcher).events()) as events:
                async for event in events:
                    if isinstance(event, TokenShown):
                        trace.shown()
                    if isinstance(event, Answered):
                        answer = event.answer
                        break
                    yield event
            if answer is not None:
                self._record(trace, turn, answer, corpus_version)
                if self._parts.shadows is not None and not turn.is_degraded:
                    self._parts.shadows.consider(question, answer, category=turn.category, today=today)
                yield Answered(answer)
        except KenError as error:
            trace.fail(error)
            yield Failed(trace.trace_id, type(error).__name__, str(error), error.retry_after_s)
        except (GeneratorExit, asyncio.CancelledError):
            trace.fail(asyncio.CancelledError("The client hung up."))
            raise
        except Exception as error:  # noqa: BLE001 - the last door: a fault of ours becomes an event and a log entry
            trace.fail(error)
            _log.exception("question %s failed", trace.trace_id)
            yield Failed(
                trace.trace_id, "InternalError", f"Something went wrong inside Ken; its log has trace {trace.trace_id}."
            )
        finally:
            if answer is None:
                self._record(trace, turn, _unfinished(trace, turn), corpus_version)

    def _record(self, trace: TraceBuilder, turn: Turn, answer: Answer, corpus_version: int) -> None:
        # What intake refuses is recorded, too: no longer than it would have been taken, and in characters that exist.
        asked = turn.question.text[: self._parts.limits.max_chars].encode("utf-8", "replace").decode()
        self._parts.recorder.record(
            trace.finish(
                replace(turn.question, text=asked),
                answer,
                task_type=turn.task,
                release=self._parts.release.id,
                corpus_version=corpus_version,
                evidence=turn.evidence,
            )
        )


def before_model(parts: Parts, turn: Turn, *, searcher: Searcher) -> tuple[tuple[Stage, Work], ...]:
    """The stages up to the route, in their order; one that sets an outcome is the last. Raises NotFound for an unknown model."""
    limits, router = parts.limits, parts.router
    widest = router.window(turn.question.model)

    async def classified() -> str:
        detail = classify.classify(turn, parts.categories)
        if parts.standing is not None:
            turn.standing = await parts.standing(purpose_of(turn, parts.release, stage="classify"))
        return f"{detail}, the budget is {turn.standing.state}" if turn.standing.is_short else detail

    def routed() -> str:
        detail = route.route(turn, router)
        window = router.window_of(turn.tier) if turn.tier else widest
        if route.needed(turn) > route.room(window):
            detail += (
                f"; prompt laid out anew: {assemble(turn, tokens=parts.tokens, window=window, share=limits.share)}"
            )
        return detail

    return (
        ("intake", lambda: admit(turn, max_chars=limits.max_chars, history_turns=limits.history_turns)),
        ("screen", lambda: screen.screen(turn)),
        ("classify", classified),
        ("recall", lambda: recall.recall(turn, parts.cache, release=parts.release.id, searcher=searcher)),
        (
            "retrieve",
            lambda: retrieve.retrieve(
                turn, searcher, limit=route.passages(turn, limits.passages), asks_back=parts.asks_back
            ),
        ),
        ("assemble", lambda: assemble(turn, tokens=parts.tokens, window=widest, share=limits.share)),
        ("route", routed),
    )


def purpose_of(turn: Turn, release: Release, *, stage: Stage, trace_id: str | None = None) -> Purpose:
    """Whom a call of a stage is for, and what it is a part of."""
    principal = turn.question.principal
    return Purpose(
        principal=principal.id,
        groups=principal.groups,
        stage=stage,
        task_type=turn.task,
        category=turn.category,
        tier=turn.tier,
        release=release.id,
        trace_id=trace_id,
    )


@dataclass(slots=True)
class _Run:
    """One question under way."""

    parts: Parts
    trace: TraceBuilder
    turn: Turn
    searcher: Searcher
    verifier: Verifier = field(init=False)
    """Of the answer under way (generate)."""
    escalated: str = ""
    """The notice that a stronger tier was asked, which was told already."""
    unsearched: ModelError | None = None
    """Why the documents could not be searched, where the question is answered all the same."""

    async def events(self) -> AsyncGenerator[Event]:
        turn, parts = self.turn, self.parts
        async with aclosing(self._prepared()) as prepared:
            async for event in prepared:
                yield event
        if turn.outcome is None:
            async with aclosing(self._written() if self.unsearched is None else self._unsearched()) as written:
                async for event in written:
                    yield event
        else:
            for event in self._replied():
                yield event
        yield StageStarted("settle")
        started = perf_counter()
        with self.trace.span("settle") as span:
            span.set("conflicts", len(turn.conflicts))
            answer = await settle.settle(turn, self.trace.trace_id, cache=parts.cache, searcher=self.searcher)
            if turn.kept:
                span.set("cache", turn.kept)
        yield StageFinished("settle", (perf_counter() - started) * 1000)
        yield Answered(answer)

    async def _prepared(self) -> AsyncGenerator[Event]:
        """The stages before the model's, up to the one that knows how this ends."""
        for stage, work in before_model(self.parts, self.turn, searcher=self.searcher):
            yield StageStarted(stage)
            try:
                yield await self._stage(stage, work)
            except ModelError as error:
                if stage == "recall":  # without its embedder the cache has no answer, and that is all
                    continue
                if stage != "retrieve" or not self.parts.answers_unsearched:
                    raise
                self.unsearched = error
                self.turn.notices.append(f"The documents could not be searched. {error}")
                route.route(self.turn, self.parts.router)
            if self.turn.outcome is not None or self.unsearched is not None:
                return

    async def _stage(self, stage: Stage, work: Work) -> StageFinished:
        self.turn.deadline.check(stage)
        started = perf_counter()
        with self.trace.span(stage) as span, within(self._context(stage), self.turn.deadline):
            result = work()
            detail = result if isinstance(result, str) else await result
            span.set("detail", detail)
            if stage == "assemble" and self.turn.prompt is not None:
                for part, tokens in self.turn.prompt.plan.told().items():
                    span.set(f"plan_{part}_tokens", tokens)
                span.set("template", VERSION)
            if stage == "retrieve" and self.turn.result is not None:
                for name, ms in self.turn.result.timings_ms:
                    span.set(f"{name}_ms", round(ms, 3))
            if stage == "route":
                for name, value in route.attributes(self.turn).items():
                    span.set(name, value)
            if stage == "recall" and self.turn.recalled is not None:
                for name, value in recall.attributes(self.turn.recalled):
                    span.set(name, value)
        return StageFinished(stage, (perf_counter() - started) * 1000, detail)

    def _replied(self) -> list[Event]:
        """Show a reply that needed no model."""
        turn = self.turn
        if turn.recalled is None or turn.recalled.found is None:
            return [TokenShown(turn.reply), *(CitationShown(citation) for citation in turn.citations)]
        events: list[Event] = []
        shown = 0
        for text in recall.pieces(turn.recalled.found):
            events.append(TokenShown(text))
            reached = shown + len(text)
            events += [CitationShown(each) for each in turn.citations if shown < each.answer_end <= reached]
            shown = reached
        return [*events, Notice("cached", turn.cached_notice), *self._notices()]

    def _notices(self) -> list[Event]:
        """One for each line of the turn; those of its conflicts are of a kind of their own."""
        conflicts = {disputes.told_in_words(each) for each in self.turn.conflicts}
        told = [text for text in self.turn.notices if text != self.escalated]
        return [Notice("conflict" if text in conflicts else "verify", text) for text in told]

    async def _written(self) -> AsyncGenerator[Event]:
        """Let the model write; where nothing of it can be shown, a stronger one, once."""
        turn = self.turn
        if not turn.evidence or turn.model is None:
            yield TokenShown(settle.abstain(turn))
            for event in self._notices():
                yield event
            return
        while turn.outcome is None:
            async with aclosing(self._attempt(turn.model)) as events:
                async for event in events:
                    yield event
        if turn.cached:
            return
        if turn.outcome == "abstained":
            yield TokenShown(turn.reply)
        for event in self._notices():
            yield event

    async def _attempt(self, model: ChatModel) -> AsyncGenerator[Event]:
        """Show each sentence that a model writes once it is verified; set `outcome`, or the stronger tier that is asked next.

        Generate and verify run at the same time: each has a span, and verify's counts only its own work.
        """
        turn = self.turn
        before_it = len(turn.account.charges)
        written = Written()
        checking = 0.0
        self.verifier = self._verifier()
        yield StageStarted("generate")
        started = perf_counter()
        with self.trace.span("generate", model=model.name) as span:
            try:
                async with aclosing(self._pieces(model, written)) as pieces:
                    async for piece in pieces:
                        before = perf_counter()
                        shown = list(self.verifier.feed(piece.text, is_whole=written.is_whole))
                        checking += perf_counter() - before
                        for event in (*piece.notices, *self._show(shown)):
                            yield event
            finally:
                self._spent(span, before=before_it)
        yield StageFinished(
            "generate", (perf_counter() - started) * 1000, f"{turn.account.usage_of('generate').output_tokens} tokens"
        )
        if turn.cached:
            for event in self._replied():
                yield event
            return
        yield StageStarted("verify")
        with self.trace.span("verify") as span:
            before = perf_counter()
            verifier = self.verifier
            for event in [*self._show(list(verifier.finish(is_cut=written.is_cut))), *self._completed(verifier)]:
                yield event
            checking += perf_counter() - before
            next_ = escalate(turn, verifier, written=written, routes=self.parts.routes, is_down=self.parts.is_down)
            is_up = next_ is not None and next_.to is not None
            detail = f"escalates: {next_.why}" if is_up and next_ is not None else self._concluded(verifier, written)
            span.set("detail", detail)
            span.set("checking_ms", round(checking * 1000, 3))
        yield StageFinished("verify", checking * 1000, detail)
        if next_ is not None:
            turn.notices.append(next_.told)
        if next_ is not None and next_.to is not None:
            self.escalated = next_.told
            yield Notice("escalated", next_.told)
            yield StageStarted("route")
            yield await self._stage("route", lambda: self._go_up(next_))

    def _go_up(self, escalation: Escalation) -> str:
        """Set the stronger tier; its prompt is laid out anew where it has room for what was left out."""
        turn, parts = self.turn, self.parts
        detail = route.go_up(turn, parts.router, escalation=escalation)
        if turn.prompt is not None and turn.prompt.left_out:
            assemble(turn, tokens=parts.tokens, window=parts.router.window_of(turn.tier), share=parts.limits.share)
        return detail

    async def _unsearched(self) -> AsyncGenerator[Event]:
        """The model's own answer, under a caveat."""
        yield StageStarted("generate")
        started = perf_counter()
        with self.trace.span("generate") as span:
            span.set("ungrounded", value=True)
            try:
                context = self._context("generate")
                async with aclosing(degrade.without_documents(self.turn, context=context)) as pieces:
                    async for piece in pieces:
                        yield TokenShown(piece)
            finally:
                self._spent(span)
        yield StageFinished("generate", (perf_counter() - started) * 1000, "without documents")
        for event in self._notices():
            yield event

    def _show(self, pieces: list[Shown]) -> list[Event]:
        events: list[Event] = []
        for piece in pieces:
            self.turn.reply += piece.text
            self.turn.cuts.append(len(self.turn.reply))
            self.turn.citations += piece.citations
            events.append(TokenShown(piece.text))
            events += [CitationShown(citation) for citation in piece.citations]
        return events

    def _completed(self, verifier: Verifier) -> list[Event]:
        """Show what the answer rests on and doesn't say: the other side of a conflict, and as of when it holds."""
        turn = self.turn
        if not turn.reply:
            return []
        events: list[Event] = []
        if text := disputes.untold(turn, is_told=verifier.told_conflict):
            events += self._show([*verifier.feed(f"\n\n{text}"), *verifier.finish()])
        turn.conflicts = disputes.conflicts_of(turn)
        if dates := disputes.as_of(turn):
            events += self._show([Shown(dates)])
        return events

    async def _pieces(self, model: ChatModel, written: Written) -> AsyncGenerator[_Piece]:
        """The answer of a model; where it fails, what may stand in for it."""
        turn = self.turn
        told = 0
        try:
            async with aclosing(generate(turn, model, written=written, context=self._context("generate"))) as pieces:
                async for text in pieces:
                    new = tuple(_switched(each) for each in written.switches[told:])
                    told += len(new)
                    turn.switched += [each.text for each in new]
                    yield _Piece(text, new)
        except degrade.FAILURES as error:
            if turn.deadline.remaining > _LEAST_S and may_go_up(turn, self.parts.routes, is_down=self.parts.is_down):
                written.failure = str(error)
                return
            if self.parts.reader is None or model is self.parts.reader:
                raise
            if turn.reply:
                degrade.break_off(turn, error)
                written.is_broken_off = True
                return
            if await recall.recall_stale(turn, self.parts.cache, searcher=self.searcher):
                turn.notices.append(str(error))
                return
            degrade.fall_back_to_reader(turn, error)
            self.verifier = self._verifier()
        else:
            return
        turn.model = self.parts.reader
        reading = generate(turn, self.parts.reader, written=written, context=self._context("generate"))
        async with aclosing(reading) as pieces:
            async for text in pieces:
                yield _Piece(text)

    def _verifier(self) -> Verifier:
        turn = self.turn
        return Verifier(turn.evidence, today=turn.today, standings=turn.standings, disagreements=turn.disagreements)

    def _context(self, stage: Stage) -> CallContext:
        """What a call of a stage is told of this question."""
        purpose = purpose_of(self.turn, self.parts.release, stage=stage, trace_id=self.trace.trace_id)
        return CallContext(purpose=purpose, account=self.turn.account, tracer=self.trace)

    def _spent(self, span: OpenSpan, *, before: int = 0) -> None:
        """Note on a span what was spent after so many charges: each attempt of a question has a span of its own."""
        account = Account(self.turn.account.charges[before:])
        usage = account.usage_of("generate")
        span.set("input_tokens", usage.input_tokens)
        span.set("output_tokens", usage.output_tokens)
        span.set("estimated", usage.estimated)
        span.set("cost_micros", account.cost_micros)

    def _concluded(self, verifier: Verifier, written: Written) -> str:
        """Set outcome and notices from what the verifier saw."""
        turn = self.turn
        if not turn.reply:
            settle.abstain(turn)
        else:
            turn.outcome = "answered"
        if written.finish_reason == "length":
            turn.flaws.append("cut short")
            turn.notices.append("The answer was cut short at its greatest length, `max_tokens`.")
        if written.finish_reason == "content_filter":
            turn.flaws.append("cut by a content filter")
            turn.notices.append(
                "The model's content filter stopped the answer. Ask in other words, or choose another model."
            )
        if verifier.dropped:
            turn.flaws.append("sentences left out")
            count = len(verifier.dropped)
            turn.notices.append(
                "A sentence was left out, as no passage supports it."
                if count == 1
                else f"{count} sentences were left out, as no passage supports them."
            )
        turn.notices += [disputes.told_in_words(each) for each in turn.conflicts]
        turn.notices += disputes.superseded_notices(turn)
        counts = f"{len(turn.citations)} citations, {verifier.moved} moved, {len(verifier.dropped)} sentences left out"
        return f"{counts}, {len(turn.conflicts)} conflicts" if turn.conflicts else counts


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of an answer, and what the reader should know before it."""

    text: str
    notices: tuple[Notice, ...] = ()


def _switched(each: Switched) -> Notice:
    return Notice("fallback", f"The model {each.model!r} has taken over from {each.failed!r}. {each.reason}")


def _unfinished(trace: TraceBuilder, turn: Turn) -> Answer:
    return Answer(
        trace_id=trace.trace_id,
        text=turn.reply,
        outcome="failed",
        citations=tuple(turn.citations),
        conversation_id=turn.question.conversation_id,
        model=turn.model.name if turn.model is not None else "",
        usage=turn.account.usage_of("generate"),
        cost_micros=turn.account.cost_micros,
    )
