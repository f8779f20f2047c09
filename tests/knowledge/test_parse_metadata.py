from __future__ import annotations

import time

import pytest

from ken.domain.document import Metadata, ParsedDocument
from ken.knowledge.parse.parser import parse

OPERATORS = frozenset({"operators"})


def with_front_matter(source: str) -> ParsedDocument:
    return parse(f"---\n{source}\n---\nThe text.\n".encode(), name="a.md")


def test_all_keys_are_read() -> None:
    """Title, owner, groups, dates and what it supersedes; unknown keys are nobody's business."""
    parsed = with_front_matter(
        "title: Leave\nowner: People\ngroups: [finance, legal]\neffective: 2026-02-01\nreview_by: 2027-02-01\n"
        "supersedes: people/old.md\nweight: 20\ntags: {a: [b]}"
    )
    assert parsed.metadata == Metadata(
        title="Leave",
        owner="People",
        groups=frozenset({"finance", "legal"}),
        effective="2026-02-01",
        review_by="2027-02-01",
        supersedes="people/old.md",
    )
    assert parsed.text == "The text.\n"
    assert parsed.warnings == ()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("groups: finance, legal", frozenset({"finance", "legal"})),
        ("groups:\n- finance", frozenset({"finance"})),
        ("Groups: finance", frozenset({"finance"})),
        ("groups: [2024, no]", frozenset({"2024", "no"})),
        ("title: x", None),
    ],
)
def test_groups_are_a_list_or_a_text_with_commas(source: str, expected: frozenset[str] | None) -> None:
    """Both forms give the same; YAML's notions of numbers and truth stay out of it."""
    parsed = with_front_matter(source)
    assert parsed.metadata.groups == expected
    assert parsed.warnings == ()


@pytest.mark.parametrize(
    "source",
    [
        "groups: {finance: true}",
        "groups: [finance, [legal]]",
        "groups: [finance, '']",
        "groups: []",
        "groups:",
        "groups: ~",
        "groups: '*'",
        "groups: [a]\ngroups: [everyone]",
        "groups: [finance\ntitle: x",
        "title: 'x\ngroups: finance",
        "a: &a [x]\ngroups: *a",
        "groups: [finance]\nx: !!python/object/apply:os.system [ls]\ny: *nothing",
    ],
)
def test_bad_groups_close_the_document(source: str) -> None:
    """Where the groups can't be known, only operators may see it, and a warning says why."""
    parsed = with_front_matter(source)
    assert parsed.metadata.groups == OPERATORS
    assert any("only operators" in warning for warning in parsed.warnings)


def test_unclosed_front_matter_with_groups_closes_the_document() -> None:
    """The text is all kept, as nobody knows where it begins."""
    source = "---\ntitle: x\ngroups: [finance]\n\n# Salaries\n"
    parsed = parse(source.encode(), name="a.md")
    assert parsed.metadata.groups == OPERATORS
    assert parsed.text == source


@pytest.mark.parametrize(
    ("source", "owner"),
    [
        ("owner: A", "A"),
        ("owner_slack: '#team'", "#team"),
        ("owners: [A, B]", "A, B"),
        ("owner: A\nowners: [B]", "A"),
        ("owner: ''\nowners: [B]", "B"),
        ("owner: {name: A}", None),
    ],
)
def test_the_owner_has_several_keys(source: str, owner: str | None) -> None:
    """`owner`, else `owner_slack`, else `owners` joined."""
    assert with_front_matter(source).metadata.owner == owner


@pytest.mark.parametrize(
    ("source", "effective", "warnings"),
    [
        ("effective: 2026-2-1", "2026-02-01", 0),
        ("effective: 2026-02-01T09:30:00Z", "2026-02-01", 0),
        ("effective_date: 2026-02-01", "2026-02-01", 0),
        ("last_reviewed_on: 2025-02-01", "2025-02-01", 0),
        ("last_reviewed_on: 2025-02-01\neffective: 2026-02-01", "2026-02-01", 0),
        ("effective: 2026-02-30", None, 1),
        ("effective: next week", None, 1),
        ("effective: [2026-02-01]", None, 1),
        ("effective: 99999-01-01", None, 1),
        ("effective:", None, 0),
    ],
)
def test_dates_are_calendar_dates(source: str, effective: str | None, warnings: int) -> None:
    """An impossible date is ignored with a warning."""
    parsed = with_front_matter(source)
    assert parsed.metadata.effective == effective
    assert len(parsed.warnings) == warnings


@pytest.mark.parametrize(
    "source",
    [
        "key: [unclosed",
        "key: 'unclosed",
        "a: b: c",
        "\tkey: tab",
        "key: *missing",
        'key: "\\U00FFFFFF"',
        "? [a]\n: b",
        "%YAML 9.9\n--- x",
        "key: " + "[" * 5_000,
        "key: {" * 2_000,
        "&a a: &b b: *a",
        'title: "\\ud800\\x00\\x07"',
        "a: " + "x" * 1_000_000,
        "\n".join(f"k{number}: v" for number in range(100_000)),
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "\n".join(f"{c}: &{c} [{','.join([f'*{p}'] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)),
    ],
)
def test_front_matter_that_lies_never_raises(source: str) -> None:
    """Broken, huge, nested or explosive YAML costs no more than a warning, soon, and the text is read."""
    began = time.process_time()
    parsed = with_front_matter(source)
    assert time.process_time() - began < 5
    assert "The text." in parsed.text
    assert parsed.metadata.title is not None
    assert parsed.metadata.title.encode()
    assert parsed.metadata.groups is None


def test_a_thematic_break_is_no_front_matter() -> None:
    """Prose between two rules stays text."""
    source = "---\nJust prose here.\n---\nMore.\n"
    parsed = parse(source.encode(), name="a.md")
    assert parsed.text == source
    assert parsed.warnings == ()


def test_front_matter_alone_gives_a_document_without_text() -> None:
    """It has a title and a warning."""
    parsed = parse(b"---\ntitle: Stub\n---\n", name="a.md")
    assert (parsed.metadata.title, parsed.blocks, parsed.warnings) == ("Stub", (), ("The file holds no text.",))
