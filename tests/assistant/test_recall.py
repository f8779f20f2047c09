"""The answer cache: what is given again, to whom, and when no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ken.domain.answer import Answer, Message
from ken.domain.events import Answered, Notice
from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.domain.usage import Usage
from ken.errors import ModelInterrupted
from ken.settings import load
from ken.wiring import Ken, open_home
from tests.assistant.corpus import KEEPER, LIT, OUT, QUESTION, STRANGER, assistant, copy, says, tell, trace_of

SAFE = "What is the code of the safe in the lighthouse?"
CODE = "The code of the safe in the lighthouse is 4711, and the key hangs behind the clock."


async def answer_to(asked: object, text: str = QUESTION, **more: object) -> Answer:
    """The answer to a question."""
    told = await tell(asked, text, **more)  # pyright: ignore[reportArgumentType]
    assert isinstance(told.last, Answered)
    assert told.text == told.last.answer.text
    return told.last.answer


async def test_an_answer_is_given_again(ken: Ken) -> None:
    """The same text and citations, marked, at no cost, without a model, and with a trace of its own."""
    model = says(f"{LIT} [1]", name="gpt-4o")
    asked = assistant(ken, model, cache=True)
    first = await answer_to(asked)
    told = await tell(asked, "  when IS the lamp of the lighthouse lit ??  ")
    assert isinstance(told.last, Answered)
    again = told.last.answer
    assert (again.text, again.citations) == (first.text, first.citations)
    assert (first.cached, again.cached) == (False, True)
    assert first.cost_micros != 0
    assert (again.cost_micros, again.usage) == (0, Usage())
    assert len(model.requests) == 1
    assert Notice("cached", "This answer was given before and its documents have not changed.") in told.events
    assert told.stages == ["intake", "screen", "classify", "recall", "settle"]
    trace = trace_of(ken, told)
    assert (trace.cached, trace.cost_micros, trace.id != first.trace_id) == (True, 0, True)


async def test_an_abstention_is_given_again_with_its_notices(ken: Ken) -> None:
    """What was left out the first time is said the second time, too."""
    asked = assistant(ken, says("The lamp burns whale oil."), cache=True)
    first, again = await answer_to(asked), await answer_to(asked)
    assert again.cached
    assert (again.outcome, again.notices, again.nearest) == ("abstained", first.notices, first.nearest)
    assert first.notices


@pytest.mark.parametrize(
    "change",
    [
        {"history": (Message("user", "And before?"),)},
        {"model": "other"},
        {"collections": frozenset({"light"})},
        {"max_tokens": 99},
        {"text": "When is the lamp of the lighthouse put out?"},
    ],
)
async def test_another_question_is_another_answer(ken: Ken, change: dict[str, object]) -> None:
    """The conversation, the model, the collections, the length and the words all count."""
    asked = assistant(ken, says(LIT), says(OUT, name="other"), cache=True)
    await answer_to(asked)
    assert not (await answer_to(asked, **change)).cached  # pyright: ignore[reportArgumentType]
    assert (await answer_to(asked, **change)).cached  # pyright: ignore[reportArgumentType]


async def test_an_answer_stays_among_those_who_may_read_the_same(ken: Ken) -> None:
    """Nobody is given an answer that was made from what others may read; the like-minded share theirs."""
    model = says(f"{CODE} [1]")
    asked = assistant(ken, model, cache=True)
    assert "4711" in (await answer_to(asked, SAFE, principal=KEEPER)).text
    refused = await answer_to(asked, SAFE, principal=STRANGER)
    assert (refused.cached, "4711" in refused.text) == (False, False)
    assert not (await answer_to(asked, SAFE, principal=LOCAL_OPERATOR)).cached
    assert not (await answer_to(asked, SAFE, principal=Principal("key:both", frozenset({"keepers", "guests"})))).cached
    assert (await answer_to(asked, SAFE, principal=Principal("key:other", frozenset({"keepers"})))).cached


async def test_a_sync_leaves_nothing_stale(tmp_path: Path) -> None:
    """After a changed document the question is answered anew; after a deleted one nothing of it is left."""
    own = await open_home(load(copy(tmp_path / "home")))
    bell = "When is the fog bell of the lighthouse rung?"
    asked = assistant(
        own, says("The fog bell is rung every 30 seconds. The fog bell is rung every 90 seconds."), cache=True
    )
    folder = tmp_path / "extra"
    folder.mkdir()
    for seconds in (30, 90):
        (folder / "bell.md").write_text(
            f"# The bell\n\nThe fog bell is rung every {seconds} seconds.\n", encoding="utf-8"
        )
        report = await own.library.sync_folder(folder, collection="extra")
        assert not report.failures
        first, again = await answer_to(asked, bell), await answer_to(asked, bell)
        assert (first.cached, again.cached) == (False, True)
        assert first.text == again.text == f"The fog bell is rung every {seconds} seconds. [1]"
    (folder / "bell.md").unlink()
    await own.library.sync_folder(folder, collection="extra")
    last = await answer_to(asked, bell)
    await own.aclose()
    assert (last.cached, last.outcome) == (False, "abstained")


async def test_a_failure_is_not_kept(ken: Ken) -> None:
    """A question whose model died is asked again in full."""
    model = says(f"{LIT} ", ModelInterrupted("It broke off. Ask again."))
    asked = assistant(ken, model, cache=True)
    await tell(asked)
    await tell(asked)
    assert len(model.requests) == 2


async def test_without_a_cache_every_question_is_asked(ken: Ken) -> None:
    """Where the cache is off, recall says so and the model works each time."""
    model = says(LIT)
    asked = assistant(ken, model)
    for _ in range(2):
        told = await tell(asked)
        assert told.detail("recall") == "off"
    assert len(model.requests) == 2
