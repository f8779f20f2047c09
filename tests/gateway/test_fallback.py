from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ken.errors import (
    BreakerOpen,
    BudgetExceeded,
    DeadlineExceeded,
    KenError,
    ModelInterrupted,
    ModelUnavailable,
    Overloaded,
    Unsupported,
)
from ken.gateway.fallback import Fallback
from ken.gateway.vitals import Vitals
from ken.models.chat import ChatDelta, ChatOptions, ChatRequest, Switched, Tool, ToolCallPiece
from tests.gateway.asking import CUT, DOWN, Turns, deltas_of, outcome_of, plainly, refused, request, text_of

ANSWER = "There are 28 days. They are taken in a year. Ask early."
STALLED = ModelInterrupted("The model fell silent in mid-answer.")
MALFORMED = ModelInterrupted("The model sent a chunk that is not a chat completion.")


def pieces(text: str, size: int = 3) -> list[str]:
    """A text as it streams."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def tier(*models: Turns, vitals: Vitals | None = None, least_s: float = 0.05) -> Fallback:
    """A chain."""
    return Fallback("tier-1", models, vitals=vitals or Vitals(), least_s=least_s)


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        refused(500),
        refused(429),
        refused(401),
        refused(403),
        refused(404),
        BreakerOpen("open"),
        Overloaded("full"),
        Unsupported("no images"),
    ],
)
async def test_before_anything_was_shown_the_next_model_gets_the_request(error: KenError) -> None:
    """Whatever is about one model alone sends the same request to the next, and the caller is told who took over."""
    first, second, vitals = Turns("a", (error,)), Turns("b", pieces(ANSWER)), Vitals()
    asked = request()
    deltas = await deltas_of(tier(first, second, vitals=vitals), asked)
    assert "".join(delta.text for delta in deltas) == ANSWER
    assert [delta.switched for delta in deltas if delta.switched] == [Switched("a", "b", str(error))]
    assert deltas[0].switched is not None, "the notice stands before what the other model says"
    assert second.requests == [asked]
    assert vitals.of("a").fallbacks.total() == 1


@pytest.mark.parametrize(
    "error",
    [refused(400), refused(413), refused(422), BudgetExceeded("used up", resets_at=1.0), DeadlineExceeded("too late")],
)
async def test_what_every_model_would_say_is_not_asked_again(error: KenError) -> None:
    """A bad request, a used-up budget and a passed deadline go out at once."""
    second = Turns("b", (ANSWER,))
    assert await outcome_of(tier(Turns("a", (error,)), second), request()) is error
    assert second.requests == []


@pytest.mark.parametrize("error", [CUT, STALLED, MALFORMED, refused(429)])
@pytest.mark.parametrize("shown", [1, 12, 19, 30, 54])
async def test_a_failure_in_mid_answer_goes_on_behind_the_last_whole_sentence(error: KenError, shown: int) -> None:
    """Wherever the first model breaks, the caller gets whole sentences of one, then of the other, and each once."""

    def goes_on(begun: str) -> Sequence[str]:
        return pieces(ANSWER[len(begun) :])

    first, vitals = Turns("a", (*pieces(ANSWER[:shown]), error)), Vitals()
    second = Continuing("b", goes_on)
    deltas = await deltas_of(Fallback("tier-1", (first, second), vitals=vitals), request())
    assert "".join(delta.text for delta in deltas) == ANSWER
    begun = second.requests[0].begun
    assert begun in {"", "There are 28 days.", "There are 28 days. They are taken in a year."}
    assert all(delta.is_whole for delta in deltas if delta.text)
    before = deltas[: next(at for at, delta in enumerate(deltas) if delta.switched)]
    assert "".join(delta.text for delta in before) == begun


class Continuing(Turns):
    """A model that goes on behind what was begun, in its own way."""

    def __init__(self, name: str, goes_on: object) -> None:
        super().__init__(name)
        self._goes_on = goes_on

    def stream(self, asked: ChatRequest) -> object:
        """Go on."""
        self._turns = (self._goes_on(asked.begun),)
        return super().stream(asked)


@pytest.mark.parametrize(
    "again",
    [
        "There are 28 days. They are taken in a year. Ask early.",
        "They are taken in a year. Ask early.",
        "There are 28 days.\n\nThey are taken in a year.\nAsk early.",
        " Ask early.",
    ],
)
@pytest.mark.parametrize("size", [1, 4, 200])
async def test_a_model_that_begins_again_says_nothing_twice(again: str, size: int) -> None:
    """Sentences that were shown already are taken out of what the next model goes on with."""
    first = Turns("a", ("There are 28 days. They are taken in a year. As", CUT))
    text = await text_of(tier(first, Turns("b", pieces(again, size))), request())
    assert text.split() == ANSWER.split()


async def test_a_short_sentence_may_come_again() -> None:
    """What is too short to tell a repetition from a coincidence is left in."""
    first = Turns("a", ("Monday? Open. Tuesday? Closed. Wednesday? Open. Th", CUT))
    text = await text_of(tier(first, Turns("b", (" Thursday?", " Open. Closed on Friday."))), request())
    assert text == "Monday? Open. Tuesday? Closed. Wednesday? Open. Thursday? Open. Closed on Friday."


async def test_at_the_plain_door_pieces_pass_unheld_and_go_on_where_they_stopped() -> None:
    """Each piece is passed on as it comes; the next model goes on behind exactly that, and what it repeats is taken out."""
    first = Turns("a", ("There are 28 da", CUT))
    second = Turns("b", ("There are 28", " days. Ask", " early."))
    deltas = await deltas_of(tier(first, second), plainly(request()))
    assert [delta.text for delta in deltas if delta.text] == ["There are 28 da", "ys. Ask", " early."]
    assert second.requests[0].begun == "There are 28 da"
    assert not any(delta.is_whole for delta in deltas)


@pytest.mark.parametrize(
    ("options", "piece"),
    [
        (
            ChatOptions(tools=(Tool(name="search"),)),
            ChatDelta(tool_calls=(ToolCallPiece(index=0, id="1", name="search", arguments='{"q'),)),
        ),
        (ChatOptions(json_schema={"type": "object"}), ChatDelta('{"days": 2')),
    ],
)
async def test_half_a_tool_call_and_half_a_json_answer_are_not_gone_on_with(
    options: ChatOptions, piece: ChatDelta
) -> None:
    """Once a part of either went out, the error goes out; before, the next model gets the request."""
    asked = replace(request(), options=options)
    second = Turns("b", (piece,))
    assert await outcome_of(tier(Turns("a", (piece, CUT)), second), asked) is CUT
    assert second.requests == []
    assert not isinstance(await outcome_of(tier(Turns("a", (CUT,)), second), asked), KenError)


@pytest.mark.parametrize(
    "nothing",
    [
        (),
        ("  ",),
        (ChatDelta(finish_reason="length"),),
        ("<think>What do they want? 28 days?",),
        (ChatDelta(reasoning="What do they want?"), ChatDelta(finish_reason="length")),
    ],
)
async def test_an_empty_answer_is_a_failure(nothing: Sequence[str | ChatDelta]) -> None:
    """A model that stops, or runs out of tokens, without a word is followed by the next; alone it fails."""
    assert await text_of(tier(Turns("a", nothing), Turns("b", (ANSWER,))), request()) == ANSWER
    assert isinstance(await outcome_of(tier(Turns("a", nothing)), request()), ModelInterrupted)


async def test_thoughts_are_told_apart_and_never_gone_on_with() -> None:
    """What a model thinks aloud goes out as reasoning; the next one is told of the answer alone."""
    first = Turns("a", ("<thi", "nk>Let me see. 28.</think>", "\nThere are 28 days. As", CUT))
    second = Turns("b", (" Ask early.",))
    deltas = await deltas_of(tier(first, second), request())
    assert "".join(delta.text for delta in deltas).strip() == "There are 28 days. Ask early."
    assert "".join(delta.reasoning for delta in deltas) == "Let me see. 28."
    assert second.requests[0].begun.strip() == "There are 28 days."


async def test_when_all_fail_one_error_says_what_each_did() -> None:
    """The error names every model of the chain with its own reason; its kind tells whether an answer was begun."""
    models = (Turns("a", (DOWN,)), Turns("b", (refused(500),)), Turns("c", (CUT,)))
    failure = await outcome_of(tier(*models), request())
    assert type(failure) is ModelUnavailable
    for said in (
        "No model of 'tier-1' answered",
        "'a': The model can't be reached",
        "'b': The model answered 500",
        "'c': The model cut",
    ):
        assert said in str(failure)
    begun = await outcome_of(tier(Turns("a", ("One. Two. Th", CUT)), Turns("b", (DOWN,))), request())
    assert type(begun) is ModelInterrupted
    full = [Turns("a", (Overloaded("full", retry_after_s=9.0),)), Turns("b", (Overloaded("full", retry_after_s=4.0),))]
    refusal = await outcome_of(tier(*full), request())
    assert isinstance(refusal, Overloaded)
    assert refusal.retry_after_s == 4.0
    assert isinstance(
        await outcome_of(tier(*(Turns(name, (Unsupported("no tools"),)) for name in "ab")), request()), Unsupported
    )


async def test_no_model_is_asked_without_enough_time() -> None:
    """With less left than an answer takes, the next model isn't asked, and the error says so."""
    second = Turns("b", (ANSWER,))
    failure = await outcome_of(tier(Turns("a", ("", CUT), pause_s=0.1), second, least_s=1.0), request(seconds=0.9))
    assert "no time left to ask 'b'" in str(failure)
    assert second.requests == []


async def test_an_answer_that_is_complete_outlives_what_breaks_after_it() -> None:
    """An error behind the finish reason changes nothing."""
    assert (
        await text_of(tier(Turns("a", (ANSWER, ChatDelta(finish_reason="stop"), CUT)), Turns("b", ("x",))), request())
        == ANSWER
    )


@pytest.mark.parametrize(
    "text", ["word " * 100_000, "No border here" * 40_000, "```\n" + "x = 1\n" * 80_000, "e.g. " * 100_000]
)
async def test_a_huge_answer_passes_in_bounded_time(text: str) -> None:
    """Half a megabyte without the border of a sentence are passed on whole, in pieces, and in seconds."""
    began = time.monotonic()
    deltas = await deltas_of(tier(Turns("a", pieces(text, 200))), request())
    assert "".join(delta.text for delta in deltas) == text
    assert max(len(delta.text) for delta in deltas) < 50_000
    assert time.monotonic() - began < 15
