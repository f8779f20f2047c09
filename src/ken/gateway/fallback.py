"""Fallback: where a model fails, the next one of its tier goes on, before and after the first words.

Until something was passed on, the next model simply gets the request. After that it is told what was passed on
(`ChatRequest.begun`) and goes on behind it. Where the request holds sentences that is a whole number of them: of an unfinished one
nothing was shown. Half a tool call or half a JSON answer can't be gone on with; there the error goes out.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from ken.errors import KenError, ModelInterrupted, ModelUnavailable, Overloaded, Unsupported
from ken.gateway.failures import in_words, is_answerable_by_another
from ken.gateway.repetition import Repetition
from ken.gateway.vitals import Vitals
from ken.models.chat import ChatDelta, ChatRequest, FinishReason, Switched
from ken.models.protocols import ChatModel
from ken.text.sentence_stream import SentenceStream
from ken.text.thoughts import Thoughts

_log = logging.getLogger(__name__)

_NOTHING = ChatDelta()
_MOST_BEGUN = 50_000
"""Characters of an answer that another model is asked to go on behind: it reads, and bills, all of them as its prompt."""


@dataclass(slots=True)
class _PassedOn:
    """What the caller has of the answer, whoever wrote it."""

    pieces: list[str] = field(default_factory=list[str])
    has_called: bool = False
    """A part of a tool call is among it."""

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


class Fallback:
    """A ChatModel that is an ordered chain of them: a tier."""

    def __init__(self, name: str, chain: Sequence[ChatModel], *, vitals: Vitals, least_s: float = 1.0) -> None:
        self._name = name
        self._chain = tuple(chain)
        self._vitals = vitals
        self._least_s = least_s

    @property
    def name(self) -> str:
        """The tier's."""
        return self._name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """Yield the answer of the first model that has one; a delta with `switched` stands before what another one goes on with.

        Raises what the one model of a chain raised, or one error that says what each of several did. BudgetExceeded,
        DeadlineExceeded and an error of the request itself are raised at once.
        """
        passed_on = _PassedOn()
        failed: list[tuple[str, KenError]] = []
        untold: list[tuple[str, KenError]] = []
        for model in self._chain:
            if failed and request.deadline.remaining < self._least_s:
                break
            try:
                async with aclosing(_Attempt(model, request, passed_on=passed_on).deltas()) as deltas:
                    async for delta in deltas:
                        for name, error in untold:
                            self._note(name, error, model.name)
                            with request.context.tracer.span(
                                "fallback", failed=name, model=model.name, reason=in_words(error)
                            ):
                                pass  # a moment, and no step that takes time
                            yield ChatDelta(switched=Switched(name, model.name, str(error)))
                        untold.clear()
                        yield delta
            except KenError as error:
                if not is_answerable_by_another(error) or not _can_go_on(request, passed_on):
                    raise
                failed.append((model.name, error))
                untold.append(failed[-1])
            else:
                return
        raise self._failure(failed, has_begun=bool(passed_on.pieces))

    def _note(self, failed: str, error: KenError, model: str) -> None:
        self._vitals.of(failed).fallbacks[in_words(error)] += 1
        _log.warning("%r failed and %r goes on in its place: %s", failed, model, error)

    def _failure(self, failed: list[tuple[str, KenError]], *, has_begun: bool) -> KenError:
        """One error for what each did."""
        errors = [error for _, error in failed]
        if len(self._chain) == 1:
            return errors[0]
        told = " ".join(f"{name!r}: {error}" for name, error in failed)
        unasked = [model.name for model in self._chain[len(failed) :]]
        if unasked:
            told += f" There was no time left to ask {', '.join(map(repr, unasked))}."
        message = f"No model of {self._name!r} {'could complete the answer' if has_begun else 'answered'}. {told}"
        if has_begun:
            return ModelInterrupted(message)
        if all(isinstance(error, Unsupported) for error in errors):
            return Unsupported(message)
        waits = [error.retry_after_s or 0.0 for error in errors if isinstance(error, Overloaded)]
        if len(waits) == len(errors):
            return Overloaded(message, retry_after_s=min(waits))
        return ModelUnavailable(message)


class _Attempt:
    """One model's part of the answer."""

    def __init__(self, model: ChatModel, request: ChatRequest, *, passed_on: _PassedOn) -> None:
        begun = request.begun + passed_on.text
        self._model = model
        self._request = replace(request, begun=begun)
        self._passed_on = passed_on
        self._repetition = Repetition(begun)
        self._sentences = SentenceStream() if _is_held(request) else None
        self._thoughts = Thoughts() if _is_held(request) else None
        self._finish: FinishReason | None = None
        self._has_answered = False
        self._space = ""

    async def deltas(self) -> AsyncGenerator[ChatDelta]:
        """Yield what may be passed on. What carries nothing waits for what does: of a failed attempt it doesn't go out."""
        waiting: list[ChatDelta] = []
        try:
            async with aclosing(self._model.stream(self._request)) as deltas:
                async for delta in deltas:
                    passed = self._passed(delta)
                    if not passed.carries:
                        waiting += [passed] if passed != _NOTHING else []
                        continue
                    for each in (*waiting, passed):
                        yield each
                    waiting = []
        except KenError:
            if self._finish is None or not self._has_answered:
                raise
            # The answer was complete: what broke after it is none of the caller's business.
        # What is held back: all of it where no end was told, and what a server wrote behind the end that it told.
        if (last := self._passed(_NOTHING, is_last=True)).carries:
            yield last
        self._refuse_nothing()
        for each in waiting:
            yield each

    def _passed(self, delta: ChatDelta, *, is_last: bool = False) -> ChatDelta:
        """What of a delta goes out now; with the last one, all that was held back."""
        if self._sentences is None and self._has_answered and self._repetition.is_over and delta.finish_reason is None:
            self._note(delta)
            return delta
        self._finish = delta.finish_reason or self._finish
        is_last = is_last or delta.finish_reason is not None
        text, thought = (delta.text, "") if self._thoughts is None else self._thoughts.split(delta.text)
        if is_last and self._thoughts is not None:
            text += self._thoughts.rest()
        text = self._repetition.without(text)
        if is_last:
            text += self._repetition.rest()
        if self._sentences is not None:
            text = "".join(self._sentences.feed(text))
            if is_last or delta.tool_calls or delta.is_whole:
                text += self._sentences.rest()
        text = self._without_empty_beginning(text)
        if not text and not thought and delta == ChatDelta(delta.text):
            return _NOTHING
        # At its greatest length an answer stops anywhere.
        is_whole = bool(text) and self._sentences is not None and self._finish != "length"
        passed = replace(delta, text=text, reasoning=delta.reasoning + thought, is_whole=is_whole)
        self._note(passed)
        return passed

    def _note(self, passed: ChatDelta) -> None:
        """Remember what the caller has."""
        if passed.text:
            self._passed_on.pieces.append(passed.text)
            self._has_answered = True
        if passed.tool_calls:
            self._passed_on.has_called = self._has_answered = True

    def _without_empty_beginning(self, text: str) -> str:
        """White space goes out with what follows it: an answer that is nothing else is none."""
        if self._has_answered:
            return text
        self._space += text
        if not self._space.strip():
            return ""
        text, self._space = self._space, ""
        return text

    def _refuse_nothing(self) -> None:
        """Raise ModelInterrupted where the model wrote nothing at all and could have."""
        may_be_empty = self._finish in {"abstain", "content_filter"} or self._request.options.stop
        if self._has_answered or self._request.begun or may_be_empty:
            return
        if self._finish == "length":
            raise ModelInterrupted(
                f"The model {self._model.name!r} used up its tokens before its first word. Raise `max_tokens` in its [[models]] table."
            )
        raise ModelInterrupted(
            f"The model {self._model.name!r} ended its answer without a word. Ask again, or choose another model."
        )


def _is_held(request: ChatRequest) -> bool:
    """Whether text goes out by the sentence. With log probabilities it can't: they belong to tokens."""
    return request.holds_sentences and request.options.json_schema is None and not request.options.logprobs


def _can_go_on(request: ChatRequest, passed_on: _PassedOn) -> bool:
    """Whether another model can go on behind what the caller has."""
    if passed_on.has_called or sum(map(len, passed_on.pieces)) > _MOST_BEGUN:
        return False
    return not (passed_on.pieces and request.options.json_schema is not None)
