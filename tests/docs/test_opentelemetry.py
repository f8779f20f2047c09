from __future__ import annotations

from docs import spans


def test_the_page_holds_the_table_of_the_code() -> None:
    """What the guide says of exported spans is what the mapping says; `make docs` writes it."""
    text = spans.PAGE.read_text("utf-8")
    assert spans.page(text) == text


def test_every_attribute_of_the_mapping_stands_on_the_page() -> None:
    """Each name, of either set of conventions, can be found there."""
    text = spans.PAGE.read_text("utf-8")
    names = {name for row in spans.TABLE for one in row.attributes for name in (one.name, *(one.newer or ()))}
    assert {name for name in names if f"`{name}`" not in text} == set()
