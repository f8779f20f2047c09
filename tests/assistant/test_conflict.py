"""Documents that disagree: both statements are shown, with who says so and as of when, whoever writes the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from ken.domain.events import Notice
from ken.domain.principal import Principal
from ken.wiring import Ken
from tests.assistant.corpus import assistant, says, tell, trace_of
from tests.assistant.worlds import TODAY, answer_of, ask, page, quoted, world

TAXI = "What is the most that is paid for a taxi ride without asking?"
EXPENSES = "A taxi ride is paid up to EUR 30 per ride without asking your manager."
TRAVEL = "Taxi rides are paid up to EUR 45 per ride without asking."

DOCUMENTS = {
    "expenses.md": page(
        "Claiming expenses", EXPENSES, "Receipts are scanned within 14 days.", owner="Finance", effective="2025-05-01"
    ),
    "travel.md": page(
        "Travel: the policy", TRAVEL, "Trains are booked in second class.", owner="Travel desk", effective="2026-02-01"
    ),
    "leave-aldane.md": page("Leave in Aldane", "In Aldane employees have 30 days of annual leave.", owner="People"),
    "leave-skerrow.md": page("Leave in Skerrow", "In Skerrow employees have 25 days of annual leave.", owner="People"),
    "lamp.md": page("The lamp room", "Visitors may not enter the lamp room of the lighthouse."),
    "visits.md": page("Visiting the lighthouse", "Visitors may enter the lamp room of the lighthouse."),
    "boat.md": page("The boat", "The boat is painted every 4 years in the colours of the harbour.", groups="[harbour]"),
    "boats.md": page("All boats", "The boat is painted every 2 years in the colours of the harbour."),
}
BLOCK = (
    "The documents disagree:\n"
    f"- “Travel: the policy” (as of 1 February 2026, Travel desk): {TRAVEL} [1]\n"
    f"- “Claiming expenses” (as of 1 May 2025, Finance): {EXPENSES} [2]"
)


@pytest.fixture(scope="module")
async def ken(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Ken]:
    async with world(tmp_path_factory.mktemp("conflict"), DOCUMENTS) as opened:
        yield opened


async def test_the_reader_shows_both_sides(ken: Ken) -> None:
    """A plain sentence says that the documents disagree; then each says its own, newest first, with date and owner."""
    told = await ask(ken, TAXI)
    answer = answer_of(told)
    assert answer.text.startswith(BLOCK)
    assert quoted(answer) == {"travel.md": TRAVEL, "expenses.md": EXPENSES}


async def test_a_conflict_is_an_outcome(ken: Ken) -> None:
    """The answer carries the conflict with its citations, the stream a notice of that kind, the trace the number."""
    told = await ask(ken, TAXI)
    (conflict,) = answer_of(told).conflicts
    assert (conflict.kind, conflict.values) == ("money", ("EUR 45", "EUR 30"))
    assert [each.owner for each in conflict.citations] == ["Travel desk", "Finance"]
    assert [each.effective for each in conflict.citations] == ["2026-02-01", "2025-05-01"]
    assert all(each in answer_of(told).citations for each in conflict.citations)
    notices = [event for event in told.events if isinstance(event, Notice) and event.kind == "conflict"]
    assert [each.text for each in notices] == [
        "The documents disagree: “Travel: the policy” says EUR 45, “Claiming expenses” says EUR 30."
    ]
    settled = next(span for span in trace_of(ken, told).spans if span.name == "settle")
    assert dict(settled.attributes)["conflicts"] == 1


async def test_a_model_that_names_one_side_only(ken: Ken) -> None:
    """What it left out is added, once its answer is complete, and cited."""
    answer = answer_of(await ask(ken, TAXI, model=says(f"{TRAVEL} [1]")))
    assert answer.text == f"{TRAVEL} [1]\n\n{BLOCK}"
    assert len(answer.conflicts) == 1
    for citation in answer.citations:
        assert answer.text[citation.answer_start : citation.answer_end] == citation.quote


@pytest.mark.parametrize("opening", ["The documents disagree. ", "However, the two policies differ:\n\n"])
async def test_a_model_that_tells_the_conflict_itself(ken: Ken, opening: str) -> None:
    """Its sentence that the documents disagree is shown, as they do, and nothing is said twice."""
    answer = answer_of(await ask(ken, TAXI, model=says(f"{opening}{TRAVEL} [1] {EXPENSES} [2]")))
    assert answer.text == f"{opening}{TRAVEL} [1] {EXPENSES} [2]"
    assert len(answer.conflicts) == 1
    assert not any("left out" in each for each in answer.notices)


async def test_a_model_that_names_its_sources(ken: Ken) -> None:
    """What stands before a quotation is shown where it is true of the source: title, date, owner."""
    text = f"The documents disagree: As of 1 February 2026 the Travel desk: {TRAVEL} [1]\n- **Claiming expenses**: {EXPENSES} [2]"
    answer = answer_of(await ask(ken, TAXI, model=says(text)))
    assert quoted(answer) == {"travel.md": TRAVEL, "expenses.md": EXPENSES}
    assert answer.text.startswith("The documents disagree: As of 1 February 2026 the Travel desk: ")


@pytest.mark.parametrize("head", ["As of 1 February 2027", "Not the Travel desk", "Superseded since 1 May 2025"])
async def test_a_false_word_about_a_source_is_no_lead_in(ken: Ken, head: str) -> None:
    """Another date, another owner, a denial or another standing before a quotation takes the sentence with it."""
    answer = answer_of(
        await ask(ken, TAXI, model=says(f"{EXPENSES} [2] {head}: Trains are booked in second class. [1]"))
    )
    assert head not in answer.text


async def test_a_disagreement_that_is_none_is_not_told(ken: Ken) -> None:
    """That the documents disagree may be said only where they were found to."""
    told = await ask(
        ken,
        "In what class are trains booked?",
        model=says("The documents disagree. Trains are booked in second class. [1]"),
    )
    assert "disagree" not in told.text
    assert "second class" in told.text
    assert answer_of(told).conflicts == ()


async def test_a_model_is_told_of_the_conflict(ken: Ken) -> None:
    """The prompt names the two passages and what each says, their dates and owners."""
    model = says(f"{TRAVEL} [1]")
    await ask(ken, TAXI, model=model)
    system = model.requests[0].messages[0].content
    notes = [line for line in system.splitlines() if line.startswith("Note: ")]
    assert [(TRAVEL in note, EXPENSES in note) for note in notes] == [(True, True)]
    assert {number for number in ("[1]", "[2]") if number in notes[0]} == {"[1]", "[2]"}
    assert "effective 2025-05-01, owner Finance" in system


async def test_rules_for_two_places_are_no_conflict(ken: Ken) -> None:
    """What holds in one town doesn't contradict what holds in the other."""
    for question in ("How many days of annual leave do employees have?", "How many days of annual leave in Aldane?"):
        answer = answer_of(await ask(ken, question))
        assert answer.outcome == "answered"
        assert answer.conflicts == ()
        assert "disagree" not in answer.text


async def test_what_one_allows_and_the_other_forbids(ken: Ken) -> None:
    """A permission and a prohibition of the same thing are shown as a conflict, too."""
    answer = answer_of(await ask(ken, "May visitors enter the lamp room?"))
    assert [each.kind for each in answer.conflicts] == ["permission"]
    assert "say the opposite of each other" in " ".join(answer.notices)
    assert "“The lamp room” (undated)" in answer.text


async def test_who_may_not_read_one_side_sees_no_conflict(ken: Ken) -> None:
    """Neither the text nor the notice nor the prompt tells a stranger of a document of another group."""
    question = "How often is the boat painted in the colours of the harbour?"
    assert len(answer_of(await ask(ken, question)).conflicts) == 1
    told = await ask(ken, question, principal=Principal("key:stranger"))
    answer = answer_of(told)
    assert "every 2 years" in answer.text
    assert answer.conflicts == ()
    assert "4 years" not in f"{answer.text} {answer.notices} {told.detail('assemble')}"
    assert "disagree" not in f"{answer.text} {answer.notices} {told.detail('assemble')}"


async def test_a_repeated_answer_keeps_its_conflict(ken: Ken) -> None:
    """What comes from the cache has the text, the conflict and its notice."""
    asked = assistant(ken, says(f"{TRAVEL} [1]"), cache=True)
    first, again = [answer_of(await tell(asked, TAXI, today=TODAY)) for _ in range(2)]
    assert again.cached
    assert (again.text, again.conflicts, again.notices) == (first.text, first.conflicts, first.notices)
    told = await tell(asked, TAXI, today=TODAY)
    assert [event.kind for event in told.events if isinstance(event, Notice)] == ["cached", "conflict"]
