"""What is the rule on a day: newer documents win, older and future ones are said to be so, and sources tell their dates."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from ken.domain.answer import Answer
from ken.domain.principal import Principal
from ken.wiring import Ken
from tests.assistant.corpus import assistant, says, tell
from tests.assistant.worlds import TODAY, answer_of, ask, page, quoted, world

CARRY = "How many days of unused leave may I carry into the next year?"
OLD = "At most 3 days of unused leave may be carried into the next year."
NOW = "You may carry up to 5 days of unused leave over into the next year."
SOON = "You may carry up to 10 days of unused leave over into the next year."
ROSTER = "The roster of the watch is written by the first keeper on Mondays."
OLDER_ROSTER = "The roster of the watch is written by the harbour master on Fridays."
OLDEST_ROSTER = "The roster of the watch is written by nobody at all."
KEY = "The key of the boat house hangs behind the clock."
PUMP = "The bilge pump is tested by running it for 20 minutes."

DOCUMENTS = {
    "leave-2024.md": page("Annual leave 2024", OLD, owner="People", effective="2024-01-01", review_by="2025-12-31"),
    "leave.md": page(
        "Annual leave", NOW, owner="People", effective="2026-01-01", review_by="2026-11-21", supersedes="leave-2024.md"
    ),
    "leave-2027.md": page("Annual leave 2027", SOON, owner="People", effective="2027-03-01", supersedes="leave.md"),
    "roster-1.md": page("The first roster", OLDEST_ROSTER, effective="2019-01-01"),
    "roster-2.md": page("The second roster", OLDER_ROSTER, effective="2021-04-01", supersedes="roster-1.md"),
    "roster-3.md": page("The third roster", ROSTER, effective="2025-07-01", supersedes="roster-2.md"),
    "boat-house.md": page("The boat house", KEY, effective="2020-01-01", review_by="2026-11-22", owner="Harbour"),
    "boat-house-new.md": page(
        "The new boat house", "The new boat house is painted red.", effective="2026-05-01", supersedes="boat-house.md"
    ),
    "pump.md": page("The bilge pump", PUMP, effective="2027-01-01"),
    "bell.md": page(
        "The bell",
        "The fog bell is rung by hand every 2 minutes in fog.",
        effective="2022-01-01",
        owner="Harbour",
        review_by=TODAY,
    ),
    "horn.md": page("The horn", "The fog horn is blown by steam every 5 minutes in fog.", effective="2023-06-01"),
    "secret.md": page("Safe codes 2020", "The code of the safe is 1234.", effective="2020-01-01"),
    "secret-new.md": page(
        "Safe codes",
        "The code of the safe is kept by the bank.",
        effective="2026-01-01",
        groups="[keepers]",
        supersedes="secret.md",
    ),
}


@pytest.fixture(scope="module")
async def ken(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Ken]:
    async with world(tmp_path_factory.mktemp("effective"), DOCUMENTS) as opened:
        yield opened


def standing_of(answer: Answer) -> dict[str, str]:
    """Of the documents cited."""
    return {each.document_id.removeprefix("rules/"): each.standing for each in answer.citations}


async def test_the_rule_in_force_comes_first(ken: Ken) -> None:
    """The successor answers, what it replaced isn't used, and what will replace it follows with its day."""
    answer = answer_of(await ask(ken, CARRY))
    assert answer.text == f"{NOW} [1]\n\nFrom 1 March 2027 on: {SOON} [2]"
    assert standing_of(answer) == {"leave.md": "current", "leave-2027.md": "future"}
    assert answer.conflicts == ()


@pytest.mark.parametrize(
    ("today", "first"),
    [("2024-06-01", OLD), ("2025-12-31", OLD), ("2026-01-01", NOW), ("2027-02-28", NOW), ("2027-03-01", SOON)],
)
async def test_the_day_decides(ken: Ken, today: str, first: str) -> None:
    """A document takes its predecessor's place on the day from which it is effective, and not before."""
    answer = answer_of(await ask(ken, CARRY, today=today))
    assert answer.text.startswith(f"{first} [1]")
    assert answer.citations[0].standing == "current"


@pytest.mark.parametrize(
    "question",
    [
        "What was the rule for carrying unused leave into the next year in 2024?",
        "How many days of unused leave could be carried into the next year before 2026?",
        "What was the previous rule for carrying unused leave into the next year?",
        "What was the unused leave carry over rule in 2024?",
    ],
)
async def test_a_question_about_the_past_gets_the_old_rule(ken: Ken, question: str) -> None:
    """It is told since when it is superseded, and what holds now stands below it."""
    answer = answer_of(await ask(ken, question))
    assert answer.text == f"Superseded since 1 January 2026: {OLD} [1]\n\nSince 1 January 2026: {NOW} [2]"
    assert quoted(answer) == {"leave-2024.md": OLD, "leave.md": NOW}
    assert answer.notices == ("“Annual leave 2024” has been superseded by “Annual leave” since 1 January 2026.",)
    old = answer.citations[0]
    assert (old.standing, old.superseded_since, old.superseded_by) == ("superseded", "2026-01-01", "Annual leave")


async def test_a_question_about_the_future_gets_the_coming_rule(ken: Ken) -> None:
    """Asked for a time when it will hold, the future document answers, with its day."""
    answer = answer_of(await ask(ken, "How many days of unused leave may I carry into the next year from April 2027?"))
    assert answer.text.startswith(f"From 1 March 2027 on: {SOON} [1]")


async def test_a_future_document_alone_is_told_as_such(ken: Ken) -> None:
    """Where nothing holds yet, what will hold is told with its day; it doesn't read as the rule."""
    answer = answer_of(await ask(ken, "How is the bilge pump tested?"))
    assert answer.text == f"From 1 January 2027 on: {PUMP} [1]"
    later = answer_of(await ask(ken, "How is the bilge pump tested?", today="2027-01-01"))
    assert later.text == f"{PUMP} [1]"


async def test_the_last_of_a_chain_wins(ken: Ken) -> None:
    """Of three versions only the newest speaks; asked for the past, the one of that time."""
    answer = answer_of(await ask(ken, "Who writes the roster of the watch?"))
    assert answer.text == f"{ROSTER} [1]"
    past = answer_of(await ask(ken, "By whom was the roster of the watch written in 2022?"))
    assert past.text.startswith(f"Superseded since 1 July 2025: {OLDER_ROSTER} [1]")
    assert past.citations[0].superseded_by == "The third roster"


async def test_what_the_successor_no_longer_says(ken: Ken) -> None:
    """It is no longer the rule: the old document isn't used, but a notice names it, and asking for the past shows it."""
    question = "Where does the key of the boat house hang?"
    answer = answer_of(await ask(ken, question))
    assert "clock" not in answer.text
    assert " ".join(answer.notices) == (
        "An older document comes nearer to the question: “The boat house”, superseded since 1 May 2026 by “The new boat "
        "house”. Ask how it was before to see it."
    )
    before = answer_of(await ask(ken, f"{question} How was it before?"))
    assert before.text.startswith(f"Superseded since 1 May 2026: {KEY} [1]")


async def test_a_models_sentence_from_an_old_document_is_marked(ken: Ken) -> None:
    """Where a model doesn't say that its source is superseded, the answer does."""
    question = "What was the rule for carrying unused leave in 2024?"
    told = await ask(ken, question, model=says(f"{OLD} [1]"))
    assert told.text == f"Superseded since 1 January 2026: {OLD} [1]"
    answer = answer_of(told)
    (citation,) = answer.citations
    assert answer.text[citation.answer_start : citation.answer_end] == OLD


async def test_a_model_never_sees_the_old_rule_beside_the_new(ken: Ken) -> None:
    """Its prompt holds what is in force and what is to come, each with its date; the old one where the past is asked for."""
    model = says(f"{NOW} [1]")
    await ask(ken, CARRY, model=model)
    system = model.requests[0].messages[0].content
    assert OLD not in system
    assert "Annual leave, effective 2026-01-01, owner People" in system
    assert "not in force before 2027-03-01" in system
    await ask(ken, "What was the rule for carrying unused leave in 2024?", model=model)
    system = model.requests[1].messages[0].content
    assert "superseded since 2026-01-01 by “Annual leave”" in system
    assert system.index(OLD) < system.index(NOW)


async def test_sources_tell_date_owner_and_review(ken: Ken) -> None:
    """A review is due from the day after its date."""
    answer = answer_of(await ask(ken, CARRY))
    found = {each.document_id.removeprefix("rules/"): each for each in answer.citations}
    assert (found["leave.md"].effective, found["leave.md"].owner) == ("2026-01-01", "People")
    assert (found["leave.md"].review_by, found["leave.md"].review_due) == ("2026-11-21", True)
    assert (found["leave-2027.md"].review_by, found["leave-2027.md"].review_due) == (None, False)
    bell = answer_of(await ask(ken, "How often is the fog bell rung by hand?")).citations[0]
    assert (bell.review_by, bell.review_due) == (TODAY, False)


async def test_two_dates_are_told_in_the_text(ken: Ken) -> None:
    """Where documents of different dates are cited, the answer says as of when each speaks; for one date the source does."""
    both = await ask(
        ken,
        "How often does the fog signal sound?",
        model=says(
            "The fog bell is rung by hand every 2 minutes in fog. The fog horn is blown by steam every 5 minutes in fog."
        ),
    )
    assert both.text.endswith("[2]\n\nAs of 1 June 2023 [2] and 1 January 2022 [1].")
    one = await ask(
        ken, "How often is the fog bell rung?", model=says("The fog bell is rung by hand every 2 minutes in fog.")
    )
    assert one.text == "The fog bell is rung by hand every 2 minutes in fog. [1]"


async def test_a_successor_that_may_not_be_read_is_not_betrayed(ken: Ken) -> None:
    """Who may not read the successor gets the old document as it stands, without a word of another one."""
    question = "What is the code of the safe?"
    insider = answer_of(await ask(ken, question))
    assert insider.text.startswith("The code of the safe is kept by the bank. [1]")
    stranger = answer_of(await ask(ken, question, principal=Principal("key:stranger")))
    assert stranger.text == "The code of the safe is 1234. [1]"
    assert (stranger.citations[0].standing, stranger.citations[0].superseded_by, stranger.notices) == (
        "current",
        None,
        (),
    )


async def test_an_answer_is_repeated_while_its_documents_stand(ken: Ken) -> None:
    """It isn't on the day after one of them was due for review."""
    asked = assistant(ken, says(f"{NOW} [1]"), cache=True)
    days = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-22"]
    cached = [answer_of(await tell(asked, CARRY, today=day)).cached for day in days]
    assert cached == [False, True, False, True]
