"""Whether two statements say different things of the same thing, and how seldom that is claimed of two rules."""

from __future__ import annotations

import time

import pytest

from ken.checks.conflict import Statement, conflicts, conflicts_among, disagreement


def of(document: str, text: str, *, title: str = "", headings: tuple[str, ...] = ()) -> Statement:
    return Statement(document_id=document, text=text, title=title, headings=headings)


def differ(one: str, other: str) -> tuple[str, tuple[str, str]] | None:
    """Kind and values of the disagreement of two texts; the same either way round."""
    found, back = disagreement(of("a", one), of("b", other)), disagreement(of("b", other), of("a", one))
    assert (found is None) == (back is None)
    if found is None or back is None:
        return None
    assert back.values == found.values[::-1]
    return found.kind, found.values


@pytest.mark.parametrize(
    ("one", "other", "kind", "values"),
    [
        (
            "The voice publishes the first status page entry within 30 minutes of the declaration for SEV1 and SEV2.",
            "SEV1 and SEV2: the first entry appears within 15 minutes of the declaration, even if little is known.",
            "duration",
            ("30 minutes", "15 minutes"),
        ),
        (
            "Category: TAXI · What: taxi or ride service · Limit: EUR 30 per ride; above that the manager approves",
            "Taxis and ride services are paid up to €45 per ride without asking.",
            "money",
            ("EUR 30", "€45"),
        ),
        (
            "Up to 5 days of annual leave may be carried into the next year.",
            "You can carry over ten days of unused annual leave to the following year.",
            "duration",
            ("5 days", "ten days"),
        ),
        (
            "The lens of the lamp is cleaned every 14 days.",
            "Clean the lens of the lamp every 3 weeks.",
            "duration",
            ("14 days", "3 weeks"),
        ),
        (
            "Reports of the harbour are due by 31 March.",
            "Reports of the harbour are due by 30 April 2026.",
            "date",
            ("31 March", "30 April 2026"),
        ),
        (
            "The harbour office opens at 09:00 on weekdays.",
            "On weekdays the harbour office opens at 8:00.",
            "time",
            ("09:00", "8:00"),
        ),
        (
            "Ebbstone pays 7 % into the pension.",
            "Ebbstone pays 9 percent into the pension.",
            "share",
            ("7 %", "9 percent"),
        ),
        (
            "Parcels to the islands may weigh up to 15 kg.",
            "Parcels to the islands may weigh up to 20 kg.",
            "size",
            ("15 kg", "20 kg"),
        ),
        (
            "An order of spare parts needs two quotes.",
            "An order of spare parts needs 3 quotes.",
            "count",
            ("two quotes", "3 quotes"),
        ),
        (
            "Send the signed invoice to billing@ebbstone.example.",
            "Send the signed invoice to invoices@ebbstone.example.",
            "address",
            ("billing@ebbstone.example", "invoices@ebbstone.example"),
        ),
        (
            "Expense claims abroad are approved by the line manager.",
            "Expense claims abroad are approved by the finance director.",
            "role",
            ("line manager", "finance director"),
        ),
        (
            "Visitors may not enter the lamp room.",
            "Visitors may enter the lamp room.",
            "permission",
            ("forbidden", "allowed"),
        ),
        (
            "A helmet is required on the harbour crane.",
            "A helmet is optional on the harbour crane.",
            "permission",
            ("required", "optional"),
        ),
        (
            "The harbour office answers on public holidays.",
            "The harbour office does not answer on public holidays.",
            "denial",
            ("yes", "no"),
        ),
    ],
)
def test_different_values_for_the_same_thing(one: str, other: str, kind: str, values: tuple[str, str]) -> None:
    """Each kind of value is found to differ, in other words and in other units, and named as it is written."""
    assert differ(one, other) == (kind, values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("In Berlin employees have 30 days of annual leave.", "In London employees have 25 days of annual leave."),
        ("Contractors hand in expense claims within 30 days.", "Expense claims are handed in within 60 days."),
        ("Expense claims are paid within 30 days.", "If a receipt is missing, expense claims are paid within 60 days."),
        ("A SEV1 incident is answered within 15 minutes.", "A SEV2 incident is answered within 60 minutes."),
        (
            "The client certificate of the node expires in 15 days.",
            "The server certificate of the node expires in 5 days.",
        ),
        ("A new password needs at least 12 characters.", "A new password has at most 64 characters."),
        ("The room is booked for 4 weeks at most.", "The room is booked for one month at most."),
        ("Laptops are replaced after four years of use.", "Laptops are replaced after 48 months of use."),
        ("A reply takes five working days in summer.", "A reply takes 7 days in summer."),
        ("The lamp costs EUR 30 per day to run.", "The lamp costs EUR 900 per month to run."),
        (
            "The first entry is due within 30 minutes of the alarm.",
            "The first entry is due 39 minutes after the meeting.",
        ),
        ("The harbour master signs orders above EUR 25,000.", "The harbour master signs prepayments above EUR 2,000."),
        ("A keeper earns 2,950 euros a month.", "A watch lasts 6 hours and two keepers share it."),
        (
            "Dogs must not enter the lamp room.",
            "Dogs may enter the garden behind the lamp room with a keeper on Sundays.",
        ),
        (
            "Orders up to EUR 500 need one quote.",
            "Orders up to EUR 5,000 need two quotes and orders up to EUR 9,000 three.",
        ),
    ],
)
def test_two_rules_are_no_conflict(one: str, other: str) -> None:
    """Other people, places, cases, bounds or units, equal amounts, and other subjects are left alone."""
    assert differ(one, other) is None


def test_a_document_does_not_contradict_itself() -> None:
    """Within one document a rule and its exception stand side by side."""
    one, other = "Taxis are paid up to EUR 30 per ride.", "Taxis are paid up to EUR 45 per ride."
    assert disagreement(of("a", one), of("a", other)) is None


def test_pages_after_one_pattern_are_about_different_things() -> None:
    """Runbooks with the same headings under other titles don't contradict each other; pages on one subject do."""
    one, other = (
        "Wait 5 minutes until the queue of messages drains.",
        "Wait 15 minutes until the queue of messages drains.",
    )
    runbooks = [
        of("a", one, title="Ingest lag", headings=("Ingest lag", "What to do")),
        of("b", other, title="Disk full", headings=("Disk full", "What to do")),
    ]
    assert disagreement(*runbooks) is None
    guides = [of("a", one, title="Queue", headings=("Drain",)), of("b", other, title="Draining the queue")]
    assert disagreement(*guides) is not None


def test_headings_narrow_a_rule_down() -> None:
    """What a page on emergencies says is no contradiction of the page on everything else."""
    one, other = "Wait 10 minutes for the caches to expire.", "Wait 1 minute to allow the caches to expire."
    titles = "Deploying a non-emergency banner", "Deploying an emergency banner"
    assert disagreement(of("a", one, title=titles[0]), of("b", other, title=titles[1])) is None
    assert disagreement(of("a", one, title="Deploying"), of("b", other, title="Deploying")) is not None


def test_tables_are_compared_by_column() -> None:
    """A row disagrees with the same row of another table in the column that both have."""
    one = of("a", "Region: Aldane · Full day: EUR 58 · Night: EUR 120", title="Per diem rates")
    other = of("b", "Region: Aldane · Full day: EUR 62 · Night: EUR 120", title="Rates per diem")
    found = disagreement(one, other)
    assert found is not None
    assert found.values == ("EUR 58", "EUR 62")
    assert (
        disagreement(one, of("b", "Region: Skerrow · Full day: EUR 62 · Night: EUR 120", title="Rates per diem"))
        is None
    )


RULES = [
    of("a", "The lens of the lamp is cleaned every 14 days."),
    of("a", "Taxis and ride services are paid up to EUR 45 per ride."),
    of("b", "Visitors sign the book at the door of the lighthouse."),
    of("b", "The lens of the lamp is cleaned every 30 days."),
    of("c", "A taxi or another ride service is paid up to EUR 30 per ride."),
]


def test_a_collection_is_searched_as_its_pairs_are() -> None:
    """Blocking by shared words finds what comparing all pairs finds, the surest first."""
    among = conflicts_among(RULES)
    pairs = {(each.first.text, each.second.text) for each in among}
    documents = [[each for each in RULES if each.document_id == name] for name in "abc"]
    assert pairs == {
        (each.first.text, each.second.text)
        for at, one in enumerate(documents)
        for other in documents[at + 1 :]
        for each in conflicts(one, other)
    }
    assert len(pairs) == 2
    assert [each.shared for each in among] == sorted((each.shared for each in among), reverse=True)


@pytest.mark.parametrize(
    "piece",
    ["1", "1,234,", "12:", "one two ", "1-", "a1.", "a.b-@", "EUR ", "if not ", "the manager by the ", "Name: 1 h · "],
)
def test_hostile_statements_take_no_time(piece: str) -> None:
    """Four thousand characters of one pattern are read in far less than a second."""
    text = (piece * 4_000)[:4_000]
    started = time.process_time()
    assert disagreement(of("a", text), of("b", f"{text} 7 days")) is None
    assert time.process_time() - started < 1


def test_documents_that_may_differ_are_left_out() -> None:
    """What supersedes another document may say something else."""
    found = conflicts_among(RULES, may_differ=lambda one, other: {one, other} == {"a", "b"})
    assert [each.kind for each in found] == ["money"]


def test_a_large_collection_takes_no_quadratic_time() -> None:
    """Two thousand statements in which one word is everywhere pair with nothing, and the two that differ are found."""
    filler = [
        of(f"d{n}", f"Station {n:04d} of harbour number{n} reports the tide every {n % 50 + 2} minutes.")
        for n in range(2_000)
    ]
    planted = [
        of("x", "The brass bell of the western mole rings for 5 minutes in fog."),
        of("y", "The brass bell of the western mole rings for 20 minutes in fog."),
    ]
    found = conflicts_among([*filler, *planted])
    assert [(each.first.document_id, each.second.document_id) for each in found] == [("x", "y")]
