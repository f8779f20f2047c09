"""The headings that a place inside a passage stands under."""

from __future__ import annotations

import pytest

from ken.text.headings import headings_at

TEXT = """# Leave

Days are counted in halves.

## Carrying *over*

Up to five days.

### By mistake ##

None.

## Selling

Never."""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("halves", ("Leave",)),
        ("five", ("Leave", "Carrying over")),
        ("None", ("Leave", "Carrying over", "By mistake")),
        ("Never", ("Leave", "Selling")),
    ],
)
def test_a_heading_ends_those_of_its_level_and_below(words: str, expected: tuple[str, ...]) -> None:
    """Each place has the last heading of each level above it, without marks."""
    assert headings_at(TEXT, ("Leave",), at=TEXT.index(words)) == expected


def test_the_path_of_the_passage_goes_on() -> None:
    """A passage that begins in the middle keeps the headings above it until one inside takes their place."""
    text = "Up to five days.\n\n## Selling\n\nNever."
    assert headings_at(text, ("Leave", "Carrying over"), at=0) == ("Leave", "Carrying over")
    assert headings_at(text, ("Leave", "Carrying over"), at=text.index("Never")) == ("Leave", "Selling")
    assert headings_at("Plain text # no heading", ("Leave",), at=20) == ("Leave",)
