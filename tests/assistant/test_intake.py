"""Intake and classify through the public door: what is taken, what is refused, what a question means."""

from __future__ import annotations

import pytest

from ken.domain.answer import Message
from ken.domain.events import Answered, Failed
from ken.errors import InvalidInput
from ken.wiring import Ken
from tests.assistant.corpus import LIT, QUESTION, assistant, says, tell, trace_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "empty"),
        (" \t\n\u00a0\u2003", "empty"),
        ("?!…", "empty"),
        ("😀🏝️👨‍👩‍👧", "empty"),
        ("x" * 1_000_000, "1,000,000 characters"),
        ("When\x00?", "not text"),
        ("\x01\x02\x03\x04 When?", "not text"),
        ("When is \ud800 the lamp lit?", "surrogate"),
        ("When is \udcff\udcfe the lamp lit?", "surrogate"),
    ],
)
async def test_what_is_no_question_is_refused(ken: Ken, text: str, wanted: str) -> None:
    """InvalidInput in plain words, on record with no more text than would have been taken, and no model is asked."""
    model = says(LIT)
    told = await tell(assistant(ken, model), text)
    assert isinstance(told.last, Failed)
    assert told.last.kind == InvalidInput.__name__
    assert wanted in told.last.message
    assert model.requests == []
    assert len(trace_of(ken, told).question) <= 8000


@pytest.mark.parametrize(
    "text",
    [
        "مَتَى يُضَاءُ المِصْبَاحُ؟",
        "\u202bמתי נדלקת המנורה?\u202c",
        "灯はいつ点灯しますか。",
        "When is the lamp lit? 😀",
        "  When\n\nis\tthe lamp lit?  ",
        "x" * 8000,
        "lamp",
        "7",
    ],
)
async def test_any_language_and_length_is_taken(ken: Ken, text: str) -> None:
    """Text of any script, right to left too, with emoji and line breaks, goes through to an answer or an abstention."""
    told = await tell(assistant(ken, says("NOT IN THE DOCUMENTS")), text)
    assert isinstance(told.last, Answered)


async def test_half_a_character_in_the_history_is_refused(ken: Ken) -> None:
    """What can't be written can't be sent to a model either."""
    told = await tell(assistant(ken, says(LIT)), QUESTION, history=(Message("user", "\ud83d"),))
    assert isinstance(told.last, Failed)
    assert told.last.kind == "InvalidInput"


async def test_the_last_five_turns_are_the_window(ken: Ken) -> None:
    """Of a longer conversation, five questions with their answers go along; an immense message is left out."""
    model = says(LIT)
    turns = [
        pair for at in range(9) for pair in (Message("user", f"Question {at}?"), Message("assistant", f"Reply {at}."))
    ]
    await tell(assistant(ken, model), QUESTION, history=tuple(turns))
    assert [message.content for message in model.requests[0].messages[1:-1]] == [turn.content for turn in turns[-10:]]
    await tell(assistant(ken, model), QUESTION, history=(Message("user", "x" * 30_000), Message("assistant", "Yes.")))
    assert [message.content for message in model.requests[1].messages[1:-1]] == ["Yes."]
    await tell(assistant(ken, model, history_turns=0), QUESTION, history=tuple(turns))
    assert len(model.requests[2].messages) == 2


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("How much does a keeper earn?", "lookup"),
        ("How do I change the bulb?", "procedure"),
        ("What are the steps to change the bulb?", "procedure"),
        ("How long does a watch last?", "lookup"),
        ("What is the difference between the old and the new roster?", "comparison"),
        ("Is the lamp or the lens cleaned first, and which by whom?", "comparison"),
        ("The lamp won't start", "troubleshooting"),
        ("Alert LAMP-3 is firing, what now?", "troubleshooting"),
        ("Summarise the visitors' book", "summary"),
        ("Give me an overview of the watch", "summary"),
    ],
)
async def test_the_task_is_told(ken: Ken, text: str, task: str) -> None:
    """The kind of work that a question is goes to the model and into the trace."""
    model = says(LIT)
    told = await tell(assistant(ken, model), text)
    assert model.requests[0].task == task
    assert trace_of(ken, told).task_type == task


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("hi", "Hello!"),
        ("Hello there!", "Hello!"),
        ("thanks", "Hello!"),
        ("Thank you so much!", "Hello!"),
        ("hi, how's your day going?", "Hello!"),
        ("Who are you?", "Hello!"),
        ("what's up", "Hello!"),
        ("ok great", "Hello!"),
        ("Tell me a joke", "Hello!"),
        ("write me a limerick about a grumpy cat", "don't write or guess"),
        ("who will win the football world cup?", "don't write or guess"),
        ("what's a good recipe for banana bread?", "don't write or guess"),
        ("I've had a sharp pain in my chest since yesterday, what medicine should I take?", "medical"),
        ("my knee has been swollen for a week, which painkiller should I take?", "medical"),
        ("my landlord kept my deposit, can I sue him?", "medical, legal"),
        ("Should I invest in bitcoin?", "medical, legal"),
    ],
)
async def test_small_talk_and_advice_need_no_search(ken: Ken, text: str, reply: str) -> None:
    """A greeting is returned; writing, guessing and personal advice are declined; no model is asked."""
    model = says(LIT)
    told = await tell(assistant(ken, model), text)
    assert isinstance(told.last, Answered)
    assert told.last.answer.outcome == "abstained"
    assert reply in told.text
    assert model.requests == []
    assert trace_of(ken, told).task_type == "smalltalk"


@pytest.mark.parametrize(
    "text",
    [
        "cool-down period between deploys",
        "nice level of batch jobs",
        "Great circle route of the supply boat",
        "OK what is the fee for a berth",
        "Thanks, and when is the lamp lit?",
        "How are things stored in the level store?",
        "How is life insurance paid?",
        "How you claim expenses",
        "What is up for review this quarter?",
        "What's up with the alert relay?",
        "Hello world example for the API",
        "What is the recipe for calibration solution?",
        "Who can tell me about the novel coronavirus policy?",
        "How do I report symptoms after a site visit?",
        "Can I take leave for a divorce?",
        "How do I check stock levels of my sensors?",
        "When do my stock options vest?",
        "Do I get sick pay if I have a migraine?",
        "I found a rash of errors in my log, what do I do?",
        "Where do I file my tax return as a contractor abroad?",
        "Which first-aid box has ibuprofen for me?",
    ],
)
async def test_questions_that_look_like_small_talk_are_searched(ken: Ken, text: str) -> None:
    """A word of greeting, of writing or of illness doesn't make small talk."""
    told = await tell(assistant(ken, says("NOT IN THE DOCUMENTS")), text)
    assert "retrieve" in told.stages


EARLIER = (Message("user", "How long does a watch of the keepers last?"), Message("assistant", "Six hours. [1]"))


@pytest.mark.parametrize(
    ("text", "standalone"),
    [
        ("And who shares it?", "And who shares it? (long watch keepers last)"),
        ("What about Sundays?", "What about Sundays? (long watch keepers last)"),
        ("How early do I have to ask?", "How early do I have to ask? (long watch keepers last)"),
        ("No, I meant the night", "No, I meant the night (long watch keepers last)"),
    ],
)
async def test_a_follow_up_is_asked_with_its_topic(ken: Ken, text: str, standalone: str) -> None:
    """A question that points back is searched with the words of the question before it."""
    model = says(LIT)
    told = await tell(assistant(ken, model), text, history=EARLIER)
    assert model.requests[0].question == standalone
    assert "with the question before it" in told.detail("classify")
    assert model.requests[0].messages[-1].content == text


@pytest.mark.parametrize(
    "text",
    [
        "When is the lamp of the lighthouse lit in the evening?",
        "How do keepers change the bulb of the lamp?",
        "Who signs the visitors' book at the door?",
    ],
)
async def test_a_new_topic_stands_alone(ken: Ken, text: str) -> None:
    """A question of its own is searched as it was asked, also late in a conversation."""
    model = says(LIT)
    await tell(assistant(ken, model), text, history=EARLIER)
    assert model.requests[0].question == text


async def test_the_first_question_stands_alone(ken: Ken) -> None:
    """Without a conversation before it nothing is added."""
    model = says(LIT)
    await tell(assistant(ken, model), "And who shares it?")
    assert model.requests[0].question == "And who shares it?"
