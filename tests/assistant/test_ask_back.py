"""Asking back: which office? Rarely, plainly, and never beyond what the asker may read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from ken.assistant.ask_back import OPENING
from ken.assistant.classify import standalone
from ken.domain.answer import Answer, Message
from ken.domain.principal import Principal
from ken.models.extractive import ExtractiveReader
from ken.wiring import Ken
from tests.assistant.corpus import assistant, tell, trace_of
from tests.assistant.worlds import answer_of, page, world

QUESTION = "Where is the parking for bicycles?"
OFFICES = {
    "offices/brackwater.md": page(
        "Brackwater",
        "The office of Brackwater lies at the old mill and opens at eight in the morning.",
        "## Parking for bicycles",
        "Bicycles stand in the yard behind the gate, and the gate closes at nine in the evening.",
        "## Lost badges",
        "A lost badge is told to security at once, and security blocks it.",
    ),
    "offices/tarnfell.md": page(
        "Tarnfell",
        "The office of Tarnfell lies above the station and opens at seven in the morning.",
        "## Parking for bicycles",
        "There is a cellar with forty racks; its door code hangs at the reception.",
        "## Lost badges",
        "A lost badge is told to security at once, and security blocks it.",
    ),
    "offices/ullmere.md": page(
        "Ullmere",
        "The office of Ullmere lies on the island and opens when the ferry has landed.",
        "## Parking for bicycles",
        "Leave bicycles at the pier: none may go on the ferry.",
        groups="[island]",
    ),
    "travel.md": page(
        "Travel", "A trip is booked two weeks ahead.", "## Hotels", "Hotels cost up to 140 euros a night."
    ),
}
STRANGER = Principal("key:stranger", frozenset())
ISLANDER = Principal("key:islander", frozenset({"island"}))


@pytest.fixture(scope="module")
async def ken(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Ken]:
    """An open home with three offices, one of which few may read of."""
    async with world(tmp_path_factory.mktemp("offices"), OFFICES) as opened:
        yield opened


async def asked(
    ken: Ken, text: str, *, asks_back: bool = True, principal: Principal = STRANGER, **more: object
) -> Answer:
    """The answer of the extractive reader."""
    return answer_of(
        await tell(assistant(ken, ExtractiveReader(), asks_back=asks_back), text, principal=principal, **more)
    )


async def test_a_question_with_two_answers_is_asked_back(ken: Ken) -> None:
    """The choices are named by what tells them apart, each with the document that it would be answered from."""
    told = await tell(assistant(ken, ExtractiveReader(), asks_back=True), QUESTION, principal=STRANGER)
    answer = answer_of(told)
    assert answer.outcome == "asked_back"
    assert not answer.abstained
    assert {choice.name: choice.document_id for choice in answer.choices} == {
        "Brackwater": "rules/offices/brackwater.md",
        "Tarnfell": "rules/offices/tarnfell.md",
    }
    assert answer.text.startswith(OPENING)
    assert "(rules/offices/tarnfell.md)" in answer.text
    trace = trace_of(ken, told)
    assert trace.outcome == "asked_back"
    assert {choice.document_id for choice in answer.choices} <= {one.document_id for one in trace.evidence}


async def test_each_choice_asks_for_its_own_answer(ken: Ken) -> None:
    """What a choice asks is answered from its document, without another question back."""
    for choice in (await asked(ken, QUESTION)).choices:
        answer = await asked(ken, choice.question)
        assert answer.outcome == "answered"
        assert {citation.document_id for citation in answer.citations} == {choice.document_id}


@pytest.mark.parametrize("reply", ["the Tarnfell one", "Tarnfell", "tarnfell please", "{number}", "the {ordinal} one"])
async def test_a_short_reply_chooses(ken: Ken, reply: str) -> None:
    """By name, by number or by place."""
    first = await asked(ken, QUESTION)
    place = [choice.name for choice in first.choices].index("Tarnfell")
    text = reply.format(number=place + 1, ordinal=("first", "second")[place])
    history = (Message("user", QUESTION), Message("assistant", first.text))
    answer = await asked(ken, text, history=history)
    assert answer.outcome == "answered"
    assert "cellar with forty racks" in answer.text


def test_another_question_is_no_choice() -> None:
    """After a question back anything may be asked."""
    said = Message("assistant", f"{OPENING}\n\n1. Brackwater (a/b.md)\n2. Tarnfell (a/t.md)")
    history = (Message("user", QUESTION), said)
    other = "How many weeks ahead is a trip to the sales conference booked by whom?"
    assert standalone(other, history) == other
    assert standalone("3", history) != f"{QUESTION} (Tarnfell)"
    assert standalone("the second one", (*history, Message("user", "x"), Message("assistant", "y"))) != said.content


@pytest.mark.parametrize(
    "question",
    [
        "Where is the parking for bicycles in Tarnfell?",  # it names one
        "Whom do I tell of a lost badge?",  # all say the same
        "Where is the cellar with forty racks for bicycles?",  # one leads
        "What may a hotel cost a night?",  # there is one reading
    ],
)
async def test_a_question_with_one_answer_is_answered(ken: Ken, question: str) -> None:
    """Nobody is asked who has named one, or where one leads, or where all say the same."""
    assert (await asked(ken, question)).outcome == "answered"


async def test_nobody_is_asked_who_wants_them_all(ken: Ken) -> None:
    """A comparison is of several things."""
    question = "How does the parking for bicycles differ between our offices?"
    assert (await asked(ken, question)).outcome != "asked_back"


async def test_a_question_back_offers_what_its_asker_may_read(ken: Ken) -> None:
    """Three readings for whoever may read of all three offices, two for anybody else."""
    assert {choice.name for choice in (await asked(ken, QUESTION, principal=ISLANDER)).choices} == {
        "Brackwater",
        "Tarnfell",
        "Ullmere",
    }
    assert "Ullmere" not in (await asked(ken, QUESTION)).text


async def test_asking_back_is_off_unless_it_is_chosen(ken: Ken) -> None:
    """Then the nearest is quoted."""
    answer = await asked(ken, QUESTION, asks_back=False)
    assert (answer.outcome, answer.choices) == ("answered", ())


async def test_an_acronym_of_two_meanings_is_asked_back(tmp_path: Path) -> None:
    """Its long forms are readings."""
    documents = {
        "a.md": page(
            "Purchases",
            "The Technical Review Board (TRB) meets on Mondays.",
            "The TRB decides on purchases above 900 euros.",
        ),
        "b.md": page(
            "Trains",
            "The Train Regulation Bureau (TRB) meets on Fridays.",
            "The TRB decides on delays above 9 minutes.",
        ),
    }
    async with world(tmp_path, documents) as opened:
        answer = await asked(opened, "When does the TRB meet?")
    assert {choice.name for choice in answer.choices} == {"Technical Review Board", "Train Regulation Bureau"}
