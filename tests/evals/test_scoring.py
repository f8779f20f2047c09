"""Each metric against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ken.evals import scoring


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**Bold** and _thin_ `code`", "bold and thin code"),
        ("# Heading\n\n> A  quote |cell|", "heading a quote cell"),
        ("See [the page](https://example.com/a_b).", "see the page."),
        ("~~gone~~\tTAB", "gone tab"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_texts_are_normalised(text: str, wanted: str) -> None:
    """Marks and link targets dropped, white space folded, lower case."""
    assert scoring.normalise(text) == wanted


def test_document_recall_counts_the_first_five_distinct_documents() -> None:
    """Passages of one document count once; the sixth document is too late."""
    found = ["a", "a", "b", "c", "a", "d", "e", "f"]
    assert scoring.document_recall(["a"], found) == 1.0
    assert scoring.document_recall(["e"], found) == 1.0
    assert scoring.document_recall(["f"], found) == 0.0
    assert scoring.document_recall(["a", "f"], found) == 0.5
    assert scoring.document_recall(["a", "b", "x"], found) == pytest.approx(2 / 3)
    assert scoring.document_recall(["a"], []) == 0.0


def test_hit_and_reciprocal_rank() -> None:
    """The first document alone, and one over the rank among the first ten distinct ones."""
    found = ["a", "a", *(f"d{number}" for number in range(20))]
    assert (scoring.top_document(["a"], found), scoring.top_document(["d0"], found)) == (1.0, 0.0)
    assert scoring.top_document(["a"], []) == 0.0
    assert scoring.reciprocal_rank(["a"], found) == 1.0
    assert scoring.reciprocal_rank(["d1"], found) == pytest.approx(1 / 3)
    assert scoring.reciprocal_rank(["d8"], found) == pytest.approx(1 / 10)
    assert scoring.reciprocal_rank(["d9"], found) == 0.0
    assert scoring.reciprocal_rank(["d3", "d1"], found) == pytest.approx(1 / 3)


def test_evidence_recall_looks_into_the_first_five_passages() -> None:
    """Marks don't count; the sixth passage is too late; a piece has to stand inside of one passage."""
    passages = ["It takes **8 weeks** to staff.", "b", "c", "d", "The [fee](x.md) is 5", "late words"]
    assert scoring.evidence_recall(["takes _8 weeks_"], passages) == 1.0
    assert scoring.evidence_recall(["the fee is 5", "late words"], passages) == 0.5
    assert scoring.evidence_recall(["to staff. b"], passages) == 0.0


@pytest.mark.parametrize(
    ("answer", "fact", "covered"),
    [
        ("It takes up to 8 weeks.", "up to 8 weeks", True),
        ("It takes up to **8 weeks**.", "Up to 8 weeks", True),
        ("Staffing takes 8 weeks at most.", "8 weeks to staff", False),
        ("Staffing takes 8 of the weeks, to staff it.", "8 weeks to staff", True),
        ("It takes up to 9 weeks.", "up to 8 weeks", False),
        ("It takes 8. In weeks, up to many.", "up to 8 weeks", False),
        ("The contracting officer decides", "partner's contracting officer takes the lead", False),
        ("Enter dates, pick cover and submit the form now", "enter dates pick cover submit form early", True),
        ("1,200 EUR a year", "EUR 1,200", True),
        ("", "8", False),
    ],
)
def test_a_fact_is_covered_by_one_sentence(answer: str, fact: str, covered: bool) -> None:  # noqa: FBT001
    """Inside the answer, or in one sentence with all its numbers and 80 % of its other words by stem."""
    assert scoring.covers(answer, fact) is covered


def test_fact_coverage_is_the_share_of_facts() -> None:
    """Two of three."""
    assert scoring.fact_coverage(["8 weeks", "red", "Nora"], "Nora waited 8 weeks.") == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("sentence", "passage", "value"),
    [
        ("The lamp is lit at noon.", "Before that. The lamp is lit at noon. After.", 1.0),
        ("**The lamp** is lit at noon.", "The lamp is lit at noon.", 1.0),
        ("2. Pay 35 euros for a new one.", "Tell the office. Pay 35 euros for a new one.", 1.0),
        ("- At noon the lamp is lit.", "The lamp is lit at noon.", 1.0),
        ("The lamp is not lit at noon.", "The lamp is lit at noon.", 0.0),
        ("The lamp is lit at 9.", "The lamp is lit at 8.", 0.0),
        ("The lamp is lit at noon.", "", 0.0),
        ("", "The lamp is lit at noon.", 0.0),
    ],
)
def test_a_citation_is_right_where_its_passage_supports_its_sentence(sentence: str, passage: str, value: float) -> None:
    """It contains the sentence or supports it; list marks and emphasis don't count."""
    assert scoring.supported(sentence, passage) == value


def test_the_interval_is_a_seeded_bootstrap_of_the_mean() -> None:
    """The same values give the same interval, which holds the mean and the normal approximation's width."""
    values = np.random.default_rng(3).integers(0, 2, 200).astype(float).tolist()
    low, high = scoring.interval(values)
    assert (low, high) == scoring.interval(values)
    mean, width = float(np.mean(values)), 1.96 * float(np.std(values)) / 200**0.5
    assert low == pytest.approx(mean - width, abs=0.015)
    assert high == pytest.approx(mean + width, abs=0.015)
    assert scoring.interval(values, seed=8) != (low, high)


def test_an_interval_of_one_value_is_that_value() -> None:
    """Nothing to draw from."""
    assert scoring.interval([0.25]) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        ("Region: EU · Limit: 40 days", 1.0),
        ("Region: EU · Limit: 30 days", 0.0),
        ("Region: US · Limit: 40 days", 0.0),
        ("Country: EU · Price: 40 days", 0.0),
    ],
)
def test_a_row_with_its_column_names_is_a_quotation(quoted: str, value: float) -> None:
    """Where the passage has the row and the names; not with a cell of another row, nor with other names."""
    assert scoring.supported(quoted, "Region · Note · Limit EU · · 40 days US · none · 30 days") == value
