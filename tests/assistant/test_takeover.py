from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from ken.domain.events import Answered, Event, Notice, TokenShown
from ken.errors import KenError, ModelInterrupted, ModelRefused, ModelUnavailable
from ken.gateway.fallback import Fallback
from ken.gateway.vitals import Vitals
from ken.models.chat import ChatDelta, ChatRequest
from ken.wiring import Ken
from tests.assistant.corpus import LIT, OUT, WATCH, assistant, says, tell

ERRORS = [ModelInterrupted("It was cut."), ModelRefused("Too much.", status=429), ModelUnavailable("It is gone.")]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("again", [f" {OUT} [1] {WATCH} [2]", f"{LIT} [1] {OUT} [1] {WATCH} [2]"])
async def test_another_model_goes_on_in_mid_answer(ken: Ken, error: KenError, again: str) -> None:
    """The reader sees one answer, each sentence once and with its citation, and a notice that another model took over."""
    first = says(*f"{LIT} [1] {OUT[:20]}", error, name="first")  # pyright: ignore[reportArgumentType]
    second = says(*again, name="second")
    told = await tell(assistant(ken, Fallback("tier-1", (first, second), vitals=Vitals())))
    assert isinstance(told.last, Answered)
    assert told.text == f"{LIT} [1] {OUT} [1] {WATCH} [2]"
    assert [shown.citation.number for shown in told.citations] == [1, 1, 2]
    notices = [event.text for event in told.events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "second" in notices[0]
    assert second.requests[0].begun == f"{LIT} [1]"


class Hesitant:
    """A model that begins its second sentence and then waits until it is told to go on."""

    name = "hesitant"

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """One sentence, a letter, a wait, the rest."""
        _ = request
        yield ChatDelta(f"{LIT} [1] {OUT[0]}")
        await self.goes_on.wait()
        yield ChatDelta(f"{OUT[1:]} [1]", finish_reason="stop")


async def test_a_sentence_is_shown_when_the_next_one_begins(ken: Ken) -> None:
    """It waits for nothing but the letter that tells that it has ended, and is held back only once."""
    model = Hesitant()

    async def watch(event: Event) -> None:
        if isinstance(event, TokenShown):
            model.goes_on.set()

    told = await tell(assistant(ken, model, deadline_s=10.0), meanwhile=watch)
    assert told.text == f"{LIT} [1] {OUT} [1]"
