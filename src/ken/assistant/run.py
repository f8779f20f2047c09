"""One question under way: the order of the stages, their spans, and the events that come of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter

from ken.assistant import degrade, disputes, recall, route, settle
from ken.assistant.assemble import assemble
from ken.assistant.escalate import Escalation, escalate, may_go_up
from ken.assistant.examine import examine
from ken.assistant.generate import Written, generate
from ken.assistant.noted import noted
from ken.assistant.parts import Parts
from ken.assistant.retrieve import Searcher
from ken.assistant.stages import Work, before_model, purpose_of
from ken.assistant.turn import Turn
from ken.assistant.verify import Shown, Verifier
from ken.domain.call import Account, CallContext
from ken.domain.events import (
    Answered,
    CitationShown,
    Event,
    Notice,
    Stage,
    StageFinished,
    StageStarted,
    TokenShown,
)
from ken.errors import ModelError
from ken.gateway.embedding import within
from ken.gateway.failures import in_words
from ken.models.chat import Switched
from ken.models.protocols import ChatModel
from ken.telemetry.tracing import OpenSpan, TraceBuilder

_LEAST_S = 1.0
"""In less time no stronger model need be asked."""


@dataclass(slots=True)
class Run:
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
        """Yield what happens, ending in Answered. Raises what the stages raise."""
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
            notices = list(examine(turn, parts.examiner))
            span.set("checks_ms", round((perf_counter() - started) * 1000, 3))
            for notice in notices:
                yield notice
            span.set("checked", len(turn.checked))
            span.set("failed_checks", ", ".join(turn.failed_checks))
            before = perf_counter()
            answer = await settle.settle(turn, self.trace.trace_id, cache=parts.cache, searcher=self.searcher)
            span.set("cache_ms", round((perf_counter() - before) * 1000, 3))
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
                self.turn.notices.append(f"{degrade.UNSEARCHED}{degrade.why(self.turn, error)}")
                route.route(self.turn, self.parts.router)
            if self.turn.outcome is not None or self.unsearched is not None:
                return

    async def _stage(self, stage: Stage, work: Work) -> StageFinished:
        self.turn.deadline.check(stage)
        started, before = perf_counter(), self.turn.prompt
        with self.trace.span(stage) as span, within(self._context(stage), self.turn.deadline):
            result = work()
            detail = result if isinstance(result, str) else await result
            span.set("detail", detail)
            for name, value in noted(stage, self.turn, limits=self.parts.limits, before=before).items():
                span.set(name, value)
            if stage == "retrieve" and self.turn.result is not None and (topic := await self._topic()):
                span.set("topic", topic)
        return StageFinished(stage, (perf_counter() - started) * 1000, detail)

    async def _topic(self) -> str:
        """The cluster that the question belongs to, by the vector that it was just searched with; empty where there is none."""
        if self.parts.topics is None:
            return ""
        try:
            vector = await self.searcher.embed(self.turn.standalone)
        except ModelError:
            return ""
        return self.parts.topics.of(vector, space=self.searcher.vectors)

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
        """One for each line of the turn; those of its conflicts, and of a lesser answer, are of kinds of their own."""
        conflicts = {disputes.told_in_words(each) for each in self.turn.conflicts}

        def kind(text: str) -> str:
            return "conflict" if text in conflicts else "degraded" if text.startswith(degrade.DEGRADED) else "verify"

        return [Notice(kind(text), text) for text in self.turn.notices if text != self.escalated]

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
                    new = tuple(self._switched(each) for each in written.switches[told:])
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
                turn.notices.append(degrade.why(turn, error).strip())
                return
            degrade.fall_back_to_reader(turn, error)
            with self.trace.span("fallback", failed=model.name, model=self.parts.reader.name, reason=in_words(error)):
                pass  # a moment, as where a model takes over from another
            self.verifier = self._verifier()
        else:
            return
        turn.model = self.parts.reader
        reading = generate(turn, self.parts.reader, written=written, context=self._context("generate"))
        async with aclosing(reading) as pieces:
            async for text in pieces:
                yield _Piece(text)

    def _switched(self, each: Switched) -> Notice:
        reason = degrade.why(self.turn, each.reason)
        return Notice("fallback", f"The model {each.model!r} has taken over from {each.failed!r}.{reason}")

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
