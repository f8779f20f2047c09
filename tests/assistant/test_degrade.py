"""What is answered when a dependency fails: each fallback, with the failure put in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Self

from ken.assistant.answer import Assistant
from ken.assistant.degrade import CAVEAT
from ken.domain.answer import Answer
from ken.domain.events import Answered, Failed, Notice, TokenShown
from ken.errors import ModelUnavailable
from ken.wiring import Ken
from tests.assistant.corpus import LIT, QUESTION, Told, assistant, says, tell, trace_of

AWAY = ModelUnavailable("The embedder is away. Start it.")


@dataclass
class Unsearchable:
    """A home whose embedder can't be reached: all but the search is the home's own."""

    corpora: Any
    own: Any = None

    async def corpus(self) -> Self:
        """The corpus in use, which can't be searched."""
        self.own = await self.corpora.corpus()
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self.own, name)

    async def search(self, *_: object, **__: object) -> object:
        """Fail as an endpoint does that is down."""
        raise AWAY


def answer_of(told: Told) -> Answer:
    """The whole answer, which is what was shown."""
    assert isinstance(told.last, Answered)
    assert "".join(event.text for event in told.events if isinstance(event, TokenShown)) == told.last.answer.text
    return told.last.answer


def unsearchable(asked: Assistant, *, policy: bool) -> Assistant:
    """The same assistant, over documents that can't be searched."""
    parts = asked._parts
    return Assistant(replace(parts, corpora=Unsearchable(parts.corpora), answers_unsearched=policy))


async def test_a_search_that_fails_fails_the_question(ken: Ken) -> None:
    """By default: with the embedder's error, and no model is asked."""
    model = says(LIT)
    told = await tell(unsearchable(assistant(ken, model), policy=False))
    assert isinstance(told.last, Failed)
    assert told.last.message == str(AWAY)
    assert model.requests == []


async def test_a_model_may_answer_without_documents(ken: Ken) -> None:
    """By policy: under a caveat, with a notice, nothing cited; the model is told that it has no documents."""
    model = says("Usually at dusk, ", "but look it up.")
    told = await tell(unsearchable(assistant(ken, model, cache=True), policy=True))
    answer = answer_of(told)
    assert answer.text == f"{CAVEAT}\n\nUsually at dusk, but look it up."
    assert answer.citations == ()
    assert answer.notices == (f"The documents could not be searched. {AWAY}",)
    assert "can't be searched" in model.requests[0].messages[0].content
    assert trace_of(ken, told).model == "scripted"
    again = await tell(assistant(ken, says(LIT), cache=True), QUESTION)
    assert not answer_of(again).cached


async def test_an_answer_given_before_stands_in_for_a_model_that_fails(ken: Ken) -> None:
    """Past its time it is not given again; where no model answers, it is, with a notice that says so."""
    model = says(f"{LIT} [1]")
    asked = assistant(ken, model, cache=True, reads=True)
    lasting = dict(ken.cache.categories)
    ken.cache.categories = {name: replace(each, ttl_s=0.05) for name, each in lasting.items()}
    try:
        first = answer_of(await tell(asked))
        await asyncio.sleep(0.1)
        model._script = lambda _: [ModelUnavailable("It is away. Start it.")]
        told = await tell(asked)
    finally:
        ken.cache.categories = lasting
    answer = answer_of(told)
    assert (answer.text, answer.cached) == (first.text, True)
    assert answer.original_trace_id == first.trace_id
    assert any(isinstance(event, Notice) and "No model could answer" in event.text for event in told.events)
