"""The answer cache: what is given again, to whom, and what is never kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count, repeat

import anyio
import pytest

from ken.assistant.shadow import Shadows, is_drawn
from ken.cache_settings import AnswerCacheSettings, CategorySettings, categories_of
from ken.domain.answer import Answer, Message
from ken.domain.cached import Category
from ken.domain.events import Answered, CitationShown, Notice, TokenShown
from ken.domain.principal import LOCAL_OPERATOR, Principal
from ken.domain.trace import Feedback, Scalar
from ken.domain.usage import Usage
from ken.errors import ModelInterrupted, ModelUnavailable
from ken.gateway.cache.categories import BUILT_IN
from ken.gateway.cache.semantic import SemanticCache
from ken.models.scripted import ScriptedModel
from ken.wiring import Ken
from tests.assistant.corpus import (
    KEEPER,
    LIT,
    OUT,
    QUESTION,
    STRANGER,
    WATCH,
    Told,
    assistant,
    says,
    tell,
    trace_of,
)

PARAPHRASES = ("When do they light the lamp of the lighthouse?", "At what time is the lighthouse's lamp lit?")
SAFE = "What is the code of the safe in the lighthouse?"
CODE = "The code of the safe in the lighthouse is 4711, and the key hangs behind the clock."
_seconds = count(1)


async def answer_to(asked: object, text: str = QUESTION, **more: object) -> Answer:
    """The answer to a question."""
    told = await tell(asked, text, **more)  # pyright: ignore[reportArgumentType]
    assert isinstance(told.last, Answered)
    assert told.text == told.last.answer.text
    return told.last.answer


def recalled(ken: Ken, told: Told) -> dict[str, Scalar]:
    """What the span of recall says."""
    return dict(next(span for span in trace_of(ken, told).spans if span.name == "recall").attributes)


def kept(ken: Ken, told: Told) -> Scalar:
    """What settle says became of the answer."""
    return dict(next(span for span in trace_of(ken, told).spans if span.name == "settle").attributes).get("cache")


class ModelOfTwoMinds(ScriptedModel):
    """Answers once, and fails from then on."""

    def __init__(self, text: str) -> None:
        replies = chain(((text,),), repeat((ModelUnavailable("It is down. Start it."),)))
        super().__init__("twice", lambda _: next(replies))


def of(ken: Ken, *categories: Category) -> SemanticCache:
    """A cache over the home's database with categories of one's choice."""
    named = {category.name: category for category in categories}
    return SemanticCache(answers=ken.cache.answers, figures=ken.cache.figures, categories=named)


async def test_an_answer_is_given_again(ken: Ken) -> None:
    """The same text and citations, marked, at no cost, without a model; it names the trace that it was made in."""
    model = says(f"{LIT} [1]", name="gpt-4o")
    asked = assistant(ken, model, cache=True)
    first = await answer_to(asked)
    told = await tell(asked, "  when IS the lamp of the lighthouse lit ??  ")
    assert isinstance(told.last, Answered)
    again = told.last.answer
    assert (again.text, again.citations) == (first.text, first.citations)
    assert (first.cached, again.cached) == (False, True)
    assert (first.original_trace_id, again.original_trace_id) == (None, first.trace_id)
    assert first.cost_micros != 0
    assert (again.cost_micros, again.usage) == (0, Usage())
    assert len(model.requests) == 1
    assert Notice("cached", "This answer was given before and its documents have not changed.") in told.events
    assert told.stages == ["intake", "screen", "classify", "recall", "settle"]
    trace = trace_of(ken, told)
    assert (trace.cached, trace.cost_micros, trace.id != first.trace_id) == (True, 0, True)
    assert recalled(ken, told).items() >= {"decision": "exact", "original_trace": first.trace_id}.items()


@pytest.mark.parametrize("text", PARAPHRASES)
async def test_who_asks_the_same_in_other_words_is_given_the_same(ken: Ken, text: str) -> None:
    """The span says how near the two questions are, and whose answer it is."""
    model = says(f"{LIT} [1]")
    asked = assistant(ken, model, cache=True)
    first = await answer_to(asked)
    told = await tell(asked, text)
    assert isinstance(told.last, Answered)
    assert (told.last.answer.cached, told.last.answer.text) == (True, first.text)
    assert told.last.answer.original_trace_id == first.trace_id
    found = recalled(ken, told)
    assert found["decision"] == "similar"
    assert 0.93 <= float(found["similarity"] or 0) <= 1
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("When is the lamp of the lighthouse not lit?", "one of them says “not”"),
        ("Who lights the lamp of the lighthouse?", "one asks for person, the other for time"),
    ],
)
async def test_who_asks_nearly_the_same_is_answered_anew(ken: Ken, text: str, reason: str) -> None:
    """What tells the two questions apart stands on the span."""
    model = says(f"{LIT} [1]")
    asked = assistant(ken, model, cache=True)
    await answer_to(asked)
    told = await tell(asked, text)
    assert recalled(ken, told).items() >= {"decision": "refused", "reason": reason}.items()
    assert len(model.requests) == 2


async def test_what_somebody_else_asked_is_not_told(ken: Ken) -> None:
    """An asker who is no operator learns what kind of thing told two questions apart, and none of its words."""
    asked = assistant(ken, says(f"{LIT} [1]"), cache=True)
    await answer_to(asked, "When is the lamp of the lighthouse lit in March?", principal=STRANGER)
    told = await tell(asked, "When is the lamp of the lighthouse lit in April?", principal=STRANGER)
    found = recalled(ken, told)
    assert (found["decision"], "March" in f"{told.detail('recall')} {found['reason']}") == ("refused", False)


async def test_a_stream_is_given_again_as_a_stream(ken: Ken) -> None:
    """Sentence by sentence, each with its citations behind it, as when it was made."""
    asked = assistant(ken, says(f"{LIT} [1] ", f"{OUT} [1] ", f"{WATCH} [2]"), cache=True)
    first, again = await tell(asked), await tell(asked)

    def shown(told: Told) -> list[TokenShown | CitationShown]:
        return [event for event in told.events if isinstance(event, TokenShown | CitationShown)]

    assert isinstance(again.last, Answered)
    assert again.last.answer.cached
    assert shown(again) == shown(first)
    assert len([event for event in shown(again) if isinstance(event, TokenShown)]) > 1


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"collections": frozenset({"light"})},
        {"max_tokens": 99},
        {"text": "When is the lamp of the lighthouse put out?"},
    ],
)
async def test_another_question_is_another_answer(ken: Ken, change: dict[str, object]) -> None:
    """The model, the collections, the length and the words all count."""
    asked = assistant(ken, says(f"{LIT} [1]"), says(f"{OUT} [1]", name="other"), cache=True)
    await answer_to(asked)
    assert not (await answer_to(asked, **change)).cached  # pyright: ignore[reportArgumentType]
    assert (await answer_to(asked, **change)).cached  # pyright: ignore[reportArgumentType]


async def test_a_follow_up_is_looked_up_as_it_stands_alone(ken: Ken) -> None:
    """What was said before is no matter, but for what the question leans on."""
    model = says(f"{LIT} [1]")
    asked = assistant(ken, model, cache=True)
    lamp = (Message("user", "Tell me about the lamp of the lighthouse"), Message("assistant", "It is lit at dusk."))
    watch = (Message("user", "How long does a watch last?"), Message("assistant", "6 hours."))
    assert not (await answer_to(asked, "When is it lit?", history=lamp)).cached
    assert (await answer_to(asked, "When is it lit?", history=lamp[:1])).cached
    assert not (await answer_to(asked, "When is it lit?", history=watch)).cached
    assert (await answer_to(asked, history=watch)).cached  # asks what "When is it lit?" asked of the lamp
    assert len(model.requests) == 2


async def test_an_answer_stays_among_those_who_may_read_the_same(ken: Ken) -> None:
    """Nobody is given an answer that was made from what others may read; the like-minded share theirs."""
    model = says(f"{CODE} [1]")
    asked = assistant(ken, model, cache=True)
    assert "4711" in (await answer_to(asked, SAFE, principal=KEEPER)).text
    for text in (SAFE, "What is the lighthouse's safe code?"):
        refused = await answer_to(asked, text, principal=STRANGER)
        assert (refused.cached, "4711" in refused.text) == (False, False)
        both = Principal(f"key:{text}", frozenset({"keepers", text}))
        assert not (await answer_to(asked, text, principal=both)).cached
    assert not (await answer_to(asked, SAFE, principal=LOCAL_OPERATOR)).cached
    assert (await answer_to(asked, SAFE, principal=Principal("key:other", frozenset({"keepers"})))).cached


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("The lamp burns whale oil.",), "abstained"),
        ((f"{LIT} [1] The lamp burns whale oil. [1]",), "sentences left out"),
        ((f"{LIT} [1] {OUT} [1] ", ModelInterrupted("It broke off. Ask again.")), "degraded"),
    ],
)
async def test_what_is_not_sure_is_not_kept(ken: Ken, said: tuple[str | ModelInterrupted, ...], why: str) -> None:
    """An abstention, an answer of which something was left out, one that broke off: each is asked again in full."""
    model = says(*said)
    asked = assistant(ken, model, cache=True, reads=True)
    first, second = await tell(asked), await tell(asked)
    assert len(model.requests) == 2
    assert recalled(ken, second)["decision"] == "miss"
    assert kept(ken, first) == why


async def test_what_asks_for_this_moment_is_never_kept(ken: Ken) -> None:
    """Its category has no cache, and the trace says so."""
    model = says(f"{LIT} [1]")
    asked = assistant(ken, model, cache=True)
    for _ in range(2):
        told = await tell(asked, "When is the lamp of the lighthouse lit today?")
        assert recalled(ken, told).items() >= {"decision": "off", "reason": "category fresh"}.items()
    assert len(model.requests) == 2


async def test_a_category_has_its_own_rules(ken: Ken) -> None:
    """Its words put a question there; its answers last as long as it says; what cites its collections is not kept, either."""
    tables = (
        CategorySettings(name="safety", words=("safe",), cache=False),
        CategorySettings(name="watches", words=("a watch",), ttl_s=0.05),
        CategorySettings(name="other", collections=("light",), cache=False),
    )
    rules = categories_of(AnswerCacheSettings(), tables)
    asked = assistant(ken, says(f"{LIT} [1]"), cache=of(ken, *rules))
    assert (await tell(asked, SAFE)).detail("recall") == "not for questions of the category 'safety'"
    assert kept(ken, await tell(asked)) == "cites a collection of the category other"
    asked = assistant(ken, says(f"{WATCH} [1]"), cache=of(ken, *rules[1:2], *rules[3:]))
    for _ in range(2):
        assert not (await answer_to(asked, "How long does a watch last?")).cached
        await anyio.sleep(0.06)


async def test_an_unhelpful_answer_is_not_given_again(ken: Ken) -> None:
    """Whoever of those it was given to says so; nor is another one kept before its documents change."""
    model = says(f"{LIT} [1]")
    asked = assistant(ken, model, cache=True)
    await answer_to(asked)
    again = await tell(asked, PARAPHRASES[0])
    trace = trace_of(ken, again)
    word = Feedback(trace_id=trace.id, principal=trace.principal, helpful=False, reason="", at=float(next(_seconds)))
    ken.feedback.put(word)
    for text in (QUESTION, *PARAPHRASES, QUESTION, *PARAPHRASES):
        assert not (await answer_to(asked, text)).cached
    ken.feedback.put(replace(word, helpful=True))
    assert not (await answer_to(asked)).cached
    assert (await answer_to(asked)).cached


async def test_without_a_cache_every_question_is_asked(ken: Ken) -> None:
    """Where the cache is off, recall says so and the model works each time."""
    model = says(LIT)
    asked = assistant(ken, model)
    for _ in range(2):
        told = await tell(asked)
        assert told.detail("recall") == "off"
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("anew", "verdict"), [(f"{LIT} [1]", (1, 0)), (f"{OUT} [1]", (1, 1)), ("Nobody knows.", (1, 1))]
)
async def test_the_share_of_wrong_answers_is_estimated(ken: Ken, anew: str, verdict: tuple[int, int]) -> None:
    """An answer that was given again is made anew in the background, and compared; what is made anew is not kept."""
    before = ken.cache.read(days=1)["general"].false_hits
    other = assistant(ken, says(anew))
    shadows = Shadows(ken.cache, other.answer, share=1.0)
    asked = assistant(ken, says(f"{LIT} [1]"), cache=True, shadows=shadows)
    await answer_to(asked)
    assert (await answer_to(asked)).cached
    await shadows.idle()
    found = ken.cache.read(days=1)["general"].false_hits
    assert (found.compared - before.compared, found.different - before.different) == verdict
    assert found.low <= (found.share or 0) <= found.high
    assert not (await answer_to(other)).cached


def test_a_trace_is_drawn_or_not_whoever_draws() -> None:
    """The share that is made anew hangs from trace ids alone, and is about as large as it was asked for."""
    ids = [f"{number:032x}" for number in range(20_000)]
    drawn = [each for each in ids if is_drawn(each, 0.05)]
    assert 0.04 < len(drawn) / len(ids) < 0.06
    assert drawn == [each for each in ids if is_drawn(each, 0.05)]


async def test_an_old_answer_is_better_than_none(ken: Ken) -> None:
    """A question whose model fails is given one that is past its time, or to a question less near, with a notice."""
    short = replace(BUILT_IN[-1], ttl_s=0.01)
    asked = assistant(ken, says(f"{LIT} [1]"), ModelOfTwoMinds(f"{LIT} [1]"), cache=of(ken, short), reads=True)
    first = await answer_to(asked, model="twice")
    await anyio.sleep(0.02)
    told = await tell(asked, PARAPHRASES[0], model="twice")
    assert isinstance(told.last, Answered)
    again = told.last.answer
    assert (again.text, again.cached, again.original_trace_id) == (first.text, True, first.trace_id)
    assert any("was made before" in notice for notice in told.notices)
    assert not (await answer_to(asked, SAFE, model="twice")).cached


async def test_a_full_cache_keeps_what_is_asked_for_more_often(ken: Ken) -> None:
    """A question that is asked once takes no place; one that is asked again takes that of the one asked for least."""
    cache = of(ken, replace(BUILT_IN[-1], name="general"))
    ken.cache.answers.drop_all()
    cache.bounds = replace(cache.bounds, entries=2)
    asked = assistant(ken, says(f"{LIT} [1]"), cache=cache)
    often, seldom, new = (f"When is lamp {number} of the lighthouse lit?" for number in ("one", "two", "three"))
    for text in (often, often, often, seldom):
        await answer_to(asked, text)
    assert kept(ken, await tell(asked, new)) == "not asked often enough"
    assert kept(ken, await tell(asked, new)) == "stored"
    assert [(await answer_to(asked, text)).cached for text in (often, new)] == [True, True]
    assert not (await answer_to(asked, seldom)).cached
