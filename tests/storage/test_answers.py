from __future__ import annotations

from dataclasses import replace

import pytest

from ken.domain.cached import KeySpace
from ken.domain.filters import NO_FILTERS, Filters
from ken.domain.principal import Principal
from ken.gateway.cache.categories import BUILT_IN
from ken.gateway.cache.semantic import Asked
from ken.storage.answer_json import dump_citations, load_citations
from tests.storage.samples import ADA, BEN, OPERATOR, a_citation

SPACE = KeySpace(
    principal=ADA,
    release="r1",
    category="general",
    vectors="abcdef01",
    collections=None,
    filters=NO_FILTERS,
    model=None,
    max_tokens=None,
)
ASKED = Asked(text="What is the notice period?", space=SPACE, category=BUILT_IN[-1], today="2026-11-22")


@pytest.mark.parametrize(
    "text", ["what is  the NOTICE period", " What is the notice period?! ", "Ｗhat is\nthe notice period…"]
)
def test_one_question_in_several_spellings_has_one_key(text: str) -> None:
    """Case, white space, compatibility forms and punctuation at the end don't make another question."""
    assert replace(ASKED, text=text).key == ASKED.key


@pytest.mark.parametrize(
    "other",
    [
        replace(SPACE, principal=BEN),
        replace(SPACE, principal=OPERATOR),
        replace(SPACE, release="r2"),
        replace(SPACE, category="other"),
        replace(SPACE, vectors="abcdef02"),
        replace(SPACE, collections=frozenset({"handbook"})),
        replace(SPACE, collections=frozenset()),
        replace(SPACE, filters=Filters(owners=frozenset({"people"}))),
        replace(SPACE, model="large"),
        replace(SPACE, max_tokens=10),
    ],
)
def test_whatever_may_change_the_answer_changes_the_key(other: KeySpace) -> None:
    """Another reader's rights, release, category, embedder, collections, filters, model or length never share an answer."""
    assert other.name != SPACE.name
    assert replace(ASKED, space=other).key != ASKED.key


def test_who_may_read_the_same_shares_answers() -> None:
    """The key follows the groups, not the person."""
    assert replace(SPACE, principal=Principal("ada's twin", ADA.groups)).name == SPACE.name


def test_citations_of_another_shape_are_none() -> None:
    """A trace that another version of Ken kept can still be shown, without its citations."""
    assert load_citations('[{"number": 1}]') == ()
    assert load_citations("[]") == ()
    assert load_citations(dump_citations([a_citation("a", "„quoted“")]))[0].quote == "„quoted“"
